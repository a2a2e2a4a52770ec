"""Imports a million tickets from CSV, JSON and .xlsx, and measures seconds and the largest memory of each.

    python -m benchmarks.import_million [rows] [csv json xlsx]

Each file is made first and imported by the command line in a process of its own, as somebody would; then it is imported
once more, which must change nothing. Goal: under 500 MB of memory whatever the size. Prints one JSON object.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

from review.app import create_app
from review.cycles import service as cycles
from review.domain.period import PeriodKind, period_containing
from review.infra import migrate, organisation
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.schemes.service import install_default
from review.workflow import proposal

GOAL_MB = 500
AGENTS = 200
START = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = [
    *("Id", "Requester id", "Requester email", "Assignee", "Subject", "Tags", "Status", "Via", "Ticket type"),
    *("Created at", "Updated at", "Solved at", "Satisfaction Score", "Reopens", "Replies"),
    *("First reply time in minutes", "Full resolution time in minutes", "Requester wait time in minutes"),
]


def row_of(number: int) -> list[Any]:
    """A ticket as Zendesk's view tells it; every number gives another one, always the same."""
    opened = START + timedelta(minutes=number % 120_000)
    minutes = number * 7919 % 4000 + 5
    closed = opened + timedelta(minutes=minutes)
    score = ("Good", "Good", "Bad", "Offered", "Not Offered")[number * 31 % 5]
    return [
        *(number, number % 300_000, f"c{number % 300_000}@customer.example", f"Agent {number % AGENTS}"),
        *(f"Question number {number}", "vip complaint" if number % 37 == 0 else "vip", "Closed", "Web", "Question"),
        *(f"{opened:%Y-%m-%d %H:%M}", f"{closed:%Y-%m-%d %H:%M}", f"{closed:%Y-%m-%d %H:%M}", score, number % 3, 2),
        *(number % 60 + 1, minutes, 9),
    ]


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(row_of(number) for number in range(1, rows + 1))


def write_xlsx(path: Path, rows: int) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    for number in range(1, rows + 1):
        sheet.write_row(number, 0, row_of(number))
    book.close()


def write_json(path: Path, rows: int) -> None:
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    with path.open("w") as file:
        file.write('{"tickets": [')
        for number in range(1, rows + 1):
            told = dict(zip(HEADER, row_of(number), strict=True))
            opened = START + timedelta(minutes=number % 120_000)
            closed = opened + timedelta(minutes=told["Full resolution time in minutes"])
            body = {
                "id": number,
                "requester_id": told["Requester id"],
                "subject": told["Subject"],
                "status": "closed",
                "created_at": opened.strftime(stamp),
                "updated_at": closed.strftime(stamp),
                "type": "question",
                "assignee_id": number % AGENTS,
                "tags": str(told["Tags"]).split(),
                "via": {"channel": "web"},
                "satisfaction_rating": {"score": str(told["Satisfaction Score"]).lower().replace("not o", "uno")},
                "metric_set": {
                    "reopens": number % 3,
                    "replies": 2,
                    "solved_at": closed.strftime(stamp),
                    "reply_time_in_minutes": {"calendar": number % 60 + 1, "business": None},
                    "full_resolution_time_in_minutes": {
                        "calendar": told["Full resolution time in minutes"],
                        "business": None,
                    },
                },
                "custom_fields": [{"id": 1, "value": "a"}, {"id": 2, "value": None}],
            }
            file.write(("" if number == 1 else ",") + json.dumps(body))
        agents = ((at, f"agent{at}@example.com", f"Agent {at}", "agent") for at in range(AGENTS))
        users = [dict(zip(("id", "email", "name", "role"), agent, strict=True)) for agent in agents]
        file.write(f'], "users": {json.dumps(users)}, "count": {rows}}}')


WRITERS = {"csv": write_csv, "json": write_json, "xlsx": write_xlsx}


def make_house(folder: Path) -> dict[str, str]:
    """An installation with agents and a cycle; the environment that leads to it."""
    environ = {"REVIEW_DATA": str(folder / "instance"), "LANG": "en_GB.UTF-8"}
    settings = Settings.from_env(environ)
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        at = now()
        for number in range(AGENTS):
            name, email = f"Agent {number}", f"agent{number}@example.com"
            db.session.add(PersonRow(employee_no=f"A{number}", name=name, email=email, locale="en"))
        ours = organisation.current()
        wanted = cycles.CyclePlan(
            name="Q1 2026",
            period=period_containing(PeriodKind.QUARTERLY, START.date()),
            scheme_id=install_default(at).id,
            dates=proposal.dates_from(at.date() + timedelta(days=3), ours),
        )
        cycles.create(wanted, ours.zone, by=None, now=at)
        db.session.commit()
        db.engine.dispose()
    return environ


def run(environ: dict[str, str], path: Path) -> tuple[float, float, dict[str, Any]]:
    """Seconds, megabytes at most, and what the command told."""
    began = time.monotonic()
    program = "from review.cli import main; main()"
    arguments = ["import", "kpi", "--cycle", "Q1 2026", "--from", "zendesk", "--json", str(path)]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], env={**os.environ, **environ}, stdout=out
        )
        _pid, _status, used = os.wait4(process.pid, 0)  # of this process alone, unlike the sum over all children
        process.returncode = 0
        out.seek(0)
        told = json.load(out)["files"][0] | {"cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}
        return time.monotonic() - began, used.ru_maxrss / 1024, told


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    kinds = sys.argv[2:] or list(WRITERS)
    told: dict[str, Any] = {"rows": rows, "goal_mb": GOAL_MB}
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            environ, path = make_house(folder), folder / f"tickets.{kind}"
            WRITERS[kind](path, rows)
            seconds, peak, first = run(environ, path)
            again, _peak, second = run(environ, path)
            assert (first["new"], first["bad_rows"], first["unknown"]) == (rows, 0, {}), first
            assert (second["new"], second["changed"]) == (0, 0), second
            told[kind] = {
                "file_mb": round(path.stat().st_size / 2**20),
                "seconds": round(seconds, 1),
                "cpu_seconds": first["cpu_seconds"],
                "rows_a_second": round(rows / seconds),
                "peak_mb": round(peak),
                "again_seconds": round(again, 1),
            }
            print(kind, told[kind], file=sys.stderr)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
