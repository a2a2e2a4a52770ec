"""Asks customers, seen from outside the room: sendings, links, one reminder, and how many answered."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, update

from review.customer_survey.asking import INVITATION, REMINDER, about, letters_to, require_running
from review.customer_survey.figures import Rate, Tallied, response_rate, tickets_in_period
from review.customer_survey.links import PORTION, OpenLinks, address, link_token, links_csv, open_links, still_open
from review.customer_survey.tables import InvitationRow
from review.customer_survey.waves import queue_invitations
from review.cycles.tables import CycleRow
from review.helpdesk.tables import CustomerRow
from review.infra import outbox, suppression
from review.infra.db import db

REMIND_AFTER = timedelta(days=3)

__all__ = [
    "INVITATION",
    "REMINDER",
    "OpenLinks",
    "Rate",
    "Tallied",
    "about",
    "address",
    "link_token",
    "links_csv",
    "open_links",
    "queue_invitations",
    "queue_reminders",
    "remindable",
    "require_running",
    "response_rate",
    "tickets_in_period",
]


def _remindable(cycle_id: int, now: datetime) -> Select[*tuple[Any, ...]]:
    """Customers whose address takes letters, asked some days ago, who have not answered and were never reminded."""
    query = select(InvitationRow.id, InvitationRow.customer_id, CustomerRow.email, CustomerRow.locale)
    return query.join(CustomerRow, CustomerRow.id == InvitationRow.customer_id).where(
        *still_open(cycle_id, now),
        CustomerRow.email.is_not(None),
        ~suppression.is_stopped(CustomerRow.email),
        InvitationRow.reminded_at.is_(None),
        InvitationRow.invited_at <= now - REMIND_AFTER,
    )


def remindable(cycle_id: int, now: datetime) -> int:
    """How many customers a reminder would go to."""
    return db.session.scalar(select(func.count()).select_from(_remindable(cycle_id, now).subquery())) or 0


def queue_reminders(cycle: CycleRow, now: datetime) -> int:
    """Remind those who may be reminded: once, never again, and no sooner than three days after the invitation."""
    require_running(cycle, now)
    rows = db.session.execute(_remindable(cycle.id, now).order_by(InvitationRow.id)).all()
    for start in range(0, len(rows), PORTION):
        portion = rows[start : start + PORTION]
        ids = [row.id for row in portion]
        db.session.execute(update(InvitationRow).where(InvitationRow.id.in_(ids)).values(reminded_at=now))
        outbox.put_all(letters_to(REMINDER, cycle.id, portion, now))
    return len(rows)
