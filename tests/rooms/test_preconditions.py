"""The program refuses to start where something would give ballots away, and says in a sentence what to do."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from review.app import create_app
from review.domain.refusals import Invalid
from review.infra import preconditions
from review.infra.settings import ROOT, Settings
from tests.postgres import cluster, free_port, new_database

# A SQLite that takes the order to wipe and does not follow it, as one built without it would.
CARELESS = """
import sqlite3
class Careless(sqlite3.Connection):
    def execute(self, statement, *rest):
        return super().execute("SELECT 0" if statement.startswith("PRAGMA secure_delete") else statement, *rest)
real = sqlite3.connect
sqlite3.connect = lambda *given, **named: real(*given, **{"factory": Careless, **named})
"""
TALKATIVE = "import logging; logging.getLogger('sqlalchemy.engine').setLevel(logging.INFO)"

START = {
    "serve": ["-m", "review", "serve", "--port", "0"],
    "worker": ["-m", "review", "worker", "--with-parent"],
    "wsgi": ["-c", "import wsgi"],
}


def run(folder: Path, how: str = "serve", site: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """The real program, in English, with `site` run before anything else in its process."""
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(site)
    given = {"REVIEW_DATA": str(folder / "instance"), "LANG": "en_US.UTF-8", "REVIEW_NO_VENV": "1", **environ}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("REVIEW_", "LC_"))}
    return subprocess.run(
        [sys.executable, *START.get(how, ["-m", "review", how])],
        env={**clean, "PYTHONPATH": f"{folder / 'site'}:{ROOT}", **given},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stderr
    for part in words:
        assert part in done.stderr


@pytest.mark.parametrize(
    ("variable", "place", "code"),
    [
        ("REVIEW_KEYS", "instance-backups/keys", "settings:keys_inside_backups"),
        ("REVIEW_BACKUPS", "instance-keys/b", "settings:keys_inside_backups"),
        ("REVIEW_BACKUPS", ".", "settings:keys_inside_backups"),
        ("REVIEW_BACKUPS", "instance", "settings:urns_inside_backups"),
        ("REVIEW_BACKUPS", "instance/urns/b", "settings:urns_inside_backups"),
    ],
)
def test_no_folder_of_backups_carries_keys_or_urns_away(tmp_path: Path, variable: str, place: str, code: str) -> None:
    with pytest.raises(Invalid) as wrong:
        Settings.from_env({"REVIEW_DATA": str(tmp_path / "instance"), variable: str(tmp_path / place)})
    assert wrong.value.code == code
    assert not (tmp_path / "instance").exists(), "nothing is made before it is known where things belong"


@pytest.mark.parametrize(
    ("variable", "place", "sentence"),
    [
        ("REVIEW_KEYS", "instance/keys", "REVIEW_KEYS: The keys would lie inside the data"),
        ("REVIEW_KEYS", "instance-backups/keys", "REVIEW_BACKUPS: The key directory and the backups would lie"),
        ("REVIEW_BACKUPS", "instance", "REVIEW_BACKUPS: The urns and the backups would lie one inside the other"),
    ],
)
def test_the_program_does_not_start_with_folders_that_lie_wrong(
    tmp_path: Path, variable: str, place: str, sentence: str
) -> None:
    refused(run(tmp_path, **{variable: str(tmp_path / place)}), sentence)


@pytest.mark.parametrize("how", START)
def test_every_way_to_start_refuses_and_says_why(tmp_path: Path, how: str) -> None:
    refused(run(tmp_path, how, FLASK_DEBUG="1"), "Debug mode shows and logs what people send. Unset FLASK_DEBUG.")


def test_a_main_database_among_the_urns_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/instance/urns/main.sqlite")
    refused(done, "The main database would lie in the folder of the urns")


def test_a_sqlite_that_does_not_wipe_is_refused_unless_no_urn_lies_in_it(tmp_path: Path) -> None:
    refused(run(tmp_path, site=CARELESS), "does not overwrite what it deletes")
    assert preconditions.wipes()


def test_statements_in_the_log_are_refused(tmp_path: Path) -> None:
    refused(run(tmp_path, site=TALKATIVE), "Set the logger sqlalchemy.engine to WARNING")


def test_an_engine_that_echoes_is_refused_and_a_silent_one_is_not(settings: Settings) -> None:
    engine = create_engine("sqlite://")
    assert list(preconditions.unmet(settings, engine)) == []
    engine.echo = True
    assert [problem.code for problem in preconditions.unmet(settings, engine)] == ["settings:statements_logged"]
    logging.getLogger("sqlalchemy.engine.Engine").setLevel(logging.NOTSET)
    engine.dispose()


def test_urns_elsewhere_than_in_postgresql_or_files_are_refused(tmp_path: Path) -> None:
    refused(run(tmp_path, URN_URL=f"sqlite:///{tmp_path}/urn.sqlite"), "URN_URL must name a PostgreSQL database")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    refused(run(tmp_path, site=TALKATIVE, FLASK_DEBUG="1"), "sqlalchemy.engine", "FLASK_DEBUG")


def test_the_doctor_tells_what_the_others_refuse(tmp_path: Path) -> None:
    for variable, value, sentence in (
        ("FLASK_DEBUG", "1", "!!  Debug mode"),
        ("REVIEW_BACKUPS", str(tmp_path / "instance"), "!!  REVIEW_BACKUPS: The urns and the backups"),
    ):
        done = run(tmp_path, "doctor", **{variable: value})
        assert done.returncode == 1
        assert sentence in done.stdout


def test_a_server_that_does_not_answer_is_no_reason_to_refuse(settings: Settings) -> None:
    nobody = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/"
    away = replace(settings, database_url=f"{nobody}main", urn_url=f"{nobody}urns")
    assert list(preconditions.unmet(away)) == []
    assert create_app(away).name == "review"
    near = replace(away, urn_url=f"{nobody.replace('127.0.0.1', 'LOCALHOST')}main?application_name=urns")
    with pytest.raises(Invalid, match="settings:urn_in_main_database"):
        create_app(near)


@contextmanager
def altered(url: str, *statements: str) -> Iterator[None]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = url.rpartition("/")[2]
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(f"ALTER DATABASE {name} SET {statement}"))
    yield
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} RESET ALL"))


@pytest.mark.postgres
def test_urns_in_the_main_database_are_refused_however_it_is_called(
    tmp_path: Path, postgres_url: str, urn_url: str
) -> None:
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE another SUPERUSER LOGIN"))
    try:
        same = postgres_url.replace("postgres@127.0.0.1", "another@localhost")
        done = run(tmp_path, DATABASE_URL=postgres_url, URN_URL=same)
        refused(done, "URN_URL leads to the main database")
        # A name that says nothing: only the servers themselves know that they are one.
        disguised = f"{postgres_url.replace('127.0.0.1', 'urns.example')}?hostaddr=127.0.0.1"
        assert preconditions.is_one_database(postgres_url, disguised)
        assert not preconditions.is_one_database(postgres_url, urn_url), "two databases of one server are two"
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE another"))


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["log_statement = 'all'"], "log_statement = all"),
        (["log_statement = 'mod'"], "log_statement = mod"),
        (["log_min_duration_statement = 500"], "log_min_duration_statement = 500ms"),
        (["log_parameter_max_length_on_error = 100"], "log_parameter_max_length_on_error = 100B"),
        (["session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"], "auto_explain."),
    ],
)
def test_an_urn_server_that_writes_ballots_down_is_refused(
    tmp_path: Path, postgres_url: str, urn_url: str, statements: list[str], told: str
) -> None:
    with altered(urn_url, *statements):
        done = run(tmp_path, DATABASE_URL=postgres_url, URN_URL=urn_url)
    refused(done, "The database server of the urns is set to write down ballots", told)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statements",
    [
        [],
        ["log_statement = 'ddl'"],
        ["log_min_duration_statement = 500", "log_parameter_max_length = 0"],
        ["log_parameter_max_length_on_error = -1", "log_min_error_statement = 'panic'"],
    ],
)
def test_an_urn_server_that_writes_no_ballots_down_is_not(
    settings: Settings, postgres_url: str, urn_url: str, statements: list[str]
) -> None:
    with altered(urn_url, *statements):
        assert list(preconditions.unmet(replace(settings, database_url=postgres_url, urn_url=urn_url))) == []


@pytest.mark.postgres
def test_an_urn_server_that_dates_every_commit_is_refused(settings: Settings, postgres_url: str) -> None:
    with cluster("-c track_commit_timestamp=on") as server:
        dated = replace(settings, database_url=postgres_url, urn_url=new_database(server))
        (problem,) = preconditions.unmet(dated)
    assert problem.code == "settings:urn_server_logs"
    assert problem.params == {"name": "track_commit_timestamp", "value": "on", "remedy": "off"}
