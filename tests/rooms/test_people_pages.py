"""HR's pages for people: the list and its filters, adding and changing somebody, the organisation's settings."""

import pytest
from sqlalchemy import event, select

from review.domain.access import Role
from review.infra import organisation
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people import directory
from review.people.accounts import PersonDraft, create, roles_of
from review.people.tables import PersonRow
from tests.make import NOW

PAGES = ("/people", "/people/new", "/people/import", "/people/slips", "/organisation", "/account")


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("url", PAGES)
def test_every_page_reads_in_both_languages(cast, browse, url, locale):
    browser = browse(cast["max"])
    browser.post("/language", {"locale": locale})
    assert browser.get(url).h1.isascii() == (locale == "en")


def test_people_are_for_hr_and_administrators(cast, browse):
    for name, status in {"ada": 404, "sam": 404, "hana": 200, "max": 200}.items():
        for url in (*PAGES[:-1], f"/people/{cast['bo'].id}"):
            browse(cast[name]).get(url, status=status)
    for url in ("/people/new", f"/people/{cast['bo'].id}", "/organisation"):
        browse(cast["ada"]).post(url, status=404)
    for url in PAGES:
        assert browse().get(url, status=302).location.startswith("/sign-in?next=")


def test_no_act_is_done_without_a_token(app, cast, browse):
    acts = ["/people/new", f"/people/{cast['ada'].id}", "/people/letters", "/people/slips", "/organisation", "/account"]
    for url in (*acts, "/sign-out", "/activate", "/forgotten-password"):
        assert browse(cast["max"]).client.post(url, data={"name": "x"}).status_code == 400, url


def names(page) -> list[str]:
    return [cell.find("a").get_text() for cell in page.soup.select("table tbody th")]


def test_the_list_is_searched_and_filtered(app, cast, browse):
    with app.app_context():
        directory.person(cast["gus"].id).left_on = NOW.date().replace(year=2025)
        directory.person(cast["fay"].id).password_hash = None
        service = next(key for key, path in directory.department_paths().items() if path == "Service")
        after_sales = next(key for key, path in directory.department_paths().items() if path.endswith("After-sales"))
        db.session.commit()
    browser = browse(cast["hana"])
    assert set(names(browser.get("/people?q=ADA"))) == {"Ada"}
    assert set(names(browser.get(f"/people?q={cast['bo'].employee_no}"))) == {"Bo"}
    assert names(browser.get("/people?q=100%25")) == []
    assert set(names(browser.get(f"/people?department={after_sales}"))) == {"Sam", "Ada", "Bo", "Cy", "Di", "Ed", "Fay"}
    assert len(names(browser.get(f"/people?department={service}"))) == 12, "with all that belongs to it"
    assert names(browser.get("/people?state=left")) == ["Gus"]
    assert names(browser.get("/people?state=waiting")) == ["Fay"]
    assert len(names(browser.get("/people?state=all"))) == 13
    assert len(names(browser.get("/people?state=nonsense&page=99&department=x"))) == 12


