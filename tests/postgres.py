"""A real PostgreSQL for the tests that need one: a private cluster on a free port, gone when the tests are over."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text


def missing(what: str) -> str:
    """Skip with a visible reason, or fail where everything is required."""
    import pytest

    if os.environ.get("REVIEW_REQUIRE_ALL"):
        pytest.fail(f"{what} is required here but missing")
    pytest.skip(f"{what} is not installed")


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; the package brings a user for it."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


@contextmanager
def cluster(more: str = "") -> Iterator[str]:
    """The address of a fresh cluster's server, as `postgresql+psycopg://…/` without a database name.

    `more` are further options of the server.
    """
    home = binaries()
    if home is None:
        missing("PostgreSQL")
    assert home is not None
    folder = Path(tempfile.mkdtemp(prefix="review-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", free_port()

    def run(*command: str) -> None:
        subprocess.run(_as_postgres(list(command)), check=True, capture_output=True, cwd="/")

    run(str(home / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off {more}"
    run(str(home / "pg_ctl"), "-D", str(data), "-o", options, "-w", "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/"
    finally:
        subprocess.run(
            _as_postgres([str(home / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]),
            check=False,
            capture_output=True,
            cwd="/",
        )
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """Make an empty database with a fresh name on `server` and return its address."""
    name = f"review_{secrets.token_hex(6)}"
    engine = create_engine(server + "postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return server + name
