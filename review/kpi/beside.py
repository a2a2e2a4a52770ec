"""The figures that stand beside a self-statement: this period's as the sheet has them, and last period's."""

from datetime import date
from fractions import Fraction

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.kpi_plan import PlanRow
from review.domain.kpi_sheet import ASKED, Beside, BesideRow, Figure
from review.infra.db import db
from review.kpi.evidence import figure_of
from review.kpi.plan_of_cycle import plan_in
from review.kpi.tables import FigureRow, SheetRow


def figures_beside(review_id: int) -> Beside | None:
    """For the self-review of this review; None where the cycle has no KPI sheets. Five queries, one without a sheet."""
    query = select(CycleRow.id, CycleRow.period_start, ReviewRow.subject_id)
    found = db.session.execute(
        query.join(SheetRow, SheetRow.cycle_id == CycleRow.id)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .where(SheetRow.review_id == review_id)
    ).first()
    if found is None:
        return None
    plan = plan_in(found.id)
    assert plan is not None  # a sheet points at the plan of its cycle
    now, last = _figures(review_id), _last_sheet(found.subject_id, found.period_start)
    then, since = ({}, None) if last is None else (_figures(last[0]), last[1])
    rows = []
    for row in plan.rows:
        mine, before = now.get(row.key, Figure()), then.get(row.key, Figure())
        rows.append(BesideRow(row.name, row.unit, _told(row, mine), mine.count, _told(row, before)))
    return Beside(since, tuple(rows))


def _figures(review_id: int) -> dict[str, Figure]:
    rows = db.session.scalars(select(FigureRow).where(FigureRow.review_id == review_id))
    return {row.row_key: figure_of(row) for row in rows}


def _told(row: PlanRow, figure: Figure) -> Fraction | None:
    found = getattr(figure, ASKED[row.rule])
    return None if found is None else Fraction(found)


def _last_sheet(subject_id: int, before: date) -> tuple[int, str] | None:
    """The person's sheet in the latest published cycle over an earlier period, and that cycle's name."""
    query = (
        select(SheetRow.review_id, CycleRow.name)
        .join(CycleRow, CycleRow.id == SheetRow.cycle_id)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .where(ReviewRow.subject_id == subject_id, CycleRow.stage.in_([Stage.PUBLISHED, Stage.ARCHIVED]))
        .where(CycleRow.period_end < before)
        .order_by(CycleRow.period_end.desc())
    )
    found = db.session.execute(query.limit(1)).first()
    return None if found is None else (found[0], found[1])
