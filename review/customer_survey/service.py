"""Asks customers: who gets a survey about which ticket, the letters and links, one reminder, and how many answered."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from review.customer_survey.figures import Rate, Tallied, response_rate, tickets_in_period
from review.customer_survey.links import PORTION, OpenLinks, address, link_token, links_csv, open_links, still_open
from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, TooLate
from review.domain.survey_sample import Candidate, choose
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import outbox
from review.infra.db import db
from review.infra.tokens import digest

VALID = timedelta(days=30)
APART = timedelta(days=30)  # between two surveys of one customer
REMIND_AFTER = timedelta(days=3)

__all__ = [
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

INVITATION = "customer_survey:invitation"
REMINDER = "customer_survey:reminder"

Report = Callable[[int, int, str], None]


def about(cycle_id: int, customer_id: int) -> str:
    """What a letter to this customer is about, in the outbox's words."""
    return f"survey:{cycle_id}:{customer_id}"


def queue_invitations(cycle: CycleRow, now: datetime, report: Report = lambda _done, _total, _step: None) -> int:
    """Ask every customer who may be asked, once; write the letters in the same transaction; how many were asked.

    A repeat asks only those whose tickets came in since. Raises NotYet before the launch, TooLate after the close.
    """
    require_running(cycle, now)
    starts = max(now, cycle.opens_at)
    reviews, rows = _reviews(cycle), _candidates(cycle, starts)
    report(0, len(rows), "choose")
    chosen = _choose(cycle, rows)
    values = {"cycle_id": cycle.id, "generation": 1, "invited_at": starts, "reminded_at": None}
    values |= {"expires_at": min(cycle.closes_at, starts + VALID), "used_at": None, "used_form": None}
    for start in range(0, len(chosen), PORTION):
        portion = chosen[start : start + PORTION]
        db.session.execute(insert(InvitationRow.__table__), [_invitation(row, reviews, values) for row in portion])
        outbox.put_all(_letters(INVITATION, cycle.id, portion, starts))
        report(start + len(portion), len(chosen), "write")
    return len(chosen)


def require_running(cycle: CycleRow, now: datetime) -> None:
    """Customers may be asked from the launch to the close; raises NotYet before, TooLate after."""
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING}:
        raise NotYet("customer_survey:not_launched")
    if cycle.stage is not Stage.COLLECTING or now >= cycle.closes_at:
        raise TooLate("customer_survey:closed")


def _reviews(cycle: CycleRow) -> dict[int, int]:
    """The reviews that go on, by the id of whom they are about."""
    mine = select(ReviewRow.subject_id, ReviewRow.id)
    living = mine.where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    return {subject: review for subject, review in db.session.execute(living)}  # noqa: C416  Row objects, not pairs


def _candidates(cycle: CycleRow, starts: datetime) -> list[Any]:
    """Tickets of the period whose customers may be asked: not unsubscribed, not asked in this cycle or lately."""
    recently = (InvitationRow.cycle_id == cycle.id) | (InvitationRow.invited_at > starts - APART)
    asked = select(InvitationRow.customer_id).where(recently)
    query = (
        select(
            TicketRow.id,
            TicketRow.reference,
            TicketRow.agent_id,
            TicketRow.customer_id,
            CustomerRow.email,
            CustomerRow.locale,
        )
        .join(CustomerRow, CustomerRow.id == TicketRow.customer_id)
        .join(ReviewRow, (ReviewRow.subject_id == TicketRow.agent_id) & (ReviewRow.cycle_id == cycle.id))
        .where(ReviewRow.withdrawn_at.is_(None))
        .where(TicketRow.closed_on.between(cycle.period_start, cycle.period_end))
        .where(CustomerRow.unsubscribed_at.is_(None), CustomerRow.id.not_in(asked))
    )
    # Two numbers of the ticket system may share one address: its owner is one person and is asked once.
    addresses = set(db.session.scalars(select(CustomerRow.email).where(CustomerRow.id.in_(asked))))
    return [row for row in db.session.execute(query) if row.email is None or row.email not in addresses]


def _choose(cycle: CycleRow, rows: list[Any]) -> list[Any]:
    by_ticket = {row.id: row for row in rows}
    person_of = {row.id: row.email or f"#{row.customer_id}" for row in rows}
    candidates = [Candidate(row.id, row.reference, person_of[row.id], row.agent_id) for row in rows]
    invited = select(ReviewRow.subject_id, func.count()).join(InvitationRow, InvitationRow.review_id == ReviewRow.id)
    counted = db.session.execute(invited.where(ReviewRow.cycle_id == cycle.id).group_by(ReviewRow.subject_id))
    already = {subject: count for subject, count in counted}  # noqa: C416  Row objects, not pairs
    return [by_ticket[candidate.ticket_id] for candidate in choose(candidates, cycle.seed, already)]


def _invitation(row: Any, reviews: dict[int, int], values: dict[str, Any]) -> dict[str, Any]:
    return {
        **values,
        "review_id": reviews[row.agent_id],
        "ticket_id": row.id,
        "customer_id": row.customer_id,
        "token_hash": digest(link_token(values["cycle_id"], row.customer_id, 1)),
    }


def _letters(kind: str, cycle_id: int, rows: Iterable[Any], when: datetime) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row.email is not None:
            params = {"cycle": cycle_id, "customer": row.customer_id}
            yield outbox.letter(kind, about(cycle_id, row.customer_id), row.email, row.locale, params, now=when)


def _remindable(cycle_id: int, now: datetime) -> Select[*tuple[Any, ...]]:
    """Customers with an address who were asked some days ago, have not answered, and were never reminded."""
    query = select(InvitationRow.id, InvitationRow.customer_id, CustomerRow.email, CustomerRow.locale)
    return query.join(CustomerRow, CustomerRow.id == InvitationRow.customer_id).where(
        *still_open(cycle_id, now),
        CustomerRow.email.is_not(None),
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
        outbox.put_all(_letters(REMINDER, cycle.id, portion, now))
    return len(rows)
