"""Indicators out of sums: what each one counts, over what, and which day puts a ticket into a period.

`DEFINITIONS` is the one place where this is decided; the database's query and its independent check in the tests both
follow it, and the sentences people read (templates/kpi/_indicator_words.html, docs/indicators.md) say it in words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from review.domain.period import PeriodKind, period_before, period_containing
from review.domain.records import UNITS, Indicator, Measured, Unit

FEW_ANSWERS = 30  # under so many answers a share of satisfied customers is called a small sample
RESPONSE_GOAL = Fraction(70)  # percent of the customers asked who answer


class Basis(StrEnum):
    """Which tickets an indicator looks at in a period."""

    SOLVED = "solved"  # solved, and the last solution falls on a day of the period
    OPENED = "opened"  # opened on a day of the period; where that is not told, solved on one
    IN_HAND = "in_hand"  # opened by the period's last day and not solved before its first
    BROUGHT_IN = "brought_in"  # no tickets: a figure that a system or a person tells


class Rest(StrEnum):
    """Over what the sum is divided: what `Measured.count` counts."""

    NOTHING = "nothing"  # a sum; the count is the number of tickets it adds up
    TOLD = "told"  # tickets about which the system tells it
    TICKETS = "tickets"  # all tickets of the basis
    ANSWERS = "answers"  # customers who answered


@dataclass(frozen=True, slots=True)
class Definition:
    """An indicator as it is computed. `is_lower_better` says in which direction it is good."""

    indicator: Indicator
    basis: Basis
    rest: Rest
    is_lower_better: bool = False


def _definitions() -> dict[Indicator, Definition]:
    brought_in = (Indicator.PROACTIVE, Indicator.SALES, Indicator.KNOWLEDGE, Indicator.TRAINING)
    shares = (Indicator.FOLLOW_UP_RATE, Indicator.COMPLIANCE, Indicator.CONVERSION, Indicator.REPEAT_PURCHASE)
    rows = (
        Definition(Indicator.VOLUME, Basis.SOLVED, Rest.NOTHING),
        Definition(Indicator.FIRST_RESPONSE, Basis.SOLVED, Rest.TOLD, is_lower_better=True),
        Definition(Indicator.CUSTOMER_WAIT, Basis.SOLVED, Rest.TOLD, is_lower_better=True),
        Definition(Indicator.RESOLUTION_TIME, Basis.SOLVED, Rest.TOLD, is_lower_better=True),
        Definition(Indicator.FIRST_CONTACT_RESOLUTION, Basis.SOLVED, Rest.TOLD),
        Definition(Indicator.RESOLUTION_RATE, Basis.IN_HAND, Rest.TICKETS),
        Definition(Indicator.REOPEN_RATE, Basis.SOLVED, Rest.TOLD, is_lower_better=True),
        Definition(Indicator.COMPLAINT_RATE, Basis.OPENED, Rest.TOLD, is_lower_better=True),
        Definition(Indicator.BAD_RATE, Basis.SOLVED, Rest.ANSWERS, is_lower_better=True),
        Definition(Indicator.SATISFACTION, Basis.SOLVED, Rest.ANSWERS),
        Definition(Indicator.CSAT_POINTS, Basis.SOLVED, Rest.TOLD),
        *(Definition(one, Basis.BROUGHT_IN, Rest.NOTHING) for one in brought_in),
        *(Definition(one, Basis.BROUGHT_IN, Rest.TOLD) for one in shares),
        Definition(Indicator.ERROR_RATE, Basis.BROUGHT_IN, Rest.TOLD, is_lower_better=True),
    )
    return {row.indicator: row for row in rows}


DEFINITIONS: Mapping[Indicator, Definition] = _definitions()


@dataclass(frozen=True, slots=True)
class Part:
    """A sum and what it is a sum over, exactly; shares of tickets make both of them fractions."""

    total: Fraction = Fraction(0)
    count: Fraction = Fraction(0)

    def __add__(self, other: "Part") -> "Part":
        return Part(self.total + other.total, self.count + other.count)


@dataclass(frozen=True, slots=True)
class Tally:
    """All sums of one person (or team) over one span. `surveys` is answered of asked, for the rate of response."""

    parts: Mapping[Indicator, Part]
    surveys: Part = Part()

    def measured(self) -> dict[Indicator, Measured]:
        """The figures of all indicators there is anything about; `together` adds tallies, this divides once."""
        return {key: measured(key, part) for key, part in self.parts.items() if part.count}

    @property
    def response_rate(self) -> Measured:
        """In percent: how many of the customers who were asked answered."""
        return Measured(*_percent(self.surveys))


def together(tallies: Iterable[Tally]) -> Tally:
    """Several tallies as one: sums and counts add up, whatever the share of each."""
    parts: dict[Indicator, Part] = {}
    surveys = Part()
    for tally in tallies:
        surveys += tally.surveys
        for key, part in tally.parts.items():
            parts[key] = parts.get(key, Part()) + part
    return Tally(parts, surveys)


def measured(indicator: Indicator, part: Part) -> Measured:
    """The indicator's figure: a sum where nothing is divided, else total by count; None over none."""
    if not part.count:
        return Measured(None, part.count)
    if DEFINITIONS[indicator].rest is Rest.NOTHING:
        return Measured(part.total, part.count)
    if UNITS[indicator] is Unit.PERCENT:
        return Measured(*_percent(part))
    return Measured(part.total / part.count, part.count)


