"""Seats raters, hands their ballots to the urn, and knows what somebody still owes, never about whom to anybody else.

Casting writes nothing in the main database: no row, no mark, no time.
"""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update

from review.ballots import service as ballots
from review.cycles.lookup import require_collecting
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.plan import Plan
from review.domain.refusals import NotAllowed, OutOfReach, Taken, TooLate
from review.domain.responses import Answers, Ballot
from review.domain.vocabulary import Protection
from review.infra.db import db, rows_changed
from review.peer_review.tables import SeatRow
from review.people.tables import DepartmentRow, PersonRow


@dataclass(frozen=True, slots=True)
class Seat:
    """A colleague somebody is asked about, as the rater may see them."""

    id: UUID
    review_id: int
    name: str
    department: str | None


@dataclass(frozen=True, slots=True)
class RatingList:
    """What one rater is asked for in one running cycle; `done` are the seats with a ballot in the urn.

    Under maximum protection nobody can tell which they are, the server included: then none is, and all are owed.
    """

    cycle: CycleRow
    seats: tuple[Seat, ...]
    done: frozenset[UUID]

    @property
    def owed(self) -> int:
        return len(self.seats) - len(self.done)

    @property
    def is_blind(self) -> bool:
        return _is_blind(self.cycle)


@dataclass(frozen=True, slots=True)
class PeerTask:
    """The same as a line on the rater's start page."""

    cycle_id: int
    cycle_name: str
    asked: int
    owed: int
    due: datetime


def seat_all(cycle: CycleRow, plan: Plan) -> int:
    """Seat everybody as planned, all at once; how many seats. Raises Taken when the cycle has seats already."""
    reviews = select(ReviewRow.subject_id, ReviewRow.id).where(ReviewRow.cycle_id == cycle.id)
    if db.session.scalar(_of_cycle(select(SeatRow.id), cycle.id).limit(1)) is not None:
        raise Taken("peer_review:already_seated")
    review_of = {subject: review for subject, review in db.session.execute(reviews)}  # noqa: C416  rows, not pairs
    chance = os.urandom(16 * len(plan.seats))
    rows = [
        {"id": UUID(bytes=chance[16 * n : 16 * n + 16]), "review_id": review_of[subject], "rater_id": rater}
        for n, (rater, subject) in enumerate(plan.seats)
    ]
    if rows:
        db.session.execute(insert(SeatRow), rows)
    return len(rows)


def seats_of(rater_id: int, cycle_id: int) -> list[Seat]:
    """Whom this rater is asked about, by name: for the rater alone. One query."""
    query = select(SeatRow.id, SeatRow.review_id, PersonRow.name, DepartmentRow.name).select_from(SeatRow)
    query = query.join(ReviewRow, ReviewRow.id == SeatRow.review_id).join(
        PersonRow, PersonRow.id == ReviewRow.subject_id
    )
    query = query.outerjoin(DepartmentRow, DepartmentRow.id == PersonRow.department_id)
    mine = query.where(SeatRow.rater_id == rater_id, ReviewRow.cycle_id == cycle_id, *_is_open())
    return [Seat(*row) for row in db.session.execute(mine.order_by(PersonRow.name, PersonRow.id))]


def lists_of(rater_id: int, now: datetime) -> list[RatingList]:
    """What this rater is asked for in every cycle that collects now and asks them for something."""
    found = []
    for cycle in db.session.scalars(_running(now)):
        seats = seats_of(rater_id, cycle.id)
        try:
            done = ballots.has_cast(cycle.id, [seat.id for seat in seats]) if seats and not _is_blind(cycle) else set()
        except TooLate:  # the close has overtaken us
            continue
        if seats:
            found.append(RatingList(cycle, tuple(seats), frozenset(done)))
    return found


def list_with(seat_id: UUID, rater_id: int, now: datetime) -> RatingList:
    """The rater's list that this seat is on. Raises TooLate when the close was faster."""
    for each in lists_of(rater_id, now):
        if any(seat.id == seat_id for seat in each.seats):
            return each
    raise TooLate("ballots:closed")


def next_after(seat_id: UUID, rater_id: int, now: datetime) -> UUID | None:
    """The next colleague on the list who has no ballot yet, round and round; None when all have."""
    try:
        whole = list_with(seat_id, rater_id, now)
    except TooLate:
        return None
    order = [seat.id for seat in whole.seats]
    at = order.index(seat_id) + 1
    return next((seat for seat in order[at:] + order[:at] if seat not in whole.done and seat != seat_id), None)


def open_tasks(person_id: int, now: datetime) -> list[PeerTask]:
    """For the person's own start page: how many were asked for, how many are still owed, until when."""
    return [
        PeerTask(each.cycle.id, each.cycle.name, len(each.seats), each.owed, each.cycle.closes_at)
        for each in lists_of(person_id, now)
    ]


@dataclass(frozen=True, slots=True)
class SeatFile:
    """A seat with what it is about."""

    seat: SeatRow
    review: ReviewRow
    cycle: CycleRow
    subject: PersonRow
    department: str | None


def seat_file(seat_id: UUID) -> SeatFile:
    """Raises OutOfReach for a seat nobody ever had."""
    query = select(SeatRow, ReviewRow, CycleRow, PersonRow, DepartmentRow.name)
    query = query.join(ReviewRow, ReviewRow.id == SeatRow.review_id).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    query = query.join(PersonRow, PersonRow.id == ReviewRow.subject_id)
    query = query.outerjoin(DepartmentRow, DepartmentRow.id == PersonRow.department_id)
    row = db.session.execute(query.where(SeatRow.id == seat_id)).one_or_none()
    if row is None:
        raise OutOfReach("peer_review:no_such_seat")
    return SeatFile(*row)


