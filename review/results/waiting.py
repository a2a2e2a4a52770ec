"""Which results still wait for their supervisor's word: for reminders, the start page and HR's checklist."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.infra.db import db
from review.people.tables import PersonRow
from review.results.tables import ScorecardRow, SignOffRow


def _waiting(*columns: Any) -> Any:
    """Living reviews without a sign-off on their present figures."""
    signed = (SignOffRow.review_id == ReviewRow.id) & (SignOffRow.input_hash == ScorecardRow.input_hash)
    return (
        select(*columns)
        .select_from(ReviewRow)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, signed)
        .where(ReviewRow.withdrawn_at.is_(None), SignOffRow.review_id.is_(None))
    )


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


def open_tasks(supervisor_id: int) -> list[tuple[CycleRow, int]]:
    """The cycles in which results wait for this supervisor, with how many. One query."""
    query = _waiting(CycleRow, func.count()).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    mine = query.where(CycleRow.stage == Stage.FINALISING, ReviewRow.supervisor_id == supervisor_id)
    return [tuple(row) for row in db.session.execute(mine.group_by(CycleRow.id).order_by(CycleRow.finalise_by))]
