"""The four-fifths rule: which groups are chosen so much more rarely than the one chosen most that a look is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.numbers import Number, count

MOST_GROUPS = 2000


@dataclass(frozen=True, slots=True)
class Share:
    """One group: its rate, the ratio to the highest rate (None when nobody at all was chosen), and the two verdicts."""

    rate: Fraction
    ratio: Fraction | None
    flagged: bool
    too_few: bool


Counts = dict[str, tuple[int, int]]  # name: (selected, total)


def four_fifths(groups: Mapping[str, tuple[Number, Number]]) -> dict[str, Share]:
    """The verdict for each group, given as (selected, total), against the group with the highest rate.

    `flagged` when the rate is below 4/5 of the highest, in whole numbers: 5·x1·n2 < 4·x2·n1. `too_few` when moving one
    selection between the group and one with the highest rate (to the group where it is flagged, from it where it is
    not) turns the verdict round, all groups compared anew: then the numbers say neither. The group with the highest
    rate is never flagged. When nobody was chosen anywhere there is no ratio and nothing is flagged.
    Source: 29 CFR 1607.4 D; Questions and Answers on the Uniform Guidelines, 44 FR 11996 (1979), Q&A 11 and 21.
    Raises Invalid: stats:one_group, stats:too_many_groups, stats:nobody_asked, stats:more_than_all, stats:not_a_count,
    stats:not_a_number, with the place `groups.NAME…`.
    """
    if len(groups) < 2:
        raise Invalid("stats:one_group", "groups")
    if len(groups) > MOST_GROUPS:
        raise Invalid("stats:too_many_groups", "groups", most=MOST_GROUPS)
    counts = {name: _counts(figures, place("groups", name)) for name, figures in groups.items()}
    ranked = sorted(counts, key=lambda name: (-_rate(counts[name]), counts[name][1]))
    return {name: _share(counts, name, ranked) for name in counts}


def _share(counts: Counts, name: str, ranked: list[str]) -> Share:
    """The verdict on `name`; `ranked` has the highest rate first, of equal ones that of the smallest group.

    The smallest group is the one that a moved selection changes most, so no other of the highest needs to be tried.
    """
    rate, best = _rate(counts[name]), _rate(counts[ranked[0]])
    flagged = _is_below(counts[name], best)
    too_few = rate < best and _turns(counts, name, ranked, flagged)
    return Share(rate, rate / best if best else None, flagged, too_few)


def _turns(counts: Counts, name: str, ranked: list[str], flagged: bool) -> bool:
    """Whether one selection moved between `name` and the first of `ranked` makes the other verdict of `name`."""
    moved = 1 if flagged else -1
    (selected, total), (chosen, of_leader) = counts[name], counts[ranked[0]]
    if not (0 <= selected + moved <= total and 0 <= chosen - moved <= of_leader):
        return False
    third = next((other for other in ranked[1:3] if other != name), None)
    rates = [_rate((selected + moved, total)), _rate((chosen - moved, of_leader))]
    best = max(rates + ([_rate(counts[third])] if third else []))
    return _is_below((selected + moved, total), best) != flagged


def _is_below(figures: tuple[int, int], best: Fraction) -> bool:
    selected, total = figures
    return 5 * selected * best.denominator < 4 * best.numerator * total


def _rate(figures: tuple[int, int]) -> Fraction:
    return Fraction(*figures)


def _counts(figures: tuple[Number, Number], where: str) -> tuple[int, int]:
    selected, total = count(figures[0], place(where, "selected")), count(figures[1], place(where, "total"))
    if not total:
        raise Invalid("stats:nobody_asked", place(where, "total"))
    if selected > total:
        raise Invalid("stats:more_than_all", place(where, "selected"), all=total)
    return selected, total
