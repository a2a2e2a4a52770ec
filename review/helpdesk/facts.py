"""What one look over a whole table finds out before a row is read: scales, units, order of day and month, repeats."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from fractions import Fraction
from typing import Any

from review.domain.records import TicketSystem
from review.helpdesk import cells, durations, moments, scales
from review.helpdesk.columns import Column, Layout
from review.helpdesk.fitting import DURATIONS, MOMENTS
from review.helpdesk.scales import Scale, Seen
from review.helpdesk.spool import EVERY, Report, silent
from review.helpdesk.value_synonyms import UNITS

_DAY_MONTH = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}\b")
_BARE = re.compile(r"\d{1,15}(?:\.\d+)?")
DEFAULT_UNIT = {TicketSystem.ZENDESK: "min", TicketSystem.ZOHO: "ms"}


@dataclass(slots=True)
class Facts:
    """Of one table. `scale` is None where no answers are told; `guesses` are (kind, heading, what was taken)."""

    rows: int = 0
    scale: Scale | None = None
    five_ended: bool = False
    day_first: dict[int, bool] = field(default_factory=dict)
    minutes_first: dict[int, bool] = field(default_factory=dict)
    units: dict[int, Fraction] = field(default_factory=dict)
    guesses: list[tuple[str, str, str]] = field(default_factory=list)
    last: dict[str, tuple[int, str, int]] = field(default_factory=dict)  # repeated tickets: the row that counts


@dataclass(slots=True)
class _Watch:
    """What was seen in one column."""

    column: Column
    seen: Seen = field(default_factory=Seen)
    day_over_12: int = 0
    month_over_12: int = 0
    three_parts: int = 0
    two_parts: int = 0
    bare: int = 0
    largest: Fraction = Fraction(0)
    percent: int = 0

    def answer(self, text: str) -> None:
        self.seen.take(text)

    def moment(self, text: str) -> None:
        if found := _DAY_MONTH.match(text):
            self.day_over_12 += int(found[1]) > 12
            self.month_over_12 += int(found[2]) > 12

    def duration(self, text: str) -> None:
        self.bare += _BARE.fullmatch(text) is not None
        self.two_parts += text.count(":") == 1
        self.three_parts += text.count(":") == 2

    def rate(self, text: str) -> None:
        try:
            value, is_percent = cells.number(text)
        except ValueError:
            return
        self.percent += is_percent
        self.largest = max(self.largest, value)


RATES = frozenset(
    {
        *("satisfaction", "bad_rate", "neutral_rate", "dissatisfied_rate", "complaint_rate", "participation"),
        *("first_contact_resolution", "resolution_rate", "reopen_rate", "follow_up_rate", "error_rate"),
        *("conversion", "repeat_purchase"),
    }
)
LENGTHS = frozenset({"first_response", "customer_wait", "resolution_time"})  # of figures


def facts_of(layout: Layout, system: TicketSystem, report: Report = silent) -> Facts:
    """One pass over the table."""
    watches = list(_watched(layout))
    reference = layout.column("reference")
    updated = layout.column("updated_at") or layout.column("csat_at")
    is_once = layout.kind == "tickets" and reference is not None
    seen: set[int] = set()
    again: set[int] = set()
    facts = Facts()
    for _number, row in layout.rows():
        facts.rows += 1
        for watch, take in watches:
            place = watch.column.place
            if place < len(row) and row[place]:
                take(row[place])
        if is_once and reference is not None and reference.place < len(row):
            key = hash(row[reference.place].strip())
            (again if key in seen else seen).add(key)
        if facts.rows % EVERY == 0:
            report(facts.rows, layout.table.count, "look")
    _conclude(facts, [watch for watch, _take in watches], system)
    if again and reference is not None:
        facts.last = _last_of(layout, facts, again, reference.place, updated.place if updated else None)
    return facts


def _watched(layout: Layout) -> Iterator[tuple[_Watch, Callable[[str], Any]]]:
    is_tickets = layout.kind == "tickets"
    for column in layout.columns:
        watch = _Watch(column)
        if is_tickets and column.field == "csat":
            yield watch, watch.answer
        elif is_tickets and column.field in MOMENTS:
            yield watch, watch.moment
        elif (is_tickets and column.field in DURATIONS) or (not is_tickets and column.field in LENGTHS):
            yield watch, watch.duration
        elif not is_tickets and column.field in RATES:
            yield watch, watch.rate


def _conclude(facts: Facts, watches: Sequence[_Watch], system: TicketSystem) -> None:
    for watch in watches:
        column = watch.column
        if column.field == "csat":
            told = Scale(column.option) if column.option in set(Scale) else None
            facts.scale, is_guess = (told, False) if told else watch.seen.scale(column.heading)
            facts.five_ended = watch.seen.five_ended
            if is_guess and system is not TicketSystem.ZENDESK:
                facts.guesses.append(("scale", column.heading, facts.scale.value))
        elif column.field in MOMENTS:
            facts.day_first[column.place] = watch.day_over_12 > 0 and watch.month_over_12 == 0
        elif column.field in RATES:
            if 0 < watch.largest <= 1 and not watch.percent and not is_of_hundred(column.heading):
                facts.guesses.append(("rate", column.heading, "share"))  # 0.5: half of them, or half a percent?
        else:
            _unit(facts, watch, system)


def is_of_hundred(heading: str) -> bool:
    """Whether a heading says that its numbers are percent."""
    return "%" in unicodedata.normalize("NFKC", heading)


def _unit(facts: Facts, watch: _Watch, system: TicketSystem) -> None:
    column = watch.column
    unit = "h" if column.field == "resolution_hours" else column.option or DEFAULT_UNIT.get(system, "")
    facts.units[column.place] = UNITS.get(unit, Fraction(1))
    # 12:30 beside 00:12:30 leaves the hours out; alone it is hours and minutes.
    facts.minutes_first[column.place] = watch.three_parts > 0 and watch.two_parts > 0
    if watch.bare and not unit:
        facts.guesses.append(("unit", column.heading, "s"))


def _last_of(
    layout: Layout, facts: Facts, again: set[int], place: int, updated: int | None
) -> dict[str, tuple[int, str, int]]:
    """Of each ticket that stands there several times: the row that counts, the newest, or the last of equals."""
    found: dict[str, tuple[int, str, int]] = {}
    answered = layout.column("csat") if layout.is_partial else None
    for number, row in layout.rows():
        text = row[place].strip() if place < len(row) else ""
        if text and hash(text) in again:
            worth = _instant(row[updated], facts, updated) if updated is not None and updated < len(row) else ""
            if answered is not None and answered.place < len(row):
                worth = f"{_is_answered(row[answered.place], facts):d}{worth}"  # being asked undoes no answer
            if text not in found or worth >= found[text][1]:
                found[text] = (number, worth, hash(tuple(row)))
    return found


def _instant(text: str, facts: Facts, place: int) -> str:
    try:
        told = moments.moment(text, UTC, day_first=facts.day_first.get(place, False))
    except (ValueError, OverflowError, OSError):
        return ""
    return (told.at or told.day).isoformat()


def _is_answered(text: str, facts: Facts) -> bool:
    try:
        return scales.answer(text, facts.scale or Scale.FIVE).points is not None
    except ValueError:
        return False


def duration_reader(facts: Facts, place: int) -> Callable[[str], int]:
    """How this column's lengths of time are read."""
    unit, minutes_first = facts.units.get(place, Fraction(1)), facts.minutes_first.get(place, False)
    return lambda text: durations.seconds(text, unit, minutes_first=minutes_first)
