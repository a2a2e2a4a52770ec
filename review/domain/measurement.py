"""How well a cycle measured: what each source really weighed, the standard error, and gaps between groups of people.

Diagnostics for whoever owns the rules. None of them enters a score, and they have a version of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, sqrt

from review.domain.refusals import Invalid
from review.domain.statistics.four_fifths import Share, four_fifths
from review.domain.statistics.proportions import Difference, newcombe
from review.domain.vocabulary import COUNTING, Source

DIAGNOSTICS_VERSION = 2
FEWEST_PEOPLE = 30  # under that a figure about all would be about a few
SMALLEST_GROUP = 10  # people, under whom a group's rate is about single persons
ONE_SUPERVISOR = Fraction(1, 2)  # reliability of one supervisor's rating: .50, Conway & Huffcutt (1997)

Contributions = Mapping[Source, int]  # what each source added to one rating, in ten-thousandths of a point


def effective_weights(people: Sequence[Contributions]) -> dict[Source, Fraction] | None:
    """The share of each source in the differences between people: cov(contribution, rating) / var(rating).

    They add up to 1; a negative one belongs to a source that pulled against the others. None where fewer than
    FEWEST_PEOPLE were rated, or all alike. Source: w (C w) / w'Cw, Wang & Stanley (1970), Review of Educational
    Research 40, 663-705.
    """
    if len(people) < FEWEST_PEOPLE:
        return None
    ratings = [sum(one.values()) for one in people]
    spread = _covariance(ratings, ratings)
    if not spread:
        return None
    return {
        source: Fraction(_covariance([one.get(source, 0) for one in people], ratings), spread) for source in COUNTING
    }


def _covariance(left: Sequence[int], right: Sequence[int]) -> int:
    """n² times the covariance, in whole numbers."""
    return len(left) * sum(a * b for a, b in zip(left, right, strict=True)) - sum(left) * sum(right)


@dataclass(frozen=True, slots=True)
class Precision:
    """Standard error of a rating (points) by source and in all, beside the standard deviation between people."""

    by_source: Mapping[Source, float]
    deviation: float

    @property
    def error(self) -> float:
        return sqrt(sum(part * part for part in self.by_source.values()))

    @property
    def reliability(self) -> float | None:
        """The part of the differences between people that is not error; 0 where error alone could explain them."""
        return max(0.0, 1 - (self.error / self.deviation) ** 2) if self.deviation else None


def precision_of(
    people: Sequence[Contributions],
    customers: tuple[Fraction, Fraction],
    peers: tuple[Sequence[tuple[Fraction, Fraction]], Fraction],
) -> Precision | None:
    """The typical standard error of R; None under FEWEST_PEOPLE.

    `customers`: the pooled variance of one customer's whole contribution (points²) and the mean of 1/n. `peers`: for
    each criterion its weight in R and the pooled variance of one ballot (points²), and the mean of 1/n with the lowest
    n of each range; since whole ballots are gone, criteria are taken as moving together, which errs on the high side.
    The supervisor's error is the spread of that contribution times (1 - ONE_SUPERVISOR), until it can be estimated.
    """
    if len(people) < FEWEST_PEOPLE:
        return None
    kept, each_peer = peers
    supervisor = _variance([one.get(Source.SUPERVISOR, 0) for one in people]) * float(1 - ONE_SUPERVISOR)
    together = sum(float(weight) * sqrt(float(variance)) for weight, variance in kept) ** 2
    return Precision(
        {
            Source.SUPERVISOR: sqrt(supervisor),
            Source.PEERS: sqrt(together * float(each_peer)),
            Source.CUSTOMERS: sqrt(float(customers[0]) * float(customers[1])),
        },
        sqrt(_variance([sum(one.values()) for one in people])),
    )


def _variance(amounts: Sequence[int]) -> float:
    """In points², of amounts in ten-thousandths of a point."""
    return _covariance(amounts, amounts) / (len(amounts) * (len(amounts) - 1)) / 10_000**2


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One group in the comparison. All but the name is None where fewer than SMALLEST_GROUP people are in it.

    `ratio` is to the highest rate; `is_low` under four fifths of it, `too_few` where one selection moved would say the
    opposite; `against` and `chance` (Fisher's exact test) compare it with the group of the highest rate.
    """

    name: str
    selected: int | None = None
    total: int | None = None
    ratio: Fraction | None = None
    is_low: bool = False
    too_few: bool = False
    against: Difference | None = None
    chance: float | None = None


def compared(groups: Mapping[str, tuple[int, int]]) -> list[GroupLine]:
    """Groups of (selected, total) side by side, small ones without a figure, none where fewer than two are left.

    Where a single group is small, the smallest of the others goes too: the total of all would give it away.
    """
    large = {name: figures for name, figures in groups.items() if figures[1] >= SMALLEST_GROUP}
    if len(large) == len(groups) - 1:
        large.pop(min(large, key=lambda name: (large[name][1], name), default=""), None)
    if len(large) < 2:
        return [GroupLine(name) for name in groups]
    shares = four_fifths(large)
    best = max(large, key=lambda name: (shares[name].rate, large[name][1]))
    return [_line(name, large, shares, best) if name in large else GroupLine(name) for name in groups]


def _line(name: str, groups: Mapping[str, tuple[int, int]], shares: Mapping[str, Share], best: str) -> GroupLine:
    share, (x1, n1), (x2, n2) = shares[name], groups[name], groups[best]
    alone = name == best
    return GroupLine(
        name,
        x1,
        n1,
        share.ratio,
        share.flagged,
        share.too_few,
        None if alone else newcombe(x1, n1, x2, n2),
        None if alone else fisher(x1, n1, x2, n2),
    )


def fisher(x1: int, n1: int, x2: int, n2: int) -> float:
    """Fisher's exact test, two-sided: how likely a gap at least as improbable is where nothing but chance chooses.

    Source: Fisher (1935); the two-sided sum over all tables no more probable than the one at hand. Raises Invalid
    (stats:nobody_asked) for a group without people.
    """
    if not n1 or not n2:
        raise Invalid("stats:nobody_asked")
    chosen = x1 + x2
    ways = {x: comb(n1, x) * comb(n2, chosen - x) for x in range(max(0, chosen - n2), min(n1, chosen) + 1)}
    return float(Fraction(sum(one for one in ways.values() if one <= ways[x1]), sum(ways.values())))
