"""Imports under attack: hostile files are refused fast and small, a killed import is gone on with, two share one."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from review.domain.refusals import Invalid
from review.helpdesk.limits import FileLimits
from review.helpdesk.unpacking import unpack
from review.infra import migrate
from review.infra.settings import ROOT
from tests import exports

MOST_SECONDS = 20  # of a refusal on a machine that does other things too; alone it takes a tenth of one
MOST_MB = 300


def _zip(path: Path, **parts: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), content)


def _bomb(path: Path) -> None:
    _zip(path, xl__workbook_xml=b"<workbook/>", xl__worksheets__sheet1_xml=b"0" * 400_000_000)


def _entities(path: Path) -> None:
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><workbook>&b;</workbook>'
    _zip(path, xl__workbook_xml=evil, xl__worksheets__sheet1_xml=b"<worksheet/>")


def _wide_sheet(path: Path) -> None:
    cells = b'<c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>'
    sheet = b"<worksheet><sheetData><row r='1'>" + cells + b"</row></sheetData></worksheet>"
    _zip(path, xl__workbook_xml=b"<workbook/>", xl__worksheets__sheet1_xml=sheet)


HOSTILE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "bomb.xlsx": ("sheets:too_large_inside", _bomb),
    "entities.xlsx": ("sheets:damaged", _entities),
    "wide.xlsx": ("sheets:too_many_rows", _wide_sheet),
    "no_workbook.xlsx": ("form:file_type", lambda path: _zip(path, readme_xml=b"x")),
    "binary.xlsx": ("helpdesk:other_workbook", lambda path: _zip(path, xl__workbook_bin=b"x")),
    "cut.xlsx": ("sheets:damaged", lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 500)),
    "old.xls": (
        "helpdesk:old_workbook",
        lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(999)),
    ),
    "paper.csv": ("form:file_type", lambda path: path.write_bytes(b"%PDF-1.7\n...")),
    "program.csv": ("form:file_type", lambda path: path.write_bytes(b"MZ\x90\0\x03\0\0\0" + bytes(500))),
    "page.xls": ("helpdesk:web_page", lambda path: path.write_bytes(b"<html><table><tr><td>1</td></tr></table>")),
    "noise.csv": ("form:file_type", lambda path: path.write_bytes(bytes(range(1, 32)) * 50)),
    "empty.csv": ("form:file_empty", lambda path: path.write_bytes(b"")),
    "line.csv": ("helpdesk:giant_line", lambda path: path.write_bytes(b"a,b\n" + b"x" * 50_000_000)),
    "cell.csv": ("helpdesk:giant_cell", lambda path: path.write_bytes(b'a,b\n1,"' + b"x\n" * 1_000_000)),
    "columns.csv": ("sheets:too_many_rows", lambda path: path.write_bytes(b"a," * 300_000 + b"\n1\n")),
    "deep.json": ("helpdesk:too_deep", lambda path: path.write_bytes(b'[{"id":' + b"[" * 1000 + b"]" * 1000 + b"}]")),
    "bottomless.json": ("helpdesk:too_deep", lambda path: path.write_bytes(b"[" * 5_000_000)),
    "giant.json": ("helpdesk:giant_record", lambda path: path.write_bytes(b'[{"id":"' + b"x" * 80_000_000 + b'"}]')),
    "keys.json": (
        "sheets:too_many_rows",
        lambda path: path.write_text(json.dumps([{f"key{at}": at for at in range(5000)}])),
    ),
    "cut.json": ("sheets:damaged", lambda path: path.write_bytes(b'{"tickets":[{"id":1},{"id":')),
    "words.json": ("helpdesk:no_json", lambda path: path.write_bytes(b'{"a":1} and so on')),
}

MEASURED = """
import sys, time
from pathlib import Path
from review.domain.refusals import Invalid
from review.helpdesk.unpacking import unpack
began = time.monotonic()
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[1] + ".d"))
    print("read")
except Invalid as refusal:
    print(refusal.code)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # rusage would count the parent's
print(time.monotonic() - began, int(peak.split()[1]) / 1024)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_fast_and_small(name: str, tmp_path: Path) -> None:
    code, make = HOSTILE[name]
    make(tmp_path / name)
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / name)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert told[0] == code
    assert float(told[1]) < MOST_SECONDS
    assert float(told[2]) < MOST_MB


def test_more_rows_than_anybody_has_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 100)
    with pytest.raises(Invalid) as refused:
        unpack(tmp_path / "a.csv", tmp_path / "d", limits=FileLimits(rows=50))
    assert refused.value.code == "sheets:too_many_rows"


