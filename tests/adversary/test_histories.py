"""Random histories of a cycle against a model in plain Python: who cast what is counted once, published once, or never.

Each history casts, casts again, takes raters off, lets people leave, closes, counts with the machine stopping at a
random step, cancels, comes too late, publishes, and tries all of it again. The model knows only dictionaries.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from review.ballots import counting
from review.ballots import service as ballots
from review.cycles import service as cycles
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import CycleDates
from review.domain.cycle import Facts, Move, Stage
from review.domain.period import Period, PeriodKind
from review.domain.refusals import Refusal, Taken, TooLate
from review.domain.responses import Ballot, SupervisorRating, cells_of
from review.domain.vocabulary import Level
from review.infra.db import db
from review.peer_review import service as peers
from review.peer_review.tables import SeatRow
from review.responses import service as responses
from review.results import publication, service
from review.results.tables import PublicationRow
from review.schemes.library import builtin
from review.schemes.service import install_default
from review.workflow import publish
from tests.make import NOW, Cast
from tests.make_cycle import CLOSES, FINAL, OPENED, SELF_DUE, ZONE
from tests.make_peers import ASKED, TEAM, Seats, seat_team
from tests.make_results import ALL_GOOD, COUNTED, PUBLISHED, SIGNED, look

LEVELS = list(Level)
LEVEL_KEYS = list(ALL_GOOD)


class PowerLost(Exception):  # noqa: N818
    """The machine stops: nothing after this point has happened."""


@dataclass
class History:
    """One cycle and what the model knows of it."""

    cycle_id: int
    seats: Seats
    review_of: dict[str, int]
    dice: random.Random
    said: dict[tuple[str, str], dict[str, Level]] = field(default_factory=dict)  # (rater, subject) -> the last ballot
    off: set[tuple[str, str]] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)  # whose review was withdrawn

    @property
    def cycle(self) -> CycleRow:
        return db.session.get_one(CycleRow, self.cycle_id)

    def pick(self) -> tuple[str, str]:
        return self.dice.choice(sorted(self.seats))

    def cast(self) -> None:
        pair = self.pick()
        answers = {key: self.dice.choice(LEVELS) for key in ASKED if self.dice.random() < 0.85}
        try:
            peers.cast(peers.seat_file(self.seats[pair]), answers, NOW)
        except TooLate:
            assert pair in self.off or pair[1] in self.gone
        else:
            assert pair not in self.off
            assert pair[1] not in self.gone
            self.said[pair] = answers
        db.session.rollback()

    def take_off(self) -> None:
        pair = self.pick()
        peers.close_seat(self.review_of[pair[1]], self.cast_id(pair[0]))
        db.session.commit()
        self.off.add(pair)

    def leave(self) -> None:
        who = self.dice.choice(sorted(self.review_of))
        leaving = update(ReviewRow).where(ReviewRow.id == self.review_of[who])
        db.session.execute(leaving.values(withdrawn_at=NOW))
        db.session.commit()
        self.gone.add(who)

    def cast_id(self, name: str) -> int:
        return db.session.scalar(
            select(ReviewRow.subject_id).where(ReviewRow.id == self.review_of[name])
        ) or pytest.fail("nobody")

    def look(self) -> None:
        """A rater's own list says what the model says."""
        rater = self.dice.choice(TEAM)
        mine = {seat: pair for pair, seat in self.seats.items() if pair[0] == rater}
        done = ballots.has_cast(self.cycle_id, mine)
        assert {mine[seat] for seat in done} == {pair for pair in self.said if pair[0] == rater}
        db.session.rollback()


def begin(cast: Cast, number: int, dice: random.Random) -> History:
    day = date(1990, 1, 1) + timedelta(days=number)
    dates = CycleDates(OPENED, SELF_DUE, None, CLOSES, FINAL, FINAL.date() + timedelta(days=5))
    plan = cycles.CyclePlan(
        name=f"History {number}",
        period=Period(PeriodKind.CUSTOM, day, day),
        scheme_id=install_default(NOW).id,
        dates=dates,
    )
    cycle = cycles.create(plan, ZONE, by=None, now=NOW)
    cycles.choose(cycle, [cast[who].id for who in TEAM])
    cycle.stage = Stage.COLLECTING
    db.session.flush()
    seats = seat_team(cycle.id, cast)
    names = {cast[who].id: who for who in TEAM}
    rows = db.session.execute(select(ReviewRow.subject_id, ReviewRow.id).where(ReviewRow.cycle_id == cycle.id))
    return History(cycle.id, seats, {names[subject]: review for subject, review in rows}, dice)


