"""Every shared macro and layout once: inputs have labels, ids are unique, errors belong to fields, nothing inline."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask, flash, render_template, render_template_string
from wtforms import BooleanField, Form, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from review.domain.refusals import Problem
from review.infra import dates
from review.infra.assets import init_assets
from review.infra.charts import init_charts
from review.infra.forms import as_problem
from review.infra.i18n import translations
from review.infra.words import say

ROOT = Path(__file__).resolve().parents[2]
ERRORS = (400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500)
ZONE = "Asia/Shanghai"
NAV = [{"endpoint_url": f"/{key}", "label_key": key, "current": key == "home"} for key in ("home", "team", "audit")]


class Sample(Form):
    name = StringField()
    text = TextAreaField()
    team = SelectField(choices=[SelectChoice("a", "A"), SelectChoice("b", "B")])
    level = RadioField(choices=[SelectChoice("4", "4"), SelectChoice("1", "1")])
    agreed = BooleanField()


@pytest.fixture(params=["en", "zh"])
def house(request: pytest.FixtureRequest) -> Flask:
    locale = request.param
    app = Flask("bare", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.secret_key = "test"
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_translations(translations(locale), newstyle=True)
    app.jinja_env.globals.update(
        csrf_token=lambda: "token", say=lambda told, **p: say(as_problem(told), locale), locale=locale
    )
    app.jinja_env.globals.update(organisation_name="Star", nav=NAV, foot_links=NAV[:1], actor=None)
    app.jinja_env.filters.update(
        day=lambda value: dates.day(value, locale, ZONE),
        deadline=lambda value: dates.deadline(value, locale, ZONE),
        moment=lambda value: dates.moment(value, locale, ZONE),
    )
    app.add_url_rule("/language", "people.switch_language", lambda: "", methods=["POST"])
    app.add_url_rule("/out", "people.sign_out", lambda: "", methods=["POST"])
    app.add_url_rule("/list", "list", lambda: "")
    init_assets(app)
    init_charts(app.jinja_env)
    return app


def inspected(html: str) -> BeautifulSoup:
    """The page's soup, after the checks that hold for every page."""
    assert " style=" not in html
    assert not re.search(r"<[^>]+\son[a-z]+=", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    soup = BeautifulSoup(html, "html5lib")
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids)), sorted(ids)
    for field in soup.select("input:not([type=hidden]), select, textarea"):
        label = soup.select_one(f'label[for="{field.get("id")}"]') if field.get("id") else None
        assert label or field.find_parent("label") or field.get("aria-label"), field
    for element in soup.select("[aria-describedby]"):
        for target in element["aria-describedby"].split():
            assert target in ids, (target, element)
    for form in soup.select("form[method=post]"):
        assert form.select_one("input[name=csrf_token]"), form
    return soup


def shown(house: Flask, body: str, **values: object) -> BeautifulSoup:
    source = '{% import "layout/macros.html" as ui %}<main>' + body + "</main>"
    with house.test_request_context():
        return inspected(render_template_string(source, **values))


def wrong_form() -> Sample:
    form = Sample(data={"team": "b", "level": "4"})
    form.name.errors = ["form:required"]
    form.text.errors = ["form:too_long max=3", Problem("form:not_valid")]
    form.level.errors = ["form:choose_one"]
    return form


def test_fields_are_labelled_and_their_errors_are_read_with_them(house: Flask) -> None:
    body = """{{ ui.field(form.name, "Name", "As on the card", autocomplete="name") }}{{ ui.field(form.text, "Text") }}
    {{ ui.field(form.team, "Team", optional=True) }}{{ ui.choices(form.level, "Level", "Hint", {"4": "Four"}) }}
    {{ ui.check(form.agreed, "Agreed", "Why") }}"""
    soup = shown(house, body, form=wrong_form())
    name = soup.select_one("#name")
    assert name["aria-describedby"] == "name-h name-e"
    assert name["aria-invalid"] == "true"
    assert name["autocomplete"] == "name"
    assert "3" in soup.select_one("#text-e").get_text()
    assert "form-select" in soup.select_one("#team")["class"]
    assert not soup.select_one("#team").has_attr("aria-invalid")
    assert soup.select_one('label[for="level-0"]').get_text() == "Four"


def test_an_error_summary_leads_to_each_field_and_an_error_free_form_has_none(house: Flask) -> None:
    body = '{{ ui.error_summary(form, {"name": "Your name"}) }}<i id="name"></i><i id="text"></i><i id="level"></i>'
    soup = shown(house, body, form=wrong_form())
    assert [link["href"] for link in soup.select("[role=alert] a")] == ["#name", "#text", "#level"]
    assert "Your name" in soup.select_one("[role=alert]").get_text()
    assert shown(house, body, form=Sample()).select_one("[role=alert]") is None


def test_answers_are_radios_with_the_chosen_one_checked(house: Flask) -> None:
    body = """{{ ui.level_cards("q1", "Communication", "Clear", [(4, "excellent", "a"), (1, "poor", "b")],
        "4", "Too little seen", "!") }}
    {{ ui.seg("q2", "Solving", [("good", "Good"), ("fair", "Fair")], "fair") }}
    {{ ui.stars("q3", "Correct?", "The rules", 4, "", "Cannot say") }}{{ ui.stars("q4", "Fast?", error="Choose") }}"""
    soup = shown(house, body)
    checked = {field["name"]: field["value"] for field in soup.select("input[checked]")}
    assert checked == {"q1": "4", "q2": "fair", "q3": "4"}
    assert [field["value"] for field in soup.select("[name=q3]")] == ["1", "2", "3", "4", "5", "none"]
    assert len(soup.select("[name=q4]")) == 5
    assert len(soup.select("legend")) == 4


