"""A score near a cut is not published before a named second person has confirmed it on the figures that stand."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from review.cycles import changes
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, TooLate
from review.domain.scoring import score
from review.domain.second_person import nearest_above
from review.domain.vocabulary import Grade, Level
from review.infra import outbox
from review.infra.audit import AuditRow
from review.infra.db import db
from review.people.tables import PersonRow
from review.results import evidence, looks, publication, second_look, service
from review.results.second_look import LookFile, Said
from review.results.tables import LookOutcome, ScorecardRow, SecondLookRow, SignOffRow
from review.results.waiting import standing, unfinalised_by_supervisor
from review.schemes.library import builtin
from review.workflow import publish as workflow_publish
from review.workflow import remind
from tests.browse import Browser
from tests.make import Cast
from tests.make_results import KEYS, PUBLISHED, SIGNED, Told, make_scored, publish, rate, sign_off
from tests.queries import count_queries

LATER = SIGNED + timedelta(hours=1)
LATEST = SIGNED + timedelta(hours=2)
CONFIRMED = Said(LookOutcome.CONFIRMED, "Two cases carry it.")
BACK = Said(LookOutcome.SENT_BACK, "Look at the complaint of March once more.")
# Three criteria of five a level lower: (3 x 60 + 2 x 80) / 5 = 68, two points from the line of "good" at 70.
NEAR = {"bo": dict.fromkeys(KEYS[:3], Level.FAIR)}

Browse = Callable[..., Browser]


@pytest.fixture
def told(app: Flask, cast: Cast) -> Told:
    with app.app_context():
        made = make_scored(cast, levels=NEAR)
        near = db.session.scalars(select(ScorecardRow.review_id).where(ScorecardRow.near_cut)).all()
        assert near == [made.reviews["bo"]]
        return made


def looked_at(told: Told, who: str = "bo") -> LookFile:
    return LookFile(file_of(told.reviews[who]), db.session.get_one(SecondLookRow, told.reviews[who]))


def cycle_of(told: Told) -> CycleRow:
    return db.session.get_one(CycleRow, told.cycle_id)


def name(told: Told, cast: Cast, number: str = "lou", *who: str, by: str = "hana") -> int:
    chosen = [told.reviews[one] for one in who or ("bo",)]
    return second_look.name_one(cycle_of(told), chosen, cast[number].employee_no, by=cast[by].id, now=SIGNED)


def codes(refused: Any) -> list[str]:
    return [problem.code for problem in refused.value.problems]


# ---- which results are flagged, and who is proposed -----------------------------------------------------------------


def test_the_flag_in_the_table_is_the_flag_of_the_score(app: Flask, told: Told) -> None:
    with app.app_context():
        found = evidence.of_cycle(told.cycle_id)
        by_score = {key for key, said in found.items() if "near_cut" in score(builtin(), said).flags}
        flagged = set(db.session.scalars(select(ScorecardRow.review_id).where(ScorecardRow.near_cut)))
        assert flagged == by_score == {told.reviews["bo"]}
        rate_again = db.session.get_one(ScorecardRow, told.reviews["bo"])
        assert looks.nearest_cut(builtin(), rate_again.score).grade is Grade.GOOD


@pytest.mark.parametrize(
    ("supervisor", "never", "expected"),
    [
        (3, set(), 2),
        (3, {2}, 1),  # the superior is the subject, or has signed: one step further up
        (2, set(), 1),
        (1, set(), None),  # nobody above
        (None, set(), None),
        (4, set(), 2),  # 3 has left and is passed over
        (8, set(), None),  # a circle ends the search
    ],
)
def test_proposed_is_the_nearest_above_the_supervisor(
    supervisor: int | None, never: set[int], expected: int | None
) -> None:
    up = {2: 1, 3: 2, 4: 3, 8: 9, 9: 8}
    assert nearest_above(supervisor, up, {1, 2, 4}, never) == expected


def test_one_click_names_the_superior_and_at_the_top_hr(app: Flask, cast: Cast) -> None:
    with app.app_context():
        low = dict.fromkeys(KEYS[:3], Level.FAIR)
        told = make_scored(
            cast,
            reviewed=["bo", "sam", "hana"],
            rated=["bo", "sam", "hana"],
            levels=dict.fromkeys(("bo", "sam", "hana"), low),
        )
        flagged = set(looks.unnamed(told.cycle_id))
        assert flagged == set(told.reviews.values())
        assert second_look.name_proposed(cycle_of(told), by=cast["hana"].id, now=SIGNED) == 3
        named = {row.review_id: row.person_id for row in db.session.scalars(select(SecondLookRow))}
        assert named[told.reviews["bo"]] == cast["lou"].id  # Sam's superior
        assert named[told.reviews["sam"]] == cast["hana"].id  # Lou has nobody above
        assert named[told.reviews["hana"]] in {cast["sam"].id, cast["quinn"].id}  # HR's own result, Lou signs it
        assert second_look.name_proposed(cycle_of(told), by=cast["hana"].id, now=LATER) == 0


# ---- naming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["bo", "sam", "cy", "max"])
def test_neither_the_person_nor_the_supervisor_nor_a_colleague_can_be_named(
    app: Flask, cast: Cast, told: Told, who: str
) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            name(told, cast, who)
        assert codes(refused) == ["results:look_not_for_them"]
        assert looks.unnamed(told.cycle_id) == [told.reviews["bo"]]


def test_who_has_left_nobody_and_nothing_are_refused(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["lou"].id).left_on = (SIGNED - timedelta(days=9)).date()
        db.session.commit()
        for number, reviews, code in (
            (cast["lou"].employee_no, ["bo"], "results:look_not_for_them"),
            ("X-404", ["bo"], "results:no_such_number"),
            (cast["quinn"].employee_no, ["ada"], "results:look_nothing_chosen"),  # not near a cut
            (cast["quinn"].employee_no, [], "results:look_nothing_chosen"),
        ):
            chosen = [told.reviews[one] for one in reviews]
            with pytest.raises(Invalid) as refused:
                second_look.name_one(cycle_of(told), chosen, number, by=cast["hana"].id, now=SIGNED)
            assert codes(refused) == [code]


def test_hr_names_nobody_for_their_own_result(app: Flask, cast: Cast) -> None:
    with app.app_context():
        low = dict.fromkeys(KEYS[:3], Level.FAIR)
        told = make_scored(cast, reviewed=["bo", "hana"], rated=["bo", "hana"], levels={"bo": low, "hana": low})
        with pytest.raises(NotAllowed):
            name(told, cast, "quinn", "bo", "hana")
        assert db.session.scalars(select(SecondLookRow)).all() == []


def test_hr_does_not_read_their_own_figures_before_everybody_else(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        low = dict.fromkeys(KEYS[:3], Level.FAIR)
        told = make_scored(cast, reviewed=["bo", "hana"], rated=["bo", "hana"], levels={"bo": low, "hana": low})
        sign_off(told)
        name(told, cast, "lou", "bo")
        second_look.name_proposed(cycle_of(told), by=cast["hana"].id, now=SIGNED)
        person = db.session.get_one(SecondLookRow, told.reviews["hana"]).person_id
        found = LookFile(file_of(told.reviews["hana"]), db.session.get_one(SecondLookRow, told.reviews["hana"]))
        second_look.decide(found, CONFIRMED, by=person, now=LATER)
        db.session.commit()
    page = browse(cast["hana"], "en").get(f"/cycles/{told.cycle_id}/looks?state=all")
    rows = {
        row.th.get_text(" ", strip=True).split(" ")[0]: row.get_text(" ", strip=True)
        for row in page.soup.select("tbody tr")
    }
    assert "68.00" in rows["Bo"]
    assert "your own" in rows["Hana"]
    for told_of_them in ("68.00", "Good", "Fair", "below", CONFIRMED.reason):
        assert told_of_them not in rows["Hana"]


def test_the_checklist_leaves_out_the_readers_own_changed_grade(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        told = make_scored(cast, reviewed=["bo", "hana"], rated=["bo", "hana"])
        for who in ("bo", "hana"):
            sign_off(told, who, grade=Grade.EXCELLENT, reason=f"Carried the team, {who}.")
    words = browse(cast["hana"], "en").get(f"/cycles/{told.cycle_id}/publish").words
    assert "Carried the team, bo." in words
    assert "Carried the team, hana." not in words


def test_naming_is_audited_and_the_same_once_more_is_nothing(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        assert (name(told, cast), name(told, cast)) == (1, 0)
        assert name(told, cast, "quinn") == 1
        lines = db.session.query(AuditRow).filter_by(action="results:look:named").order_by(AuditRow.id).all()
        assert [(line.details["before"], line.details["after"]) for line in lines] == [
            (None, cast["lou"].id),
            (cast["lou"].id, cast["quinn"].id),
        ]


# ---- the look -------------------------------------------------------------------------------------------------------


def test_a_confirmed_look_lets_the_cycle_be_published_and_stands_in_the_result(
    app: Flask, cast: Cast, told: Told
) -> None:
    with app.app_context():
        sign_off(told)
        cycle, hana = cycle_of(told), cast["hana"].id
        with pytest.raises(NotYet) as refused:
            workflow_publish.run(cycle, by=hana, now=PUBLISHED)
        assert [(p.code, p.params) for p in refused.value.problems] == [("cycle:second_looks_missing", {"count": 1})]
        name(told, cast)
        assert looks.missing(told.cycle_id) == 1  # naming is not looking
        assert second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        assert (looks.missing(told.cycle_id), looks.tally(told.cycle_id)) == (0, looks.Tally(1, 1, 0))
        assert workflow_publish.run(cycle, by=hana, now=PUBLISHED) == 7
        of_bo, of_ada = (publication.publication_of(told.reviews[who]).body for who in ("bo", "ada"))
        assert of_bo["second_look"] == {"by": "Lou", "at": LATER.isoformat(), "reason": "Two cases carry it."}
        assert of_ada["second_look"] is None


def test_freezing_asks_again_whoever_calls_it(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        with pytest.raises(NotYet) as refused:
            publication.freeze_cycle(told.cycle_id, by=cast["hana"].id, now=PUBLISHED)
        assert [(p.code, p.params) for p in refused.value.problems] == [("results:look_missing", {"name": "Bo"})]


@pytest.mark.parametrize("what", ["rating", "grade", "supervisor"])
def test_a_look_is_void_once_what_it_saw_has_changed(app: Flask, cast: Cast, told: Told, what: str) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        if what == "rating":  # another rating counts from now on
            changes.replace_supervisor(
                cycle_of(told),
                db.session.get_one(ReviewRow, told.reviews["bo"]),
                db.session.get_one(PersonRow, cast["quinn"].id),
                by=cast["hana"].id,
                now=LATER,
            )
            rate(told, cast, "bo", dict.fromkeys((KEYS[0], KEYS[1], KEYS[4]), Level.FAIR), at=LATER)
            sign_off(told, "bo", at=LATEST)
        elif what == "grade":
            sign_off(told, "bo", at=LATEST, grade=Grade.GOOD, reason="Won back two contracts.")
        else:  # who looked now answers for the result and signs it
            changes.replace_supervisor(
                cycle_of(told),
                db.session.get_one(ReviewRow, told.reviews["bo"]),
                db.session.get_one(PersonRow, cast["lou"].id),
                by=cast["hana"].id,
                now=LATER,
            )
            rate(told, cast, "bo", NEAR["bo"], at=LATER)
            sign_off(told, "bo", at=LATEST)
        assert looks.missing(told.cycle_id) == 1
        with pytest.raises(NotYet):
            publication.freeze_cycle(told.cycle_id, by=cast["hana"].id, now=PUBLISHED)


def test_another_summary_on_the_same_figures_and_grade_leaves_the_look_valid(
    app: Flask, cast: Cast, told: Told
) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        sign_off(told, "bo", at=LATEST, summary="Said better.")
        assert looks.missing(told.cycle_id) == 0


def test_sending_back_voids_the_sign_off_until_it_is_signed_anew(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        assert second_look.decide(looked_at(told), BACK, by=cast["lou"].id, now=LATER)
        assert not second_look.decide(looked_at(told), BACK, by=cast["lou"].id, now=LATEST)  # the form came twice
        assert unfinalised_by_supervisor(told.cycle_id) == {cast["sam"].id: 1}
        letter = db.session.query(outbox.LetterRow).filter_by(kind="results:sent_back").one()
        assert (letter.to, "Bo" in str(letter.params)) == ("sam@example.com", False)
        with pytest.raises(NotYet):
            second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATEST)
        sign_off(told, "bo", at=LATEST)  # word for word what stood there: signing anew is still an act
        assert db.session.get_one(SignOffRow, told.reviews["bo"]).returned_at is None
        assert standing(told.cycle_id).unfinalised == 0
        assert looks.missing(told.cycle_id) == 1  # and looked at anew it must be
        assert second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATEST)
        assert looks.missing(told.cycle_id) == 0
        acts = [line.action for line in db.session.query(AuditRow).order_by(AuditRow.id) if ":look:" in line.action]
        assert acts == ["results:look:named", "results:look:sent_back", "results:look:confirmed"]


def test_a_page_opened_before_it_came_back_cannot_sign_unseen(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        card, before = service.scorecard_of(told.reviews["bo"]), service.sign_off_of(told.reviews["bo"])
        seen = service.seen_of(card, before)
        second_look.decide(looked_at(told), BACK, by=cast["lou"].id, now=LATER)
        with pytest.raises(Invalid) as refused:
            sign_off(told, "bo", at=LATEST, seen=seen)
        assert codes(refused) == ["results:signed_meanwhile"]


@pytest.mark.parametrize(
    ("said", "code", "where"),
    [
        (Said(None, "Fine."), "form:choose_one", "outcome"),
        (Said(LookOutcome.CONFIRMED, " \n"), "results:look_needs_reason", "reason"),
        (Said(LookOutcome.CONFIRMED, "x" * 1001), "form:too_long", "reason"),
        (Said(LookOutcome.CONFIRMED, "Fine.", "other figures"), "results:look_changed", None),
    ],
)
def test_a_word_that_lacks_something_is_refused(
    app: Flask, cast: Cast, told: Told, said: Said, code: str, where: str | None
) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        with pytest.raises(Invalid) as refused:
            second_look.decide(looked_at(told), said, by=cast["lou"].id, now=LATER)
        assert [(problem.code, problem.where) for problem in refused.value.problems] == [(code, where)]
        assert looks.missing(told.cycle_id) == 1


def test_only_the_named_person_looks_and_only_between_sign_off_and_publication(
    app: Flask, cast: Cast, told: Told
) -> None:
    with app.app_context():
        name(told, cast)
        with pytest.raises(NotYet, match="results:look_not_ready"):
            second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        sign_off(told)
        for other in ("sam", "bo", "hana", "quinn"):
            with pytest.raises(OutOfReach):
                second_look.decide(looked_at(told), CONFIRMED, by=cast[other].id, now=LATER)
        second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        publish(told, cast)
        with pytest.raises(TooLate):
            second_look.decide(looked_at(told), BACK, by=cast["lou"].id, now=PUBLISHED)
        with pytest.raises(TooLate):
            name(told, cast, "quinn")


def test_a_named_person_who_becomes_the_supervisor_is_named_no_longer(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        name(told, cast, "quinn")
        assert looks.unnamed(told.cycle_id) == []
        review = db.session.get_one(ReviewRow, told.reviews["bo"])
        quinn = db.session.get_one(PersonRow, cast["quinn"].id)
        changes.replace_supervisor(cycle_of(told), review, quinn, by=cast["hana"].id, now=LATER)
        db.session.flush()
        assert looks.unnamed(told.cycle_id) == [told.reviews["bo"]]
        with pytest.raises(OutOfReach):
            second_look.decide(looked_at(told), CONFIRMED, by=quinn.id, now=LATER)


def test_two_words_at_once_leave_one_that_stands(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        db.session.commit()
    lou, outcomes, start = cast["lou"].id, [], threading.Barrier(2)

    def work(said: Said) -> None:
        with app.app_context():
            start.wait(timeout=30)
            try:
                second_look.decide(looked_at(told), said, by=lou, now=LATER)
                db.session.commit()
                outcomes.append(said.outcome)
            except NotYet:
                db.session.rollback()

    threads = [threading.Thread(target=work, args=(said,)) for said in (CONFIRMED, BACK)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with app.app_context():
        row = db.session.get_one(SecondLookRow, told.reviews["bo"])
        assert row.outcome is outcomes[-1]
        assert looks.missing(told.cycle_id) == 1 or row.outcome is LookOutcome.CONFIRMED


def test_the_database_refuses_half_a_look(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        name(told, cast)
        looked_at(told).row.outcome = LookOutcome.CONFIRMED
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()


# ---- letters, tasks, reminders --------------------------------------------------------------------------------------


def test_whoever_is_named_hears_of_it_when_they_can_look_once_a_day(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        name(told, cast)
        calls = db.session.query(outbox.LetterRow).filter_by(kind="results:look")
        assert calls.count() == 0  # not signed: nothing to look at
        sign_off(told, "bo")
        sign_off(told, "bo", at=LATER, summary="Said better.")
        assert [(row.to, row.params["cycle"]) for row in calls] == [("lou@example.com", "Q1 2026")]
        assert "Bo" not in str(calls.one().params)
        owing = remind.owing(cycle_of(told), [(remind.Deadline.FINAL, cycle_of(told).finalise_by)])
        assert [(line["what"], line["count"]) for line in owing[cast["lou"].id].lines] == [("look", 1)]
        second_look.decide(looked_at(told), CONFIRMED, by=cast["lou"].id, now=LATER)
        assert looks.ready_by_person(told.cycle_id) == {}


# ---- the pages ------------------------------------------------------------------------------------------------------


def test_from_the_checklist_to_the_published_page(app: Flask, cast: Cast, told: Told, browse: Browse) -> None:
    with app.app_context():
        sign_off(told)
    hana, lou = browse(cast["hana"], "en"), browse(cast["lou"], "en")
    page = hana.get(f"/cycles/{told.cycle_id}/publish")
    assert "1 score close to the line of another grade has not been confirmed" in page.text
    listed = hana.get(str(page.soup.find("a", string="See the second looks")["href"]))
    assert "proposed: Lou" in listed.text
    hana.post(f"/cycles/{told.cycle_id}/looks", {"act": "proposed"})
    home = lou.get("/")
    assert "Look at 1 result a second time" in home.text
    mine = lou.get(f"/team/{told.cycle_id}/looks")
    assert "Bo" in mine.text
    sheet = lou.get(f"/team/results/{told.reviews['bo']}/second-look")
    assert "A steady quarter for bo." in sheet.text
    refused = lou.submit(sheet, {"outcome": "confirmed", "reason": " "}, "second-look", status=422)
    assert refused.soup.find("input", {"name": "outcome", "value": "confirmed"}).has_attr("checked")
    lou.submit(refused, {"reason": "Two cases carry it."}, "second-look")
    assert "confirmed by Lou" in browse(cast["sam"], "en").get(f"/team/{told.cycle_id}/results").text
    assert "The one result close to a line is confirmed." in hana.get(f"/cycles/{told.cycle_id}/looks?state=all").text
    with app.app_context():
        publish(told, cast)
    result = browse(cast["bo"], "en").get(f"/results/{told.reviews['bo']}").words
    assert "Second look Lou, " in result
    assert "Two cases carry it." in result


def test_the_supervisor_reads_the_remark_where_they_sign_anew(
    app: Flask, cast: Cast, told: Told, browse: Browse
) -> None:
    with app.app_context():
        sign_off(told)
        name(told, cast)
        second_look.decide(looked_at(told), BACK, by=cast["lou"].id, now=LATER)
        db.session.commit()
    sam = browse(cast["sam"], "en")
    assert "came back" in sam.get(f"/team/{told.cycle_id}/results").text
    page = sam.get(f"/team/results/{told.reviews['bo']}/finalise")
    assert "Lou sent this result back" in page.text
    assert "complaint of March" in page.text
    assert "A steady quarter for bo." in page.text


def test_a_list_of_looks_asks_the_same_for_one_as_for_many(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        low = dict.fromkeys(KEYS[:3], Level.FAIR)
        everyone = ("bo", "cy", "di", "ed", "fay", "gus")
        few = make_scored(cast, levels={"bo": low})
        many = make_scored(cast, levels=dict.fromkeys(everyone, low), quarters_ago=2, name="Q4 2025")
        assert (looks.missing(few.cycle_id), looks.missing(many.cycle_id)) == (1, 6)
        engine = db.engine
    asked = []
    for told in (few, many):
        hana = browse(cast["hana"], "en")
        hana.get(f"/cycles/{told.cycle_id}/looks")
        with count_queries(engine) as seen:
            hana.get(f"/cycles/{told.cycle_id}/looks")
        asked.append(len(seen))
    assert asked[0] == asked[1] <= 15


def test_typed_numbers_and_ticks_survive_a_refusal(app: Flask, cast: Cast, told: Told, browse: Browse) -> None:
    page = browse(cast["hana"], "en").post(
        f"/cycles/{told.cycle_id}/looks",
        {"act": "somebody", "employee_no": "X-404", "reviews": str(told.reviews["bo"])},
        status=422,
    )
    assert "Nobody has the employee number X-404" in page.text
    assert page.soup.find("input", {"name": "reviews"}).has_attr("checked")
    assert page.soup.find("input", {"name": "employee_no"})["value"] == "X-404"
