"""What a customer's letters are filled with; the link is derived here, when the letter is rendered."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from review.customer_survey.asking import INVITATION, REMINDER
from review.customer_survey.links import address, link_token
from review.customer_survey.tables import InvitationRow
from review.customer_survey.withdrawing import is_open_again
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import TooLate
from review.domain.vocabulary import Source
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import dates, organisation
from review.infra.db import db
from review.people.tables import PersonRow
from review.schemes.service import scheme_of


def ask(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """For both letters: who helped when, how many questions, the links. Raises TooLate once nobody may be asked."""
    query = (
        select(InvitationRow, CycleRow, CustomerRow, TicketRow, PersonRow.name)
        .join(CycleRow, CycleRow.id == InvitationRow.cycle_id)
        .join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        .join(TicketRow, TicketRow.id == InvitationRow.ticket_id)
        .join(ReviewRow, ReviewRow.id == InvitationRow.review_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .where(InvitationRow.cycle_id == params["cycle"], InvitationRow.customer_id == params["customer"])
    )
    invitation, cycle, customer, ticket, agent = db.session.execute(query).one()
    is_over = cycle.stage is not Stage.COLLECTING or invitation.used_at or invitation.withdrawn_at
    if is_over or is_open_again(invitation, ticket) or customer.unsubscribed_at is not None:
        raise TooLate("customer_survey:closed")
    zone = organisation.current().zone
    until = min(invitation.expires_at, cycle.closes_at)
    link = address(link_token(cycle.id, customer.id, invitation.generation))
    stop = f"{link}/unsubscribe?lang={customer.locale}"
    return {
        "name": customer.name,
        "agent": agent,
        "ticket_tail": ticket.reference[-4:],
        "kind": ticket.kind,
        "closed_on": dates.day(ticket.closed_on or invitation.invited_at.date(), customer.locale, zone),
        "until": dates.deadline(until, customer.locale, zone),
        "questions": len(scheme_of(cycle.scheme_id).asked_of(Source.CUSTOMERS)) + 1,
        "link": link,
        "stop": stop,
        "headers": {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    }


LETTERS = {INVITATION: ask, REMINDER: ask}
