"""Figures that people bring in: one row over a team or all rows of one person, with remark and evidence.

HR may enter every row, the responsible supervisor those that the plan has entered by hand; nobody enters their own.
The rows of somebody of HR are their supervisor's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import update

from review.domain.cycle import Stage
from review.domain.kpi_plan import OF_SATISFACTION, Obtained, Record
from review.domain.kpi_sheet import ASKED
from review.domain.kpi_value import plain_number, read_value, typed
from review.domain.reading import exact
from review.domain.records import Unit
from review.domain.refusals import Invalid, NotAllowed, OutOfReach, Problem, Refusal
from review.domain.rounding import exact_text
from review.infra import audit
from review.infra.db import db
from review.kpi.amounts import read_amount
from review.kpi.changing import Hand, held, held_one, require_other, require_unsigned, runs, touch
from review.kpi.records import records_of
from review.kpi.sheets import Row, Sheet
from review.kpi.tables import FigureRow, Origin
from review.kpi.workbook import Filled

LONGEST = 1000
_IS_BARE = re.compile(r"-?[\d.,]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as typed. An empty `value` takes the figure away again."""

    value: str
    count: str = ""
    remark: str = ""
    evidence: str = ""


def may_enter(sheet: Sheet, row: Row, hand: Hand) -> bool:
    """Whether this person brings in the figure of this row."""
    if sheet.subject.id == hand.person_id or row.figure.is_left_out:
        return False
    is_theirs = sheet.supervisor_id == hand.person_id and row.plan.obtained is Obtained.HAND
    return is_theirs or runs(sheet, hand)


def as_typed(row: Row) -> Entry:
    """What stands on a row, as a form starts with it."""
    return Entry(_typed_value(row), typed(row.figure.count, None), row.remark, row.evidence)


def _typed_value(row: Row) -> str:
    name = ASKED[row.plan.rule]
    if name == "lapses":
        return "" if row.figure.lapses is None else str(row.figure.lapses)
    return typed(getattr(row.figure, name), None if name == "points" else row.plan.unit)


def enter(
    cycle_id: int,
    entries: Mapping[int, Mapping[str, Entry]],
    hand: Hand,
    now: datetime,
    *,
    origin: Origin = Origin.HAND,
) -> int:
    """Take these entries (by review and row) onto the sheets; how many figures are new or other ones.

    What stands there already changes nothing. Raises Invalid with every problem, each at `value-<review>-<row>` or
    `remark-…`; Taken for a sheet that is signed, TooLate once published, NotAllowed for one's own sheet.
    """
    sheets = held(cycle_id, list(entries))
    problems: list[Problem] = []
    changes: list[tuple[Sheet, Row, dict[str, Any]]] = []
    for review_id, rows in entries.items():
        sheet = sheets.get(review_id)
        if sheet is None:
            raise OutOfReach("kpi_sheet:no_such_sheet")
        for key, entry in rows.items():
            row = next((one for one in sheet.rows if one.key == key), None)
            if row is None:
                raise OutOfReach("kpi_sheet:no_such_row")
            if entry == as_typed(row):
                continue
            _require_may(sheet, row, hand)
            try:
                values = _values(review_id, row, entry, hand, now, origin)
            except Invalid as refusal:
                problems += refusal.problems
                continue
            if values:
                changes.append((sheet, row, values))
    if problems:
        raise Invalid.of(problems)
    for sheet, row, values in changes:
        _write(sheet, row, values, hand, now)
    touch({sheet.review_id for sheet, _, _ in changes}, now)
    return len(changes)


def _require_may(sheet: Sheet, row: Row, hand: Hand) -> None:
    require_other(sheet, hand.person_id)
    require_unsigned(sheet)
    if row.figure.is_left_out:
        raise Invalid("kpi_sheet:left_out", f"value-{sheet.review_id}-{row.key}")
    if not may_enter(sheet, row, hand):
        raise NotAllowed("kpi_sheet:not_yours_to_enter")


def _values(review_id: int, row: Row, entry: Entry, hand: Hand, now: datetime, origin: Origin) -> dict[str, Any]:
    """The columns of the row with this entry, none where nothing changes. Raises Invalid with all that is wrong."""
    spot, problems = f"{review_id}-{row.key}", list[Problem]()
    value = count = None
    try:
        value = _read(entry.value, row, f"value-{spot}") if entry.value.strip() else None
    except Refusal as refusal:
        problems += refusal.problems
    try:
        count = _read_count(entry.count, f"count-{spot}")
    except Refusal as refusal:
        problems += refusal.problems
    keeps_value = entry.value == _typed_value(row) or (value is not None and value == _figure(row))
    is_same = keeps_value and entry.count.strip() == typed(row.figure.count, None)
    if row.plan.obtained is Obtained.SYSTEM and not is_same and value is not None and not entry.remark.strip():
        problems.append(Problem("kpi_sheet:why_by_hand", f"remark-{spot}"))
    for name, text in (("remark", entry.remark), ("evidence", entry.evidence)):
        if len(text.strip()) > LONGEST:
            problems.append(Problem("form:too_long", f"{name}-{spot}", {"max": LONGEST}))
    if problems:
        raise Invalid.of(problems)
    words = {"remark": entry.remark.strip() or None, "evidence": entry.evidence.strip() or None}
    if is_same:
        standing = {"remark": row.remark or None, "evidence": row.evidence or None}
        return {} if words == standing else words
    return {**words, **_supplied(row, value, count, hand, now, origin)}


