"""What one person has to do now, over all rooms, nearest deadline first; for HR also what a cycle waits for."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from sqlalchemy import select

from review.custody import service as custody
from review.cycles.service import in_stage
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Role
from review.domain.calendar import clock_ends, settled
from review.domain.cycle import OVER, Stage
from review.follow_up import lists as cases
from review.infra.db import db
from review.infra.jobs import JobRow, JobState
from review.infra.organisation import Organisation
from review.kpi import duties as kpi
from review.peer_review import service as peer_review
from review.quality import service as quality
from review.responses.progress import State, Task
from review.results import looks, publication
from review.self_review import service as self_review
from review.supervisor_review import service as supervisor_review

MINUTES_SELF, MINUTES_PEER, MINUTES_RATING, MINUTES_RESULT, MINUTES_SHARE, MINUTES_CASE = 30, 2, 6, 5, 5, 15
MINUTES_CHECK = 6
END_OF_DAY = time(18)


@dataclass(frozen=True, slots=True)
class ToDo:
    """One line of the list. `key` names its words, `left` of `all` is still to do, `minutes` is about how long.

    `until` is for what may still be done when it is late.
    """

    key: str
    cycle: str
    due: datetime | None
    endpoint: str
    args: dict[str, Any] = field(default_factory=dict)
    left: int = 1
    all: int = 1
    minutes: int = 0
    is_begun: bool = False
    until: datetime | None = None

    @property
    def is_done(self) -> bool:
        return self.left == 0


def cycles_alive() -> list[CycleRow]:
    """Every cycle that is neither archived nor cancelled, oldest first; one query for all who ask on a page."""
    return in_stage(*(stage for stage in Stage if stage not in OVER))


def tasks_of(
    actor: Actor, now: datetime, ours: Organisation, published: Sequence[Any], cycles: Sequence[CycleRow]
) -> list[ToDo]:
    """Everything this person owes or may still change, open tasks first, each group by deadline."""
    found = [*_own(actor, now), *_as_supervisor(actor, now), *_to_sign(now, ours, published)]
    found += _as_checker(actor, now)
    found += [*_about_results(actor, cycles), *_as_trustee(actor, cycles), *_with_cases(actor, ours)]
    found += _on_sheets(actor)
    if Role.HR in actor.roles:
        found += _as_hr(now, cycles)
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda task: (task.is_done, task.due or far, task.key, task.cycle))


def _own(actor: Actor, now: datetime) -> Iterator[ToDo]:
    for task in self_review.open_tasks(actor.person_id, now):
        yield ToDo(
            "self",
            task.cycle.name,
            task.due,
            "self_review.show",
            {"review_id": task.review.id},
            left=int(task.state is not State.FILED),
            minutes=MINUTES_SELF,
            is_begun=task.state is State.DRAFT,
        )
    for peers in peer_review.open_tasks(actor.person_id, now):
        yield ToDo(
            "peers",
            peers.cycle_name,
            peers.due,
            "peer_review.mine",
            left=peers.owed,
            all=peers.asked,
            minutes=MINUTES_PEER * peers.owed,
            is_begun=peers.owed < peers.asked,
        )


def _as_supervisor(actor: Actor, now: datetime) -> Iterator[ToDo]:
    by_cycle: dict[int, list[Task]] = defaultdict(list)
    for task in supervisor_review.open_tasks(actor.person_id, now):
        by_cycle[task.cycle.id].append(task)
    for cycle_id, tasks in by_cycle.items():
        open_ones = [task for task in tasks if task.state is not State.FILED]
        yield ToDo(
            "rating",
            tasks[0].cycle.name,
            min(task.due for task in open_ones or tasks),
            "supervisor_review.grid",
            {"cycle_id": cycle_id},
            left=len(open_ones),
            all=len(tasks),
            minutes=MINUTES_RATING * len(open_ones),
            is_begun=any(task.state is not State.NONE for task in tasks),
            until=tasks[0].cycle.finalise_by,
        )


def _about_results(actor: Actor, cycles: Sequence[CycleRow]) -> Iterator[ToDo]:
    """Results to sign, and others' results near a cut to look at."""
    alive = {cycle.id: cycle for cycle in cycles}
    where = {"finalise": "results.team", "look": "results.my_looks"}
    for key, cycle_id, count in looks.open_tasks(actor.person_id):
        if cycle := alive.get(cycle_id):
            args, minutes = {"cycle_id": cycle_id}, MINUTES_RESULT * count
            yield ToDo(key, cycle.name, cycle.finalise_by, where[key], args, left=count, all=count, minutes=minutes)


