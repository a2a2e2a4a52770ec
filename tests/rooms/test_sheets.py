"""Tables people bring: read whatever Excel and WPS write, refuse what would burst the memory."""

import io
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter

from review.domain.refusals import Invalid
from review.infra.sheet_limits import Limits
from review.infra.sheets import cell_text, column_map, day_of, read_table, safe_cell


def workbook(rows: list[list[Any]]) -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)
    return data.getvalue()


def archive(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return data.getvalue()


def refusal(data: bytes, name: str, limits: Limits | None = None) -> str:
    with pytest.raises(Invalid) as refused:
        read_table(data, name, limits)
    return refused.value.code


def test_a_workbook_gives_plain_text_and_the_row_numbers_of_the_spreadsheet() -> None:
    table = read_table(workbook([[None], ["工单号", "关闭日期"], [1001, date(2026, 3, 5)], [], ["T-2"]]), "a.xlsx")
    assert table.headings == ("工单号", "关闭日期")
    assert [(row.number, row.cells) for row in table.rows] == [(3, ("1001", "2026-03-05")), (5, ("T-2",))]
    assert table.rows[1].at(1) == "" == table.rows[1].at(None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_is_read_in_every_encoding_excel_and_wps_write(encoding: str, delimiter: str) -> None:
    text = f'工单号{delimiter}姓名\r\n1{delimiter}"李, 雷"\r\n\r\n2{delimiter}韩梅\r\n'
    table = read_table(text.encode(encoding), "名单.CSV")
    assert table.headings == ("工单号", "姓名")
    assert [(row.number, row.cells) for row in table.rows] == [(2, ("1", "李, 雷")), (4, ("2", "韩梅"))]


def test_what_is_no_table_is_refused_by_its_kind() -> None:
    assert refusal(b"%PDF-1.7", "a.pdf") == "form:file_type"
    assert refusal(b"a,b\n1,2\n", "a.xlsx") == "form:file_type"
    assert refusal(workbook([["a"], ["b"]]), "a.csv") == "form:file_type"
    assert refusal(archive({"word/document.xml": b"<x/>"}), "a.xlsx") == "form:file_type"
    assert refusal(b"PK\x03\x04 nothing follows", "a.xlsx") == "sheets:damaged"
    assert refusal(b"a,b\n\xff\xff\xff", "a.csv") == "sheets:encoding"
    assert refusal(b"a,b\n\x00,2", "a.csv") == "sheets:encoding"
    assert refusal(b'a,b\n"never closed,2', "a.csv") == "sheets:damaged"


def test_a_table_without_rows_is_refused() -> None:
    assert refusal(b"", "a.csv") == "form:file_empty"
    assert refusal(b"name,number\n\n\n", "a.csv") == "form:file_empty"
    assert refusal(workbook([["name"]]), "a.xlsx") == "form:file_empty"


def test_a_file_that_unpacks_to_far_more_than_it_weighs_is_refused() -> None:
    assert refusal(archive({"xl/workbook.xml": b" " * 30_000_000}), "a.xlsx") == "sheets:too_large_inside"
    many = {"xl/workbook.xml": b""} | {f"xl/part{n}.xml": b"" for n in range(201)}
    assert refusal(archive(many), "a.xlsx") == "sheets:too_large_inside"
    assert refusal(b"x" * (8 * 2**20 + 1), "a.csv") == "form:file_too_large"


def test_two_cells_at_the_far_ends_of_a_sheet_are_refused_before_the_sheet_is_laid_out() -> None:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "name")
        sheet.write(1_048_575, 16_383, 1)
    assert refusal(data.getvalue(), "a.xlsx") == "sheets:too_many_rows"


def test_one_long_text_that_a_thousand_cells_point_at_is_refused() -> None:
    rows = [["name"]] + [["x" * 30_000] * 10 for _ in range(300)]
    assert refusal(workbook(rows), "a.xlsx") == "sheets:too_large_inside"
    assert len(read_table(workbook(rows[:20]), "a.xlsx").rows) == 19


def test_too_many_rows_or_columns_are_refused() -> None:
    few = Limits(rows=3, columns=2)
    assert refusal(b"a,b\n" + b"1,2\n" * 4, "a.csv", few) == "sheets:too_many_rows"
    assert refusal(b"a,b,c\n1,2,3\n", "a.csv", few) == "sheets:too_many_rows"
    assert len(read_table(b"a,b\n" + b"1,2\n" * 3, "a.csv", few).rows) == 3


def test_cells_lose_their_costumes() -> None:
    assert cell_text(1001.0) == "1001"
    assert cell_text(0.5) == "0.5"
    assert cell_text(datetime.fromisoformat("2026-03-05")) == "2026-03-05" == cell_text(date(2026, 3, 5))
    assert cell_text(datetime.fromisoformat("2026-03-05T14:30")) == "2026-03-05 14:30:00"
    assert cell_text(timedelta(hours=2)) == "2:00:00"
    assert [cell_text(None), cell_text(True), cell_text("  x ")] == ["", "TRUE", "x"]


def test_days_are_read_as_people_write_them() -> None:
    for text in ("2026-03-05", "2026/3/5", "2026.3.5", "2026年3月5日", "2026-03-05 14:30:00", "2026-03-05T08:00:00Z"):
        assert day_of(text) == date(2026, 3, 5), text
    for text in ("", "2026-02-30", "5.3.2026", "yesterday"):
        assert day_of(text) is None, text


def test_columns_are_found_by_any_of_their_names_and_the_rest_is_left_alone() -> None:
    names = {"reference": ("工单号", "Ticket"), "name": ("姓名",)}
    assert column_map(["姓名", "颜色", " ticket * "], names, ["reference"]) == {"name": 0, "reference": 2}
    with pytest.raises(Invalid) as refused:
        column_map(["姓名", "name"], names, ["reference"])
    assert [problem.code for problem in refused.value.problems] == ["sheets:column_twice", "sheets:column_missing"]


def test_no_export_runs_as_a_formula() -> None:
    for text in ("=1+1", "+86", "-1", "@x", "＝1", "\t=1"):
        assert safe_cell(text) == f"'{text}"
    assert safe_cell("李雷") == "李雷"
