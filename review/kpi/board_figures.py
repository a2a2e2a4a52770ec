"""A figure as a board shows it: its text or its seconds, what it rests on, and how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.indicators import FEW_ANSWERS, Tally
from review.domain.records import UNITS, Indicator, Measured, Unit
from review.domain.rounding import decimal_text, half_up
from review.domain.series import Point
from review.domain.statistics.proportions import wilson

# Shares of customers: these get an interval, and a word where few answered.
OF_ANSWERS = (Indicator.SATISFACTION, Indicator.BAD_RATE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure. `text` is its number as printed, `seconds` instead where it is a time; both None without a figure.

    `count` is what it rests on, `low` and `high` are the ends of the 95 % interval in percent, of answers only.
    """

    unit: Unit
    value: Fraction | None = None
    text: str | None = None
    seconds: int | None = None
    count: str = "0"
    low: str | None = None
    high: str | None = None
    is_small: bool = False

    @property
    def is_there(self) -> bool:
        return self.value is not None

    @property
    def point(self) -> Point:
        if self.low is None or self.high is None:
            return Point(self.value)
        return Point(self.value, float(self.low), float(self.high))


def cells(tally: Tally) -> dict[Indicator, Cell]:
    """Every indicator of a tally that has a figure."""
    return {indicator: cell(indicator, figure) for indicator, figure in tally.measured().items()}


def cell(indicator: Indicator, figure: Measured) -> Cell:
    unit, value = UNITS[indicator], figure.value
    if value is None:
        return Cell(unit)
    count = amount(figure.count)
    if unit is Unit.SECONDS:
        return Cell(unit, value, seconds=half_up(value.numerator, value.denominator, 0), count=count)
    text = amount(value) if unit is Unit.COUNT else one_place(value)
    if indicator not in OF_ANSWERS:
        return Cell(unit, value, text, count=count)
    low, high = interval(figure)
    return Cell(unit, value, text, count=count, low=low, high=high, is_small=figure.count < FEW_ANSWERS)


def interval(figure: Measured) -> tuple[str, str]:
    """Wilson's 95 % interval in percent, one place. Answers to shared tickets are rounded to whole answers for it."""
    n = max(half_up(figure.count.numerator, figure.count.denominator, 0), 1)
    good = (figure.value or Fraction(0)) * n / 100
    x = half_up(good.numerator, good.denominator, 0)
    ends = wilson(x, n)
    low, high = (one_place(100 * Fraction(end)) for end in (ends.low, ends.high))
    return low, high


def one_place(value: Fraction) -> str:
    return decimal_text(half_up(value.numerator, value.denominator, 1), 1)


def amount(value: Fraction) -> str:
    """An amount: whole where it is whole, else with one place (parts of shared tickets, weights)."""
    return str(value.numerator) if value.denominator == 1 else one_place(value)


def there_in(rows: Mapping[str, Mapping[Indicator, Cell]] | list[dict[Indicator, Cell]]) -> list[Indicator]:
    """The indicators that at least one of these rows has a figure for, in their usual order."""
    each = list(rows.values()) if isinstance(rows, Mapping) else rows
    return [one for one in Indicator if any(one in row for row in each)]
