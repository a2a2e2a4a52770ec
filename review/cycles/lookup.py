"""The only ways to a cycle or a review: loaders that say what the actor is to it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Standing
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, OutOfReach, TooLate
from review.infra.db import db
from review.infra.gate import Found
from review.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """One review with the cycle it belongs to and the person it is about."""

    review: ReviewRow
    cycle: CycleRow
    subject: PersonRow


def find_cycle(actor: Actor, cycle_id: int) -> Found:  # noqa: ARG001  loaders share one signature
    """A cycle as a whole; what may be done with it depends on roles alone."""
    cycle = db.session.get(CycleRow, cycle_id)
    if cycle is None:
        raise OutOfReach("cycles:no_such_cycle")
    return Found(cycle)


def file_of(review_id: int) -> ReviewFile:
    """A review by id, whoever asks: for rooms that have checked already. Raises OutOfReach."""
    query = select(ReviewRow, CycleRow, PersonRow).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    row = db.session.execute(
        query.join(PersonRow, PersonRow.id == ReviewRow.subject_id).where(ReviewRow.id == review_id)
    ).one_or_none()
    if row is None or row[0].withdrawn_at is not None:
        raise OutOfReach("cycles:no_such_review")
    return ReviewFile(*row)


def find_review(actor: Actor, review_id: int) -> Found:
    """A ReviewFile, and whether the actor is its subject, answers for its result, or rates it beside whoever does."""
    found = file_of(review_id)
    standings = set()
    if found.review.subject_id == actor.person_id:
        standings.add(Standing.SUBJECT)
    if found.review.supervisor_id == actor.person_id:
        standings.add(Standing.RESPONSIBLE)
    if found.review.second_rater_id == actor.person_id:
        standings.add(Standing.SECOND_RATER)
    return Found(found, frozenset(standings))


def require_self_review_open(file: ReviewFile, now: datetime) -> None:
    """Self-reviews may be written and replaced while the cycle collects, or until a personal extension runs out.

    Raises NotYet before the opening, TooLate after the deadline.
    """
    due = file.review.self_due_at or file.cycle.self_due_at
    extended = file.review.self_due_at is not None and file.cycle.stage in {Stage.COUNTING, Stage.FINALISING}
    _require(file.cycle, now, due, open_now=file.cycle.stage is Stage.COLLECTING or extended)


def require_rating_open(file: ReviewFile, now: datetime) -> None:
    """Supervisor ratings may be filed while the cycle collects and until the result is finalised."""
    is_open = file.cycle.stage in {Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING}
    _require(file.cycle, now, None, open_now=is_open)


def require_collecting(cycle: CycleRow, now: datetime) -> None:
    """Peers and customers answer while the cycle collects and its deadline has not passed."""
    _require(cycle, now, cycle.closes_at, open_now=cycle.stage is Stage.COLLECTING)


def _require(cycle: CycleRow, now: datetime, due: datetime | None, *, open_now: bool) -> None:
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING} or now < cycle.opens_at:
        raise NotYet("cycles:not_open_yet", opens_at=cycle.opens_at)
    if not open_now or (due is not None and now > due):
        raise TooLate("cycles:closed")
