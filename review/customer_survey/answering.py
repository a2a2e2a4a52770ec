"""What a link opens: the survey behind a token, its one answer, and the end of all invitations.

Unknown, used, expired and closed are one answer to the outside: there is nothing here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Row, Select, select, update

from review.customer_survey.asking import take_letters_back
from review.customer_survey.stops import stop_owner
from review.customer_survey.tables import InvitationRow
from review.customer_survey.withdrawing import is_open_again
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.responses import CustomerAnswer
from review.domain.scheme_shape import Criterion
from review.domain.vocabulary import Source
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db, only_reading
from review.infra.tokens import digest
from review.people.tables import PersonRow
from review.responses.service import file_customer
from review.schemes.service import scheme_of

Found = Row[InvitationRow, CycleRow, CustomerRow, TicketRow, PersonRow]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a customer is shown: who helped them when, and the criteria they are asked about."""

    token: str
    locale: str
    agent: str
    closed_on: date
    ticket_tail: str
    kind: str
    valid_until: datetime
    criteria: tuple[Criterion, ...]


def survey_of(token: str, now: datetime) -> Survey | None:
    """The survey that can be answered by this link now; None for every other link."""
    found = db.session.execute(_behind(token)).one_or_none()
    if found is None or not _is_open(found, now):
        return None
    return _survey(token, found)


@contextmanager
def only_looking() -> Iterator[None]:
    """A look in a transaction of its own that takes no write lock: on SQLite there is one, and answers need it.

    So a link that leads nowhere, tried by whatever program however often, keeps nobody waiting.
    """
    with only_reading():
        yield
        db.session.rollback()


def answer(token: str, form: str, said: CustomerAnswer, now: datetime) -> bool:
    """Count the answer, once. True when it counts, or when exactly this form was counted before; else False.

    `form` names the very form that was sent: a second click repeats it, a second person or program does not know it.
    """
    # The cycle's row is locked, so that a close under way is either waited for or waits itself.
    found = db.session.execute(_behind(token).with_for_update(read=True, of=CycleRow)).one_or_none()
    if found is None:
        return False
    invitation = found.InvitationRow
    if not _is_open(found, now) or not _spend(invitation, form, now):
        return was_sent(token, form)
    file_customer(invitation.review_id, f"customer:{invitation.customer_id}", said, now)
    take_letters_back(invitation.cycle_id, invitation.customer_id)
    return True


def _spend(invitation: InvitationRow, form: str, now: datetime) -> bool:
    unused = InvitationRow.used_at.is_(None) & InvitationRow.withdrawn_at.is_(None) & (InvitationRow.expires_at > now)
    spent = update(InvitationRow).where(
        InvitationRow.id == invitation.id, unused, InvitationRow.token_hash == invitation.token_hash
    )
    values = {"used_at": now, "used_form": digest(form)}
    made = spent.values(values).returning(InvitationRow.id).execution_options(synchronize_session=False)
    return db.session.scalar(made) is not None


def was_sent(token: str, form: str) -> bool:
    """Whether this link was used by sending this very form, however long ago."""
    used = db.session.scalar(select(InvitationRow.used_form).where(_has(token)))
    return bool(form) and used == digest(form)


def unsubscribe(token: str, now: datetime) -> None:
    """Never write to the owner of this link again, under any of their numbers; links that work no longer do for this.

    A link nobody has changes nothing, and looks the same.
    """
    customer = db.session.scalar(
        select(CustomerRow).join(InvitationRow, InvitationRow.customer_id == CustomerRow.id).where(_has(token))
    )
    if customer is None:
        return
    stop_owner(customer, now, by=None)


def _has(token: str) -> ColumnElement[bool]:
    return InvitationRow.token_hash == digest(token)


def _behind(token: str) -> Select[InvitationRow, CycleRow, CustomerRow, TicketRow, PersonRow]:
    return (
        select(InvitationRow, CycleRow, CustomerRow, TicketRow, PersonRow)
        .join(ReviewRow, ReviewRow.id == InvitationRow.review_id)
        .join(CycleRow, CycleRow.id == InvitationRow.cycle_id)
        .join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        .join(TicketRow, TicketRow.id == InvitationRow.ticket_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .where(_has(token), ReviewRow.withdrawn_at.is_(None))
    )


def _is_open(found: Found, now: datetime) -> bool:
    cycle, invitation = found.CycleRow, found.InvitationRow
    collects = cycle.stage is Stage.COLLECTING and now < cycle.closes_at
    is_waiting = invitation.used_at is None and invitation.withdrawn_at is None
    if not collects or not is_waiting or is_open_again(invitation, found.TicketRow):
        return False
    return bool(invitation.invited_at <= now < invitation.expires_at)


def _survey(token: str, found: Found) -> Survey:
    ticket = found.TicketRow
    return Survey(
        token,
        found.CustomerRow.locale,
        found.PersonRow.name,
        ticket.closed_on,
        ticket.reference[-4:],
        ticket.kind,
        min(found.InvitationRow.expires_at, found.CycleRow.closes_at),
        scheme_of(found.CycleRow.scheme_id).asked_of(Source.CUSTOMERS),
    )
