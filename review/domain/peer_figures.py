"""What is kept about peers' ratings as a whole: per criterion and cycle, never per review, never per rater.

Worked out inside the count, from the ballots of published cells alone: afterwards no ballot is left to ask.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.disclosure import Cell, Shown
from review.domain.responses import Answers
from review.domain.rounding import hundredths
from review.domain.scheme_shape import Scheme
from review.domain.statistics.groups import variation_of
from review.domain.vocabulary import Source

FEWEST_REVIEWS = 30  # with a published cell; under that a figure about all would be about a few


@dataclass(frozen=True, slots=True)
class CycleFigure:
    """One criterion of one cycle, in hundredths: how far peers agree (ICC(1)), and the pooled variance (points²).

    `icc1` is None where all ratings are the same; it is negative where people differ less than chance would have it.
    """

    criterion: str
    reviews: int
    icc1: int | None
    variance: int


def cycle_figures(
    scheme: Scheme, said: Mapping[int, Iterable[Answers]], cells: Mapping[int, Iterable[Cell]]
) -> tuple[CycleFigure, ...]:
    """The figures of a cycle out of its ballots by review; none for a criterion with too few published cells."""
    published = {
        (review, cell.criterion)
        for review, theirs in cells.items()
        for cell in theirs
        if isinstance(cell.figure, Shown)
    }
    worth = {rule.level: rule.points for rule in scheme.levels}
    figures = []
    for criterion in scheme.asked_of(Source.PEERS):
        groups = [
            _sums([worth[level] for answers in ballots if (level := answers.get(criterion.key)) is not None])
            for review, ballots in said.items()
            if (review, criterion.key) in published
        ]
        if len(groups) >= FEWEST_REVIEWS:
            variation = variation_of(groups)
            icc1 = None if variation.icc1 is None else hundredths(variation.icc1)
            variance = hundredths(variation.within or Fraction(0))
            figures.append(CycleFigure(criterion.key, len(groups), icc1, variance))
    return tuple(figures)


def _sums(points: list[int]) -> tuple[int, int, int]:
    return len(points), sum(points), sum(one * one for one in points)
