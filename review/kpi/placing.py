"""Whom the targets of a plan are for: what somebody is at the first day of a period, and which group that makes."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.kpi_plan import KpiPlan, TargetGroup
from review.domain.records import TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Mix:
    """How many people of a cycle fall into a group, and who only falls into the last one (a few names)."""

    counts: dict[str, int]
    rest: tuple[str, ...]
    people: int


def months_between(first: date, last: date) -> int:
    """Whole months from `first` to `last`; nought for somebody who came later."""
    months = 12 * (last.year - first.year) + last.month - first.month - (last.day < first.day)
    return max(0, months)


def main_channels(first: date, last: date, person_id: int | None = None) -> dict[int, str]:
    """The channel by which most of each agent's cases of a span came, equal ones by name. One query."""
    count = func.count()
    query = (
        select(TicketRow.agent_id, TicketRow.channel, count)
        .where(TicketRow.closed_on.between(first, last), TicketRow.agent_id.is_not(None))
        .where(TicketRow.system != TicketSystem.LIST, TicketRow.channel != "")
        .group_by(TicketRow.agent_id, TicketRow.channel)
        .order_by(count.desc(), TicketRow.channel)
    )
    if person_id is not None:
        query = query.where(TicketRow.agent_id == person_id)
    found: dict[int, str] = {}
    for agent_id, channel, _cases in db.session.execute(query):
        if agent_id is not None:
            found.setdefault(agent_id, channel)
    return found


def asks_for_channels(plan: KpiPlan) -> bool:
    return any(group.channels for group in plan.groups)


def group_of(plan: KpiPlan, person: PersonRow, first: date, last: date) -> TargetGroup:
    """The group of one person in a period."""
    channel = main_channels(first, last, person.id).get(person.id) if asks_for_channels(plan) else None
    months = None if person.joined_on is None else months_between(person.joined_on, first)
    return plan.group_for(person.post, months, channel)


def mix_of(plan: KpiPlan, cycle: CycleRow, most_named: int) -> Mix:
    """Into which group each reviewed person of a cycle falls. Two queries at most."""
    channels = main_channels(cycle.period_start, cycle.period_end) if asks_for_channels(plan) else {}
    query = (
        select(PersonRow.id, PersonRow.name, PersonRow.post, PersonRow.joined_on)
        .join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .order_by(PersonRow.name, PersonRow.id)
    )
    fallen: Counter[str] = Counter()
    rest = []
    for person_id, name, post, joined_on in db.session.execute(query):
        months = None if joined_on is None else months_between(joined_on, cycle.period_start)
        group = plan.group_for(post, months, channels.get(person_id))
        fallen[group.key] += 1
        if group.key == plan.groups[-1].key:
            rest.append(name)
    return Mix({group.key: fallen[group.key] for group in plan.groups}, tuple(rest[:most_named]), fallen.total())
