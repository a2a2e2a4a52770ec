"""Asks the worker for something that may be asked for again: one job per subject, with the newest payload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from review.infra import jobs
from review.infra.db import db
from review.infra.jobs import JobRow, JobState


def ask(kind: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put the job in line, also when it was done or failed before; one that waits or runs already stays as it is."""
    if jobs.ask_again(key, now):
        db.session.execute(update(JobRow).where(JobRow.key == key).values(payload=dict(payload)))
    else:
        jobs.enqueue(kind, key, payload, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """How the jobs of one subject stand: the key of the one under way, and the codes a failed one was refused with."""

    busy: str | None
    refused: tuple[str, ...]


def stand_of(*keys: str) -> Asked:
    """How these jobs stand; one query. The first key that is under way, or the first that was refused, is told."""
    found = {row.key: row for row in db.session.scalars(select(JobRow).where(JobRow.key.in_(keys)))}
    rows = [found[key] for key in keys if key in found]
    busy = next((row.key for row in rows if row.state in {JobState.WAITING, JobState.RUNNING}), None)
    failed = next((row.error for row in rows if row.state is JobState.FAILED and row.error), "")
    codes = tuple(part.split(" at ")[0].strip() for part in failed.split(";") if part)
    return Asked(busy, () if busy else codes)
