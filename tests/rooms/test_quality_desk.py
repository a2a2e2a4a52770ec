"""HR's pages: forms as versions, the editor, stating a sample, its board; and what everybody may read of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.domain.quality_form import parse_form
from review.domain.refusals import Invalid, Taken
from review.infra import jobs
from review.infra.clock import now
from review.infra.db import db
from review.infra.house import house
from review.people.tables import PersonRow
from review.quality import checks, form_versions
from review.quality.tables import FormRow, FormState, SampleRow
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_quality import FIRST, LAST, assign, checks_of, file_as, make_sample, tickets

Browse = Callable[..., Browser]


@pytest.fixture
def form_id(app: Flask, cast: Cast) -> int:
    with app.app_context():
        row = form_versions.install_default(NOW, cast["hana"].id)
        db.session.commit()
        return row.id


@pytest.fixture
def draft_id(app: Flask, cast: Cast, form_id: int) -> int:
    with app.app_context():
        row = form_versions.begin(db.session.get_one(FormRow, form_id), "service", by=cast["hana"].id, now=NOW)
        db.session.commit()
        return row.id


def form_row(app: Flask, form_id: int) -> tuple[FormState, str, dict]:
    with app.app_context():
        row = db.session.get_one(FormRow, form_id)
        return row.state, row.hash, row.body


def test_hr_takes_the_packaged_form_once(app: Flask, cast: Cast, browse: Browse) -> None:
    hana = browse(cast["hana"])
    assert "Take the packaged form" in hana.get("/quality").words
    first = hana.post("/quality/forms/default").location
    assert hana.post("/quality/forms/default").location == first
    assert "Correct answer" in browse(cast["ada"]).get(first).words


@pytest.mark.parametrize("who", ["ada", "sam", "max"])
def test_everybody_reads_open_forms_and_only_hr_drafts(
    app: Flask, cast: Cast, browse: Browse, form_id: int, draft_id: int, who: str
) -> None:
    person = browse(cast[who])
    person.get(f"/quality/forms/{form_id}")
    person.get(f"/quality/forms/{draft_id}", status=404)
    assert "Draft" not in person.get("/quality/forms").words
    for action in ("edit", "open", "retire", "versions"):
        person.post(f"/quality/forms/{form_id}/{action}", {"seen": ""}, status=404)


def test_a_draft_is_edited_opened_and_never_changes_again(
    app: Flask, cast: Cast, browse: Browse, form_id: int, draft_id: int
) -> None:
    hana = browse(cast["hana"])
    page = hana.get(f"/quality/forms/{draft_id}/edit")
    hana.submit(page, {"c0_weight": "25", "c0_name_en": "Hello and goodbye", "act": "save"})
    state, _, body = form_row(app, draft_id)
    assert (state, body["categories"][0]["weight"]) == (FormState.DRAFT, 25)
    shown = hana.get(f"/quality/forms/{draft_id}")
    hana.submit(shown, {}, form="/open")
    state, opened_hash, _ = form_row(app, draft_id)
    assert state is FormState.OPEN
    assert hana.get(f"/quality/forms/{draft_id}/edit", status=302).location == f"/quality/forms/{draft_id}"
    hana.submit(page, {"c0_weight": "99", "act": "save"}, form="/edit", status=409)
    assert form_row(app, draft_id)[1] == opened_hash
    assert form_row(app, form_id)[2]["categories"][0]["weight"] == 10, "the version before stays as it was"


def test_a_draft_that_changed_meanwhile_is_not_opened_unread(
    app: Flask, cast: Cast, browse: Browse, draft_id: int
) -> None:
    hana = browse(cast["hana"])
    shown = hana.get(f"/quality/forms/{draft_id}")
    hana.submit(hana.get(f"/quality/forms/{draft_id}/edit"), {"c0_weight": "26", "act": "save"})
    hana.submit(shown, {}, form="/open", status=409)
    assert form_row(app, draft_id)[0] is FormState.DRAFT


def test_bad_input_is_told_beside_its_field_and_nothing_is_lost(
    app: Flask, cast: Cast, browse: Browse, draft_id: int
) -> None:
    hana = browse(cast["hana"])
    before = form_row(app, draft_id)
    sent = {
        "c0_weight": "300",
        "c1_levels": "only one line",
        "c2_name_en": "",
        "c3_question_zh": "我写的",
        "name_en": "",
    }
    page = hana.submit(hana.get(f"/quality/forms/{draft_id}/edit"), {**sent, "act": "save"}, status=422)
    wrong = {tag["name"] for tag in page.soup.find_all(attrs={"aria-invalid": "true"})}
    assert wrong == {"c0_weight", "c1_levels", "c2_name_en", "name_en"}
    assert page.soup.find(attrs={"name": "c3_question_zh"})["value"] == "我写的"
    assert form_row(app, draft_id) == before


def test_categories_are_added_and_removed(app: Flask, cast: Cast, browse: Browse, draft_id: int) -> None:
    hana = browse(cast["hana"])
    page = hana.get(f"/quality/forms/{draft_id}/edit")
    gone = {f"c1_{part}": "" for part in ("name_zh", "name_en", "question_zh", "question_en", "levels")}
    new = {"c7_name_zh": "主动", "c7_name_en": "Proactive", "c7_question_zh": "有没有", "c7_question_en": "Whether"}
    new |= {"c7_weight": "5", "c7_levels": "没有 | No\n有|Yes", "c7_left_out": "y", "c7_causes": "忘了 | Forgot"}
    hana.submit(page, {**gone, **new, "act": "more"})
    form = parse_form(form_row(app, draft_id)[2])
    assert "understanding" not in [category.key for category in form.categories]
    last = form.categories[-1]
    assert (last.name.zh, last.scale, last.levels[1].en, last.causes[0].text.en) == ("主动", 2, "Yes", "Forgot")
    assert last.may_be_left_out
    assert not last.is_critical


def test_the_second_error_points_at_the_block_it_was_typed_in(
    app: Flask, cast: Cast, browse: Browse, draft_id: int
) -> None:
    """With a category emptied, the places of the data and the blocks of the page no longer agree."""
    hana = browse(cast["hana"])
    gone = {f"c0_{part}": "" for part in ("name_zh", "name_en", "question_zh", "question_en", "levels")}
    page = hana.submit(
        hana.get(f"/quality/forms/{draft_id}/edit"), {**gone, "c3_weight": "101", "act": "save"}, status=422
    )
    assert {tag["name"] for tag in page.soup.find_all(attrs={"aria-invalid": "true"})} == {"c3_weight"}


def test_a_form_has_one_draft(app: Flask, cast: Cast, browse: Browse, form_id: int, draft_id: int) -> None:
    hana = browse(cast["hana"])
    assert hana.post(f"/quality/forms/{form_id}/versions").location == f"/quality/forms/{draft_id}/edit"
    other = hana.post(f"/quality/forms/{form_id}/versions", {"key": "voice"}).location
    assert other != f"/quality/forms/{draft_id}/edit"
    hana.post(f"/quality/forms/{form_id}/versions", {"key": "Not a key"}, status=422)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(FormRow)) == 3


def test_a_retired_form_serves_no_new_sample_and_drafts_are_not_retired(
    app: Flask, cast: Cast, browse: Browse, form_id: int, draft_id: int
) -> None:
    with app.app_context():
        tickets(cast["ada"], 2)
        make_sample(cast)
        row = db.session.get_one(FormRow, form_id)
        assert form_versions.retire(row, by=cast["hana"].id, now=NOW)
        assert not form_versions.retire(row, by=cast["hana"].id, now=NOW)
        with pytest.raises(Invalid):
            form_versions.retire(db.session.get_one(FormRow, draft_id), by=cast["hana"].id, now=NOW)
        with pytest.raises(Taken):
            form_versions.open_up(row, row.hash, by=cast["hana"].id, now=NOW)
        db.session.commit()
        sample_id = db.session.scalars(select(SampleRow.id)).one()
        assert form_versions.form_of(form_id).key == "service"
    browse(cast["hana"]).get(f"/quality/samples/{sample_id}")


def test_hr_states_a_sample_and_the_worker_draws_it(app: Flask, cast: Cast, browse: Browse, form_id: int) -> None:
    with app.app_context():
        tickets(cast["ada"], 5)
        db.session.commit()
    hana = browse(cast["hana"])
    page = hana.get("/quality/samples/new")
    assert "seed" not in [tag.get("name") for tag in page.soup.find_all("input")]
    sent = {"name": "March", "first_day": f"{FIRST}", "last_day": f"{LAST}", "channels": ["phone"], "per_agent": "2"}
    after = hana.follow(hana.submit(page, sent))
    assert "being drawn" in after.words
    hana.get(after.url + "/progress")
    with app.app_context():
        jobs.work_all(house().handlers, house().progress, "w", now())
    board = hana.get(after.url)
    assert "0 of 2 checks submitted." in board.words
    assert hana.client.get(after.url + "/progress").headers["HX-Refresh"] == "true"
    with app.app_context():
        row = db.session.scalars(select(SampleRow)).one()
        assert (row.channels, row.per_agent, row.created_by) == (["phone"], 2, cast["hana"].id)
        assert f"{row.seed}" in board.words


def test_a_sample_with_gaps_is_refused_and_keeps_what_was_typed(
    app: Flask, cast: Cast, browse: Browse, form_id: int
) -> None:
    hana = browse(cast["hana"])
    sent = {"name": "Kept", "first_day": f"{LAST}", "last_day": f"{FIRST}", "per_agent": "99", "due_on": ""}
    page = hana.submit(hana.get("/quality/samples/new"), sent, status=422)
    assert page.soup.find(id="name")["value"] == "Kept"
    assert {tag["name"] for tag in page.soup.find_all(attrs={"aria-invalid": "true"})} == {"per_agent", "due_on"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SampleRow)) == 0


def test_the_board_tells_figures_by_agent_category_and_checker(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        for name in ("ada", "bo"):
            tickets(cast[name], 4)
        sample_id = make_sample(cast, each=4)
        assign(sample_id, cast["quinn"], cast["lou"])
        for one in checks_of(sample_id, cast["ada"]):
            file_as(one, opening=1)
        url = f"/quality/samples/{sample_id}"
    hana = browse(cast["hana"])
    words = hana.get(url).words
    assert "4 of 8 checks submitted." in words
    assert f"Ada {cast['ada'].employee_no} 90.00 4 of 4" in words
    assert f"Bo {cast['bo'].employee_no} – 0 of 4" in words
    assert "Opening and closing 0.00 4 4 0" in words
    assert "Quinn 2 of 4 90.00 0.00 0" in words
    assert "Lou 2 of 4 90.00 0.00 0" in words
    assert "90.00" in hana.get(f"{url}/people/{cast['ada'].id}").words
    hana.get(f"{url}/people/{cast['max'].id}", status=404)


def test_milder_checkers_are_hinted_at(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        for name in ("ada", "bo"):
            tickets(cast[name], 4)
        sample_id = make_sample(cast, each=4)
        assign(sample_id, cast["quinn"], cast["lou"])
        for one in checks_of(sample_id):
            strict = checks.file_of(one).checker.name == "Lou"
            file_as(one, opening=1 if strict else 3)
    words = browse(cast["hana"]).get(f"/quality/samples/{sample_id}").words
    assert "Quinn 4 of 4 100.00 +5.00 0" in words
    assert "Lou 4 of 4 90.00 −5.00 0" in words


def test_overdue_checks_are_told(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        tickets(cast["ada"], 3)
        sample_id = make_sample(cast, each=3)
        assign(sample_id, cast["quinn"])
        file_as(checks_of(sample_id)[0])
        row = db.session.get_one(SampleRow, sample_id)
        row.due_at = now() - timedelta(days=1)
        db.session.commit()
    hana = browse(cast["hana"])
    assert "2 overdue" in hana.get("/quality").words
    assert "2 overdue" in hana.get(f"/quality/samples/{sample_id}").words
    assert "overdue" in browse(cast["quinn"]).get("/checks").words


def test_checkers_are_named_on_the_page(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        tickets(cast["ada"], 3)
        sample_id = make_sample(cast, each=3)
    hana, url = browse(cast["hana"]), f"/quality/samples/{sample_id}"
    page = hana.submit(hana.get(url), {"checkers": "nobody"}, status=422)
    assert "Nobody here has the employee number nobody." in page.words
    assert page.soup.find(id="checkers").get_text().strip() == "nobody"
    page = hana.submit(hana.get(url), {"checkers": cast["ada"].employee_no}, status=422)
    assert "Nobody of these may check the tickets of Ada." in page.words
    hana.submit(hana.get(url), {"checkers": f"{cast['quinn'].employee_no} {cast['bo'].employee_no}"})
    assert "Check" in browse(cast["quinn"]).get("/checks").words
    again = hana.follow(hana.submit(hana.get(url), {}))
    assert "These people check already." in again.text


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_pages_speak_both_languages(app: Flask, cast: Cast, browse: Browse, form_id: int, locale: str) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = locale
        db.session.commit()
    title = browse(cast["hana"]).get(f"/quality/forms/{form_id}").h1
    assert title.startswith("客服质检表" if locale == "zh" else "Service quality form")
