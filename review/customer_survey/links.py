"""Links of surveys: derived, never stored, and listed for gateways that send them by SMS or WeCom."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update

from review.customer_survey.tables import InvitationRow, WaveRow
from review.cycles.tables import ReviewRow
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import organisation
from review.infra.db import db, rows_changed
from review.infra.house import absolute, house
from review.infra.sheets import safe_cell
from review.people.tables import PersonRow

PORTION = 5000
HEADINGS = ("customer_no", "customer", "language", "channel", "ticket", "agent", "wave", "link", "valid_until")


def link_token(cycle_id: int, customer_id: int, generation: int) -> str:
    """The secret of one customer's link: derived, so that a crash between commit and mail sends the same one again."""
    return house().links.token("survey", cycle_id, customer_id, generation)


def address(token: str) -> str:
    """Where the survey of a token is answered, as somebody outside reaches it."""
    return absolute(f"/s/{token}")


def still_open(cycle_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Invitations that could still be answered."""
    return (
        InvitationRow.cycle_id == cycle_id,
        InvitationRow.used_at.is_(None),
        InvitationRow.withdrawn_at.is_(None),
        InvitationRow.expires_at > now,
        CustomerRow.unsubscribed_at.is_(None),
    )


@dataclass(frozen=True, slots=True)
class OpenLinks:
    """How many links could still be answered: all, and those of customers without an address."""

    all: int
    without_email: int


def open_links(cycle_id: int, now: datetime) -> OpenLinks:
    query = select(func.count(), func.count().filter(CustomerRow.email.is_(None)))
    joined = query.select_from(InvitationRow).join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
    return OpenLinks(*db.session.execute(joined.where(*still_open(cycle_id, now))).one())


def links_csv(cycle_id: int, now: datetime, *, everybody: bool) -> Iterator[str]:
    """Lines of CSV for an SMS or WeCom gateway: the links of customers without an address, or of everybody.

    Headings are keys for programs, times stand in the organisation's zone. Rows are read in portions.
    """
    zone = organisation.current().zone
    yield _line(HEADINGS)
    query = _listed(cycle_id, now) if everybody else _listed(cycle_id, now).where(CustomerRow.email.is_(None))
    for row in db.session.execute(query.execution_options(yield_per=PORTION)):
        link = address(link_token(cycle_id, row.customer_id, row.generation))
        until = row.expires_at.astimezone(zone).isoformat(" ", "minutes")
        told = (row.external_id or "", row.name, row.locale, row.channel, row.reference, row.agent, row.wave or "")
        yield _line([*map(safe_cell, told), link, until])


def note_taken_along(cycle_id: int, now: datetime, *, everybody: bool) -> int:
    """Write down that these links were offered over a gateway, the first time; how many were new to it."""
    customers = select(CustomerRow.id).where(CustomerRow.unsubscribed_at.is_(None))
    if not everybody:
        customers = customers.where(CustomerRow.email.is_(None))
    fresh = update(InvitationRow).where(
        InvitationRow.cycle_id == cycle_id,
        InvitationRow.used_at.is_(None),
        InvitationRow.withdrawn_at.is_(None),
        InvitationRow.expires_at > now,
        InvitationRow.gateway_at.is_(None),
        InvitationRow.customer_id.in_(customers),
    )
    return rows_changed(fresh.values(gateway_at=now).execution_options(synchronize_session=False))


def _line(cells: Sequence[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _listed(cycle_id: int, now: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            InvitationRow.customer_id,
            InvitationRow.generation,
            InvitationRow.expires_at,
            CustomerRow.external_id,
            CustomerRow.name,
            CustomerRow.locale,
            TicketRow.channel,
            TicketRow.reference,
            PersonRow.name.label("agent"),
            WaveRow.key.label("wave"),
        )
        .join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        .join(TicketRow, TicketRow.id == InvitationRow.ticket_id)
        .join(ReviewRow, ReviewRow.id == InvitationRow.review_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(WaveRow, WaveRow.id == InvitationRow.wave_id)
        .where(*still_open(cycle_id, now))
        .order_by(InvitationRow.id)
    )
