"""Reads a roster, one row a colleague, from a table somebody brought: headings in either language, cells as typed.

A column that is absent says nothing; an empty cell empties the field, except roles and language, which stay.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from review.domain.access import Role
from review.domain.refusals import Problem
from review.infra.sheets import FORMULA_STARTS, Row, Table, column_map, day_of, plain
from review.people.headings import HEADINGS, LOCALE_WORDS, REQUIRED, ROLE_WORDS, SYNONYMS

BETWEEN_ROLES = re.compile(r"[,，、;；/|+\n]+")
FIRST_DAY_OF_EXCEL = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in one cell: the row as the spreadsheet counts it, the heading of its column."""

    row: int
    column: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One row: what it says, by the draft's field names, only for columns that are there."""

    number: int
    says: Mapping[str, object]

    @property
    def employee_no(self) -> str:
        return str(self.says["employee_no"])


@dataclass(frozen=True, slots=True)
class Roster:
    """A whole table, read. `headings` gives the column's own heading for each field."""

    rows: tuple[RosterRow, ...]
    headings: Mapping[str, str]
    ignored: tuple[str, ...]
    flaws: tuple[Flaw, ...] = field(default=())


def read_roster(table: Table) -> Roster:
    """The table as rows of drafts. Raises Invalid when the columns themselves are wrong."""
    names = {key: (*others, HEADINGS[key]) for key, others in SYNONYMS.items()}
    columns = column_map(table.headings, names, REQUIRED)
    headings = {key: table.headings[place] for key, place in columns.items()}
    used = set(columns.values())
    ignored = tuple(name for place, name in enumerate(table.headings) if name and place not in used)
    rows: list[RosterRow] = []
    flaws: list[Flaw] = []
    for row in table.rows:
        says: dict[str, object] = {}
        for key, place in columns.items():
            _read_cell(row, key, place, says, flaws, headings)
        rows.append(RosterRow(row.number, says))
    return Roster(tuple(rows), headings, ignored, tuple(flaws))


def _read_cell(
    row: Row, key: str, place: int, says: dict[str, object], flaws: list[Flaw], headings: Mapping[str, str]
) -> None:
    text = _unquoted(row.at(place))
    if not text and key in {"roles", "locale"}:
        return
    try:
        says[key] = READERS[key](text)
    except ValueError:
        flaws.append(Flaw(row.number, headings[key], Problem(f"people:cell_{key}", None, {"text": text[:40]})))


def _unquoted(text: str) -> str:
    """A cell without the mark that keeps spreadsheets from running it (see infra.sheets.safe_cell)."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


def _number(text: str) -> str:
    """An employee number as typed, leading zeros kept; what a spreadsheet made of 1001 (1001.0) undone."""
    plainly = unicodedata.normalize("NFKC", text).strip()
    return plainly[:-2] if re.fullmatch(r"\d+\.0", plainly) else plainly


def _text(text: str) -> str | None:
    return " ".join(text.split()) or None


def _address(text: str) -> str | None:
    return unicodedata.normalize("NFKC", text).strip().lower() or None


def _day(text: str) -> date | None:
    """A day as people write it, as 20260305, or as the bare number that Excel keeps it under."""
    if not text:
        return None
    if re.fullmatch(r"\d{8}", text):
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if re.fullmatch(r"\d{5}", text):
        return FIRST_DAY_OF_EXCEL + timedelta(days=int(text))
    found = day_of(unicodedata.normalize("NFKC", text))
    if found is None:
        raise ValueError(text)
    return found


def _roles(text: str) -> frozenset[Role]:
    words = [plain(word) for word in BETWEEN_ROLES.split(text) if word.strip()]
    if any(word not in ROLE_WORDS for word in words):
        raise ValueError(text)
    return frozenset(ROLE_WORDS[word] for word in words) - {Role.SUPERVISOR}


def _locale(text: str) -> str:
    if plain(text) not in LOCALE_WORDS:
        raise ValueError(text)
    return LOCALE_WORDS[plain(text)]


READERS: Mapping[str, Callable[[str], object]] = {
    "employee_no": _number,
    "name": lambda text: _text(text) or "",
    "email": _address,
    "department": _text,
    "supervisor_no": lambda text: _number(text) or None,
    "post": _text,
    "joined_on": _day,
    "left_on": _day,
    "roles": _roles,
    "locale": _locale,
}
