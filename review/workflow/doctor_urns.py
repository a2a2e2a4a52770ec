"""The doctor looks at urns and keys: what should be here and is not, and what should not be and is; never a ballot."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from review.ballots import service as ballots
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.infra.db import db
from review.infra.preconditions import archives_wal
from review.infra.settings import Settings
from review.workflow.finding import Finding

URN_PAGE = 16384  # bytes: a ballot never needs an overflow page, whose place would tell when it came
COLUMNS = ["token_hash", "version", "sealed"]
KEY_FILE = re.compile(r"(?:urn|seal|share)-(\d+)(?:-\d)?\.(?:key|pub|wrapped|once)|tickets-(\d+)|index-(\d+)\.json")
TOMBSTONE = re.compile(r"urn-(\d+)(?:-[0-9a-f]+)?\.gone")
RUNNING = frozenset({Stage.COLLECTING, Stage.COUNTING})
COMING = frozenset({Stage.DRAFT, Stage.NOMINATING})
MOST = 20  # numbers named in one sentence


@dataclass(slots=True)
class Cycles:
    """Which cycles run and are not counted yet, and which may have keys before their launch."""

    running: set[int] = field(default_factory=set)
    coming: set[int] = field(default_factory=set)


def look_over(settings: Settings, *, with_cycles: bool) -> Iterator[Finding]:
    """Every check of urns and keys; without a database that can be asked, only those that need none."""
    yield from _files(settings.keys_dir)
    standing, findings = _standing(settings)
    yield from findings
    if settings.urn_url and archives_wal(settings.urn_url):
        yield Finding("workflow:urn_wal_archived", False)
    if with_cycles:
        yield from _of_cycles(settings, standing)


def _files(folder: Path) -> Iterator[Finding]:
    """No file of a key may be open to anybody but its owner."""
    open_ones = sorted(path.name for path in folder.rglob("*") if path.lstat().st_mode & 0o077)
    if open_ones:
        yield Finding("workflow:key_files_readable", False, f"{folder}: {_some(open_ones)}")
    else:
        yield Finding("workflow:key_files_ok", True)


def _of_cycles(settings: Settings, standing: set[int]) -> Iterator[Finding]:
    known = _cycles()
    keyed, gone = _numbers(settings.keys_dir, KEY_FILE), _numbers(settings.keys_dir, TOMBSTONE)
    may_have = known.running | known.coming
    left_urns, left_keys = sorted(standing - known.running), sorted(keyed - may_have)
    spent = sorted(number for number in known.running if ballots.is_spent(number))
    lost = sorted(number for number in known.running.difference(spent) if ballots.is_lost(number))
    for code, numbers in (
        ("workflow:urns_left", left_urns),
        ("workflow:keys_left", left_keys),
        ("workflow:running_without_keys", lost),
        ("workflow:running_but_destroyed", spent),
    ):
        if numbers:
            yield Finding(code, False, _some(numbers))
    if not (left_urns or left_keys or lost or spent):
        yield Finding("workflow:urns_match", True, str(len(gone)))


def _cycles() -> Cycles:
    found = Cycles()
    for number, stage in db.session.execute(select(CycleRow.id, CycleRow.stage)).all():
        if stage in RUNNING and not ballots.is_counted(number):
            found.running.add(number)
        elif stage in COMING:
            found.coming.add(number)
    return found


def _numbers(folder: Path, pattern: re.Pattern[str]) -> set[int]:
    hits = (pattern.fullmatch(path.name) for path in folder.iterdir())
    return {int(next(group for group in hit.groups() if group)) for hit in hits if hit}


def _some(things: list[int] | list[str]) -> str:
    named = ", ".join(str(each) for each in things[:MOST])
    return f"{named}, …" if len(things) > MOST else named


def _standing(settings: Settings) -> tuple[set[int], list[Finding]]:
    """The cycles whose urns stand, and whether each urn is laid out as it should be."""
    if settings.urn_url:
        return _schemas(settings.urn_url)
    files = sorted((settings.data_dir / "urns").glob("*.sqlite"))
    return {int(file.stem) for file in files if file.stem.isdigit()}, [_file(file) for file in files]


def _file(file: Path) -> Finding:
    """Whether an open urn keeps no order and nothing but its three columns: read only, never a ballot."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(ballot)")]
            tables = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view', 'trigger')"
            )
            made_by = {name: (sql or "").upper() for name, sql in tables}
            (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
            (page,) = connection.execute("PRAGMA page_size").fetchone()
    except sqlite3.DatabaseError:
        return Finding("workflow:urn_unreadable", False, file.name)
    keeps_no_order = "WITHOUT ROWID" in made_by.get("ballot", "") and journal != "wal" and page == URN_PAGE
    is_safe = keeps_no_order and columns == COLUMNS and set(made_by) <= {"ballot", "alembic_version"}
    is_closed_to_others = not file.stat().st_mode & 0o077
    if is_safe and not is_closed_to_others:
        return Finding("workflow:urn_readable_by_others", False, str(file))
    return Finding("workflow:urn_ok" if is_safe else "workflow:urn_unsafe", is_safe, file.name)


def _schemas(url: str) -> tuple[set[int], list[Finding]]:
    """The same for urns that are schemas of a PostgreSQL database."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 3}, hide_parameters=True)
    try:
        with engine.connect() as connection:
            names = connection.scalars(
                text("SELECT nspname FROM pg_namespace WHERE nspname ~ '^urn_[0-9]+$' ORDER BY 1")
            )
            found = {name: _is_safe(connection, name) for name in names.all()}
    except SQLAlchemyError as error:
        return set(), [Finding("workflow:urn_server_unreachable", False, type(error).__name__)]
    findings = [Finding("workflow:urn_ok" if ok else "workflow:urn_unsafe", ok, name) for name, ok in found.items()]
    return {int(name.removeprefix("urn_")) for name in found}, findings


def _is_safe(connection: Connection, schema: str) -> bool:
    """Nothing but tables of ballots (whole or in leaves) with exactly their three columns, and Alembic's own.

    No default, no trigger, no index but that of the key, no sequence, nothing that would keep a time or an order.
    """
    relations = connection.execute(
        text(
            "SELECT c.relname, c.relkind, "
            "ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.atthasdef FROM pg_attribute a "
            "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum), "
            "EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) "
            "OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid), "
            "EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = c.oid AND i.indisprimary) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema"
        ),
        {"schema": schema},
    ).all()
    return bool(relations) and all(_is_plain(*relation) for relation in relations)


def _is_plain(name: str, kind: str, columns: list[str], acts: bool, is_key: bool) -> bool:
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind in {"i", "I"}:
        return is_key
    if kind not in {"r", "p"} or acts:
        return False
    if name == "alembic_version":
        return columns == ["version_num character varying(32)false"]
    return columns == ["token_hash byteafalse", "version smallintfalse", "sealed byteafalse"]
