"""The command line over the same services: a cycle from creation to its close, the clock, the doctor, one leader."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, Taken
from review.infra.db import db
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.workflow.commands import doctor_command, tick_command
from review.workflow.cycle_commands import cycle_group
from review.workflow.leadership import FileLeadership, PostgresLeadership
from review.workflow.worker import Worker, beat_file
from tests.make import Cast, make_department, make_person
from tests.rooms.test_launch import company

__all__ = ["company"]

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, company: Cast, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    def invoke(*arguments: str, command: object = cycle_group) -> Result:
        return CliRunner().invoke(command, list(arguments), obj=lambda **how: create_app(settings, **how))  # type: ignore[arg-type]

    return invoke


def stage(app: Flask) -> Stage:
    with app.app_context():
        found = db.session.scalar(select(CycleRow.stage))
        assert found is not None
        return found


def test_a_cycle_lives_on_the_command_line(app: Flask, run: Run) -> None:
    made = run("create", "Spring", "--kind", "quarterly")
    assert "22 people are in it" in made.output
    assert stage(app) is Stage.DRAFT
    assert run("launch", "Spring").output == "Spring is launched.\n"
    assert stage(app) is Stage.COLLECTING
    closed = run("close", "Spring")
    assert "stage: finalising" in closed.output
    told = run("status", "Spring").output
    assert "stage: finalising" in told
    moves = [line.split(" ", 2)[2] for line in told.splitlines() if line.startswith("moved: ")]
    assert moves == [
        "launch draft -> collecting -",
        "close collecting -> counting -",
        "finish_count counting -> finalising -",
    ]


def test_a_launch_with_gaps_needs_its_flag(app: Flask, run: Run) -> None:
    with app.app_context():
        boss = db.session.scalar(select(PersonRow.id).where(PersonRow.name == "Head"))
        make_person("Olga", department=make_department("Office"), supervisor=boss)
        db.session.commit()
    run("create", "Spring", "--department", "Office")
    refused = run("launch", "Spring")
    assert "No peer rating for Olga: 0 of 8 raters." in refused.output
    assert isinstance(refused.exception, NotYet)
    assert stage(app) is Stage.DRAFT
    assert run("launch", "Spring", "--accept-shortages").exit_code == 0
    assert stage(app) is Stage.COLLECTING


def test_refusals_reach_the_caller(run: Run, company: Cast) -> None:
    assert isinstance(run("status", "Nothing").exception, Invalid)
    assert isinstance(run("create", "X", "--department", "Moon").exception, Invalid)
    run("create", "Spring")
    assert isinstance(run("create", "Spring").exception, Invalid)
    assert isinstance(run("publish", "Spring", "--by", company["head"].employee_no).exception, Invalid)
    run("launch", "Spring")
    assert isinstance(run("launch", "Spring").exception, Taken)


def test_the_clock_can_be_asked_what_was_due(app: Flask, run: Run) -> None:
    run("create", "Spring")
    run("launch", "Spring")
    with app.app_context():
        closes = db.session.scalar(select(CycleRow.closes_at))
        assert closes is not None
    done = run("--at", closes.isoformat(), command=tick_command)
    assert "closed: Spring" in done.output
    assert stage(app) is Stage.COUNTING
    assert run("--at", "yesterday", command=tick_command).exit_code == 2


def test_the_doctor_finds_what_is_missing_and_says_how_to_mend_it(run: Run, settings: Settings) -> None:
    found = run(command=doctor_command)
    assert found.exit_code == 1
    assert "!!  No mail server is set up: letters wait. Set SMTP_URL." in found.output
    assert "!!  No worker has been heard of" in found.output
    assert "ok  The database answers." in found.output
    beat_file(settings.data_dir).touch()
    run("create", "Spring")
    run("launch", "Spring")
    found = run(command=doctor_command)
    assert "ok  A worker is running." in found.output
    assert "wipes what it overwrites" in found.output


def test_only_one_process_leads_and_the_next_takes_over(tmp_path: Path) -> None:
    first, second = FileLeadership(tmp_path / "lock"), FileLeadership(tmp_path / "lock")
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


@pytest.mark.postgres
def test_on_postgresql_the_lock_lives_and_dies_with_its_session(postgres_url: str) -> None:
    first, second = PostgresLeadership(postgres_url), PostgresLeadership(postgres_url)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_a_second_worker_on_sqlite_stands_by(app: Flask) -> None:
    leader, other = Worker(app), Worker(app)
    try:
        assert leader._lead()
        assert other._turn() > 1
        assert other._scheduler is None
    finally:
        leader.stop()
        leader.run()
        other.stop()
        other.run()
