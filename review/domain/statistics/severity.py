"""Rater severity: how lenient each rater is beside the others, from those they rated in common, and only from those."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.reading import place
from review.domain.refusals import Invalid
from review.domain.statistics.least_squares import Factors, factorise, solve
from review.domain.statistics.numbers import Number, exactly, fine

MOST_ON_THE_SMALLER_SIDE = 400  # raters or ratees, whichever are fewer
REFINEMENTS = 3  # each one gains some twelve digits
_LAST = 2**160  # places behind which only what is left of rounding stands
MOST_NAMED = 5  # parts, and names in each, that a refusal tells

Rating = tuple[str, str, Fraction]  # ratee, rater, value


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the table (raters or ratees) by name: the ratings of each, as (name on the other side, value)."""

    ratings: Mapping[str, list[tuple[str, Fraction]]]

    def means(self, effects: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """Each one's mean rating, after taking the effects of the other side off it."""
        return {
            name: fine(sum((value - effects[other] for other, value in given), Fraction(0)) / len(given))
            for name, given in self.ratings.items()
        }


def severity(ratings: Iterable[tuple[str, str, Number]]) -> dict[str, Fraction]:
    """Each rater's effect in value = ratee + rater + error by least squares, in the order of appearance.

    The effects add up to 0; a positive one is lenient. Repeated ratings of the same ratee by the same rater all count.
    Raters who differ in nothing have effects of 0. Source: the additive two-way model for unequal numbers, Searle
    (1971), Linear Models, ch. 7; why disjoint subsets cannot be compared: Linacre, A User's Guide to Facets.
    Raises Invalid: stats:one_rater, stats:not_connected with the parts of raters that share no ratee, directly or
    through others, stats:too_many_raters, stats:not_a_number, stats:too_large, with the place `ratings[i].value`.
    """
    read = [
        (ratee, rater, exactly(value, place(place("ratings", i), "value")))
        for i, (ratee, rater, value) in enumerate(ratings)
    ]
    raters, ratees = _sides(read)
    if len(raters.ratings) < 2:
        raise Invalid("stats:one_rater", "ratings")
    parts = _parts(raters, ratees)
    if len(parts) > 1:
        raise Invalid("stats:not_connected", "ratings", count=len(parts), parts=_told(parts))
    if len(raters.ratings) <= len(ratees.ratings):
        effects = _solved(raters, ratees)
    else:
        effects = raters.means(_solved(ratees, raters))
    middle = sum(effects.values(), Fraction(0)) / len(effects)
    return {rater: Fraction(round((effect - middle) * _LAST), _LAST) for rater, effect in effects.items()}


def _sides(ratings: Iterable[Rating]) -> tuple[_Side, _Side]:
    raters: defaultdict[str, list[tuple[str, Fraction]]] = defaultdict(list)
    ratees: defaultdict[str, list[tuple[str, Fraction]]] = defaultdict(list)
    for ratee, rater, value in ratings:
        raters[rater].append((ratee, value))
        ratees[ratee].append((rater, value))
    return _Side(raters), _Side(ratees)


def _parts(raters: _Side, ratees: _Side) -> list[list[str]]:
    """The raters, split into sets that no common ratee links."""
    parts: list[list[str]] = []
    part_of: dict[str, int] = {}
    seen: set[str] = set()
    for first in raters.ratings:
        if first in part_of:
            continue
        part_of[first] = len(parts)
        queue = [first]
        while queue:
            for ratee, _ in raters.ratings[queue.pop()]:
                if ratee not in seen:
                    seen.add(ratee)
                    fresh = [rater for rater, _ in ratees.ratings[ratee] if rater not in part_of]
                    part_of.update(dict.fromkeys(fresh, len(parts)))
                    queue += fresh
        parts.append([])
    for rater in raters.ratings:
        parts[part_of[rater]].append(rater)
    return parts


def _told(parts: list[list[str]]) -> str:
    def names(part: list[str]) -> str:
        told = ", ".join(_shown(name) for name in part[:MOST_NAMED])
        return f"{{{told}, …}}" if len(part) > MOST_NAMED else f"{{{told}}}"

    told = " ".join(names(part) for part in parts[:MOST_NAMED])
    return f"{told} …" if len(parts) > MOST_NAMED else told


def _shown(name: str) -> str:
    short = name[:30]
    return short if short.isprintable() else json.dumps(short)


def _solved(kept: _Side, other: _Side) -> dict[str, Fraction]:
    """The effects of `kept`, with those of `other` eliminated and the first of `kept` at 0.

    Solved in floats and refined with exact residuals, so that what is left of rounding is far below any digit.
    """
    if len(kept.ratings) > MOST_ON_THE_SMALLER_SIDE:
        raise Invalid("stats:too_many_raters", "ratings", most=MOST_ON_THE_SMALLER_SIDE)
    free = list(kept.ratings)[1:]
    factors = _factors(kept, other, free)
    effects = dict.fromkeys(kept.ratings, Fraction(0))
    for _ in range(1 + REFINEMENTS):
        residuals = _residuals(kept, other, effects)
        scale = max((abs(residuals[name]) for name in free), default=Fraction(0))
        if not scale:
            break
        for name, step in zip(free, solve(factors, [float(residuals[name] / scale) for name in free]), strict=True):
            effects[name] = fine(effects[name] + Fraction(step) * scale)
    return effects


def _residuals(kept: _Side, other: _Side, effects: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What the normal equations still miss: the sum of each one's errors."""
    means = other.means(effects)
    return {
        name: sum((value - means[against] for against, value in given), Fraction(0)) - len(given) * effects[name]
        for name, given in kept.ratings.items()
    }


def _factors(kept: _Side, other: _Side, free: list[str]) -> Factors:
    """The reduced normal equations: a Laplacian whose first row and column are struck out, so positive definite."""
    index = {name: i for i, name in enumerate(free)}
    matrix = [[0.0] * len(free) for _ in free]
    for name, i in index.items():
        matrix[i][i] = float(len(kept.ratings[name]))
    for given in other.ratings.values():
        times: defaultdict[int, int] = defaultdict(int)
        for name, _ in given:
            if name in index:
                times[index[name]] += 1
        for i, a in times.items():
            row = matrix[i]
            for j, b in times.items():
                row[j] -= a * b / len(given)
    return factorise(matrix)