def _on_sheets(actor: Actor) -> Iterator[ToDo]:
    """KPI sheets that wait for one's name, for figures that one enters by hand, or for one's decision on a line."""
    for duty in kpi.duties_of(actor.person_id):
        cycle = duty.cycle
        if duty.review_id is not None:
            own = {"review_id": duty.review_id}
            yield ToDo("kpi_sign", cycle.name, cycle.finalise_by, "kpi_sheets.sign", own, minutes=MINUTES_RESULT)
            continue
        key, state = ("kpi_sign_team", "mine") if duty.is_signing else ("kpi_figures", "open")
        minutes = duty.count * (1 if duty.is_signing else MINUTES_RESULT)
        args = {"cycle_id": cycle.id, "state": state}
        yield ToDo(key, cycle.name, cycle.finalise_by, "kpi_sheets.team", args, duty.count, duty.count, minutes)
    is_hr = Role.HR in actor.roles
    for cycle, count in kpi.decisions_of(actor.person_id, is_hr=is_hr):
        where = "kpi_sheets.sheets" if is_hr else "kpi_sheets.team"
        pending = {"cycle_id": cycle.id, "state": "pending"}
        yield ToDo("kpi_lines", cycle.name, cycle.finalise_by, where, pending, count, count, minutes=count)


def _as_trustee(actor: Actor, cycles: Sequence[CycleRow]) -> Iterator[ToDo]:
    for duty in custody.duties_of(actor.person_id, cycles):
        key, due, endpoint = (
            ("share", duty.cycle.opens_at, "custody.share") if duty.is_share else ("open", None, "desk.open_page")
        )
        yield ToDo(key, duty.cycle.name, due, endpoint, {"cycle_id": duty.cycle.id}, minutes=MINUTES_SHARE)


def _as_checker(actor: Actor, now: datetime) -> Iterator[ToDo]:
    """Tickets to check, calibration rounds, disputes to decide."""
    is_hr = Role.HR in actor.roles
    where: dict[str, tuple[str, str]] = {
        "check": ("checks", "quality.mine"),
        "round": ("calibrate", "quality.calibration_round"),
        "dispute": ("disputes", "quality.all_disputes" if is_hr else "quality.my_disputes"),
    }
    for duty in quality.duties_of(actor.person_id, now, is_hr=is_hr):
        key, endpoint = where[duty.kind]
        yield ToDo(
            key,
            duty.name,
            duty.due,
            endpoint,
            {"round_id": duty.id} if duty.kind == "round" else {},
            left=duty.left,
            all=duty.all,
            minutes=MINUTES_CHECK * duty.left,
            is_begun=duty.left < duty.all,
        )


def _with_cases(actor: Actor, ours: Organisation) -> Iterator[ToDo]:
    waiting = cases.waiting_for(actor.person_id)
    owned, days = sum(one.owned for one in waiting), [one.due_on for one in waiting if one.due_on]
    if owned:
        due = settled(min(days), END_OF_DAY, ours.zone) if days else None
        yield ToDo("cases", "", due, "follow_up.mine", left=owned, all=owned, minutes=MINUTES_CASE * owned)
    for one in waiting:
        if Role.HR in actor.roles and one.unassigned:
            args, count = {"cycle_id": one.cycle_id}, one.unassigned
            yield ToDo("unassigned", one.cycle, None, "follow_up.cases", args, left=count, all=count)


def _to_sign(now: datetime, ours: Organisation, published: Sequence[Any]) -> Iterator[ToDo]:
    """Only the newest result is asked for: an older one that was never signed has run its clock."""
    for row in published[-1:]:
        ends = clock_ends(row.published_at, row.body["cycle"]["acknowledge_days"], ours.zone, ours.holidays)
        if now <= ends and publication.acknowledgement_of(row.id) is None:
            args = {"review_id": row.review_id}
            yield ToDo("sign", row.body["cycle"]["name"], ends, "reports.result", args, minutes=MINUTES_RESULT)


def _as_hr(now: datetime, cycles: Sequence[CycleRow]) -> Iterator[ToDo]:
    """Cycles that wait for HR: to be launched, for trustees, to be published, or a job that was refused."""
    for cycle in cycles:
        if cycle.stage is Stage.FINALISING:
            yield ToDo("publish", cycle.name, cycle.finalise_by, "desk.publish_page", {"cycle_id": cycle.id})
        elif cycle.stage in {Stage.DRAFT, Stage.NOMINATING}:
            key = "launch_late" if cycle.opens_at <= now else "launch"
            yield ToDo(key, cycle.name, cycle.opens_at, "desk.cycle", {"cycle_id": cycle.id})
        elif custody.is_waiting(cycle):
            yield ToDo("locked", cycle.name, None, "desk.cycle", {"cycle_id": cycle.id})
    failed = select(JobRow.key).where(JobRow.state == JobState.FAILED).limit(20)
    count = len(db.session.scalars(failed).all())
    if count:
        yield ToDo("jobs", "", None, "desk.jobs", left=count, all=count)


def running_cycle(cycles: Sequence[CycleRow]) -> CycleRow | None:
    """The cycle whose timeline stands on the start page: the newest one under way, or just published."""
    under_way = [cycle for cycle in cycles if cycle.stage in {Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING}]
    shown = under_way or [cycle for cycle in cycles if cycle.stage is Stage.PUBLISHED]
    return max(shown, key=lambda cycle: (cycle.opens_at, cycle.id), default=None)
