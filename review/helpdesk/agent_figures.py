"""Reads sheets that tell figures of a person as a whole, wide or long, and keeps them as sums over what they count.

A rate beside its count becomes the whole number it came from (87.5 % of 40 answers: 35 of 40), so that spans add up.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from review.domain.records import UNITS, Indicator, Unit
from review.domain.refusals import Invalid, Problem
from review.helpdesk import cells, durations, moments
from review.helpdesk.agents import Match, Roster
from review.helpdesk.columns import WHO, Layout, figure_named, unit_in
from review.helpdesk.facts import LENGTHS, RATES, is_of_hundred
from review.helpdesk.indicator_synonyms import MONTH, SPAN
from review.helpdesk.value_synonyms import UNITS as LENGTH_UNITS
from review.helpdesk.workbooks import FORMULA

MOST_ROWS = 200_000
LARGEST = 2**60
BESIDE = frozenset({"first_day", "last_day", "day", "month", "indicator", "value", "count"})
Span = tuple[date, date]


class Ratio(NamedTuple):
    """`numerator / denominator`; not counted where nobody told how many answers or tickets it rests on."""

    numerator: int
    denominator: int
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator of one person over one span: `numerator / denominator`."""

    row: int
    person: int
    indicator: Indicator
    span: Span
    numerator: int
    denominator: int
    is_counted: bool = True


@dataclass(slots=True)
class Told:
    """What a table of figures comes to."""

    rows: int = 0
    figures: list[Figure] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    uncounted: int = 0  # rates without the number of answers or tickets they rest on

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


@dataclass(slots=True)
class _Row:
    number: int
    who: dict[str, str]
    span: Span
    values: dict[str, Fraction]


class FigureReader:
    """Reads one table. `period` is the span of rows that tell none, unless the lines above the table do."""

    def __init__(self, layout: Layout, roster: Roster, zone: Any, period: Span) -> None:
        self._layout, self._roster, self._zone = layout, roster, zone
        self._period = span_in(" ".join(layout.titles)) or period
        self._columns = [column for column in layout.columns if column.field]
        self._headings = {column.field: column.heading for column in self._columns}

    def read(self) -> Told:
        told = Told()
        rows = list(self._rows(told))
        largest: dict[str, Fraction] = {}
        for row in rows:
            for name, value in row.values.items():
                largest[name] = max(largest.get(name, Fraction(0)), value)
        seen: dict[tuple[int, Indicator, Span], int] = {}
        for row in self._together(rows):
            match = self._roster.match(row.who)
            if match.person is None:
                self._strange(told, match)
                continue
            for indicator, ratio in Sums(row.values, largest, told).indicators().items():
                seen.setdefault((match.person, indicator, row.span), len(told.figures))
                told.figures.append(Figure(row.number, match.person, indicator, row.span, *ratio))
        return told

    def _strange(self, told: Told, match: Match) -> None:
        if match.is_nobody:
            told.skip("nobody_of_ours")
        else:
            told.skip("unknown_agent")
            self._roster.unknown[match.label] += 1

    def _together(self, rows: Sequence[_Row]) -> Iterator[_Row]:
        """Rows of the long form about one person and span become one."""
        if self._layout.kind != "long":
            yield from rows
            return
        found: dict[tuple[Any, ...], _Row] = {}
        for row in rows:
            key = (*sorted(row.who.items()), row.span)
            if key in found:
                found[key].values |= row.values
            else:
                found[key] = row
        yield from found.values()

    # ---- cells ------------------------------------------------------------------------------------------------------

    def _rows(self, told: Told) -> Iterator[_Row]:
        heads = [column.heading for column in self._columns]
        for number, row in self._layout.rows():
            told.rows += 1
            if told.rows > MOST_ROWS:
                raise Invalid("sheets:too_many_rows", rows=MOST_ROWS, columns=1000)
            texts = {
                column.field: text
                for column in self._columns
                if column.place < len(row) and (text := cells.told(row[column.place]))
            }
            who: dict[str, str] = {name: texts[name] for name in WHO[:3] if name in texts}
            filled = [cell for cell in row if cell]
            if any(cells.is_total(cell) for cell in (*filled[:2], *who.values()) if len(cell) < 30) or not who:
                told.skip("total")
            elif [row[column.place] if column.place < len(row) else "" for column in self._columns] == heads:
                told.skip("heading_again")
            elif (made := self._row(number, who, texts, told)) is not None:
                yield made

    def _row(self, number: int, who: dict[str, str], texts: Mapping[str, str], told: Told) -> _Row | None:
        before = len(told.problems)
        span = self._span(number, texts, told)
        values = self._long(number, texts, told) if self._layout.kind == "long" else self._wide(number, texts, told)
        return _Row(number, who, span, values) if len(told.problems) == before else None

    def _wide(self, number: int, texts: Mapping[str, str], told: Told) -> dict[str, Fraction]:
        values = {}
        for column in self._columns:
            name = column.field
            if name in texts and name not in BESIDE and not name.startswith("agent"):
                unit = column.option or unit_in(column.heading)
                value = self._value(number, column.heading, name, texts[name], unit, told)
                if value is not None:
                    values[name] = value
        return values

    def _long(self, number: int, texts: Mapping[str, str], told: Told) -> dict[str, Fraction]:
        name = figure_named(texts.get("indicator", ""))
        if not name:
            told.skip("unknown_indicator")
            return {}
        unit = unit_in(texts.get("indicator", "")) or unit_in(self._headings.get("value", ""))
        value = self._value(number, self._headings.get("value", ""), name, texts.get("value", ""), unit, told)
        values = {} if value is None else {name: value}
        if "count" in texts:
            count = self._value(number, self._headings["count"], "count", texts["count"], "", told)
            if count:
                values[f"{name}:count"] = count
        return values

    def _value(self, number: int, heading: str, name: str, text: str, unit: str, told: Told) -> Fraction | None:
        if not text:
            return None
        try:
            if text == FORMULA:
                raise ValueError(text)
            if name in LENGTHS:
                return durations.exact_seconds(text, LENGTH_UNITS.get(unit, Fraction(1)))
            value, is_percent = cells.number(text)
            if value < 0 or value > LARGEST:
                raise ValueError(text)
        except ValueError:
            code = "formula" if text == FORMULA else "no_duration" if name in LENGTHS else "no_number"
            told.problems.append(self._problem(number, heading, code, value=text[:60]))
            return None
        return value / 100 if is_percent or (name in RATES and is_of_hundred(heading)) else value

    def _problem(self, number: int, heading: str, code: str, **params: object) -> Problem:
        told_of = {"row": number, "column": heading, "sheet": self._layout.table.name, **params}
        return Problem(f"helpdesk:{code}", f"{number}/{heading}", told_of)

    def _span(self, number: int, texts: Mapping[str, str], told: Told) -> Span:
        try:
            if "first_day" in texts and "last_day" in texts:
                return self._day(texts["first_day"]), self._day(texts["last_day"])
            if "day" in texts:
                on = span_in(texts["day"]) or (self._day(texts["day"]),) * 2
                return on[0], on[1]
            if "month" in texts:
                found = span_in(texts["month"])
                if found is None:
                    raise ValueError(texts["month"])
                return found
        except (ValueError, OverflowError, OSError):
            name = next(name for name in ("first_day", "day", "month") if name in texts)
            told.problems.append(self._problem(number, self._headings[name], "no_moment", value=texts[name][:60]))
        return self._period

    def _day(self, text: str) -> date:
        return moments.moment(text, self._zone).day


