"""What the worker does for surveys: inviting and reminding, each harmless to repeat."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from review.customer_survey import plans, service, waves, withdrawing
from review.cycles.tables import CycleRow
from review.domain.refusals import OutOfReach
from review.domain.survey_plan import Mode, Withdrawn
from review.infra import jobs
from review.infra.db import db
from review.infra.jobs import Job

INVITE = "customer_survey:invite"
REMIND = "customer_survey:remind"
WAVE = "customer_survey:wave"


def ask_for(kind: str, cycle_id: int, now: datetime) -> bool:
    """Put the work in line, again if it was done before; False when it is in line or under way already."""
    key = f"{kind}:{cycle_id}"
    if jobs.find(key) is None:
        jobs.enqueue(kind, key, {"cycle_id": cycle_id}, now)
        return True
    return jobs.ask_again(key, now)


def wave_key(cycle_id: int, wave: str) -> str:
    return f"{WAVE}:{cycle_id}:{wave}"


def due(cycle: CycleRow, now: datetime) -> list[str]:
    """The waves of a cycle that are due and not yet asked for; writes nothing."""
    keys = [wave.key for wave in plans.due_waves(cycle, plans.plan_of(cycle.id), now)]
    return [key for key in keys if jobs.find(wave_key(cycle.id, key)) is None]


def has_reopened(cycle: CycleRow) -> bool:
    return bool(withdrawing.reopened(cycle.id))


def send_due(cycle: CycleRow, now: datetime) -> int:
    """Put due waves in line and take back what waits about re-opened tickets; how many of both. Harmless to repeat."""
    waiting = due(cycle, now)
    for key in waiting:
        jobs.enqueue(WAVE, wave_key(cycle.id, key), {"cycle_id": cycle.id, "wave": key}, now)
    return len(waiting) + withdrawing.withdraw(withdrawing.reopened(cycle.id), Withdrawn.REOPENED, now)


def under_way(cycle_id: int) -> set[str]:
    """Which kinds of work about a cycle are in line or being done. One query."""
    keys = [f"{kind}:{cycle_id}" for kind in (INVITE, REMIND)]
    going_on = (jobs.JobRow.state == jobs.JobState.WAITING) | (jobs.JobRow.state == jobs.JobState.RUNNING)
    mine = jobs.JobRow.key.in_(keys) | jobs.JobRow.key.like(f"{wave_key(cycle_id, '')}%")
    return set(db.session.scalars(select(jobs.JobRow.kind).where(mine, going_on)))


def _cycle(job: Job) -> CycleRow:
    cycle = db.session.get(CycleRow, job.payload["cycle_id"])
    if cycle is None:
        raise OutOfReach("cycles:no_such_cycle")
    return cycle


def do_invite(job: Job) -> None:
    """Ask by the list. Where waves are planned, the clock sends them instead."""
    cycle = _cycle(job)
    if plans.plan_of(cycle.id).mode is Mode.LIST:
        service.queue_invitations(cycle, job.now, job.report)


def do_wave(job: Job) -> None:
    waves.run(_cycle(job), str(job.payload["wave"]), job.now, job.report)


def do_remind(job: Job) -> None:
    service.queue_reminders(_cycle(job), job.now)


HANDLERS: dict[str, Callable[[Job], None]] = {INVITE: do_invite, REMIND: do_remind, WAVE: do_wave}
