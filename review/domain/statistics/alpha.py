"""Krippendorff's alpha: how far any number of raters agree, gaps allowed, on any of four kinds of scale."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import fsum

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, exactly

MOST_COMPARISONS = 10_000_000  # on the ratio scale, which compares each value with each: some seconds

Value = Fraction | str  # text only on the nominal scale
Units = list[Counter[Value]]


class Level(StrEnum):
    """What the difference of two values means."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


def alpha(data: Sequence[Sequence[Number | None]], level: Level) -> Fraction | float | None:
    """Krippendorff's alpha, 1 - observed / expected disagreement, of `data` (one row a rater, None = missing).

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; (2019) Content Analysis, 4th ed., ch. 12.
    A unit that fewer than two raters judged says nothing and is left out. None when all values that are left are the
    same: without variance nothing tells agreement from habit. On the nominal scale a value may be a word. Exact on
    three scales; a float on the ratio scale, whose differences share no denominator.
    Raises Invalid: stats:one_rater, stats:not_rectangular, stats:not_a_number, stats:too_large, stats:negative_ratio
    (a ratio scale starts at 0), stats:nothing_paired, stats:too_many_values, with the place `data[i][j]`.
    """
    units = _units(data, level)
    if level is Level.NOMINAL:
        return _alpha_of_kinds(units)
    if level is Level.RATIO:
        return _alpha_of_ratios(units)
    return _alpha_of_distances(_ranked(units) if level is Level.ORDINAL else units)


def _units(data: Sequence[Sequence[Number | None]], level: Level) -> Units:
    """The pairable values of every unit."""
    if len(data) < 2:
        raise Invalid("stats:one_rater", "data")
    width = len(data[0])
    found: Units = [Counter() for _ in range(width)]
    for i, row in enumerate(data):
        if len(row) != width:
            raise Invalid("stats:not_rectangular", place("data", i), width=width)
        for j, value in enumerate(row):
            if value is not None:
                found[j][_value(value, level, place(place("data", i), j))] += 1
    paired = [unit for unit in found if unit.total() > 1]
    if not paired:
        raise Invalid("stats:nothing_paired", "data")
    return paired


def _value(value: Number, level: Level, where: str) -> Value:
    if level is Level.NOMINAL and isinstance(value, str):
        try:
            return exactly(value)
        except Invalid:
            return value
    number = exactly(value, where)
    if level is Level.RATIO and number < 0:
        raise Invalid("stats:negative_ratio", where)
    return number


def _totals(units: Units) -> Counter[Value]:
    totals: Counter[Value] = Counter()
    for unit in units:
        totals.update(unit)
    return totals


def _alpha_of_kinds(units: Units) -> Fraction | None:
    """Two values differ or they do not: pairs of different ones are all pairs less the pairs of equal ones."""
    totals = _totals(units)
    n = totals.total()
    expected = n * n - sum(count * count for count in totals.values())
    if not expected:
        return None
    observed = Fraction(0)
    for unit in units:
        m = unit.total()
        observed += Fraction(m * m - sum(count * count for count in unit.values()), m - 1)
    return 1 - (n - 1) * observed / expected


def _alpha_of_distances(units: Units) -> Fraction | None:
    """Squared distances: over all ordered pairs of m numbers they add up to 2 (m · sum of squares - square of sum)."""
    totals = _totals(units)
    expected = _spread(totals)
    if not expected:
        return None
    observed = sum((_spread(unit) / (unit.total() - 1) for unit in units), Fraction(0))
    return 1 - (totals.total() - 1) * observed / expected


def _spread(values: Counter[Value]) -> Fraction:
    total, squares = Fraction(0), Fraction(0)
    for value, count in values.items():
        number = Fraction(value)
        total += count * number
        squares += count * number * number
    return 2 * (values.total() * squares - total * total)


def _ranked(units: Units) -> Units:
    """Each value's middle rank among all values: the ordinal difference of two values is the distance of these.

    Krippendorff's sum of the counts from c to k, less half of both ends, is the middle rank of k less that of c.
    """
    counts = {Fraction(value): count for value, count in _totals(units).items()}
    rank: dict[Value, Fraction] = {}
    below = 0
    for value in sorted(counts):
        rank[value] = below + Fraction(counts[value], 2)
        below += counts[value]
    ranked: Units = [Counter({rank[value]: count for value, count in unit.items()}) for unit in units]
    return ranked


def _alpha_of_ratios(units: Units) -> float | None:
    totals = _totals(units)
    if sum(len(values) ** 2 for values in (totals, *units)) > 2 * MOST_COMPARISONS:
        raise Invalid("stats:too_many_values", "data", most=MOST_COMPARISONS)
    expected = _relative(totals)
    if not expected:
        return None
    observed = fsum(_relative(unit) / (unit.total() - 1) for unit in units)
    return 1 - (totals.total() - 1) * observed / expected


def _relative(values: Counter[Value]) -> float:
    """The sum over all ordered pairs of ((c - k) / (c + k))²; nothing is as far from 0 as any other number is."""
    items = [(float(Fraction(value)), count) for value, count in values.items()]
    pairs = (a * b * ((c - k) / (c + k)) ** 2 for i, (c, a) in enumerate(items) for k, b in items[:i] if c + k)
    return 2 * fsum(pairs)
