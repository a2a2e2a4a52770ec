"""A KPI sheet as a workbook: a spreadsheet program computes what we compute, and what is filled in comes back."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from review.domain.refusals import Invalid
from review.kpi.printed import Printed
from review.kpi.workbook import ACTUAL, FIRST_ROW, KEY, LAPSES, POINTS, REMARK, Filled, read_filled, workbook
from tests.make_sheets import ROWS, SHEET, sheet_of
from tests.spreadsheet import recalculated

PLACES = {row.key: number for number, row in enumerate(ROWS, FIRST_ROW + 1)}
Change = Callable[[Worksheet], None]


def filled_in(change: Change, sheet: Printed = SHEET) -> bytes:
    """The file after somebody has typed into it with another program."""
    book = load_workbook(BytesIO(workbook(sheet, "zh")))
    change(book.worksheets[0])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def typed(key: str, column: int, value: object) -> Change:
    def change(page: Worksheet) -> None:
        page.cell(PLACES[key], column + 1).value = value  # type: ignore[assignment]

    return change


def problems_of(data: bytes, sheet: Printed = SHEET) -> list[tuple[str, object]]:
    with pytest.raises(Invalid) as refused:
        read_filled(data, sheet, "en")
    return [(problem.code, problem.params.get("row")) for problem in refused.value.problems]


def test_a_spreadsheet_program_computes_the_same_points(tmp_path: Path) -> None:
    (tmp_path / "sheet.xlsx").write_bytes(workbook(SHEET, "en"))
    (cells,) = recalculated([tmp_path / "sheet.xlsx"], tmp_path).values()
    (rows,) = cells.values()
    points = {row[KEY]: row[POINTS] for row in rows if row[KEY] in PLACES}
    assert {key: round(100 * value) for key, value in points.items()} == {row.key: row.points for row in ROWS}
    kpi = next(row[POINTS] for row in rows if "(K)" in str(row[1]))
    assert round(100 * kpi) == SHEET.kpi


@pytest.mark.parametrize(("key", "column", "value", "points"), [
    ("errors", LAPSES, 2, 60), ("errors", LAPSES, 3, 0), ("errors", LAPSES, 0, 100),
    ("proactive", ACTUAL, 4, 100), ("proactive", ACTUAL, 1, 0),
])  # fmt: skip
def test_points_follow_what_is_typed(tmp_path: Path, key: str, column: int, value: int, points: int) -> None:
    (tmp_path / "sheet.xlsx").write_bytes(filled_in(typed(key, column, value)))
    (cells,) = recalculated([tmp_path / "sheet.xlsx"], tmp_path).values()
    (rows,) = cells.values()
    assert next(row[POINTS] for row in rows if row[KEY] == key) == points


def test_what_was_not_touched_comes_back_as_it_is() -> None:
    assert read_filled(workbook(SHEET, "zh"), SHEET, "zh") == (
        Filled("errors", None, 1, None, ""),
        Filled("proactive", Fraction(3), None, None, "two calls, one visit"),
        Filled("training", None, None, Fraction(171, 2), ""),
    )


@pytest.mark.parametrize(("value", "read"), [
    (2.1, Fraction(21, 10)), ("1,200", Fraction(1200)), (" 95 % ", Fraction(95)), ("9５", Fraction(95)),
    (None, None), ("   ", None), ("1e3", Fraction(1000)), (0, Fraction(0)),
])  # fmt: skip
def test_figures_are_read_as_people_type_them(value: object, read: Fraction | None) -> None:
    found = {one.key: one for one in read_filled(filled_in(typed("proactive", ACTUAL, value)), SHEET, "en")}
    assert found["proactive"].actual == read


@pytest.mark.parametrize(("key", "column", "value", "code"), [
    ("proactive", ACTUAL, "many", "kpi:cell_no_number"), ("proactive", ACTUAL, "1/3", "kpi:cell_no_number"),
    ("proactive", ACTUAL, True, "kpi:cell_no_number"), ("proactive", ACTUAL, "1e999999999", "kpi:cell_no_number"),
    ("proactive", ACTUAL, "1,5", "kpi:cell_no_number"),
    ("proactive", ACTUAL, "9" * 400, "kpi:cell_no_number"), ("proactive", ACTUAL, "=1+1", "kpi:cell_formula"),
    ("errors", LAPSES, -1, "kpi:cell_negative"), ("errors", LAPSES, 1.5, "kpi:cell_not_whole"),
    ("training", POINTS, 100.01, "kpi:cell_over"), ("training", REMARK, "x" * 501, "kpi:cell_too_long"),
])  # fmt: skip
def test_a_wrong_cell_is_named_by_row_and_column(key: str, column: int, value: object, code: str) -> None:
    assert problems_of(filled_in(typed(key, column, value))) == [(code, PLACES[key])]


def test_every_wrong_cell_is_told_at_once() -> None:
    def change(page: Worksheet) -> None:
        typed("errors", LAPSES, "x")(page)
        typed("training", POINTS, 400)(page)

    assert problems_of(filled_in(change)) == [
        ("kpi:cell_no_number", PLACES["errors"]),
        ("kpi:cell_over", PLACES["training"]),
    ]


def test_rows_may_be_moved_but_not_lost() -> None:
    def swapped(page: Worksheet) -> None:
        first, second = PLACES["errors"], PLACES["training"]
        for column in range(1, REMARK + 2):
            one, other = page.cell(first, column), page.cell(second, column)
            one.value, other.value = other.value, one.value

    found = {one.key: one for one in read_filled(filled_in(swapped), SHEET, "en")}
    assert (found["errors"].lapses, found["training"].points) == (1, Fraction(171, 2))
    assert problems_of(filled_in(lambda page: page.delete_rows(PLACES["errors"]))) == [("kpi:row_missing", None)]


def test_figures_of_the_system_are_not_taken_from_a_file() -> None:
    found = read_filled(filled_in(typed("volume", ACTUAL, 9999)), SHEET, "en")
    assert [one.key for one in found] == ["errors", "proactive", "training"]


@pytest.mark.parametrize(("changes", "code"), [
    ({"review_id": 8}, "kpi:file_of_another"), ({"review_id": 77}, "kpi:file_of_another"),
    ({"plan_hash": "cd" * 32}, "kpi:file_outdated"), ({"group_key": "other"}, "kpi:file_outdated"),
])  # fmt: skip
def test_the_file_of_another_sheet_is_refused(changes: dict[str, object], code: str) -> None:
    assert problems_of(workbook(SHEET, "en"), sheet_of(**changes)) == [(code, None)]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"%PDF-1.7", b"a,b\n1,2\n"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_filled(data, SHEET, "en")


def test_any_other_workbook_is_refused() -> None:
    data = filled_in(typed("errors", KEY, "errors"))
    book = load_workbook(BytesIO(data))
    book.worksheets[0].cell(1, KEY + 1).value = None
    file = BytesIO()
    book.save(file)
    assert problems_of(file.getvalue()) == [("kpi:file_no_code", None)]


def test_what_people_typed_never_becomes_a_formula() -> None:
    rows = tuple(replace(row, remark="=1+1") for row in ROWS)
    page = load_workbook(BytesIO(workbook(sheet_of(rows=rows, name="=cmd()", self_word="@SUM(1)"), "en"))).worksheets[0]
    formulas = [cell.coordinate for row in page.iter_rows() for cell in row if cell.data_type == "f"]
    assert all(page[place].column == POINTS + 1 for place in formulas)
