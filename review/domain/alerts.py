"""When a figure is worth a word to a supervisor. Few alarms: every rule asks for enough answers or tickets first.

The thresholds stand here, on the page and in docs/indicators.md. An alert is a reason to look, never a verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any

from review.domain.indicators import RESPONSE_GOAL
from review.domain.records import Measured
from review.domain.rounding import half_up
from review.domain.statistics.proportions import newcombe

FALLS = 3  # months in a row, each lower than the one before
FALL_ANSWERS = 20  # answers in each of these months
SLOW_TICKETS = 20  # tickets that a mean must rest on
SLOW_TIMES = 2  # where no limit is set: so many times as long as everybody's mean
ASKED = 30  # customers asked before a rate of response says something
NEAR_DAYS = 7  # before the close of a cycle


class AlertKind(StrEnum):
    """What there is to look at. `low_response` is about a team and stands with its supervisor."""

    FALLING_SATISFACTION = "falling_satisfaction"
    SLOW_HANDLING = "slow_handling"
    FEW_ANSWERS = "few_answers"
    LOW_RESPONSE = "low_response"


@dataclass(frozen=True, slots=True)
class Finding:
    """One alert before it is written down. `facts` are what its sentence names: texts and whole numbers only."""

    kind: AlertKind
    person: int
    first: date
    last: date
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a cycle's survey stands about one reviewed person whose team is `team`'s."""

    person: int
    team: int | None
    offered: int
    answered: int
    minimum: int


def is_falling(months: Sequence[Measured]) -> bool:
    """Whether satisfaction fell FALLS times in a row over the last of these months, by more than chance explains.

    Each month needs FALL_ANSWERS answers, and the 95 % interval of the difference between the first and the last
    of them must lie below 0: three small falls by luck alone are one in twenty-four.
    """
    last = months[-FALLS - 1 :]
    if len(last) <= FALLS or any(month.value is None or month.count < FALL_ANSWERS for month in last):
        return False
    if not all(_share(a) > _share(b) for a, b in pairwise(last)):
        return False
    return newcombe(*_whole(last[0]), *_whole(last[-1])).low > 0


def _share(month: Measured) -> Fraction:
    return month.value or Fraction(0)


def _whole(month: Measured) -> tuple[int, int]:
    """Answers as whole numbers; those to shared tickets add up to parts."""
    n = half_up(month.count.numerator, month.count.denominator, 0)
    good = _share(month) * n / 100
    return half_up(good.numerator, good.denominator, 0), n


def time_over(figure: Measured, limit: Fraction | None, everybody: Measured) -> Fraction | None:
    """What a mean time is over: the limit that is set, else SLOW_TIMES everybody's mean; None if it is not."""
    if figure.value is None or figure.count < SLOW_TICKETS:
        return None
    if limit is not None:
        return limit if figure.value > limit else None
    usual = None if everybody.value is None else SLOW_TIMES * everybody.value
    return usual if usual is not None and figure.value > usual else None


def is_low(rate: Measured) -> bool:
    """Whether fewer customers answer than the goal asks for, of enough who were asked."""
    return rate.value is not None and rate.count >= ASKED and rate.value < RESPONSE_GOAL


def is_short(asked: Asked) -> bool:
    """Whether too few customers have answered about a person for their answers to count."""
    return asked.answered < asked.minimum
