"""One person's KPI sheet as it stands: what its rows still lack, and what a score takes from it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from review.domain.kpi import KpiItem, KpiRule, Line, SheetVeto, points_of, sheet_points
from review.domain.kpi_plan import PlanRow
from review.domain.records import Unit
from review.domain.vocabulary import Text

_NEEDS: Mapping[KpiRule, tuple[str, ...]] = {
    KpiRule.HIGHER: ("target", "actual"),
    KpiRule.LOWER: ("target", "limit", "actual"),
    KpiRule.LAPSES: ("lapses",),
    KpiRule.POINTS: ("points",),
    KpiRule.BRACKETS: ("actual",),
}
ASKED: Mapping[KpiRule, str] = {rule: needs[-1] for rule, needs in _NEEDS.items()}  # what somebody brings in at last


@dataclass(frozen=True, slots=True)
class Figure:
    """What stands on one row. `is_left_out`: HR said, with a reason, that the row does not apply to this person."""

    target: Fraction | None = None
    limit: Fraction | None = None
    actual: Fraction | None = None
    count: Fraction | None = None
    lapses: int | None = None
    points: Fraction | None = None
    is_left_out: bool = False


EMPTY = Figure()


def lacks(row: PlanRow, figure: Figure) -> tuple[str, ...]:
    """Which figures a row still needs before it earns anything; none where it is left out."""
    if figure.is_left_out:
        return ()
    missing = [name for name in _NEEDS[row.rule] if getattr(figure, name) is None]
    if row.rule is KpiRule.HIGHER and figure.target is not None and figure.target <= 0:
        missing.append("target")
    if row.rule is KpiRule.LOWER and figure.target is not None and figure.limit is not None:
        missing += ["limit"] if figure.limit <= figure.target else []
    return tuple(missing)


def item_of(row: PlanRow, figure: Figure) -> KpiItem | None:
    """The row as the score takes it; None while it lacks something or where it is left out."""
    if figure.is_left_out or lacks(row, figure):
        return None
    has_limit, has_target = row.rule is KpiRule.LOWER, row.rule in (KpiRule.HIGHER, KpiRule.LOWER)
    return KpiItem(
        key=row.key,
        weight=row.weight,
        rule=row.rule,
        target=figure.target if has_target else None,
        actual=figure.actual if ASKED[row.rule] == "actual" else None,
        limit=figure.limit if has_limit else None,
        full=row.full if row.rule is KpiRule.LAPSES else None,
        cost=row.cost if row.rule is KpiRule.LAPSES else None,
        veto_at=row.veto_at if row.rule is KpiRule.LAPSES else None,
        lapses=figure.lapses if row.rule is KpiRule.LAPSES else None,
        points=figure.points if row.rule is KpiRule.POINTS else None,
        cap=row.cap,
        brackets=row.brackets if row.rule is KpiRule.BRACKETS else (),
    )


@dataclass(frozen=True, slots=True)
class KpiPart:
    """What a score takes from a sheet. `open_rows` lack a figure; `undecided` lines and vetoes wait for somebody.

    A review of a cycle without a plan has the part NO_SHEET.
    """

    items: tuple[KpiItem, ...] = ()
    bonus: tuple[Line, ...] = ()
    deductions: tuple[Line, ...] = ()
    veto: SheetVeto | None = None
    open_rows: tuple[str, ...] = ()
    undecided: int = 0

    @property
    def is_open(self) -> bool:
        """Whether no score can be told yet: what is not decided could still change it."""
        return bool(self.open_rows) or self.undecided > 0

    @property
    def points(self) -> Fraction | None:
        """K over the rows that have their figures; None where none has."""
        return sheet_points(self.items, [points_of(item) for item in self.items])


NO_SHEET = KpiPart()


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of many reviews; a review whose sheet was never opened has `otherwise`."""

    by_review: Mapping[int, KpiPart]
    otherwise: KpiPart = NO_SHEET

    def of(self, review_id: int) -> KpiPart:
        return self.by_review.get(review_id, self.otherwise)


def part_of(
    rows: Iterable[PlanRow],
    figures: Mapping[str, Figure],
    bonus: tuple[Line, ...] = (),
    deductions: tuple[Line, ...] = (),
    veto: SheetVeto | None = None,
    undecided: int = 0,
) -> KpiPart:
    """The part of one sheet; `figures` by the key of their row."""
    items, open_rows = [], []
    for row in rows:
        figure = figures.get(row.key, EMPTY)
        item = item_of(row, figure)
        if item is not None:
            items.append(item)
        elif not figure.is_left_out:
            open_rows.append(row.key)
    return KpiPart(tuple(items), bonus, deductions, veto, tuple(open_rows), undecided)


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One indicator beside a self-statement: what it is now and over how much, and what it was last time."""

    name: Text
    unit: Unit
    now: Fraction | None
    count: Fraction | None
    before: Fraction | None


@dataclass(frozen=True, slots=True)
class Beside:
    """The figures of a period beside those of the one before; `since` names that cycle, None where there is none."""

    since: str | None
    rows: tuple[BesideRow, ...]
