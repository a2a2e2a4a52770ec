"""Intraclass correlations of a complete table, targets in rows and raters in columns: how reliable ratings are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, exactly


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """The two-way analysis of variance: targets, raters, residual, and raters and residual together (within)."""

    targets: int
    raters: int
    between_targets: Fraction
    within_targets: Fraction
    between_raters: Fraction
    residual: Fraction


@dataclass(frozen=True, slots=True)
class Icc:
    """The six forms of Shrout and Fleiss; None where a form has no variance to divide.

    `icc1`: raters drawn anew for each target; `icc2`: the same raters, drawn from many (agreement); `icc3`: just these
    raters (consistency). With k: the reliability of the mean of all raters instead of one. Values below 0 stay as they
    are: the ratings tell the targets apart worse than chance would.
    """

    icc1: Fraction | None
    icc2: Fraction | None
    icc3: Fraction | None
    icc1k: Fraction | None
    icc2k: Fraction | None
    icc3k: Fraction | None


def icc(ratings: Sequence[Sequence[Number]]) -> Icc:
    """The six intraclass correlations of `ratings` (targets x raters), exactly.

    Source: Shrout & Fleiss (1979), Psychological Bulletin 86, 420-428. Without any variance all six are None; without
    variance between targets the forms that divide by it (icc1k, icc3k) are. Raises Invalid: see `mean_squares`.
    """
    ms = mean_squares(ratings)
    n, k = ms.targets, ms.raters
    between, within, raters, rest = ms.between_targets, ms.within_targets, ms.between_raters, ms.residual
    return Icc(
        icc1=_share(between - within, between + (k - 1) * within),
        icc2=_share(between - rest, between + (k - 1) * rest + Fraction(k, n) * (raters - rest)),
        icc3=_share(between - rest, between + (k - 1) * rest),
        icc1k=_share(between - within, between),
        icc2k=_share(between - rest, between + (raters - rest) / n),
        icc3k=_share(between - rest, between),
    )


def mean_squares(ratings: Sequence[Sequence[Number]]) -> MeanSquares:
    """The mean squares behind the six forms.

    Source: Shrout & Fleiss (1979), Table 1. Raises Invalid: stats:too_few_targets and stats:one_rater (two of each are
    needed), stats:not_rectangular, stats:not_a_number, stats:too_large, with the place `ratings[i][j]`.
    """
    table = _table(ratings)
    n, k = len(table), len(table[0])
    total = sum(sum(row) for row in table)
    correction = Fraction(total * total) / (n * k)
    squares = Fraction(sum(value * value for row in table for value in row))
    rows = Fraction(sum(sum(row) ** 2 for row in table)) / k
    columns = Fraction(sum(sum(column) ** 2 for column in zip(*table, strict=True))) / n
    return MeanSquares(
        targets=n,
        raters=k,
        between_targets=(rows - correction) / (n - 1),
        within_targets=(squares - rows) / (n * (k - 1)),
        between_raters=(columns - correction) / (k - 1),
        residual=(squares - rows - columns + correction) / ((n - 1) * (k - 1)),
    )


def _table(ratings: Sequence[Sequence[Number]]) -> list[list[Fraction]]:
    if len(ratings) < 2:
        raise Invalid("stats:too_few_targets", "ratings", least=2)
    width = len(ratings[0])
    table = []
    for i, row in enumerate(ratings):
        where = place("ratings", i)
        if len(row) != width:
            raise Invalid("stats:not_rectangular", where, width=width)
        if width < 2:
            raise Invalid("stats:one_rater", where)
        table.append([exactly(value, place(where, j)) for j, value in enumerate(row)])
    return table


def _share(part: Fraction, whole: Fraction) -> Fraction | None:
    return part / whole if whole else None
