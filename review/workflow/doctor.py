"""Looks an installation over: each check has a code, and what is wrong has words that name the remedy."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from review.infra import migrate, preconditions
from review.infra.db import db
from review.infra.settings import Settings
from review.workflow import doctor_mail, doctor_urns
from review.workflow.finding import Finding
from review.workflow.worker import beat_file

STALE = timedelta(minutes=2)


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every check, in the order in which one would mend what is broken."""
    reachable = _database()
    yield reachable
    schema = _schema(settings) if reachable.is_ok else None
    if schema is not None:
        yield schema
    yield from _preconditions(settings)
    yield _keys(settings)
    yield from doctor_urns.look_over(settings, with_cycles=schema is not None and _has_tables())
    yield from doctor_mail.look_over(settings, now, with_letters=schema is not None and schema.is_ok)
    yield _worker(settings, now)


def _database() -> Finding:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return Finding("workflow:database_unreachable", False, type(error).__name__)
    finally:
        db.session.rollback()
    return Finding("workflow:database_ok", True)


def _has_tables() -> bool:
    """Whether cycles can be asked for; a database that was never upgraded has none."""
    try:
        return inspect(db.engine).has_table("cycle") and inspect(db.engine).has_table("urn")
    finally:
        db.session.rollback()


def _schema(settings: Settings) -> Finding:
    if migrate.is_at_head(settings.database_url):
        return Finding("workflow:schema_ok", True)
    return Finding("workflow:schema_outdated", False)


def _preconditions(settings: Settings) -> Iterator[Finding]:
    """What every start asks for, too: here each is told, and the doctor goes on."""
    wrong = list(preconditions.unmet(settings, db.engine))
    for problem in wrong:
        yield Finding(problem.code, False, params=problem.params)
    if not wrong:
        yield Finding("workflow:preconditions_ok", True)


def _keys(settings: Settings) -> Finding:
    if settings.keys_dir.stat().st_mode & 0o077:
        return Finding("workflow:keys_readable_by_others", False, str(settings.keys_dir))
    return Finding("workflow:keys_ok", True)


def _worker(settings: Settings, now: datetime) -> Finding:
    beat = beat_file(settings.data_dir)
    if not beat.exists() or now.timestamp() - beat.stat().st_mtime > STALE.total_seconds():
        return Finding("workflow:worker_silent", False)
    return Finding("workflow:worker_ok", True)
