"""Which column of a table says what: by HR's word, by the system's known names, by common names in either language."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from review.domain.records import TicketSystem
from review.domain.refusals import Invalid
from review.helpdesk import fitting
from review.helpdesk.indicator_synonyms import BESIDE, FIGURES, WECOM
from review.helpdesk.shapes import Shape, shape_of
from review.helpdesk.spool import Table
from review.helpdesk.synonyms import COMMON, OWN
from review.helpdesk.value_synonyms import UNIT_IN_HEADING
from review.infra.sheets import plain

LOOKED_AT = 40  # rows, in which the headings are looked for
SAMPLE = 300  # rows, by which a column is told from one with the same name that means something else
WHO = ("agent", "agent_email", "agent_no", "agents")
_PARENTHESES = re.compile(r"[(\[【「][^)\]】」]*[)\]】」]")
_UNITS = tuple((re.compile(pattern, re.IGNORECASE), unit) for pattern, unit in UNIT_IN_HEADING)
_BUSINESS_HOURS = re.compile(r"business hours?", re.IGNORECASE)
_UNIT_WORDS = re.compile(
    r"\s*(?:in\s+)?(?:minutes?|mins?|seconds?|secs?|hours?|hrs?|days?|ms|milliseconds?)\s*$", re.IGNORECASE
)
Remembered = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `field` is what it says, empty for nothing of ours; `option` its unit or scale, where one was told.

    `also` is what it would say if a surer column did not say it already.
    """

    place: int
    heading: str
    field: str = ""
    option: str = ""
    rank: int = 10**6
    by_hr: bool = False
    also: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table that is understood. `above` is the number of the row with the headings, 0 where there is none."""

    table: Table
    columns: tuple[Column, ...]
    above: int
    kind: str  # tickets | figures | long | users | unknown
    is_partial: bool
    titles: tuple[str, ...] = ()

    def column(self, field: str) -> Column | None:
        return next((column for column in self.columns if column.field == field), None)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(column.field for column in self.columns if column.field)

    def rows(self) -> Iterable[tuple[int, list[str]]]:
        """The rows below the headings."""
        return (row for row in self.table.rows() if row[0] > self.above)


def unit_in(heading: str) -> str:
    """The unit a heading names, `(秒)`, ` in minutes`, `_sec`; empty where it names none."""
    told = _BUSINESS_HOURS.sub("", unicodedata.normalize("NFKC", heading))
    return next((unit for pattern, unit in _UNITS if pattern.search(told)), "")


@cache
def _names(system: TicketSystem, family: str) -> Mapping[str, tuple[str, int]]:
    """Each known name with its field and how sure it is: what the system calls its own goes before."""
    tables: list[Mapping[str, Sequence[str]]]
    if family == "tickets":
        tables = [OWN.get(system, {}), COMMON]
    else:
        who = {key: COMMON[key] for key in WHO[:3]}
        tables = [WECOM if system is TicketSystem.WECOM else {}, OWN.get(system, {}), BESIDE, FIGURES, who]
        tables[1] = {key: names for key, names in tables[1].items() if key in WHO}
    found: dict[str, tuple[str, int]] = {}
    for base, table in enumerate(tables):
        for field, names in table.items():
            for at, name in enumerate(names):
                found.setdefault(plain(name), (field, base * 1000 + at))
    return found


def _variants(heading: str) -> Iterable[str]:
    """The heading, and what stays of it without its unit and what stands in brackets."""
    yield plain(heading)
    told = unicodedata.normalize("NFKC", heading)
    bare = _PARENTHESES.sub("", told)
    yield plain(bare)
    yield plain(_UNIT_WORDS.sub("", bare.replace("_", " ")))
    yield plain(told.rsplit(".", 1)[-1]) if told.startswith(("statistic.", "custom_fields.", "cf.")) else ""
    yield plain(told.removesuffix(".name")) if told.endswith(".name") and told.count(".") == 1 else ""


def _column(place: int, heading: str, system: TicketSystem, family: str, remembered: Remembered) -> Column:
    said = remembered.get(plain(heading)[:120])
    if said is not None:
        field, _, option = said.partition(":")
        return Column(place, heading, field, option or unit_in(heading), -1, by_hr=True)
    names = _names(system, family)
    for penalty, variant in enumerate(_variants(heading)):
        if variant and variant in names:
            field, rank = names[variant]
            return Column(place, heading, field, unit_in(heading), rank + 10 * penalty)
    return Column(place, heading)


def columns_of(headings: Sequence[str], system: TicketSystem, family: str, remembered: Remembered) -> list[Column]:
    """Every column; of several that could say the same the surest says it."""
    found = [_column(place, heading, system, family, remembered) for place, heading in enumerate(headings)]
    best: dict[str, Column] = {}
    for column in found:
        if column.field and (column.field not in best or column.rank < best[column.field].rank):
            best[column.field] = column
    return [
        column if best.get(column.field) is column else replace(column, field="", also=column.field) for column in found
    ]


def _of_shape(shape: Shape, headings: Sequence[str], system: TicketSystem, remembered: Remembered) -> list[Column]:
    keys = list(shape.fields)
    found, taken = [], set()
    by_name = columns_of(headings, system, "tickets", remembered)
    for column in by_name:
        told = None if column.by_hr else shape.fields.get(column.heading)
        if told is not None:
            field, _, option = told.partition(":")
            found.append(Column(column.place, column.heading, field, option, keys.index(column.heading)))
        else:
            found.append(column if column.by_hr else replace(column, field="", rank=10**6))
    best: list[Column] = []
    for column in sorted(found, key=lambda each: each.rank):
        keeps = column.field and column.field not in taken
        taken.add(column.field)
        best.append(column if keeps else replace(column, field=""))
    return sorted(best, key=lambda each: each.place)


# ---- a whole table --------------------------------------------------------------------------------------------------


def layout_of(table: Table, system: TicketSystem, remembered: Remembered) -> Layout:
    """What the table is and what its columns say."""
    first = list(islice(table.rows(), LOOKED_AT))
    if table.headings is not None:
        shape = shape_of(table.headings)
        if shape is not None and shape.side:
            return Layout(table, tuple(columns_of(table.headings, system, "tickets", {})), 0, shape.side, False)
        if shape is not None:
            columns = _of_shape(shape, table.headings, system, remembered)
            return _fitted(Layout(table, tuple(columns), 0, "tickets", shape.is_partial))
        return _fitted(_best(table, table.headings, 0, system, remembered, ()))
    scored = [(_score(cells, system, remembered), -at) for at, (_number, cells) in enumerate(first)]
    at = -max(scored)[1] if scored and max(scored)[0] >= 2 else _first_wide(first)
    number, headings = first[at]
    titles = tuple(cell for _, cells in first[:at] for cell in cells if cell)
    return _fitted(_best(table, headings, number, system, remembered, titles))


def _score(cells: Sequence[str], system: TicketSystem, remembered: Remembered) -> int:
    """How many different things these cells would be headings of."""
    texts = [cell for cell in cells if cell and len(cell) < 120]
    return max(
        len({column.field for column in columns_of(texts, system, family, remembered) if column.field})
        for family in ("tickets", "figures")
    )


def _first_wide(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    return next((at for at, (_, cells) in enumerate(rows) if sum(map(bool, cells)) > 1), 0)


def _best(
    table: Table,
    headings: Sequence[str],
    above: int,
    system: TicketSystem,
    remembered: Remembered,
    titles: tuple[str, ...],
) -> Layout:
    tickets = Layout(table, tuple(columns_of(headings, system, "tickets", remembered)), above, "tickets", False, titles)
    figures = Layout(table, tuple(columns_of(headings, system, "figures", remembered)), above, "figures", False, titles)
    if "reference" in tickets.fields and system is not TicketSystem.WECOM:
        return tickets
    if figures.fields & set(WHO):
        if {"indicator", "value"} <= figures.fields:
            return replace(figures, kind="long")
        if figures.fields & (set(FIGURES) - {""}):
            return figures
    return replace(tickets, kind="tickets" if "reference" in tickets.fields else "unknown")


def _fitted(layout: Layout) -> Layout:
    """Columns whose cells do not fit their name are read as what they do fit, or not at all."""
    sample = [cells for _, cells in islice(layout.rows(), SAMPLE)]
    if layout.kind not in {"tickets", "figures"}:
        return layout
    taken = set(layout.fields)
    columns = []
    for column in layout.columns:
        if not column.field or column.by_hr:
            columns.append(column)
            continue
        cells = [row[column.place] for row in sample if column.place < len(row) and row[column.place]]
        field = fitting.field_that_fits(column.field, cells) if layout.kind == "tickets" else column.field
        if field != column.field and field in taken:
            field = ""
        taken.add(field)
        columns.append(replace(column, field=field))
    return replace(layout, columns=_moved_up(columns, sample, layout.kind))


def _moved_up(columns: Sequence[Column], sample: Sequence[Sequence[str]], kind: str) -> tuple[Column, ...]:
    """A column whose cells did not fit gives its place up to the next that bears the name: 解决时间, then 解决日期."""
    taken = {column.field for column in columns}
    moved = []
    for column in columns:
        if not column.field and column.also and column.also not in taken and kind == "tickets":
            cells = [row[column.place] for row in sample if column.place < len(row) and row[column.place]]
            if fitting.field_that_fits(column.also, cells) == column.also:
                taken.add(column.also)
                column = replace(column, field=column.also, also="")  # noqa: PLW2901
        moved.append(column)
    return tuple(moved)


def require(layouts: Sequence[Layout]) -> list[Layout]:
    """The tables that are read: those with tickets, or else those with figures. Raises Invalid where there are none."""
    tickets = [one for one in layouts if one.kind == "tickets" and len(one.fields) > 1]
    chosen = tickets or [one for one in layouts if one.kind in {"figures", "long"}]
    if not chosen:
        raise Invalid("helpdesk:no_columns", headings=", ".join(_headings(layouts))[:300])
    return chosen


def _headings(layouts: Sequence[Layout]) -> list[str]:
    widest = max(layouts, key=lambda layout: len(layout.columns), default=None)
    return [column.heading[:40] for column in widest.columns[:20] if column.heading] if widest else []


def system_of(tables: Sequence[Table]) -> TicketSystem:
    """Whose export this looks like; a free sheet where nothing gives it away."""
    for table in tables:
        if table.headings is not None:
            shape = shape_of(table.headings)
            if shape is not None:
                return shape.system
        rows = [cells for _, cells in islice(table.rows(), LOOKED_AT)]
        words = {plain(cell) for cells in rows for cell in cells} | {plain(head) for head in table.headings or ()}
        for system, marks in MARKS.items():
            if any(all(plain(mark) in words for mark in group) for group in marks):
                return system
    return TicketSystem.SHEET


# Headings that only one system writes.
MARKS: Mapping[TicketSystem, tuple[tuple[str, ...], ...]] = {
    TicketSystem.ZENDESK: (
        ("Summation column",),
        ("Full resolution time in minutes",),
        ("Assignee stations", "Satisfaction Score"),
    ),
    TicketSystem.ZOHO: (("Happiness Rating",), ("Ticket Owner",), ("TicketExtId",)),
    TicketSystem.WECOM: (("satisfaction_investgate_cnt",), ("first_reply_average_sec",), ("statistic.session_cnt",)),
}


def figure_named(name: str) -> str:
    """The figure that a name in a cell means, empty where it means none."""
    names = _names(TicketSystem.SHEET, "figures")
    for variant in _variants(name):
        field = names.get(variant, ("", 0))[0] if variant else ""
        if field in FIGURES:
            return field
    return ""


def on_scale(layout: Layout, scale: str) -> Layout:
    """The table with its answers read on this scale, whatever they look like."""
    told = tuple(replace(each, option=scale) if each.field == "csat" else each for each in layout.columns)
    return replace(layout, columns=told)
