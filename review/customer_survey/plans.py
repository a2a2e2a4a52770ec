"""The plan of a cycle's surveys: what HR set, what holds without it, and which waves are due when."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction

from sqlalchemy import Select, select

from review.customer_survey.tables import InvitationRow, SurveyPlanRow, WaveRow
from review.cycles.service import period_of
from review.cycles.tables import CycleRow
from review.domain.calendar import local_day, settled
from review.domain.cycle import Stage
from review.domain.refusals import TooLate
from review.domain.survey_plan import Mode, SurveyPlan, Wave, ticket_wave, waves
from review.domain.vocabulary import Source
from review.infra import audit, organisation
from review.infra.db import db, insert_into
from review.schemes.service import scheme_of

SEND_AT = time(10)  # letters go out when people are at work
FIELDS = ("mode", "everybody", "expected_percent", "per_person", "delay_hours", "window_days", "valid_days")
BEFORE_THE_END = {Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING}


def plan_of(cycle_id: int) -> SurveyPlan:
    """What HR decided, or the plan that holds until they do: a list, everybody."""
    return stated(cycle_id)[0]


def stated(cycle_id: int) -> tuple[SurveyPlan, int | None]:
    """The plan and the seed of its lot, in one query."""
    row = db.session.get(SurveyPlanRow, cycle_id)
    if row is None:
        return SurveyPlan(), None
    return SurveyPlan(**{name: getattr(row, name) for name in FIELDS}), row.seed


def seed_of(cycle_id: int) -> int | None:
    """The stated seed of the lot; None until there is a plan."""
    return stated(cycle_id)[1]


def minimum_of(cycle: CycleRow) -> int:
    """The number of answers that the scheme asks for."""
    return scheme_of(cycle.scheme_id).minimums[Source.CUSTOMERS]


def has_begun(cycle_id: int) -> bool:
    """Whether somebody was asked already: from then on the plan stays."""
    asked = select(InvitationRow.id).where(InvitationRow.cycle_id == cycle_id).limit(1)
    ran = select(WaveRow.id).where(WaveRow.cycle_id == cycle_id).limit(1)
    return db.session.scalar(asked) is not None or db.session.scalar(ran) is not None


def may_change(cycle: CycleRow) -> bool:
    return cycle.stage in BEFORE_THE_END and not has_begun(cycle.id)


def set_plan(cycle: CycleRow, plan: SurveyPlan, *, by: int, now: datetime) -> bool:
    """Decide how the surveys go out; False when nothing changes. Raises Invalid, and TooLate once somebody was asked.

    The seed is drawn with the first plan and never again: nobody can try seeds until a sample pleases them.
    """
    row = lock(cycle.id, now)
    if not may_change(cycle):
        raise TooLate("customer_survey:plan_is_running")
    plan.check(minimum_of(cycle))
    was = {name: getattr(row, name) for name in FIELDS}
    if was == asdict(plan) and row.set_by is not None:
        return False
    for name, value in asdict(plan).items():
        setattr(row, name, value)
    row.set_by, row.set_at = by, now
    changes = {name: value for name, value in asdict(plan).items() if was[name] != value}
    audit.record("customer_survey:plan:set", f"cycle:{cycle.id}", by=by, at=now, seed=row.seed, **changes)
    return True


def lock(cycle_id: int, now: datetime) -> SurveyPlanRow:
    """The plan's row, made if need be. All plans are locked, so that no two waves ask one customer at one instant."""
    values = {"cycle_id": cycle_id, "seed": secrets.randbits(31), "set_by": None, "set_at": now, **asdict(SurveyPlan())}
    db.session.execute(insert_into(SurveyPlanRow).values(values).on_conflict_do_nothing(index_elements=["cycle_id"]))
    locked = select(SurveyPlanRow).order_by(SurveyPlanRow.cycle_id).with_for_update()
    rows = {row.cycle_id: row for row in db.session.scalars(locked.execution_options(populate_existing=True))}
    return rows[cycle_id]


@dataclass(frozen=True, slots=True)
class Planned:
    """A wave with its instant. `ran_at` and `asked` are None until it has gone out; one `missed` never will."""

    wave: Wave
    due_at: datetime
    ran_at: datetime | None = None
    asked: int | None = None
    missed: bool = False


def due_at(cycle: CycleRow, wave: Wave) -> datetime:
    """When a wave goes out: at 10:00 of its day, and never before the cycle opens."""
    return max(settled(wave.due_on, SEND_AT, organisation.current().zone), cycle.opens_at)


def planned(cycle: CycleRow, plan: SurveyPlan) -> list[Planned]:
    """The calendar of the cycle's waves, those that ran included; for lists and tickets only those that ran."""
    ran = {row.key: row for row in db.session.scalars(ran_waves(cycle.id))}
    found = []
    for wave in waves(plan.mode, period_of(cycle)):
        row, at = ran.pop(wave.key, None), due_at(cycle, wave)
        if row is None:
            found.append(Planned(wave, at, missed=at >= cycle.closes_at))
        else:
            found.append(Planned(wave, at, row.ran_at, row.asked))
    return [*(_as_it_ran(row) for row in ran.values() if row.asked), *found]


def ran_waves(cycle_id: int) -> Select[WaveRow]:
    """The waves that went out, oldest first."""
    return select(WaveRow).where(WaveRow.cycle_id == cycle_id).order_by(WaveRow.ran_at, WaveRow.id)


def _as_it_ran(row: WaveRow) -> Planned:
    wave = Wave(row.key, row.first_day, row.last_day, row.last_day, Fraction(1))
    return Planned(wave, row.ran_at, row.ran_at, row.asked)


def due_waves(cycle: CycleRow, plan: SurveyPlan, now: datetime) -> list[Wave]:
    """The waves that should have gone out by now and have not; none while the cycle does not collect."""
    if cycle.stage is not Stage.COLLECTING or not cycle.opens_at <= now < cycle.closes_at:
        return []
    ran = set(db.session.scalars(select(WaveRow.key).where(WaveRow.cycle_id == cycle.id)))
    return [wave for wave in _by(cycle, plan, now) if wave.key not in ran and due_at(cycle, wave) <= now]


def wave_named(cycle: CycleRow, plan: SurveyPlan, key: str, now: datetime) -> Wave | None:
    """The wave of that key among those the plan knows at `now`."""
    return next((wave for wave in _by(cycle, plan, now) if wave.key == key), None)


def next_wave(cycle: CycleRow, plan: SurveyPlan, now: datetime) -> Wave | None:
    """What would go out next: the earliest calendar wave that has not; for tickets today's; None for a list."""
    if plan.mode is Mode.LIST:
        return None
    ran = set(db.session.scalars(select(WaveRow.key).where(WaveRow.cycle_id == cycle.id)))
    return next((wave for wave in _by(cycle, plan, now) if wave.key not in ran or plan.mode is Mode.TICKET), None)


def _by(cycle: CycleRow, plan: SurveyPlan, now: datetime) -> Iterable[Wave]:
    period = period_of(cycle)
    if plan.mode is not Mode.TICKET:
        return waves(plan.mode, period)
    today = local_day(now, organisation.current().zone)
    if not period.start <= today <= period.end + timedelta(days=plan.window_days):
        return ()
    return (ticket_wave(period, today, plan.window_days),)
