"""An urn as a SQLite file of its own, for installations without PostgreSQL.

Rollback journal, not write-ahead log: a log keeps the casts one after the other. TRUNCATE, not DELETE: only there does
synchronous=FULL promise that a ballot once taken survives a loss of power (a deleted journal may reappear and undo it).

SQLite puts a new row below the older ones of its page. So a cast takes out everything around its row and puts it back
in a random order: which page a row is on follows from its hash, where it lies there from dice.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, delete, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from review.ballots.disk import Step, nowhere, settle, wipe
from review.ballots.urn import Missing, Row, Urn, upgrade
from review.ballots.urn_tables import ballot

PAGE = 16384  # bytes; a quarter of it holds any ballot, so that no row ever needs an overflow page
AROUND = 128  # rows written anew with each cast; among so many of them the newest hides
MARGIN = 24  # of them on either side of the new row at least: more than the rows of its page
UNTOLD = 946_684_800  # the time that the files bear, so that they do not tell when the last cast came in
PRAGMAS = (
    f"page_size={PAGE}",
    "journal_mode=TRUNCATE",
    "synchronous=FULL",
    "secure_delete=ON",
    "busy_timeout=60000",
    "trusted_schema=OFF",
)


class SqliteUrn(Urn):
    """The file `<folder>/<cycle>.sqlite`. Whether it is closed stands in its header (PRAGMA user_version)."""

    def __init__(self, folder: Path, cycle_id: int) -> None:
        self._folder = folder
        self._cycle_id = cycle_id
        self.path = folder / f"{cycle_id}.sqlite"

    def exists(self) -> bool:
        return self.path.exists()

    def create(self) -> None:
        if self.exists():
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fresh = self._folder / f".{self._cycle_id}.{secrets.token_hex(8)}.new"
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with _engine(fresh).begin() as connection:
            upgrade(connection)
        with suppress(FileExistsError):
            # From the beginning, or the folder would tell the time of the first cast.
            os.close(os.open(_journal(self.path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with suppress(FileExistsError):
            self.path.hardlink_to(fresh)
        for leftover in (fresh, _journal(fresh)):
            leftover.unlink(missing_ok=True)
        self._forget_when()
        settle(self._folder)

    def migrate(self) -> None:
        with self._begin("BEGIN IMMEDIATE") as connection:
            upgrade(connection)

    def drop(self, at: Step = nowhere) -> None:
        if self.path.exists():
            # Renamed first: a cast that comes too late finds no urn rather than one half overwritten.
            self.path.rename(self._folder / f".{self._cycle_id}.{secrets.token_hex(8)}.old")
            at("urn_renamed")
        for leftover in self._leftovers():
            wipe(leftover, "urn", at)
        if self._folder.exists():
            settle(self._folder)

    def leaves_traces(self) -> bool:
        return self.path.exists() or bool(self._leftovers())

    def _leftovers(self) -> list[Path]:
        return [*self._folder.glob(f".{self._cycle_id}.*"), *self._folder.glob(f"{self._cycle_id}.sqlite-*")]

    def _casting(self) -> Any:
        return self._begin("BEGIN IMMEDIATE")

    def _reading(self) -> Any:
        return self._begin("BEGIN")

    def _closing(self) -> Any:
        return self._begin("BEGIN IMMEDIATE")

    @contextmanager
    def _begin(self, statement: str) -> Iterator[Connection]:
        try:
            with _engine(self.path).connect() as connection:
                connection.info["begin"] = statement
                with connection.begin():
                    yield connection
            self._forget_when()
        except DatabaseError:
            if self.exists():
                raise
            raise Missing from None

    def _forget_when(self) -> None:
        for path in (self.path, _journal(self.path)):
            with suppress(FileNotFoundError):  # dropped meanwhile
                os.utime(path, (UNTOLD, UNTOLD))

    def _is_closed(self, connection: Connection) -> bool:
        return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())

    def _mark_closed(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA user_version=1")

    def _insert(self) -> Any:
        return insert(ballot)

    def _place(self, connection: Connection, row: Row) -> None:
        dice = secrets.SystemRandom()
        # The new row is anywhere among those around it, not in their middle.
        below = MARGIN + dice.randrange(AROUND - 2 * MARGIN + 1)
        place = ballot.c.token_hash
        query = select(ballot)
        before = query.where(place < row[0]).order_by(place.desc()).limit(below)
        after = query.where(place > row[0]).order_by(place).limit(AROUND - below)
        rows = [tuple(found) for part in (before, after) for found in connection.execute(part)] + [row]
        connection.execute(delete(ballot).where(place.between(min(rows)[0], max(rows)[0])))
        dice.shuffle(rows)
        connection.exec_driver_sql("INSERT INTO ballot VALUES (?, ?, ?)", rows)


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


@lru_cache(maxsize=64)
def _engine(path: Path) -> Engine:
    """Opens a connection for each call and keeps none; never makes a file. Errors never show what was cast."""
    address = f"file:{quote(str(path))}?mode=rw"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None, timeout=60),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.info.pop("begin", "BEGIN IMMEDIATE"))
