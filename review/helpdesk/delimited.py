"""Reads text with one row a line, a line at a time: in UTF-8, UTF-16 or GB18030, whatever divides its cells."""

import codecs
import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from review.domain.refusals import Invalid
from review.helpdesk.limits import FileLimits
from review.infra.sheets import cell_text

CHUNK = 2**20
DIVIDERS = ",\t;|"
LOOKED_AT = 40  # lines, to see what divides them
CONTROL = frozenset(range(32)) - {9, 10, 11, 12, 13, 26, 27}


def rows(path: Path, limits: FileLimits) -> Iterator[tuple[int, list[str]]]:
    """Every row that holds anything, with the number of its line as spreadsheets count. Raises Invalid."""
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, newline="", errors="strict") as file:
            divider = _divider(list(islice(_lines(file, limits), LOOKED_AT)))
    except UnicodeError as error:
        raise Invalid("sheets:encoding") from error
    with path.open(encoding=encoding, newline="", errors="strict") as file:
        csv.field_size_limit(limits.cell)
        # A spreadsheet counts a row with a line break inside as one, so rows are counted, not lines.
        try:
            for number, cells in enumerate(csv.reader(_lines(file, limits), delimiter=divider), start=1):
                if len(cells) == 1 and cells[0].lower().startswith("sep="):
                    continue
                if any(cells):
                    yield number, [cell_text(cell) for cell in cells]
        except csv.Error as error:
            raise Invalid("helpdesk:giant_cell" if "field larger" in str(error) else "sheets:damaged") from error
        except UnicodeError as error:
            raise Invalid("sheets:encoding") from error


def _lines(file: IO[str], limits: FileLimits) -> Iterator[str]:
    while line := file.readline(limits.line):
        if len(line) >= limits.line and not line.endswith(("\n", "\r")):
            raise Invalid("helpdesk:giant_line")
        yield line


def _divider(lines: list[str]) -> str:
    """What divides most lines into the same number of parts; a comma where nothing does."""
    best, divider = (0, 0), ","
    for sign in DIVIDERS:
        counts = [_parts(line, sign) for line in lines if line.strip() and not line.lower().startswith("sep=")]
        usual = max(set(counts), key=lambda count: (counts.count(count), count), default=0)
        if usual > 1 and (counts.count(usual), usual) > best:
            best, divider = (counts.count(usual), usual), sign
    return divider


def _parts(line: str, sign: str) -> int:
    """The parts of a line, not counting what stands between quotes."""
    return "".join(line.split('"')[::2]).count(sign) + 1


def encoding_of(path: Path) -> str:
    """How the characters are written: by its mark, or by what all of the file can be read as. Raises Invalid."""
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head[:4096]:
        evens, odds = head[0:4096:2].count(0), head[1:4096:2].count(0)
        if max(evens, odds) < 8 * (min(evens, odds) + 1):
            raise Invalid("form:file_type")
        return "utf-16-le" if odds > evens else "utf-16-be"
    if CONTROL & set(head[:65536]):
        raise Invalid("form:file_type")
    for encoding in ("utf-8", "gb18030"):
        if _reads_as(path, encoding):
            return encoding
    raise Invalid("sheets:encoding")


def _reads_as(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
