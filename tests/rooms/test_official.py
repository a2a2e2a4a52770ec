"""Scores recomputed from the answers in the database, and held against the scorecards before anything is published."""

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import update

from review.app import create_app
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.scoring import score
from review.domain.vocabulary import Level
from review.infra.db import db
from review.infra.settings import Settings
from review.results import evidence
from review.results.commands import recompute_command
from review.results.official import mismatches, official_scores
from review.results.tables import ScorecardRow
from review.schemes.library import builtin
from tests.make import Cast
from tests.make_results import KEYS, SIGNED, Told, make_scored, rate
from tests.queries import count_queries


@pytest.fixture
def told(app: Flask, cast: Cast) -> Told:
    with app.app_context():
        return make_scored(
            cast,
            rated=("ada", "bo", "cy", "di", "ed", "fay"),
            levels={"bo": {KEYS[0]: Level.POOR}, "cy": dict.fromkeys(KEYS, Level.EXCELLENT)},
            customers={"ada": 20, "bo": 14, "cy": 15},
            ballots_about={"di": 4},
        )


def cycle_of(told: Told) -> CycleRow:
    return db.session.get_one(CycleRow, told.cycle_id)


def test_every_score_is_that_of_the_method_with_its_working(app: Flask, told: Told) -> None:
    with app.app_context():
        explained = {key: score(builtin(), said).score for key, said in evidence.of_cycle(told.cycle_id).items()}
        assert official_scores(cycle_of(told)) == explained
        assert explained[told.reviews["gus"]] is None  # nobody rated
        assert len(set(explained.values())) > 3
        assert list(mismatches(cycle_of(told))) == []


def test_a_withdrawn_review_is_left_out_and_queries_do_not_grow(app: Flask, told: Told) -> None:
    with app.app_context():
        db.session.get_one(ReviewRow, told.reviews["ed"]).withdrawn_at = SIGNED
        db.session.commit()
        with count_queries(db.engine) as seen:
            found = official_scores(cycle_of(told))
        assert set(found) == set(told.reviews.values()) - {told.reviews["ed"]}
        assert len(seen) <= 8


def test_a_scorecard_that_says_another_score_is_named(app: Flask, told: Told) -> None:
    with app.app_context():
        db.session.execute(
            update(ScorecardRow)
            .where(ScorecardRow.review_id == told.reviews["ada"])
            .values(score=ScorecardRow.score + 1)
        )
        db.session.commit()
        (one,) = mismatches(cycle_of(told))
        assert (one.review_id, one.stored) == (told.reviews["ada"], (one.recomputed or 0) + 1)


def invoke(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(
        recompute_command, list(arguments), obj=lambda **how: create_app(settings, **how), env={"LANG": "en_GB.UTF-8"}
    )


def test_the_command_checks_scorecards_before_the_publication(
    settings: Settings, app: Flask, cast: Cast, told: Told
) -> None:
    same = invoke(settings, "Q1 2026", "--check")
    assert (same.exit_code, same.stdout) == (0, "")
    assert "7 scorecards all say what the answers in the database lead to." in same.stderr
    with app.app_context():
        rate(told, cast, "gus", at=SIGNED)  # filed after the count: the scorecard that stands is the old one
        db.session.commit()
    differs = invoke(settings, "Q1 2026", "--check")
    assert differs.exit_code == 1
    review = told.reviews["gus"]
    assert differs.stdout == f"review {review} ({cast['gus'].employee_no}): score: stored –, recomputed 80.00\n"
    assert "1 of 7 scorecards says another score" in differs.stderr or "1 of 7 scorecards say" in differs.stderr
    assert invoke(settings, "Q1 2026").exit_code == 1  # nothing is published yet that could be printed
