"""Publishes a cycle once nothing is missing, or cancels it with a reason."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from review.ballots import service as ballots
from review.cycles import changes, service
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import local_day
from review.domain.cycle import Facts, Move, Stage, checklist, unmet_needs
from review.domain.refusals import Invalid, NotYet
from review.domain.vocabulary import Custody, Protection
from review.infra import audit, organisation, outbox
from review.infra.db import db
from review.infra.jobs import Job, enqueue
from review.kpi import evidence as kpi
from review.people.tables import PersonRow
from review.results import looks, publication
from review.results import service as results
from review.tickets import service as tickets
from review.workflow import asking, launch
from review.workflow.tables import ScheduleRow

KIND = "workflow:publish"
DISCARD = "workflow:discard"
PUBLISHED = "workflow:published"
CANCELLED = "workflow:cancelled"


def key_of(cycle_id: int) -> str:
    return f"publish:{cycle_id}"


def facts_of(cycle: CycleRow) -> Facts:
    """What is known before a publication."""
    state = results.standing(cycle.id)
    return Facts(
        unfinalised_count=state.unfinalised,
        withheld_unexplained=state.withheld_unexplained,
        looks_missing=looks.missing(cycle.id),
        open_sheets=kpi.open_sheets(cycle.id),
    )


def needs(cycle: CycleRow, facts: Facts) -> Any:
    """Every need of the publication with whether it is met; none outside the finalising."""
    return checklist(cycle.stage, Move.PUBLISH, facts) if cycle.stage is Stage.FINALISING else ()


def ask(cycle: CycleRow, typed: str, *, by: int, now: datetime) -> None:
    """Have the cycle published. Raises Invalid when the typed name is another, NotYet with every unmet need."""
    unmet = unmet_needs(cycle.stage, Move.PUBLISH, facts_of(cycle) if cycle.stage is Stage.FINALISING else Facts())
    if unmet:
        raise NotYet.of(unmet)
    if typed.strip() != cycle.name:
        raise Invalid("workflow:name_differs", "name", name=cycle.name)
    asking.ask(KIND, key_of(cycle.id), {"cycle_id": cycle.id, "by": by}, now)


def do_publish(job: Job) -> None:
    """The job: one transaction for the move, the frozen results, the rewards and the letters."""
    cycle = db.session.get(CycleRow, int(job.payload["cycle_id"]))
    if cycle is None:
        raise Invalid("cycles:no_such_cycle")
    if cycle.stage in {Stage.PUBLISHED, Stage.ARCHIVED}:
        return  # done by the run that this one repeats
    run(cycle, by=int(job.payload["by"]), now=job.now, report=job.report)


def run(cycle: CycleRow, *, by: int, now: datetime, report: results.Report = lambda _d, _t, _s: None) -> int:
    """Publish in the caller's transaction; how many results. Raises NotYet with every unmet need."""
    service.move(cycle.id, Move.PUBLISH, facts_of(cycle), by=by, now=now)
    db.session.refresh(cycle)
    changes.published_now(cycle, local_day(now, organisation.current().zone), now=now)
    count = publication.freeze_cycle(cycle.id, by=by, now=now, report=report)
    audit.record("workflow:cycle:published", f"cycle:{cycle.id}", by=by, at=now, results=count)
    outbox.put_all(_to_subjects(cycle, PUBLISHED, now))
    return count


def _to_subjects(cycle: CycleRow, kind: str, now: datetime, **more: Any) -> Iterator[dict[str, Any]]:
    """One letter to each reviewed person with an e-mail address. No result is ever in it, only that there is one."""
    reviewed = (
        select(ReviewRow.id, PersonRow.name, PersonRow.email, PersonRow.locale)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None), PersonRow.email.is_not(None))
    )
    for review_id, name, email, locale in db.session.execute(reviewed):
        params = {"name": name, "cycle": cycle.name, "review_id": review_id, "days": cycle.acknowledge_days, **more}
        yield outbox.letter(kind, f"cycle:{cycle.id}", str(email), locale, params, now=now)


def cancel(cycle: CycleRow, reason: str, *, by: int, now: datetime) -> None:
    """End a cycle without results, in the caller's transaction; the worker then destroys keys and urn uncounted.

    Raises NotYet without a reason, Invalid while counting, Taken once it is over.
    """
    said = reason.strip()
    # Held from here on: a launch under way would leave key and urn behind if it ended between this look and the move.
    db.session.refresh(cycle, with_for_update=True)
    was = cycle.stage
    service.move(cycle.id, Move.CANCEL, Facts(reason_given=bool(said)), by=by, now=now)
    db.session.refresh(cycle)
    audit.record("workflow:cycle:cancelled", f"cycle:{cycle.id}", by=by, at=now, reason=said)
    outbox.take_back(launch.OPENING, f"cycle:{cycle.id}")
    if row := db.session.get(ScheduleRow, cycle.id):
        db.session.delete(row)
    if was in {Stage.COLLECTING, Stage.FINALISING} or _has_keys(cycle):
        enqueue(DISCARD, f"discard:{cycle.id}", {"cycle_id": cycle.id}, now)
    if was in {Stage.COLLECTING, Stage.FINALISING}:
        outbox.put_all(_to_subjects(cycle, CANCELLED, now, reason=said))


def _has_keys(cycle: CycleRow) -> bool:
    """Whether keys are made before the launch."""
    return cycle.custody is Custody.TRUSTEES or cycle.protection is Protection.MAXIMUM


def do_discard(job: Job) -> None:
    """The job: nobody will ever read what was in this urn. Harmless to repeat."""
    ballots.destroy(int(job.payload["cycle_id"]))
    tickets.forget(int(job.payload["cycle_id"]))
