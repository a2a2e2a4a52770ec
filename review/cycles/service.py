"""Makes cycles, chooses who is reviewed, and moves a cycle on by compare-and-swap with a line in the ledger."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update

from review.cycles.tables import CycleRow, MoveRow, ReviewRow
from review.domain.calendar import CycleDates, date_problems
from review.domain.cycle import Facts, Move, Stage, advance
from review.domain.period import Period, PeriodKind
from review.domain.refusals import Invalid, OutOfReach, Problem, Taken
from review.domain.vocabulary import Custody, Protection
from review.infra import audit
from review.infra.db import db, rows_changed
from review.people.tables import PersonRow
from review.schemes.tables import SchemeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePlan:
    """What HR decides about a cycle before it starts."""

    name: str
    period: Period
    scheme_id: int
    dates: CycleDates
    acknowledge_days: int = 5
    asked: int = 8
    max_load: int = 9
    protection: Protection = Protection.STANDARD
    custody: Custody = Custody.MANAGED
    seed: int | None = None  # of the peer assignment; drawn where nobody gives one


def create(plan: CyclePlan, zone: ZoneInfo, *, by: int | None, now: datetime) -> CycleRow:
    """A new cycle in draft. Raises Invalid with every problem of the plan."""
    _check(plan, zone, None)
    row = CycleRow(stage=Stage.DRAFT, seed=_seed_of(plan), created_at=now, created_by=by)
    _write(row, plan)
    db.session.add(row)
    db.session.flush()
    audit.record("cycles:cycle:created", f"cycle:{row.id}", by=by, at=now, name=plan.name)
    return row


def change(cycle: CycleRow, plan: CyclePlan, zone: ZoneInfo, *, by: int, now: datetime) -> None:
    """Rewrite a cycle that is still in draft; the peer assignment must then be looked at again."""
    if cycle.stage is not Stage.DRAFT:
        raise Taken("cycles:not_in_draft")
    _check(plan, zone, cycle.id)
    _write(cycle, plan)
    forget_plan(cycle)
    audit.record("cycles:cycle:changed", f"cycle:{cycle.id}", by=by, at=now, name=plan.name)


def forget_plan(cycle: CycleRow) -> None:
    """What HR confirmed holds no longer, because what it was computed from has changed."""
    cycle.plan_digest = None
    cycle.plan_confirmed = False


def _write(row: CycleRow, plan: CyclePlan) -> None:
    row.name = plan.name
    row.kind, row.period_start, row.period_end = plan.period.kind, plan.period.start, plan.period.end
    row.scheme_id = plan.scheme_id
    row.opens_at, row.self_due_at, row.closes_at = plan.dates.opens_at, plan.dates.self_due_at, plan.dates.closes_at
    row.finalise_by, row.publish_on = plan.dates.finalise_by, plan.dates.publish_on
    row.acknowledge_days, row.asked, row.max_load = plan.acknowledge_days, plan.asked, plan.max_load
    row.protection, row.custody = plan.protection, plan.custody


def _seed_of(plan: CyclePlan) -> int:
    # Drawn, not derived from anything a colleague knows: who could guess it could work out who rates them.
    return secrets.randbits(31) if plan.seed is None else plan.seed


def _check(plan: CyclePlan, zone: ZoneInfo, own_id: int | None) -> None:
    problems = list(date_problems(plan.dates, plan.period, zone))
    same_name = select(CycleRow.id).where(CycleRow.name == plan.name, CycleRow.stage != Stage.CANCELLED)
    if db.session.scalar(same_name.where(CycleRow.id != (own_id or 0)).limit(1)):
        problems.append(Problem("cycles:name_taken", "name", {"name": plan.name}))
    overlapping = _overlapping(plan.period, own_id)
    if overlapping is not None:
        problems.append(Problem("cycles:period_overlaps", "period_start", {"name": overlapping}))
    if db.session.get(SchemeRow, plan.scheme_id) is None:
        problems.append(Problem("cycles:no_such_scheme", "scheme_id"))
    if not 3 <= plan.asked <= 20:
        problems.append(Problem("cycles:asked_out_of_range", "asked"))
    if plan.max_load < plan.asked:
        problems.append(Problem("cycles:load_under_asked", "max_load"))
    if problems:
        raise Invalid.of(problems)


def _overlapping(period: Period, own_id: int | None) -> str | None:
    """The name of another living cycle of the same kind whose period shares a day with this one."""
    others = select(CycleRow.name).where(
        CycleRow.id != (own_id or 0),
        CycleRow.kind == period.kind,
        CycleRow.stage != Stage.CANCELLED,
        CycleRow.period_start <= period.end,
        CycleRow.period_end >= period.start,
    )
    return None if period.kind is PeriodKind.CUSTOM else db.session.scalar(others.limit(1))


def choose(cycle: CycleRow, person_ids: Iterable[int]) -> int:
    """Review exactly these people in a cycle in draft; each with the supervisor and department they have now."""
    if cycle.stage is not Stage.DRAFT:
        raise Taken("cycles:not_in_draft")
    wanted = set(person_ids)
    for review in db.session.scalars(select(ReviewRow).where(ReviewRow.cycle_id == cycle.id)):
        if review.subject_id in wanted:
            wanted.discard(review.subject_id)
        else:
            db.session.delete(review)
    db.session.flush()
    people = select(PersonRow.id, PersonRow.supervisor_id, PersonRow.department_id).order_by(PersonRow.id)
    rows = [
        {"cycle_id": cycle.id, "subject_id": person, "supervisor_id": supervisor, "department_id": department}
        for person, supervisor, department in db.session.execute(people)
        if person in wanted
    ]
    if rows:
        db.session.execute(insert(ReviewRow), rows)
    forget_plan(cycle)
    return db.session.scalar(select(func.count()).where(ReviewRow.cycle_id == cycle.id)) or 0


def refresh_lines(cycle: CycleRow) -> None:
    """Take supervisors and departments as they are at launch into the cycle's reviews.

    A second rater who answers for the review by now is one no longer.
    """
    leads = select(PersonRow.supervisor_id).where(PersonRow.id == ReviewRow.subject_id).scalar_subquery()
    both = update(ReviewRow).where(ReviewRow.cycle_id == cycle.id, ReviewRow.second_rater_id == leads)
    db.session.execute(both.values(second_rater_id=None))
    for column in ("supervisor_id", "department_id"):
        value = select(getattr(PersonRow, column)).where(PersonRow.id == ReviewRow.subject_id).scalar_subquery()
        db.session.execute(update(ReviewRow).where(ReviewRow.cycle_id == cycle.id).values({column: value}))
    db.session.expire_all()


def move(cycle_id: int, made: Move, facts: Facts, *, by: int | None, now: datetime) -> Stage:
    """Make a move: compare-and-swap on the stage, a ledger row, both in the caller's transaction.

    Raises NotYet with every unmet need, Invalid or Taken when the table has no such move from here, and Taken when
    somebody else moved the cycle in the meantime.
    """
    was = db.session.scalar(select(CycleRow.stage).where(CycleRow.id == cycle_id))
    if was is None:
        raise OutOfReach("cycles:no_such_cycle")
    becomes = advance(was, made, facts)
    if rows_changed(update(CycleRow).where(CycleRow.id == cycle_id, CycleRow.stage == was).values(stage=becomes)) != 1:
        raise Taken("cycle:already_moved", stage=was.value, move=made.value)
    db.session.add(MoveRow(cycle_id=cycle_id, move=made, from_stage=was, to_stage=becomes, made_at=now, made_by=by))
    db.session.flush()
    return becomes


def dates_of(cycle: CycleRow) -> CycleDates:
    return CycleDates(cycle.opens_at, cycle.self_due_at, None, cycle.closes_at, cycle.finalise_by, cycle.publish_on)


def period_of(cycle: CycleRow) -> Period:
    return Period(cycle.kind, cycle.period_start, cycle.period_end)


def living_reviews(cycle_id: int) -> list[ReviewRow]:
    """The reviews of a cycle that were not withdrawn."""
    living = select(ReviewRow).where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
    return list(db.session.scalars(living.order_by(ReviewRow.id)))


@dataclass(frozen=True, slots=True)
class Moved:
    """One line of the ledger; `by` is a name, None when no person is known to have made the move."""

    move: Move
    from_stage: Stage
    to_stage: Stage
    at: datetime
    by: str | None


def ledger_of(cycle_id: int) -> list[Moved]:
    """Every move the cycle made, oldest first. One query."""
    lines = select(MoveRow.move, MoveRow.from_stage, MoveRow.to_stage, MoveRow.made_at, PersonRow.name)
    named = lines.outerjoin(PersonRow, PersonRow.id == MoveRow.made_by).where(MoveRow.cycle_id == cycle_id)
    return [Moved(*line) for line in db.session.execute(named.order_by(MoveRow.id))]


def by_name(name: str) -> CycleRow:
    """The cycle of that name, for commands: the living one, else the last that was cancelled. Raises Invalid."""
    living_first = select(CycleRow).where(CycleRow.name == name).order_by(CycleRow.stage == Stage.CANCELLED)
    row = db.session.scalar(living_first.order_by(CycleRow.id.desc()).limit(1))
    if row is None:
        raise Invalid("cycles:no_cycle_of_that_name", "NAME", name=name)
    return row


def in_stage(*stages: Stage) -> list[CycleRow]:
    """The cycles in these stages, oldest first."""
    return list(db.session.scalars(select(CycleRow).where(CycleRow.stage.in_(stages)).order_by(CycleRow.id)))
