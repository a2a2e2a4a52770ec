"""Lists of checks for the people concerned: whom they wait for, whom they are about, whose team they are of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from review.domain.records import Measured
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.people import directory
from review.people.tables import PersonRow
from review.quality import figures
from review.quality.tables import CheckRow, DisputeRow, SampleRow

LATEST = 30


def _lines() -> Select[*tuple[Any, ...]]:
    """A check with its sample, the ticket's number, the agent's name and its dispute."""
    return (
        select(CheckRow, SampleRow, TicketRow.reference, PersonRow.name, DisputeRow)
        .join(SampleRow, SampleRow.id == CheckRow.sample_id)
        .join(TicketRow, TicketRow.id == CheckRow.ticket_id)
        .join(PersonRow, PersonRow.id == CheckRow.agent_id)
        .outerjoin(DisputeRow, DisputeRow.check_id == CheckRow.id)
    )


def _open_of(checker_id: int) -> Any:
    return (CheckRow.checker_id == checker_id) & CheckRow.filed_at.is_(None) & CheckRow.replaced_at.is_(None)


def open_checks(checker_id: int, most: int = 200) -> Sequence[Any]:
    """What this person still has to check, nearest deadline first. One query."""
    query = _lines().where(_open_of(checker_id)).order_by(SampleRow.due_at, CheckRow.id)
    return db.session.execute(query.limit(most)).all()


def by_agent(sample_id: int) -> dict[int, list[int]]:
    """The checks of a sample that have a checker, by whose tickets they are. One query."""
    query = select(CheckRow.agent_id, CheckRow.id).where(
        CheckRow.sample_id == sample_id, CheckRow.checker_id.is_not(None)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for agent, check_id in db.session.execute(query.order_by(CheckRow.id)):
        found[agent].append(check_id)
    return dict(found)


def next_open(checker_id: int, sample_id: int) -> int | None:
    """The next check of the same sample that waits for this person."""
    query = select(CheckRow.id).where(_open_of(checker_id), CheckRow.sample_id == sample_id)
    return db.session.scalar(query.order_by(CheckRow.id).limit(1))


def filed_by(checker_id: int) -> Sequence[Any]:
    """What this person checked last. One query."""
    query = _lines().where(CheckRow.checker_id == checker_id, CheckRow.filed_at.is_not(None))
    return db.session.execute(query.order_by(CheckRow.filed_at.desc(), CheckRow.id.desc()).limit(LATEST)).all()


def about(agent_id: int) -> Sequence[Any]:
    """The latest submitted checks of this person's own tickets. One query."""
    query = _lines().where(CheckRow.agent_id == agent_id, CheckRow.filed_at.is_not(None))
    return db.session.execute(query.order_by(CheckRow.filed_at.desc(), CheckRow.id.desc()).limit(LATEST)).all()


def of_agent(sample_id: int, agent_id: int) -> Sequence[Any]:
    """Every check of one agent in a sample, with its checker's name, put aside ones too. One query."""
    checker = aliased(PersonRow)
    query = (
        select(CheckRow, TicketRow.reference, checker.name, DisputeRow)
        .join(TicketRow, TicketRow.id == CheckRow.ticket_id)
        .outerjoin(checker, checker.id == CheckRow.checker_id)
        .outerjoin(DisputeRow, DisputeRow.check_id == CheckRow.id)
        .where(CheckRow.sample_id == sample_id, CheckRow.agent_id == agent_id, CheckRow.is_reserve.is_(False))
    )
    return db.session.execute(query.order_by(CheckRow.id)).all()


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One person of a team: compliance over the span, their checks still open, disputes that wait."""

    id: int
    name: str
    measured: Measured | None
    open: int
    disputed: int


def team(supervisor_id: int, first: date, last: date, today: date) -> list[TeamLine]:
    """Everybody who reports to this supervisor. Four queries."""
    people = directory.team_of(supervisor_id, today)
    ids = [person.id for person in people]
    means = figures.compliance_between(first, last, ids)
    inside = CheckRow.agent_id.in_(ids) & CheckRow.closed_on.between(first, last)
    still = select(CheckRow.agent_id, func.count()).where(
        inside, CheckRow.checker_id.is_not(None), CheckRow.filed_at.is_(None), CheckRow.replaced_at.is_(None)
    )
    waiting = select(CheckRow.agent_id, func.count()).join(DisputeRow, DisputeRow.check_id == CheckRow.id)
    waiting = waiting.where(inside, DisputeRow.decided_at.is_(None))
    open_ones, disputed = (
        {who: count for who, count in db.session.execute(each.group_by(CheckRow.agent_id))}  # noqa: C416  Row objects
        for each in (still, waiting)
    )
    return [
        TeamLine(one.id, one.name, means.get(one.id), open_ones.get(one.id, 0), disputed.get(one.id, 0))
        for one in people
    ]


def latest_of_team(supervisor_id: int, first: date, last: date) -> Sequence[Any]:
    """The latest submitted checks of the people who report to this supervisor. One query."""
    query = _lines().where(
        PersonRow.supervisor_id == supervisor_id,
        CheckRow.filed_at.is_not(None),
        CheckRow.closed_on.between(first, last),
    )
    return db.session.execute(query.order_by(CheckRow.filed_at.desc(), CheckRow.id.desc()).limit(LATEST)).all()
