"""A KPI sheet as a workbook in the layout of its page, with live points; what somebody filled in is read back.

Only rows that are entered by hand can be filled in. A hidden first column names the sheet and each row, so that a
sorted or widened table is still understood and a file of somebody else is not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import TYPE_FORMULA
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from review.domain.kpi import KpiRule
from review.domain.kpi_value import plain_number
from review.domain.refusals import Invalid, Problem
from review.domain.rounding import short_text
from review.infra.live_sheet import Page, formats_of
from review.infra.sheet_limits import Limits, check_workbook
from review.kpi.paper import totals_of
from review.kpi.paper_words import Say, rule_words, words_in
from review.kpi.printed import Printed, PrintedRow

SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
MARK = "review360-kpi"
KEY, INDICATOR, WEIGHT, RULE, DEFINITION, SOURCE, TARGET, ACTUAL, LAPSES, POINTS, REMARK = range(11)
HEADINGS = {
    INDICATOR: "indicator",
    WEIGHT: "weight",
    RULE: "rule",
    DEFINITION: "definition",
    SOURCE: "source",
    TARGET: "target",
    ACTUAL: "actual",
    LAPSES: "lapses_column",
    POINTS: "points",
    REMARK: "remark",
}
FIRST_ROW = 7
LONGEST_REMARK = 500
MOST = Fraction(10**12)
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,20})?(e[+-]?\d{1,2})?", re.ASCII)
SMALL = Limits(file_bytes=2 * 2**20, unpacked=20 * 2**20, cells=100_000, rows=2_000, columns=50)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a file says of one row that is entered by hand; None is an empty cell."""

    key: str
    actual: Fraction | None
    lapses: int | None
    points: Fraction | None
    remark: str


def code_of(sheet: Printed) -> str:
    """Names the sheet and the rules it was printed under, the same in every language."""
    return f"{MARK}:{sheet.review_id}:{sheet.plan_hash[:16]}:{sheet.group_key}"


def workbook(sheet: Printed, locale: str) -> bytes:
    """The .xlsx file in a language."""
    word, file = words_in(locale), BytesIO()
    book = Workbook(file, SAFE)
    page = Page(book, word("title"), formats_of(book))
    _write_head(page, sheet, word)
    for column, key in HEADINGS.items():
        page.text(FIRST_ROW - 1, column, word(key), "head")
    for place, row in enumerate(sheet.rows, FIRST_ROW):
        _write_row(page, place, row, word)
    _write_totals(page, sheet, word)
    page.finish(6, freeze=(FIRST_ROW, WEIGHT))
    page.hide(KEY)
    book.close()
    return file.getvalue()


def _write_head(page: Page, sheet: Printed, word: Say) -> None:
    page.text(0, KEY, code_of(sheet), wide=False)
    page.text(0, INDICATOR, word("title"), "title", wide=False)
    page.text(0, RULE, sheet.organisation, wide=False)
    where = " / ".join(part for part in (sheet.department, sheet.post) if part)
    period = word("span", first=sheet.first_day.isoformat(), last=sheet.last_day.isoformat())
    said = (
        ("employee_no", sheet.employee_no, "department", where),
        ("name", sheet.name, "period", period),
        ("plan", sheet.plan, "target_group", sheet.target_group),
    )
    for row, (left, first, right, second) in enumerate(said, 1):
        page.text(row, INDICATOR, f"{word(left)}: {first}", wide=False)
        page.text(row, RULE, f"{word(right)}: {second}", wide=False)
    page.text(4, INDICATOR, word("fill_note"), wide=False)


