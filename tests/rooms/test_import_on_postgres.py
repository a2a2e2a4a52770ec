"""The same imports on PostgreSQL: in any order the same tickets, again without change, two at once without doubles."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from review.app import create_app
from review.infra import migrate
from review.infra.db import db
from review.infra.settings import ROOT, Settings
from tests import exports
from tests.make import make_cast
from tests.rooms.test_kpi_import import AGENTS, IDS, House, figures, state, zendesk_parts

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture
def environ(tmp_path: Path, postgres_url: str, urn_url: str) -> dict[str, str]:
    migrate.upgrade(postgres_url)
    return {"REVIEW_DATA": str(tmp_path / "pg"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}


@pytest.fixture
def app(environ: dict[str, str]) -> Iterator[Flask]:
    made = create_app(replace(Settings.from_env(environ), is_testing=True))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def house(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    with app.app_context():
        cast = make_cast()
        db.session.commit()
    return House(app, cast, tmp_path, monkeypatch)


def test_parts_become_the_same_tickets_and_stay_them(house: House) -> None:
    tickets = exports.tickets_of(AGENTS, 50, seed=12)
    parts = zendesk_parts(tickets)
    users = house.file("users.json", {"users": exports.zendesk_users(IDS)})
    for name in ("ratings", "metrics", "tickets"):
        assert house.run("zendesk", users, house.file(f"{name}.json", parts[name])).status == 0
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            row = rows[str(ticket.number)]
            assert (row.agent_id, row.first_response) == (house.cast[ticket.agent.lower()].id, ticket.first_response)
            assert row.closed_on == (ticket.closed.date() if ticket.closed else None)
    before = state(house)
    assert house.run("zendesk", users, house.file("again.json", parts["tickets"])).status == 0
    assert state(house) == before


def test_shares_and_figures_are_kept(house: House) -> None:
    assert house.run("sheet", house.file("a.csv", "工单号,客服,关闭时间\n1,Ada:2;Bo:1,2026-03-05\n")).status == 0
    assert house.run("sheet", house.file("b.csv", "姓名,工单量,满意度,评价数\nAda,80,95%,40\n")).status == 0
    assert figures(house)["Ada", "volume"] == 80
    changed = house.run("sheet", "--json", house.file("c.csv", "工单号,客服,关闭时间\n1,Ada:1;Bo:1,2026-03-05\n"))
    assert changed.files[0]["changed"] == 1, changed.text


def test_two_processes_import_a_file_once(house: House, environ: dict[str, str]) -> None:
    path = house.file("big.csv", exports.zendesk_csv(exports.tickets_of(AGENTS, 5_000, seed=13)))
    arguments = ["import", "kpi", "--cycle", "Q1 2026", "--from", "zendesk", str(path)]
    command = [sys.executable, "-c", "from review.cli import main; main()", *arguments]
    both = [subprocess.Popen(command, env={**os.environ, **environ}, cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    with house.app.app_context():
        assert len(house.tickets()) == 5_000
