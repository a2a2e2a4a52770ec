"""Looks an installation over: each check has a code, and what is wrong has words that name the remedy."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from review.infra import mail, migrate
from review.infra.db import db
from review.infra.settings import Settings
from review.workflow.worker import beat_file

STALE = timedelta(minutes=2)
URN_PAGE = 16384  # bytes: a ballot never needs an overflow page, whose place would tell when it came


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `code` names what is right or wrong, `is_ok` which of the two."""

    code: str
    is_ok: bool
    detail: str = ""


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every check, in the order in which one would mend what is broken."""
    reachable = _database()
    yield reachable
    if reachable.is_ok:
        yield _schema(settings)
    yield _keys(settings)
    yield from _urns(settings)
    yield _mail(settings)
    yield _worker(settings, now)


def _database() -> Finding:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return Finding("workflow:database_unreachable", False, type(error).__name__)
    finally:
        db.session.rollback()
    return Finding("workflow:database_ok", True)


def _schema(settings: Settings) -> Finding:
    if migrate.is_at_head(settings.database_url):
        return Finding("workflow:schema_ok", True)
    return Finding("workflow:schema_outdated", False)


def _keys(settings: Settings) -> Finding:
    inside = settings.data_dir in settings.keys_dir.parents or settings.keys_dir == settings.data_dir
    if inside:
        return Finding("workflow:keys_inside_data", False, str(settings.keys_dir))
    if settings.keys_dir.stat().st_mode & 0o077:
        return Finding("workflow:keys_readable_by_others", False, str(settings.keys_dir))
    return Finding("workflow:keys_ok", True)


def _urns(settings: Settings) -> Iterator[Finding]:
    if settings.urn_url:
        return
    for file in sorted((settings.data_dir / "urns").glob("*.sqlite")):
        yield _urn(file)


def _urn(file: Path) -> Finding:
    """Whether an open urn keeps no order and nothing but its three columns: read only, never a ballot."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(ballot)")]
        (made_by,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ballot'").fetchone() or ("",)
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    finally:
        connection.close()
    keeps_no_order = "WITHOUT ROWID" in made_by.upper() and journal != "wal" and page == URN_PAGE
    is_safe = keeps_no_order and columns == ["token_hash", "version", "sealed"]
    return Finding("workflow:urn_ok" if is_safe else "workflow:urn_unsafe", is_safe, file.name)


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding("workflow:mail_not_set_up", False)
    try:
        with mail.connection(settings.smtp_url) as client:
            client.noop()
    except OSError as error:
        return Finding("workflow:mail_unreachable", False, f"{type(error).__name__}: {error}")
    return Finding("workflow:mail_ok", True)


def _worker(settings: Settings, now: datetime) -> Finding:
    beat = beat_file(settings.data_dir)
    if not beat.exists() or now.timestamp() - beat.stat().st_mtime > STALE.total_seconds():
        return Finding("workflow:worker_silent", False)
    return Finding("workflow:worker_ok", True)
