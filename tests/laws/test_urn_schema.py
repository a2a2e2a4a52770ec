"""Law: an urn holds three columns and nothing else, whatever anybody adds to the models or the migrations.

Read from the live catalogue of an urn made by the product's own code; the PostgreSQL half needs a real server.
"""

import os
import re
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
        names = set(connection.scalars(relations))
        own = {"alembic_version", "alembic_version_pkc", "ballot", "ballot_pkey"}
        assert own <= names, REMEDY
        leaves = {name for name in names - own if re.fullmatch("ballot_[01]*", name)}
        assert leaves
        assert names == own | leaves | {f"{leaf}_pkey" for leaf in leaves}, REMEDY


ALL_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attidentity,
           a.attgenerated, a.attstorage, a.attisdropped
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'urn_7'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
    ORDER BY c.relname, a.attnum
"""
NOTHING = {  # what there must be none of, anywhere in the schema
    "defaults": "SELECT 1 FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid",
    "triggers": "SELECT 1 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid",
    "rules": "SELECT 1 FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class",
    "policies": "SELECT 1 FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid",
    "tables of their own for long values": "SELECT 1 FROM pg_class c JOIN pg_class o ON o.oid = c.reltoastrelid",
    "sequences and views": "SELECT 1 FROM pg_class c JOIN pg_class o "
    "ON o.oid = c.oid AND o.relkind NOT IN ('r', 'p', 'i', 'I')",
    "constraints": "SELECT 1 FROM pg_constraint k "
    "JOIN pg_class c ON c.oid = k.conrelid AND k.contype NOT IN ('p', 'n')",
    "statistics": "SELECT 1 FROM pg_class c JOIN pg_statistic_ext s ON s.stxrelid = c.oid",
    "publications": "SELECT 1 FROM pg_class c JOIN pg_publication_rel r ON r.prrelid = c.oid",
}


@pytest.mark.postgres
def test_every_leaf_of_a_schema_urn_has_the_three_columns_and_nothing_beside(schema: PostgresUrn) -> None:
    for _ in range(140):  # one more than a leaf holds, so that there are leaves of leaves
        schema.put(os.urandom(32), 1, b"x" * 1105)
    with schema._reading() as connection:
        columns: dict[str, list[tuple[object, ...]]] = {}
        for table, *column in connection.execute(text(ALL_COLUMNS)):
            columns.setdefault(table, []).append(tuple(column))
        columns.pop("alembic_version")
        assert sorted(columns) == ["ballot", "ballot_0", "ballot_1"]
        for table, found in columns.items():
            assert found == [
                ("token_hash", "bytea", True, False, "", "", "p", False),
                ("version", "smallint", True, False, "", "", "p", False),
                ("sealed", "bytea", True, False, "", "", "p", False),
            ], f"{table}: {REMEDY}"
        for what, query in NOTHING.items():
            found = connection.execute(text(f"{query} WHERE c.relnamespace = 'urn_7'::regnamespace")).all()
            assert found == [], f"{what}: {REMEDY}"
        functions = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'urn_7'::regnamespace")
        assert connection.scalar(functions) == 0, REMEDY
        options = text("SELECT reloptions FROM pg_class WHERE relnamespace = 'urn_7'::regnamespace AND relispartition")
        leaves = [found for found in connection.scalars(options) if found]
        assert leaves == [["autovacuum_enabled=false"]] * 2, "autovacuum notes times and copies hashes"


@pytest.mark.postgres
def test_a_schema_urns_migrations_end_at_its_model(schema: PostgresUrn) -> None:
    options = {"include_name": lambda name, kind, _: not re.fullmatch("ballot_[01]*", name or "")}
    with schema._closing() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        command.downgrade(urn.migrations(connection, schema.schema), "base")
        assert connection.scalar(text("SELECT to_regclass('ballot')")) is None
        command.upgrade(urn.migrations(connection, schema.schema), "head")
        assert compare_metadata(context, metadata) == []


@pytest.mark.postgres
def test_a_flat_urn_of_before_becomes_leaves_and_keeps_its_ballots(schema: PostgresUrn) -> None:
    rows = sorted((os.urandom(32), 1, os.urandom(9)) for _ in range(300))
    with schema._closing() as connection:
        command.downgrade(urn.migrations(connection, schema.schema), "0001")
        values = [{"token_hash": token, "version": version, "sealed": sealed} for token, version, sealed in rows]
        connection.execute(schema._insert(), values)
    schema.migrate()
    assert sorted(schema.rows()) == rows
    schema.put(rows[5][0], 1, b"again")
    assert schema.holds([row[0] for row in rows] + [b"nobody"]) == {row[0] for row in rows}
    assert schema.size() == 300


def test_a_file_of_before_is_written_anew_and_keeps_its_ballots(made: SqliteUrn) -> None:
    rows = [(os.urandom(32), 1, os.urandom(900)) for _ in range(100)]
    with made._begin("BEGIN IMMEDIATE") as connection:
        command.downgrade(urn.migrations(connection), "0001")
        connection.exec_driver_sql("INSERT INTO ballot VALUES (?, ?, ?)", rows)
    made.migrate()
    assert list(made.rows()) == sorted(rows)
