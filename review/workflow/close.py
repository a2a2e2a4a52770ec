"""Ends the collecting: the close, the count of the urn, the scores, and the word to those who finalise."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from review.ballots import service as ballots
from review.cycles import changes, service
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Facts, Move, Stage
from review.domain.refusals import Invalid, NotYet
from review.infra import outbox
from review.infra.db import db
from review.infra.jobs import Job, enqueue
from review.peer_review import service as peer_review
from review.people.tables import PersonRow
from review.results import service as results

COUNT = "workflow:count"
FINALISE = "workflow:finalise"
COUNT_STEPS = 10


def count_key(cycle_id: int) -> str:
    return f"count:{cycle_id}"


def close(cycle: CycleRow, *, by: int | None, now: datetime, early: bool = False) -> Stage:
    """Close in the caller's transaction and have the count done; `early` is HR's word, before the deadline.

    Of two who close at once one wins; the other gets Taken. Raises NotYet before the deadline.
    """
    facts = Facts(deadline_passed=now >= cycle.closes_at, close_asked_by_hr=early)
    stage = service.move(cycle.id, Move.CLOSE, facts, by=by, now=now)
    changes.end_now(cycle, by=by, now=now)
    enqueue(COUNT, count_key(cycle.id), {"cycle_id": cycle.id}, now)
    return stage


def do_count(job: Job) -> None:
    """The job: count, score, and open the finalising. Whatever step it died in, repeating it picks up there."""
    cycle_id = int(job.payload["cycle_id"])
    cycle = db.session.get(CycleRow, cycle_id)
    if cycle is None:
        raise Invalid("cycles:no_such_cycle")
    if cycle.stage is not Stage.COUNTING:
        return  # counted already: the last transaction moved the cycle on
    try:
        count_urn(cycle, job)
    except NotYet:
        return  # the trustees have the word: once two of them have opened the key, the count is asked for again
    finish(cycle_id, job)


def count_urn(cycle: CycleRow, job: Job) -> None:
    """Close the urn, count it, verify, destroy keys and urn: each step in its own transaction, owned by the urn."""
    steps = iter(range(COUNT_STEPS))
    ballots.count(
        cycle.id,
        peer_review.seats_for_count(cycle.id),
        now=job.now,
        at=lambda _step: job.report(next(steps, COUNT_STEPS), COUNT_STEPS, "count"),
    )


def finish(cycle_id: int, job: Job) -> None:
    """What follows from the count, in one transaction: the stage, the scores, the letters."""
    facts = Facts(count_verified=ballots.is_counted(cycle_id), keys_destroyed=ballots.is_destroyed(cycle_id))
    service.move(cycle_id, Move.FINISH_COUNT, facts, by=None, now=job.now)
    results.score_cycle(cycle_id, job.now, job.report)
    cycle = db.session.get_one(CycleRow, cycle_id)
    outbox.put_all(_letters(cycle, job.now))


def _letters(cycle: CycleRow, now: datetime) -> Iterator[dict[str, Any]]:
    """One to each supervisor with an e-mail address: how many results wait for them."""
    owing = (
        select(PersonRow.name, PersonRow.email, PersonRow.locale, func.count())
        .join(ReviewRow, ReviewRow.supervisor_id == PersonRow.id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None), PersonRow.email.is_not(None))
        .group_by(PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.locale)
    )
    for name, email, locale, count in db.session.execute(owing):
        params = {"name": name, "cycle": cycle.name, "count": count, "finalise_by": cycle.finalise_by.isoformat()}
        yield outbox.letter(FINALISE, f"cycle:{cycle.id}", str(email), locale, params, now=now)
