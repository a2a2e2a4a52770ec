"""Compares the snapshots night by night: what appeared while people cast, about whom, and whether pages moved."""

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.reading import files_of
from tests.adversary.told import Snapshot
from tests.adversary.traces import Row, Table, changed, in_text, kind_of, mentions

if TYPE_CHECKING:
    from tests.adversary.adversary import Adversary

# What the clock and HR write while a cycle collects. Nothing else has a reason to appear in the main database.
EXPECTED = {
    "peer_progress",
    "cycle_reminder",
    "letter workflow:reminder",
    "attempt",
    "sign_in_attempt",
    "schedule",
    "kpi_alert_day",  # one row a day at seven, whatever people do: a day and the moment of the look, nobody's name
}
# Draws of tickets; that the night of a draw is the night of a cast is a stated limit (see sittings.py).
DRAWN = {"ticket_draw", "ballot_ticket"}
# Who still owes something is no secret, for whom is one: a reminder goes to everybody who has not finished.
SEAT_COLUMNS = {"id", "review_id", "rater_id", "is_closed"}
TOKEN = re.compile(r'(csrf[_-]token"[^>]*?(?:value|content)="|X-CSRFToken": ")[^"]*"')


def compare(adversary: "Adversary") -> None:
    nights = adversary.collecting
    _shape(adversary, nights[-1])
    for before, after in pairwise(nights):
        _rows(adversary, before, after)
        _lines(adversary, before, after)
    _pages(adversary, nights[-1])


def _shape(adversary: "Adversary", last: Snapshot) -> None:
    """The table of seats knows whom and who, and none of its rows changes while people cast."""
    main, first = adversary.main[last.name], adversary.main[adversary.snapshots[0].name]
    extra = set(main.tables["seat"].columns) - SEAT_COLUMNS
    if extra:
        adversary.report.found("columns of the seats", "seat", sorted(extra))
    for name in (main.triggers | main.views) - (first.triggers | first.views):
        adversary.report.found("trigger or view in the main database", name)
    for name in set(main.tables) - set(first.tables):
        adversary.report.found("table made while people cast", name)
    expected = {"audit_no_update", "audit_no_delete", "audit_no_change"}
    for name in first.triggers - expected:
        adversary.report.found("trigger or view in the main database", name)


def _rows(adversary: "Adversary", before: Snapshot, after: Snapshot) -> None:
    old, new = adversary.main[before.name], adversary.main[after.name]
    expected = EXPECTED | DRAWN if adversary.drawn else EXPECTED
    for table in new.tables.values():
        rows = changed(old.tables.get(table.name), table)
        for kind in sorted({kind_of(table, row) for row in rows} - expected):
            adversary.report.found("rows that appear while people cast", kind)
        _trace(adversary, table, rows, after.name)


def _trace(adversary: "Adversary", table: Table, rows: list[Row], night: str) -> None:
    """How many new rows are about each person and how long they are, and the order of those that name one person."""
    report = adversary.report
    for row in rows:
        kind, about = kind_of(table, row), mentions(table, row, adversary.signs)
        for person in about:
            for feature, amount in ((f"rows {kind}", 1), (f"length {kind}", len(repr(row)))):
                if feature != "rows letter workflow:reminder" and kind not in DRAWN:
                    per_night = report.traces.setdefault(feature, {})
                    per_night[person, night] = per_night.get((person, night), 0) + amount
        if len(about) == 1:
            _activity(adversary, kind, table, row, about.pop())


def _activity(adversary: "Adversary", kind: str, table: Table, row: Row, person: int) -> None:
    for column, value in zip(table.columns, row, strict=True):
        if isinstance(value, int | float) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[ T]\d", value)):
            times = adversary.report.activity.setdefault(f"{kind}.{column}", {})
            times[person] = _number(value)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float(re.sub(r"\D", "", value)[:20].ljust(20, "0"))


def _lines(adversary: "Adversary", before: Snapshot, after: Snapshot) -> None:
    """Logs, printed words and letters: how often each person is named in what is new, and in which order."""
    for path in files_of(after.folder):
        name = path.relative_to(after.folder)
        if name.parts[0] not in {"logs", "mail"} and path.suffix not in {".json", ".log", ".txt", ".jsonl"}:
            continue
        earlier = before.folder / name
        known = len(earlier.read_bytes()) if earlier.exists() else 0
        text = path.read_bytes()[known:].decode("utf-8", "replace")
        _named(adversary, _group(name, text), text, after.name)


def _group(name: Path, text: str) -> str:
    """Letters count together by what they are about: one letter a file, with a subject."""
    if name.parts[0] == "mail":
        subject = re.search(r"(?m)^Subject: (.*)", text)
        words = re.sub(r"\d+", "#", subject[1]) if subject else ""
        return f"mail {words}"
    return str(name)


def _named(adversary: "Adversary", group: str, text: str, night: str) -> None:
    is_reminder = group.startswith("mail Still open")
    counts: dict[int, float] = defaultdict(float)
    for number, line in enumerate(text.splitlines()):
        for person in in_text(line, adversary.signs):
            counts[person] += 1
            adversary.report.activity.setdefault(f"lines of {group}", {})[person] = number
            adversary.report.came.setdefault(night, {}).setdefault(f"lines of {group}", {})[person] = number
    if not is_reminder:
        trace = adversary.report.traces.setdefault(f"lines of {group}", {})
        for person, count in counts.items():
            trace[person, night] = trace.get((person, night), 0) + count


def _pages(adversary: "Adversary", last: Snapshot) -> None:
    """What HR and supervisors see does not move between noon and evening, however many cast in between."""
    folder = last.folder / "pages"
    for noon in sorted(folder.glob("*-noon")):
        for page in sorted(noon.iterdir()):
            later = noon.with_name(noon.name.replace("noon", "evening")) / page.name
            if later.exists() and _still(page) != _still(later):
                adversary.report.found("a page moves with the casts", page.name)


def _still(page: Path) -> str:
    return TOKEN.sub(r"\1", page.read_text())
