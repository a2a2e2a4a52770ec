"""How a sheet would score with figures somebody tries: the rows one by one, and K over those that have a figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.kpi import FULL, KpiItem, KpiRule, points_of, sheet_points
from review.domain.kpi_plan import NO_AIM, Aim, KpiPlan, PlanRow, TargetGroup
from review.domain.kpi_sheet import Figure, item_of
from review.domain.records import Unit
from review.domain.refusals import Invalid, Problem
from review.domain.rounding import hundredths
from review.kpi.amounts import read_amount


@dataclass(frozen=True, slots=True)
class Tried:
    """One row with what was tried on it: its points in hundredths, or what is wrong with the figure."""

    row: PlanRow
    aim: Aim
    typed: str
    points: int | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """All rows, and K in hundredths over the weight of those that have points."""

    rows: tuple[Tried, ...]
    kpi: int | None
    weight: Fraction


def asked_in(row: PlanRow) -> Unit:
    """In what the figure of a row is asked for: lapses are counted, given points are points."""
    return {KpiRule.LAPSES: Unit.COUNT, KpiRule.POINTS: Unit.POINTS}.get(row.rule, row.unit)


def try_out(plan: KpiPlan, group: TargetGroup, typed: Mapping[str, str]) -> Trial:
    """Score what was typed, by the key of the row; rows left empty do not count."""
    tried, items = [], []
    for row in plan.rows:
        aim, text = group.aims.get(row.key, NO_AIM), typed.get(row.key, "").strip()
        if not text:
            tried.append(Tried(row, aim, ""))
            continue
        try:
            item = _item(row, aim, text)
        except Invalid as refusal:
            tried.append(Tried(row, aim, text, problem=refusal.problems[0]))
            continue
        items.append(item)
        tried.append(Tried(row, aim, text, hundredths(points_of(item))))
    whole = sheet_points(items, [points_of(item) for item in items])
    weight = sum((item.weight for item in items), Fraction(0))
    return Trial(tuple(tried), None if whole is None else hundredths(whole), weight)


def _item(row: PlanRow, aim: Aim, text: str) -> KpiItem:
    """The row with its figure. Raises Invalid for one that cannot be, or where the group has no target yet."""
    figure = read_amount(text, asked_in(row), row.key)
    if figure < 0 and row.rule is not KpiRule.BRACKETS:
        raise Invalid("kpi_plan:below_nought", row.key)
    if row.needs_target and (aim.target is None or (row.rule is KpiRule.LOWER and aim.limit is None)):
        raise Invalid("kpi_plan:no_target_yet", row.key)
    if row.rule is KpiRule.POINTS and figure > FULL:
        raise Invalid("kpi_plan:points_over_full", row.key)
    if row.rule is KpiRule.LAPSES and figure.denominator != 1:
        raise Invalid("kpi_plan:lapses_are_whole", row.key)
    figure_tried = Figure(
        target=aim.target,
        limit=aim.limit,
        actual=figure,
        lapses=figure.numerator if row.rule is KpiRule.LAPSES else None,
        points=figure,
    )
    item = item_of(row, figure_tried)
    assert item is not None  # what it could lack was refused above
    return item
