"""Whom the targets of a plan are for: what somebody is at the first day of a period, and which group that makes."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.kpi_plan import KpiPlan, TargetGroup
from review.infra.db import db
from review.kpi.opening import main_channels, months_between
from review.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Mix:
    """How many people of a cycle fall into a group, and who only falls into the last one (a few names)."""

    counts: dict[str, int]
    rest: tuple[str, ...]
    people: int


def group_of(plan: KpiPlan, person: PersonRow, first: date, last: date) -> TargetGroup:
    """The group of one person in a period, as the opening of sheets would place them."""
    channel = _channels(plan, first, last).get(person.id)
    return plan.group_for(person.post, _months(person.joined_on, first), channel)


def mix_of(plan: KpiPlan, cycle: CycleRow, most_named: int) -> Mix:
    """Into which group each reviewed person of a cycle falls. Two queries at most."""
    channels = _channels(plan, cycle.period_start, cycle.period_end)
    query = (
        select(PersonRow.id, PersonRow.name, PersonRow.post, PersonRow.joined_on)
        .join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .order_by(PersonRow.name, PersonRow.id)
    )
    fallen: Counter[str] = Counter()
    rest = []
    for person_id, name, post, joined_on in db.session.execute(query):
        group = plan.group_for(post, _months(joined_on, cycle.period_start), channels.get(person_id))
        fallen[group.key] += 1
        if group.key == plan.groups[-1].key:
            rest.append(name)
    return Mix({group.key: fallen[group.key] for group in plan.groups}, tuple(rest[:most_named]), fallen.total())


def _months(joined_on: date | None, first: date) -> int | None:
    return None if joined_on is None else months_between(joined_on, first)


def _channels(plan: KpiPlan, first: date, last: date) -> dict[int, str]:
    """Asked for only where some group does."""
    return main_channels(first, last) if any(group.channels for group in plan.groups) else {}
