"""A backup holds everything but urns and keys, and a restore puts it back whole or not at all, whoever is killed."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import NullPool, create_engine, func, select, text, update

from review.app import create_app
from review.ballots import reopening
from review.ballots import service as ballots
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, Refusal, Taken
from review.domain.vocabulary import Custody, Protection
from review.infra import archive, backup, migrate, postgres_client
from review.infra import restore as restoring
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow
from review.infra.restore import Todo
from review.infra.settings import ROOT, Settings
from review.peer_review import service as peer_review
from review.people.tables import PersonRow
from review.workflow import restored
from review.workflow.backup_commands import backup_command, restore_command
from review.workflow.leadership import FileLeadership
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, set_dates, set_stage
from tests.make_peers import GOOD, Seats, cast_for, seat_team

LATER = datetime(2026, 6, 1, tzinfo=UTC)
TODO = Todo(restored.SETTLE, "restored:test")


@dataclass
class Home:
    """An installation on real migrations, with people, an upload, and a cycle that collects."""

    settings: Settings
    app: Flask
    cast: Cast
    cycle: int
    seats: Seats

    def rename(self, name: str) -> None:
        with self.app.app_context():
            db.session.execute(update(PersonRow).where(PersonRow.id == self.cast["ada"].id).values(name=name))
            db.session.commit()
            db.engine.dispose()

    def state(self) -> tuple[str, list[str]]:
        """What whoever starts next finds: Ada's name, and the uploads."""
        app = create_app(self.settings)
        with app.app_context():
            name = db.session.get_one(PersonRow, self.cast["ada"].id).name
            db.session.remove()
            db.engine.dispose()
        return name, sorted(path.name for path in self.uploads.iterdir())

    @property
    def uploads(self) -> Path:
        return self.settings.data_dir / "uploads"

    def back_up(self, to: Path | None = None) -> Path:
        return backup.make(self.settings, to, NOW)[0]

    def restore(self, file: Path, replace: bool = True) -> archive.Manifest:
        return restoring.restore(self.settings, file, TODO, now=NOW, replace=replace)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "review.sqlite"
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchone()
    return path


def furnish(settings: Settings) -> Home:
    app = create_app(settings)
    with app.app_context():
        cast = make_cast()
        cycle = make_cycle(cast)
        set_dates(cycle, closes_at=clock_now() + timedelta(days=9), finalise_by=clock_now() + timedelta(days=12))
        db.session.commit()
        seats = seat_team(cycle, cast)
        cast_for(cycle, seats["bo", "ada"], GOOD)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    home = Home(settings, app, cast, cycle, seats)
    home.uploads.mkdir()
    (home.uploads / "7.first.csv").write_text("first")
    return home


@pytest.fixture
def home(migrated: Path, tmp_path: Path) -> Iterator[Home]:
    made = Settings.from_env({"REVIEW_DATA": str(tmp_path / "instance"), "REVIEW_BASE_URL": "http://localhost"})
    (made.data_dir / "review.sqlite").write_bytes(migrated.read_bytes())
    home = furnish(replace(made, is_testing=True))
    yield home
    with home.app.app_context():
        db.session.remove()
        db.engine.dispose()


Run = Callable[..., Result]


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The real commands on this installation, in English."""
    monkeypatch.setenv("REVIEW_DATA", str(home.settings.data_dir))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    def invoke(command: object, *arguments: str) -> Result:
        factory = lambda **how: create_app(home.settings, **how)  # noqa: E731
        return CliRunner().invoke(command, list(arguments), obj=factory)  # type: ignore[arg-type]

    return invoke


def changed(home: Home) -> Path:
    """A backup, after which Ada's name and the uploads have changed."""
    file = home.back_up()
    home.rename("Ada the Second")
    (home.uploads / "7.first.csv").unlink()
    (home.uploads / "7.second.csv").write_text("second")
    return file


NEW, OLD = ("Ada", ["7.first.csv"]), ("Ada the Second", ["7.second.csv"])


