"""The KPI sheet (绩效考核表): what each row earns, lines of bonus and deduction, and the veto that caps the grade.

All figures are exact. A row earns 0 to 100 points, above only where `cap` of a "higher" row allows over-fulfilment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from review.domain.reading import Reader, place
from review.domain.rounding import exact_text, weighted_mean
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Grade

MOST_ROWS = 200
NONE, FULL = Fraction(0), Fraction(100)


class KpiRule(StrEnum):
    """How a row turns its figure into points."""

    HIGHER = "higher"  # 百分比计分制
    LOWER = "lower"
    LAPSES = "lapses"  # 单项否决
    POINTS = "points"
    BRACKETS = "brackets"  # 区间计分


@dataclass(frozen=True, slots=True)
class Bracket:
    """From `start` on the row earns `points`, until the next bracket starts."""

    start: Fraction
    points: Fraction


@dataclass(frozen=True, slots=True)
class KpiItem:
    """One row of the sheet; which figures it needs follows from its rule."""

    key: str
    weight: Fraction
    rule: KpiRule
    target: Fraction | None = None
    actual: Fraction | None = None
    limit: Fraction | None = None
    full: Fraction | None = None
    cost: Fraction | None = None
    veto_at: int | None = None
    lapses: int | None = None
    points: Fraction | None = None
    cap: Fraction = FULL
    brackets: tuple[Bracket, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of bonus (加分项) or deduction (减分项)."""

    points: Fraction
    reason: str


@dataclass(frozen=True, slots=True)
class SheetVeto:
    """A grave breach (一票否决): the grade may not be better than `cap`; the score stays as it is."""

    cap: Grade
    reason: str


_NEEDS: Mapping[KpiRule, tuple[str, ...]] = {
    KpiRule.HIGHER: ("target", "actual"),
    KpiRule.LOWER: ("target", "actual", "limit"),
    KpiRule.LAPSES: ("full", "cost", "lapses"),
    KpiRule.POINTS: ("points",),
    KpiRule.BRACKETS: ("brackets", "actual"),
}
_MAY: Mapping[KpiRule, tuple[str, ...]] = {KpiRule.HIGHER: ("cap",), KpiRule.LAPSES: ("veto_at",)}
_EVERYWHERE = ("target", "actual")  # a sheet prints both on every row, also where points do not follow from them
_FIGURES = ("target", "actual", "limit", "full", "cost", "veto_at", "lapses", "points", "brackets", "cap")


def points_of(item: KpiItem) -> Fraction:
    """What a row earns, exactly. The row must be one that `read_items` lets pass."""
    match item.rule:
        case KpiRule.HIGHER:
            assert item.actual is not None
            assert item.target is not None
            return min(item.cap, _percent(item.actual, item.target))
        case KpiRule.LOWER:
            assert item.actual is not None
            assert item.target is not None
            assert item.limit is not None
            return max(NONE, min(FULL, _percent(item.limit - item.actual, item.limit - item.target)))
        case KpiRule.LAPSES:
            return _after_lapses(item)
        case KpiRule.POINTS:
            assert item.points is not None
            return item.points
        case KpiRule.BRACKETS:
            assert item.actual is not None
            reached = [bracket.points for bracket in item.brackets if bracket.start <= item.actual]
            return reached[-1] if reached else NONE


def _percent(part: Fraction, whole: Fraction) -> Fraction:
    return Fraction(100 * part.numerator * whole.denominator, part.denominator * whole.numerator)


def _after_lapses(item: KpiItem) -> Fraction:
    assert item.full is not None
    assert item.cost is not None
    assert item.lapses is not None
    if item.veto_at is not None and item.lapses >= item.veto_at:  # 三次以上 includes the third
        return NONE
    return _percent(max(NONE, item.full - item.cost * item.lapses), item.full)


def sheet_points(items: Sequence[KpiItem], earned: Sequence[Fraction]) -> Fraction | None:
    """K, the mean of what the rows earned by their weights; None for an empty sheet, which is no sheet."""
    if not items:
        return None
    return weighted_mean([(item.weight, points) for item, points in zip(items, earned, strict=True)])


def capped_sum(lines: Sequence[Line], cap: Fraction) -> Fraction:
    """The lines together, at most `cap`."""
    return min(cap, sum((line.points for line in lines), Fraction(0)))


def read_items(reader: Reader, scheme: Scheme, data: object, where: str) -> tuple[KpiItem, ...]:
    """The rows of a sheet; their weights must be 100 together, unless there are none."""
    before = len(reader.problems)
    items: list[KpiItem] = []
    for spot, element in reader.items(data, where, MOST_ROWS):
        item = _read_item(reader, scheme, element, spot)
        if any(item.key == other.key for other in items):
            reader.note("twice", place(spot, "key"), key=item.key)
        items.append(item)
    total = sum((item.weight for item in items), Fraction(0))
    if items and len(reader.problems) == before and total != 100:
        reader.note("weights_sum", where, total=exact_text(total))
    return tuple(items)


