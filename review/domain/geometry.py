"""Where the marks of a chart stand: positions only, no colours and no words. Drawing may use floats, scores never do.

x is a share of the width in percent (the pictures stretch), y is in pixels; only the radar has a fixed frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, floor, pi, sin
from typing import SupportsFloat, TypeAlias

from review.domain.vocabulary import Grade

Amount: TypeAlias = SupportsFloat | str
Point: TypeAlias = tuple[float, float]

RADAR_REACH = 128.0  # pixels from the centre to 100 points
RADAR_CENTRE = 20.0  # points in the centre: below the lowest anchor, so that a low score still has an area
ANCHORS = (40, 60, 80, 100)
LATIN_WIDTH, WIDE_WIDTH = 7.2, 13.5  # a letter and an ideograph at 13 px
LABEL_UNITS = 16  # letters in a label's line, an ideograph counts two
NOTABLE_GAP = 20  # points from which self and others count as seeing it differently
DOT_STEP = 9.6  # pixels between two dots that would cover each other
DOT_SHARE = 1.6  # percent of the width within which they would


def share(value: Amount, low: float, high: float) -> float:
    """Position of `value` between `low` and `high` in percent, kept inside."""
    inside = min(max(float(value), low), high)
    return round(100 * (inside - low) / (high - low), 2)


# ---- radar ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spoke:
    """One criterion's axis: its end, and where its label's lines and score are written."""

    end: Point
    x: float
    lines: tuple[tuple[float, str], ...]
    score_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One source: closed when it was asked everything, else open lines over what it was asked, and all its marks."""

    key: str
    is_closed: bool
    runs: tuple[tuple[Point, ...], ...]
    marks: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Radar:
    """All positions of a radar in a frame of `width` by `height`."""

    width: int
    height: int
    centre: Point
    rings: tuple[tuple[Point, ...], ...]
    ring_labels: tuple[Point, ...]
    spokes: tuple[Spoke, ...]
    shapes: tuple[Shape, ...]


def radar(names: Sequence[str], sources: Mapping[str, Sequence[Amount | None]]) -> Radar:
    """Lay out a radar; raises ValueError for fewer than three criteria, which have no area."""
    count = len(names)
    if count < 3:
        raise ValueError("a radar needs at least three criteria")
    labels = [label_lines(name) for name in names]
    widest = max(text_width(line) for lines in labels for line in lines)
    half = ceil(max(RADAR_REACH + 32, RADAR_REACH * 0.95 + 16 + widest))
    centre = (float(half), 186.0)
    rings = tuple(tuple(_on_ring(centre, at, count, anchor) for at in range(count)) for anchor in ANCHORS)
    spokes = tuple(_spoke(centre, at, count, lines) for at, lines in enumerate(labels))
    shapes = tuple(_shape(centre, key, values) for key, values in sources.items())
    return Radar(2 * half, 372, centre, rings, tuple(_between(ring) for ring in rings), spokes, shapes)


def _between(ring: Sequence[Point]) -> Point:
    """A ring's own label stands in the middle of its last edge, clear of every spoke."""
    first, last = ring[0], ring[-1]
    return round((first[0] + last[0]) / 2, 1), round((first[1] + last[1]) / 2 + 4, 1)


def _direction(at: int, count: int) -> Point:
    angle = 2 * pi * at / count
    return sin(angle), -cos(angle)


def _on_ring(centre: Point, at: int, count: int, points: Amount) -> Point:
    reach = RADAR_REACH * share(points, RADAR_CENTRE, 100) / 100
    across, down = _direction(at, count)
    return round(centre[0] + reach * across, 1), round(centre[1] + reach * down, 1)