def test_a_backup_holds_database_and_uploads_and_nothing_of_urns_or_keys(home: Home) -> None:
    (home.settings.data_dir / "mail").mkdir()
    (home.settings.data_dir / "mail" / "letter").write_text("kept for a demo")
    (home.uploads / "link").symlink_to(home.settings.keys_dir / "session.key")
    file = home.back_up()
    assert file.parent == home.settings.backups_dir
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as inside:
        assert inside.namelist() == ["database.sqlite", "uploads/7.first.csv", "manifest.json"]
        everything = b"".join(inside.read(name) for name in inside.namelist())
        said = json.loads(inside.read("manifest.json"))
    assert said["format"] == "review360 backup"
    assert set(said["schema"]) == migrate.heads()
    assert said["product"] == backup.product() != ""
    for secret in [*home.settings.keys_dir.iterdir()]:
        assert secret.read_bytes() not in everything, secret.name
    with closing(sqlite3.connect(home.settings.data_dir / "urns" / f"{home.cycle}.sqlite")) as urn:
        ((token_hash, sealed),) = urn.execute("SELECT token_hash, sealed FROM ballot").fetchall()
    assert token_hash not in everything
    assert sealed[:64] not in everything
    assert sorted(path.name for path in home.settings.backups_dir.iterdir()) == [file.name], "nothing is left beside it"


def test_a_backup_of_a_database_in_use_is_of_one_moment(tmp_path: Path) -> None:
    source, stop, rounds = tmp_path / "busy.sqlite", threading.Event(), []
    with closing(sqlite3.connect(source)) as raw:
        raw.execute("PRAGMA journal_mode=WAL").fetchone()
        raw.execute("CREATE TABLE pair (filler)")
        raw.executemany("INSERT INTO pair VALUES (?)", [(bytes(3000),)] * 4000)
        raw.commit()

    def write() -> None:
        with closing(sqlite3.connect(source)) as raw:
            while not stop.is_set():
                raw.executemany("INSERT INTO pair VALUES (?)", [("one",), ("two",)])
                raw.commit()
                rounds.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    during: list[int] = []
    backup.snapshot(source, tmp_path / "copy.sqlite", lambda _step, _done, _total: during.append(len(rounds)))
    stop.set()
    writer.join()
    assert during[-1] > during[0], "somebody wrote while the copy was made"
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        (count,) = copy.execute("SELECT count(*) FROM pair").fetchone()
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert count % 2 == 0
    assert not (tmp_path / "copy.sqlite-wal").exists()


def test_a_restore_brings_back_what_was_and_moves_aside_what_is(home: Home) -> None:
    file = changed(home)
    assert home.state() == OLD
    home.restore(file)
    assert home.state() == NEW
    (aside,) = home.settings.data_dir.glob("replaced-*")
    with closing(sqlite3.connect(aside / "review.sqlite")) as old:
        assert old.execute("SELECT count(*) FROM person WHERE name = 'Ada the Second'").fetchone() == (1,)
    assert (aside / "uploads" / "7.second.csv").read_text() == "second"
    assert migrate.is_at_head(home.settings.database_url)


def test_a_restore_into_an_empty_installation_needs_no_word(home: Home, tmp_path: Path) -> None:
    file = home.back_up(tmp_path / "out.zip")
    empty = Settings.from_env({"REVIEW_DATA": str(tmp_path / "elsewhere" / "instance")})
    there = Home(empty, home.app, home.cast, home.cycle, home.seats)
    there.restore(file, replace=False)
    assert there.state() == NEW
    assert not list(empty.data_dir.glob("replaced-*"))


def test_people_who_are_here_are_not_replaced_unasked(home: Home) -> None:
    file = changed(home)
    with pytest.raises(Taken, match="backup:not_empty"):
        home.restore(file, replace=False)
    assert home.state() == OLD


def test_a_restore_waits_for_nobody_who_still_works(home: Home, run: Run) -> None:
    file = changed(home)
    worker = FileLeadership(home.settings.data_dir / "scheduler.lock")
    assert worker.take()
    assert isinstance(run(restore_command, str(file), "--replace").exception, Taken)
    worker.release()
    with closing(sqlite3.connect(home.settings.data_dir / "review.sqlite")) as web:
        web.execute("PRAGMA journal_mode=WAL").fetchone()
        web.execute("SELECT count(*) FROM person").fetchone()
        with pytest.raises(Taken, match="backup:still_running"):
            home.restore(file)
    assert home.state() == OLD


def test_a_backup_overwrites_nothing_and_lies_apart_from_urns_and_keys(home: Home, tmp_path: Path) -> None:
    file = home.back_up(tmp_path / "one.zip")
    before = file.read_bytes()
    with pytest.raises(Taken, match="backup:file_exists"):
        home.back_up(file)
    assert file.read_bytes() == before
    for folder in (home.settings.keys_dir, home.settings.data_dir / "urns"):
        with pytest.raises(Invalid, match="backup:among_keys_or_urns"):
            home.back_up(folder / "b.zip")