def span_in(text: str) -> Span | None:
    """The days in `2026-03-01 至 2026-03-31` or the month in `2026年3月`; None where neither is told."""
    if found := re.search(SPAN, text):
        first, last = (moments.moment(each, moments.UTC).day for each in found.groups())
        return (first, last) if first <= last else None
    if (found := re.fullmatch(MONTH, text.strip())) or (found := re.search(MONTH + r"(?![\d/.-])", text)):
        year, month = int(found[1]), int(found[2])
        if 1990 <= year <= 2100 and 1 <= month <= 12:
            first = date(year, month, 1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return None


class Sums:
    """One row's values as sums over counts. `largest` tells by the whole table how rates and marks are written."""

    def __init__(self, values: Mapping[str, Fraction], largest: Mapping[str, Fraction], told: Told) -> None:
        self._values, self._largest, self._told = values, largest, told
        self._volume = values.get("volume")

    def indicators(self) -> dict[Indicator, Ratio]:
        found = {}
        for indicator in Indicator:
            ratio = SPECIAL.get(indicator, Sums._plainly)(self, indicator)
            if ratio is not None and ratio.denominator > 0 and max(ratio[:2]) < LARGEST:
                found[indicator] = ratio
        return found

    def rate(self, name: str) -> Fraction | None:
        """A share of 1, whether the table writes 0.925, 92.5 or 92.5 %."""
        value = self._values.get(name)
        if value is None or self._largest[name] <= 1:
            return value
        return value / 100 if value <= 100 else None

    @property
    def answers(self) -> Fraction | None:
        counts = [self._values.get(name) for name in ("good_count", "neutral_count", "bad_count")]
        if "answers" in self._values:
            return self._values["answers"]
        if counts[0] is not None and counts[2] is not None:
            return sum((count or Fraction(0) for count in counts), Fraction(0))
        asked, share = self._values.get("asked"), self.rate("participation")
        return Fraction(round(asked * share)) if asked is not None and share is not None else None

    def _plainly(self, indicator: Indicator) -> Ratio | None:
        name, unit = indicator.value, UNITS[indicator]
        if name not in self._values:
            return None
        if unit is Unit.PERCENT:
            return self._share(self.rate(name), self._values.get(f"{name}:count"))
        if unit is Unit.SECONDS:
            return self._mean(self._values[name], self._values.get(f"{name}:count") or self._volume)
        if unit is Unit.POINTS:
            return self._mean(self._values[name], self._values.get(f"{name}:count"))
        return Ratio(self._values[name].numerator, self._values[name].denominator)

    def _share(self, share: Fraction | None, count: Fraction | None) -> Ratio | None:
        if share is None or count == 0:
            return None
        if count is None or count.denominator != 1:
            self._told.uncounted += 1
            return _decimal(share)
        return Ratio(round(share * count), int(count))

    def _mean(self, value: Fraction, count: Fraction | None) -> Ratio | None:
        if count is None or count.denominator != 1 or (value * count).denominator != 1:
            return _decimal(value)
        return Ratio(int(value * count), int(count)) if count else None

    def _counted(self, name: str, over: Fraction | None) -> Ratio | None:
        count = self._values.get(name)
        if count is None or not over or count.denominator != 1 or over.denominator != 1:
            return None
        return Ratio(int(count), int(over))

    def _satisfaction(self, _indicator: Indicator) -> Ratio | None:
        if self._marks("satisfaction"):
            return None
        count = self._values.get("satisfaction:count") or self.answers
        return self._counted("good_count", self.answers) or self._share(self.rate("satisfaction"), count)

    def _marks(self, name: str) -> int:
        """How many points one of a mean mark counts, of five (20) or of ten (10); 0 where it is a rate."""
        largest = self._largest.get(name, Fraction(0)) if name in self._values else Fraction(0)
        return 0 if largest <= 1 or largest > 10 else 20 if largest <= 5 else 10

    def _csat_points(self, _indicator: Indicator) -> Ratio | None:
        name = "csat_points" if "csat_points" in self._values else "satisfaction"
        each = self._marks(name) or (1 if name == "csat_points" else 0)
        if not each or name not in self._values:
            return None
        return self._mean(self._values[name] * each, self._values.get(f"{name}:count") or self.answers)

    def _bad_rate(self, _indicator: Indicator) -> Ratio | None:
        answers = self.answers
        counts = [self._values.get(name) for name in ("neutral_count", "bad_count")]
        if answers and all(count is not None and count.denominator == 1 for count in counts):
            return Ratio(int(sum(count or 0 for count in counts)), int(answers))
        if "bad_rate" in self._values:
            return self._share(self.rate("bad_rate"), self._values.get("bad_rate:count") or answers)
        middling, bad = self.rate("neutral_rate"), self.rate("dissatisfied_rate")
        return self._share(middling + bad, answers) if middling is not None and bad is not None else None

    def _over_volume(self, indicator: Indicator) -> Ratio | None:
        counted = self._counted(OVER_VOLUME[indicator], self._volume)
        count = self._values.get(f"{indicator.value}:count") or self._volume
        return counted or self._share(self.rate(indicator.value), count)


def _decimal(value: Fraction) -> Ratio:
    """A figure of which nobody told how much it rests on."""
    for power in (1, 10, 100, 1000, 10_000, 100_000):
        if (value * power).denominator == 1:
            return Ratio(int(value * power), power, is_counted=False)
    return Ratio(round(value * 1_000_000), 1_000_000, is_counted=False)


OVER_VOLUME: Mapping[Indicator, str] = {
    Indicator.COMPLAINT_RATE: "complaint_count",
    Indicator.RESOLUTION_RATE: "solved_count",
    Indicator.ERROR_RATE: "error_count",
    Indicator.FOLLOW_UP_RATE: "follow_up_count",
    Indicator.FIRST_CONTACT_RESOLUTION: "",
    Indicator.REOPEN_RATE: "",
}
SPECIAL: Mapping[Indicator, Callable[[Sums, Indicator], Ratio | None]] = {
    Indicator.SATISFACTION: Sums._satisfaction,
    Indicator.CSAT_POINTS: Sums._csat_points,
    Indicator.BAD_RATE: Sums._bad_rate,
    **dict.fromkeys(OVER_VOLUME, Sums._over_volume),
}
assert set(LENGTHS) <= {each.value for each in Indicator}  # the names of lengths are those of indicators
assert "satisfaction" in RATES