def _read_item(reader: Reader, scheme: Scheme, data: object, where: str) -> KpiItem:
    raw = reader.mapping(data, where, ("key", "weight", "rule"), _FIGURES)
    key = reader.text(raw.get("key"), place(where, "key"), 100)
    weight = reader.number(raw.get("weight"), place(where, "weight"), 0, 100)
    before = len(reader.problems)
    rule = reader.choice(raw.get("rule"), place(where, "rule"), KpiRule)
    if len(reader.problems) > before:
        return KpiItem(key, weight, KpiRule.POINTS, points=Fraction(0))
    given = {name: raw[name] for name in _FIGURES if raw.get(name) is not None}
    for name in given:
        if name not in (*_NEEDS[rule], *_MAY.get(rule, ()), *_EVERYWHERE):
            reader.note("not_for_rule", place(where, name), rule=rule.value)
    for name in _NEEDS[rule]:
        if name not in given:
            reader.note("missing", place(where, name))
    item = KpiItem(
        key=key,
        weight=weight,
        rule=rule,
        target=_figure(reader, given, where, "target", rule),
        actual=_figure(reader, given, where, "actual", rule),
        limit=_figure(reader, given, where, "limit", rule),
        full=_figure(reader, given, where, "full", rule),
        cost=_figure(reader, given, where, "cost", rule),
        veto_at=_count(reader, given, where, "veto_at", 1),
        lapses=_count(reader, given, where, "lapses", 0),
        points=reader.number(given["points"], place(where, "points"), 0, 100) if "points" in given else None,
        cap=_read_cap(reader, scheme, given, where),
        brackets=_read_brackets(reader, given.get("brackets"), place(where, "brackets")),
    )
    if len(reader.problems) == before:
        _check_sense(reader, item, where)
    return item


def _figure(reader: Reader, given: Mapping[str, object], where: str, name: str, rule: KpiRule) -> Fraction | None:
    if name not in given:
        return None
    if rule in (KpiRule.HIGHER, KpiRule.LOWER) or name in ("full", "cost"):
        return reader.number(given[name], place(where, name), 0)
    return reader.number(given[name], place(where, name))  # brackets may start below nought


def _count(reader: Reader, given: Mapping[str, object], where: str, name: str, low: int) -> int | None:
    return reader.whole(given[name], place(where, name), low, 1_000_000) if name in given else None


def _read_cap(reader: Reader, scheme: Scheme, given: Mapping[str, object], where: str) -> Fraction:
    if "cap" not in given:
        return FULL
    return reader.number(given["cap"], place(where, "cap"), 0, scheme.kpi_cap_limit or 1000)


def _read_brackets(reader: Reader, value: object, where: str) -> tuple[Bracket, ...]:
    brackets: list[Bracket] = []
    for spot, element in reader.items(value, where, MOST_ROWS):
        raw = reader.mapping(element, spot, ("from", "points"))
        start = reader.number(raw.get("from"), place(spot, "from"))
        points = reader.number(raw.get("points"), place(spot, "points"), 0, 100)
        if brackets and start <= brackets[-1].start:
            reader.note("brackets_must_rise", place(spot, "from"))
        brackets.append(Bracket(start, points))
    if value is not None and not brackets:
        reader.note("empty", where)
    return tuple(brackets)


def _check_sense(reader: Reader, item: KpiItem, where: str) -> None:
    if item.rule is KpiRule.HIGHER and not item.target:
        reader.note("must_be_positive", place(where, "target"))
    if item.rule is KpiRule.LAPSES and not item.full:
        reader.note("must_be_positive", place(where, "full"))
    if item.rule is KpiRule.LOWER and item.limit is not None and item.target is not None and item.limit <= item.target:
        reader.note("limit_above_target", place(where, "limit"))


def read_lines(reader: Reader, data: object, where: str) -> tuple[Line, ...]:
    """Lines of bonus or deduction, each with its reason; points count in the direction of the list they stand in."""
    lines = []
    for spot, element in reader.items(data, where, MOST_ROWS):
        raw = reader.mapping(element, spot, ("points", "reason"))
        points = reader.number(raw.get("points"), place(spot, "points"), 0, 1000)
        lines.append(Line(points, reader.text(raw.get("reason"), place(spot, "reason"))))
    return tuple(lines)


def read_veto(reader: Reader, data: object, where: str) -> SheetVeto | None:
    if data is None:
        return None
    raw = reader.mapping(data, where, ("cap", "reason"))
    cap = reader.choice(raw.get("cap"), place(where, "cap"), Grade)
    return SheetVeto(cap, reader.text(raw.get("reason"), place(where, "reason")))
