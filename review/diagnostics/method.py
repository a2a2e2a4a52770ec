"""The method page of one published cycle: how well it measured. Read from what was published; stores nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import sqrt
from typing import Any

from review.customer_survey.figures import Tallied, response_rate
from review.cycles.tables import CycleRow
from review.domain.double_ratings import Agreement, Part, agreements, parts
from review.domain.measurement import (
    FEWEST_PEOPLE,
    SMALLEST_GROUP,
    GroupLine,
    Precision,
    compared,
    effective_weights,
)
from review.domain.peer_figures import CycleFigure
from review.domain.rounding import half_up
from review.domain.scheme_shape import Scheme
from review.domain.statistics.groups import variation_of
from review.domain.statistics.proportions import Interval, wilson
from review.domain.vocabulary import COUNTING, Grade, Source
from review.responses.doubles import doubles_in
from review.responses.spread import Spread, customers_spread
from review.results.precision import contributions_of, precision_of_told
from review.results.replay import Told, scores_by_cycle, told_in
from review.results.teams import agreement_in

CYCLES = 6  # shown in the drift
ATTRIBUTES: Mapping[str, Callable[[Told, date], str]] = {
    "department": lambda told, _day: told.department or "",
    "post": lambda told, _day: told.post or "",
    "tenure": lambda told, day: _tenure(told.joined_on, day),
}
OUTCOMES: Mapping[str, Callable[[Grade], bool]] = {
    "excellent": lambda grade: grade is Grade.EXCELLENT,
    "not_lowest": lambda grade: grade is not Grade.POOR,
}


@dataclass(frozen=True, slots=True)
class Reliability:
    """Customers on one criterion: reviews, answers, ICC(1) and ICC(k), each None where there is nothing to compare."""

    criterion: str
    reviews: int
    answers: int
    single: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Satisfied:
    """Four or five stars overall: `share` with its 95 % interval, beside how many customers were asked."""

    satisfied: int
    answered: int
    interval: Interval
    asked: Tallied


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute and one outcome, group by group."""

    attribute: str
    outcome: str
    lines: Sequence[GroupLine]

    @property
    def is_told(self) -> bool:
        return any(line.total is not None for line in self.lines)


@dataclass(frozen=True, slots=True)
class Lap:
    """One cycle of the drift: people, mean and standard deviation of scores, and the mean change of those in both.

    Points in hundredths; None under SMALLEST_GROUP people.
    """

    name: str
    people: int
    mean: int | None
    deviation: float | None
    same: int
    change: int | None


@dataclass(frozen=True, slots=True)
class MethodPage:
    """All of it. What is None or empty could not be said of so few people."""

    people: int
    supervisors: int
    nominal: Mapping[Source, Fraction]
    effective: Mapping[Source, Fraction] | None
    precision: Precision | None
    customers: Sequence[Reliability]
    peers: Sequence[CycleFigure]
    doubles: int  # people whom two supervisors rated
    agreements: Sequence[Agreement]
    parts: Sequence[Part]
    satisfied: Satisfied | None
    comparisons: Sequence[Comparison]
    drift: Sequence[Lap]

    @property
    def tests(self) -> int:
        """How many comparisons are printed: of twenty, one looks odd by chance alone."""
        return sum(line.against is not None for one in self.comparisons for line in one.lines)


def method_page(cycle: CycleRow, scheme: Scheme) -> MethodPage:
    """The page, in a constant number of queries. Raises NotYet before the publication."""
    everybody = list(told_in(cycle))
    scored = [told for told in everybody if told.score is not None]
    people = [contributions_of(told) for told in scored]
    spread, kept = customers_spread(cycle, scheme), agreement_in(cycle.id)
    doubles = doubles_in(cycle, scheme) if scheme.supervisors_required > 1 else []
    return MethodPage(
        people=len(scored),
        supervisors=len({told.supervisor_id for told in scored}),
        nominal={source: scheme.overall_weight(source) for source in COUNTING},
        effective=effective_weights(people),
        precision=precision_of_told(scheme, scored, spread, kept),
        customers=[one for key, sums in spread.by_criterion.items() if (one := _reliability(key, sums))],
        peers=kept,
        doubles=len(doubles),
        agreements=agreements(doubles, scheme, SMALLEST_GROUP),
        parts=parts(doubles, scheme),
        satisfied=_satisfied(cycle, spread),
        comparisons=list(_comparisons(everybody, cycle.period_end)),
        drift=_drift(scores_by_cycle(cycle, CYCLES)),
    )


def _reliability(key: str, sums: Sequence[Any]) -> Reliability | None:
    variation = variation_of(sums)
    if variation.groups < FEWEST_PEOPLE:
        return None
    single, mean = variation.icc1, variation.icc1k
    return Reliability(
        key,
        variation.groups,
        variation.ratings,
        None if single is None else max(0.0, float(single)),
        None if mean is None else max(0.0, float(mean)),
    )


def _satisfied(cycle: CycleRow, spread: Spread) -> Satisfied | None:
    if not spread.answered:
        return None
    interval = wilson(spread.satisfied, spread.answered)
    return Satisfied(spread.satisfied, spread.answered, interval, response_rate(cycle.id).all)


def _comparisons(everybody: Sequence[Told], day: date) -> Sequence[Comparison]:
    """Attributes with one group alone say nothing and are left out."""
    found = []
    for attribute, group_of in ATTRIBUTES.items():
        for outcome, is_chosen in OUTCOMES.items():
            counts: dict[str, tuple[int, int]] = {}
            for told in everybody:
                if told.grade is not None:
                    chosen, total = counts.get(group_of(told, day), (0, 0))
                    counts[group_of(told, day)] = (chosen + is_chosen(told.grade), total + 1)
            if len(counts) > 1:
                found.append(Comparison(attribute, outcome, compared(dict(sorted(counts.items())))))
    return found


def _tenure(joined: date | None, day: date) -> str:
    if joined is None:
        return ""
    years = day.year - joined.year - ((day.month, day.day) < (joined.month, joined.day))
    return "under_1" if years < 1 else "under_3" if years < 3 else "from_3"


def _drift(cycles: Sequence[tuple[str, Mapping[int, int]]]) -> list[Lap]:
    laps, before = [], dict[int, int]()
    for name, scores in cycles:
        both = [scores[person] - before[person] for person in scores if person in before]
        count, total = len(scores), sum(scores.values())
        squares = sum(one * one for one in scores.values())
        is_told = count >= SMALLEST_GROUP
        deviation = sqrt((count * squares - total * total) / (count * (count - 1))) / 100 if is_told else None
        mean = half_up(total, count, 0) if is_told else None
        change = half_up(sum(both), len(both), 0) if len(both) >= SMALLEST_GROUP else None
        laps.append(Lap(name, count, mean, deviation, len(both), change))
        before = dict(scores)
    return laps
