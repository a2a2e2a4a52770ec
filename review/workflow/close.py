"""Ends the collecting: the close, the count of the urn, the scores, and the word to those who finalise."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from review.ballots import service as ballots
from review.ballots.seal_keys import Share
from review.custody import service as custody
from review.cycles import changes, service
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Facts, Move, Stage
from review.domain.refusals import Invalid, NotYet, Problem, Taken
from review.infra import audit, jobs, outbox
from review.infra.db import db
from review.infra.jobs import Job, JobState, enqueue
from review.peer_review import service as peer_review
from review.people.tables import PersonRow
from review.results import service as results
from review.tickets import service as tickets
from review.workflow import asking, kpi_filling

COUNT = "workflow:count"
FINALISE = "workflow:finalise"
FORGED = "ballots:more_ballots_than_tickets"
COUNT_STEPS = 20  # no fewer than a count reports


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
        db.session.rollback()
        custody.call(db.session.get_one(CycleRow, cycle_id), job.now)
        return  # the trustees have the word: once two of them have opened the key, the count is asked for again
    finish(cycle_id, job)


def unlock(cycle: CycleRow, shares: Sequence[Share], *, by: int | None, now: datetime) -> None:
    """Two trustees' shares open the ballots, and the count goes on. Raises as `custody.service.unlock` does."""
    custody.unlock(cycle, shares, by=by, now=now)
    ask_count(cycle.id, now)


def ask_count(cycle_id: int, now: datetime, **how: bool) -> None:
    asking.ask(COUNT, count_key(cycle_id), {"cycle_id": cycle_id, **how}, now)


def may_go_on(cycle: CycleRow) -> bool:
    """Whether a count stopped for the trustees and need not wait for them any more, but nobody has asked for it."""
    job = jobs.find(count_key(cycle.id))
    return (job is None or job.state is JobState.DONE) and not custody.is_waiting(cycle)


def is_stuck(cycle: CycleRow) -> bool:
    """Whether the ballots of a cycle that is being counted cannot be opened: locked with two shares, or lost."""
    if cycle.stage is not Stage.COUNTING or ballots.is_counted(cycle.id):
        return False
    return custody.is_waiting(cycle) or ballots.is_lost(cycle.id) or _are_forged(cycle.id)


def _are_forged(cycle_id: int) -> bool:
    """Whether the count has found ballots that nobody of the raters can have cast, and stopped."""
    job = jobs.find(count_key(cycle_id))
    return job is not None and FORGED in (job.refusal or ())


def go_on_without_peers(cycle: CycleRow, reason: str, typed: str, *, by: int | None, now: datetime) -> None:
    """HR's word that ballots which cannot be opened are given up: the count is then done without them.

    Raises Taken when they can be counted after all, Invalid without a reason or with another name typed.
    """
    if not is_stuck(cycle):
        raise Taken("ballots:still_countable")
    problems = [] if reason.strip() else [Problem("workflow:reason_missing", "reason")]
    if typed.strip() != cycle.name:
        problems.append(Problem("workflow:name_differs", "name", {"name": cycle.name}))
    if problems:
        raise Invalid.of(problems)
    lost = ballots.is_lost(cycle.id)
    about = f"cycle:{cycle.id}"
    audit.record("workflow:peers:given_up", about, by=by, at=now, reason=reason.strip(), lost=lost)
    ask_count(cycle.id, now, without_peers=True, forged=_are_forged(cycle.id))


def count_urn(cycle: CycleRow, job: Job) -> None:
    """Close the urn, count it, verify, destroy keys and urn: each step in its own transaction, owned by the urn.

    Ballots that HR has given up are counted all the same where that has become possible meanwhile.
    """
    steps = iter(range(COUNT_STEPS))
    are_given_up = job.payload.get("without_peers") and (is_stuck(cycle) or job.payload.get("forged"))
    how = ballots.count_nothing if are_given_up else ballots.count
    cycle_id, seats = cycle.id, peer_review.seats_for_count(cycle.id)
    how(
        cycle_id,
        seats,
        now=job.now,
        at=lambda _step: job.report(next(steps, COUNT_STEPS), COUNT_STEPS, "count"),
        drawn=tickets.drawn(cycle_id, seats),
    )
    tickets.forget(cycle_id)


def finish(cycle_id: int, job: Job) -> None:
    """What follows from the count, in one transaction: the stage, the scores, the letters."""
    are_gone = ballots.is_destroyed(cycle_id) and tickets.is_forgotten(cycle_id)
    facts = Facts(count_verified=ballots.is_counted(cycle_id), keys_destroyed=are_gone)
    service.move(cycle_id, Move.FINISH_COUNT, facts, by=None, now=job.now)
    cycle = db.session.get_one(CycleRow, cycle_id, populate_existing=True)
    kpi_filling.at_count(cycle, job)
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
