"""How far several checkers agree who marked the same tickets blind (校准): four measures, each with a word for it.

It says how far checks by different people can be compared, and never changes anybody's figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from review.domain.quality import Marks, QualityForm, points_of
from review.domain.refusals import Invalid
from review.domain.statistics.alpha import Level, alpha
from review.domain.statistics.kappa import Weights, kappa
from review.domain.statistics.rwg import rwg

# By who marked and which ticket: the marks of one whole form.
Answers = Mapping[tuple[int, int], Marks]

GRID = 12  # points of every scale fall on twelfths of 100, so that categories of different scales share one table


class Word(StrEnum):
    """What a measure comes to. The cuts are those of the literature, named beside each function."""

    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    VERY_STRONG = "very_strong"


@dataclass(frozen=True, slots=True)
class CategoryAgreement:
    """One category: alpha over the tickets, mean r_wg of the tickets, share of pairs that chose the same mark."""

    key: str
    alpha: Fraction | None
    rwg: Fraction | None
    same: Fraction | None
    pairs: int


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two checkers over all categories and tickets: weighted kappa, and the share of same marks."""

    first: int
    second: int
    kappa: Fraction | None
    same: Fraction | None
    count: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything a closed round shows. None stands where a measure is not defined on these marks."""

    alpha: Fraction | None
    same: Fraction | None
    categories: tuple[CategoryAgreement, ...]
    pairs: tuple[PairAgreement, ...]


def agreement_of(form: QualityForm, answers: Answers) -> Agreement:
    """All measures over these answers; "not applicable" is a missing value everywhere."""
    people = sorted({person for person, _ in answers})
    tickets = sorted({ticket for _, ticket in answers})
    categories = tuple(_category(form, key.key, answers, people, tickets) for key in form.categories)
    everything = [
        [_points(form, answers, person, ticket, category.key) for category in form.categories for ticket in tickets]
        for person in people
    ]
    pairs = tuple(
        _pair(first, second, everything[people.index(first)], everything[people.index(second)])
        for first, second in combinations(people, 2)
    )
    same, _ = _same(zip(*everything, strict=True))
    return Agreement(_alpha(everything), same, categories, pairs)


def _category(
    form: QualityForm, key: str, answers: Answers, people: Sequence[int], tickets: Sequence[int]
) -> CategoryAgreement:
    scale = form.category(key).scale
    rows = [[answers.get((person, ticket), {}).get(key) for ticket in tickets] for person in people]
    by_ticket = [[mark for mark in column if mark is not None] for column in zip(*rows, strict=True)]
    agreed = [rwg(marks, scale).rwg for marks in by_ticket if len(marks) > 1]
    same, pairs = _same(by_ticket)
    points = [[None if mark is None else points_of(mark, scale) for mark in row] for row in rows]
    mean = sum(agreed, Fraction(0)) / len(agreed) if agreed else None
    return CategoryAgreement(key, _alpha(points), mean, same, pairs)


def _points(form: QualityForm, answers: Answers, person: int, ticket: int, key: str) -> Fraction | None:
    mark = answers.get((person, ticket), {}).get(key)
    return None if mark is None else points_of(mark, form.category(key).scale)


def _alpha(rows: Sequence[Sequence[Fraction | None]]) -> Fraction | None:
    try:
        found = alpha(rows, Level.ORDINAL)
    except Invalid:  # one checker, or no ticket that two of them marked: nothing to compare
        return None
    return found if isinstance(found, Fraction) else None


def _same(units: Iterable[Iterable[Fraction | int | None]]) -> tuple[Fraction | None, int]:
    """The share of pairs within the units that are equal, and how many pairs there are."""
    equal, pairs = 0, 0
    for unit in units:
        for one, other in combinations([value for value in unit if value is not None], 2):
            pairs += 1
            equal += one == other
    return (Fraction(equal, pairs) if pairs else None), pairs


def _pair(first: int, second: int, one: Sequence[Fraction | None], other: Sequence[Fraction | None]) -> PairAgreement:
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for mine, theirs in zip(one, other, strict=True):
        if mine is not None and theirs is not None:
            counts[_cell(mine), _cell(theirs)] += 1
    count = sum(counts.values())
    if not count:
        return PairAgreement(first, second, None, None, 0)
    table = [[counts[i, j] for j in range(GRID + 1)] for i in range(GRID + 1)]
    same = Fraction(sum(counts[i, i] for i in range(GRID + 1)), count)
    return PairAgreement(first, second, kappa(table, Weights.QUADRATIC), same, count)


def _cell(points: Fraction) -> int:
    return int(points * GRID / 100)


def word_of_alpha(value: Fraction | None) -> Word | None:
    """Krippendorff (2004): from 0.800 conclusions hold, from 0.667 tentative ones, below that none."""
    return _word(value, {Fraction(800, 1000): Word.STRONG, Fraction(667, 1000): Word.MODERATE}, Word.WEAK)


def word_of_rwg(value: Fraction | None) -> Word | None:
    """LeBreton & Senter (2008), table 3: lack to 0.30, weak to 0.50, moderate to 0.70, strong to 0.90, very strong."""
    cuts = {
        Fraction(91, 100): Word.VERY_STRONG,
        Fraction(71, 100): Word.STRONG,
        Fraction(51, 100): Word.MODERATE,
        Fraction(31, 100): Word.WEAK,
    }
    return _word(value, cuts, Word.NONE)


def word_of_kappa(value: Fraction | None) -> Word | None:
    """Landis & Koch (1977): almost perfect above 0.80, substantial above 0.60, moderate above 0.40, fair above 0.20."""
    if value is None:
        return None
    cuts = ((80, Word.VERY_STRONG), (60, Word.STRONG), (40, Word.MODERATE), (20, Word.WEAK))
    return next((word for cut, word in cuts if value > Fraction(cut, 100)), Word.NONE)


def _word(value: Fraction | None, cuts: Mapping[Fraction, Word], below: Word) -> Word | None:
    if value is None:
        return None
    return next((word for cut, word in cuts.items() if value >= cut), below)
