"""Makes a backup: one archive with the main database and the uploads, never an urn and never a key.

Runs while the product does. Whoever kills it leaves the backups as they were; the next one clears the rest away.
"""

import os
import secrets
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib import metadata
from pathlib import Path

from sqlalchemy import make_url

from review.domain.refusals import Invalid, Taken
from review.infra import migrate, postgres_client
from review.infra.archive import NAME, Manifest, Writer, chunks_of
from review.infra.settings import PACKAGE, Settings, misplaced

if os.name != "nt":
    import fcntl

PAGES = 2000  # of the database at a time
UPLOADS = "uploads"
UNFINISHED = ".review-*.part"

Report = Callable[[str, int, int], None]  # step, done, in all


def nobody(_step: str, _done: int, _total: int) -> None:
    """Nobody wants to hear how far it is."""


def make(settings: Settings, to: Path | None, now: datetime, report: Report = nobody) -> tuple[Path, Manifest]:
    """Write a backup to `to`, or into the folder of backups; where it is and what it holds.

    Raises Taken when there is a file of that name, Invalid when the place would be within reach of keys or urns, when
    the database is not at the newest schema, or when PostgreSQL's client programs are missing.
    """
    target = _target(settings, to, now)
    if not migrate.is_at_head(settings.database_url):
        raise Invalid("settings:not_upgraded")
    with _fresh(target) as fresh:
        writer = Writer(fresh)
        try:
            _write_database(settings, fresh, writer, report)
            _write_uploads(settings.data_dir / UPLOADS, writer)
            manifest = writer.finish(
                product=product(),
                schema=tuple(sorted(migrate.heads())),
                database="sqlite" if settings.is_sqlite else "postgresql",
                made_at=now.isoformat(),
            )
        finally:
            writer.abandon()
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        if target.exists():
            raise Taken("backup:file_exists", file=str(target))
        fresh.rename(target)
    settle(target.parent)
    return target, manifest


def product() -> str:
    """The version of this product, of the checkout or of the installed package."""
    plan = PACKAGE.parent / "pyproject.toml"
    if plan.is_file():
        return str(tomllib.loads(plan.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("review360")


def _target(settings: Settings, to: Path | None, now: datetime) -> Path:
    """Where the archive will lie; its folder is made, for the service's user alone."""
    folder = settings.backups_dir if to is None else to.resolve().parent
    # A file in the data directory is no folder of backups, but the urns and the keys stay out of reach there, too.
    wrong = [] if folder == settings.data_dir else misplaced(settings.data_dir, settings.keys_dir, folder)
    inside = [settings.keys_dir, settings.data_dir / "urns"]
    if to is None and wrong:
        raise Invalid.of(wrong)
    if any(folder == place or place in folder.parents for place in inside):
        raise Invalid("backup:among_keys_or_urns", file=str(to))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"review-{now:%Y%m%d-%H%M%S}.zip" if to is None else to.resolve()
    if target.exists():
        raise Taken("backup:file_exists", file=str(target))
    return target


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """A file of a name that nobody takes for a backup, held so that another backup leaves it alone; gone afterwards."""
    _clear(target.parent)
    path = target.with_name(f".review-{secrets.token_hex(8)}.part")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as held:
        if os.name != "nt":
            fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Remove what killed backups left behind."""
    for left in folder.glob(UNFINISHED):
        with left.open("rb") as file:
            if os.name != "nt":
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue  # somebody is writing it
            left.unlink(missing_ok=True)
            for copy in folder.glob(f"{left.name}-*"):
                copy.unlink(missing_ok=True)


def _write_database(settings: Settings, fresh: Path, writer: Writer, report: Report) -> None:
    if not settings.is_sqlite:
        writer.add("database.dump", postgres_client.dump(settings.database_url, report), is_packed=True)
        return
    copy = fresh.with_name(f"{fresh.name}-database")
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        snapshot(sqlite_file(settings.database_url), copy, report)
        writer.add("database.sqlite", chunks_of(copy))
    finally:
        copy.unlink(missing_ok=True)


def sqlite_file(url: str) -> Path:
    """The file behind a SQLite address."""
    return Path(str(make_url(url).database)).resolve()


def snapshot(source: Path, to: Path, report: Report = nobody) -> None:
    """Copy a SQLite database that is in use, as it is at one moment, page by page."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=60)) as there,
        closing(sqlite3.connect(to)) as here,
    ):
        # Held open, this keeps the moment: without it every write by the product would make the copy begin anew.
        there.execute("BEGIN")
        there.execute("SELECT count(*) FROM sqlite_master").fetchone()
        there.backup(here, pages=PAGES, progress=lambda _state, left, total: report("database", total - left, total))
        here.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, no log beside it


def _write_uploads(folder: Path, writer: Writer) -> None:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        name = f"{UPLOADS}/{path.name}"
        if path.is_file() and not path.is_symlink() and NAME.fullmatch(name):
            try:
                writer.add(name, chunks_of(path))
            except FileNotFoundError:
                continue  # confirmed or expired meanwhile


def settle(folder: Path) -> None:
    """Wait until the disk knows which files the folder holds."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
