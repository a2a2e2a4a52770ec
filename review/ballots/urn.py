"""What an urn can do, wherever it lies: take a ballot until it is closed, be read once, vanish.

It knows neither seats nor people, and nothing of a single cast is ever logged.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Select, func, select

from review.ballots.disk import Step, nowhere
from review.ballots.urn_tables import ballot
from review.infra.settings import ROOT

CHUNK = 500  # so many hashes are asked for one by one; more of them are found faster by reading all
FOLDER = ROOT / "migrations" / "urn"

Row = tuple[bytes, int, bytes]  # token hash, version, sealed


class Closed(Exception):  # noqa: N818  an answer, not an error
    """The urn takes no more ballots."""


class Missing(Exception):  # noqa: N818
    """There is no such urn (any more)."""


class Urn(ABC):
    """One cycle's urn. Raises Missing where there is none; only `create` makes one."""

    @abstractmethod
    def exists(self) -> bool: ...

    @abstractmethod
    def create(self) -> None:
        """Make the urn, whole or not at all; one that is there already stays as it is."""

    @abstractmethod
    def drop(self, at: Step = nowhere) -> None:
        """Remove the urn with everything it left behind. Harmless to repeat."""

    @abstractmethod
    def leaves_traces(self) -> bool:
        """Whether anything of the urn is still there, a half-dropped rest included."""

    @abstractmethod
    def migrate(self) -> None:
        """Bring the urn's schema up to date."""

    @abstractmethod
    def _casting(self) -> AbstractContextManager[Connection]:
        """A transaction that puts ballots in: no close can happen between its beginning and its end."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _closing(self) -> AbstractContextManager[Connection]:
        """A transaction that waits for every cast under way and lets no other begin."""

    @abstractmethod
    def _is_closed(self, connection: Connection) -> bool: ...

    @abstractmethod
    def _mark_closed(self, connection: Connection) -> None: ...

    @abstractmethod
    def _insert(self) -> Any:
        """The dialect's INSERT, which knows ON CONFLICT."""

    @abstractmethod
    def _place(self, connection: Connection, row: Row) -> None:
        """Put `row` in, in place of one with the same hash, so that nothing tells it from those around it."""

    def put(self, token_hash: bytes, version: int, sealed: bytes) -> None:
        """Put a ballot in, in place of an earlier one with the same hash. Raises Closed."""
        with self._casting() as connection:
            if self._is_closed(connection):
                raise Closed
            self._place(connection, (token_hash, version, sealed))

    def holds(self, hashes: Collection[bytes]) -> set[bytes]:
        """Those of `hashes` that have a ballot here. Raises Closed: after the close nobody may ask."""
        with self._reading() as connection:
            if self._is_closed(connection):
                raise Closed
            return self._among(connection, hashes)

    def _among(self, connection: Connection, hashes: Collection[bytes]) -> set[bytes]:
        query: Select[Any] = select(ballot.c.token_hash)
        if len(hashes) <= CHUNK:
            query = query.where(ballot.c.token_hash.in_(hashes))
        return {bytes(found) for found in connection.scalars(query)} & set(hashes)

    def close(self) -> None:
        """From here on no ballot gets in, and none is on its way. Harmless to repeat."""
        with self._closing() as connection:
            if not self._is_closed(connection):
                self._mark_closed(connection)

    def is_closed(self) -> bool:
        with self._reading() as connection:
            return self._is_closed(connection)

    def size(self) -> int:
        """How many ballots there are."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).select_from(ballot)) or 0

    def rows(self) -> Iterator[Row]:
        """Every ballot, for the count."""
        with self._reading() as connection:
            for token_hash, version, sealed in connection.execute(select(ballot)):
                yield bytes(token_hash), version, bytes(sealed)


def migrations(connection: Connection, schema: str | None = None) -> Config:
    """The urn's own Alembic migrations, to be run on `connection`, inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=schema)
    return config


def upgrade(connection: Connection, schema: str | None = None) -> None:
    command.upgrade(migrations(connection, schema), "head")