@pytest.mark.parametrize("size", [1, 10**9], ids=["row by row", "whole"])
def test_a_workbook_reads_the_same_whole_and_row_by_row(size: int, tmp_path: Path) -> None:
    tickets = exports.tickets_of(["Ada"], 30, seed=3)
    (tmp_path / "a.xlsx").write_bytes(exports.jiandaoyun(tickets))
    rows = list(unpack(tmp_path / "a.xlsx", tmp_path / "d", limits=FileLimits(at_once=size))[0].rows())
    assert rows[2][1][:2] == ["流水号", "负责人"]
    assert [row[1][0] for row in rows[3:]] == [f"GD{ticket.number}" for ticket in tickets]
    assert [row[1][6] for row in rows[3:]] == [f"{ticket.first_response}s" for ticket in tickets]


# ---- under the axe --------------------------------------------------------------------------------------------------

MAKE = """
from datetime import date, timedelta
from review.app import create_app
from review.cycles import service as cycles
from review.domain.period import PeriodKind, period_containing
from review.infra import organisation
from review.infra.clock import now
from review.infra.db import db
from review.people.tables import PersonRow
from review.schemes.service import install_default
from review.workflow import proposal
with create_app().app_context():
    at, ours = now(), organisation.current()
    for name in ("Ada", "Bo"):
        db.session.add(PersonRow(employee_no=name, name=name, email=f"{name.lower()}@example.com", locale="en"))
    plan = cycles.CyclePlan(name="Q1 2026", period=period_containing(PeriodKind.QUARTERLY, date(2026, 3, 1)),
        scheme_id=install_default(at).id, dates=proposal.dates_from(at.date() + timedelta(days=3), ours))
    cycles.create(plan, ours.zone, by=None, now=at)
    db.session.commit()
"""
ROWS = 6_000


class Installation:
    """One of its own, spoken to by processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.environ = {**os.environ, "REVIEW_DATA": str(folder / "instance"), "LANG": "en_GB.UTF-8"}
        self.database = folder / "instance" / "review.sqlite"
        self.database.parent.mkdir(parents=True, mode=0o700)
        migrate.upgrade(f"sqlite:///{self.database}")
        subprocess.run([sys.executable, "-c", MAKE], env=self.environ, cwd=ROOT, check=True)
        self.file = folder / "a.csv"
        self.file.write_bytes(exports.zendesk_csv(exports.tickets_of(["Ada", "Bo"], ROWS, seed=11)))

    def start(self) -> "subprocess.Popen[str]":
        program = "from review.cli import main; main()"
        arguments = ["import", "kpi", "--cycle", "Q1 2026", "--from", "zendesk", "--json", str(self.file)]
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments], env=self.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    def ask(self, query: str) -> list[tuple[object, ...]]:
        engine = create_engine(f"sqlite:///{self.database}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def outcome_of(process: "subprocess.Popen[str]") -> dict[str, int]:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    found: dict[str, int] = json.loads(out)["files"][0]
    return found


def test_an_import_killed_in_the_middle_is_gone_on_with(installation: Installation) -> None:
    first = installation.start()
    until = time.monotonic() + 240
    while time.monotonic() < until and first.poll() is None:
        stands = installation.ask("SELECT position FROM ticket_import")
        if stands and 0 < int(str(stands[0][0])) < ROWS:
            break
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    [(state, position)] = installation.ask("SELECT state, position FROM ticket_import")
    assert (state, 0 < int(str(position)) < ROWS) == ("running", True)
    assert installation.ask("SELECT count(*) FROM ticket") == [(position,)]
    told = outcome_of(installation.start())
    assert (told["new"], told["changed"], told["rows"]) == (ROWS, 0, ROWS + 1)
    assert installation.ask("SELECT count(*), count(DISTINCT reference) FROM ticket") == [(ROWS, ROWS)]
    assert installation.ask("SELECT state FROM ticket_import") == [("done",)]


def test_two_who_import_the_same_file_at_once_do_it_once(installation: Installation) -> None:
    told = [outcome_of(process) for process in [installation.start(), installation.start()]]
    assert installation.ask("SELECT count(*), count(DISTINCT reference) FROM ticket") == [(ROWS, ROWS)]
    done = installation.ask("SELECT state, json_extract(counts, '$.new') FROM ticket_import")
    assert done == [("done", ROWS)]
    assert len(told) == 2
