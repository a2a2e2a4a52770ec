"""The count: ballots become cells exactly once, whatever stops it and wherever, and nothing else of them remains."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from review.app import create_app
from review.ballots import counting, keys, service
from review.ballots.disk import Step
from review.ballots.service import urn_at
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.tables import CellRow, CountRow
from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.disclosure import Cell, Shown, WhyWithheld, Withheld
from review.domain.refusals import Refusal, Taken, TooLate
from review.domain.responses import Ballot
from review.domain.vocabulary import Level
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import service as peers
from review.schemes.library import builtin
from review.tables import metadata
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_peers import ASKED, EXCELLENT, GOOD, POOR, TEAM, cast_for, open_ballots, sealed_ballot, seat_team


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> Iterator[int]:
    """A cycle in which the team rates each other: all are in about Ada, three about Bo; inside a context."""
    with app.app_context():
        cycle_id = make_cycle(cast)
        seats = seat_team(cycle_id, cast)
        for rater, answers in zip(("bo", "cy", "di", "ed", "fay", "gus"), [GOOD] * 4 + [EXCELLENT] * 2, strict=True):
            cast_for(cycle_id, seats[rater, "ada"], answers)
        for rater in ("ada", "cy", "di"):
            cast_for(cycle_id, seats[rater, "bo"], POOR)
        set_stage(cycle_id, Stage.COUNTING)
        db.session.commit()
        yield cycle_id


def run(cycle_id: int, **options: object) -> counting.Counted:
    return service.count(cycle_id, peers.seats_for_count(cycle_id), now=NOW, **options)


def test_the_count_leaves_steps_where_enough_answered_and_no_number_where_not(cycle: int, cast: Cast) -> None:
    assert run(cycle) == counting.Counted(ballots=9, strangers=0)
    cells = service.cells_of(cycle)
    ada, bo, rae = (review_of(cycle, cast[name]) for name in ("ada", "bo", "rae"))
    assert cells[ada] == tuple(Cell(key, Shown("5-7", 92, 1, "high")) for key in sorted(ASKED))
    assert cells[bo] == tuple(Cell(key, Withheld(WhyWithheld.BELOW_MINIMUM)) for key in sorted(ASKED))
    assert cells[rae] == tuple(Cell(key, Withheld(WhyWithheld.PANEL_TOO_SMALL)) for key in sorted(ASKED))
    assert service.cells_of_review(ada) == cells[ada]


def test_before_the_count_there_are_no_cells(cycle: int, cast: Cast) -> None:
    assert service.cells_of(cycle) == {}
    assert service.cells_of_review(review_of(cycle, cast["ada"])) == ()
    assert not service.is_counted(cycle)


def test_after_the_count_key_and_urn_are_gone_and_no_ballot_gets_in(cycle: int, cast: Cast, settings: Settings) -> None:
    run(cycle)
    assert service.is_counted(cycle)
    assert service.is_destroyed(cycle)
    assert not list(settings.keys_dir.glob("urn-*.key"))
    assert not list(settings.keys_dir.glob("seal-*"))
    assert list((settings.data_dir / "urns").iterdir()) == []
    with pytest.raises(TooLate):
        service.cast(cycle, uuid4(), Ballot(review_of(cycle, cast["ada"]), GOOD))
    with pytest.raises(Taken, match="ballots:urn_gone"):
        service.open_urn(cycle)


def test_counting_again_changes_nothing(cycle: int) -> None:
    first, cells = run(cycle), service.cells_of(cycle)
    assert run(cycle) == first
    assert service.cells_of(cycle) == cells


def test_what_the_count_stores_holds_no_ballot_and_no_rater(cycle: int) -> None:
    run(cycle)
    assert set(CellRow.__table__.columns.keys()) == {
        "review_id", "criterion", "n", "points", "over", "end", "withheld"
    }  # fmt: skip
    assert set(CountRow.__table__.columns.keys()) == {"cycle_id", "counted_at", "ballots", "strangers"}
    withheld = select(CellRow).where(CellRow.withheld.is_not(None))
    for row in db.session.scalars(withheld):
        assert (row.n, row.points, row.over, row.end) == (None, None, None, None)


@pytest.mark.parametrize(
    "lie",
    [
        {"withheld": None, "points": None, "n": None, "over": None},
        {"withheld": WhyWithheld.BELOW_MINIMUM, "points": 80, "n": "5-7", "over": 1},
        {"withheld": WhyWithheld.BELOW_MINIMUM, "points": None, "n": "5-7", "over": None},
        {"withheld": None, "points": 80, "n": None, "over": 1},
    ],
)
def test_the_database_refuses_a_cell_that_is_both_or_neither(cycle: int, cast: Cast, lie: dict[str, object]) -> None:
    row = {"review_id": review_of(cycle, cast["ada"]), "criterion": "x", "end": None, **lie}
    with pytest.raises(IntegrityError):
        db.session.execute(insert(CellRow), [row])


def test_a_row_no_seat_could_have_cast_is_left_out_and_reported_as_a_number(
    cycle: int, cast: Cast, settings: Settings
) -> None:
    forged = SqliteUrn(settings.data_dir / "urns", cycle)
    found = os.urandom(32)
    forged.put(found, *sealed_ballot(settings, cycle, found, Ballot(review_of(cycle, cast["bo"]), EXCELLENT)))
    forged.put(os.urandom(32), 1, b"nonsense")
    service.cast(cycle, uuid4(), Ballot(review_of(cycle, cast["bo"]), EXCELLENT))
    assert run(cycle) == counting.Counted(ballots=9, strangers=3)
    bo = service.cells_of(cycle)[review_of(cycle, cast["bo"])]
    assert {cell.figure for cell in bo} == {Withheld(WhyWithheld.BELOW_MINIMUM)}


def test_a_seat_cannot_speak_about_somebody_elses_review(cycle: int, cast: Cast) -> None:
    seats = peers.seats_for_count(cycle)
    about_cy = next(seat for seat, review in seats.items() if review == review_of(cycle, cast["cy"]))
    service.cast(cycle, about_cy, Ballot(review_of(cycle, cast["bo"]), EXCELLENT))
    assert run(cycle) == counting.Counted(ballots=9, strangers=1)


def test_ballots_about_somebody_who_left_are_dropped(cycle: int, cast: Cast) -> None:
    ada = review_of(cycle, cast["ada"])
    db.session.execute(update(ReviewRow).where(ReviewRow.id == ada).values(withdrawn_at=NOW))
    run(cycle)
    assert ada not in service.cells_of(cycle)


def test_a_ballot_counts_even_if_its_rater_was_taken_off_afterwards(cycle: int, cast: Cast) -> None:
    ada = review_of(cycle, cast["ada"])
    for rater in ("bo", "cy"):
        peers.close_seat(ada, cast[rater].id)
    assert run(cycle).ballots == 9
    assert isinstance(service.cells_of(cycle)[ada][0].figure, Shown)


def test_answers_nobody_could_judge_do_not_count_towards_the_minimum(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        seats = seat_team(cycle_id, cast)
        for number, rater in enumerate(name for name in TEAM if name != "ada"):
            only_one = {ASKED[0]: Level.GOOD, ASKED[1]: Level.GOOD if number < 4 else None}
            cast_for(cycle_id, seats[rater, "ada"], only_one)
        run(cycle_id)
        by_criterion = {
            cell.criterion: cell.figure for cell in service.cells_of_review(review_of(cycle_id, cast["ada"]))
        }
        assert by_criterion[ASKED[0]] == Shown("5-7", 80)
        assert by_criterion[ASKED[1]] == Withheld(WhyWithheld.BELOW_MINIMUM)


def test_an_empty_urn_is_counted_too(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        service.open_urn(cycle_id)
        assert run(cycle_id) == counting.Counted(0, 0)
        assert service.is_destroyed(cycle_id)


def test_without_the_key_nothing_is_counted_and_nothing_destroyed(cycle: int, settings: Settings) -> None:
    key = settings.keys_dir / f"urn-{cycle}.key"
    content = key.read_bytes()
    key.unlink()
    with pytest.raises(Taken, match="ballots:key_gone"):
        run(cycle)
    assert not service.is_counted(cycle)
    key.write_bytes(content)
    assert run(cycle).ballots == 9


@pytest.mark.parametrize("name", ["urn", "seal"])
@pytest.mark.parametrize("spoil", [lambda _: b"", lambda key: key[:-1], lambda key: bytes(len(key) + 1)])
def test_with_a_damaged_key_nothing_is_counted_and_nothing_destroyed(
    cycle: int, settings: Settings, name: str, spoil: Callable[[bytes], bytes]
) -> None:
    key = settings.keys_dir / f"{name}-{cycle}.key"
    content = key.read_bytes()
    key.write_bytes(spoil(content))
    with pytest.raises(Taken, match="ballots:key_gone"):
        run(cycle)
    assert service.is_lost(cycle)
    assert not service.is_counted(cycle)
    key.write_bytes(content)
    assert run(cycle) == counting.Counted(ballots=9, strangers=0)


def test_without_the_urn_nothing_is_counted(cycle: int, settings: Settings) -> None:
    (settings.data_dir / "urns" / f"{cycle}.sqlite").unlink()
    with pytest.raises(Taken, match="ballots:urn_gone"):
        run(cycle)
    assert not service.is_counted(cycle)
    assert keys.exists(settings.keys_dir, cycle)


def test_cells_that_read_back_differently_destroy_nothing(
    cycle: int, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "as_cells", lambda _rows: {})
    with pytest.raises(RuntimeError, match="read back"):
        run(cycle)
    assert not service.is_destroyed(cycle)


def test_the_cells_are_on_the_disk_before_anything_is_destroyed(cycle: int) -> None:
    heard: list[str] = []
    asked = []

    def at(step: str) -> None:
        heard.append(step)
        if step == "writing":
            asked.append(service.is_destroyed(cycle))

    run(cycle, at=at)
    assert list(dict.fromkeys(heard)) == STEPS
    assert asked == [False]
    with counting._durable_engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


STEPS = [
    "closed", "read", "worked_out", "writing", "written", "verified", "remembered", "key_overwritten", "key_unlinked",
    "seal_key_overwritten", "seal_key_unlinked", "public_key_overwritten", "public_key_unlinked", "key_destroyed",
    "urn_renamed", "urn_overwritten", "urn_unlinked", "urn_dropped",
]  # fmt: skip


def die_at(step: str, act: Callable[[Step], object]) -> int:
    """Act in a process of its own, which is gone without any cleaning up when `step` is reached; its status."""
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            act(lambda reached: os._exit(9) if reached == step else None)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def expected() -> dict[int, tuple[Cell, ...]]:
    """The cells of an undisturbed count, filled in by the first test that runs."""
    return {}


@pytest.mark.parametrize("step", STEPS)
def test_a_count_killed_at_any_step_ends_with_the_same_cells(
    step: str, cycle: int, settings: Settings, expected: dict[int, tuple[Cell, ...]]
) -> None:
    # Everything that is made anew for each test has the same ids, so the undisturbed cells hold for all of them.
    if not expected:
        scheme = builtin()
        reviews = dict(db.session.execute(select(ReviewRow.id, ReviewRow.subject_id)).all())
        said: dict[int, list[Ballot]] = {}
        for ballot in open_ballots(settings, cycle):
            said.setdefault(ballot.review_id, []).append(ballot)
        outcome = counting.work_out(scheme, reviews, peers.seats_for_count(cycle), said)
        expected |= counting._sorted(outcome.cells)
    assert die_at(step, lambda at: run(cycle, at=at)) == 9
    was_counted = service.is_counted(cycle)
    assert was_counted == (STEPS.index(step) >= STEPS.index("written"))
    assert was_counted or not service.is_destroyed(cycle)
    assert run(cycle) == counting.Counted(9, 0)
    assert service.cells_of(cycle) == expected
    assert service.is_destroyed(cycle)


@pytest.mark.parametrize("step", STEPS[STEPS.index("remembered") :])
def test_a_cancelling_killed_at_any_step_is_finished_and_leaves_nothing(
    step: str, cycle: int, settings: Settings, cast: Cast
) -> None:
    set_stage(cycle, Stage.CANCELLED)
    db.session.commit()
    assert die_at(step, lambda at: service.destroy(cycle, at=at)) == 9
    seats = peers.seats_for_count(cycle)
    with pytest.raises(Refusal):
        service.cast(cycle, next(iter(seats)), Ballot(review_of(cycle, cast["ada"]), GOOD))
    service.destroy(cycle)
    assert service.is_destroyed(cycle)
    assert service.cells_of(cycle) == {}
    assert [path.suffix for path in settings.keys_dir.glob("*-[0-9]*")] == [".gone"]
    with pytest.raises(Taken):
        service.open_urn(cycle)


def test_ballots_that_can_still_be_counted_are_not_given_up(cycle: int) -> None:
    set_stage(cycle, Stage.COUNTING)
    db.session.commit()
    with pytest.raises(Taken, match="ballots:still_countable"):
        service.count_nothing(cycle, peers.seats_for_count(cycle), now=NOW)
    assert not service.is_destroyed(cycle)
    assert run(cycle) == counting.Counted(9, 0)


def test_nothing_is_given_up_while_raters_may_still_be_asked_again(cycle: int, settings: Settings) -> None:
    keys.destroy(settings.keys_dir, cycle)
    set_stage(cycle, Stage.COLLECTING)
    with pytest.raises(Taken, match="ballots:still_countable"):
        service.count_nothing(cycle, peers.seats_for_count(cycle), now=NOW)
    assert not service.is_counted(cycle)
    set_stage(cycle, Stage.COUNTING)
    db.session.commit()
    service.count_nothing(cycle, peers.seats_for_count(cycle), now=NOW)
    assert service.is_destroyed(cycle)
    assert {type(cell.figure) for cells in service.cells_of(cycle).values() for cell in cells} == {Withheld}


def test_nothing_of_a_ballot_is_left_on_the_disk(cycle: int, settings: Settings) -> None:
    token, _, sealed = next(urn_at(settings, cycle).rows())
    run(cycle)
    db.session.remove()
    for path in settings.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert token not in content, f"{path.name} still holds the hash of a seat"
            assert sealed[:64] not in content, f"{path.name} still holds a sealed ballot"
            assert b'"answers":{"' not in content, f"{path.name} still holds a ballot"


@pytest.fixture
def on_postgresql(tmp_path: Path, postgres_url: str, urn_url: str) -> Iterator[Flask]:
    """The application with the main database and the urns on two databases of a real PostgreSQL."""
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    made = create_app(Settings.from_env(environ))
    with made.app_context():
        metadata.create_all(db.engine)
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgres
def test_on_postgresql_the_same_story_ends_the_same(on_postgresql: Flask) -> None:
    cast = make_cast()
    cycle_id = make_cycle(cast)
    seats = seat_team(cycle_id, cast)
    for rater in ("bo", "cy", "di", "ed", "fay"):
        cast_for(cycle_id, seats[rater, "ada"], POOR)
        cast_for(cycle_id, seats[rater, "ada"], GOOD)
    assert service.has_cast(cycle_id, list(seats.values())) == {
        seats[who, "ada"] for who in ("bo", "cy", "di", "ed", "fay")
    }
    assert service.upgrade_urns() == 1
    db.session.rollback()

    def stop(step: str) -> None:
        if step == "written":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(cycle_id, at=stop)
    assert service.is_counted(cycle_id)
    assert not service.is_destroyed(cycle_id)
    assert run(cycle_id) == counting.Counted(5, 0)
    assert service.is_destroyed(cycle_id)
    ada = service.cells_of(cycle_id)[review_of(cycle_id, cast["ada"])]
    assert ada == tuple(Cell(key, Shown("5-7", 80)) for key in sorted(ASKED))
    with pytest.raises(TooLate):
        service.cast(cycle_id, seats["bo", "ada"], Ballot(review_of(cycle_id, cast["ada"]), GOOD))