def _spoke(centre: Point, at: int, count: int, lines: Sequence[str]) -> Spoke:
    across, down = _direction(at, count)
    x = round(centre[0] + (RADAR_REACH + 16) * across, 1)
    block = 16 * (len(lines) + 1)  # the label's lines and the score under them
    middle = centre[1] + (RADAR_REACH + 12 + block / 2) * down
    first = middle - block / 2 + 12
    anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"
    written = tuple((round(first + 16 * number, 1), line) for number, line in enumerate(lines))
    return Spoke(_on_ring(centre, at, count, 100), x, written, round(first + 16 * len(lines) + 1, 1), anchor)


def _shape(centre: Point, key: str, values: Sequence[Amount | None]) -> Shape:
    count = len(values)
    spots = [None if value is None else _on_ring(centre, at, count, value) for at, value in enumerate(values)]
    marks = tuple(spot for spot in spots if spot is not None)
    if len(marks) == count:
        return Shape(key, True, (marks,), marks)
    return Shape(key, False, tuple(_runs(spots)), marks)


def _runs(spots: Sequence[Point | None]) -> list[tuple[Point, ...]]:
    """Neighbouring points around the circle; a lone point has no line."""
    start = next((at for at, spot in enumerate(spots) if spot is None), 0)
    runs: list[list[Point]] = [[]]
    for spot in [*spots[start:], *spots[:start]]:
        if spot is not None:
            runs[-1].append(spot)
        elif runs[-1]:
            runs.append([])
    return [tuple(run) for run in runs if len(run) > 1]


def text_width(text: str) -> float:
    """Roughly how wide `text` is drawn at 13 px."""
    return sum(WIDE_WIDTH if ord(letter) > 0x2E7F else LATIN_WIDTH for letter in text)