def rewritten(file: Path, alter: Callable[[dict[str, object], dict[str, bytes]], None], to: Path) -> Path:
    """The archive again, after `alter` has had its way with manifest and parts."""
    with zipfile.ZipFile(file) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    said = json.loads(parts.pop("manifest.json"))
    alter(said, parts)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if content.startswith(b"LINK"):
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            out.writestr(entry, content)
        out.writestr("manifest.json", json.dumps(said))
    return to


def add(said: dict[str, object], parts: dict[str, bytes], name: str, content: bytes, size: int | None = None) -> None:
    import hashlib

    parts[name] = content
    listed = said["parts"]
    assert isinstance(listed, list)
    digest = hashlib.sha256(content).hexdigest()
    listed.append({"name": name, "size": len(content) if size is None else size, "sha256": digest})


def _wrong_sum(said: dict[str, object], parts: dict[str, bytes]) -> None:
    parts["uploads/7.first.csv"] = b"furst"


def _lost_part(said: dict[str, object], parts: dict[str, bytes]) -> None:
    del parts["uploads/7.first.csv"]


def _broken_database(said: dict[str, object], parts: dict[str, bytes]) -> None:
    broken = parts.pop("database.sqlite")[:8192] + bytes(40000)
    said["parts"] = []
    add(said, parts, "database.sqlite", broken)


