"""What the worker does for surveys: inviting and reminding, each harmless to repeat."""

from collections.abc import Callable
from datetime import datetime

from review.customer_survey import service
from review.cycles.tables import CycleRow
from review.domain.refusals import OutOfReach
from review.infra import jobs
from review.infra.db import db
from review.infra.jobs import Job

INVITE = "customer_survey:invite"
REMIND = "customer_survey:remind"


def ask_for(kind: str, cycle_id: int, now: datetime) -> bool:
    """Put the work in line, again if it was done before; False when it is in line or under way already."""
    key = f"{kind}:{cycle_id}"
    if jobs.find(key) is None:
        jobs.enqueue(kind, key, {"cycle_id": cycle_id}, now)
        return True
    return jobs.ask_again(key, now)


def is_under_way(kind: str, cycle_id: int) -> bool:
    row = jobs.find(f"{kind}:{cycle_id}")
    return row is not None and row.state in {jobs.JobState.WAITING, jobs.JobState.RUNNING}


def _cycle(job: Job) -> CycleRow:
    cycle = db.session.get(CycleRow, job.payload["cycle_id"])
    if cycle is None:
        raise OutOfReach("cycles:no_such_cycle")
    return cycle


def do_invite(job: Job) -> None:
    service.queue_invitations(_cycle(job), job.now, job.report)


def do_remind(job: Job) -> None:
    service.queue_reminders(_cycle(job), job.now)


HANDLERS: dict[str, Callable[[Job], None]] = {INVITE: do_invite, REMIND: do_remind}
