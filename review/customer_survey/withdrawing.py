"""Takes invitations back that nobody has answered: the ticket is open again, or HR decided to leave it out.

A link that was taken back looks like every other link that cannot be answered.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update

from review.customer_survey.asking import take_letters_back
from review.customer_survey.tables import InvitationRow
from review.domain.records import TicketStatus
from review.domain.survey_plan import Withdrawn
from review.helpdesk.tables import TicketRow
from review.infra.db import db

CHUNK = 5000
WAITING = (InvitationRow.used_at.is_(None), InvitationRow.withdrawn_at.is_(None))


def is_reopened() -> ColumnElement[bool]:
    """Whether a ticket was re-opened since its customer was asked, also when it has been closed again meanwhile."""
    again = func.coalesce(TicketRow.reopens, 0) > InvitationRow.reopens_then
    return or_(TicketRow.status == TicketStatus.OPEN, again)


def is_open_again(invitation: InvitationRow, ticket: TicketRow) -> bool:
    """The same of one invitation in hand, so that a link is dead the moment the file with the re-opening is in."""
    return ticket.status is TicketStatus.OPEN or (ticket.reopens or 0) > invitation.reopens_then


def reopened(cycle_id: int) -> list[int]:
    """Invitations of the cycle that wait for an answer about a ticket that is open again. One query, writes nothing."""
    query = select(InvitationRow.id).join(TicketRow, TicketRow.id == InvitationRow.ticket_id)
    return list(db.session.scalars(query.where(InvitationRow.cycle_id == cycle_id, *WAITING, is_reopened())))


def count(cycle_id: int) -> int:
    """How many invitations of the cycle were taken back."""
    gone = select(func.count()).where(InvitationRow.cycle_id == cycle_id, InvitationRow.withdrawn_at.is_not(None))
    return db.session.scalar(gone) or 0


def withdraw(ids: Collection[int], why: Withdrawn, now: datetime) -> int:
    """Take these back unless they were answered meanwhile; how many. Letters not yet sent are taken back too."""
    wanted, count = sorted(ids), 0
    for start in range(0, len(wanted), CHUNK):
        waiting = update(InvitationRow).where(InvitationRow.id.in_(wanted[start : start + CHUNK]), *WAITING)
        made = waiting.values(withdrawn_at=now, withdrawn_why=why).returning(
            InvitationRow.cycle_id, InvitationRow.customer_id
        )
        rows = db.session.execute(made.execution_options(synchronize_session=False)).all()
        for cycle_id, customer_id in rows:
            take_letters_back(cycle_id, customer_id)
        count += len(rows)
    return count