STRANGE = {
    "sum": (_wrong_sum, "backup:damaged"),
    "lost": (_lost_part, "backup:damaged"),
    "database": (_broken_database, "backup:damaged"),
    "unlisted": (lambda said, parts: parts.update({"uploads/8.x.csv": b"x"}), "backup:damaged"),
    "above": (lambda said, parts: add(said, parts, "../evil", b"x"), "backup:strange_entry"),
    "root": (lambda said, parts: add(said, parts, "/etc/evil", b"x"), "backup:strange_entry"),
    "deep": (lambda said, parts: add(said, parts, "uploads/../../evil", b"x"), "backup:strange_entry"),
    "back": (lambda said, parts: add(said, parts, "uploads\\..\\evil", b"x"), "backup:strange_entry"),
    "urn": (lambda said, parts: add(said, parts, "urns/1.sqlite", b"x"), "backup:strange_entry"),
    "link": (lambda said, parts: add(said, parts, "uploads/9.x.csv", b"LINK"), "backup:strange_entry"),
    "bomb": (lambda said, parts: add(said, parts, "uploads/9.x.csv", bytes(90 * 2**20)), "backup:bomb"),
    "lying": (lambda said, parts: add(said, parts, "uploads/9.x.csv", b"xxxx", size=2), "backup:damaged"),
    "newer": (lambda said, parts: said.update(schema=["f" * 12]), "backup:newer_schema"),
    "format": (lambda said, parts: said.update(format_version=2), "backup:newer_format"),
    "other": (lambda said, parts: said.update(format="tar"), "backup:not_an_archive"),
    "dialect": (lambda said, parts: said.update(database="postgresql"), "backup:other_database"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_an_archive_that_is_not_as_it_was_made_changes_nothing(home: Home, tmp_path: Path, what: str) -> None:
    alter, code = STRANGE[what]
    file = rewritten(changed(home), alter, tmp_path / "strange.zip")
    with pytest.raises(Invalid) as refused:
        home.restore(file)
    assert refused.value.code == code
    assert home.state() == OLD
    assert not list(home.settings.data_dir.glob(".restore-*")), "what was unpacked is gone again"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_half_an_archive_is_none(home: Home, tmp_path: Path, keep: int) -> None:
    half = tmp_path / "half.zip"
    half.write_bytes(changed(home).read_bytes()[:keep])
    with pytest.raises(Invalid, match="backup:not_an_archive"):
        home.restore(half)
    assert home.state() == OLD


def test_a_flipped_bit_is_found(home: Home, tmp_path: Path) -> None:
    content = bytearray(changed(home).read_bytes())
    content[len(content) // 3] ^= 4
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(Invalid, match="backup:"):
        home.restore(tmp_path / "bad.zip")
    assert home.state() == OLD


def killed(where: object, name: str, call: int, work: Callable[[], object]) -> None:
    """Do `work` in a process of its own that kills itself, beyond any cleaning up, at the given call of a function."""
    child = os.fork()
    if child == 0:
        real, calls = getattr(where, name), []

        def fatal(*given: object, **named: object) -> object:
            calls.append(1)
            if len(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        setattr(where, name, fatal)
        try:
            work()
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{name} was not called {call} times"


@pytest.mark.parametrize(
    ("where", "name"),
    [(backup, "snapshot"), (backup, "chunks_of"), (archive.Writer, "finish"), (backup, "settle")],
    ids=["copying", "packing", "sealing", "renamed"],
)
def test_whoever_kills_a_backup_leaves_a_whole_one_or_none(home: Home, where: object, name: str) -> None:
    killed(where, name, 1, home.back_up)
    made = list(home.settings.backups_dir.glob("review-*.zip"))
    for file in made:
        with archive.reading(file) as whole:
            assert len(whole.manifest.parts) == 2
    assert len(made) == (name == "settle")
    file = home.back_up(home.settings.backups_dir / "next.zip")
    assert sorted(home.settings.backups_dir.iterdir()) == sorted([*made, file]), "the rest is cleared away"


@pytest.mark.parametrize(
    ("where", "name", "call", "state"),
    [
        (archive.Reader, "copy_out", 1, OLD),
        (archive.Reader, "copy_out", 2, OLD),
        (migrate, "upgrade", 1, OLD),
        (restoring, "_hold_still", 1, OLD),
        (restoring, "_decide", 1, OLD),
        (restoring, "_change", 1, NEW),
        (restoring, "_free_name", 1, NEW),
        (restoring, "settle", 4, NEW),
        (restoring, "_change", 2, NEW),
        (restoring, "settle", 6, NEW),
        (restoring, "_clear", 2, NEW),
    ],
)
def test_whoever_kills_a_restore_leaves_the_old_or_the_new(
    home: Home, where: object, name: str, call: int, state: tuple[str, list[str]]
) -> None:
    file = changed(home)
    killed(where, name, call, lambda: home.restore(file))
    assert home.state() == state
    assert home.state() == state, "looking changes nothing"
    assert not (home.settings.data_dir / "restore.json").exists()
    home.restore(file)
    assert home.state() == NEW
    assert not list(home.settings.data_dir.glob(".restore*")), "the rest is cleared away"


def test_a_restore_killed_before_it_has_looked_at_cycles_leaves_that_to_the_worker(home: Home) -> None:
    file = home.back_up()
    forget(home)
    killed(restoring, "_clear", 2, lambda: home.restore(file))
    app = create_app(home.settings)
    with app.app_context():
        assert db.session.scalars(select(JobRow.key)).all() == [TODO.key]
        house = app.extensions["review"]
        from review.infra import jobs

        assert jobs.work_all(house.handlers, house.progress, "test", clock_now()) == 2
        assert not ballots.is_lost(home.cycle)
        assert db.session.scalar(select(func.count()).where(LetterRow.kind == restored.ASKED_AGAIN)) == 7
        db.session.remove()
        db.engine.dispose()


def forget(home: Home) -> None:
    """Urn and keys of the cycle are gone, as on another machine."""
    for path in [*(home.settings.data_dir / "urns").iterdir(), *home.settings.keys_dir.glob(f"*-{home.cycle}.*")]:
        path.unlink()


def test_the_real_program_backs_up_while_it_serves_and_restores(home: Home) -> None:
    places = {"REVIEW_DATA": str(home.settings.data_dir), "REVIEW_NO_VENV": "1", "LANG": "en_GB.UTF-8"}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("REVIEW_", "LC_"))}

    def review(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "review", *arguments]
        return subprocess.run(command, env={**clean, **places}, cwd=ROOT, capture_output=True, text=True, check=False)

    made = review("backup")
    assert made.returncode == 0, made.stderr
    assert "It holds no urn and no key." in made.stderr
    home.rename("Ada the Second")
    file = made.stdout.strip()
    refused = review("restore", file)
    assert refused.returncode == 1
    assert "With --replace they are moved aside" in refused.stderr
    done = review("restore", file, "--replace")
    assert done.returncode == 0, done.stderr
    assert "Q1 2026 goes on: its urn and keys are still here." in done.stdout
    assert home.state()[0] == "Ada"


def test_a_cycle_whose_urn_is_here_goes_on_with_its_ballots(home: Home, run: Run) -> None:
    file = home.back_up()
    done = run(restore_command, str(file), "--replace")
    assert done.exit_code == 0, done.output
    with create_app(home.settings).app_context():
        assert ballots.has_cast(home.cycle, [home.seats["bo", "ada"]])
        assert db.session.scalar(select(func.count()).where(LetterRow.kind == restored.ASKED_AGAIN)) == 0
        assert db.session.scalars(select(JobRow.state)).all() == [JobState.DONE]
        db.session.remove()
        db.engine.dispose()


def test_a_cycle_whose_urn_is_gone_is_opened_afresh_and_its_raters_are_asked_again(home: Home, run: Run) -> None:
    file = home.back_up()
    forget(home)
    done = run(restore_command, str(file), "--replace")
    assert "Q1 2026 has a fresh urn" in done.output
    app = create_app(home.settings)
    with app.app_context():
        assert ballots.has_cast(home.cycle, list(home.seats.values())) == set()
        cast_for(home.cycle, home.seats["bo", "ada"], GOOD)
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == restored.ASKED_AGAIN)).all()
        assert len(letters) == 7, "one to each of the team, whoever had rated and whoever had not"
        from review.infra.mail import render

        text_of = render(letters[0], clock_now()).get_body(("plain",))
        assert text_of is not None
        assert "could not be kept" in text_of.get_content() or "未能保留" in text_of.get_content()
        db.session.rollback()
        db.engine.dispose()
    again = run(restore_command, str(file), "--replace")
    assert "Q1 2026 goes on" in again.output