def require_open(file: SeatFile, now: datetime) -> None:
    """Raises NotYet before the cycle opens, TooLate after its close or when the rater was taken off."""
    require_collecting(file.cycle, now)
    if file.seat.is_closed or file.review.withdrawn_at is not None:
        raise TooLate("peer_review:taken_off")


def require_server_side(file: SeatFile) -> None:
    """Raises NotAllowed where only the rater's browser may seal a ballot: the server must not even see it."""
    if _is_blind(file.cycle):
        raise NotAllowed("peer_review:sealed_in_browser")


def cast(file: SeatFile, answers: Answers, now: datetime, comment: str = "") -> None:
    """Cast, or cast again: the whole ballot is another one then, its words too.

    Raises as `require_open` and `ballots.cast` do.
    """
    require_open(file, now)
    require_server_side(file)
    ballots.cast(file.cycle.id, file.seat.id, Ballot(file.review.id, answers, comment))


def owing(cycle_id: int) -> dict[int, int]:
    """How many ballots each rater still owes, for the worker's reminders; whoever owes none is left out.

    Under maximum protection everybody who is asked owes all of them. Raises TooLate once the urn is closed.
    """
    rows = db.session.execute(_of_cycle(select(SeatRow.id, SeatRow.rater_id), cycle_id).where(*_is_open()))
    rater_of = {seat: rater for seat, rater in rows}  # noqa: C416  rows, not pairs
    is_blind = _is_blind(db.session.get_one(CycleRow, cycle_id))
    missing = rater_of.keys() - (set() if is_blind else ballots.has_cast(cycle_id, rater_of.keys()))
    return dict(sorted(Counter(rater_of[seat] for seat in missing).items()))


def turnout(cycle_id: int) -> tuple[int, int]:
    """How many ballots are in, and how many are asked for: for the cycle as a whole, never for a part of it.

    Under maximum protection all that is known is how many the urn holds. Raises TooLate once the urn is closed.
    """
    seats = asked(cycle_id)
    if _is_blind(db.session.get_one(CycleRow, cycle_id)):
        return min(ballots.cast_so_far(cycle_id), seats), seats
    return seats - sum(owing(cycle_id).values()), seats


def asked(cycle_id: int) -> int:
    """How many ballots the cycle still asks for or has: seats nobody was taken off, about people who are still here."""
    return int(db.session.scalar(_of_cycle(select(func.count(SeatRow.id)), cycle_id).where(*_is_open())) or 0)


def seats_for_count(cycle_id: int) -> dict[UUID, int]:
    """Every seat ever given in the cycle, with its review: what the count recognises ballots by."""
    query = _of_cycle(select(SeatRow.id, SeatRow.review_id), cycle_id)
    return {seat: review for seat, review in db.session.execute(query)}  # noqa: C416


def close_seat(review_id: int, rater_id: int) -> None:
    """Take a rater off a review, whether or not they have cast: asking would tell. Harmless to repeat.

    The audit log says nothing of it: beside the line of what it follows from, it would tell who rates whom. Raises
    OutOfReach without a seat.
    """
    taken_off = update(SeatRow).where(SeatRow.review_id == review_id, SeatRow.rater_id == rater_id)
    if db.session.scalar(taken_off.values(is_closed=True).returning(SeatRow.id)) is None:
        raise OutOfReach("peer_review:no_such_seat")


def step_down(rater_id: int, subject_id: int, now: datetime) -> bool:
    """Take the rater off this person's reviews in the cycles that collect now; whether they were asked about them.

    A ballot that is in counts: whether there is one is asked of nobody.
    """
    reviews = select(ReviewRow.id).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    theirs = reviews.where(
        ReviewRow.subject_id == subject_id, CycleRow.stage == Stage.COLLECTING, CycleRow.closes_at > now
    )
    mine = update(SeatRow).where(
        SeatRow.rater_id == rater_id, SeatRow.is_closed.is_(False), SeatRow.review_id.in_(theirs)
    )
    return rows_changed(mine.values(is_closed=True).execution_options(synchronize_session=False)) > 0


def _is_blind(cycle: CycleRow) -> bool:
    return cycle.protection is Protection.MAXIMUM


def with_receipts(rater_id: int) -> list[CycleRow]:
    """Cycles that are over in which this rater could cast under maximum protection, newest first: at most five."""
    mine = (
        select(ReviewRow.cycle_id).join(SeatRow, SeatRow.review_id == ReviewRow.id).where(SeatRow.rater_id == rater_id)
    )
    over = CycleRow.stage.in_((Stage.COUNTING, Stage.FINALISING, Stage.PUBLISHED, Stage.ARCHIVED))
    asked = select(CycleRow).where(CycleRow.protection == Protection.MAXIMUM, over, CycleRow.id.in_(mine))
    return list(db.session.scalars(asked.order_by(CycleRow.closes_at.desc()).limit(5)))


def _running(now: datetime) -> Select[Any]:
    collecting = CycleRow.stage == Stage.COLLECTING
    return select(CycleRow).where(collecting, CycleRow.opens_at <= now, CycleRow.closes_at >= now).order_by(CycleRow.id)


def _of_cycle(query: Any, cycle_id: int) -> Any:
    return query.join(ReviewRow, ReviewRow.id == SeatRow.review_id).where(ReviewRow.cycle_id == cycle_id)


def _is_open() -> tuple[Any, ...]:
    return SeatRow.is_closed.is_(False), ReviewRow.withdrawn_at.is_(None)