def _write_row(page: Page, place: int, row: PrintedRow, word: Say) -> None:
    page.text(place, KEY, row.key, wide=False)
    page.text(place, INDICATOR, f"{row.group} · {row.name}" if row.group else row.name)
    page.number(place, WEIGHT, row.weight)
    page.text(place, RULE, rule_words(row, word))
    page.text(place, DEFINITION, row.definition)
    page.text(place, SOURCE, word(f"by_{row.obtained}"))
    page.number(place, TARGET, row.target)
    given = _given(row) if not row.why else ()
    for column, value in ((ACTUAL, row.actual), (LAPSES, _fraction(row.lapses))):
        if column in given:
            page.given(place, column, _plain(value))
        else:
            page.number(place, column, value)
    earned = None if row.points is None else Fraction(row.points, 100)
    if POINTS in given:
        page.given(place, POINTS, _plain(earned))
    elif not row.why:
        page.formula(place, POINTS, _formula(row, place), "" if earned is None else float(earned), "points")
    if given:
        page.given(place, REMARK, row.remark)
    else:
        page.text(place, REMARK, row.why or row.remark)


def _given(row: PrintedRow) -> tuple[int, ...]:
    """The columns of a row that people fill in."""
    if row.obtained != "hand":
        return ()
    return {KpiRule.LAPSES: (LAPSES,), KpiRule.POINTS: (POINTS,)}.get(row.rule, (ACTUAL,))


