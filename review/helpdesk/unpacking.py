"""Opens a file of any of the kinds ticket systems export, by what it is and not by how it is called, into tables."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from review.domain.refusals import Invalid
from review.helpdesk import delimited, documents, workbooks
from review.helpdesk.flattening import flat, spread
from review.helpdesk.limits import LIMITS, FileLimits
from review.helpdesk.spool import EVERY, Report, Table, Writer, keep_index, silent

CHUNK = 2**20
# Programs, pictures and archives by their first bytes; an old .xls gets a sentence of its own.
REFUSED = {
    b"\xd0\xcf\x11\xe0": "helpdesk:old_workbook",
    b"%PDF": "form:file_type",
    b"MZ": "form:file_type",
    b"\x7fELF": "form:file_type",
    b"\x89PNG": "form:file_type",
    b"\xff\xd8\xff": "form:file_type",
    b"GIF8": "form:file_type",
    b"\x1f\x8b": "form:file_type",
    b"7z\xbc\xaf": "form:file_type",
    b"Rar!": "form:file_type",
    b"{\\rtf": "form:file_type",
}


def digest_of(path: Path) -> str:
    """SHA-256 of the file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def kind_of(path: Path, limits: FileLimits = LIMITS) -> str:
    """`workbook`, `json` or `text`. Raises Invalid for everything else, by its first bytes."""
    size = path.stat().st_size
    if size == 0:
        raise Invalid("form:file_empty")
    if size > limits.file_bytes:
        raise Invalid("helpdesk:file_too_large", most=limits.file_bytes // 2**20)
    with path.open("rb") as file:
        head = file.read(4096)
    for start, code in REFUSED.items():
        if head.startswith(start):
            raise Invalid(code)
    if head.startswith(b"PK"):
        return "workbook"
    text = head.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").replace(b"\0", b"").lstrip()
    if text.startswith((b"<", b"<?xml")):
        raise Invalid("helpdesk:web_page")
    return "json" if text.startswith((b"{", b"[")) else "text"


def unpack(path: Path, folder: Path, report: Report = silent, limits: FileLimits = LIMITS) -> list[Table]:
    """The file's tables, written into `folder`. Raises Invalid for what cannot be read or is too much."""
    kind = kind_of(path, limits)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if kind == "workbook":
        tables = _of_workbook(path, folder, report, limits)
    elif kind == "json":
        tables = _of_document(path, folder, report, limits)
    else:
        tables = [_of_rows("", delimited.rows(path, limits), folder, report, limits)]
    tables = [table for table in tables if table.count]
    if not tables:
        raise Invalid("form:file_empty")
    keep_index(folder, tables)
    return tables


def _of_workbook(path: Path, folder: Path, report: Report, limits: FileLimits) -> list[Table]:
    found = workbooks.sheets(path, limits)
    return [_of_rows(name, rows, folder, report, limits, place) for place, (name, rows) in enumerate(found)]


def _of_rows(
    name: str,
    rows: Iterable[tuple[int, Sequence[str]]],
    folder: Path,
    report: Report,
    limits: FileLimits,
    place: int = 0,
) -> Table:
    writer = Writer(name, folder / f"{place}.csv", limits)
    try:
        for number, cells in rows:
            writer.take(number, cells)
            if writer.count % EVERY == 0:
                report(writer.count, 0, "unpack")
    finally:
        writer.close()
    return writer.table()


def _of_document(path: Path, folder: Path, report: Report, limits: FileLimits) -> list[Table]:
    """One table for each list of the document; its headings are all keys that any record has."""
    writers: dict[str, Writer] = {}
    headings: dict[str, dict[str, int]] = {}
    number = 0
    try:
        for name, record in documents.records(path, limits):
            if name not in writers:
                if len(writers) >= limits.sheets:
                    continue
                writers[name], headings[name] = Writer(name, folder / f"{len(writers)}.csv", limits), {}
            number += 1
            for row in spread(record):
                _take(writers[name], headings[name], row, writers[name].count + 1, limits)
            if number % EVERY == 0:
                report(number, 0, "unpack")
    finally:
        for writer in writers.values():
            writer.close()
    return [writer.table(tuple(headings[name])) for name, writer in writers.items()]


def _take(writer: Writer, places: dict[str, int], record: object, number: int, limits: FileLimits) -> None:
    cells = [""] * len(places)
    for key, text in flat(record).items():  # type: ignore[arg-type]
        if len(text) > limits.cell and not text.startswith("["):
            text = text[: limits.cell]  # noqa: PLW2901  a long description; what we read is short
        place = places.setdefault(key, len(places))
        if place == len(cells):
            cells.append(text)
        else:
            cells[place] = text
    if len(places) > limits.columns:
        raise Invalid("sheets:too_many_rows", rows=limits.rows, columns=limits.columns)
    writer.take(number, cells)
