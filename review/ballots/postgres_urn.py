"""An urn as a schema of its own in a PostgreSQL database of its own (URN_URL).

The schema's comment says whether it is closed. A cast holds the cycle's advisory lock alone from before it reads the
comment until it has committed, and so does a close: no ballot is under way when the urn closes, and no two casts write
the same leaf. Whoever reads shares the lock.
"""

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.pool import NullPool

from review.ballots import postgres_leaves as leaves
from review.ballots.disk import Step, nowhere
from review.ballots.urn import CHUNK, Missing, Row, Urn, upgrade
from review.ballots.urn_tables import ballot

LOCKS = 0x75726E  # the first half of the advisory lock's number, so that other programs' locks do not meet ours
CLOSED = "closed"
BATCH = 50  # leaves dropped at a time: each takes several of the server's locks until its transaction ends


class PostgresUrn(Urn):
    """The schema `urn_<cycle>` at `url`."""

    def __init__(self, url: str, cycle_id: int) -> None:
        self._url = url
        self._cycle_id = int(cycle_id)
        self.schema = f"urn_{self._cycle_id}"

    def exists(self) -> bool:
        with _engine(self._url).connect() as connection:
            return self._is_there(connection)

    def create(self) -> None:
        with self._locked("pg_advisory_xact_lock") as connection:
            if not self._is_there(connection):
                connection.execute(text(f"CREATE SCHEMA {self.schema}"))
                upgrade(connection, self.schema)

    def migrate(self) -> None:
        with self._closing() as connection:
            upgrade(connection, self.schema)

    def drop(self, at: Step = nowhere) -> None:
        with self._locked("pg_advisory_xact_lock") as connection:
            if self._is_there(connection):
                # Renamed first: a cast that comes too late finds no urn rather than one that is half gone.
                connection.execute(
                    text(f"ALTER SCHEMA {self.schema} RENAME TO {self.schema}_old_{secrets.token_hex(8)}")
                )
        at("urn_renamed")
        for leftover in self._leftovers():
            while self._drop_some(leftover):
                at("leaves_dropped")
        at("urn_unlinked")

    def leaves_traces(self) -> bool:
        return self.exists() or bool(self._leftovers())

    def _leftovers(self) -> list[str]:
        query = text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :old)")
        with _engine(self._url).connect() as connection:
            return list(connection.scalars(query, {"old": f"{self.schema}_old_"}))

    def _drop_some(self, leftover: str) -> bool:
        """Drop the schema `leftover` when it has few leaves, some of them otherwise; whether there are more."""
        with self._locked("pg_advisory_xact_lock") as connection:
            names = leaves.names(connection, leftover)
            if len(names) <= BATCH:
                connection.execute(text(f"DROP SCHEMA IF EXISTS {leftover} CASCADE"))
                return False
            connection.execute(text("DROP TABLE " + ", ".join(f"{leftover}.{name}" for name in names[:BATCH])))
            return True

    @contextmanager
    def _locked(self, lock: str) -> Iterator[Connection]:
        with _engine(self._url).begin() as connection:
            connection.execute(text(f"SELECT {lock}(:ours, :cycle)"), {"ours": LOCKS, "cycle": self._cycle_id})
            connection.execute(text(f"SET LOCAL search_path TO {self.schema}"))
            # A ballot that was taken survives a loss of power, whatever the server's default is.
            connection.execute(text("SET LOCAL synchronous_commit TO on"))
            # Where wal_level is minimal a leaf then goes to the disk itself and no ballot ever to the server's log.
            connection.execute(text("SET LOCAL wal_skip_threshold TO 0"))
            yield connection

    @contextmanager
    def _inside(self, lock: str) -> Iterator[Connection]:
        with self._locked(lock) as connection:
            if not self._is_there(connection):
                raise Missing
            yield connection

    def _casting(self) -> Any:
        return self._inside("pg_advisory_xact_lock")

    def _reading(self) -> Any:
        return self._inside("pg_advisory_xact_lock_shared")

    def _closing(self) -> Any:
        return self._inside("pg_advisory_xact_lock")

    def _is_there(self, connection: Connection) -> bool:
        found = connection.scalar(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": self.schema})
        return found is not None

    def _is_closed(self, connection: Connection) -> bool:
        # The statement begins after the lock was granted, so it sees what a close before it has committed.
        comment = text(
            "SELECT d.description FROM pg_namespace n JOIN pg_description d "
            "ON d.objoid = n.oid AND d.classoid = 'pg_namespace'::regclass WHERE n.nspname = :name"
        )
        return bool(connection.scalar(comment, {"name": self.schema}) == CLOSED)

    def _mark_closed(self, connection: Connection) -> None:
        connection.execute(text(f"COMMENT ON SCHEMA {self.schema} IS '{CLOSED}'"))

    def _insert(self) -> Any:
        return insert(ballot)

    def _place(self, connection: Connection, row: Row) -> None:
        leaves.place(connection, self.schema, row)

    def _among(self, connection: Connection, hashes: Collection[bytes]) -> set[bytes]:
        if len(hashes) > CHUNK:
            return super()._among(connection, hashes)
        return leaves.among(connection, self.schema, hashes)


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    """Opens a connection for each call and keeps none. Errors never show what was cast."""
    return create_engine(url, poolclass=NullPool, hide_parameters=True)
