"""What a customer's letters are filled with; the link is derived here, when the letter is rendered.

HR may change their words: which facts may stand in them, and which must, is said here.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
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
from review.infra.house import Worded
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
    ours = organisation.current()
    until = min(invitation.expires_at, cycle.closes_at)
    facts = {
        "name": customer.name,
        "agent": agent,
        "day": dates.day(ticket.closed_on or invitation.invited_at.date(), customer.locale, ours.zone),
        "until": dates.deadline(until, customer.locale, ours.zone),
        "organisation": ours.name,
        **_effort(len(scheme_of(cycle.scheme_id).asked_of(Source.CUSTOMERS)) + 1),
    }
    about = {"ticket_tail": ticket.reference[-4:], "kind": ticket.kind}
    return _letter(facts, link_token(cycle.id, customer.id, invitation.generation), customer.locale) | about


def _effort(questions: int) -> dict[str, int]:
    """How many questions, and within how many minutes even a slow reader is through."""
    return {"questions": questions, "minutes": max(1, -(-questions * SECONDS_EACH // 60))}


def _letter(facts: Mapping[str, Any], token: str, locale: str) -> dict[str, Any]:
    link = address(token)
    stop = f"{link}/unsubscribe?lang={locale}"
    return {
        **facts,
        "placeholders": facts,
        "link": link,
        "stop": stop,
        "headers": {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    }


def sample(locale: str) -> Mapping[str, Any]:
    """A letter to nobody: its names are invented by the template, its link opens nothing."""
    ours = organisation.current()
    facts = {
        "day": dates.day(SAMPLE_DAY, locale, ours.zone),
        "until": dates.deadline(datetime.combine(SAMPLE_END, time(18), ours.zone), locale, ours.zone),
        "organisation": ours.name,
        **_effort(3),
    }
    return _letter(facts, "test", locale) | {"ticket_tail": "8213", "kind": "", "headers": {}}


SECONDS_EACH = 10
SAMPLE_DAY, SAMPLE_END = date(2026, 12, 29), date(2027, 1, 15)

LETTERS = {INVITATION: ask, REMINDER: ask}

_WORDS = Worded(
    allowed=("name", "agent", "day", "until", "questions", "minutes", "organisation"),
    required={"opening": frozenset({"agent"}), "closing": frozenset({"until"})},
    made=("ticket",),
    sample=sample,
)
WORDED = {INVITATION: _WORDS, REMINDER: _WORDS}
