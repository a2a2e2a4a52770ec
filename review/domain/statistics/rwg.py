"""r_wg: how far several raters of one target agree, measured against raters who tick at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, exactly

MOST_LEVELS = 1000


@dataclass(frozen=True, slots=True)
class Agreement:
    """`rwg` within 0 and 1; `truncated` when the ratings are further apart than random ones and 0 is shown instead."""

    rwg: Fraction
    variance: Fraction
    random_variance: Fraction
    truncated: bool


def rwg(ratings: Sequence[Number], levels: int) -> Agreement:
    """r_wg = 1 - s² / ((A² - 1) / 12), s² with n - 1, the null being uniform over the A levels 1, 2, ... A.

    Source: James, Demaree & Wolf (1984), Journal of Applied Psychology 69, 85-98; truncation at 0: LeBreton & Senter
    (2008), Organizational Research Methods 11, 815-852. Raters who all say the same agree fully: 1, never null.
    Raises Invalid: stats:one_rater, stats:too_few_levels, stats:not_a_count, stats:not_a_number, stats:off_the_scale
    (below 1 or above the number of levels), with the place `ratings[i]` or `levels`.
    """
    scale = exactly(levels, "levels")
    if scale.denominator != 1 or not 2 <= scale <= MOST_LEVELS:
        raise Invalid("stats:too_few_levels", "levels", low=2, high=MOST_LEVELS)
    values = [_on_scale(value, scale, place("ratings", i)) for i, value in enumerate(ratings)]
    if len(values) < 2:
        raise Invalid("stats:one_rater", "ratings")
    mean = sum(values, Fraction(0)) / len(values)
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)
    null = uniform_variance(scale.numerator)
    raw = 1 - variance / null
    return Agreement(max(raw, Fraction(0)), variance, null, truncated=raw < 0)


def uniform_variance(levels: int) -> Fraction:
    """The variance of ratings that fall on each of `levels` neighbouring levels equally often: (A² - 1) / 12.

    Source: James, Demaree & Wolf (1984).
    """
    return Fraction(levels * levels - 1, 12)


def _on_scale(value: Number, levels: Fraction, where: str) -> Fraction:
    number = exactly(value, where)
    if not 1 <= number <= levels:
        raise Invalid("stats:off_the_scale", where, levels=f"{levels}")
    return number
