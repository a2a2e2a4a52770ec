"""Reads the tables people bring, .csv or .xlsx, as rows of plain text with the row numbers a spreadsheet shows.

What the cells mean is the business of the room that asked; here they only lose their costumes (1001.0, BOM, GBK).
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO, StringIO
from pathlib import PurePath

from python_calamine import CalamineError, CalamineWorkbook

from review.domain.refusals import Invalid, Problem
from review.infra.sheet_limits import Limits, check_workbook

LONGEST_CELL = 32_767  # Excel's own limit
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
NO_BREAK = re.compile(r"[\s_*:：]+")
DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T].*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` counts as the spreadsheet does, so that a person can find it."""

    number: int
    cells: tuple[str, ...]

    def at(self, column: int | None) -> str:
        """The text in a column; nothing where the row is shorter or the table has no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """The headings, and every row below them that holds anything."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(data: bytes, filename: str, limits: Limits | None = None) -> Table:
    """The first sheet of an .xlsx file, or a .csv file in UTF-8, UTF-16 or GB18030. Raises Invalid."""
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise Invalid("form:file_too_large")
    suffix = PurePath(filename).suffix.lower()
    if suffix == ".xlsx" and data[:2] == b"PK":
        return _table(_xlsx_rows(data, limits), limits)
    if suffix in {".csv", ".txt"} and data[:2] != b"PK":
        return _table(_csv_rows(data), limits)
    raise Invalid("form:file_type")


def _xlsx_rows(data: bytes, limits: Limits) -> Iterable[Sequence[object]]:
    check_workbook(data, limits)
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(data))
        # Without this, empty rows above the table would shift every row number told to the reader.
        return workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError, OSError) as error:
        raise Invalid("sheets:damaged") from error


def _csv_rows(data: bytes) -> Iterator[Sequence[object]]:
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Invalid("sheets:damaged") from error


def _decoded(data: bytes) -> str:
    by_mark = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if by_mark else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("sheets:encoding")


def _table(found: Iterable[Sequence[object]], limits: Limits) -> Table:
    rows = []
    for number, values in enumerate(found, start=1):
        cells = [cell_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(Row(number, tuple(cells)))
        if len(cells) > limits.columns or len(rows) > limits.rows + 1:
            raise Invalid("sheets:too_many_rows", rows=limits.rows, columns=limits.columns)
    if len(rows) < 2:
        raise Invalid("form:file_empty")
    return Table(rows[0].cells, tuple(rows[1:]))


def cell_text(value: object) -> str:
    """A cell as the text a person sees: 1001.0 is 1001, a day has no midnight, an empty cell is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return str(value).strip()[:LONGEST_CELL]


def day_of(text: str) -> date | None:
    """The day in 2026-03-05, 2026/3/5, 2026.3.5 or 2026年3月5日, with or without a time behind it."""
    found = DAY.fullmatch(text.strip())
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def plain(text: str) -> str:
    """A heading or a word without what people vary: width, case, spaces, underscores, stars, colons."""
    return NO_BREAK.sub("", unicodedata.normalize("NFKC", text)).casefold()


def column_map(
    headings: Sequence[str], synonyms: Mapping[str, Sequence[str]], required: Iterable[str] = ()
) -> dict[str, int]:
    """Which column holds what, by any of its names. Columns nobody asked for are left alone.

    Raises Invalid, one problem for each required column that is missing and each that stands there twice.
    """
    known = {plain(name): key for key, names in synonyms.items() for name in (key, *names)}
    columns: dict[str, int] = {}
    problems = []
    for place, heading in enumerate(headings):
        key = known.get(plain(heading))
        if key in columns:
            problems.append(Problem("sheets:column_twice", heading, {"column": heading}))
        elif key is not None:
            columns[key] = place
    problems += [
        Problem("sheets:column_missing", synonyms[key][0], {"column": synonyms[key][0]})
        for key in required
        if key not in columns
    ]
    if problems:
        raise Invalid.of(problems)
    return columns


def safe_cell(text: str) -> str:
    """Text for an export that no spreadsheet will run as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
