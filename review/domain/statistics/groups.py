"""What is known about groups of ratings from n, sum and sum of squares alone: variance within, variance between, ICC.

A group is one rated person (or one cell of a count); nothing about a single rating is needed. With integers or
fractions as sums everything is exact. A group without ratings says nothing and is passed over.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, count, exactly, fine

SUMS_LARGEST = Fraction(10**26)  # of a sum of squares: that of the largest numbers there are, a hundred times
MOST_SIZES = 500  # different ones; beyond them the means keep 400 binary places instead of every denominator


@dataclass(frozen=True, slots=True)
class Variation:
    """The one-way analysis of variance of unequal groups.

    `within` is the mean square within groups (MSW), `between` the mean square between them (MSB), `typical_size` is
    n0 = (N - sum n²/N)/(K - 1), which weighs the group sizes as the expected mean squares do; the plain mean of the
    sizes is larger wherever sizes differ. Each is None where it has no degrees of freedom.
    """

    groups: int
    ratings: int
    within: Fraction | None
    between: Fraction | None
    typical_size: Fraction | None

    @property
    def icc1(self) -> Fraction | None:
        """(MSB - MSW) / (MSB + (n0 - 1) MSW): the reliability of one rating; below 0 when groups are too alike."""
        if self.within is None or self.between is None or self.typical_size is None:
            return None
        below = self.between + (self.typical_size - 1) * self.within
        return (self.between - self.within) / below if below else None

    @property
    def icc1k(self) -> Fraction | None:
        """(MSB - MSW) / MSB: the reliability of a group's mean, at the typical size."""
        if self.within is None or not self.between:
            return None
        return (self.between - self.within) / self.between


def variation_of(groups: Iterable[tuple[Number, Number, Number]]) -> Variation:
    """The analysis of variance of `groups`, each (n, sum, sum of squares).

    Source: Donner & Koval (1980) for n0, Bliese (2000) for ICC(1) and ICC(2) from mean squares. Raises Invalid:
    stats:not_a_number, stats:not_a_count, stats:too_large, stats:impossible_sums (no n numbers have such sums),
    each with the place `groups[i]…`.
    """
    sizes: defaultdict[int, int] = defaultdict(int)
    squared: defaultdict[int, Fraction | int] = defaultdict(int)  # by n: one division for each size, not each group
    total: Fraction | int = 0
    squares: Fraction | int = 0
    for index, (n, total_of_group, squares_of_group) in enumerate(groups):
        size, added, square = _checked(n, total_of_group, squares_of_group, place("groups", index))
        if size:
            sizes[size] += 1
            squared[size] += added * added
            total += added
            squares += square
    fractions = (Fraction(value) / n for n, value in squared.items())
    means = sum(fractions if len(squared) <= MOST_SIZES else map(fine, fractions), Fraction(0))  # sum of S²/n
    return _analysed(sizes, Fraction(total), squares - means, means)


def icc_unbalanced(groups: Iterable[tuple[Number, Number, Number]]) -> Variation:
    """What `variation_of` gives, with its icc1, icc1k and typical_size (n0), refused where there is nothing to compare.

    Source: see `variation_of`. Without any variance both coefficients are None; without variance between the groups
    icc1k is. Raises Invalid as `variation_of` does, and stats:one_group, stats:no_repetition (no group of two ratings).
    """
    variation = variation_of(groups)
    if variation.groups < 2:
        raise Invalid("stats:one_group", "groups")
    if variation.within is None:
        raise Invalid("stats:no_repetition", "groups")
    return variation


def _analysed(sizes: dict[int, int], total: Fraction, inside: Fraction, means: Fraction) -> Variation:
    groups = sum(sizes.values())
    ratings = sum(n * times for n, times in sizes.items())
    within = inside / (ratings - groups) if ratings > groups else None
    if groups < 2:
        return Variation(groups, ratings, within, None, None)
    between = (means - total * total / ratings) / (groups - 1)
    of_squares = sum(n * n * times for n, times in sizes.items())
    return Variation(groups, ratings, within, between, (ratings - Fraction(of_squares, ratings)) / (groups - 1))


def _checked(n: Number, total: Number, squares: Number, where: str) -> tuple[int, int | Fraction, int | Fraction]:
    """The three figures of a group: whole numbers stay plain integers, which add several times faster."""
    size, added, square = _figure(n, where, "n"), _figure(total, where, "sum"), _figure(squares, where, "sum_sq")
    if type(size) is not int or size < 0:
        size = count(n, place(where, "n"))
    if size * square < added * added or (not size and (added or square)):
        raise Invalid("stats:impossible_sums", where)
    return size, added, square


def _figure(value: Number, where: str, name: str) -> int | Fraction:
    if type(value) is int and -SUMS_LARGEST <= value <= SUMS_LARGEST:
        return value
    if isinstance(value, Fraction) and abs(value) <= SUMS_LARGEST:
        return value
    return exactly(value, place(where, name))
