"""Durable work: a job is a row written in the business transaction that wants it, done later by a worker.

At least once: a worker that dies leaves a lease behind, and the next one takes the job over when it has run out. A
job's handler must therefore be harmless to repeat.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Index, String, Text, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.refusals import Refusal
from review.infra.db import db, enum_column, insert_into, only_reading, rows_changed

LEASE = timedelta(minutes=15)
TRIES = 8

log = logging.getLogger(__name__)


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRow(db.Model):
    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state_run_at", "state", "run_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(160), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[JobState] = mapped_column(enum_column(JobState, "job_state"))
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    refusal: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # codes that can be put into words
    finished_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Job:
    """What a handler gets to see: its payload, the instant it runs at, and where to say how far it is."""

    key: str
    payload: Mapping[str, Any]
    now: datetime
    report: Callable[[int, int, str], None] = field(default=lambda _done, _total, _step: None)


Handler = Callable[[Job], None]


class Unfinished(Exception):  # noqa: N818  an answer, not an error
    """A handler has done a part of a long work: it wants to go on once whatever else is due has had its turn."""


def enqueue(kind: str, key: str, payload: Mapping[str, Any], now: datetime, run_at: datetime | None = None) -> None:
    """Ask for `kind` to be done, in the caller's transaction. A second job with the same key is not added."""
    row = insert_into(JobRow).values(
        kind=kind, key=key, payload=dict(payload), state=JobState.WAITING, run_at=run_at or now, attempts=0
    )
    db.session.execute(row.on_conflict_do_nothing(index_elements=["key"]))


def ask_again(key: str, now: datetime) -> bool:
    """Put a finished or failed job back in line, for instance when somebody presses the button once more."""
    done = update(JobRow).where(JobRow.key == key, JobRow.state.in_([JobState.DONE, JobState.FAILED]))
    fresh = done.values(state=JobState.WAITING, run_at=now, attempts=0, error=None, refusal=None, finished_at=None)
    return rows_changed(fresh) == 1


def find(key: str) -> JobRow | None:
    return db.session.scalar(select(JobRow).where(JobRow.key == key))


def _due(now: datetime) -> Any:
    waiting = (JobRow.state == JobState.WAITING) & (JobRow.run_at <= now)
    abandoned = (JobRow.state == JobState.RUNNING) & (JobRow.lease_until < now)
    return or_(waiting, abandoned)


def _claim(worker: str, now: datetime) -> JobRow | None:
    """Take the next due job, by conditional update; losing the race to another worker is normal."""
    candidate = select(JobRow.id).where(_due(now)).order_by(JobRow.run_at, JobRow.id).limit(1)
    if db.engine.dialect.name == "postgresql":
        candidate = candidate.with_for_update(skip_locked=True)
    taken = (
        update(JobRow)
        .where(JobRow.id == candidate.scalar_subquery(), _due(now))
        .values(state=JobState.RUNNING, worker=worker, lease_until=now + LEASE, attempts=JobRow.attempts + 1)
        .returning(JobRow)
    )
    row = db.session.scalar(taken)
    db.session.commit()
    return row


def _finish(row_id: int, worker: str, **values: Any) -> None:
    mine = update(JobRow).where(JobRow.id == row_id, JobRow.worker == worker, JobRow.state == JobState.RUNNING)
    db.session.execute(mine.values(lease_until=None, **values))
    db.session.commit()


@contextmanager
def _kept_alive(row_id: int, worker: str, now: datetime) -> Iterator[None]:
    """Renew the lease while the job runs, so that no second worker takes a long job for an abandoned one.

    Not on SQLite: there the holder of the worker's lock is the only worker, and a running job may hold the write lock.
    """
    engine, done, began = db.engine, threading.Event(), time.monotonic()
    if engine.dialect.name == "sqlite":
        yield
        return
    mine = update(JobRow).where(JobRow.id == row_id, JobRow.worker == worker, JobRow.state == JobState.RUNNING)

    def renew() -> None:
        while not done.wait(LEASE.total_seconds() / 3):
            try:
                with engine.begin() as connection:
                    until = now + timedelta(seconds=time.monotonic() - began) + LEASE
                    connection.execute(mine.values(lease_until=until))
            except SQLAlchemyError:
                log.warning("the lease of a job could not be renewed")

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Progress:
    """How far running jobs are, in small files beside the database.

    A long job holds the one write lock SQLite has; a row could not tell anybody about it before it is over.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "progress"

    def _file(self, key: str) -> Path:
        return self._folder / f"{key.replace(':', '-').replace('/', '-')}.json"

    def write(self, key: str, done: int, total: int, step: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._file(key).with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps({"done": done, "total": total, "step": step}))
        fresh.replace(self._file(key))

    def read(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._file(key).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return found

    def clear(self, key: str) -> None:
        self._file(key).unlink(missing_ok=True)


def work_one(handlers: Mapping[str, Handler], progress: Progress, worker: str, now: datetime) -> bool:
    """Do the next due job in an application context; False when nothing is due. One job that fails stops no other."""
    with only_reading():  # an idle worker must not take SQLite's one write lock twice a second
        anything = db.session.scalar(select(JobRow.id).where(_due(now)).limit(1))
        db.session.rollback()
    row = _claim(worker, now) if anything else None
    if row is None:
        return False
    if row.attempts > TRIES:  # whoever did it died every time: a job that kills its worker must not go on for ever
        _finish(row.id, worker, state=JobState.FAILED, error="abandoned", finished_at=now)
        return True
    row_id, key, kind, payload, attempts = row.id, row.key, row.kind, row.payload, row.attempts
    job = Job(key, payload, now, lambda done, total, step: progress.write(key, done, total, step))
    try:
        with _kept_alive(row_id, worker, now):
            handlers[kind](job)
            db.session.commit()
    except Unfinished:
        db.session.commit()
        _finish(row_id, worker, state=JobState.WAITING, run_at=now, attempts=0)
        return True
    except Refusal as refusal:
        # A refusal is an answer, not an accident: the same input would be refused again.
        db.session.rollback()
        codes = [problem.code for problem in refusal.problems]
        _finish(row_id, worker, state=JobState.FAILED, error=str(refusal), refusal=codes, finished_at=now)
    except Exception as error:
        db.session.rollback()
        log.warning("job %s failed (attempt %s)", kind, attempts, exc_info=error)
        if attempts >= TRIES:
            _finish(row_id, worker, state=JobState.FAILED, error=f"{type(error).__name__}: {error}", finished_at=now)
        else:
            later = now + timedelta(seconds=min(3600, 5 * 2**attempts))
            _finish(row_id, worker, state=JobState.WAITING, run_at=later, error=f"{type(error).__name__}: {error}")
    else:
        _finish(row_id, worker, state=JobState.DONE, error=None, finished_at=now)
    progress.clear(key)
    return True


def work_all(handlers: Mapping[str, Handler], progress: Progress, worker: str, now: datetime) -> int:
    """Do everything that is due at `now`, in order; how many jobs that were."""
    count = 0
    while work_one(handlers, progress, worker, now):
        count += 1
    return count
