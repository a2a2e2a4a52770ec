"""What sheets wait for from one person: names of theirs, and figures that a supervisor enters by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.kpi_plan import Obtained
from review.infra.db import db
from review.kpi.changing import CHANGEABLE
from review.kpi.plan_of_cycle import plan_in
from review.kpi.signing import SIGNABLE
from review.kpi.tables import FigureRow, LineRow, SheetRow, SignatureRow, Step, VetoRow
from review.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Duty:
    """One cycle in which so many sheets wait: to be signed, or for figures by hand. `review_id` where it is one's own.

    Whether a name still holds is told from the moments of signing and of the last change, which is enough for a list
    of tasks: the sheet itself goes by its digest.
    """

    cycle: CycleRow
    is_signing: bool
    count: int
    review_id: int | None = None


def duties_of(person_id: int) -> list[Duty]:
    """One query for whoever has none; a few more for supervisors whose people's sheets lack figures."""
    boss = aliased(PersonRow)
    query = (
        select(
            CycleRow,
            SheetRow.review_id,
            ReviewRow.subject_id,
            ReviewRow.supervisor_id,
            boss.supervisor_id.label("head_id"),
            _missing().label("missing"),
            _undecided().label("undecided"),
            *(_signed(step).label(step.value) for step in Step),
        )
        .select_from(SheetRow)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .join(CycleRow, CycleRow.id == SheetRow.cycle_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .where(CycleRow.stage.in_(CHANGEABLE), ReviewRow.withdrawn_at.is_(None))
        .where(or_(ReviewRow.subject_id == person_id, boss.id == person_id, boss.supervisor_id == person_id))
        .order_by(CycleRow.finalise_by, SheetRow.review_id)
    )
    by_cycle: dict[int, list[Any]] = {}
    for row in db.session.execute(query):
        by_cycle.setdefault(row.CycleRow.id, []).append(row)
    return [duty for rows in by_cycle.values() for duty in _duties(person_id, rows)]


def _missing() -> Any:
    bare = FigureRow.actual.is_(None) & FigureRow.points.is_(None) & FigureRow.lapses.is_(None)
    query = select(func.count()).where(FigureRow.review_id == SheetRow.review_id, bare, ~FigureRow.not_applicable)
    return query.correlate(SheetRow).scalar_subquery()


def _undecided() -> Any:
    lines = exists().where(LineRow.review_id == SheetRow.review_id, LineRow.is_approved.is_(None))
    return lines | exists().where(VetoRow.review_id == SheetRow.review_id, VetoRow.is_approved.is_(None))


def _signed(step: Step) -> Any:
    mine = (SignatureRow.review_id == SheetRow.review_id) & (SignatureRow.step == step)
    return exists().where(mine, SignatureRow.signed_at >= SheetRow.changed_at)


def decisions_of(person_id: int, *, is_hr: bool) -> list[tuple[CycleRow, int]]:
    """On how many sheets of each cycle a line or veto waits that this person may decide. One query.

    HR decides anybody's, a head those of their supervisors' people; nobody about themselves or what they proposed.
    """
    boss = aliased(PersonRow)
    waits = [
        exists().where(
            table.review_id == SheetRow.review_id, table.is_approved.is_(None), table.entered_by != person_id
        )
        for table in (LineRow, VetoRow)
    ]
    query = (
        select(SheetRow.cycle_id, func.count())
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .join(CycleRow, CycleRow.id == SheetRow.cycle_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .where(CycleRow.stage.in_(CHANGEABLE), ReviewRow.withdrawn_at.is_(None), ReviewRow.subject_id != person_id)
        .where(or_(*waits), *([] if is_hr else [boss.supervisor_id == person_id]))
        .group_by(SheetRow.cycle_id)
    )
    counts = {row[0]: row[1] for row in db.session.execute(query)}
    return [(db.session.get_one(CycleRow, cycle_id), count) for cycle_id, count in sorted(counts.items())]


def _duties(person_id: int, rows: list[Any]) -> Iterator[Duty]:
    cycle = rows[0].CycleRow
    signable = rows if cycle.stage in SIGNABLE else ()
    waiting = [row for row in signable if not row.missing and not row.undecided and _asked(row) == person_id]
    own = next((row.review_id for row in waiting if row.subject_id == person_id), None)
    if own is not None:
        yield Duty(cycle, is_signing=True, count=1, review_id=own)
    if others := [row for row in waiting if row.subject_id != person_id]:
        yield Duty(cycle, is_signing=True, count=len(others))
    bare = [row.review_id for row in rows if row.missing and row.supervisor_id == person_id]
    if bare and (count := _without_hand_figures(cycle.id, bare)):
        yield Duty(cycle, is_signing=False, count=count)


def _asked(row: Any) -> int | None:
    """Whose name comes next."""
    head_id = None if row.head_id == row.subject_id else row.head_id
    chain = ((row.employee, row.subject_id), (row.superior, row.supervisor_id), (row.head, head_id))
    return next((who for is_signed, who in chain if not is_signed and who is not None), None)


def _without_hand_figures(cycle_id: int, review_ids: list[int]) -> int:
    """How many of these sheets lack a figure that the plan has entered by hand."""
    plan = plan_in(cycle_id)
    assert plan is not None  # a sheet points at the plan of its cycle
    by_hand = [row.key for row in plan.rows if row.obtained is Obtained.HAND]
    bare = FigureRow.actual.is_(None) & FigureRow.points.is_(None) & FigureRow.lapses.is_(None)
    query = select(func.count(FigureRow.review_id.distinct())).where(bare, ~FigureRow.not_applicable)
    return db.session.scalar(query.where(FigureRow.review_id.in_(review_ids), FigureRow.row_key.in_(by_hand))) or 0
