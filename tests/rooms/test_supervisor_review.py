"""Supervisor ratings: one criterion at a time or one person at a time, complete, commented where asked, filed once."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from review.cycles.lookup import file_of
from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, Taken, TooLate
from review.domain.responses import SelfReview, Statement, SupervisorRating
from review.domain.vocabulary import Level
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people.tables import PersonRow
from review.responses import service as responses
from review.schemes.library import builtin
from review.supervisor_review import notes, service
from review.supervisor_review.tables import NoteRow
from tests.browse import Browser
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage

SCHEME = builtin()
KEYS = [criterion.key for criterion in SCHEME.criteria]
GOOD = dict.fromkeys(KEYS, Level.GOOD)
RATING = SupervisorRating(GOOD, {}, "Steady all quarter.")
WHOLE = {**{f"level_{key}": "good" for key in KEYS}, "overall": "Steady all quarter."}
Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.supervisor_review.views.now", lambda: NOW)
    monkeypatch.setattr("review.supervisor_review.note_views.now", lambda: NOW)


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = make_cycle(cast)
        db.session.commit()
        return made


@pytest.fixture
def review(app: Flask, cast: Cast, cycle: int) -> int:
    with app.app_context():
        return review_of(cycle, cast["ada"])


def change(app: Flask, cycle: int, stage: Stage | None = None, **dates: object) -> None:
    with app.app_context():
        if stage:
            set_stage(cycle, stage)
        if dates:
            set_dates(cycle, **dates)
        db.session.commit()


def sheet_of(app: Flask, review: int, person: int) -> responses.Sheet | None:
    with app.app_context():
        return responses.rating_sheet(review, person)


def filed(app: Flask, review: int) -> SupervisorRating | None:
    with app.app_context():
        sheet = responses.rating_of(review)
        return sheet and sheet.filed


def file_rating(app: Flask, review: int, person: int, said: SupervisorRating = RATING) -> None:
    with app.app_context():
        responses.file_rating(review, person, said, NOW)
        db.session.commit()


# ---- one person -----------------------------------------------------------------------------------------------------


def test_the_responsible_supervisor_rates_and_files(app: Flask, cast: Cast, browse: Browse, review: int) -> None:
    sam = browse(cast["sam"])
    page = sam.submit(sam.get(f"/ratings/{review}"), {**WHOLE, "act": "submit"}, form=f"/ratings/{review}")
    assert filed(app, review) == RATING
    assert "stays as it is" in sam.follow(page).words
    with app.app_context():
        assert db.session.scalar(select(AuditRow.action).where(AuditRow.about == f"review:{review}"))


@pytest.mark.parametrize("who", ["ada", "bo", "quinn", "lou", "hana", "max"])
def test_nobody_else_can(app: Flask, cast: Cast, cycle: int, browse: Browse, review: int, who: str) -> None:
    somebody = browse(cast[who])
    somebody.get(f"/ratings/{review}", status=404)
    somebody.post(f"/ratings/{review}", {**WHOLE, "act": "submit"}, status=404)
    somebody.post(f"/ratings/{review}/draft", WHOLE, status=404)
    somebody.post(f"/ratings/{review}/notes", {"text": "x", "on": "2026-03-01"}, status=404)
    assert filed(app, review) is None


def test_an_incomplete_rating_is_refused_with_all_reasons_and_the_text(
    app: Flask, cast: Cast, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])
    page = sam.post(f"/ratings/{review}", {"overall": "what I typed", "act": "submit"}, status=422)
    assert "what I typed" in page.words
    assert page.words.count("Choose a level.") == 2 * len(KEYS)
    assert filed(app, review) is None


@pytest.mark.parametrize("level", ["excellent", "poor"])
def test_the_highest_and_the_lowest_level_need_a_comment(
    app: Flask, cast: Cast, browse: Browse, review: int, level: str
) -> None:
    sam, key = browse(cast["sam"]), KEYS[1]
    sent = {**WHOLE, f"level_{key}": level, "act": "submit"}
    page = sam.post(f"/ratings/{review}", sent, status=422)
    assert page.soup.find(id=f"comment_{key}")["aria-invalid"] == "true"
    assert filed(app, review) is None
    sam.post(f"/ratings/{review}", {**sent, f"comment_{key}": "On 12 December three customers wrote."})
    assert filed(app, review).comments == {key: "On 12 December three customers wrote."}


@pytest.mark.parametrize("level", ["good", "fair"])
def test_the_levels_between_need_none(app: Flask, cast: Cast, browse: Browse, review: int, level: str) -> None:
    browse(cast["sam"]).post(f"/ratings/{review}", {**WHOLE, f"level_{KEYS[0]}": level, "act": "submit"})
    assert filed(app, review).answers[KEYS[0]] == level


def test_drafts_and_autosave_are_kept_and_come_back(app: Flask, cast: Cast, browse: Browse, review: int) -> None:
    sam = browse(cast["sam"])
    sam.post(f"/ratings/{review}/draft", {f"level_{KEYS[0]}": "poor", "overall": "half a sen"}, status=204)
    assert filed(app, review) is None
    assert "half a sen" in sam.get(f"/ratings/{review}").words
    sam.post(f"/ratings/{review}", {"overall": "a whole sentence", "act": "draft"})
    assert "a whole sentence" in sam.get(f"/ratings/{review}").words


def test_a_filed_rating_sent_again_is_harmless_and_another_one_is_shown_beside(
    app: Flask, cast: Cast, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])
    for _ in range(2):
        sam.post(f"/ratings/{review}", {**WHOLE, "act": "submit"})
    page = sam.post(f"/ratings/{review}", {**WHOLE, "overall": "Changed my mind", "act": "submit"}, status=409)
    assert "Changed my mind" in page.words
    assert "Steady all quarter." in page.words
    sam.post(f"/ratings/{review}/draft", WHOLE, status=409)
    assert filed(app, review) == RATING
    with app.app_context():
        assert len(db.session.scalars(select(AuditRow.id).where(AuditRow.about == f"review:{review}")).all()) == 1


def test_before_the_opening_it_is_too_early_and_after_publishing_too_late_but_nothing_typed_is_lost(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])
    for stage, opens_at, status in ((None, NOW + timedelta(hours=1), 409), (Stage.PUBLISHED, NOW, 410)):
        change(app, cycle, stage, opens_at=opens_at)
        sam.get(f"/ratings/{review}", status=status)
        page = sam.post(f"/ratings/{review}", {**WHOLE, "act": "submit"}, status=status)
        assert "Steady all quarter." in page.words
        assert not page.soup.find("button", {"name": "act"})
        sam.post(f"/ratings/{review}/draft", WHOLE, status=status)
    assert filed(app, review) is None


def test_it_may_still_be_filed_while_results_are_finalised(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    change(app, cycle, Stage.FINALISING, self_due_at=NOW - timedelta(days=3), closes_at=NOW - timedelta(days=1))
    browse(cast["sam"]).post(f"/ratings/{review}", {**WHOLE, "act": "submit"})
    assert filed(app, review) == RATING


def test_the_self_review_stands_beside_the_rating_only_once_that_is_filed(
    app: Flask, cast: Cast, browse: Browse, review: int
) -> None:
    with app.app_context():
        said = SelfReview({**GOOD, KEYS[0]: Level.EXCELLENT}, Statement(overview="my own words"))
        responses.file_self(review, cast["ada"].id, said, NOW)
        db.session.commit()
    sam = browse(cast["sam"])
    sam.post(f"/ratings/{review}/draft", {"overall": "half a thought"}, status=204)
    before = sam.get(f"/ratings/{review}")
    assert f"/self-review/{review}" not in before.text
    sam.get(f"/self-review/{review}", status=409)
    with app.app_context():
        assert service.own_of(file_of(review), cast["sam"].id).self_review is None  # a draft is no rating
    file_rating(app, review, cast["sam"].id)
    after = sam.get(f"/ratings/{review}")
    assert f"/self-review/{review}" in after.text
    assert "Excellent" in after.soup.find("table").get_text(" ")


def test_a_new_supervisor_starts_from_nothing(app: Flask, cast: Cast, browse: Browse, review: int) -> None:
    browse(cast["sam"]).post(f"/ratings/{review}/draft", {"overall": "Sam's own thoughts"}, status=204)
    with app.app_context():
        db.session.get(ReviewRow, review).supervisor_id = cast["quinn"].id
        db.session.commit()
    assert "Sam's own thoughts" not in browse(cast["quinn"]).get(f"/ratings/{review}").text
    browse(cast["sam"]).get(f"/ratings/{review}", status=404)


# ---- the team -------------------------------------------------------------------------------------------------------


def test_the_board_shows_own_people_and_how_far_they_are(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    with app.app_context():
        responses.file_self(review, cast["ada"].id, SelfReview(GOOD, Statement()), NOW)
        responses.save_self_draft(review_of(cycle, cast["bo"]), cast["bo"].id, {"statement": {}}, NOW)
        db.session.commit()
    file_rating(app, review, cast["sam"].id)
    words = browse(cast["sam"]).get("/team").words
    assert "Ratings: 1 of 7 submitted" in words
    assert "Self-reviews: 1 of 7 in" in words  # Bo's draft is Bo's business
    assert "Rae" not in words
    browse(cast["ada"]).get("/team", status=404)


def test_a_board_without_a_running_cycle_says_so(app: Flask, cast: Cast, cycle: int, browse: Browse) -> None:
    change(app, cycle, Stage.PUBLISHED)
    assert "Nothing to rate" in browse(cast["sam"]).get("/team").words


def test_the_grid_takes_one_criterion_and_leaves_the_others_alone(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    sam, key = browse(cast["sam"]), KEYS[1]
    sam.post(f"/ratings/{review}/draft", {f"level_{KEYS[0]}": "fair", "overall": "kept"}, status=204)
    page = sam.get(f"/team/{cycle}/rate?criterion={key}")
    sent = {f"level-{review}": "excellent", f"comment-{review}": "Calm with an angry caller.", "go": "next"}
    after = sam.post(f"/team/{cycle}/rate?criterion={key}", sent)
    assert f"criterion={KEYS[2]}" in after.location
    draft = sheet_of(app, review, cast["sam"].id).draft
    assert draft["answers"] == {KEYS[0]: "fair", key: "excellent"}
    assert draft["comments"] == {key: "Calm with an angry caller."}
    assert draft["overall"] == "kept"
    assert page.soup.find("input", {"name": f"level-{review}"})


@pytest.mark.parametrize("go", ["person-²", "person-" + "9" * 5000, "person-", "nonsense"])
def test_a_button_that_no_page_has_leads_back_to_the_grid(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int, go: str
) -> None:
    sent = {f"level-{review}": "good", "go": go}
    browse(cast["sam"]).post(f"/team/{cycle}/rate?criterion={KEYS[1]}", sent)
    assert sheet_of(app, review, cast["sam"].id).draft["answers"] == {KEYS[1]: "good"}


def test_the_grid_saves_itself(app: Flask, cast: Cast, cycle: int, browse: Browse, review: int) -> None:
    sam = browse(cast["sam"])
    sam.post(f"/team/{cycle}/draft?criterion={KEYS[0]}", {f"level-{review}": "good"}, status=204)
    assert sheet_of(app, review, cast["sam"].id).draft["answers"] == {KEYS[0]: "good"}


def test_the_grid_takes_nothing_for_other_peoples_teams(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    url = f"/team/{cycle}/rate?criterion={KEYS[0]}"
    browse(cast["quinn"]).post(url, {f"level-{review}": "poor"})
    browse(cast["ada"]).get(url, status=404)
    browse(cast["sam"]).get(f"/team/{cycle}/rate?criterion=charm", status=404)
    browse(cast["sam"]).get("/team/999/rate", status=404)
    assert sheet_of(app, review, cast["quinn"].id) is None


def test_the_grid_leaves_filed_ratings_as_they_are(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    file_rating(app, review, cast["sam"].id)
    sam = browse(cast["sam"])
    sam.post(f"/team/{cycle}/rate?criterion={KEYS[0]}", {f"level-{review}": "poor"})
    assert filed(app, review) == RATING
    assert sam.get(f"/team/{cycle}/rate").soup.find("input", {"name": f"level-{review}"}).has_attr("disabled")


def test_a_closed_grid_keeps_what_was_typed_on_the_page(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])
    sam.get(f"/team/{cycle}/rate")
    change(app, cycle, Stage.PUBLISHED)
    sent = {f"level-{review}": "fair", f"comment-{review}": "typed too late"}
    page = sam.post(f"/team/{cycle}/rate?criterion={KEYS[0]}", sent, status=410)
    assert "typed too late" in page.words
    assert page.soup.find("input", {"name": f"level-{review}", "value": "fair"}).has_attr("checked")
    assert sheet_of(app, review, cast["sam"].id) is None


def test_all_complete_ratings_are_filed_in_one_go_and_the_others_wait(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])
    sam.post(f"/team/{cycle}/file", status=422)
    sam.post(f"/ratings/{review}/draft", WHOLE, status=204)
    with app.app_context():
        bo = review_of(cycle, cast["bo"])
    sam.post(f"/ratings/{bo}/draft", {**WHOLE, f"level_{KEYS[0]}": "poor"}, status=204)  # without its comment
    page = sam.get(f"/team/{cycle}/rate?criterion=all")
    assert "1 thing missing" in page.words
    sam.post(f"/team/{cycle}/file")
    assert filed(app, review) == RATING
    assert filed(app, bo) is None


def test_the_dot_of_last_time_is_the_supervisors_own_published_level_only(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int
) -> None:
    sam = browse(cast["sam"])

    def dots() -> int:
        grid = sam.get(f"/team/{cycle}/rate?criterion={KEYS[0]}").soup.find("tbody")
        return len(grid.select(".r-cell-dot.was"))

    assert dots() == 0
    with app.app_context():
        last = make_cycle(cast, Stage.PUBLISHED, name="Q4 2025", quarters_ago=2)
        before = review_of(last, cast["ada"])
        db.session.commit()
    file_rating(app, before, cast["sam"].id)
    assert dots() == 1
    with app.app_context():
        db.session.get(ReviewRow, before).supervisor_id = cast["quinn"].id
        db.session.commit()
    assert dots() == 0


# ---- notes ----------------------------------------------------------------------------------------------------------


def test_notes_are_kept_listed_and_deleted_by_their_author(app: Flask, cast: Cast, browse: Browse, review: int) -> None:
    sam, url = browse(cast["sam"]), f"/ratings/{review}/notes"
    for _ in range(2):  # a form sent twice
        sam.post(url, {"text": "Helped the night shift.", "on": "2026-02-03", "criterion": KEYS[3]})
    assert sam.get(f"/ratings/{review}").words.count("Helped the night shift.") == 1
    with app.app_context():
        note = db.session.scalar(select(NoteRow.id))
    browse(cast["quinn"]).post(f"/notes/{note}/delete", status=404)
    browse(cast["ada"]).post(f"/notes/{note}/delete", status=404)
    sam.post(f"/notes/{note}/delete", {"review": str(review)})
    assert "Helped the night shift." not in sam.get(f"/ratings/{review}").words


def test_keeping_a_note_saves_the_rating_that_is_being_typed(
    app: Flask, cast: Cast, browse: Browse, review: int
) -> None:
    sam, url = browse(cast["sam"]), f"/ratings/{review}/notes"
    sam.post(url, {"text": "A fact.", "on": "2026-03-03", "overall": "half a sentence"})
    assert "half a sentence" in sam.get(f"/ratings/{review}").words
    page = sam.post(url, {"text": "", "on": "2026-03-03", "overall": "a longer sentence"}, status=422)
    assert "a longer sentence" in page.words
    sam.post(url, {"text": "Another fact.", "on": "2026-03-03"})  # a note alone leaves the draft alone
    assert sheet_of(app, review, cast["sam"].id).draft["overall"] == "a longer sentence"


@pytest.mark.parametrize("wrong", [{"text": " "}, {"text": "x" * 1001}, {"on": "2026-04-02"}, {"on": "soon"}])
def test_a_note_without_words_or_from_the_future_is_refused(
    app: Flask, cast: Cast, browse: Browse, review: int, wrong: dict
) -> None:
    sent = {"text": "A fact.", "on": "2026-03-03", **wrong}
    page = browse(cast["sam"]).post(f"/ratings/{review}/notes", sent, status=422)
    assert page.soup.select(".r-err")
    with app.app_context():
        assert db.session.scalar(select(NoteRow.id)) is None


def test_notes_are_taken_between_cycles_about_ones_own_reports(app: Flask, cast: Cast, browse: Browse) -> None:
    sam, url = browse(cast["sam"]), f"/team/notes/{cast['ada'].id}"
    assert url in sam.get("/team").text
    sam.post(url, {"text": "Wrote the exchange guide.", "on": "2026-03-30", "criterion": ""})
    assert "Wrote the exchange guide." in sam.get(url).words
    for who in ("quinn", "ada", "hana"):
        browse(cast[who]).get(url, status=404)


def test_a_successor_reads_the_notes_but_does_not_delete_them(
    app: Flask, cast: Cast, browse: Browse, review: int
) -> None:
    with app.app_context():
        notes.add(cast["ada"].id, cast["sam"].id, date(2026, 2, 3), "Sam saw it.", None, today=NOW.date(), now=NOW)
        db.session.get(ReviewRow, review).supervisor_id = cast["quinn"].id
        db.session.commit()
        note = db.session.scalar(select(NoteRow.id))
    page = browse(cast["quinn"]).get(f"/ratings/{review}")
    assert "Sam saw it." in page.words
    assert f"/notes/{note}/delete" not in page.text
    browse(cast["quinn"]).post(f"/notes/{note}/delete", status=404)


# ---- for the rooms above --------------------------------------------------------------------------------------------


def test_tasks_and_reminders_know_who_owes_what(app: Flask, cast: Cast, cycle: int, review: int) -> None:
    with app.app_context():
        sam = cast["sam"].id
        assert {task.state for task in service.open_tasks(sam, NOW)} == {"none"}
        assert len(service.open_tasks(sam, NOW)) == 7
        assert service.open_tasks(sam, NOW - timedelta(days=5)) == []
        assert service.open_tasks(cast["ada"].id, NOW) == []
        responses.file_rating(review, sam, RATING, NOW)
        assert [task.review.id for task in service.open_tasks(sam, NOW) if task.state == "filed"] == [review]
        owed = service.missing_ratings(cycle)
        assert review not in owed[sam]
        assert len(owed[sam]) == 6
        assert owed[cast["quinn"].id] == [review_of(cycle, cast["rae"])]


def test_the_rules_hold_without_any_page(app: Flask, cast: Cast, review: int) -> None:
    with app.app_context():
        file, sam = file_of(review), cast["sam"].id
        with pytest.raises(NotYet):
            service.file_rating(file, sam, RATING, SCHEME, NOW - timedelta(days=3))
        with pytest.raises(Invalid):
            service.file_rating(file, sam, SupervisorRating({}, {}), SCHEME, NOW)
        assert service.file_rating(file, sam, RATING, SCHEME, NOW)
        assert not service.file_rating(file, sam, RATING, SCHEME, NOW)
        with pytest.raises(Taken):
            service.file_rating(file, sam, SupervisorRating(GOOD, {}), SCHEME, NOW)
        set_stage(file.cycle.id, Stage.PUBLISHED)
        db.session.expire_all()
        with pytest.raises(TooLate):
            service.file_rating(file_of(review), sam, RATING, SCHEME, NOW)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_reads_in_both_languages(
    app: Flask, cast: Cast, cycle: int, browse: Browse, review: int, language: str
) -> None:
    with app.app_context():
        db.session.get(PersonRow, cast["sam"].id).locale = language
        db.session.commit()
    sam = browse(cast["sam"])
    rate = {"zh": "评Ada", "en": "Rating of Ada"}[language]
    assert sam.get("/team").h1 == {"zh": "团队", "en": "Team"}[language]
    assert sam.get(f"/team/{cycle}/rate").h1 == {"zh": "评分", "en": "Rate the team"}[language]
    assert sam.get(f"/team/{cycle}/rate?criterion=all").h1 == {"zh": "评分", "en": "Rate the team"}[language]
    assert sam.get(f"/ratings/{review}").h1 == rate
    assert sam.get(f"/team/notes/{cast['ada'].id}").h1 == {"zh": "Ada的记事", "en": "Notes about Ada"}[language]
    file_rating(app, review, cast["sam"].id)
    assert sam.get(f"/ratings/{review}").h1 == rate


def test_pages_and_tasks_cost_the_same_for_ten_and_for_a_hundred_people(app: Flask, cast: Cast, browse: Browse) -> None:
    def cost(cycle: int, boss: object) -> list[int]:
        page, found = browse(boss), []
        seen: list[str] = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *r: seen.append(statement))
            review = db.session.scalar(
                select(ReviewRow.id).where(ReviewRow.supervisor_id == boss.id, ReviewRow.cycle_id == cycle)
            )
        for url in ("/team", f"/team/{cycle}/rate", f"/team/{cycle}/rate?criterion=all", f"/ratings/{review}"):
            seen.clear()
            page.get(url)
            found.append(len([statement for statement in seen if statement.startswith("SELECT")]))
        with app.app_context():
            seen.clear()
            service.open_tasks(boss.id, NOW)
            service.missing_ratings(cycle)
            found.append(len([statement for statement in seen if statement.startswith("SELECT")]))
        return found

    with app.app_context():
        from review.domain.access import Role

        bosses = [make_person(f"Boss{n}", roles=(Role.SUPERVISOR,)) for n in range(2)]
        sizes = {bosses[0]: 10, bosses[1]: 100}
        people = [make_person(f"{b.name}P{n}", supervisor=b.id) for b, size in sizes.items() for n in range(size)]
        make_cycle(cast, Stage.PUBLISHED, name="Q4 2025", quarters_ago=2, who=people)
        cycle = make_cycle(cast, who=people)
        for row in db.session.scalars(select(ReviewRow)).all():
            responses.save_rating_draft(row.id, row.supervisor_id, {"answers": {KEYS[0]: "good"}}, NOW)
        db.session.commit()
    small, large = cost(cycle, bosses[0]), cost(cycle, bosses[1])
    assert small == large
    assert max(large) < 15, large
