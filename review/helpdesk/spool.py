"""Whatever a file was, it becomes plain tables of text on disk: read once with all care, then as often as needed.

A row keeps the number under which a person finds it in the file: the row of a sheet, the how-manieth record of a list.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from review.domain.refusals import Invalid
from review.helpdesk.limits import FileLimits

Report = Callable[[int, int, str], None]
INDEX = "tables.json"
EVERY = 20_000  # rows between two reports of progress


def silent(_done: int, _total: int, _step: str) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file. `headings` are None where its first rows must tell them; `count` counts all its rows."""

    name: str
    path: Path
    headings: tuple[str, ...] | None
    count: int

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's number and its cells, which may be fewer than there are headings."""
        csv.field_size_limit(2**31 - 1)  # measured when they were written
        with self.path.open(newline="", encoding="utf-8") as file:
            for cells in csv.reader(file):
                yield int(cells[0]), cells[1:]


class Writer:
    """Takes the rows of one table in. Raises Invalid where they are too many or too wide."""

    def __init__(self, name: str, path: Path, limits: FileLimits) -> None:
        self.name, self.path, self._limits, self.count = name, path, limits, 0
        self._file = path.open("w", newline="", encoding="utf-8", errors="replace")
        self._writer = csv.writer(self._file)

    def take(self, number: int, cells: Sequence[str]) -> None:
        if len(cells) > self._limits.columns or self.count >= self._limits.rows:
            raise Invalid("sheets:too_many_rows", rows=self._limits.rows, columns=self._limits.columns)
        self.count += 1
        self._writer.writerow([number, *cells])

    def close(self) -> None:
        self._file.close()

    def table(self, headings: Sequence[str] | None = None) -> Table:
        self.close()
        return Table(self.name, self.path, None if headings is None else tuple(headings), self.count)


def keep_index(folder: Path, tables: Sequence[Table]) -> None:
    """Remember which tables lie in the folder, so that a later process need not unpack the file again."""
    told = [[table.name, table.path.name, table.headings, table.count] for table in tables]
    fresh = folder / f"{INDEX}.new"
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(folder / INDEX)


def kept_tables(folder: Path) -> list[Table] | None:
    """The tables that were unpacked here before, None where that was not finished."""
    try:
        told = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return [
        Table(name, folder / file, None if headings is None else tuple(headings), count)
        for name, file, headings, count in told
    ]
