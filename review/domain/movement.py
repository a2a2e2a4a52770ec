"""What moved a score from one cycle to the next: the exact change by criterion and source, with nothing left over.

Each part is its Shapley value: what the score moves when this one thing changes, averaged over every order in which
the things could have changed. No order is preferred, so looking back from the new cycle turns every sign around.
Source: Shapley (1953), A value for n-person games; for changes over time: Shorrocks (2013), Journal of Economic
Inequality 11, 99-126.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import factorial

from review.domain.rounding import hundredths
from review.domain.vocabulary import COUNTING, Source

LOWEST, HIGHEST = Fraction(0), Fraction(110)
_NONE = Fraction(0)


class Cause(StrEnum):
    """What a part of the change comes from."""

    ANSWERS = "answers"  # the source counted both times and said something else
    CAME = "came"  # the source counts now and did not last time
    LEFT = "left"  # the source counted last time and does not now; its weight passed to the others
    RULES = "rules"  # other weights, shares or criteria
    SHEET = "sheet"  # the KPI sheet
    BONUS = "bonus"
    DEDUCTION = "deduction"
    LIMIT = "limit"  # the ends of the scale


@dataclass(frozen=True, slots=True)
class Asked:
    """One criterion as it was scored: its share, and by source the weight and the mean that counted (None: none)."""

    share: int
    weights: Mapping[Source, int]
    means: Mapping[Source, Fraction | None]


@dataclass(frozen=True, slots=True)
class Scored:
    """A published score taken apart. `score` is the printed one in hundredths, `sheet` the exact K (None: no sheet).

    `rating_share` is what the rules give to the rating where there is a sheet, whether or not there was one.
    """

    criteria: Mapping[str, Asked]
    rating_share: Fraction
    sheet: Fraction | None
    bonus: Fraction
    deduction: Fraction
    score: int


@dataclass(frozen=True, slots=True)
class Part:
    """So many points of the change come from this. Criterion and source only where it comes from answers.

    `before` and `after` are the means that counted then and now.
    """

    cause: Cause
    points: Fraction
    criterion: str | None = None
    source: Source | None = None
    before: Fraction | None = None
    after: Fraction | None = None

    @property
    def shown(self) -> int:
        """The points in hundredths."""
        return hundredths(self.points)


@dataclass(frozen=True, slots=True)
class Movement:
    """All parts that are not nothing, in the order of the criteria, and the change of the printed score (hundredths).

    The exact parts and `rounding` add up to `change`; so do the parts as shown and `shown_rounding`.
    """

    parts: tuple[Part, ...]
    change: int

    @property
    def exact(self) -> Fraction:
        """The difference of the two scores before they were rounded."""
        return sum((part.points for part in self.parts), _NONE)

    @property
    def rounding(self) -> Fraction:
        return Fraction(self.change, 100) - self.exact

    @property
    def shown_rounding(self) -> int:
        """What is left in hundredths when every part is printed with two decimals."""
        return self.change - sum(part.shown for part in self.parts)


def movement(before: Scored, after: Scored) -> Movement:
    """The change from `before` to `after`, split exactly."""
    rules = sheet = _NONE
    parts: list[Part] = []
    for key in [*after.criteria, *(key for key in before.criteria if key not in after.criteria)]:
        earned = _of_criterion(key, before, after)
        rules += earned.pop("rules", _NONE)
        sheet += earned.pop("sheet", _NONE)
        parts += [_answered(key, Source(source), points, before, after) for source, points in earned.items()]
    of_sheet = _of_sheet(before, after)
    rules += of_sheet.get("rules", _NONE)
    sheet += of_sheet.get("sheet", _NONE)
    parts += [
        Part(Cause.RULES, rules),
        Part(Cause.SHEET, sheet, before=before.sheet, after=after.sheet),
        Part(Cause.BONUS, after.bonus - before.bonus, before=before.bonus, after=after.bonus),
        Part(Cause.DEDUCTION, before.deduction - after.deduction, before=before.deduction, after=after.deduction),
        Part(Cause.LIMIT, _held_back(after) - _held_back(before)),
    ]
    return Movement(tuple(part for part in parts if part.points), after.score - before.score)


def exact_score(scored: Scored) -> Fraction:
    """The score before its one rounding, inside the ends of the scale."""
    return min(HIGHEST, max(LOWEST, _open_score(scored)))


def _open_score(scored: Scored) -> Fraction:
    rating = sum((_term(key, scored, scored, {}) for key in scored.criteria), _NONE)
    return rating + _sheet_term(scored, scored) + scored.bonus - scored.deduction


def _held_back(scored: Scored) -> Fraction:
    return exact_score(scored) - _open_score(scored)


def _answered(key: str, source: Source, points: Fraction, before: Scored, after: Scored) -> Part:
    was, now = before.criteria[key].means[source], after.criteria[key].means[source]
    cause = Cause.CAME if was is None else Cause.LEFT if now is None else Cause.ANSWERS
    return Part(cause, points, key, source, was, now)


def _of_criterion(key: str, before: Scored, after: Scored) -> dict[str, Fraction]:
    """What one criterion's term owes to the rules, to the sheet (which leaves it less room) and to each source."""
    sources = [source.value for source in COUNTING if _spoke_anew(key, source, before, after)]

    def value(changed: frozenset[str]) -> Fraction:
        rules = after if "rules" in changed else before
        sheet = after if "sheet" in changed else before
        means = {source: _mean(key, source, before, after, source.value in changed) for source in COUNTING}
        return _term(key, rules, sheet, means)

    return shapley([*_changed(before, after), *sources], value)


