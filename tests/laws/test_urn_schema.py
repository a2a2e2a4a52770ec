"""Law: an urn holds three columns and nothing else, whatever anybody adds to the models or the migrations.

Read from the live catalogue of an urn made by the product's own code; the PostgreSQL half needs a real server.
"""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from review.ballots import postgres_urn, sqlite_urn, urn
from review.ballots.postgres_urn import PostgresUrn
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.urn_tables import metadata
from review.tables import metadata as main_metadata

REMEDY = "an urn must not learn anything new: put it elsewhere, or nowhere"
COLUMNS = [("token_hash", "BLOB", 1, 1), ("version", "SMALLINT", 1, 0), ("sealed", "BLOB", 1, 0)]


@pytest.fixture
def made(tmp_path: Path) -> SqliteUrn:
    made = SqliteUrn(tmp_path / "urns", 7)
    made.create()
    return made


def test_the_urn_has_exactly_its_table_and_alembics_own(made: SqliteUrn) -> None:
    with sqlite3.connect(made.path) as raw:
        things = raw.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    assert sorted(things) == [("table", "alembic_version"), ("table", "ballot")], REMEDY


def test_the_ballot_table_has_exactly_three_columns_and_no_default(made: SqliteUrn) -> None:
    with sqlite3.connect(made.path) as raw:
        found = raw.execute("PRAGMA table_xinfo(ballot)").fetchall()
        assert [(name, kind, notnull, key) for _, name, kind, notnull, _, key, _ in found] == COLUMNS, REMEDY
        assert [default for *_, default, _, _ in found] == [None] * 3, REMEDY
        assert not raw.execute("PRAGMA foreign_key_list(ballot)").fetchall(), REMEDY


def test_alembics_table_holds_one_revision_and_nothing_else(made: SqliteUrn) -> None:
    with sqlite3.connect(made.path) as raw:
        assert [name for _, name, *_ in raw.execute("PRAGMA table_info(alembic_version)")] == ["version_num"], REMEDY
        assert len(raw.execute("SELECT * FROM alembic_version").fetchall()) == 1


def test_ballots_have_no_rowid_that_would_number_them(made: SqliteUrn) -> None:
    with sqlite3.connect(made.path) as raw, pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
        raw.execute("SELECT rowid FROM ballot")


def test_an_urn_zeroes_what_it_frees_keeps_no_log_of_writes_and_waits_for_the_disk(made: SqliteUrn) -> None:
    with made._reading() as connection:
        ask = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("page_size", "secure_delete", "journal_mode", "synchronous")
        }
    assert ask == {"page_size": 16384, "secure_delete": 1, "journal_mode": "truncate", "synchronous": 2}


def test_only_this_user_may_open_an_urn(made: SqliteUrn) -> None:
    assert made.path.stat().st_mode & 0o077 == 0
    assert made.path.parent.stat().st_mode & 0o077 == 0


def test_the_urns_tables_share_no_metadata_with_the_main_database() -> None:
    assert set(metadata.tables) == {"ballot"}, REMEDY
    assert "ballot" not in main_metadata.tables, "a ballot must not lie in the main database"


def test_the_urns_migrations_end_at_its_model_and_lead_back(made: SqliteUrn) -> None:
    with made._begin("BEGIN IMMEDIATE") as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        command.downgrade(urn.migrations(connection), "base")
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'ballot'").scalar() == 0
        command.upgrade(urn.migrations(connection), "head")
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_errors_of_an_urns_engines_never_show_what_was_cast(made: SqliteUrn) -> None:
    assert sqlite_urn._engine(made.path).hide_parameters
    assert postgres_urn._engine("postgresql+psycopg://nobody@127.0.0.1/none").hide_parameters


@pytest.fixture
def schema(urn_url: str) -> PostgresUrn:
    made = PostgresUrn(urn_url, 7)
    made.create()
    return made


@pytest.mark.postgres
def test_a_schema_urn_has_the_same_three_columns_and_one_index(schema: PostgresUrn) -> None:
    with schema._reading() as connection:
        columns = connection.execute(
            text(
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull, atthasdef, attidentity "
                "FROM pg_attribute WHERE attrelid = 'ballot'::regclass AND attnum > 0 ORDER BY attnum"
            )
        ).all()
        assert [tuple(column) for column in columns] == [
            ("token_hash", "bytea", True, False, ""),
            ("version", "smallint", True, False, ""),
            ("sealed", "bytea", True, False, ""),
        ], REMEDY
        relations = text("SELECT relname FROM pg_class WHERE relnamespace = 'urn_7'::regnamespace ORDER BY relname")
        names = list(connection.scalars(relations))
        assert names == ["alembic_version", "alembic_version_pkc", "ballot", "ballot_pkey"], REMEDY
        held = text("SELECT contype FROM pg_constraint WHERE conrelid = 'ballot'::regclass AND contype <> 'n'")
        assert [str(kind) for kind in connection.scalars(held)] == ["p"], REMEDY
        triggers = text("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'ballot'::regclass")
        assert connection.scalar(triggers) == 0, REMEDY


@pytest.mark.postgres
def test_a_schema_urns_migrations_end_at_its_model(schema: PostgresUrn) -> None:
    with schema._closing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