def _percent(part: Part) -> tuple[Fraction | None, Fraction]:
    return (100 * part.total / part.count if part.count else None), part.count


# ---- figures told as a whole ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A figure of `agent_figure`: `numerator / denominator`, over `first` to `last`, both days included."""

    system: str
    indicator: Indicator
    first: date
    last: date
    numerator: int
    denominator: int
    is_counted: bool = True


def parts_told(figures: Iterable[Told]) -> dict[Indicator, Part]:
    """The sums of figures of one person.

    Numerators and denominators add up, so that a span over more answers weighs more; spans of which nobody told how
    many there were weigh like one answer each: no sample looks larger than it is known to be. An amount (tickets,
    sales) is
    `numerator / denominator` itself and adds up. Of spans of one system that share a day only the longest counts (a
    month, not also its weeks), so that nothing counts twice.
    """
    kept: dict[tuple[str, Indicator], list[Told]] = {}
    for told in sorted(figures, key=lambda one: (-(one.last - one.first).days, one.first)):
        beside = kept.setdefault((told.system, told.indicator), [])
        if not any(other.first <= told.last and told.first <= other.last for other in beside):
            beside.append(told)
    parts: dict[Indicator, Part] = {}
    for told in (one for group in kept.values() for one in group):
        parts[told.indicator] = parts.get(told.indicator, Part()) + _part_told(told)
    return parts


def _part_told(told: Told) -> Part:
    if UNITS[told.indicator] is Unit.COUNT:
        amount = Fraction(told.numerator, told.denominator)
        return Part(amount, amount if told.indicator is Indicator.VOLUME else Fraction(1))
    if not told.is_counted:
        return Part(Fraction(told.numerator, told.denominator), Fraction(1))
    return Part(Fraction(told.numerator), Fraction(told.denominator))


# ---- spans of a board -----------------------------------------------------------------------------------------------

Span = tuple[date, date]


def months_back(day: date, count: int) -> list[Span]:
    """The last `count` whole calendar months up to the one `day` lies in, earliest first."""
    period = period_containing(PeriodKind.MONTHLY, day)
    found = [(period.start, period.end)]
    while len(found) < count:
        period = period_before(period)
        found.append((period.start, period.end))
    return found[::-1]


def weeks_back(day: date, count: int) -> list[Span]:
    """The last `count` weeks from Monday to Sunday up to the one `day` lies in, earliest first."""
    monday = day.toordinal() - day.weekday()
    starts = [monday - 7 * back for back in reversed(range(count))]
    return [(date.fromordinal(start), date.fromordinal(start + 6)) for start in starts]
