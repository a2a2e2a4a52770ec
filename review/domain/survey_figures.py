"""Figures of surveys: shares with their interval, what may be shown of small groups, and when to look closer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from review.domain.rounding import decimal_text, half_up
from review.domain.statistics.proportions import newcombe, wilson

GOAL = 70  # percent of those asked who should answer
ENOUGH = 30  # asked or answered: under this a fall is not told apart from chance
FALLING = 3  # periods in a row

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; percent with one decimal, rounded half up, None of nobody."""

    part: int
    whole: int

    @property
    def percent(self) -> str | None:
        return decimal_text(half_up(100 * self.part, self.whole, 1), 1) if self.whole else None

    @property
    def interval(self) -> tuple[str, str] | None:
        """Wilson's 95 % interval in percent, with one decimal."""
        if not self.whole:
            return None
        found = wilson(self.part, self.whole)
        return tuple(f"{100 * end:.1f}" for end in (found.low, found.high))  # type: ignore[return-value]


@dataclass(slots=True)
class Counts:
    """Customers of one kind: asked, answered, and how satisfied those were (4-5 stars, 3, 1-2)."""

    offered: int = 0
    answered: int = 0
    satisfied: int = 0
    neutral: int = 0
    dissatisfied: int = 0

    def add(self, other: "Counts") -> None:
        for name in Counts.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def rate(self) -> Share:
        return Share(self.answered, self.offered)

    @property
    def satisfaction(self) -> Share:
        return Share(self.satisfied, self.answered)

    @property
    def neutrality(self) -> Share:
        return Share(self.neutral, self.answered)

    @property
    def dissatisfaction(self) -> Share:
        return Share(self.dissatisfied, self.answered)


def shown_groups(answered: Mapping[Key, int], minimum: int) -> set[Key]:
    """The groups whose figures may stand beside their total: none under the minimum, none found by subtracting.

    What is hidden holds together no answers at all or at least the minimum: the smallest groups shown join the hidden
    ones until it does. Groups nobody answered for say nothing and are shown.
    """
    hidden = {key for key, count in answered.items() if 0 < count < minimum}
    by_size = sorted((key for key in answered if key not in hidden and answered[key]), key=lambda key: answered[key])
    for key in by_size:
        if not hidden or sum(answered[one] for one in hidden) >= minimum:
            break
        hidden.add(key)
    return set(answered) - hidden


class Signal(StrEnum):
    """What somebody should look at."""

    RATE_UNDER_GOAL = "rate_under_goal"
    RATE_FALLS = "rate_falls"
    SATISFACTION_FALLS = "satisfaction_falls"
    FALLS_IN_A_ROW = "falls_in_a_row"


def signals(history: Sequence[Counts]) -> list[Signal]:
    """What the last of several periods (oldest first) gives reason to look at.

    A rate is under the goal, and a figure has fallen since the period before, only when its 95 % interval says so
    (Wilson; Newcombe for the difference) and both rest on thirty or more. Falling three times in a row is told without
    such a test: each fall may be chance, the row is worth a look.
    """
    found: list[Signal] = []
    if not history:
        return found
    last = history[-1]
    if last.offered >= ENOUGH and 100 * wilson(last.answered, last.offered).high < GOAL:
        found.append(Signal.RATE_UNDER_GOAL)
    if len(history) > 1:
        before = history[-2]
        if _fell(before.rate, last.rate):
            found.append(Signal.RATE_FALLS)
        if _fell(before.satisfaction, last.satisfaction):
            found.append(Signal.SATISFACTION_FALLS)
    recent = [one.satisfaction for one in history[-FALLING - 1 :]]
    if len(recent) > FALLING and all(one.whole >= ENOUGH for one in recent):
        values = [Fraction(one.part, one.whole) for one in recent]
        if all(later < earlier for earlier, later in pairwise(values)):
            found.append(Signal.FALLS_IN_A_ROW)
    return found


def _fell(before: Share, after: Share) -> bool:
    if min(before.whole, after.whole) < ENOUGH:
        return False
    return newcombe(after.part, after.whole, before.part, before.whole).high < 0
