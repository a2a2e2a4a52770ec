"""Opens the sheets of a cycle: target group and targets are frozen at its launch, late joiners' when they come in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.kpi_plan import NO_AIM, KpiPlan, TargetGroup
from review.domain.records import TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.kpi.plan_of_cycle import plan_id_in, plan_in
from review.kpi.tables import FigureRow, SheetRow
from review.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Placed:
    """The target group somebody belongs to, and the channel most of their cases came by."""

    group: TargetGroup
    channel: str | None


def open_for(cycle: CycleRow, now: datetime) -> int:
    """Open the sheet of every living review of a cycle with a plan that has none yet; how many. Harmless to repeat."""
    plan, plan_id = plan_in(cycle.id), plan_id_in(cycle.id)
    if plan is None or plan_id is None:
        return 0
    waiting = _without_sheet(cycle.id)
    placed = place(plan, cycle, waiting)
    sheets, figures = [], []
    for review_id, (person_id, _post, _joined) in waiting.items():
        mine = placed[person_id]
        sheets.append(
            {
                "review_id": review_id,
                "cycle_id": cycle.id,
                "plan_id": plan_id,
                "group_key": mine.group.key,
                "channel": mine.channel,
                "opened_at": now,
                "changed_at": now,
            }
        )
        figures += [{"review_id": review_id, **aimed} for aimed in aims_of(plan, mine.group)]
    if sheets:
        db.session.execute(insert(SheetRow), sheets)
        db.session.execute(insert(FigureRow), figures)
    return len(sheets)


def aims_of(plan: KpiPlan, group: TargetGroup) -> Iterable[dict[str, Any]]:
    """Target and limit of each row, as they are stored; those by problem type follow with the person's own cases."""
    for row in plan.rows:
        aim = group.aims.get(row.key, NO_AIM)
        yield {
            "row_key": row.key,
            "target": None if aim.target is None else str(aim.target),
            "target_limit": None if aim.limit is None else str(aim.limit),
            "not_applicable": False,
        }


def _without_sheet(cycle_id: int) -> dict[int, tuple[int, str | None, date | None]]:
    """Living reviews that have no sheet: person, post, first day, by review."""
    query = (
        select(ReviewRow.id, PersonRow.id, PersonRow.post, PersonRow.joined_on)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(SheetRow, SheetRow.review_id == ReviewRow.id)
        .where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None), SheetRow.review_id.is_(None))
        .order_by(ReviewRow.id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in db.session.execute(query)}


def place(
    plan: KpiPlan, cycle: CycleRow, reviews: Mapping[int, tuple[int, str | None, date | None]]
) -> dict[int, Placed]:
    """Everybody's target group at the first day of the period, by person."""
    channels = main_channels(cycle.period_start, cycle.period_end)
    found = {}
    for person_id, post, joined_on in reviews.values():
        channel = channels.get(person_id)
        months = None if joined_on is None else months_between(joined_on, cycle.period_start)
        found[person_id] = Placed(plan.group_for(post, months, channel), channel)
    return found


def months_between(first: date, last: date) -> int:
    """Whole months from `first` to `last`; nought for somebody who came later."""
    months = 12 * (last.year - first.year) + last.month - first.month - (last.day < first.day)
    return max(0, months)


def main_channels(first: date, last: date) -> dict[int, str]:
    """The channel by which most of each agent's cases of a span came, equal ones by name. One query."""
    count = func.count()
    query = (
        select(TicketRow.agent_id, TicketRow.channel, count)
        .where(TicketRow.closed_on.between(first, last), TicketRow.agent_id.is_not(None))
        .where(TicketRow.system != TicketSystem.LIST, TicketRow.channel != "")
        .group_by(TicketRow.agent_id, TicketRow.channel)
        .order_by(count.desc(), TicketRow.channel)
    )
    found: dict[int, str] = {}
    for agent_id, channel, _cases in db.session.execute(query):
        if agent_id is not None:
            found.setdefault(agent_id, channel)
    return found
