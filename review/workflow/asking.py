"""Asks the worker for something that may be asked for again: one job per subject, with the newest payload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from review.infra import jobs
from review.infra.db import db
from review.infra.jobs import JobRow, JobState

FAILED = "workflow:job_failed"


def ask(kind: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put the job in line, also when it was done or failed before; one that waits or runs already stays as it is."""
    if jobs.ask_again(key, now):
        db.session.execute(update(JobRow).where(JobRow.key == key).values(payload=dict(payload)))
    else:
        jobs.enqueue(kind, key, payload, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """How the jobs of one subject stand: the key of the one under way, and the codes that say why one failed."""

    busy: str | None
    refused: tuple[str, ...]


def stand_of(*keys: str) -> Asked:
    """How these jobs stand; one query. The first key that is under way, or the first that failed, is told.

    What an accident says of itself is for the log: whoever asked is told that there was one.
    """
    found = _rows(keys)
    return _stand([found[key] for key in keys if key in found])


def stand_of_each(*keys: str) -> list[Asked]:
    """The same for each of them; one query."""
    found = _rows(keys)
    return [_stand([found[key]] if key in found else []) for key in keys]


def _rows(keys: Sequence[str]) -> dict[str, JobRow]:
    return {row.key: row for row in db.session.scalars(select(JobRow).where(JobRow.key.in_(keys)))}


def _stand(rows: Sequence[JobRow]) -> Asked:
    busy = next((row.key for row in rows if row.state in {JobState.WAITING, JobState.RUNNING}), None)
    failed = next((row for row in rows if row.state is JobState.FAILED), None)
    if busy or failed is None:
        return Asked(busy, ())
    return Asked(None, tuple(failed.refusal or [FAILED]))
