"""Reads a SQLite file page by page, as the format's description says, without asking SQLite."""

from collections.abc import Iterator
from dataclasses import dataclass

LEAVES, INNER = (0x0A, 0x0D), (0x02, 0x05)
INDEXED = (0x02, 0x0A)  # a table WITHOUT ROWID is kept as an index
RESERVED_AT, FREE_PAGES_AT, VACUUM_AT, HEADER = 20, 36, 52, 100


@dataclass(frozen=True)
class PageInfo:
    """One page of a tree: what is in it, and the bytes that nothing uses any more."""

    number: int
    kind: int
    cells: int
    starts: tuple[int, ...]
    unused: bytes
    freeblocks: int
    fragments: int


@dataclass(frozen=True)
class FileInfo:
    """What the header of the file says."""

    page_size: int
    pages: int
    free_pages: int
    auto_vacuum: bool
    journal_is_wal: bool


def header(data: bytes) -> FileInfo:
    size = int.from_bytes(data[16:18], "big")
    size = 65536 if size == 1 else size
    free, vacuum = (int.from_bytes(data[at : at + 4], "big") for at in (FREE_PAGES_AT, VACUUM_AT))
    return FileInfo(size, len(data) // size, free, bool(vacuum), data[18] == 2)


def tree_pages(data: bytes) -> Iterator[PageInfo]:
    """Every page that looks like one of a tree; others (free, overflow) are left to `loose_pages`."""
    size = header(data).page_size
    for number in range(len(data) // size):
        page = data[number * size : (number + 1) * size]
        start = HEADER if number == 0 else 0
        if page[start] in (*LEAVES, *INNER):
            yield _page(number + 1, page, start)


def loose_pages(data: bytes) -> list[int]:
    """Pages of no tree: overflow, free, or lists of free ones."""
    info = header(data)
    known = {page.number for page in tree_pages(data)}
    return [number for number in range(1, info.pages + 1) if number not in known]


def _page(number: int, page: bytes, start: int) -> PageInfo:
    def two(at: int) -> int:
        return int.from_bytes(page[at : at + 2], "big")

    kind, free, count, content = page[start], two(start + 1), two(start + 3), two(start + 5) or 65536
    head = 12 if kind in INNER else 8
    pointers = start + head
    starts = tuple(two(pointers + 2 * cell) for cell in range(count))
    unused = [page[pointers + 2 * count : content]]
    blocks = 0
    while free and blocks < len(page):
        length = two(free + 2)
        unused.append(page[free + 4 : free + length])
        free, blocks = two(free), blocks + 1
    return PageInfo(number, kind, count, starts, b"".join(unused), blocks, page[start + 7])
