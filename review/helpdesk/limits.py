"""How much of a ticket file is read at all: room for a million tickets, none for what would burst the memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Sizes in bytes where nothing else is said. `record` is one object of a JSON file, `line` one line of text."""

    file_bytes: int = 2**30
    rows: int = 3_000_000
    columns: int = 1_000
    cell: int = 100_000  # characters
    line: int = 2**20
    record: int = 2 * 2**20
    depth: int = 24
    entries: int = 500  # parts of a workbook
    unpacked: int = 4 * 2**30
    ratio: int = 120  # unpacked by packed, from `unpacked_anyway` on
    unpacked_anyway: int = 32 * 2**20
    shared_text: int = 96 * 2**20  # texts that several cells of a workbook share stay in memory
    at_once: int = 24 * 2**20  # a workbook up to here is laid out whole, which is faster
    sheets: int = 20
    columns_named: int = 4_000  # different keys of all records of a JSON file together


LIMITS = FileLimits()
