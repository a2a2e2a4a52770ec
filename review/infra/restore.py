"""Puts a backup in the place of what is there: checked whole in a folder aside, then switched, all or nothing.

What is replaced is moved aside and never deleted. A switch that was cut short is finished by whoever starts next.
"""

import json
import logging
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from review.domain.refusals import Invalid, Taken
from review.infra import migrate, postgres_client
from review.infra.archive import Manifest, Reader, reading
from review.infra.backup import UPLOADS, nobody, settle, sqlite_file
from review.infra.settings import Settings

if os.name != "nt":
    import fcntl

JOURNAL, LOCK = "restore.json", "restore.lock"
STAGES = ".restore-*"
BESIDE = ("-wal", "-shm", "-journal")

Report = Callable[[str, int, int], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Todo:
    """The job that the restored database finds waiting, so that what has to follow does follow."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Switch:
    """A restore that is decided: from here on it is only ever carried through. `stage` names the folders it is in."""

    stage: str
    aside: str
    database: bool  # whether a database file has to change its place too, or a server has done its part
    mark: str  # what the server's schema says about itself once it has


def restore(
    settings: Settings, file: Path, todo: Todo, *, now: datetime, replace: bool = False, report: Report = nobody
) -> Manifest:
    """Check the archive, bring its database to the newest schema, put it in place.

    The caller makes sure that no worker runs. Raises Invalid for an archive that is damaged, strange or of a newer
    schema, Taken when there is something here already and `replace` was not said, or when a process is at work.
    """
    with _alone(settings.data_dir), reading(file) as archive:
        _carry_on(settings)
        _check_fits(archive, settings)
        if not replace and not is_empty(settings.database_url):
            raise Taken("backup:not_empty")
        switch = Switch(secrets.token_hex(8), f"{now:%Y%m%d_%H%M%S}", settings.is_sqlite, secrets.token_hex(8))
        try:
            database = _stage(settings, archive, switch, report)
            put_in_place = _sqlite if settings.is_sqlite else _postgresql
            put_in_place(settings, database, switch, todo, now)
        except BaseException:
            if not (settings.data_dir / JOURNAL).exists():
                _clear(settings)
            raise
        return archive.manifest


def finish_interrupted(settings: Settings) -> None:
    """Carry a switch through that was cut short. Called at every start, before anything opens the database."""
    if (settings.data_dir / JOURNAL).exists():
        with _alone(settings.data_dir):
            try:
                _carry_on(settings)
            except OperationalError:
                log.warning("a restore waits to be finished until the database answers")


def is_empty(url: str) -> bool:
    """Whether nobody lives in this database yet: no tables, or nobody in them."""
    if url.startswith("sqlite") and not sqlite_file(url).exists():
        return True
    try:
        with create_engine(url, poolclass=NullPool).connect() as connection:
            tables = inspect(connection).get_table_names()
            if "person" in tables:
                return connection.scalar(text("SELECT 1 FROM person LIMIT 1")) is None
            return not tables
    except DatabaseError:
        if url.startswith("sqlite"):
            return False  # broken beyond reading, but somebody's
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One restore at a time; whoever starts meanwhile waits until it is over."""
    with (folder / LOCK).open("a") as lock:
        if os.name != "nt":
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_fits(archive: Reader, settings: Settings) -> None:
    manifest = archive.manifest
    here = "sqlite" if settings.is_sqlite else "postgresql"
    names = [part.name for part in manifest.parts if not part.name.startswith(UPLOADS)]
    if manifest.database != here:
        raise Invalid("backup:other_database", there=manifest.database, here=here)
    if names != ["database.sqlite" if settings.is_sqlite else "database.dump"]:
        raise Invalid("backup:damaged", part="manifest.json")
    if not manifest.schema or not set(manifest.schema) <= migrate.known():
        raise Invalid("backup:newer_schema", product=manifest.product)
    free = shutil.disk_usage(settings.data_dir).free
    if archive.size > free:
        raise Invalid("backup:no_room", needed=archive.size // 2**20 + 1, free=free // 2**20)


def _folders(settings: Settings, name: str) -> tuple[Path, Path]:
    """A folder of this name beside the database and one beside the uploads: a move must not cross file systems."""
    data = settings.data_dir
    return (sqlite_file(settings.database_url).parent if settings.is_sqlite else data) / name, data / name


def _stage(settings: Settings, archive: Reader, switch: Switch, report: Report) -> Path:
    """Unpack everything into folders aside, every sum checked; the database's file."""
    _clear(settings)
    near_database, near_uploads = _folders(settings, f".restore-{switch.stage}")
    for folder in (near_database, near_uploads, near_uploads / UPLOADS):
        folder.mkdir(mode=0o700, exist_ok=True)
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        report("unpack", done, archive.size)

    database = near_database / "database"
    for part in archive.manifest.parts:
        is_upload = part.name.startswith(UPLOADS)
        archive.copy_out(part, near_uploads / part.name if is_upload else database, advance)
    settle(near_uploads / UPLOADS)
    settle(near_database)
    return database


def _sqlite(settings: Settings, database: Path, switch: Switch, todo: Todo, now: datetime) -> None:
    """Migrate the copy, then switch files. The journal is the moment from which the new state counts."""
    _check_sqlite(database)
    url = URL.create("sqlite", database=str(database)).render_as_string()
    try:
        migrate.upgrade(url)
    except SQLAlchemyError as error:
        raise Invalid("backup:damaged", part="database.sqlite") from error
    with closing(sqlite3.connect(database)) as copy:
        copy.execute(JOB, _values(todo, f"{now:%Y-%m-%d %H:%M:%S.%f}"))
        copy.commit()
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, no log that could be left behind
    _flush(database)
    _hold_still(sqlite_file(settings.database_url))
    _decide(settings, switch)
    _carry_on(settings)


def _check_sqlite(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as copy:
            (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            lost = copy.execute("PRAGMA foreign_key_check").fetchone()
            revisions = {revision for (revision,) in copy.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error as error:
        raise Invalid("backup:damaged", part="database.sqlite") from error
    if said != "ok" or lost is not None or not revisions or not revisions <= migrate.known():
        raise Invalid("backup:damaged", part="database.sqlite")


JOB = (
    "INSERT INTO job (kind, key, payload, state, run_at, attempts) VALUES (:kind, :key, :payload, 'waiting', :now, 0) "
    "ON CONFLICT (key) DO NOTHING"
)


def _values(todo: Todo, now: str) -> dict[str, str]:
    return {"kind": todo.kind, "key": todo.key, "payload": json.dumps({"key": todo.key}), "now": now}


def _hold_still(database: Path) -> None:
    """Write the old database's log back into its file. Raises Taken when another process has it open."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=5)) as old:
            if old.execute("PRAGMA journal_mode=DELETE").fetchone() != ("delete",):
                raise Taken("backup:still_running")
    except sqlite3.OperationalError as error:
        raise Taken("backup:still_running") from error
    except sqlite3.DatabaseError:
        pass  # broken beyond reading: that may be why it is being replaced


def _postgresql(settings: Settings, dump: Path, switch: Switch, todo: Todo, now: datetime) -> None:
    """Have the server do it in one transaction whose last act says so; then the uploads follow."""
    if not postgres_client.listed(dump):
        raise Invalid("backup:damaged", part="database.dump")
    engine = create_engine(settings.database_url, poolclass=NullPool)
    with engine.connect() as connection:
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        for _ in range(20):  # the server takes a moment to see off connections of our own that are closed already
            if not connection.scalar(others):
                break
            connection.rollback()
            time.sleep(0.2)
        else:
            raise Taken("backup:still_running")
        before = _move_aside(connection, switch)
    job = text(JOB.replace("INTO job", "INTO public.job")).bindparams(**_values(todo, f"{now:%Y-%m-%d %H:%M:%S.%f}+00"))
    literal = str(job.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
    _decide(settings, switch)
    try:
        postgres_client.replay(
            settings.database_url, dump, before, f"{literal};\nCOMMENT ON SCHEMA public IS '{switch.mark}';"
        )
    finally:
        _carry_on(settings)
    migrate.upgrade(settings.database_url)


def _move_aside(connection: Connection, switch: Switch) -> str:
    """The statements that make room for the dump; an empty schema is simply used."""
    if not inspect(connection).get_table_names(schema="public"):
        return "CREATE SCHEMA IF NOT EXISTS public;"
    name, number = f"replaced_{switch.aside}", 1
    while name in inspect(connection).get_schema_names():
        number += 1
        name = f"replaced_{switch.aside}_{number}"
    return f"ALTER SCHEMA public RENAME TO {name};\nCREATE SCHEMA public;"


def _decide(settings: Settings, switch: Switch) -> None:
    """Write the journal, whole and on the disk."""
    fresh = settings.data_dir / f".{JOURNAL}.{switch.stage}"
    said = {"stage": switch.stage, "aside": switch.aside, "database": switch.database, "mark": switch.mark}
    fresh.write_text(json.dumps(said))
    _flush(fresh)
    fresh.rename(settings.data_dir / JOURNAL)
    settle(settings.data_dir)


def _carry_on(settings: Settings) -> None:
    """Finish what the journal says, from wherever it was left; without a journal there is nothing to do."""
    journal = settings.data_dir / JOURNAL
    if not journal.exists():
        return
    switch = Switch(**json.loads(journal.read_text()))
    if switch.database or _has_happened(settings, switch):
        near_database, near_uploads = _folders(settings, f".restore-{switch.stage}")
        old_database, old_uploads = _folders(settings, f"replaced-{switch.aside}")
        if switch.database:
            _change(near_database / "database", sqlite_file(settings.database_url), old_database)
        _change(near_uploads / UPLOADS, settings.data_dir / UPLOADS, old_uploads)
    journal.unlink()
    settle(settings.data_dir)
    _clear(settings)


def _has_happened(settings: Settings, switch: Switch) -> bool:
    """Whether the server has taken the dump; while it does not answer nothing can be decided."""
    asked = text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'public'")
    engine = create_engine(settings.database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Of a restore that was killed the server may still be carrying out what it had been sent.
        ours = text("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = :ours")
        connection.execute(ours, {"ours": postgres_client.RESTORING})
        return bool(connection.scalar(asked) == switch.mark)


def _change(staged: Path, place: Path, aside: Path) -> None:
    """Put `staged` in its place and what was there aside. Harmless to repeat."""
    if not staged.exists():
        return
    for path in (place, *(place.with_name(place.name + ending) for ending in BESIDE)):
        if path.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            path.rename(_free_name(aside / path.name))
            settle(aside)
    staged.rename(place)
    settle(place.parent)


def _free_name(path: Path) -> Path:
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _clear(settings: Settings) -> None:
    """Remove what restores that came to nothing have unpacked. Only ever called without a journal."""
    for folder in {place.parent for place in _folders(settings, "any")}:
        for left in folder.glob(STAGES):
            shutil.rmtree(left)
        for fresh in folder.glob(f".{JOURNAL}.*"):
            fresh.unlink()


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
