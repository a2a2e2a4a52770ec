"""What follows from a restore: running cycles go on, are asked for anew, or must end without peers; HR reads which.

An urn is in no backup. Where it is still here nothing is lost; where it is gone it is opened afresh, unless it was
counted and destroyed after the backup was made: no cycle is counted a second time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update

from review.ballots import reopening
from review.ballots import service as ballots
from review.cycles import service as cycles
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.vocabulary import Protection
from review.infra import audit, outbox
from review.infra.db import db
from review.infra.jobs import Job, JobRow, JobState, enqueue
from review.peer_review import service as peer_review
from review.people.tables import PersonRow

SETTLE, REOPEN = "workflow:restored", "workflow:reopen"
ASKED_AGAIN = "workflow:asked_again"


class Outcome(StrEnum):
    """What becomes of a running cycle."""

    CONTINUES = "continues"
    TICKETS = "tickets"  # continues, but nobody knows any more which tickets were drawn after the backup
    REOPENED = "reopened"
    SPENT = "spent"  # counted and destroyed after the backup: it can only end without peers
    LOST = "lost"  # being counted or due to be: there is nobody left to ask, so it ends without peers, too
    KEYS_LOST = "keys_lost"  # trustees or tickets belong to keys that are gone


@dataclass(frozen=True, slots=True)
class Settled:
    cycle_id: int
    name: str
    outcome: Outcome


def key_of(stamp: str) -> str:
    return f"restored:{stamp}"


def settle(key: str, now: datetime) -> list[Settled]:
    """Look at every running cycle and have done what can be done; commits. Harmless to repeat."""
    found = [
        Settled(cycle.id, cycle.name, _outcome(cycle, now))
        for cycle in cycles.in_stage(Stage.COLLECTING, Stage.COUNTING)
    ]
    for one in found:
        if one.outcome is Outcome.REOPENED:
            payload = {"cycle_id": one.cycle_id, "key": key}
            enqueue(REOPEN, _reopen_key(one.cycle_id, key), payload, now)
        if one.outcome is not Outcome.CONTINUES:
            audit.record("workflow:cycle:restored", f"cycle:{one.cycle_id}", by=None, at=now, outcome=one.outcome.value)
    db.session.commit()
    return found


def finish(key: str, now: datetime) -> list[Settled]:
    """Do at once what a restore has left for the worker, so that whoever restores sees how it ends."""
    found = settle(key, now)
    for one in found:
        if one.outcome is Outcome.REOPENED:
            reopen(one.cycle_id, key, now)
    done = [key, *(_reopen_key(one.cycle_id, key) for one in found)]
    waiting = update(JobRow).where(JobRow.key.in_(done), JobRow.state == JobState.WAITING)
    db.session.execute(waiting.values(state=JobState.DONE, finished_at=now))
    db.session.commit()
    return found


def _outcome(cycle: CycleRow, now: datetime) -> Outcome:
    if ballots.is_counted(cycle.id) or not ballots.is_lost(cycle.id):
        is_drawing = cycle.stage is Stage.COLLECTING and cycle.protection is Protection.MAXIMUM
        return Outcome.TICKETS if is_drawing else Outcome.CONTINUES
    if ballots.is_spent(cycle.id):
        return Outcome.SPENT
    if cycle.stage is Stage.COUNTING or cycle.closes_at <= now:
        return Outcome.LOST
    return Outcome.REOPENED if reopening.can_reopen(cycle.id) else Outcome.KEYS_LOST


def reopen(cycle_id: int, key: str, now: datetime) -> None:
    """A fresh urn, and a letter to everybody who was to rate in this cycle; commits. Harmless to repeat."""
    reopening.reopen_urn(cycle_id)
    outbox.put_all(_letters(db.session.get_one(CycleRow, cycle_id), key, now))
    db.session.commit()


def _letters(cycle: CycleRow, key: str, now: datetime) -> Iterator[dict[str, Any]]:
    raters = peer_review.owing(cycle.id)
    people = select(PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.locale)
    for person, name, email, locale in db.session.execute(people.where(PersonRow.email.is_not(None))):
        if person in raters:
            params = {"name": name, "cycle": cycle.name, "closes_at": cycle.closes_at.isoformat()}
            yield outbox.letter(ASKED_AGAIN, f"cycle:{cycle.id}:{key}", str(email), locale, params, now=now)


def _reopen_key(cycle_id: int, key: str) -> str:
    return f"reopen:{cycle_id}:{key}"


def do_settle(job: Job) -> None:
    """The job that a restored database finds waiting, for a restore that was cut short before it could look itself."""
    settle(str(job.payload["key"]), job.now)


def do_reopen(job: Job) -> None:
    """The job. A cycle that has moved on meanwhile needs no urn."""
    cycle = db.session.get(CycleRow, int(job.payload["cycle_id"]))
    if cycle is not None and cycle.stage is Stage.COLLECTING:
        reopen(cycle.id, str(job.payload["key"]), job.now)
