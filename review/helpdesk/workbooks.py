"""Reads .xlsx files, the small ones whole, the large ones row by row, after looking at what would burst the memory.

A formula whose value was never computed is no value: such a cell reads as `FORMULA`, and whoever needs it refuses it.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

from openpyxl import load_workbook
from python_calamine import CalamineError, CalamineWorkbook

from review.domain.refusals import Invalid
from review.helpdesk.limits import FileLimits
from review.helpdesk.moments import FIRST_DAY_OF_EXCEL
from review.infra.sheet_limits import Limits, check_workbook
from review.infra.sheets import LONGEST_CELL, cell_text

CHUNK = 2**18
OVERLAP = 2**12
FORMULA = "\x1aformula"
MOST_HOLLOW = 200_000
_HOLLOW = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\"[^>]*>\s*"
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
Cells = list[str]


def sheets(path: Path, limits: FileLimits) -> Iterator[tuple[str, Iterator[tuple[int, Cells]]]]:
    """Each sheet's name and its rows, with the numbers the program shows. Read one before asking for the next."""
    unpacked = _check(path, limits)
    hollow = _hollow(path)
    try:
        if unpacked <= limits.at_once:
            yield from _small(path, limits, hollow)
        else:
            yield from _large(path, limits, hollow)
    except (CalamineError, zipfile.BadZipFile, KeyError, IndexError, ValueError, TypeError, OSError, EOFError) as error:
        raise Invalid("sheets:damaged") from error


def _small(
    path: Path, limits: FileLimits, hollow: dict[str, set[tuple[int, int]]]
) -> Iterator[tuple[str, Iterator[tuple[int, Cells]]]]:
    data = path.read_bytes()
    check_workbook(data, Limits(file_bytes=len(data), entries=limits.entries, unpacked=limits.at_once, ratio=10_000))
    book = CalamineWorkbook.from_path(str(path))
    parts = _parts(path)
    for name in book.sheet_names[: limits.sheets]:
        empty = hollow.get(parts.get(name, ""), set())
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        yield name, _texts(enumerate(rows, start=1), empty)


def _large(
    path: Path, limits: FileLimits, hollow: dict[str, set[tuple[int, int]]]
) -> Iterator[tuple[str, Iterator[tuple[int, Cells]]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles that are missing: nobody looks at them here
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        parts = _parts(path)
        try:
            for name in book.sheetnames[: limits.sheets]:
                sheet = book[name]
                if not hasattr(sheet, "iter_rows"):  # a chart on a sheet of its own
                    continue
                sheet.reset_dimensions()  # what a file says of its size is a claim
                rows = sheet.iter_rows(values_only=True)
                yield name, _texts(enumerate(rows, start=1), hollow.get(parts.get(name, ""), set()))
        finally:
            book.close()


def _texts(rows: Iterable[tuple[int, Sequence[object]]], hollow: set[tuple[int, int]]) -> Iterator[tuple[int, Cells]]:
    by_row: dict[int, list[int]] = {}
    for row, column in hollow:
        by_row.setdefault(row, []).append(column)
    for number, values in rows:
        cells = [_text(value) for value in values]
        for column in by_row.get(number, ()):
            cells += [""] * (column + 1 - len(cells))
            cells[column] = FORMULA
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _text(value: object) -> str:
    """As a person sees it; a length of time as hours, whatever it was formatted as."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value.strip()[:LONGEST_CELL]
    if isinstance(value, timedelta):
        return f"{round(value.total_seconds())}s"
    if isinstance(value, time):
        return f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    if isinstance(value, datetime) and value.year <= 1900:  # a length of time over a day, in the costume of a date
        return f"{round((value - FIRST_DAY_OF_EXCEL).total_seconds())}s"
    return cell_text(value)


# ---- what is looked at before ---------------------------------------------------------------------------------------


def _check(path: Path, limits: FileLimits) -> int:
    """The size of all parts unpacked. Raises Invalid for an archive that is none, or holds what nobody could read."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > limits.entries or len(names) != len(entries):
                raise Invalid("sheets:too_large_inside")
            if "xl/workbook.xml" not in names:
                raise Invalid("helpdesk:other_workbook" if "xl/workbook.bin" in names else "form:file_type")
            most = max(min(limits.unpacked, path.stat().st_size * limits.ratio), limits.unpacked_anyway)
            unpacked = 0
            for entry in entries:  # the sizes in an archive's table are only claims: what counts is what comes out
                unpacked = _check_part(archive, entry.filename, unpacked, most, limits)
            return unpacked
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Invalid("sheets:damaged") from error


def _check_part(archive: zipfile.ZipFile, name: str, unpacked: int, most: int, limits: FileLimits) -> int:
    is_xml, size = name.lower().endswith((".xml", ".rels")), 0
    with archive.open(name) as part:
        before = b""
        while chunk := part.read(CHUNK):
            size += len(chunk)
            if unpacked + size > most or (name.lower().endswith("sharedstrings.xml") and size > limits.shared_text):
                raise Invalid("sheets:too_large_inside")
            if is_xml and (_DECLARED.search(before + chunk[:64]) or _DECLARED.search(chunk) or b"\0" in chunk):
                raise Invalid("sheets:damaged")
            before = chunk[-64:]
    return unpacked + size


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _hollow(path: Path) -> dict[str, set[tuple[int, int]]]:
    """By part of the archive: the rows and columns (from 1 and from 0) of formulas without a value."""
    found: dict[str, set[tuple[int, int]]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            with archive.open(name) as part:
                before = b""
                while chunk := part.read(CHUNK):
                    text = before + chunk
                    if b"f" in text:
                        places = found.setdefault(name, set())
                        places.update((int(at[2]), _column(at[1]) - 1) for at in _HOLLOW.finditer(text))
                        if len(places) > MOST_HOLLOW:
                            raise Invalid("helpdesk:only_formulas")
                    before = text[-OVERLAP:]
    return found


def _parts(path: Path) -> dict[str, str]:
    """Which part of the archive holds which sheet."""
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml")
        try:
            links = archive.read("xl/_rels/workbook.xml.rels")
        except KeyError:
            return {}
    targets = {}
    for link in re.finditer(rb"<(?:\w+:)?Relationship\s[^>]*>", links):
        key, target = re.search(rb'\bId="([^"]*)"', link[0]), re.search(rb'\bTarget="([^"]*)"', link[0])
        if key and target:
            inside = target[1].decode(errors="replace").lstrip("/")
            targets[key[1]] = inside if inside.startswith("xl/") else f"xl/{inside}"
    found = {}
    for sheet in re.finditer(rb"<(?:\w+:)?sheet\s[^>]*>", book):
        name, key = re.search(rb'\bname="([^"]*)"', sheet[0]), re.search(rb'\b\w+:id="([^"]*)"', sheet[0])
        if name and key and key[1] in targets:
            found[_unescaped(name[1].decode(errors="replace"))] = targets[key[1]]
    return found


def _unescaped(text: str) -> str:
    for escaped, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(escaped, sign)
    return text
