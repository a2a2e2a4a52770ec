"""What two ratings of the same person say about rating: how far two supervisors agree, and who is stricter.

Diagnostics for whoever owns the rules, versioned with `measurement`; none of it enters a score.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.refusals import Invalid
from review.domain.scheme_shape import Scheme
from review.domain.statistics.alpha import Level as Scale
from review.domain.statistics.alpha import alpha
from review.domain.statistics.icc import icc
from review.domain.statistics.rwg import rwg
from review.domain.statistics.severity import severity
from review.domain.vocabulary import LEVELS, Level

FEWEST_IN_COMMON = 5  # people a rater shares with others before their severity is told


@dataclass(frozen=True, slots=True)
class Double:
    """One person rated by two supervisors: who they are, and what each said by criterion."""

    ratee: str
    raters: tuple[str, str]
    levels: tuple[Mapping[str, Level], Mapping[str, Level]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two ratings agree on one criterion, or over all of them (`criterion` None, where only ICC makes sense).

    `alpha`: Krippendorff's, ordinal. `rwg`: the mean of r_wg over people. `single`, `mean`: ICC(1) of one rating and
    ICC(2 ratings) of the mean of two, one-way, since not everybody has the same two raters. None: nothing varies.
    """

    criterion: str | None
    people: int
    same: int
    alpha: Fraction | None
    rwg: Fraction | None
    single: Fraction | None
    mean: Fraction | None


@dataclass(frozen=True, slots=True)
class Rater:
    """One rater beside the others of their part: points above (lenient) or below them; None under FEWEST_IN_COMMON."""

    name: str
    people: int
    effect: Fraction | None


@dataclass(frozen=True, slots=True)
class Part:
    """Raters linked by people they rated in common, directly or through others; only they can be compared.

    `raters` by effect, the most lenient first. `is_too_large`: more raters than can be worked out at once.
    """

    raters: tuple[Rater, ...]
    is_too_large: bool = False


def agreements(doubles: Sequence[Double], scheme: Scheme, fewest: int) -> list[Agreement]:
    """One line a criterion and one over all of them; none for fewer than `fewest` people."""
    if len(doubles) < max(fewest, 2):
        return []
    lines = [_agreement(doubles, criterion.key) for criterion in scheme.criteria]
    whole = icc([[_points(scheme, said) for said in one.levels] for one in doubles])
    same = sum(one.levels[0] == one.levels[1] for one in doubles)
    return [*lines, Agreement(None, len(doubles), same, None, None, whole.icc1, whole.icc1k)]


def _agreement(doubles: Sequence[Double], criterion: str) -> Agreement:
    table = [[_rank(said[criterion]) for said in one.levels] for one in doubles]
    found = alpha(list(zip(*table, strict=True)), Scale.ORDINAL)
    forms = icc(table)
    within = [rwg(row, len(LEVELS)).rwg for row in table]
    return Agreement(
        criterion,
        len(table),
        sum(first == second for first, second in table),
        None if found is None else Fraction(found),
        sum(within, Fraction(0)) / len(within),
        forms.icc1,
        forms.icc1k,
    )


def _rank(level: Level) -> int:
    """1 for the lowest level."""
    return len(LEVELS) - LEVELS.index(level)


def _points(scheme: Scheme, said: Mapping[str, Level]) -> Fraction:
    """One supervisor's rating over all criteria, in points."""
    shares = sum(criterion.share for criterion in scheme.criteria)
    return Fraction(sum(c.share * scheme.points_of(said[c.key]) for c in scheme.criteria), shares)


def parts(doubles: Sequence[Double], scheme: Scheme) -> list[Part]:
    """Severity by the additive model, part by part, the largest part first; the effects of a part add up to 0."""
    given: defaultdict[int, list[tuple[str, str, Fraction]]] = defaultdict(list)
    part_of = _linked(doubles)
    for one in doubles:
        for rater, said in zip(one.raters, one.levels, strict=True):
            given[part_of[rater]].append((one.ratee, rater, _points(scheme, said)))
    found = [_part(ratings) for ratings in given.values()]
    return sorted(found, key=lambda part: (-len(part.raters), part.raters[0].name))


def _part(ratings: Sequence[tuple[str, str, Fraction]]) -> Part:
    people = Counter(rater for _ratee, rater, _value in ratings)
    try:
        effects = severity(ratings)
    except Invalid:
        return Part(tuple(Rater(name, count, None) for name, count in sorted(people.items())), is_too_large=True)
    told = [Rater(name, count, effects[name] if count >= FEWEST_IN_COMMON else None) for name, count in people.items()]
    return Part(tuple(sorted(told, key=lambda one: (one.effect is None, -(one.effect or 0), one.name))))


def _linked(doubles: Iterable[Double]) -> dict[str, int]:
    """A number for each rater that all raters linked with them share."""
    part_of: dict[str, int] = {}
    members: dict[int, list[str]] = {}
    for one in doubles:
        first, second = one.raters
        for rater in one.raters:
            if rater not in part_of:
                part_of[rater] = len(part_of)
                members[part_of[rater]] = [rater]
        kept, gone = sorted((part_of[first], part_of[second]), key=lambda part: -len(members[part]))
        if kept != gone:
            for rater in members.pop(gone):
                part_of[rater] = kept
                members[kept].append(rater)
    return part_of
