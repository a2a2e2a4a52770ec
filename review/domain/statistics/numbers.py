"""What counts as a number for the statistics: exact, finite and of a size that leaves every square computable."""

from decimal import Decimal
from fractions import Fraction
from math import isfinite

from review.domain.reading import LARGEST, exact
from review.domain.refusals import Invalid

Number = int | Fraction | Decimal | float | str
"""A whole number, a fraction, a decimal (as text too), or a finite float, which is taken for exactly what it is."""

_GRAIN = 2**400


def exactly(value: object, where: str | None = None) -> Fraction:
    """The exact value of a number up to 10^12 in size. Raises Invalid: stats:not_a_number, stats:too_large."""
    number = _exact(value)
    if number is None:
        raise Invalid("stats:not_a_number", where)
    if abs(number) > LARGEST:
        raise Invalid("stats:too_large", where)
    return number


def count(value: object, where: str | None = None) -> int:
    """A whole number from 0 to 10^12. Raises Invalid: stats:not_a_number, stats:too_large, stats:not_a_count."""
    number = exactly(value, where)
    if number.denominator != 1 or number < 0:
        raise Invalid("stats:not_a_count", where)
    return number.numerator


def as_float(value: Fraction | None) -> float | None:
    """The nearest float, or None where there is no value."""
    return None if value is None else float(value)


def _exact(value: object) -> Fraction | None:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, float):
        return Fraction(value) if isfinite(value) else None
    return exact(value)


def fine(value: Fraction) -> Fraction:
    """`value` to 400 binary places, far below the smallest number read: sums of thousands keep one denominator."""
    return value if value.denominator == 1 else Fraction(round(value * _GRAIN), _GRAIN)
