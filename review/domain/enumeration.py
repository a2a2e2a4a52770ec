"""The price of a minimum: how often a published peer figure would make somebody's answer certain.

Enumerates every way in which n ballots can fall on 40/60/80/100. The attacker knows the rule, n exactly, and the
answers of zero (outsider), one or two raters; since ballots carry no name, an answer is certain only where all others
must have given the same one. Shares are exact, weighted by a prior over levels; the worst of four priors is the price.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement
from math import factorial, prod

from review.domain.disclosure import stepped
from review.domain.vocabulary import STANDARD_POINTS, PeerStep

POINTS = tuple(sorted(STANDARD_POINTS))
PRIORS = ((5, 15, 50, 30), (5, 20, 45, 30), (3, 12, 45, 40), (25, 25, 25, 25))  # percent, from poor to excellent

Rule = Callable[[int, int], object]  # total and count -> what is published


@dataclass(frozen=True, slots=True)
class Price:
    """The share of cells with `ballots` answers in which someone's answer becomes certain, to whom."""

    ballots: int
    outsider: Fraction
    one_rater: Fraction
    two_raters: Fraction


@cache
def price_of(minimum: int, step: PeerStep | None = PeerStep.STEPPED) -> Price:
    """The price of publishing at `minimum` ballots (at least 3), under the worst of the four priors."""
    outsider, one, two = (worst_share(minimum, known, step) for known in range(3))
    return Price(minimum, outsider, one, two)


def worst_share(ballots: int, known: int, step: PeerStep | None = PeerStep.STEPPED) -> Fraction:
    return max(certain_share(ballots, known, prior, step) for prior in PRIORS)


def certain_share(ballots: int, known: int, prior: Sequence[int], step: PeerStep | None = PeerStep.STEPPED) -> Fraction:
    """The share of cells in which raters who know `known` of the answers learn one more for certain.

    `prior` gives each level's probability in percent, from 40 to 100 points.
    """
    published: Rule = stepped if step is not None else _exact_mean
    certain = sum(
        _weight(pinned, prior) * _weight(others, prior)
        for pinned in combinations_with_replacement(POINTS, known)
        for others in _certain(ballots, pinned, published)
    )
    return Fraction(certain, sum(prior) ** ballots)


def _exact_mean(total: int, _count: int) -> object:
    return total


def _certain(ballots: int, pinned: tuple[int, ...], published: Rule) -> list[tuple[int, ...]]:
    """The unanimous answers of the others that are the only explanation of the figure they lead to."""
    explanations: dict[object, list[tuple[int, ...]]] = {}
    for others in combinations_with_replacement(POINTS, ballots - len(pinned)):
        figure = published(sum(pinned) + sum(others), ballots)
        explanations.setdefault(figure, []).append(others)
    return [group[0] for group in explanations.values() if len(group) == 1 and len(set(group[0])) == 1]


def _weight(answers: tuple[int, ...], prior: Sequence[int]) -> int:
    """The multiset's probability, in units of sum(prior) ** len(answers): its orders times their probability."""
    orders = factorial(len(answers)) // prod(factorial(answers.count(points)) for points in POINTS)
    return orders * prod(prior[POINTS.index(points)] for points in answers)