def label_lines(text: str, units: int = LABEL_UNITS) -> tuple[str, ...]:
    """`text` in lines of about `units` letters, broken at spaces, or anywhere in Chinese."""
    parts = text.split(" ") if " " in text else [text[at : at + units // 2] for at in range(0, len(text), units // 2)]
    if " " not in text and text.isascii():
        return (text,)
    lines: list[str] = []
    for part in parts:
        if lines and " " in text and len(lines[-1]) + 1 + len(part) <= units:
            lines[-1] = f"{lines[-1]} {part}"
        else:
            lines.append(part)
    return tuple(lines) or ("",)


# ---- trend ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stop:
    """One period on a trend; `y` is None where there was no score."""

    label: str
    text: str
    x: float
    y: float | None
    text_y: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Stops from left to right, lines between neighbours that both have a score, cuts that fall into the picture."""

    height: int
    stops: tuple[Stop, ...]
    lines: tuple[tuple[Stop, Stop], ...]
    cuts: tuple[tuple[Amount, str, float], ...]


def trend(
    points: Sequence[tuple[str, Amount | None]], cuts: Sequence[tuple[Amount, str]] = (), height: int = 188
) -> Trend:
    """Positions of a score over periods. The scale holds all scores and the cut next above and below them."""
    values = [float(value) for _, value in points if value is not None]
    low, high = _window(values, [float(cut) for cut, _ in cuts])
    top, bottom = 30.0, height - 40.0

    def level(value: Amount) -> float:
        return round(bottom - (bottom - top) * share(value, low, high) / 100, 1)

    left, right = 12.0, 92.0
    gap = (right - left) / (len(points) - 1) if len(points) > 1 else 0.0
    stops = []
    for at, (label, value) in enumerate(points):
        y = None if value is None else level(value)
        is_last = at == len(points) - 1
        text_y = 0.0 if y is None else y - 12 if is_last or y > bottom - 14 else y + 22
        stops.append(Stop(label, "" if value is None else str(value), round(left + gap * at, 2), y, round(text_y, 1)))
    lines = tuple((a, b) for a, b in pairwise(stops) if a.y is not None and b.y is not None)
    seen = tuple((cut, word, level(cut)) for cut, word in cuts if low <= float(cut) <= high)
    return Trend(height, tuple(stops), lines, seen)


def _window(values: Sequence[float], cuts: Sequence[float]) -> tuple[float, float]:
    """The scale's ends: tens around the scores, widened to the nearest cut on each side."""
    if not values:
        return 0.0, 100.0
    below = [cut for cut in cuts if cut <= min(values)]
    above = [cut for cut in cuts if cut >= max(values)]
    low = 10.0 * floor(max(below, default=min(values)) / 10)
    high = 10.0 * ceil(min(above, default=max(values)) / 10)
    return (low, high) if high > low else (low - 10, high + 10)


# ---- self and others ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """How far self lies from others. `points` is cut towards zero, so that 20 is printed only from a real 20."""

    own_x: float
    others_x: float
    points: int
    kind: str


def gap(own: Amount, others: Amount) -> Gap:
    """`kind` is "blind" from 20 points above the others, "hidden" from 20 below, else ""."""
    difference = round(float(own) - float(others), 6)
    kind = "blind" if difference >= NOTABLE_GAP else "hidden" if difference <= -NOTABLE_GAP else ""
    return Gap(share(own, 16, 104), share(others, 16, 104), int(difference), kind)


# ---- rates, distributions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its interval and goal on a scale from 0 to 100 percent."""

    x: float
    low_x: float
    high_x: float
    goal_x: float | None
    meets_goal: bool


def rate(percent: Amount, low: Amount, high: Amount, goal: Amount | None = None) -> Rate:
    """All arguments in percent."""
    goal_x = None if goal is None else share(goal, -2, 102)
    meets = goal is None or float(percent) >= float(goal)
    return Rate(share(percent, -2, 102), share(low, -2, 102), share(high, -2, 102), goal_x, meets)


def stack(counts: Sequence[int]) -> tuple[tuple[float, float], ...]:
    """(start, width) of each part in percent; without anything to count all widths are 0."""
    total = sum(counts)
    starts, at = [], 0
    for count in counts:
        starts.append((round(100 * at / total, 2), round(100 * count / total, 2)) if total else (0.0, 0.0))
        at += count
    return tuple(starts)


@dataclass(frozen=True, slots=True)
class Dot:
    """One person, without name or id: position, grade, and whether a cut lies within one standard error."""

    x: float
    y: float
    grade: Grade
    is_near_cut: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """Dots over one scale, with the cuts as lines."""

    dots: tuple[Dot, ...]
    cuts: tuple[tuple[Amount, float], ...]
    bands: tuple[float, ...]


def strip(scores: Sequence[Amount], cuts: Sequence[Amount], error: Amount = 0, height: int = 52) -> Strip:
    """Lay out one dot a score; `cuts` are the lower ends of fair, good and excellent, ascending.

    Dots come sorted by score, so that their order tells nothing about who they are.
    """
    low, high = 38.0, 112.0
    edges = [float(cut) for cut in cuts]
    placed: list[Dot] = []
    for value in sorted(float(score) for score in scores):
        x = share(value, low, high)
        near = any(abs(value - edge) < float(error) for edge in edges)
        placed.append(Dot(x, _free_row(x, placed, height / 2), _grade_of(value, edges), near))
    bounds = [share(edge, low, high) for edge in edges]
    middles = [round((a + b) / 2, 2) for a, b in zip([0.0, *bounds], [*bounds, 100.0], strict=True)]
    return Strip(tuple(placed), tuple(zip(cuts, bounds, strict=True)), tuple(middles))


def _free_row(x: float, placed: Sequence[Dot], middle: float) -> float:
    taken = {dot.y for dot in placed if abs(dot.x - x) < DOT_SHARE}
    for step in (0, 1, -1, 2, -2):
        y = round(middle + step * DOT_STEP, 1)
        if y not in taken:
            return y
    return middle


def _grade_of(value: float, edges: Sequence[float]) -> Grade:
    ascending = tuple(reversed(Grade))
    return ascending[sum(1 for edge in edges if value >= edge)]
