"""Fills the KPI sheets of a cycle: when HR asks for it, and once more at the count, before anything is scored."""

from datetime import datetime

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid
from review.infra.db import db
from review.infra.jobs import Job
from review.kpi import filling
from review.kpi.plan_of_cycle import plan_in
from review.results import service as results
from review.workflow import asking


def ask(cycle: CycleRow, *, by: int, now: datetime) -> None:
    """Have the sheets filled. Raises NotYet without sheets, TooLate once they are settled."""
    filling.require_fillable(cycle)
    asking.ask(filling.KIND, filling.key_of(cycle.id), {"cycle_id": cycle.id, "by": by}, now)


def do_fill(job: Job) -> None:
    """The job. Scores that were told already are worked out anew where a sheet has changed."""
    cycle = db.session.get(CycleRow, int(job.payload["cycle_id"]))
    if cycle is None:
        raise Invalid("cycles:no_such_cycle")
    done = filling.fill(cycle, by=job.payload.get("by"), now=job.now, report=job.report)
    if done.changed and cycle.stage is Stage.FINALISING:
        results.score_cycle(cycle.id, job.now, job.report)


def at_count(cycle: CycleRow, job: Job) -> None:
    """The last word of the records before the scores are computed, in the same transaction."""
    if plan_in(cycle.id) is not None:
        filling.fill(cycle, by=None, now=job.now, report=job.report)
