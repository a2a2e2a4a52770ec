"""What must hold before this installation may serve: whatever would give ballots away is a problem with a code.

Asked by `create_app` (which refuses) and by the doctor (which tells); a server that does not answer is no reason to
refuse: without it nobody can cast anyway.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask.helpers import get_debug_flag
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from review.domain.refusals import Invalid, Problem
from review.infra.settings import Settings, misplaced

PATIENCE = 3  # seconds for a server to answer
LOGS_SETTINGS = (
    "log_statement",
    "log_min_duration_statement",
    "log_min_duration_sample",
    "log_transaction_sample_rate",
    "log_parameter_max_length",
    "log_min_error_statement",
    "log_parameter_max_length_on_error",
    "track_commit_timestamp",
    "auto_explain.log_min_duration",
    "auto_explain.log_parameter_max_length",
)
# Levels at which a statement that merely failed, as a refused cast does, is not logged.
ONLY_DISASTERS = frozenset({"log", "fatal", "panic"})


def require(settings: Settings, *engines: Engine) -> None:
    """Raise Invalid with everything that is wrong."""
    wrong = list(unmet(settings, *engines))
    if wrong:
        raise Invalid.of(wrong)


def unmet(settings: Settings, *engines: Engine) -> Iterator[Problem]:
    """Every precondition that does not hold, in the order in which one would mend them."""
    yield from misplaced(settings.data_dir, settings.keys_dir, settings.backups_dir)
    yield from _requests_logged(engines)
    if settings.is_sqlite and _lies_in(settings.database_url, settings.data_dir / "urns"):
        yield Problem("settings:database_among_urns", "DATABASE_URL")
    if settings.urn_url is None:
        if not wipes():
            yield Problem("settings:secure_delete_off", None, {"version": sqlite3.sqlite_version})
    elif make_url(settings.urn_url).get_backend_name() != "postgresql":
        yield Problem("settings:urn_url_not_postgresql", "URN_URL")
    elif is_one_database(settings.database_url, settings.urn_url):
        yield Problem("settings:urn_in_main_database", "URN_URL")
    else:
        yield from _server_logs(settings.urn_url)


def _lies_in(url: str, folder: Path) -> bool:
    name = make_url(url).database
    return bool(name) and folder in Path(str(name)).resolve().parents


def _requests_logged(engines: tuple[Engine, ...]) -> Iterator[Problem]:
    talks = logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)
    if talks or any(engine.echo for engine in engines):
        yield Problem("settings:statements_logged")
    if get_debug_flag():
        yield Problem("settings:debug_mode", "FLASK_DEBUG")


def wipes() -> bool:
    """Whether the SQLite in use overwrites what it deletes when told to, as every urn tells it."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("PRAGMA secure_delete=ON").fetchall()
        (answer,) = connection.execute("PRAGMA secure_delete").fetchone() or (0,)
    finally:
        connection.close()
    return bool(answer == 1)


def is_one_database(main: str, urns: str) -> bool:
    """Whether both addresses lead to one database: by what they say, and by what the servers say of themselves."""
    if make_url(main).get_backend_name() != "postgresql":
        return False
    if _place(make_url(main)) == _place(make_url(urns)):
        return True
    here, there = _identity(main), _identity(urns)
    return here is not None and here == there


def _place(url: URL) -> tuple[str, int, str]:
    """Host, port and database as libpq would fill them in."""
    host = url.host or str(url.query.get("host", "")) or "localhost"
    local = host in {"localhost", "127.0.0.1", "::1"} or host.startswith("/")
    port = url.port or int(str(url.query.get("port", "") or 5432))
    return "localhost" if local else host.rstrip(".").lower(), port, url.database or url.username or ""


def _identity(url: str) -> tuple[Any, ...] | None:
    """The cluster and the database behind an address; None when it does not answer or will not say."""
    query = text(
        "SELECT (SELECT system_identifier FROM pg_control_system()), oid FROM pg_database "
        "WHERE datname = current_database()"
    )
    with suppress(SQLAlchemyError), _engine(url).connect() as connection:
        return tuple(connection.execute(query).one())
    return None


def _server_logs(url: str) -> Iterator[Problem]:
    """What the urns' server is set to write down about a cast."""
    said = _settings_of(url)
    if said is not None:
        for name, remedy in sorted(_telling(said).items()):
            yield Problem("settings:urn_server_logs", "URN_URL", {"name": name, "value": said[name], "remedy": remedy})


def _telling(said: Mapping[str, str]) -> dict[str, str]:
    """The settings that give ballots or their times away, each with the value it should have."""
    found = {}
    if said.get("log_statement") in {"mod", "all"}:
        found["log_statement"] = "ddl"
    if _is_on(said, "log_parameter_max_length", without="-1"):
        found |= {
            name: "-1" for name in ("log_min_duration_statement", "log_min_duration_sample") if _times(said, name)
        }
        if float(said.get("log_transaction_sample_rate") or 0) > 0:
            found["log_transaction_sample_rate"] = "0"
    tells_errors = said.get("log_min_error_statement") not in ONLY_DISASTERS
    if tells_errors and _is_on(said, "log_parameter_max_length_on_error", without="0"):
        found["log_parameter_max_length_on_error"] = "0"
    if said.get("track_commit_timestamp") == "on":
        found["track_commit_timestamp"] = "off"
    if _times(said, "auto_explain.log_min_duration") and _is_on(
        said, "auto_explain.log_parameter_max_length", without="-1"
    ):
        found["auto_explain.log_min_duration"] = "-1"
    return found


def _is_on(said: Mapping[str, str], name: str, *, without: str) -> bool:
    """Whether parameters are logged at all; a server too old to have the setting logs `without`."""
    return (said.get(name) or without).rstrip("kMGB") != "0"


def _times(said: Mapping[str, str], name: str) -> bool:
    """Whether statements are logged by how long they took: anything but -1, whatever unit it is printed in."""
    return (said.get(name) or "-1") != "-1"


def archives_wal(url: str) -> bool:
    """Whether the urns' server keeps its write-ahead log, which holds every cast in its order."""
    return (_settings_of(url, ("archive_mode",)) or {}).get("archive_mode") in {"on", "always"}


def _settings_of(url: str, names: tuple[str, ...] = LOGS_SETTINGS) -> dict[str, str] | None:
    with suppress(SQLAlchemyError), _engine(url).connect() as connection:
        return {name: value for name in names if (value := _setting(connection, name)) is not None}
    return None


def _setting(connection: Connection, name: str) -> str | None:
    found: str | None = connection.scalar(text("SELECT current_setting(:name, true)"), {"name": name})
    return found


def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": PATIENCE})
