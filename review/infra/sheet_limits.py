"""Looks at an .xlsx file before anything opens it: what would burst the memory is refused by its measures alone.

A reader of workbooks lays a sheet out as the whole rectangle between its outermost cells and copies a shared text
into every cell that points at it, so a few kilobytes could ask for gigabytes.
"""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO

from review.domain.refusals import Invalid

CHUNK = 2**16
PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s>].*?</(?:\w+:)?si\s*>", re.DOTALL)
POINTER = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v\s*>\s*(\d{1,9})\s*<""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is read at all. `cells` is the rectangle a sheet spans, `text` what its cells hold (bytes)."""

    file_bytes: int = 8 * 2**20
    entries: int = 200
    unpacked: int = 80 * 2**20
    ratio: int = 150
    cells: int = 5_000_000
    text: int = 64 * 2**20
    rows: int = 50_000
    columns: int = 100


def check_workbook(data: bytes, limits: Limits) -> None:
    """Raise Invalid for an archive that is none, holds too much, or unpacks to a sheet nobody could read."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _check_archive(archive, len(data), limits)
            _check_sheets(archive, limits)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Invalid("sheets:damaged") from error


def _check_archive(archive: zipfile.ZipFile, packed: int, limits: Limits) -> None:
    names = archive.namelist()
    if len(names) > limits.entries:
        raise Invalid("sheets:too_large_inside")
    if "xl/workbook.xml" not in names or len(set(names)) != len(names):
        raise Invalid("form:file_type")
    most = min(limits.unpacked, packed * limits.ratio)
    # The sizes in an archive's table are only claims: what counts is what comes out.
    unpacked = 0
    for name in names:
        with archive.open(name) as part:
            while chunk := part.read(CHUNK):
                unpacked += len(chunk)
                if unpacked > most:
                    raise Invalid("sheets:too_large_inside")


def _check_sheets(archive: zipfile.ZipFile, limits: Limits) -> None:
    shared = [0]
    for name in archive.namelist():
        if name.lower().endswith("sharedstrings.xml"):
            shared = [len(found.group()) for found in SHARED_TEXT.finditer(archive.read(name))] or [0]
    for name in archive.namelist():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            _check_sheet(archive.read(name), shared, limits)


def _check_sheet(xml: bytes, shared: list[int], limits: Limits) -> None:
    if b"\x00" in xml:  # UTF-16 would hide every measure taken here; no program writes it
        raise Invalid("sheets:damaged")
    right = bottom = 0
    for place in PLACE.finditer(xml):
        right, bottom = max(right, _column(place.group(1))), max(bottom, int(place.group(2)))
    if right * bottom > limits.cells:
        raise Invalid("sheets:too_many_rows", rows=limits.rows, columns=limits.columns)
    text = 0
    for pointer in POINTER.finditer(xml):
        index = int(pointer.group(1))
        text += shared[index] if index < len(shared) else 0
    if text > limits.text:
        raise Invalid("sheets:too_large_inside")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
