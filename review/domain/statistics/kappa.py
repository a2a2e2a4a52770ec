"""Cohen's kappa: how far two fixed raters agree beyond what their habits alone would give."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, exactly

MOST_CATEGORIES = 200


class Weights(StrEnum):
    """How a disagreement counts: by the number of categories between the two, or by its square."""

    LINEAR = "linear"
    QUADRATIC = "quadratic"


def kappa(table: Sequence[Sequence[Number]], weights: Weights | None = None) -> Fraction | None:
    """1 - observed / expected disagreement of a square `table` (first rater's category x second rater's).

    Without weights that is (po - pe) / (1 - pe). Cells are counts, or shares of the whole. None when both raters use
    one and the same category only: without variance nothing tells agreement from habit. Source: Cohen (1960),
    Educational and Psychological Measurement 20, 37-46; weighted: Cohen (1968), Psychological Bulletin 70, 213-220.
    Raises Invalid: stats:too_few_categories, stats:too_many_categories, stats:not_square, stats:negative_cell,
    stats:empty_table, stats:not_a_number, stats:too_large, with the place `table[i][j]`.
    """
    cells = _cells(table)
    rows = [sum(row, Fraction(0)) for row in cells]
    columns = [sum(column, Fraction(0)) for column in zip(*cells, strict=True)]
    total = sum(rows)
    if not total:
        raise Invalid("stats:empty_table", "table")
    observed, expected = Fraction(0), Fraction(0)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            apart = _apart(i, j, weights)
            observed += apart * cell
            expected += apart * rows[i] * columns[j]
    return 1 - observed * total / expected if expected else None


def _apart(i: int, j: int, weights: Weights | None) -> int:
    if weights is None:
        return int(i != j)
    return abs(i - j) if weights is Weights.LINEAR else (i - j) ** 2


def _cells(table: Sequence[Sequence[Number]]) -> list[list[Fraction]]:
    size = len(table)
    if size < 2:
        raise Invalid("stats:too_few_categories", "table")
    if size > MOST_CATEGORIES:
        raise Invalid("stats:too_many_categories", "table", most=MOST_CATEGORIES)
    cells = []
    for i, row in enumerate(table):
        where = place("table", i)
        if len(row) != size:
            raise Invalid("stats:not_square", where, size=size)
        cells.append([_cell(value, place(where, j)) for j, value in enumerate(row)])
    return cells


def _cell(value: Number, where: str) -> Fraction:
    number = exactly(value, where)
    if number < 0:
        raise Invalid("stats:negative_cell", where)
    return number
