"""What the scores of a cycle take from its KPI sheets, and what keeps them open; a constant number of queries."""

from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, cast, exists, literal, null, select, union_all
from sqlalchemy import Text as SqlText

from review.cycles.tables import ReviewRow
from review.domain.kpi import Line, SheetVeto
from review.domain.kpi_plan import KpiPlan
from review.domain.kpi_sheet import NO_SHEET, Figure, KpiPart, Parts, part_of
from review.domain.refusals import NotYet, Problem
from review.domain.vocabulary import Grade
from review.infra.db import db
from review.kpi.plan_of_cycle import plan_in
from review.kpi.tables import Direction, FigureRow, LineRow, SheetRow, VetoRow

FIGURE, LINE, VETO = "figure", "line", "veto"


def parts_in(cycle_id: int) -> Parts:
    """The parts of all reviews of a cycle; NO_SHEET for each where the cycle has no plan."""
    return _parts(cycle_id, SheetRow.cycle_id == cycle_id)


def parts_among(cycle_id: int, review_ids: Collection[int]) -> Parts:
    """The parts of some reviews of one cycle."""
    return _parts(cycle_id, SheetRow.review_id.in_(review_ids))


def open_in(cycle_id: int) -> dict[int, KpiPart]:
    """Every living review whose sheet keeps its result from being told, by review; none where there is no plan."""
    if plan_in(cycle_id) is None:
        return {}
    parts = parts_in(cycle_id)
    living = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
    return {key: part for key in db.session.scalars(living) if (part := parts.of(key)).is_open}


def open_sheets(cycle_id: int) -> int:
    """How many sheets of living reviews still lack a figure or somebody's decision."""
    return len(open_in(cycle_id))


def missing_on(cycle_id: int, review_id: int) -> Problem | None:
    """What the sheet of a review still lacks: the rows without a figure by name, else how many decisions."""
    part, plan = parts_among(cycle_id, [review_id]).of(review_id), plan_in(cycle_id)
    if plan is None or not part.is_open:
        return None
    if part.open_rows:
        return Problem("kpi_sheet:rows_open", params={"rows": [plan.row(key).name for key in part.open_rows]})
    return Problem("kpi_sheet:undecided", params={"count": part.undecided})


def require_complete(cycle_id: int, review_id: int) -> None:
    """Raises NotYet with what is missing."""
    missing = missing_on(cycle_id, review_id)
    if missing is not None:
        raise NotYet.of([missing])


def changed_since(moment: Any) -> ColumnElement[bool]:
    """Whether the sheet of a `ReviewRow` was changed after `moment` (a column), as a condition in SQL."""
    return exists().where(SheetRow.review_id == ReviewRow.id, SheetRow.changed_at > moment)


@dataclass(slots=True)
class _Found:
    figures: dict[str, Figure] = field(default_factory=dict)
    bonus: list[Line] = field(default_factory=list)
    deductions: list[Line] = field(default_factory=list)
    veto: SheetVeto | None = None
    undecided: int = 0


def _parts(cycle_id: int, which: ColumnElement[bool]) -> Parts:
    """Two queries; one where the cycle has no plan."""
    plan = plan_in(cycle_id)
    if plan is None:
        return Parts({}, NO_SHEET)
    found: dict[int, _Found] = {}
    for row in db.session.execute(_said_on(select(SheetRow.review_id).where(which))):
        one = found.setdefault(row.review_id, _Found())
        if row.what == FIGURE:
            one.figures[row.key] = _figure(row)
        elif row.flag is None:
            one.undecided += 1
        elif row.what == LINE and row.flag:
            line = Line(Fraction(row.points), row.words)
            (one.bonus if row.key == Direction.BONUS else one.deductions).append(line)
        elif row.what == VETO and row.flag and plan.sheet_veto:
            one.veto = SheetVeto(Grade(row.key), row.words)
    return Parts({key: _part(plan, one) for key, one in found.items()}, _part(plan, _Found()))


def _said_on(sheets: Any) -> Any:
    """Everything on these sheets that counts, in one statement: figures, lines and vetoes under each other.

    Every sheet has its figures' rows from the day it is opened, so that none is missed.
    """
    figures = select(
        FigureRow.review_id,
        literal(FIGURE).label("what"),
        FigureRow.row_key.label("key"),
        FigureRow.target,
        FigureRow.target_limit,
        FigureRow.actual,
        FigureRow.count.label("number"),
        FigureRow.points,
        null().cast(SqlText).label("words"),
        FigureRow.lapses,
        FigureRow.not_applicable.label("flag"),
    )
    return union_all(
        figures.where(FigureRow.review_id.in_(sheets)),
        _decided(LineRow, LINE, LineRow.direction, LineRow.points).where(LineRow.review_id.in_(sheets)),
        _decided(VetoRow, VETO, VetoRow.cap, null().cast(String)).where(VetoRow.review_id.in_(sheets)),
    )


def _decided(table: Any, what: str, key: Any, points: Any) -> Any:
    nothing = [null().cast(String)] * 4
    told = (points, table.reason, null().cast(Integer), table.is_approved)
    return select(table.review_id, literal(what), cast(key, String), *nothing, *told)


def _figure(row: Any) -> Figure:
    numbers = {
        "target": row.target,
        "limit": row.target_limit,
        "actual": row.actual,
        "count": row.number,
        "points": row.points,
    }
    exactly = {name: exact(text) for name, text in numbers.items()}
    return Figure(**exactly, lapses=row.lapses, is_left_out=row.flag)


def figure_of(row: Any) -> Figure:
    """A stored figure as numbers."""
    return Figure(
        target=exact(row.target),
        limit=exact(row.target_limit),
        actual=exact(row.actual),
        count=exact(row.count),
        lapses=row.lapses,
        points=exact(row.points),
        is_left_out=row.not_applicable,
    )


def exact(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _part(plan: KpiPlan, found: _Found) -> KpiPart:
    lines = (tuple(found.bonus), tuple(found.deductions))
    return part_of(plan.rows, found.figures, *lines, found.veto, found.undecided)
