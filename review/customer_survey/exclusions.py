"""Requests to leave a ticket out of the surveys: asked by whoever handled it or leads them, decided by somebody else.

Nobody learns here whether a customer was asked: a request is taken in either case, and the answer is HR's alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from review.customer_survey.tables import ExclusionRow, InvitationRow
from review.customer_survey.withdrawing import WAITING, withdraw
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.records import TicketSystem
from review.domain.refusals import Invalid, NotAllowed, OutOfReach, Taken
from review.domain.survey_plan import Withdrawn
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import audit
from review.infra.db import db
from review.infra.lists import Listing, page_of
from review.people.tables import PersonRow

SHORTEST = 5
Agent, Asker, Decider = aliased(PersonRow), aliased(PersonRow), aliased(PersonRow)


def ask(reference: str, reason: str, *, by: int, now: datetime) -> None:
    """Ask to leave out a ticket of one's own, or of somebody one leads. `reference` may name the system: sobot:8213.

    Raises Invalid at the field for a ticket that is not theirs (whether or not there is one), named by several systems,
    or asked about before.
    """
    if len(reason) < SHORTEST:
        raise Invalid("customer_survey:say_why", "reason")
    tickets = db.session.scalars(_theirs(by).where(_is_named(reference)).limit(2)).all()
    if not tickets:
        raise Invalid("customer_survey:no_such_ticket", "reference")
    if len(tickets) > 1:
        raise Invalid("customer_survey:several_tickets", "reference")
    try:
        with db.session.begin_nested():
            db.session.add(ExclusionRow(ticket_id=tickets[0], reason=reason, asked_by=by, asked_at=now))
    except IntegrityError:
        raise Invalid("customer_survey:asked_before", "reference") from None
    audit.record("customer_survey:exclusion:asked", f"ticket:{tickets[0]}", by=by, at=now, reason=reason)


def _theirs(person_id: int) -> Select[Any]:
    led = select(PersonRow.id).where(PersonRow.supervisor_id == person_id)
    mine = or_(TicketRow.agent_id == person_id, TicketRow.agent_id.in_(led))
    return select(TicketRow.id).where(mine).order_by(TicketRow.id)


def _is_named(reference: str) -> ColumnElement[bool]:
    system, colon, number = reference.partition(":")
    if colon and system.lower() in list(TicketSystem):
        return (TicketRow.system == TicketSystem(system.lower())) & (TicketRow.reference == number.strip())
    return TicketRow.reference == reference


def decide(exclusion_id: int, *, approve: bool, answer: str, by: int, now: datetime) -> None:
    """Leave the ticket out, or not. What waits for an answer about it is taken back; what was answered stays counted.

    Raises OutOfReach; NotAllowed for who asked or handled the ticket; Taken when it is decided, or answered and so not
    to be left out any more; Invalid for a no without a reason.
    """
    found = db.session.execute(
        select(ExclusionRow, TicketRow.agent_id)
        .join(TicketRow, TicketRow.id == ExclusionRow.ticket_id)
        .where(ExclusionRow.id == exclusion_id)
        .with_for_update(of=ExclusionRow)
    ).one_or_none()
    if found is None:
        raise OutOfReach("customer_survey:no_request")
    row, agent_id = found
    if by in {row.asked_by, agent_id}:
        raise NotAllowed("customer_survey:decided_by_another")
    if row.decided_at is not None:
        if row.is_approved is approve and row.decided_by == by:
            return  # the button was pressed twice
        raise Taken("customer_survey:decided_already")
    if not approve and len(answer) < SHORTEST:
        raise Invalid("customer_survey:say_why", "answer")
    about = InvitationRow.ticket_id == row.ticket_id
    if approve and db.session.scalar(select(InvitationRow.id).where(about, InvitationRow.used_at.is_not(None))):
        raise Taken("customer_survey:answered_already")
    row.decided_by, row.decided_at, row.is_approved, row.answer = by, now, approve, answer
    if approve:
        waiting = db.session.scalars(select(InvitationRow.id).where(about, *WAITING))
        withdraw(list(waiting), Withdrawn.EXCLUDED, now)
    details = {"approved": approve, "answer": answer}
    audit.record("customer_survey:exclusion:decided", f"ticket:{row.ticket_id}", by=by, at=now, **details)


def _told() -> Any:
    return (
        select(
            ExclusionRow,
            TicketRow.reference,
            TicketRow.system,
            TicketRow.closed_on,
            TicketRow.agent_id,
            TicketRow.channel,
            TicketRow.kind,
            Agent.name.label("agent"),
            Asker.name.label("asker"),
            Decider.name.label("decider"),
        )
        .join(TicketRow, TicketRow.id == ExclusionRow.ticket_id)
        .outerjoin(Agent, Agent.id == TicketRow.agent_id)
        .join(Asker, Asker.id == ExclusionRow.asked_by)
        .outerjoin(Decider, Decider.id == ExclusionRow.decided_by)
    )


def requests(number: int) -> Listing:
    """All requests for HR: the waiting ones first, then the newest. Two queries."""
    order = (ExclusionRow.decided_at.is_not(None), ExclusionRow.asked_at.desc(), ExclusionRow.id.desc())
    return page_of(_told().order_by(*order), number)


def own(person_id: int) -> Sequence[Any]:
    """What this person asked for, newest first. One query."""
    mine = _told().where(ExclusionRow.asked_by == person_id).order_by(ExclusionRow.id.desc())
    return db.session.execute(mine.limit(50)).all()


@dataclass(frozen=True, slots=True)
class Counted:
    """What is left out of a cycle: requests about tickets of its period and people by how they were decided,
    invitations taken back, and customers (of all cycles) who want none."""

    waiting: int
    approved: int
    refused: int
    withdrawn: int = 0
    stopped: int = 0


def counts(cycle: CycleRow) -> Counted:
    """One query."""
    yes = ExclusionRow.is_approved
    figures = [func.count().filter(one) for one in (yes.is_(None), yes.is_(True), yes.is_(False))]
    gone = select(func.count()).where(InvitationRow.cycle_id == cycle.id, InvitationRow.withdrawn_at.is_not(None))
    stopped = select(func.count()).where(CustomerRow.unsubscribed_at.is_not(None))
    query = (
        select(*figures, gone.scalar_subquery(), stopped.scalar_subquery())
        .select_from(ExclusionRow)
        .join(TicketRow, TicketRow.id == ExclusionRow.ticket_id)
        .join(ReviewRow, (ReviewRow.subject_id == TicketRow.agent_id) & (ReviewRow.cycle_id == cycle.id))
        .where(TicketRow.closed_on.between(cycle.period_start, cycle.period_end))
    )
    found = db.session.execute(query).one()
    return Counted(*(found[at] for at in range(5)))
