"""The standard error that scores near a cut go by: that of the cycle before, taken once and kept."""

from fractions import Fraction

import pytest
from flask import Flask

import review.domain.measurement
from review.cycles.tables import CycleRow
from review.domain.scoring import DEFAULT_ERROR
from review.domain.vocabulary import Level
from review.infra.db import db
from review.results import precision, service
from tests.make import NOW, Cast
from tests.make_results import COUNTED, KEYS, Told, make_scored, publish, sign_off

# By hand: +8 and -8 among seven people have a variance of 128/6; half of it is error; the root of 64/6 is 3.27.
MIXED = {who: {KEYS[0]: level, KEYS[1]: level} for who, level in [("bo", Level.EXCELLENT), ("cy", Level.FAIR)]}


@pytest.fixture
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review.domain.measurement, "FEWEST_PEOPLE", 2)


def two_cycles(cast: Cast) -> tuple[Told, Told]:
    before = make_scored(cast, quarters_ago=2, name="Q4 2025", customers={}, levels=MIXED)
    sign_off(before)
    publish(before, cast, at=NOW)
    return before, make_scored(cast, customers={})


def errors_of(told: Told) -> set[str]:
    return {service.scorecard_of(review_id).working["standard_error"] for review_id in told.reviews.values()}


@pytest.mark.usefixtures("few_suffice")
def test_a_cycle_goes_by_the_error_of_the_one_before(app: Flask, cast: Cast) -> None:
    with app.app_context():
        before, after = two_cycles(cast)
        assert errors_of(before) == {"3/1"}
        assert errors_of(after) == {"327/100"}


@pytest.mark.usefixtures("few_suffice")
def test_a_later_scorecard_goes_by_the_same_error(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        _, after = two_cycles(cast)
        monkeypatch.setattr(review.domain.measurement, "FEWEST_PEOPLE", 1000)  # the cycle before would say another now
        cycle, ada = db.session.get_one(CycleRow, after.cycle_id), after.reviews["ada"]
        assert service.worked_out(cycle, [ada], COUNTED)[ada].working["standard_error"] == "327/100"
        assert service.rescore(ada, COUNTED).working["standard_error"] == "327/100"
        service.score_cycle(after.cycle_id, COUNTED)
        assert errors_of(after) == {"327/100"}


def test_too_few_people_give_no_error_and_the_default_stands(app: Flask, cast: Cast) -> None:
    with app.app_context():
        _, after = two_cycles(cast)
        assert errors_of(after) == {"3/1"}


@pytest.mark.usefixtures("few_suffice")
def test_a_cycle_that_is_not_published_says_nothing_to_the_next(app: Flask, cast: Cast) -> None:
    with app.app_context():
        make_scored(cast, quarters_ago=2, name="Q4 2025", customers={}, levels=MIXED)
        after = make_scored(cast, customers={})
        assert errors_of(after) == {"3/1"}
        assert precision.error_for(db.session.get_one(CycleRow, after.cycle_id)) == DEFAULT_ERROR == Fraction(3)
