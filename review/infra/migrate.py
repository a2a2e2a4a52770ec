"""Brings the main database to the newest schema, all or nothing, and says whether it is there."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from review.infra.settings import ROOT

FOLDER = ROOT / "migrations" / "main"


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def heads() -> set[str]:
    """The newest revision, as a set; empty while there is no migration at all."""
    return set(ScriptDirectory.from_config(config()).get_heads())


def known() -> set[str]:
    """Every revision there ever was, up to the newest."""
    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def revisions_in(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def is_at_head(url: str) -> bool:
    """Whether the database has every migration; False for an empty one."""
    with _engine(url).connect() as connection:
        return bool(heads()) and revisions_in(connection) == heads()


def upgrade(url: str, to: str = "head") -> None:
    """Run what is missing in one transaction. Raises RuntimeError when rows would point nowhere afterwards."""
    with _engine(url).begin() as connection:
        command.upgrade(config(connection), to)
        if connection.dialect.name == "sqlite":
            lost = connection.execute(text("PRAGMA foreign_key_check")).first()
            if lost is not None:
                raise RuntimeError(f"after the migration a row of {lost[0]} points nowhere")


def downgrade(url: str, to: str) -> None:
    with _engine(url).begin() as connection:
        command.downgrade(config(connection), to)


def _engine(url: str) -> Engine:
    """An engine for migrations only: SQLite rebuilds tables, which foreign keys would turn into deletions."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":

        def connect(raw: object, _record: object) -> None:
            raw.isolation_level = None  # type: ignore[attr-defined]
            raw.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
            raw.execute("PRAGMA busy_timeout=60000")  # type: ignore[attr-defined]
            raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]

        event.listen(engine, "connect", connect)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
