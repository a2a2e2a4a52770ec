"""Gathers who may rate whom, has the assignment computed, and keeps its figures for HR to look at before the launch."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select

from review.cycles.service import forget_plan
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.domain.assignment import assign
from review.domain.calendar import local_day
from review.domain.candidates import Colleague
from review.domain.cycle import Stage
from review.domain.plan import Plan, Relations, Rules
from review.domain.refusals import Taken
from review.domain.vocabulary import Source
from review.infra import organisation
from review.infra.db import db
from review.infra.jobs import Job
from review.peer_review.conflicts import conflicts
from review.people import directory
from review.people.tables import PersonRow, RoleRow
from review.schemes.service import scheme_of
from review.workflow import asking
from review.workflow.tables import PlanRow

KIND = "workflow:plan"
Report = Callable[[int, int, str], None]

# They calibrate results, publish them and hear appeals: whoever decides over a result never sits on its panel.
NEVER_RATE = (Role.HR,)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the assignment depends on."""

    subjects: tuple[Colleague, ...]
    raters: tuple[Colleague, ...]
    relations: Relations
    rules: Rules
    seed: int


def key_of(cycle_id: int) -> str:
    return f"plan:{cycle_id}"


def ask(cycle: CycleRow, now: datetime) -> None:
    """Have the assignment computed by the worker."""
    if cycle.stage not in {Stage.DRAFT, Stage.NOMINATING}:
        raise Taken("cycle:already_moved", stage=cycle.stage.value, move="launch")
    asking.ask(KIND, key_of(cycle.id), {"cycle_id": cycle.id}, now)


def forget(cycle: CycleRow) -> None:
    """People or rules have changed: neither the figures nor HR's word about them hold any longer."""
    forget_plan(cycle)
    db.session.execute(delete(PlanRow).where(PlanRow.cycle_id == cycle.id))


def of(cycle_id: int) -> PlanRow | None:
    return db.session.get(PlanRow, cycle_id)


def do_plan(job: Job) -> None:
    """The job: compute the assignment and store its figures. Harmless to repeat."""
    cycle = db.session.get(CycleRow, int(job.payload["cycle_id"]))
    if cycle is None or cycle.stage not in {Stage.DRAFT, Stage.NOMINATING}:
        return
    keep(cycle, compute(cycle, job.now, job.report), job.now)


def compute(cycle: CycleRow, now: datetime, report: Report = lambda _done, _total, _step: None) -> Plan:
    """The assignment as it would be seated at `now`: the same for the same people, in every process."""
    report(0, 3, "gather")
    situation = gather(cycle, first_day(cycle, now))
    report(1, 3, "assign")
    plan = assign(
        situation.subjects,
        situation.raters,
        seed=situation.seed,
        relations=situation.relations,
        rules=situation.rules,
    )
    report(2, 3, "store")
    return plan


def first_day(cycle: CycleRow, now: datetime) -> date:
    """The day on which the work begins: who has left by then takes no part."""
    return local_day(max(now, cycle.opens_at), organisation.current().zone)


def gather(cycle: CycleRow, day: date) -> Situation:
    """Read people, lines, departments and conflicts: a constant number of queries."""
    scheme = scheme_of(cycle.scheme_id)
    reviews = select(ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    reviewed = set(db.session.scalars(reviews))
    colleagues = _colleagues(day)
    teams = {colleagues[person].team_id for person in reviewed if person in colleagues}
    barred = set(db.session.scalars(select(RoleRow.person_id).where(RoleRow.role.in_(NEVER_RATE))))
    subjects = tuple(colleagues[person] for person in sorted(reviewed) if person in colleagues)
    raters = tuple(
        colleague
        for person, colleague in sorted(colleagues.items())
        if person not in barred and (person in reviewed or colleague.team_id in teams)
    )
    minimum = scheme.minimums[Source.PEERS]
    asks_peers = bool(scheme.asked_of(Source.PEERS))
    return Situation(
        subjects if asks_peers else (),
        raters if asks_peers else (),
        Relations(excluded=conflicts() | _second_raters(cycle)),
        Rules(asked=max(cycle.asked, minimum), max_load=max(cycle.max_load, minimum), minimum=minimum),
        cycle.seed,
    )


def _second_raters(cycle: CycleRow) -> set[tuple[int, int]]:
    """Whoever rates somebody beside the supervisor does not rate them as a peer."""
    named = select(ReviewRow.second_rater_id, ReviewRow.subject_id).where(
        ReviewRow.cycle_id == cycle.id, ReviewRow.second_rater_id.is_not(None)
    )
    return {(rater, subject) for rater, subject in db.session.execute(named) if rater is not None}


def _colleagues(day: date) -> dict[int, Colleague]:
    above, lines = _departments_above(), directory.management_lines()
    here = select(PersonRow.id, PersonRow.department_id).where(directory.here_on(day))
    return {
        person: Colleague(
            person, department, frozenset(lines.get(person, ())), above.get(department, ()) if department else ()
        )
        for person, department in db.session.execute(here)
    }


def _departments_above() -> Mapping[int, tuple[int, ...]]:
    parents = {row.id: row.parent_id for row in directory.departments().values()}
    above = {}
    for department, parent in parents.items():
        found: list[int] = []
        while parent is not None and parent not in found:
            found.append(parent)
            parent = parents.get(parent)  # noqa: PLW2901  one step up
        above[department] = tuple(found)
    return above


def keep(cycle: CycleRow, plan: Plan, now: datetime) -> PlanRow:
    """Store what HR is to look at. A plan that differs from the one they confirmed takes the confirmation away."""
    if cycle.plan_digest is not None and cycle.plan_digest != plan.digest:
        forget_plan(cycle)
    reviews = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    return db.session.merge(
        PlanRow(
            cycle_id=cycle.id,
            digest=plan.digest,
            computed_at=now,
            reviewed=len(db.session.scalars(reviews).all()),
            seats=len(plan.seats),
            reciprocal_pairs=plan.reciprocal_pairs,
            loads={str(load): people for load, people in sorted(Counter(plan.loads.values()).items())},
            shortages=_named(plan),
        )
    )


def _named(plan: Plan) -> list[dict[str, Any]]:
    """The shortages with names, those without any peer rating first."""
    short = [each.person_id for each in plan.shortages]
    names = {key: row.name for key, row in directory.by_ids(short).items()}
    rows = [
        {
            "person_id": short.person_id,
            "name": names[short.person_id],
            "got": short.got,
            "wanted": short.wanted,
            "reason": short.reason_code,
            "below_minimum": short.below_minimum,
        }
        for short in plan.shortages
    ]
    return sorted(rows, key=lambda row: (not row["below_minimum"], row["name"], row["person_id"]))
