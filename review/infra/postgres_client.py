"""PostgreSQL's own client programs: pg_dump for a backup, pg_restore and psql for a restore, each as a stream.

Where and as whom to connect goes to them by environment, never by command line: everybody can read that.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from review.domain.refusals import Invalid

CHUNK = 2**20
DUMPING, RESTORING = "review backup", "review restore"  # as the server knows our client programs
BY_QUERY = ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "options", "service", "passfile")
NAMES = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslmode": "PGSSLMODE"}

Report = Callable[[str, int, int], None]


def program(name: str) -> str:
    """Where a client program is. Raises Invalid when it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise Invalid("backup:client_missing", program=name)
    return found


def environment(url: str) -> Mapping[str, str]:
    """What libpq reads in place of an address."""
    parts = make_url(url)
    said = {
        "PGHOST": parts.host,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": parts.username,
        "PGPASSWORD": str(parts.password) if parts.password is not None else None,
        "PGDATABASE": parts.database,
    }
    for key in BY_QUERY:
        if isinstance(value := parts.query.get(key), str):
            said[NAMES.get(key, f"PG{key.upper()}")] = value
    return {**os.environ, **{key: value for key, value in said.items() if value}, "PGAPPNAME": DUMPING}


def dump(url: str, report: Report) -> Iterator[bytes]:
    """The whole database in pg_dump's own format, without urns and without what earlier restores have put aside."""
    arguments = ["--format=custom", "--no-owner", "--no-privileges", "--no-comments"]
    arguments += ["--exclude-schema=urn_*", "--exclude-schema=replaced_*"]
    done = 0
    with _running([program("pg_dump"), *arguments], url, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            done += len(chunk)
            report("database", done, 0)
            yield chunk


def replay(url: str, file: Path, before: str, after: str) -> None:
    """Run a dump's script in one transaction between two others. Nothing has happened unless all of it has."""
    psql = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output", os.devnull]
    psql += [f"--dbname=application_name='{RESTORING}'"]
    script = [program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)]
    with _running(psql, url, stdin=subprocess.PIPE) as writing:
        assert writing.stdin is not None
        try:
            writing.stdin.write(f"BEGIN;\n{before}\n".encode())
            with _running(script, url, stdout=subprocess.PIPE) as reading:
                assert reading.stdout is not None
                shutil.copyfileobj(reading.stdout, writing.stdin, CHUNK)
            # Only now, when the script has ended well: without it psql hangs up and the server takes everything back.
            writing.stdin.write(f"\n{after}\nCOMMIT;\n".encode())
            writing.stdin.close()
        except BrokenPipeError:
            pass  # psql has given up; its own words say why


def listed(file: Path) -> bool:
    """Whether pg_restore can read the dump at all."""
    done = subprocess.run(  # noqa: S603  a program of the system, no shell
        [program("pg_restore"), "--list", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


@contextmanager
def _running(
    command: list[str], url: str, *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A client program; raises Invalid with its last words when it ends badly."""
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(  # noqa: S603  a program of the system, no shell
            command, env=environment(url), stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=told
        )
        try:
            yield process
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                _close(pipe)
        if code:
            raise Invalid("backup:client_failed", program=Path(command[0]).name, said=_last_words(told))


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except BrokenPipeError:
        pass


def _last_words(told: IO[bytes]) -> str:
    told.seek(max(0, told.seek(0, os.SEEK_END) - 2000))
    lines = told.read().decode(errors="replace").strip().splitlines()
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")[:300]