def _read(text: str, row: Row, where: str) -> Fraction:
    """What was typed; durations also in the words of the target beside the field ("1分30秒", "10 min")."""
    if row.plan.unit is Unit.SECONDS and ASKED[row.plan.rule] == "actual" and not _IS_BARE.fullmatch(text.strip()):
        try:
            text = exact_text(read_amount(text, Unit.SECONDS))
        except Invalid:
            raise Invalid("kpi_sheet:not_a_duration", where) from None
    return read_value(text, row.plan, where)


def _figure(row: Row) -> Fraction | None:
    found = getattr(row.figure, ASKED[row.plan.rule])
    return None if found is None else Fraction(found)


def _read_count(text: str, where: str) -> Fraction | None:
    if not text.strip():
        return None
    count = exact(plain_number(text))
    if count is None:
        raise Invalid("kpi_sheet:not_a_number", where)
    if not 0 <= count <= 10**9:
        raise Invalid("kpi_sheet:out_of_range", where, low="0", high="1000000000")
    return count


def _supplied(
    row: Row, value: Fraction | None, count: Fraction | None, hand: Hand, now: datetime, origin: Origin
) -> dict[str, Any]:
    name = ASKED[row.plan.rule]
    figure: dict[str, Any] = {"actual": None, "points": None, "lapses": None, "count": None}
    if value is None:
        return {**figure, "origin": None, "supplied_by": None, "supplied_at": None}
    figure[name] = int(value) if name == "lapses" else str(value)
    figure["count"] = None if count is None else str(count)
    return {**figure, "origin": origin, "supplied_by": hand.person_id, "supplied_at": now}


def _write(sheet: Sheet, row: Row, values: dict[str, Any], hand: Hand, now: datetime) -> None:
    mine = (FigureRow.review_id == sheet.review_id) & (FigureRow.row_key == row.key)
    db.session.execute(update(FigureRow).where(mine).values(**values))
    told = {name: values[name] for name in ("actual", "points", "lapses") if values.get(name) is not None}
    before = {name: str(getattr(row.figure, name)) for name in ("actual", "points", "lapses", "count")}
    about = f"review:{sheet.review_id}"
    audit.record("kpi:figure:entered", about, by=hand.person_id, at=now, row=row.key, before=before, after=told)


def take_file(sheet: Sheet, filled: Sequence[Filled], hand: Hand, now: datetime) -> int:
    """Take a workbook that was filled in; how many figures are new or other ones. Raises as `enter` does."""
    entries = {sheet.review_id: _entries_of(sheet, filled)}
    return enter(sheet.cycle.id, entries, hand, now, origin=Origin.FILE)


def _entries_of(sheet: Sheet, filled: Sequence[Filled]) -> dict[str, Entry]:
    """A file that was filled in, as entries. What it leaves empty stays: it may be older than what stands there."""
    rows, found = {row.key: row for row in sheet.rows}, {}
    for one in filled:
        row = rows[one.key]
        value = getattr(one, ASKED[row.plan.rule])
        told = _typed_value(row) if value is None else typed(Fraction(value), None)
        found[one.key] = Entry(told, typed(row.figure.count, None), one.remark or row.remark, row.evidence)
    return found


def leave_out(cycle_id: int, review_id: int, row_key: str, why: str, hand: Hand, now: datetime) -> None:
    """HR's word that a row does not apply to this person; its weight passes to the others. Empty takes it back.

    Satisfaction may be left out only where there are no answers. Raises Invalid without a reason.
    """
    sheet = held_one(cycle_id, review_id)
    require_other(sheet, hand.person_id)
    require_unsigned(sheet)
    if not runs(sheet, hand):
        raise NotAllowed("kpi_sheet:not_yours_to_enter")
    row = next((one for one in sheet.rows if one.key == row_key), None)
    if row is None:
        raise OutOfReach("kpi_sheet:no_such_row")
    said = why.strip()
    if (said or None) == (row.why or None):
        return
    if said:
        _check_left_out(sheet, row, said)
    mine = (FigureRow.review_id == review_id) & (FigureRow.row_key == row_key)
    db.session.execute(update(FigureRow).where(mine).values(not_applicable=bool(said), why=said or None))
    touch([review_id], now)
    audit.record(
        "kpi:row:left_out" if said else "kpi:row:taken_back",
        f"review:{review_id}",
        by=hand.person_id,
        at=now,
        row=row_key,
        why=said,
    )


def _check_left_out(sheet: Sheet, row: Row, why: str) -> None:
    if len(why) > LONGEST:
        raise Invalid("form:too_long", "why", max=LONGEST)
    if row.plan.indicator not in OF_SATISFACTION:
        return
    if row.plan.record is Record.SURVEYS and sheet.cycle.stage is Stage.COLLECTING:
        raise Invalid("kpi_sheet:customers_still_asked", "why")
    # The records are asked as well: whoever takes the figure away first has not taken away the customers' answers.
    told = records_of(sheet.cycle, sheet.plan, {sheet.subject.id}).measured(sheet.subject.id, row.plan)
    if row.figure.actual is not None or told.value is not None:
        raise Invalid("kpi_sheet:satisfaction_has_answers", "why")
