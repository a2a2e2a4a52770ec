"""Strata (channel x ticket type): how many surveys each gets, what a person needs, and the figure weighted by them.

Pure and exact: whole seats by the largest remainder, shares as fractions, nothing depends on the order of the input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeVar

Key = TypeVar("Key", bound=tuple[str, ...] | str)


class Stratum(NamedTuple):
    """A cell of the population. Both words are the ticket system's own; an empty one is a word like any other."""

    channel: str
    kind: str


def largest_remainder(weights: Mapping[Key, int], seats: int) -> dict[Key, int]:
    """`seats` whole seats in proportion to `weights`: rounded down, the rest to the largest remainders (Hamilton).

    Equal remainders go to the heavier weight, then by the key. The seats add up to `seats` unless nothing has weight.
    Raises ValueError for a negative weight or number of seats.
    """
    total = sum(weights.values())
    if seats < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("seats and weights are counted from zero")
    if not total:
        return dict.fromkeys(weights, 0)
    given = {key: weight * seats // total for key, weight in weights.items()}
    rest = seats - sum(given.values())
    by_remainder = sorted(weights, key=lambda key: (-(weights[key] * seats % total), -weights[key], key))
    for key in by_remainder[:rest]:
        given[key] += 1
    return given


def allocate(population: Mapping[Key, int], room: Mapping[Key, int], seats: int) -> dict[Key, int]:
    """`seats` in proportion to the population, never more than a stratum's room; what overflows goes to the others.

    The seats add up to the smaller of `seats` and all the room there is.
    """
    given = dict.fromkeys(population, 0)
    open_ = {key: count for key, count in population.items() if room.get(key, 0) and count}
    left = min(seats, sum(room[key] for key in open_))
    while left and open_:
        share = largest_remainder(open_, left)
        full = [key for key in open_ if share[key] >= room[key]]
        for key in full or list(open_):
            given[key] = room[key] if full else share[key]
            left -= given[key]
            del open_[key]
    return given


def quota(minimum: int, expected_percent: int) -> int:
    """How many to ask so that `minimum` answer when `expected_percent` of them do. Raises ValueError for 0."""
    if not 1 <= expected_percent <= 100:
        raise ValueError("the expected response rate lies between 1 and 100 percent")
    return -(-minimum * 100 // expected_percent)


def pace(quota: int, part: Fraction) -> int:
    """How many of the quota are to be asked once `part` of the period is over: rounded up, all of them at the end."""
    return -(-quota * part.numerator // part.denominator)


class Answered(NamedTuple):
    """Customers of one stratum who answered (`given`), and how many of them were satisfied."""

    satisfied: int
    given: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Satisfaction as if every stratum had answered in proportion to its tickets. It is looked at and never counts.

    `value` is the weighted share over the strata with answers, None when nobody answered. `empty` are the strata with
    tickets and no answer, `covered` the share of all tickets that lies in the others: the value speaks for these only.
    """

    value: Fraction | None
    empty: tuple[Stratum, ...]
    covered: Fraction


def post_stratified(population: Mapping[Stratum, int], answers: Mapping[Stratum, Answered]) -> Reference:
    """The share of satisfied customers with each stratum weighted by its tickets (post-stratification).

    Source: Holt and Smith (1979), Post Stratification, Journal of the Royal Statistical Society A 142, 33-46: the sum
    of N_h / N times the mean of stratum h. Strata without an answer are left out of both sums and named.
    """
    filled = {key: n for key, n in population.items() if n and answers.get(key, Answered(0, 0)).given}
    empty = tuple(sorted(key for key, n in population.items() if n and key not in filled))
    weight, total = sum(filled.values()), sum(population.values())
    covered = Fraction(weight, total) if total else Fraction(0)
    if not weight:
        return Reference(None, empty, covered)
    parts = (Fraction(n * answers[key].satisfied, answers[key].given) for key, n in filled.items())
    return Reference(sum(parts, Fraction(0)) / weight, empty, covered)
