"""Where the marks of an indicator over time stand: positions only, no colours and no words.

x is a share of the width in percent (the pictures stretch), y is in pixels. Drawing may use floats, figures never do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, log10

from review.domain.geometry import share

TOP, BOTTOM = 26.0, 24.0  # pixels above for the figure of a mark, below for the names of the spans


@dataclass(frozen=True, slots=True)
class Mark:
    """One span; `y` is None where there is no figure. The interval's ends are None where none is drawn."""

    x: float
    y: float | None
    text_y: float
    low_y: float | None = None
    high_y: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Marks from left to right, lines between neighbours that both have a figure, and the height of the target."""

    height: int
    marks: tuple[Mark, ...]
    lines: tuple[tuple[Mark, Mark], ...]
    target_y: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """A figure, and the ends of its interval where it has one."""

    value: Fraction | None
    low: float | None = None
    high: float | None = None


def series(
    points: Sequence[Point], *, target: Fraction | None = None, is_percent: bool = False, height: int = 132
) -> Series:
    """Lay a series out. Percentages stand between tens around what is drawn, amounts and times on a scale from 0."""
    drawn = [float(point.value) for point in points if point.value is not None]
    drawn += [end for point in points for end in (point.low, point.high) if end is not None and point.value is not None]
    low, high = _ends([*drawn, *([float(target)] if target is not None else [])], is_percent)
    bottom = height - BOTTOM

    def level(value: Fraction | float | None) -> float | None:
        return None if value is None else round(bottom - (bottom - TOP) * share(float(value), low, high) / 100, 1)

    left, right = 6.0, 94.0
    gap = (right - left) / (len(points) - 1) if len(points) > 1 else 0.0
    marks = []
    for at, point in enumerate(points):
        y = level(point.value)
        ends = (None, None) if y is None else (level(point.low), level(point.high))
        above = y if y is None or ends[1] is None else min(y, ends[1])
        marks.append(Mark(round(left + gap * at, 2), y, 0.0 if above is None else round(above - 9, 1), *ends))
    lines = tuple((a, b) for a, b in pairwise(marks) if a.y is not None and b.y is not None)
    return Series(height, tuple(marks), lines, level(target))


def _ends(values: Sequence[float], is_percent: bool) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    if is_percent:
        low, high = 10.0 * floor(min(values) / 10), 10.0 * ceil(max(values) / 10)
        return (low, high) if high > low else (max(low - 10, 0.0), min(high + 10, 100.0))
    return 0.0, _round_up(max(values))


def _round_up(value: float) -> float:
    """The next number of one digit that is not smaller: 4,312 -> 5,000."""
    if value <= 0:
        return 1.0
    step = 10.0 ** floor(log10(value))
    return step * ceil(value / step)
