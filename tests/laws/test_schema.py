"""The main database's schema: migrations lead to the models and back, on both engines, and nothing is unnamed."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, StatementError

import review.tables
from review.infra import migrate
from review.infra.db import UtcDateTime, db
from review.tables import metadata
from tests.laws.imports import modules
from tests.make import NOW

REMEDY = "make a migration (migrations/main/versions) that brings the database to the models"
TABLES = list(metadata.sorted_tables)


def differences(connection: sa.Connection) -> list[object]:
    options = {"compare_type": _same_type}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _same_type(_context: object, _column: object, _meta: object, inspected: object, ours: object) -> bool | None:
    """Our instants are SQLAlchemy's DateTime in the database; everything else is compared as it stands."""
    is_ours = type(ours).__name__ == "UtcDateTime"
    return not isinstance(inspected, sa.DateTime) if is_ours else None


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.sqlite'}"


def there_and_back(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    assert not migrate.is_at_head(url)
    for _ in range(2):  # the second time round finds what a downgrade forgot to remove
        migrate.upgrade(url)
        assert migrate.is_at_head(url)
        with engine.connect() as connection:
            assert differences(connection) == [], REMEDY
        migrate.downgrade(url, "base")
        with engine.connect() as connection:
            assert set(inspect(connection).get_table_names()) <= {"alembic_version"}, "a downgrade left tables behind"
            assert leftovers(connection) == [], "a downgrade left triggers or functions behind"


def leftovers(connection: sa.Connection) -> list[str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'alembic_version'"
    else:
        query = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    return list(connection.scalars(text(query)))


def append_only(url: str) -> None:
    """The audit log of a migrated database refuses what the models' own tables refuse."""
    migrate.upgrade(url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        line = "INSERT INTO audit (at, action, about, details) VALUES ('2026-01-01 00:00:00', 'a', 'b', '{}')"
        connection.execute(text(line))
    for change in ("UPDATE audit SET action = 'c'", "DELETE FROM audit"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(change))


def test_migrations_lead_to_the_models_and_back_on_sqlite(sqlite_url: str) -> None:
    there_and_back(sqlite_url)


@pytest.mark.postgres
def test_migrations_lead_to_the_models_and_back_on_postgresql(postgres_url: str) -> None:
    there_and_back(postgres_url)


def test_a_migrated_audit_log_is_append_only_on_sqlite(sqlite_url: str) -> None:
    append_only(sqlite_url)


@pytest.mark.postgres
def test_a_migrated_audit_log_is_append_only_on_postgresql(postgres_url: str) -> None:
    append_only(postgres_url)


def test_every_migration_has_one_head_and_says_both_ways() -> None:
    assert len(migrate.heads()) == 1, "merge the heads: there is one newest schema"
    for path in sorted((migrate.FOLDER / "versions").glob("*.py")):
        source = path.read_text()
        assert "def upgrade()" in source, path.name
        assert "def downgrade()" in source, path.name
        assert not source.rstrip().endswith("pass"), f"{path.name}: a downgrade that does nothing is no way back"


def test_migrations_know_nothing_of_todays_code() -> None:
    wrong = [path.name for path in (migrate.FOLDER / "versions").glob("*.py") if "import review" in path.read_text()]
    assert not wrong, f"{wrong}: a migration must still run when the code has moved on"


def test_an_upgrade_that_fails_leaves_the_schema_as_it_was(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = command.upgrade

    def fail(*args: object, **options: object) -> None:
        real(*args, **options)
        raise RuntimeError("the power failed")

    monkeypatch.setattr(migrate.command, "upgrade", fail)
    with pytest.raises(RuntimeError, match="the power failed"):
        migrate.upgrade(sqlite_url)
    with sa.create_engine(sqlite_url, poolclass=sa.NullPool).connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_review_tables_names_every_module_that_makes_tables() -> None:
    source = Path(review.tables.__file__).read_text()
    makers = [name for name, path in modules() if "(db.Model)" in path.read_text()]
    missing = [name for name in makers if f"import {name}" not in source]
    assert not missing, f"{missing}: import them in review/tables.py, or migrations will not see their tables"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_key_and_every_constraint_a_name(table: sa.Table) -> None:
    assert list(table.primary_key.columns), "a table without a primary key cannot be spoken of"
    for constraint in table.constraints:
        assert constraint.name, f"{constraint!r} needs a name, or no migration can ever change it"
    for index in table.indexes:
        assert index.name, f"{index!r} needs a name"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_enums_are_stored_by_value_and_checked_by_the_database(table: sa.Table) -> None:
    for column in table.columns:
        if not isinstance(column.type, sa.Enum):
            continue
        enum = column.type.enum_class
        assert enum is not None, f"{column}: use enum_column()"
        assert column.type.enums == [member.value for member in enum], f"{column}: stores names, use enum_column()"
        assert not column.type.native_enum, f"{column}: a native type cannot be changed in a transaction"
        assert column.type.create_constraint, f"{column}: the database must refuse other values"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_instant_is_utc(table: sa.Table) -> None:
    wrong = [column.name for column in table.columns if type(column.type) in {sa.DateTime, sa.TIMESTAMP}]
    assert not wrong, f"{table.name}.{wrong}: use Mapped[datetime], which refuses naive values"


def test_a_naive_instant_is_refused_and_an_aware_one_comes_back_in_utc() -> None:
    table = sa.Table("moment", sa.MetaData(), sa.Column("at", UtcDateTime()))
    in_shanghai = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    with sa.create_engine("sqlite://").begin() as connection:
        table.create(connection)
        with pytest.raises(StatementError, match="naive"):
            connection.execute(table.insert().values(at=in_shanghai.replace(tzinfo=None)))
        connection.execute(table.insert().values(at=in_shanghai))
        found = connection.scalars(sa.select(table.c.at)).one()
    assert (found, found.tzinfo) == (NOW, UTC)


def test_foreign_keys_have_an_index_where_rows_are_many() -> None:
    """A pointer to a review or a person is looked up from there; without an index each look reads the whole table."""
    bare = []
    for table in TABLES:
        led = {index.columns[0].name for index in table.indexes if list(index.columns)}
        led |= {next(iter(c.columns)).name for c in table.constraints if isinstance(c, sa.UniqueConstraint)}
        led |= {next(iter(table.primary_key.columns)).name}
        bare += [
            f"{table.name}.{column.name}"
            for column in table.columns
            if column.name == "review_id" and column.foreign_keys and column.name not in led
        ]
    assert not bare, f"{bare}: add an index"


def test_the_metadata_is_the_one_of_the_application() -> None:
    assert db.metadata is metadata


def test_a_migrated_database_checks_what_the_models_check(sqlite_url: str, tmp_path: Path) -> None:
    """Alembic does not compare CHECK constraints, triggers and partial indexes; this does."""
    migrate.upgrade(sqlite_url)
    made = sa.create_engine(f"sqlite:///{tmp_path / 'models.sqlite'}", poolclass=sa.NullPool)
    metadata.create_all(made)
    migrated = sa.create_engine(sqlite_url, poolclass=sa.NullPool)
    assert _promises(migrated) == _promises(made), REMEDY


@pytest.mark.postgres
def test_a_migrated_postgresql_checks_what_the_models_check(postgres_url: str, urn_url: str) -> None:
    migrate.upgrade(postgres_url)
    made = sa.create_engine(urn_url, poolclass=sa.NullPool)
    metadata.create_all(made)
    assert _promises(sa.create_engine(postgres_url, poolclass=sa.NullPool)) == _promises(made), REMEDY


def _promises(engine: sa.Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        seen = inspect(connection)
        found = {
            (f"{table}.{check['name']}", " ".join(str(check["sqltext"]).split()))
            for table in seen.get_table_names()
            for check in seen.get_check_constraints(table)
        }
        if connection.dialect.name == "sqlite":
            rest = "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        else:
            rest = (
                "SELECT indexname, indexdef FROM pg_indexes"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
                " UNION SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
            )
        found |= {(name, " ".join(sql.split())) for name, sql in connection.execute(text(rest))}
    return found