def queries_of(app, act) -> int:
    seen = []

    def count(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    act()
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def test_the_list_takes_as_many_queries_for_600_people_as_for_60(app, cast, browse):
    def grow(start: int, end: int) -> None:
        with app.app_context():
            db.session.add_all(PersonRow(employee_no=f"N{n:05}", name=f"N{n}", locale="en") for n in range(start, end))
            db.session.commit()

    browser = browse(cast["hana"])
    grow(0, 60)
    few = queries_of(app, lambda: browser.get("/people?state=all"))
    grow(60, 600)
    many = queries_of(app, lambda: browser.get("/people?state=all"))
    assert few == many < 15
    assert "Page 1 of 13" in browser.get("/people?state=all").words
    assert len(names(browser.get("/people?state=all&page=13"))) == 13


def test_somebody_is_added_and_changed_in_the_browser(app, cast, browse):
    browser = browse(cast["hana"])
    typed = {
        "employee_no": " XH-1 ",
        "name": "林  晓雯",
        "department": "客服中心/一组",
        "supervisor_no": cast["sam"].employee_no,
    }
    done = browser.submit(browser.get("/people/new"), typed, form="/people/new")
    assert "林 晓雯 has been added" in browser.follow(done).words
    with app.app_context():
        row = directory.by_number("XH-1")
        url = f"/people/{row.id}"
        assert (row.supervisor_id, row.email) == (cast["sam"].id, None)
    page = browser.get(url)
    assert 'value="客服中心/一组"' in page.text
    assert f'value="{cast["sam"].employee_no}"' in page.text
    browser.submit(page, {"post": "客服专员", "joined_on": "2026-03-02", "roles": ["agent", "hr"]}, form=url)
    with app.app_context():
        row = directory.by_number("XH-1")
        assert (row.post, str(row.joined_on), row.supervisor_id) == ("客服专员", "2026-03-02", cast["sam"].id)
        assert roles_of(row) == {Role.AGENT, Role.HR}


def test_a_refused_form_keeps_what_was_typed_and_names_each_field(app, cast, browse):
    browser = browse(cast["hana"])
    typed = {"employee_no": cast["ada"].employee_no, "name": "林晓雯", "email": "not one", "left_on": "soon"}
    page = browser.submit(browser.get("/people/new"), typed, form="/people/new", status=422)
    assert 'value="林晓雯"' in page.text
    assert 'value="soon"' in page.text
    typed |= {"left_on": ""}
    page = browser.submit(browser.get("/people/new"), typed, form="/people/new", status=422)
    assert "Ada has this already" in page.words
    assert "not an e-mail address" in page.words
    assert page.soup.find(id="email")["aria-invalid"] == "true"
    with app.app_context():
        assert db.session.scalar(select(PersonRow.id).where(PersonRow.name == "林晓雯")) is None


def test_hr_reads_of_an_administrator_but_has_no_form(cast, browse):
    page = browse(cast["hana"]).get(f"/people/{cast['max'].id}")
    assert "Only administrators change administrators" in page.words
    assert not page.soup.find(id="employee_no")
    browse(cast["hana"]).post(
        f"/people/{cast['max'].id}", {"employee_no": "1", "name": "x", "locale": "zh"}, status=422
    )


def test_hr_is_offered_no_role_it_may_not_give(cast, browse):
    page = browse(cast["hana"]).get("/people/new")
    assert not page.soup.find("input", {"value": "administrator"})
    assert browse(cast["max"]).get("/people/new").soup.find("input", {"value": "administrator"})
    sent = {"employee_no": "1", "name": "x", "locale": "zh", "roles": "administrator"}
    browse(cast["hana"]).post("/people/new", sent, status=422)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "陈浩' OR 1=1"]
)
def test_a_name_is_only_ever_text(app, cast, browse, text):
    with app.app_context():
        create(PersonDraft(employee_no="1", name=text, department=text.replace("/", "")), None, NOW)
        db.session.commit()
    page = browse(cast["hana"]).get("/people")
    assert text in page.words
    assert not page.soup.find("img", {"src": "x"})


def test_an_unknown_person_is_not_found(cast, browse):
    browse(cast["hana"]).get("/people/99999", status=404)


def test_the_organisation_is_set_up(app, cast, browse):
    browser = browse(cast["hana"])
    typed = {
        "name": "星河客服中心",
        "zone": "Asia/Urumqi",
        "mail_from": "HR@xinghe.example",
        "locale": "en",
        "holidays": "2027-01-01 元旦\n\n2027/2/6\n2027年2月7日",
    }
    done = browser.submit(browser.get("/organisation"), typed, form="/organisation")
    page = browser.follow(done)
    assert "Saved" in page.words
    with app.app_context():
        ours = organisation.current()
        assert (ours.name, ours.zone_key, ours.locale, ours.mail_from) == (
            *("星河客服中心", "Asia/Urumqi", "en"),
            "hr@xinghe.example",
        )
        assert sorted(map(str, ours.holidays)) == ["2027-01-01", "2027-02-06", "2027-02-07"]
        line = db.session.scalar(select(AuditRow).where(AuditRow.action == "people:organisation:changed"))
        assert line.details["zone_key"] == ["Asia/Shanghai", "Asia/Urumqi"]


def test_settings_that_make_no_sense_are_all_named_and_none_is_kept(app, cast, browse):
    typed = {
        "name": "星河",
        "zone": "Mars/Olympus",
        "mail_from": "nobody",
        "holidays": "2027-01-01\nnew year\n2027-02-30",
    }
    page = browse(cast["hana"])
    refused = page.submit(page.get("/organisation"), typed, form="/organisation", status=422)
    assert "time zone is not known" in refused.words
    assert "Line 2 is not a date" in refused.words
    assert "Line 3 is not a date" in refused.words
    assert "new year" in refused.text
    with app.app_context():
        assert organisation.current().zone_key == "Asia/Shanghai"


def test_the_list_says_who_still_waits_and_for_what(app, cast, browse):
    with app.app_context():
        for name, email in (("ada", "ada@example.com"), ("bo", None), ("cy", None)):
            row = directory.person(cast[name].id)
            row.password_hash, row.email = None, email
        db.session.commit()
    browser = browse(cast["hana"])
    words = browser.get("/people").words
    assert "1 person with an e-mail address has no password yet" in words
    assert "2 people without an e-mail address have no password yet" in words
    browser.post("/people/slips")
    words = browser.get("/people").words
    assert "2 slips are out and not used yet" in words
    assert "without an e-mail address" not in words
