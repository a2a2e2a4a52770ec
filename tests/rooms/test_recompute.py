"""Published results are computed again from what was frozen with them, whatever has happened since."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import delete, select, text, update

from review.app import create_app
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.canonical import digest
from review.domain.refusals import NotYet
from review.domain.vocabulary import Level
from review.infra.db import db
from review.infra.settings import Settings
from review.responses.tables import ResponseRow
from review.results import publication
from review.results.commands import recompute_command
from review.results.recomputing import published_in, recompute
from review.results.tables import PublicationRow, ScorecardRow
from review.schemes import service as schemes
from review.schemes.service import install_default
from review.schemes.tables import SchemeRow
from tests.make import NOW, Cast
from tests.make_results import KEYS, PUBLISHED, make_scored, publish, rate, sign_off
from tests.queries import count_queries

LATER = PUBLISHED + timedelta(days=30)


@pytest.fixture
def told(app: Flask, cast: Cast) -> Any:
    with app.app_context():
        told = make_scored(cast, reviewed=["ada", "bo", "cy", "di", "ed", "fay"], rated=["ada", "bo", "cy"])
        sign_off(told)
        publish(told, cast)
        yield told


def again(told: Any) -> list[Any]:
    db.session.expire_all()
    return list(recompute(db.session.get_one(CycleRow, told.cycle_id)))


def differing(told: Any) -> dict[int, set[str]]:
    return {one.review_id: {part.field for part in one.differences} for one in again(told) if one.differences}


def test_every_published_figure_is_found_again(told: Any) -> None:
    everything = again(told)
    assert [one.review_id for one in everything] == sorted(told.reviews.values())
    assert all(one.card is not None and not one.differences for one in everything)
    assert published_in(db.session.get_one(CycleRow, told.cycle_id)) == 6
    ada = everything[0]
    assert ada.card.score == publication.publication_of(told.reviews["ada"]).score == 82_14


def test_a_publication_keeps_the_very_inputs_that_its_hash_names_and_the_version_of_the_program(told: Any) -> None:
    row = publication.publication_of(told.reviews["ada"])
    assert digest(row.inputs) == row.body["working"]["input_hash"]
    assert row.body["code"] == "0.1.0"
    assert row.inputs["customers"]["communication"][1] == 20
    assert set(row.inputs["peers"]["interpersonal_coordination"]) == {"n", "points", "over"}


def test_what_happens_after_publication_changes_nothing(told: Any, cast: Cast) -> None:
    before = {one.review_id: one.card.as_contract() for one in again(told)}
    rate(told, cast, "di", {KEYS[0]: Level.POOR}, LATER)  # filed after publication
    db.session.execute(update(ReviewRow).where(ReviewRow.id == told.reviews["bo"]).values(withdrawn_at=LATER))
    db.session.get_one(ReviewRow, told.reviews["cy"]).supervisor_id = cast["quinn"].id
    gone = told.reviews["ada"]
    db.session.execute(delete(ResponseRow).where(ResponseRow.review_id == gone))
    db.session.execute(delete(ScorecardRow).where(ScorecardRow.review_id == gone))
    db.session.execute(text("DELETE FROM peer_cell WHERE review_id = :gone"), {"gone": gone})
    newer = schemes.stored(install_default(NOW).id)
    body = {**newer.body, "version": 2, "minimums": {"peers": 6, "customers": 30}}
    db.session.add(SchemeRow(key=newer.key, version=2, state=newer.state, body=body, hash="0" * 64, created_at=LATER))
    db.session.flush()
    assert not differing(told)
    assert {one.review_id: one.card.as_contract() for one in again(told)} == before


def test_one_changed_figure_is_named_by_review_and_field(told: Any) -> None:
    ada, bo = (
        db.session.get_one(PublicationRow, publication.publication_of(told.reviews[n]).id) for n in ("ada", "bo")
    )
    ada.score = ada.score + 1
    said = dict(bo.inputs)
    bo.inputs = {**said, "supervisor": [[[key, "excellent"] for key, _ in said["supervisor"][0]]]}
    db.session.flush()
    found = differing(told)
    assert found[told.reviews["ada"]] == {"published_score"}
    assert {"inputs", "input_hash", "score", "published_score", "rating", "rating_exact"} <= found[told.reviews["bo"]]


def test_a_scheme_that_was_changed_behind_everybodys_back_is_noticed(told: Any) -> None:
    row = db.session.scalars(select(SchemeRow)).one()
    row.body = {**row.body, "cuts": {**row.body["cuts"], "good": "79"}}
    row.hash = "f" * 64
    db.session.flush()
    assert all("method.hash" in fields for fields in differing(told).values())
    assert len(differing(told)) == 6


def test_a_result_whose_inputs_were_not_kept_is_not_called_identical(told: Any) -> None:
    row = publication.publication_of(told.reviews["ada"])
    row.inputs = None
    db.session.flush()
    assert differing(told) == {told.reviews["ada"]: {"inputs"}}


def test_recomputing_takes_two_queries_and_writes_nothing(told: Any) -> None:
    cycle = db.session.get_one(CycleRow, told.cycle_id)
    with count_queries(db.engine) as seen:
        assert published_in(cycle) == len(list(recompute(cycle)))
    assert len(seen) <= 4
    assert all(statement.lstrip().upper().startswith("SELECT") for statement in seen)


def test_figures_that_are_not_what_their_inputs_say_are_not_published(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, reviewed=["ada", "bo", "cy", "di", "ed", "fay"])
        sign_off(told)
        # Past every door: neither the time of the filing nor the scorecard tells of it.
        rating = (ResponseRow.review_id == told.reviews["ada"]) & ResponseRow.person_id.is_not(None)
        db.session.execute(update(ResponseRow).where(rating).values(c1=1))
        with pytest.raises(NotYet, match="results:not_signed_off"):
            publish(told, cast)


def invoke(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(
        recompute_command, list(arguments), obj=lambda **how: create_app(settings, **how), env={"LANG": "en_GB.UTF-8"}
    )


def test_the_command_checks_and_prints(settings: Settings, told: Any) -> None:
    checked = invoke(settings, "Q1 2026", "--check")
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert "6 published results, all identical" in checked.stderr
    printed = invoke(settings, "Q1 2026")
    lines = [json.loads(line) for line in printed.stdout.splitlines()]
    assert printed.exit_code == 0
    assert [line["review"] for line in lines] == sorted(told.reviews.values())
    assert (lines[0]["score"], lines[0]["grade"], lines[3]["withheld"]) == ("82.14", "good", "supervisor_incomplete")

    row = publication.publication_of(told.reviews["bo"])
    row.score = 1
    db.session.commit()
    wrong = invoke(settings, "Q1 2026", "--check")
    assert wrong.exit_code == 1
    who = f"review {row.review_id} version 1 ({row.body['subject']['employee_no']})"
    assert wrong.stdout.splitlines() == [f"{who}: published_score: stored 1, recomputed 8000"]


def test_a_cycle_without_publications_is_refused(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, reviewed=["ada", "bo", "cy", "di", "ed", "fay"])
        with pytest.raises(NotYet, match="results:not_published_yet"):
            published_in(db.session.get_one(CycleRow, told.cycle_id))