def test_marks_and_blocks_say_in_words_what_they_draw(house: Flask) -> None:
    body = """{{ ui.level("good") }}{{ ui.level(2, word=False) }}{{ ui.grade(none) }}{{ ui.source("peers") }}
    {{ ui.icon("check", "Done") }}
    {{ ui.bar(62, "customers", 70) }}{{ ui.chip("warn", "Soon", "clock") }}{{ ui.signed(-3) }}{{ ui.signed("4.5") }}
    {{ ui.empty("Nothing", "Later", "/x", "Go", "envelope") }}
    {{ ui.steps([("A", "1", "done"), ("B", "2", "now"), ("C", "3", "next")]) }}
    {{ ui.crumbs([("Home", "/"), ("Here", "")]) }}{{ ui.pager(2, 3, "list", {"team": 7}) }}
    {{ ui.post_link("/out", "Out", {"a": "1"}) }}
    {{ ui.problems([p]) }}{% call ui.msg("bad", "Title") %}<p>more</p>{% endcall %}{{ ui.submit("Send", "send") }}"""
    soup = shown(house, body, p=Problem("form:too_long", None, {"max": 9}))
    text = soup.get_text()
    assert "−3" in text
    assert "+4.5" in text
    assert "9" in soup.select_one(".r-problems").get_text()
    assert soup.select_one("[aria-current=step] b").get_text() == "B"
    assert soup.select_one("[rel=next]")["href"] == "/list?team=7&page=3"
    assert soup.select_one("[role=img][aria-label*='62']")
    assert soup.select_one("[role=alert] p").get_text() == "more"


def test_dates_carry_weekday_and_machine_readable_time(house: Flask) -> None:
    at = datetime(2027, 1, 13, 10, 0, tzinfo=UTC)
    soup = shown(house, "{{ ui.local_date(at) }}{{ ui.local_deadline(at) }}{{ ui.local_moment(at) }}", at=at)
    told = [time.get_text() for time in soup.select("time")]
    assert told in (
        ["1月13日（周三）", "1月13日（周三）18:00", "2027年1月13日 18:00"],
        ["Wed 13 Jan", "Wed 13 Jan, 18:00", "13 Jan 2027, 18:00"],
    )
    assert soup.select_one("time")["datetime"] == "2027-01-13T10:00:00+00:00"


@pytest.mark.parametrize("layout", ["base", "bare", "survey", "print"])
def test_a_layout_has_one_main_a_title_and_its_language(house: Flask, layout: str) -> None:
    body = f'{{% extends "layout/{layout}.html" %}}{{% block main %}}<h1>One</h1>{{% endblock %}}'
    with house.test_request_context("/here?a=1"):
        soup = inspected(render_template_string(body))
    assert len(soup.select("main#main")) == 1
    assert soup.html["lang"] in {"zh-CN", "en"}
    assert "Star" in soup.title.get_text()
    assert bool(soup.select("script")) == (layout in {"base", "print"})
    assert bool(soup.select("link[href*=tabler]")) == (layout in {"base", "bare"})


def test_the_language_switch_comes_back_to_the_same_page(house: Flask) -> None:
    with house.test_request_context("/here?a=1"):
        soup = inspected(render_template("layout/base.html"))
    form = soup.select_one('form[action="/language"]')
    assert form.select_one("[name=next]")["value"] == "/here?a=1"
    assert form.select_one("[name=locale]")["value"] in {"zh", "en"}
    assert soup.select_one('form[action="/out"]') is None  # nobody is signed in


def test_a_long_navigation_moves_its_tail_under_one_word(house: Flask) -> None:
    nav = [{"endpoint_url": f"/{n}", "label_key": "home", "current": n == 8} for n in range(9)]
    with house.test_request_context():
        soup = inspected(render_template("layout/base.html", nav=nav))
    assert len(soup.select(".r-nav > a")) == 5
    assert len(soup.select(".r-nav-more a")) == 4
    assert soup.select_one(".r-nav-more summary.here")


def test_what_was_done_is_told_once_on_the_next_page(house: Flask) -> None:
    with house.test_request_context():
        flash("form:saved", "ok")
        soup = inspected(render_template("layout/base.html"))
    assert soup.select_one("[role=status]").get_text() in {"Saved.", "已保存。"}


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_page_says_what_happened_what_is_safe_and_what_to_do(house: Flask, status: int) -> None:
    with house.test_request_context("/x", method="POST"):
        soup = inspected(render_template(f"errors/{status}.html", problems=(Problem("form:required"),)))
    assert len(soup.select("h1")) == 1
    assert str(status) in soup.select_one(".r-eyebrow").get_text()
    assert len(soup.select(".r-problems li")) == 1
    assert all(len(paragraph.get_text()) > 5 for paragraph in soup.select(".r-told p:not(.r-eyebrow)"))
    assert soup.select_one(".r-told .btn")


def test_every_shared_sentence_has_its_chinese(house: Flask) -> None:
    """A room's word in the navigation may stand in that room's catalogue; the shared one holds nothing unsaid."""
    pages = {
        path.parents[2].name: set(re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (ROOT / "review/translations").glob("*/zh/LC_MESSAGES/messages.po")
    }
    known = set().union(*pages.values())
    said = set()
    for folder in ("layout", "errors"):
        for page in (ROOT / "templates" / folder).glob("*.html"):
            said |= set(re.findall(r'\b_\("((?:[^"\\]|\\.)*)"', page.read_text(encoding="utf-8")))
    assert said - known == set()
    assert pages["layout"] - said == set()
