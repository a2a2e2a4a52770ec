"""How far one published result can be trusted, in words: a band around the score, and what customers' stars say."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.rounding import hundredths
from review.domain.scoring import HIGHEST_TOTAL, LOWEST_TOTAL, SMALL_SAMPLE_UNDER
from review.domain.statistics.proportions import wilson


@dataclass(frozen=True, slots=True)
class Band:
    """One standard error to both sides of a score, inside the scale; all in hundredths."""

    low: int
    high: int
    error: int


@dataclass(frozen=True, slots=True)
class Stars:
    """`good` of `count` customers gave four or five stars; `low` and `high` end the 95 % interval, in whole percent."""

    good: int
    count: int
    low: int
    high: int

    @property
    def is_small(self) -> bool:
        return self.count < SMALL_SAMPLE_UNDER


def band_of(body: Mapping[str, Any]) -> Band | None:
    """The band as it was taken for this result. None without a score, or from before errors were kept with results."""
    working = body["working"]
    if working["score"] is None or not working.get("standard_error"):
        return None
    error = hundredths(Fraction(working["standard_error"]) * Fraction(working["rating_share"]))
    low, high = working["score"] - error, working["score"] + error
    return Band(max(LOWEST_TOTAL, low), min(HIGHEST_TOTAL, high), error)


def stars_of(body: Mapping[str, Any]) -> Stars | None:
    """Customers' overall stars, where they are shown at all."""
    stars = body["customers"]["stars"]
    if not stars or not sum(stars):
        return None
    good, count = sum(stars[3:]), sum(stars)
    interval = wilson(good, count)
    return Stars(good, count, round(100 * interval.low), round(100 * interval.high))
