"""A counted cycle is scored from what the services hold: peers as cells only, the same again, in few queries."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, TooLate
from review.domain.vocabulary import Grade, Level
from review.infra.db import db
from review.results import looks, service, waiting
from review.results.tables import ScorecardRow, SignOffRow
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_results import COUNTED, KEYS, SIGNED, make_scored, rate, sign_off
from tests.queries import count_queries

LATER = COUNTED + timedelta(hours=2)


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Any:
    with app.app_context():
        yield


def test_a_score_counts_all_three_sources_by_the_weights_of_the_scheme(cast: Cast) -> None:
    told = make_scored(cast, peers=Level.EXCELLENT)
    card = service.scorecard_of(told.reviews["ada"])
    lines = {line["key"]: line for line in card.working["criteria"]}
    # Six ballots of 100 points are shown and counted as "90 or higher" = 92, half of this criterion.
    assert lines["interpersonal_coordination"]["score"] == 86_00
    assert lines["interpersonal_coordination"]["sources"]["peers"]["n"] == "5-7"
    # Twenty customers with 14 times five stars and 6 times four: 94 points, 20 % beside the supervisor's 80.
    assert lines["communication"]["sources"]["customers"]["mean"] == 94_00
    assert card.score == round(sum(Fraction(line["exact"]) for line in lines.values()) / 5 * 100)
    assert (card.grade, card.withheld) == (Grade.GOOD, None)


def test_peers_under_the_minimum_leave_no_number_anywhere_in_the_card(cast: Cast) -> None:
    told = make_scored(cast, peers=Level.POOR, ballots_about={"ada": 4})
    card = service.scorecard_of(told.reviews["ada"])
    for line in card.working["criteria"]:
        peers = line["sources"]["peers"]
        assert (peers["points"], peers["mean"], peers["counted"]) == (None, None, False)
        assert peers["n"] in {"0-4", 0}
    assert (
        next(line for line in card.working["criteria"] if line["key"] == "interpersonal_coordination")["score"] == 8000
    )


def test_without_the_supervisors_rating_there_is_no_score_and_no_grade(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo"])
    card = service.scorecard_of(told.reviews["ada"])
    assert (card.score, card.grade, card.withheld) == (None, None, "supervisor_incomplete")
    assert service.scorecard_of(told.reviews["bo"]).score == 80_00


def test_a_predecessors_rating_does_not_count(cast: Cast) -> None:
    told = make_scored(cast)
    db.session.get_one(ReviewRow, told.reviews["ada"]).supervisor_id = cast["quinn"].id
    db.session.flush()
    assert service.rescore(told.reviews["ada"], LATER).withheld == "supervisor_incomplete"
    rate(told, cast, "ada", {KEYS[0]: Level.EXCELLENT}, LATER)
    assert service.rescore(told.reviews["ada"], LATER).grade is Grade.GOOD


def test_scoring_twice_gives_the_same_numbers_and_hashes(cast: Cast) -> None:
    told = make_scored(cast)
    before = {key: (card.score, card.input_hash, card.working) for key, card in cards(told.cycle_id).items()}
    assert service.score_cycle(told.cycle_id, LATER) == 7
    assert {key: (card.score, card.input_hash, card.working) for key, card in cards(told.cycle_id).items()} == before


def cards(cycle_id: int) -> dict[int, ScorecardRow]:
    rows = db.session.query(ScorecardRow).filter_by(cycle_id=cycle_id)
    return {row.review_id: row for row in rows}


def test_nothing_is_scored_before_the_count(cast: Cast) -> None:
    cycle_id = make_cycle(cast)
    with pytest.raises(NotYet):
        service.score_cycle(cycle_id, NOW)
    with pytest.raises(NotYet):
        service.scorecard_of(review_of(cycle_id, cast["ada"]))
    with pytest.raises(NotYet):
        service.rescore(review_of(cycle_id, cast["ada"]), NOW)


def test_nothing_is_scored_again_after_the_publication(cast: Cast) -> None:
    told = make_scored(cast)
    set_stage(told.cycle_id, Stage.PUBLISHED)
    db.session.expire_all()
    with pytest.raises(TooLate):
        service.rescore(told.reviews["ada"], LATER)


def test_a_withdrawn_review_gets_no_score(cast: Cast) -> None:
    told = make_scored(cast)
    db.session.get_one(ReviewRow, told.reviews["bo"]).withdrawn_at = LATER
    db.session.flush()
    assert service.score_cycle(told.cycle_id, LATER) == 6
    assert told.reviews["bo"] not in cards(told.cycle_id)


def test_progress_is_told_up_to_the_last_review(cast: Cast) -> None:
    told, heard = make_scored(cast), []
    service.score_cycle(told.cycle_id, LATER, lambda *step: heard.append(step))
    assert heard == [(7, 7, "score")]


def test_scoring_a_cycle_takes_few_queries_whatever_its_size(cast: Cast) -> None:
    small = make_scored(cast, reviewed=["ada", "bo"])
    with count_queries(db.engine) as few:
        service.score_cycle(small.cycle_id, LATER)
    large = make_scored(cast, quarters_ago=2, name="Q4 2025")
    with count_queries(db.engine) as many:
        service.score_cycle(large.cycle_id, LATER)
    assert len(many) == len(few) <= 14


# ---- what still waits -----------------------------------------------------------------------------------------------


def test_a_result_waits_until_its_supervisor_has_signed(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told, "ada")
    assert waiting.standing(told.cycle_id) == waiting.Standing(7, 6, 0)
    assert told.reviews["ada"] not in waiting.unfinalised(told.cycle_id)
    assert waiting.unfinalised_by_supervisor(told.cycle_id) == {cast["sam"].id: 6}
    assert looks.open_tasks(cast["sam"].id) == [("finalise", told.cycle_id, 6)]
    sign_off(told)
    assert waiting.standing(told.cycle_id) == waiting.Standing(7, 0, 0)
    assert looks.open_tasks(cast["sam"].id) == []


def test_a_missing_score_waits_for_its_explanation(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo", "cy", "di", "ed", "fay", "gus"])
    assert waiting.standing(told.cycle_id).withheld_unexplained == 1
    sign_off(told, "ada")
    assert waiting.standing(told.cycle_id).withheld_unexplained == 0


def test_figures_worked_out_anew_wait_for_a_new_signature(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo", "cy", "di", "ed", "fay", "gus"])
    sign_off(told)
    rate(told, cast, "ada", at=SIGNED + timedelta(hours=1))
    service.rescore(told.reviews["ada"], SIGNED + timedelta(hours=2))
    assert waiting.unfinalised(told.cycle_id) == [told.reviews["ada"]]


def test_a_rating_filed_after_the_signature_opens_the_result_again(cast: Cast) -> None:
    told = make_scored(cast, rated=["bo", "cy", "di", "ed", "fay", "gus"])
    sign_off(told)
    rate(told, cast, "ada", at=SIGNED + timedelta(hours=1))
    assert waiting.unfinalised(told.cycle_id) == [told.reviews["ada"]]
    sign_off(told, "ada", at=SIGNED + timedelta(hours=2), reason="")
    assert waiting.unfinalised(told.cycle_id) == []


def test_a_new_supervisor_signs_anew(cast: Cast) -> None:
    told = make_scored(cast)
    sign_off(told)
    db.session.get_one(ReviewRow, told.reviews["ada"]).supervisor_id = cast["quinn"].id
    db.session.flush()
    assert waiting.unfinalised_by_supervisor(told.cycle_id) == {cast["quinn"].id: 1}
    assert waiting.first_unfinalised(told.cycle_id, 5) == [("Ada", "Quinn")]


# ---- what the database refuses --------------------------------------------------------------------------------------

CARD = {"working": {}, "method_hash": "m", "input_hash": "i", "scored_at": NOW}
SIGN = {"reason": "", "summary": "Steady.", "input_hash": "i", "signed_at": NOW}


@pytest.mark.parametrize(
    "lie",
    [
        {"score": 8000, "grade": None, "withheld": None},
        {"score": None, "grade": Grade.GOOD, "withheld": "supervisor_incomplete"},
        {"score": None, "grade": None, "withheld": None},
        {"score": 8000, "grade": Grade.GOOD, "withheld": "supervisor_incomplete"},
    ],
)
def test_a_card_has_score_and_grade_or_says_why_not(cast: Cast, lie: dict[str, Any]) -> None:
    cycle_id = make_cycle(cast)
    row = {**CARD, "review_id": review_of(cycle_id, cast["ada"]), "cycle_id": cycle_id}
    with pytest.raises(IntegrityError):
        db.session.execute(insert(ScorecardRow), [{**row, **lie}])


@pytest.mark.parametrize(
    "said",
    [
        {"computed_grade": Grade.GOOD, "final_grade": Grade.FAIR},
        {"computed_grade": Grade.GOOD, "final_grade": None, "reason": "No."},
        {"computed_grade": None, "final_grade": Grade.GOOD, "reason": "No."},
        {"computed_grade": None, "final_grade": None},
        {"computed_grade": Grade.GOOD, "final_grade": Grade.GOOD, "summary": ""},
    ],
)
def test_a_sign_off_never_stands_without_its_words(cast: Cast, said: dict[str, Any]) -> None:
    row = {**SIGN, "review_id": review_of(make_cycle(cast), cast["ada"]), "signed_by": cast["sam"].id}
    with pytest.raises(IntegrityError):
        db.session.execute(insert(SignOffRow), [{**row, **said}])


@pytest.mark.parametrize(
    "said",
    [
        {"computed_grade": Grade.GOOD, "final_grade": Grade.GOOD},
        {"computed_grade": Grade.GOOD, "final_grade": Grade.FAIR, "reason": "Refund rule broken twice."},
        {"computed_grade": None, "final_grade": None, "reason": "On leave."},
    ],
)
def test_a_sign_off_with_its_words_is_kept(cast: Cast, said: dict[str, Any]) -> None:
    row = {**SIGN, "review_id": review_of(make_cycle(cast), cast["ada"]), "signed_by": cast["sam"].id}
    db.session.execute(insert(SignOffRow), [{**row, **said}])


def test_what_customers_say_counts_from_fifteen_answers(cast: Cast) -> None:
    told = make_scored(cast, customers={"ada": 14, "bo": 15})
    counted = {
        who: service.scorecard_of(told.reviews[who]).working["criteria"][0]["sources"]["customers"]["counted"]
        for who in ("ada", "bo")
    }
    assert counted == {"ada": False, "bo": True}
