"""At most one process is the clock: whoever holds the lock ticks, the others stand by and take over when it dies.

A lock of the operating system or of the database session, never a row: it vanishes with its holder, kill -9 included.
"""

import os
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

if os.name != "nt":
    import fcntl

LOCK_NUMBER = 360_2026  # any constant; all processes of one database must agree on it


class Leadership(Protocol):
    """`take` may be called again and again; True means that this process leads."""

    def take(self) -> bool: ...

    def release(self) -> None: ...


class FileLeadership:
    """For SQLite: an flock beside the database, on the one machine that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        if self._file is not None:
            return True
        file = self._path.open("a")
        try:
            if os.name != "nt":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class PostgresLeadership:
    """For PostgreSQL: an advisory lock on a connection that does nothing else and holds no transaction open."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def take(self) -> bool:
        if self._connection is not None:
            return self._is_alive()
        connection = self._engine.connect()
        if connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": LOCK_NUMBER}):
            self._connection = connection
            return True
        connection.close()
        return False

    def _is_alive(self) -> bool:
        """A lost connection is a lost lock: somebody else may lead by now."""
        assert self._connection is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._connection.invalidate()
            self._connection = None
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def leadership_of(database_url: str, data_dir: Path) -> Leadership:
    if database_url.startswith("sqlite"):
        return FileLeadership(data_dir / "scheduler.lock")
    return PostgresLeadership(database_url)