def test_a_cycle_that_was_counted_after_the_backup_is_never_counted_again(home: Home, run: Run) -> None:
    file = home.back_up()
    with home.app.app_context():
        set_stage(home.cycle, Stage.COUNTING)
        db.session.commit()
        ballots.count(home.cycle, peer_review.seats_for_count(home.cycle), now=LATER)
        db.session.remove()
        db.engine.dispose()
    done = run(restore_command, str(file), "--replace")
    assert "Q1 2026 was counted and its ballots were destroyed after this backup was made." in done.output
    app = create_app(home.settings)
    with app.app_context():
        seats = peer_review.seats_for_count(home.cycle)
        for forbidden in (
            lambda: reopening.reopen_urn(home.cycle),
            lambda: cast_for(home.cycle, home.seats["bo", "ada"], GOOD),
        ):
            with pytest.raises(Refusal):
                forbidden()
        assert not (home.settings.data_dir / "urns" / f"{home.cycle}.sqlite").exists()
        set_stage(home.cycle, Stage.COUNTING)
        db.session.commit()
        with pytest.raises(Taken):
            ballots.count(home.cycle, seats, now=LATER)
        db.session.rollback()
        ballots.count_nothing(home.cycle, seats, now=LATER)
        assert ballots.is_counted(home.cycle)
        db.session.remove()
        db.engine.dispose()


def test_a_cycle_in_the_count_without_its_urn_ends_without_peers(home: Home, run: Run) -> None:
    with home.app.app_context():
        set_stage(home.cycle, Stage.COUNTING)
        db.session.commit()
        db.engine.dispose()
    file = home.back_up()
    forget(home)
    done = run(restore_command, str(file), "--replace")
    assert "The ballots of Q1 2026 are gone and it is too late to ask again." in done.output


def test_a_cycle_past_its_deadline_asks_nobody_again(home: Home, run: Run) -> None:
    with home.app.app_context():
        set_dates(home.cycle, closes_at=clock_now() - timedelta(hours=1))
        db.session.commit()
        db.engine.dispose()
    file = home.back_up()
    forget(home)
    assert "it is too late to ask again" in run(restore_command, str(file), "--replace").output


def test_a_cycle_with_tickets_that_goes_on_says_what_the_backup_cannot_know(home: Home, run: Run) -> None:
    with home.app.app_context():
        db.session.execute(update(CycleRow).values(protection=Protection.MAXIMUM))
        db.session.commit()
        db.engine.dispose()
    file = home.back_up()
    assert "can draw them a second time" in run(restore_command, str(file), "--replace").output
    forget(home)
    assert "Q1 2026 cannot be opened afresh" in run(restore_command, str(file), "--replace").output


