"""`import kpi`: what each system exports is read as it was meant, once, and what is wrong is named by its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from review.domain.records import TicketSystem
from review.domain.refusals import Refusal
from review.helpdesk.commands import kpi_command
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.infra.words import say_all
from tests import exports
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle


class Outcome:
    """What the command said and how it ended."""

    def __init__(self, result: Any) -> None:
        self.status, self.text = result.exit_code, result.output
        if isinstance(result.exception, Refusal):
            self.status, self.text = 1, self.text + "\n".join(say_all(result.exception, "en"))
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception

    @property
    def files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.text[self.text.index("{") : self.text.rindex("}") + 1])["files"]
        return found


class House:
    """An installation with a cycle over the first quarter of 2026 and a folder for files."""

    def __init__(self, app: Flask, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.cast, self.folder = app, cast, folder
        monkeypatch.setenv("LANG", "en_GB.UTF-8")
        monkeypatch.setattr("review.helpdesk.commands.clock_now", lambda: NOW)
        with app.app_context():
            make_cycle(cast)
            db.session.commit()

    def file(self, name: str, content: str | bytes | Any) -> Path:
        path = self.folder / name
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, system: str, *arguments: Any) -> Outcome:
        command = ["--cycle", "Q1 2026", "--from", system, *map(str, arguments)]
        return Outcome(CliRunner().invoke(kpi_command, command, obj=lambda: self.app))

    def tickets(self) -> dict[str, TicketRow]:
        return {row.reference: row for row in db.session.scalars(select(TicketRow).order_by(TicketRow.id))}


@pytest.fixture
def house(app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(app, cast, tmp_path, monkeypatch)


AGENTS = ["Ada", "Bo", "Cy"]
SHEETS = {
    TicketSystem.SOBOT: (exports.sobot, "a.csv", "{}", exports.five_stars),
    TicketSystem.JIANDAOYUN: (exports.jiandaoyun, "a.xlsx", "GD{}", exports.five_stars),
    TicketSystem.KINGDEE: (exports.kingdee, "a.csv", "{}", exports.five_stars),
    TicketSystem.QIDIAN: (exports.qidian, "a.txt", "S-{}", exports.five_stars),
    TicketSystem.YOZO: (exports.yozo, "a.xlsx", "{}", exports.five_stars),
    TicketSystem.ZENDESK: (exports.zendesk_csv, "a.csv", "{}", exports.good_or_bad),
}


@pytest.mark.parametrize("system", SHEETS, ids=lambda system: system.value)
def test_each_system_s_sheet_is_read_as_it_was_meant(house: House, system: TicketSystem) -> None:
    export, name, numbered, stars = SHEETS[system]
    tickets = exports.tickets_of(AGENTS, 60, seed=5)
    outcome = house.run(system.value, "--json", house.file(name, export(tickets)))
    assert outcome.status == 0, outcome.text
    told = outcome.files[0]
    assert (told["new"], told["bad_rows"], told["unknown"]) == (60, 0, {}), outcome.text
    with house.app.app_context():
        rows = house.tickets()
        for ticket in tickets:
            row = rows[numbered.format(ticket.number)]
            exports.assert_same(row, ticket, stars=stars)
            assert row.agent_id == house.cast[ticket.agent.lower()].id
