"""The tables of a snapshot as plain rows, what changed in them overnight, and which of it mentions whom."""

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.adversary.told import Snapshot

Row = tuple[Any, ...]


@dataclass
class Table:
    """One table as it lies in a snapshot; `people` are the places of columns that point at a person."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    people: tuple[int, ...] = ()

    def column(self, name: str) -> list[Any]:
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def dicts(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


@dataclass
class Catalogue:
    """A database of a snapshot: its tables, and what else is in it."""

    tables: dict[str, Table]
    triggers: set[str] = field(default_factory=set)
    views: set[str] = field(default_factory=set)
    sql: dict[str, str] = field(default_factory=dict)
    draws: list[tuple[int, int]] = field(default_factory=list)  # on PostgreSQL: who drew in which transaction


def main_of(snapshot: Snapshot) -> Catalogue:
    """The main database. A PostgreSQL one was written down by the harness."""
    if snapshot.database.exists():
        return of_file(snapshot.database)
    told = json.loads((snapshot.folder / "postgres" / "main.json").read_text())
    return from_json(told)


def from_json(told: dict[str, Any]) -> Catalogue:
    tables = {
        name: Table(name, tuple(each["columns"]), [tuple(row) for row in each["rows"]], tuple(each["people"]))
        for name, each in told["tables"].items()
    }
    draws = [(person, moment) for person, moment in told["draws"]]
    return Catalogue(tables, set(told["triggers"]), set(told["views"]), draws=draws)


def of_file(path: Path) -> Catalogue:
    """Looks at a copy: opening a database may write into it."""
    with tempfile.TemporaryDirectory(dir=path.parents[2], prefix="look-") as folder:
        for each in path.parent.glob(f"{path.name}*"):
            if each.is_file():
                shutil.copy(each, folder)
        raw = sqlite3.connect(Path(folder) / path.name)
        raw.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            return _catalogue(raw)
        finally:
            raw.close()


def _catalogue(raw: sqlite3.Connection) -> Catalogue:
    found = Catalogue({})
    for kind, name, sql in raw.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
        found.sql[name] = sql or ""
        if kind == "table" and not name.startswith("sqlite_"):
            columns = tuple(row[1] for row in raw.execute(f'PRAGMA table_xinfo("{name}")'))
            pointing = {row[3] for row in raw.execute(f'PRAGMA foreign_key_list("{name}")') if row[2] == "person"}
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = raw.execute(f'SELECT {listed} FROM "{name}"').fetchall()
            people = tuple(at for at, column in enumerate(columns) if column in pointing)
            found.tables[name] = Table(name, columns, rows, people)
        elif kind == "trigger":
            found.triggers.add(name)
        elif kind == "view":
            found.views.add(name)
    return found


def changed(before: Table | None, after: Table) -> list[Row]:
    """Rows that are new or differ."""
    known = Counter(map(repr, before.rows)) if before else Counter()
    return [row for row in after.rows if not known[repr(row)]]


def kind_of(table: Table, row: Row) -> str:
    """A table whose rows are of several kinds is looked at kind by kind."""
    for name in ("kind", "action"):
        if name in table.columns:
            return f"{table.name} {row[table.columns.index(name)]}"
    return table.name


def mentions(table: Table, row: Row, signs: dict[str, int]) -> set[int]:
    """The people a row is about: by a key that points at them, or by a sign of theirs in some value."""
    about = {row[at] for at in table.people if row[at] is not None}
    text = "\x00".join(str(value) for value in row if isinstance(value, str | bytes | dict | list))
    return about | in_text(text, signs)


def in_text(text: str, signs: dict[str, int]) -> set[int]:
    return {person for sign, person in signs.items() if sign in text}


def counted(found: Iterable[int]) -> Counter[int]:
    return Counter(found)
