"""Where the scheme asks for two ratings of supervisors: who gives the second, how they are asked, what it counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from review.ballots import service as ballots
from review.cycles import changes, service
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotAllowed, TooLate
from review.domain.responses import SupervisorRating
from review.domain.scheme import Scheme, dump_scheme, parse_scheme
from review.domain.vocabulary import Level
from review.infra.audit import AuditRow
from review.infra.db import db
from review.peer_review.tables import SeatRow
from review.people import lines
from review.people.tables import PersonRow
from review.responses import service as responses
from review.results import publication, second_look
from review.results import service as results
from review.results.waiting import standing
from review.schemes import minimums
from review.schemes import service as schemes
from review.schemes.library import builtin
from review.supervisor_review.service import missing_ratings, open_tasks
from review.workflow import board, launch, movements, plan, remind, second_raters
from tests.browse import Browser
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_peers import seat_team
from tests.make_results import ALL_GOOD, KEYS, SIGNED, Told, make_scored, publish, sign_off

Browse = Callable[..., Browser]
DAY = NOW.date()
TEAM = ("ada", "bo", "cy", "di", "ed", "fay", "gus")


def two_ratings() -> int:
    """A scheme that asks for two ratings, stored."""
    there = schemes.latest(builtin().id)
    if there is not None:
        return there.id
    scheme = parse_scheme({**dump_scheme(builtin()), "version": 7, "supervisors_required": 2})
    return schemes.store(scheme, NOW, None).id


def draft(cast: Cast, *names: str, scheme_id: int | None = None, stage: Stage = Stage.DRAFT) -> CycleRow:
    who = [cast[name] for name in names or ("ada", "bo", "rae", "sam")]
    return db.session.get_one(CycleRow, make_cycle(cast, stage, who=who, scheme_id=scheme_id or two_ratings()))


def review(cycle: CycleRow, cast: Cast, who: str) -> ReviewRow:
    return db.session.get_one(ReviewRow, review_of(cycle.id, cast[who]))


def leading(cast: Cast, who: str) -> None:
    """From now on this colleague leads somebody, too."""
    make_person("Finn", supervisor=cast[who].id)
    lines.follow_lines(by=None, now=NOW)


def second(told: Told, who: str, levels: dict[str, Level] | None = None) -> None:
    row = db.session.get_one(ReviewRow, told.reviews[who])
    said = SupervisorRating({**ALL_GOOD, **(levels or {})}, {KEYS[0]: "Seen from above."}, "Solid.")
    responses.file_rating(row.id, row.second_rater_id or 0, said, NOW)


def scored(cast: Cast) -> Told:
    """A counted cycle of Sam's team with two ratings asked, the second of them nobody's yet."""
    told = make_scored(cast, scheme_id=two_ratings())
    second_raters.fill(db.session.get_one(CycleRow, told.cycle_id), DAY, by=cast["hana"].id, now=NOW)
    db.session.commit()
    return told


# ---- who is named ---------------------------------------------------------------------------------------------------


def test_the_superior_of_the_supervisor_is_proposed_and_at_the_top_nobody(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast)
        found = second_raters.lacking(cycle, DAY)
        lou = cast["lou"].id
        of = {who: found[review(cycle, cast, who).id] for who in ("ada", "bo", "rae", "sam")}
        assert of == {"ada": lou, "bo": lou, "rae": lou, "sam": None}  # Sam answers to Lou, and nobody is above Lou
        assert second_raters.without(cycle, DAY) == [review(cycle, cast, "sam").id]


def test_the_launch_waits_for_a_second_rater_and_says_for_how_many(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast)
        facts = launch.facts_of(cycle, NOW)
        assert facts.second_raters_missing == 1
        unmet = {need.code for need, met in launch.needs(cycle, facts) if not met}
        assert "cycle:second_raters_missing" in unmet
        second_raters.name(
            cycle, [review(cycle, cast, "sam").id], cast["quinn"].employee_no, by=cast["hana"].id, now=NOW
        )
        assert launch.facts_of(cycle, NOW).second_raters_missing == 0


def test_a_cycle_with_one_rating_speaks_of_no_second_rater(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast, scheme_id=schemes.install_default(NOW).id)
        facts = launch.facts_of(cycle, NOW)
        assert facts.second_raters_missing == 0
        assert "cycle:second_raters_missing" not in {need.code for need, _met in launch.needs(cycle, facts)}
        with pytest.raises(Invalid, match="workflow:one_rating_only"):
            second_raters.name(cycle, [], cast["lou"].employee_no, by=cast["hana"].id, now=NOW)


def test_the_launch_names_whoever_is_proposed_and_keeps_whom_hr_named(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast, *TEAM)
        ada = review(cycle, cast, "ada")
        second_raters.name(cycle, [ada.id], cast["quinn"].employee_no, by=cast["hana"].id, now=NOW)
        row = plan.keep(cycle, plan.compute(cycle, NOW), NOW)
        changes.confirm_plan(cycle, row.digest, by=cast["hana"].id, now=NOW)
        db.session.execute(update(CycleRow).values(opens_at=NOW + timedelta(hours=1)))
        db.session.refresh(cycle)
        launch.run(cycle, by=cast["hana"].id, now=NOW)
        named = {who: review(cycle, cast, who).second_rater_id for who in TEAM}
        assert named == {**dict.fromkeys(TEAM, cast["lou"].id), "ada": cast["quinn"].id}
        owed = launch.owed_at_start(cycle, plan.compute(cycle, NOW))
        assert (owed[cast["sam"].id].ratings, owed[cast["lou"].id].ratings, owed[cast["quinn"].id].ratings) == (7, 6, 1)


def test_whoever_is_named_is_no_peer_and_the_plan_must_be_looked_at_again(app: Flask, cast: Cast) -> None:
    with app.app_context():
        leading(cast, "fay")
        cycle, pair = draft(cast, *TEAM), (cast["fay"].id, cast["ada"].id)
        before = plan.compute(cycle, NOW)
        assert pair in before.seats
        changes.confirm_plan(cycle, before.digest, by=cast["hana"].id, now=NOW)
        second_raters.name(cycle, [review(cycle, cast, "ada").id], cast["fay"].employee_no, by=cast["hana"].id, now=NOW)
        assert cycle.plan_digest is None
        assert pair not in plan.compute(cycle, NOW).seats


def test_while_collecting_a_seat_of_theirs_is_closed_without_a_word(app: Flask, cast: Cast) -> None:
    with app.app_context():
        leading(cast, "fay")
        cycle = draft(cast, *TEAM, stage=Stage.COLLECTING)
        seat = seat_team(cycle.id, cast, ["ada", "bo", "fay"])["fay", "ada"]
        second_raters.name(cycle, [review(cycle, cast, "ada").id], cast["fay"].employee_no, by=cast["hana"].id, now=NOW)
        db.session.expire_all()
        closed = set(db.session.scalars(select(SeatRow.id).where(SeatRow.is_closed)))
        assert closed == {seat}
        assert "seat" not in str([line.details for line in db.session.scalars(select(AuditRow))])


@pytest.mark.parametrize("who", ["ada", "sam", "bo", "max"])
def test_neither_the_person_nor_the_supervisor_nor_who_leads_nobody(app: Flask, cast: Cast, who: str) -> None:
    with app.app_context():
        cycle = draft(cast)
        with pytest.raises(Invalid, match="cycles:not_a_second_rater"):
            second_raters.name(
                cycle, [review(cycle, cast, "ada").id], cast[who].employee_no, by=cast["hana"].id, now=NOW
            )


def test_own_reviews_late_hours_and_empty_hands_are_refused(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast, "ada", "hana")
        mine, lou = review(cycle, cast, "hana").id, cast["quinn"].employee_no
        with pytest.raises(NotAllowed):
            second_raters.name(cycle, [mine], lou, by=cast["hana"].id, now=NOW)
        with pytest.raises(Invalid, match="workflow:nothing_ticked"):
            second_raters.name(cycle, [], lou, by=cast["hana"].id, now=NOW)
        set_stage(cycle.id, Stage.PUBLISHED)
        db.session.refresh(cycle)
        with pytest.raises(TooLate):
            second_raters.name(cycle, [review(cycle, cast, "ada").id], lou, by=cast["hana"].id, now=NOW)


def test_the_second_rater_does_not_become_the_supervisor_as_well(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        with pytest.raises(Invalid, match="cycles:is_second_rater"):
            movements.replace_supervisor(
                file_of(told.reviews["ada"]), cast["lou"].employee_no, by=cast["hana"].id, now=SIGNED
            )


def test_a_second_rater_who_leads_the_person_by_the_launch_is_one_no_longer(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast, "rae")
        row = review(cycle, cast, "rae")
        row.second_rater_id = cast["sam"].id
        db.session.get_one(PersonRow, cast["rae"].id).supervisor_id = cast["sam"].id  # Sam leads Rae by the launch
        db.session.flush()
        service.refresh_lines(cycle)
        db.session.refresh(row)
        assert (row.supervisor_id, row.second_rater_id) == (cast["sam"].id, None)


# ---- what the second rating counts ----------------------------------------------------------------------------------


def test_without_the_second_rating_there_is_no_score_with_it_the_mean_counts(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        card = results.rescore(told.reviews["bo"], SIGNED)
        assert (card.score, card.withheld) == (None, "supervisor_incomplete")
        second(told, "bo", dict.fromkeys(KEYS, Level.FAIR))
        card = results.rescore(told.reviews["bo"], SIGNED)
        line = card.working["criteria"][0]["sources"]["supervisor"]
        assert (line["n"], line["points"], line["over"], line["mean"]) == (2, 140, 2, 70_00)
        assert card.score is not None


def test_a_second_rating_after_the_sign_off_makes_it_wait_again(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        sign_off(told)
        assert standing(told.cycle_id).unfinalised == 0
        row = db.session.get_one(ReviewRow, told.reviews["bo"])
        said = SupervisorRating(ALL_GOOD, {}, "")
        responses.file_rating(row.id, row.second_rater_id or 0, said, SIGNED + timedelta(hours=1))
        assert standing(told.cycle_id).unfinalised == 1


def test_only_the_present_second_raters_rating_counts(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        second(told, "bo")
        cycle = db.session.get_one(CycleRow, told.cycle_id)
        second_raters.name(cycle, [told.reviews["bo"]], cast["quinn"].employee_no, by=cast["hana"].id, now=SIGNED)
        assert results.scorecard_of(told.reviews["bo"]).score is None  # Lou's counts no longer, Quinn's is not in
        second(told, "bo")
        assert results.rescore(told.reviews["bo"], SIGNED).score is not None


def test_published_are_both_raters_words(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        second(told, "ada")
        results.rescore(told.reviews["ada"], SIGNED)
        sign_off(told)
        publish(told, cast)
        body = publication.publication_of(told.reviews["ada"]).body
        assert body["supervisor"]["overall"] == "Steady."
        assert body["second"] == {"comments": {KEYS[0]: "Seen from above."}, "overall": "Solid."}
        assert publication.publication_of(told.reviews["bo"]).body["second"] == {}


def test_who_rates_second_does_not_look_a_second_time(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        reviews = [db.session.get_one(ReviewRow, told.reviews["ada"])]
        assert second_look.proposals(reviews, DAY) == {told.reviews["ada"]: cast["hana"].id}  # Lou has rated


def test_the_supervisor_alone_finalises(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = scored(cast)
        second(told, "ada")
        with pytest.raises(Exception, match="results:no_such_result"):
            results.finalise(told.reviews["ada"], results.SignOff("Mine."), by=cast["lou"].id, now=SIGNED)


# ---- tasks, reminders, the board ------------------------------------------------------------------------------------


def test_both_are_asked_and_reminded_each_for_their_own(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = draft(cast, "ada", "bo", stage=Stage.COLLECTING)
        second_raters.fill(cycle, DAY, by=None, now=NOW)
        sam, lou = cast["sam"].id, cast["lou"].id
        both = [review(cycle, cast, "ada").id, review(cycle, cast, "bo").id]
        assert missing_ratings(cycle.id) == {lou: both, sam: both}
        assert remind.idle_supervisors(cycle) == {lou, sam}
        responses.file_rating(both[0], lou, SupervisorRating(ALL_GOOD, {}, ""), NOW)
        assert missing_ratings(cycle.id) == {lou: both[1:], sam: both}
        assert remind.idle_supervisors(cycle) == {sam}
        assert [task.state.value for task in open_tasks(lou, NOW)] == ["filed", "none"]
        ballots.open_urn(cycle.id)
        owing = remind.owing(cycle, [(remind.Deadline.CLOSE, cycle.closes_at)])
        assert [(line["what"], line["count"]) for line in owing[lou].lines] == [("rating", 1)]
        told = board.board_of(cycle)
        assert (told.ratings.done, told.ratings.all, told.supervisors, told.idle_supervisors) == (1, 4, 2, 1)


# ---- the pages ------------------------------------------------------------------------------------------------------


def test_hr_names_and_both_rate_without_seeing_each_other(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle = draft(cast, "ada", "bo", stage=Stage.COLLECTING)
        cycle_id, ada = cycle.id, review(cycle, cast, "ada").id
        db.session.commit()
    hana, lou, sam = browse(cast["hana"], "en"), browse(cast["lou"], "en"), browse(cast["sam"], "en")
    lou.get(f"/ratings/{ada}", status=404)
    page = hana.get(f"/cycles/{cycle_id}/second-raters")
    assert "2 people have no second rater yet." in page.words
    assert "proposed: Lou" in page.words
    hana.post(f"/cycles/{cycle_id}/second-raters", {"act": "proposed"})
    assert "Everybody has a second rater." in hana.get(f"/cycles/{cycle_id}/second-raters").words
    with app.app_context():
        said = SupervisorRating(ALL_GOOD, {KEYS[0]: "What Sam wrote."}, "")
        responses.file_rating(ada, cast["sam"].id, said, NOW)
        db.session.commit()
    assert "You rate beside the supervisor" in lou.get("/team").words
    sheet = lou.get(f"/ratings/{ada}")
    assert "neither of you sees the other's rating" in sheet.words
    assert "What Sam wrote." not in sheet.text
    assert sheet.soup.find("input", {"name": f"level_{KEYS[0]}", "checked": True}) is None
    levels = {f"level_{key}": "fair" for key in KEYS} | {f"comment_{key}": "Seen once." for key in KEYS}
    lou.post(f"/ratings/{ada}", {**levels, "overall": "From above.", "act": "submit"})
    assert "What Sam wrote." not in lou.get(f"/ratings/{ada}").text
    assert "From above." not in sam.get(f"/ratings/{ada}").text
    assert lou.get(f"/self-review/{ada}", status=200)
    lou.get(f"/team/results/{ada}/finalise", status=404)


def test_the_supervisor_is_told_that_the_second_rating_is_missing(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        told = scored(cast)
    sam = browse(cast["sam"], "en")
    assert "The second rating by Lou is missing" in sam.get(f"/team/results/{told.reviews['ada']}/finalise").words
    with app.app_context():
        second(told, "ada")
        db.session.commit()
    page = sam.get(f"/team/results/{told.reviews['ada']}/finalise").words
    assert "Second rating by Lou" in page
    assert "Seen from above." in page


def test_hr_asks_for_two_ratings_where_the_minimums_are(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        row = schemes.install_default(NOW)
        base = row.id
        db.session.commit()
    hana = browse(cast["hana"], "en")
    page = hana.get(f"/scheme/{base}/minimums")
    hana.submit(page, {"supervisors": "2"}, "minimums")
    with app.app_context():
        newest = schemes.latest("360-v1")
        assert newest is not None
        scheme: Scheme = schemes.scheme_of(newest.id)
        assert (scheme.supervisors_required, scheme.version) == (2, builtin().version + 1)
        assert minimums.minimums_of(scheme) == replace(minimums.minimums_of(builtin()), supervisors=2)
    bad: Any = hana.submit(hana.get(f"/scheme/{newest.id}/minimums"), {"supervisors": "3"}, "minimums", status=422)
    assert bad.status == 422
