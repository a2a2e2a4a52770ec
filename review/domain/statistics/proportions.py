"""Intervals around shares: Wilson's for one share, Newcombe's for the difference of two."""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, count, exactly

NINETY_FIVE = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, within 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """The first share less the second, with both ends of its interval."""

    difference: float
    low: float
    high: float


def wilson(x: Number, n: Number, confidence: Number = NINETY_FIVE) -> Interval:
    """Wilson's score interval, without continuity correction, for `x` of `n`.

    The two roots of (n + z²) p² - (2x + z²) p + x²/n = 0. Source: Wilson (1927), Journal of the American Statistical
    Association 22, 209-212; Newcombe (1998), Statistics in Medicine 17, 857-872, method 3. With x = 0 the low end is
    exactly 0, with x = n the high end exactly 1. Raises Invalid: stats:not_a_count, stats:nobody_asked (n = 0),
    stats:more_than_all (x > n), stats:no_confidence (not strictly between 0 and 1), stats:not_a_number.
    """
    successes, trials = _share_of(x, n, "x", "n")
    return _wilson(successes, trials, _quantile(confidence))


def newcombe(x1: Number, n1: Number, x2: Number, n2: Number) -> Difference:
    """The 95 % interval of x1/n1 - x2/n2 from the two Wilson intervals, without continuity correction.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10. Raises Invalid as `wilson` does.
    """
    first, of_first = _share_of(x1, n1, "x1", "n1")
    second, of_second = _share_of(x2, n2, "x2", "n2")
    z = _quantile(NINETY_FIVE)
    one, two = _wilson(first, of_first, z), _wilson(second, of_second, z)
    p1, p2 = first / of_first, second / of_second
    difference = float(Fraction(first, of_first) - Fraction(second, of_second))
    return Difference(
        difference,
        difference - sqrt((p1 - one.low) ** 2 + (two.high - p2) ** 2),
        difference + sqrt((one.high - p1) ** 2 + (p2 - two.low) ** 2),
    )


def _wilson(x: int, n: int, z: float) -> Interval:
    """The further end by addition, the other from the product of the roots: no digits are lost in a difference."""
    if 2 * x > n:
        mirrored = _wilson(n - x, n, z)
        return Interval(1 - mirrored.high, 1 - mirrored.low)
    square = z * z
    high = (x + square / 2 + z * sqrt(x * (n - x) / n + square / 4)) / (n + square)
    low = x / n * (x / (n + square) / high) if x else 0.0
    return Interval(low, min(high, 1.0))


def _share_of(x: Number, n: Number, named_x: str, named_n: str) -> tuple[int, int]:
    part, whole = count(x, named_x), count(n, named_n)
    if not whole:
        raise Invalid("stats:nobody_asked", named_n)
    if part > whole:
        raise Invalid("stats:more_than_all", named_x, all=whole)
    return part, whole


def _quantile(confidence: Number) -> float:
    level = exactly(confidence, "confidence")
    if not 0 < level < 1:
        raise Invalid("stats:no_confidence", "confidence")
    outside = float((1 - level) / 2)
    return -NormalDist().inv_cdf(outside) if 0 < outside < 0.5 else 0.0
