"""The worker process: does jobs, sends letters, and, if it leads, lets the clock tick once a minute.

Everything true is in the tables. This process may be killed at any moment and started again anywhere.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from review.infra import bounce_mailbox, claims, jobs, mail
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.house import House
from review.infra.jobs import JobRow, JobState
from review.workflow.leadership import Leadership, leadership_of
from review.workflow.tick import tick

IDLE_SECONDS = 0.5
STANDBY_SECONDS = 5.0
BEAT = "worker.beat"

log = logging.getLogger(__name__)


class Worker:
    """One worker. `run` returns after `stop` was called or, with `parent`, after that process is gone."""

    def __init__(self, app: Flask, *, parent: int | None = None, now: Callable[[], datetime] = clock_now) -> None:
        self.app = app
        self.now = now
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}"
        self._parent = parent
        self._stopping = threading.Event()
        house: House = app.extensions["review"]
        self._house = house
        self._leads: Leadership = leadership_of(house.settings.database_url, house.settings.data_dir)
        self._scheduler: BackgroundScheduler | None = None

    def stop(self, *_signal: Any) -> None:
        """End after the job at hand; the handler of SIGTERM and SIGINT."""
        self._stopping.set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set() and not self._is_orphan():
                self._stopping.wait(self._turn())
        finally:
            if self._scheduler is not None:
                self._scheduler.shutdown(wait=True)
            self._leads.release()
            with self.app.app_context():
                db.engine.dispose()

    def _turn(self) -> float:
        """One round of the loop; how long to rest after it."""
        leads = self._lead()
        if not leads and self._house.settings.is_sqlite:
            return STANDBY_SECONDS  # one file, one drain: the second worker waits to take over
        self._beat()
        try:
            return 0 if self.work_once() else IDLE_SECONDS
        except SQLAlchemyError:
            log.warning("the database did not answer", exc_info=True)
            return STANDBY_SECONDS

    def work_once(self) -> bool:
        """One job and one batch of letters; False when neither was due."""
        with self.app.app_context():
            worked = jobs.work_one(self._house.handlers, self._house.progress, self.name, self.now())
        with self.app.app_context():
            sent = mail.send_due(self.now())
        return worked or bool(sent)

    def _lead(self) -> bool:
        try:
            leads = self._leads.take()
        except SQLAlchemyError:
            log.warning("leadership cannot be decided: the database did not answer")
            leads = False
        if leads and self._scheduler is None:
            self._take_over()
        elif not leads and self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
        return leads

    def _take_over(self) -> None:
        if self._house.settings.is_sqlite:
            with self.app.app_context():
                self.free_abandoned()
                claims.free_abandoned(self.now())
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._tick, "interval", minutes=1, coalesce=True, max_instances=1, next_run_time=clock_now()
        )
        if self._house.settings.bounce_imap:
            self._scheduler.add_job(
                self._fetch_bounces, "interval", minutes=1, coalesce=True, max_instances=1, next_run_time=clock_now()
            )
        self._scheduler.start()

    def free_abandoned(self) -> int:
        """Whoever locks a SQLite installation is its only worker: what still "runs" was killed, and is resumed."""
        running = update(JobRow).where(JobRow.state == JobState.RUNNING)
        free = running.values(state=JobState.WAITING, lease_until=None, worker=None)
        freed = len(db.session.scalars(free.returning(JobRow.id)).all())
        db.session.commit()
        return freed

    def _tick(self) -> None:
        with self.app.app_context():
            tick(self.now())

    def _fetch_bounces(self) -> None:
        """Apart from the tick: a mailbox that stalls must not hold reminders up."""
        with self.app.app_context():
            try:
                bounce_mailbox.poll(self.now())
            except bounce_mailbox.FAILURES as error:
                log.warning("the bounce mailbox could not be read: %s", type(error).__name__)

    def _is_orphan(self) -> bool:
        return self._parent is not None and os.getppid() != self._parent

    def _beat(self) -> None:
        beat_file(self._house.settings.data_dir).touch()


def beat_file(data_dir: Path) -> Path:
    """Its time of change says when a worker last went round; the doctor looks at it."""
    return data_dir / BEAT


def run_here(app: Flask, *, parent: int | None = None) -> None:
    """Run a worker in this process until SIGTERM or SIGINT."""
    worker = Worker(app, parent=parent)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()