def test_a_cycle_whose_trustees_keys_are_gone_says_what_is_left_to_do(home: Home, run: Run) -> None:
    with home.app.app_context():
        db.session.execute(update(CycleRow).values(custody=Custody.TRUSTEES))
        db.session.commit()
        db.engine.dispose()
    file = home.back_up()
    forget(home)
    done = run(restore_command, str(file), "--replace")
    assert "Q1 2026 cannot be opened afresh" in done.output
    with create_app(home.settings).app_context():
        assert not reopening.can_reopen(home.cycle)
        db.session.remove()
        db.engine.dispose()


def test_a_long_copy_says_how_far_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.workflow.backup_commands.QUIET", 0.0)
    assert "database: 100 %" in run(backup_command).stderr


@pytest.fixture
def postgres_home(tmp_path: Path, postgres_url: str, urn_url: str) -> Home:
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    settings = replace(Settings.from_env(environ), is_testing=True)
    migrate.upgrade(postgres_url)
    return furnish(settings)


@pytest.mark.postgres
def test_on_postgresql_a_restore_is_one_transaction_and_keeps_the_old_schema(postgres_home: Home) -> None:
    home = postgres_home
    file = changed(home)
    with zipfile.ZipFile(file) as inside:
        assert inside.namelist() == ["database.dump", "uploads/7.first.csv", "manifest.json"]
    with pytest.raises(Taken, match="backup:not_empty"):
        home.restore(file, replace=False)
    home.restore(file)
    assert home.state() == NEW
    with create_engine(home.settings.database_url, poolclass=NullPool).connect() as connection:
        (aside,) = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replaced_%'"))
        assert connection.scalar(text(f"SELECT count(*) FROM {aside}.person WHERE name = 'Ada the Second'")) == 1
        assert connection.scalar(text("SELECT key FROM job")) == TODO.key
    assert home.back_up(home.settings.backups_dir / "second.zip").exists(), "a restored database can be backed up"
    home.restore(home.settings.backups_dir / "second.zip")
    assert home.state() == NEW


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("where", "name", "call", "state"),
    [
        (restoring, "_decide", 1, OLD),
        (postgres_client, "replay", 1, OLD),
        (postgres_client.shutil, "copyfileobj", 1, OLD),
        (restoring, "_has_happened", 1, NEW),
        (restoring, "_change", 1, NEW),
    ],
)
def test_on_postgresql_whoever_kills_a_restore_leaves_the_old_or_the_new(
    postgres_home: Home, where: object, name: str, call: int, state: tuple[str, list[str]]
) -> None:
    file = changed(postgres_home)
    killed(where, name, call, lambda: postgres_home.restore(file))
    assert postgres_home.state() == state
    assert not (postgres_home.settings.data_dir / "restore.json").exists()


@pytest.mark.postgres
def test_on_postgresql_a_dump_that_breaks_off_changes_nothing(postgres_home: Home, tmp_path: Path) -> None:
    def cut(said: dict[str, object], parts: dict[str, bytes]) -> None:
        dump = parts.pop("database.dump")
        said["parts"] = [part for part in said["parts"] if part["name"] != "database.dump"]  # type: ignore[attr-defined]
        add(said, parts, "database.dump", dump[: len(dump) * 2 // 3])

    file = rewritten(changed(postgres_home), cut, tmp_path / "cut.zip")
    with pytest.raises(Invalid, match=r"backup:(client_failed|damaged)"):
        postgres_home.restore(file)
    assert postgres_home.state() == OLD


@pytest.mark.postgres
def test_on_postgresql_missing_client_programs_are_named(postgres_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Invalid) as refused:
        postgres_home.back_up()
    assert refused.value.problems[0].params == {"program": "pg_dump"}
    assert not list(postgres_home.settings.backups_dir.iterdir())


@pytest.mark.postgres
def test_on_postgresql_somebody_at_work_stops_a_restore(postgres_home: Home) -> None:
    file = changed(postgres_home)
    with create_engine(postgres_home.settings.database_url, poolclass=NullPool).connect() as web:
        web.execute(text("SELECT 1"))
        with pytest.raises(Taken, match="backup:still_running"):
            postgres_home.restore(file)
    assert postgres_home.state() == OLD


@pytest.mark.postgres
def test_a_password_reaches_the_client_programs_by_environment_alone() -> None:
    said = postgres_client.environment("postgresql+psycopg://u:p%40ss@db.example:5433/main?sslmode=require")
    assert {key: said[key] for key in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE")} == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "u",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "main",
        "PGSSLMODE": "require",
    }
