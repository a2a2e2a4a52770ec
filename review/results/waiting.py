"""Which results still wait for their supervisor's word: for reminders, the start page and HR's checklist.

A sign-off settles a result only while it speaks of the present figures, comes from whoever answers for it now, and was
not sent back by the second person.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.scorecard import WhyNoScore
from review.infra.db import db
from review.kpi import evidence as kpi
from review.people.tables import DepartmentRow, PersonRow
from review.responses import service as responses
from review.results.tables import ScorecardRow, SignOffRow


def settles() -> ColumnElement[bool]:
    """Whether a `SignOffRow` settles the result of a `ReviewRow` with this `ScorecardRow`, as a condition in SQL."""
    return (
        (SignOffRow.review_id == ReviewRow.id)
        & (SignOffRow.signed_by == ReviewRow.supervisor_id)
        & (SignOffRow.input_hash == ScorecardRow.input_hash)
        & SignOffRow.returned_at.is_(None)
        & ~responses.filed_since(ScorecardRow.scored_at)
        & ~kpi.changed_since(ScorecardRow.scored_at)
    )


def _waiting(*columns: Any) -> Any:
    """Living reviews without a sign-off that settles them."""
    return (
        select(*columns)
        .select_from(ReviewRow)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, settles())
        .where(ReviewRow.withdrawn_at.is_(None), SignOffRow.review_id.is_(None))
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the results of a cycle are: what HR's checklist needs."""

    reviews: int
    unfinalised: int
    withheld_unexplained: int


def standing(cycle_id: int) -> Standing:
    """Three counts in two queries."""
    living = (ReviewRow.cycle_id == cycle_id) & ReviewRow.withdrawn_at.is_(None)
    total = db.session.scalar(select(func.count()).select_from(ReviewRow).where(living)) or 0
    unexplained = func.count().filter(ScorecardRow.withheld != WhyNoScore.SHEET_OPEN.value)
    waiting = _waiting(func.count(), unexplained).where(ReviewRow.cycle_id == cycle_id)
    unfinalised, withheld = db.session.execute(waiting).one()
    return Standing(total, unfinalised, withheld)


def unfinalised(cycle_id: int) -> list[int]:
    """The reviews whose results wait. One query."""
    waiting = _waiting(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id)
    return list(db.session.scalars(waiting.order_by(ReviewRow.id)))


def unfinalised_by_supervisor(cycle_id: int) -> dict[int, int]:
    """How many results wait for each supervisor; those with none are left out. One query."""
    query = _waiting(ReviewRow.supervisor_id, func.count()).where(
        ReviewRow.cycle_id == cycle_id, ReviewRow.supervisor_id.is_not(None)
    )
    return {who: count for who, count in db.session.execute(query.group_by(ReviewRow.supervisor_id))}  # noqa: C416


def first_unfinalised(cycle_id: int, most: int) -> list[tuple[str, str | None]]:
    """Up to `most` waiting results as (name of the person, name of their supervisor). One query."""
    boss = aliased(PersonRow)
    query = (
        _waiting(PersonRow.name, boss.name)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .where(ReviewRow.cycle_id == cycle_id)
    )
    return [tuple(row) for row in db.session.execute(query.order_by(boss.name, PersonRow.name).limit(most))]


def of_supervisor(*columns: Any, supervisor_id: int) -> Any:
    """A select over the results that wait for this supervisor in cycles that are being finalised."""
    query = _waiting(*columns).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    return query.where(CycleRow.stage == Stage.FINALISING, ReviewRow.supervisor_id == supervisor_id)


def distribution(cycle_id: int) -> dict[str | None, int]:
    """How many results have each grade: the signed one, else the computed one; None for those without. One query."""
    grade = func.coalesce(SignOffRow.final_grade, ScorecardRow.grade)
    query = (
        select(grade, func.count())
        .select_from(ReviewRow)
        .join(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, SignOffRow.review_id == ReviewRow.id)
        .where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
    )
    return {found: count for found, count in db.session.execute(query.group_by(grade))}  # noqa: C416


def changed_grades(cycle_id: int, *, reader: int, most: int = 50) -> list[Any]:
    """Results signed with another grade than the computed one, the reader's own left out: both grades, reason, who."""
    boss = aliased(PersonRow)
    query = (
        select(
            PersonRow.name,
            DepartmentRow.name.label("department"),
            SignOffRow.computed_grade,
            SignOffRow.final_grade,
            SignOffRow.reason,
            boss.name.label("signed_by"),
            SignOffRow.signed_at,
        )
        .join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
        .join(SignOffRow, SignOffRow.review_id == ReviewRow.id)
        .join(boss, boss.id == SignOffRow.signed_by)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .where(
            ReviewRow.cycle_id == cycle_id,
            ReviewRow.withdrawn_at.is_(None),
            ReviewRow.subject_id != reader,
            SignOffRow.final_grade != SignOffRow.computed_grade,
        )
    )
    return list(db.session.execute(query.order_by(SignOffRow.signed_at.desc()).limit(most)))