def _fraction(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _plain(value: Fraction | None) -> float | None:
    """A figure as a spreadsheet keeps it; the official one stays here and is exact."""
    return None if value is None else float(value)


def _formula(row: PrintedRow, place: int) -> str:
    """The points of a row as a formula over its own cells, for whoever fills it in."""
    actual, lapses, target = (xl_rowcol_to_cell(place, column) for column in (ACTUAL, LAPSES, TARGET))
    match row.rule:
        case KpiRule.HIGHER:
            points = f"MIN({short_text(row.cap)},100*{actual}/{target})"
        case KpiRule.LOWER:
            limit = short_text(row.limit or Fraction(0))
            points = f"MAX(0,MIN(100,100*({limit}-{actual})/({limit}-{target})))"
        case KpiRule.LAPSES:
            full, cost = (short_text(value or Fraction(0)) for value in (row.full, row.cost))
            points = f"100*MAX(0,{full}-{cost}*{lapses})/{full}"
            if row.veto_at is not None:
                points = f"IF({lapses}>={row.veto_at},0,{points})"
        case _:
            points = _brackets(row, actual)
    asked = lapses if row.rule is KpiRule.LAPSES else actual
    return f'IF({asked}="","",{points})'  # not rounded: the mean below is rounded, once


def _brackets(row: PrintedRow, actual: str) -> str:
    """The last bracket whose start is not above the figure; nothing below the first."""
    points = "0"
    for bracket in row.brackets:
        points = f"IF({actual}>={short_text(bracket.start)},{short_text(bracket.points)},{points})"
    return points


def _write_totals(page: Page, sheet: Printed, word: Say) -> None:
    last = FIRST_ROW + len(sheet.rows) - 1
    weights, points = (f"{xl_col_to_name(c)}{FIRST_ROW + 1}:{xl_col_to_name(c)}{last + 1}" for c in (WEIGHT, POINTS))
    place = last + 2
    page.text(place, INDICATOR, word("sum_kpi"), "strong")
    mean = f'IF(COUNT({points})=0,"",ROUND(SUMPRODUCT({weights},{points})/SUMIF({points},">=0",{weights}),2))'
    page.formula(place, POINTS, mean, "" if sheet.kpi is None else sheet.kpi / 100, "score")
    for line in totals_of(sheet, word)[1:]:
        place += 1
        page.text(place, INDICATOR, line["label"], "strong" if line["strong"] else "text")
        page.text(place, POINTS, line["value"], wide=False)
        page.text(place, RULE, line["note"] or "", wide=False)
    for key, text in (("self_word", sheet.self_word), ("leader_word", sheet.leader_word)):
        if text.strip():
            place += 1
            page.text(place, INDICATOR, word(key), "strong")
            page.text(place, RULE, text, wide=False)
    for one in sheet.signatures:
        place += 1
        page.text(place, INDICATOR, word(f"step_{one.step}"))
        page.text(place, RULE, one.name or "____________", wide=False)


def read_filled(data: bytes, sheet: Printed, locale: str) -> tuple[Filled, ...]:
    """What the file says of the rows entered by hand. Raises Invalid, one problem a cell, each with row and column."""
    if len(data) > SMALL.file_bytes:
        raise Invalid("form:file_too_large")
    check_workbook(data, SMALL)
    cells = _cells(data)
    _require_same(cells, sheet)
    places = {str(row[KEY].value): row for row in cells[FIRST_ROW - 1 :] if row[KEY].value}
    problems: list[Problem] = []
    filled = []
    for row in sheet.rows:
        columns = _given(row)
        if not columns or row.why:
            continue
        if row.key not in places:
            problems.append(Problem("kpi:row_missing", row.key, {"name": row.name}))
            continue
        filled.append(_read_row(row, columns, places[row.key], words_in(locale), problems))
    if problems:
        raise Invalid.of(problems)
    return tuple(filled)


def _cells(data: bytes) -> list[tuple[Any, ...]]:
    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
        rows = book.worksheets[0].iter_rows(max_row=SMALL.rows, max_col=REMARK + 1)
        found = [tuple(row) for row in rows if len(row) == REMARK + 1]
    except (ValueError, KeyError, IndexError, OSError, TypeError, AttributeError) as error:
        raise Invalid("sheets:damaged") from error
    return found


def _require_same(cells: list[tuple[Any, ...]], sheet: Printed) -> None:
    code = str(cells[0][KEY].value or "") if cells else ""
    if not code.startswith(f"{MARK}:"):
        raise Invalid("kpi:file_no_code")
    if not code.startswith(f"{MARK}:{sheet.review_id}:"):
        raise Invalid("kpi:file_of_another")
    if code != code_of(sheet):
        raise Invalid("kpi:file_outdated")


def _read_row(
    row: PrintedRow, columns: tuple[int, ...], cells: tuple[Any, ...], word: Say, problems: list[Problem]
) -> Filled:
    said: dict[int, Fraction | None] = {}
    remark = str(cells[REMARK].value or "").strip()
    for column in (*columns, REMARK):
        for code, params in _flaws(row, column, cells[column]):
            told = {"row": cells[column].row, "column": word(HEADINGS[column]), **params}
            problems.append(Problem(f"kpi:{code}", f"{told['row']}/{told['column']}", told))
            break
        else:
            said[column] = _number(cells[column].value) if column != REMARK else None
    lapses = said.get(LAPSES)
    return Filled(row.key, said.get(ACTUAL), None if lapses is None else int(lapses), said.get(POINTS), remark)


def _flaws(row: PrintedRow, column: int, cell: Any) -> Iterator[tuple[str, dict[str, object]]]:
    if cell.data_type == TYPE_FORMULA:
        yield "cell_formula", {}
    if column == REMARK:
        if len(str(cell.value or "")) > LONGEST_REMARK:
            yield "cell_too_long", {"most": LONGEST_REMARK}
        return
    if _is_blank(cell.value):
        return
    number = _number(cell.value)
    if number is None:
        yield "cell_no_number", {"value": str(cell.value)[:40]}
        return
    if number < 0 and row.rule is not KpiRule.BRACKETS:  # brackets may start below nought
        yield "cell_negative", {}
    most = Fraction(100) if column == POINTS else MOST
    if number > most:
        yield "cell_over", {"most": short_text(most)}
    if column == LAPSES and number.denominator != 1:
        yield "cell_not_whole", {}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: object) -> Fraction | None:
    """The figure somebody typed, as they typed it: 0.1 is one tenth, "1,200" is 1200, "95%" is 95."""
    if isinstance(value, bool) or _is_blank(value):
        return None
    text = plain_number(repr(value) if isinstance(value, float) else str(value))
    return Fraction(text) if NUMBER.fullmatch(text) else None