def live(history: History) -> None:
    acts = [history.cast] * 12 + [history.take_off, history.leave, history.look, history.look]
    for _ in range(history.dice.randrange(6, 50)):
        history.dice.choice(acts)()


def count(history: History) -> None:
    """Close, then count until a count comes through: each time the machine may stop at any step."""
    cycles.move(history.cycle_id, Move.CLOSE, Facts(deadline_passed=True), by=None, now=COUNTED)
    db.session.commit()
    while True:
        stop = history.dice.randrange(0, 40)
        left = iter(range(stop))

        def at(_step: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise PowerLost

        try:
            ballots.count(history.cycle_id, peers.seats_for_count(history.cycle_id), now=COUNTED, at=at)
        except PowerLost:
            db.session.rollback()
            come_too_late(history)
        else:
            return


def come_too_late(history: History) -> None:
    seat = history.seats[history.pick()]
    before = ballots.cells_of(history.cycle_id)
    review = db.session.get_one(SeatRow, seat).review_id
    with pytest.raises(TooLate):
        ballots.cast(history.cycle_id, seat, Ballot(review, {}))
    with pytest.raises(TooLate):
        ballots.has_cast(history.cycle_id, [seat])
    assert ballots.cells_of(history.cycle_id) == before
    db.session.rollback()


def check_cells(history: History) -> None:
    """The cells are those of the model's ballots, each counted once; nobody who left has any."""
    scheme, expected = builtin(), {}
    for who, review in history.review_of.items():
        if who not in history.gone:
            about = [answers for (_, subject), answers in history.said.items() if subject == who]
            panel = sum(subject == who for _, subject in history.seats)
            expected[review] = {cell.criterion: cell.figure for cell in cells_of(scheme, about, panel)}
    found = ballots.cells_of(history.cycle_id)
    assert {review: {cell.criterion: cell.figure for cell in cells} for review, cells in found.items()} == expected
    assert ballots.is_destroyed(history.cycle_id)
    with pytest.raises(Taken):
        ballots.open_urn(history.cycle_id)
    db.session.rollback()


def publish_once(history: History, cast: Cast) -> None:
    for who, review_id in history.review_of.items():
        if who not in history.gone:
            review = db.session.get_one(ReviewRow, review_id)
            said = SupervisorRating(ALL_GOOD, {LEVEL_KEYS[0]: "Six articles for the knowledge base."}, "Steady.")
            responses.file_rating(review_id, review.supervisor_id, said, NOW)
    cycles.move(
        history.cycle_id, Move.FINISH_COUNT, Facts(count_verified=True, keys_destroyed=True), by=None, now=COUNTED
    )
    service.score_cycle(history.cycle_id, COUNTED)
    db.session.commit()
    for who, review_id in history.review_of.items():
        if who not in history.gone:
            boss = db.session.get_one(ReviewRow, review_id).supervisor_id
            reason = "Rating still missing." if service.scorecard_of(review_id).grade is None else ""
            service.finalise(review_id, service.SignOff(summary="Steady.", reason=reason), by=boss, now=SIGNED)
    look(history.cycle_id, cast["hana"].id)
    ready = Facts(unfinalised_count=0, withheld_unexplained=0, looks_missing=0, open_sheets=0)
    cycles.move(history.cycle_id, Move.PUBLISH, ready, by=cast["hana"].id, now=PUBLISHED)
    publication.freeze_cycle(history.cycle_id, by=cast["hana"].id, now=PUBLISHED)
    db.session.commit()
    once = published(history)
    assert len(once) == len(TEAM) - len(history.gone)
    try_everything_again(history, cast)
    assert published(history) == once


def published(history: History) -> list[tuple[object, ...]]:
    columns = PublicationRow.__table__.columns
    found = db.session.execute(select(*columns).where(PublicationRow.review_id.in_(history.review_of.values())))
    return sorted((tuple(map(str, row)) for row in found), key=str)


def try_everything_again(history: History, cast: Cast) -> None:
    """Nothing may happen a second time, whichever door is tried."""
    come_too_late(history)
    again = [
        lambda: cycles.move(history.cycle_id, Move.CLOSE, Facts(deadline_passed=True), by=None, now=PUBLISHED),
        lambda: cycles.move(
            history.cycle_id,
            Move.PUBLISH,
            Facts(unfinalised_count=0, withheld_unexplained=0, looks_missing=0, open_sheets=0),
            by=cast["hana"].id,
            now=PUBLISHED,
        ),
        lambda: ballots.open_urn(history.cycle_id),
        lambda: ballots.count_nothing(history.cycle_id, {}, now=PUBLISHED) or refuse_if_changed(history),
        lambda: publish.cancel(history.cycle, "again", by=cast["hana"].id, now=PUBLISHED),
    ]
    history.dice.shuffle(again)
    for act in again:
        with pytest.raises(Refusal):
            act()
        db.session.rollback()
    ballots.count(history.cycle_id, peers.seats_for_count(history.cycle_id), now=PUBLISHED)
    check_cells(history)


def refuse_if_changed(history: History) -> None:
    check_cells(history)
    raise Taken("nothing happened")


def cancel(history: History, cast: Cast) -> None:
    publish.cancel(history.cycle, "No longer wanted.", by=cast["hana"].id, now=NOW)
    db.session.commit()
    with pytest.raises(TooLate):
        peers.cast(peers.seat_file(history.seats[history.pick()]), {}, NOW)
    stop = iter(range(history.dice.randrange(0, 8)))

    def at(_step: str) -> None:
        if next(stop, None) is None:
            raise PowerLost

    try:
        ballots.destroy(history.cycle_id, at=at)
    except PowerLost:
        ballots.destroy(history.cycle_id)
    assert ballots.is_destroyed(history.cycle_id)
    assert ballots.cells_of(history.cycle_id) == {}
    with pytest.raises(Taken):
        ballots.open_urn(history.cycle_id)
    db.session.rollback()


def run(app: Flask, cast: Cast, numbers: range) -> None:
    with app.app_context():
        for number in numbers:
            history = begin(cast, number, random.Random(number))
            live(history)
            if number % 7 == 3:
                cancel(history, cast)
                continue
            count(history)
            check_cells(history)
            publish_once(history, cast)


def test_whatever_happens_every_ballot_counts_once_and_every_cell_is_published_once(app: Flask, cast: Cast) -> None:
    run(app, cast, range(20))


@pytest.mark.full
def test_5000_histories(app: Flask, cast: Cast) -> None:
    run(app, cast, range(1000, 6000))


@pytest.mark.parametrize(
    ("raters", "spoil"),
    [
        pytest.param(4, lambda said: [*said, said[-1]], id="counted twice"),
        pytest.param(5, lambda said: said[:-1], id="lost"),
    ],
)
def test_the_model_notices_a_single_ballot_counted_twice_or_lost(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, raters: int, spoil: Callable[[list[Any]], list[Any]]
) -> None:
    honest = counting.work_out

    def dishonest(scheme: Any, reviews: Any, seats: Any, said: Any, *rest: Any) -> Any:
        return honest(scheme, reviews, seats, {key: spoil(list(each)) for key, each in said.items()}, *rest)

    with app.app_context():
        history = begin(cast, 0, random.Random(0))
        for rater in TEAM[1 : raters + 1]:
            history.said[rater, "ada"] = dict.fromkeys(ASKED, Level.GOOD)
            peers.cast(peers.seat_file(history.seats[rater, "ada"]), history.said[rater, "ada"], NOW)
        monkeypatch.setattr(counting, "work_out", dishonest)
        count(history)
        with pytest.raises(AssertionError):
            check_cells(history)


def test_a_seat_is_a_number_nobody_can_guess(app: Flask, cast: Cast) -> None:
    with app.app_context():
        history = begin(cast, 1, random.Random(1))
        assert all(isinstance(seat, UUID) and seat.int > 2**64 for seat in history.seats.values())
