"""The main database: one declarative base, UTC instants, enums by value, and transactions that do not lose updates."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CursorResult, DateTime, Dialect, Engine, Enum, MetaData, UpdateBase, event
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

db = SQLAlchemy(metadata=MetaData(naming_convention=NAMES))

_only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values on the way in, and always comes back aware and in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive datetime says no instant: pass an aware one.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


db.Model.registry.update_type_annotation_map({datetime: UtcDateTime()})  # type: ignore[attr-defined]


def enum_column(enum: type[StrEnum], name: str) -> Enum:
    """A column that stores the enum's values (never its names), checked by the database under `name`."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def rows_changed(statement: UpdateBase) -> int:
    """Execute an UPDATE or DELETE and say how many rows it touched: the answer of a compare-and-swap."""
    return int(cast("CursorResult[Any]", db.session.execute(statement)).rowcount)


def insert_into(table: Any) -> Any:
    """An INSERT that knows ON CONFLICT, in the words of the database at hand: whoever comes second changes nothing.

    Ask for what it wrote with RETURNING; PostgreSQL does not tell how many rows an insert of many wrote.
    """
    return (postgres_insert if db.engine.dialect.name == "postgresql" else sqlite_insert)(table)


@contextmanager
def only_reading() -> Iterator[None]:
    """Transactions begun inside take no write lock on SQLite; everything else begins IMMEDIATE."""
    token = _only_reads.set(True)
    try:
        yield
    finally:
        _only_reads.reset(token)


def _connect(connection: Any, _record: Any) -> None:
    # Python's own transaction handling begins lazily and upgrades read locks: under WAL that loses updates or fails
    # with BUSY_SNAPSHOT, which no busy_timeout cures. So it is switched off and `_begin` says BEGIN itself.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what somebody was told is saved survives a loss of power
    cursor.execute("PRAGMA busy_timeout=60000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN" if _only_reads.get() else "BEGIN IMMEDIATE")


def prepare_sqlite(engine: Engine) -> None:
    """Give a SQLite engine write-ahead logging, foreign keys and honest transactions."""
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)


def init_db(app: Flask, url: str) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # Neither a log nor an error ever shows values: they would tell who opened which seat, and what people write.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True, "pool_pre_ping": not url.startswith("sqlite")}
    db.init_app(app)
    if url.startswith("sqlite"):
        with app.app_context():
            prepare_sqlite(db.engine)
