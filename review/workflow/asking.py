"""Asks the worker for something that may be asked for again: one job per subject, with the newest payload."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update

from review.infra import jobs
from review.infra.db import db
from review.infra.jobs import JobRow, JobState


def ask(kind: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put the job in line, also when it was done or failed before; one that waits or runs already stays as it is."""
    if jobs.ask_again(key, now):
        db.session.execute(update(JobRow).where(JobRow.key == key).values(payload=dict(payload)))
    else:
        jobs.enqueue(kind, key, payload, now)


def is_busy(key: str) -> bool:
    """Whether the job waits or runs."""
    row = jobs.find(key)
    return row is not None and row.state in {JobState.WAITING, JobState.RUNNING}


def refusal_of(key: str) -> list[str]:
    """The codes a failed job was refused with, in the order of the needs; empty when it did not fail."""
    row = jobs.find(key)
    if row is None or row.state is not JobState.FAILED or not row.error:
        return []
    return [part.split(" at ")[0].strip() for part in row.error.split(";")]