def _changed(before: Scored, after: Scored) -> list[str]:
    """Rules and sheet, each where it changed: what stayed the same moves nothing."""
    return [
        *(["rules"] if _rules(before) != _rules(after) else []),
        *(["sheet"] if before.sheet != after.sheet else []),
    ]


def _rules(scored: Scored) -> tuple[Fraction, dict[str, tuple[int, Mapping[Source, int]]]]:
    return scored.rating_share, {key: (asked.share, asked.weights) for key, asked in scored.criteria.items()}


def _is_asked(key: str, source: Source, scored: Scored) -> bool:
    asked = scored.criteria.get(key)
    return asked is not None and asked.weights[source] > 0


def _spoke_anew(key: str, source: Source, before: Scored, after: Scored) -> bool:
    """Whether the source was asked both times and its figure is another one. What nobody asked cannot have changed."""
    if not (_is_asked(key, source, before) and _is_asked(key, source, after)):
        return False
    return before.criteria[key].means[source] != after.criteria[key].means[source]


def _mean(key: str, source: Source, before: Scored, after: Scored, is_changed: bool) -> Fraction | None:
    """The source's figure: of the cycle that asked, where only one did."""
    if not _is_asked(key, source, before):
        is_changed = True
    elif not _is_asked(key, source, after):
        is_changed = False
    scored = after if is_changed else before
    return scored.criteria[key].means[source] if _is_asked(key, source, scored) else None


def _term(key: str, rules: Scored, sheet: Scored, means: Mapping[Source, Fraction | None]) -> Fraction:
    """A criterion's contribution to the score, by the rules of one cycle, with the sheet of one, and these figures."""
    asked = rules.criteria.get(key)
    if asked is None:
        return _NONE
    figures = means or asked.means
    counted = [(asked.weights[source], mean) for source, mean in figures.items() if mean is not None]
    weight = sum(weight for weight, _ in counted)
    mean = sum((weight * mean for weight, mean in counted), _NONE) / weight
    shares = sum(one.share for one in rules.criteria.values())
    return _share_of_rating(rules, sheet) * Fraction(asked.share, shares) * mean


def _share_of_rating(rules: Scored, sheet: Scored) -> Fraction:
    return Fraction(1) if sheet.sheet is None else rules.rating_share


def _sheet_term(rules: Scored, sheet: Scored) -> Fraction:
    return _NONE if sheet.sheet is None else (1 - rules.rating_share) * sheet.sheet


def _of_sheet(before: Scored, after: Scored) -> dict[str, Fraction]:
    def value(changed: frozenset[str]) -> Fraction:
        return _sheet_term(after if "rules" in changed else before, after if "sheet" in changed else before)

    return shapley(_changed(before, after), value)


def shapley(players: Sequence[str], value: Callable[[frozenset[str]], Fraction]) -> dict[str, Fraction]:
    """Each player's part of value(all) - value(none); the parts add up to it exactly."""
    count = len(players)
    worth = {
        frozenset(some): value(frozenset(some)) for size in range(count + 1) for some in combinations(players, size)
    }
    earned = {}
    for player in players:
        parts = [
            Fraction(factorial(len(some)) * factorial(count - len(some) - 1), factorial(count))
            * (worth[some | {player}] - worth[some])
            for some in worth
            if player not in some
        ]
        earned[player] = sum(parts, _NONE)
    return earned
