"""Keeps an uploaded file of tickets until it is imported: on disk, under a random name, gone after that or a day."""

import re
import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from review.domain.records import ImportState
from review.helpdesk import unpacking
from review.helpdesk.tables import ImportRow
from review.infra.db import db
from review.infra.house import house

KEPT = timedelta(days=1)
NAME = re.compile(r"[A-Za-z0-9_-]{22}")
FILE = "file"
TABLES = "tables"


def _base() -> Path:
    return house().settings.data_dir / "imports"


def folder(stored: str | None) -> Path | None:
    """Where a kept file lies, None when it is gone."""
    if stored is None or not NAME.fullmatch(stored):
        return None
    path = _base() / stored
    return path if (path / FILE).is_file() else None


def keep(upload: FileStorage) -> tuple[str, str]:
    """Stream a file to disk; its name there and its digest. Raises Invalid for what is plainly no export."""
    base = _base()
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = secrets.token_urlsafe(16)
    path = base / name
    path.mkdir(mode=0o700)
    try:
        (path / FILE).touch(mode=0o600)
        upload.save(path / FILE)
        unpacking.kind_of(path / FILE)
        return name, unpacking.digest_of(path / FILE)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def forget(stored: str | None) -> None:
    path = folder(stored)
    if path is not None:
        shutil.rmtree(path, ignore_errors=True)


def clear_old(now: datetime) -> int:
    """Files that nobody confirmed for a day go, and their imports with them; how many."""
    stale = select(ImportRow).where(ImportRow.state == ImportState.WAITING, ImportRow.brought_at < now - KEPT)
    rows = list(db.session.scalars(stale))
    for row in rows:
        forget(row.stored)
        row.state, row.finished_at, row.stored = ImportState.REFUSED, now, None
        row.look = {"refused": [["helpdesk:expired", {}]]}
    return len(rows)
