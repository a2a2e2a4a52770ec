"""Customers, their tickets with every fact a ticket system tells, and the files these came in.

Rooms above may read these tables and point at them; only this room and the survey's intake write them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.records import Csat, ImportState, TicketStatus, TicketSystem
from review.infra.db import db, enum_column


class CustomerRow(db.Model):
    """Somebody who was helped. `external_id` is the ticket system's number for them; addresses are lower case."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("name <> ''", name="has_a_name"),
        CheckConstraint("external_id IS NULL OR external_id <> ''", name="external_id_not_blank"),
        CheckConstraint("email IS NULL OR email LIKE '_%@_%'", name="email_is_one"),
        CheckConstraint("locale IN ('zh', 'en')", name="locale_known"),
        Index("ix_customer_email", "email"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    unsubscribed_at: Mapped[datetime | None]


class ImportRow(db.Model):
    """One file that was brought in: from which system, by which mapping, and what became of its rows.

    `mapping` says which column was read as which field, `counts` how many rows were new, changed, the same, skipped by
    which reason. A file whose `digest` was imported before by the same `fingerprint` (mapping, people, HR's words)
    changes nothing. `position` is up to which row it is done, so that a worker that was killed can be followed by
    another. `stored` is the random name under which the file waits, `look` what was found out about it beforehand.
    """

    __tablename__ = "ticket_import"
    __table_args__ = (
        CheckConstraint("length(digest) = 64", name="digest_is_one"),
        CheckConstraint("(finished_at IS NULL) = (state IN ('waiting', 'running'))", name="finished_when_over"),
        Index("ix_ticket_import_brought_at", "brought_at"),
        Index("ix_ticket_import_digest", "digest"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TicketSystem] = mapped_column(enum_column(TicketSystem, "import_system"))
    filename: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[ImportState] = mapped_column(enum_column(ImportState, "import_state"))
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    cycle_id: Mapped[int | None] = mapped_column(ForeignKey("cycle.id"))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    stored: Mapped[str | None] = mapped_column(String(40))
    look: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    brought_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    brought_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class TicketRow(db.Model):
    """One case of one customer. `channel` and `kind` are the ticket system's own words.

    `reference` is the system's number, unique within it; the system `list` is the plain list of customers. `closed_on`
    is the day of the last solution in the organisation's zone, None while the case is open. Durations are whole
    seconds; those `_business` count business hours only. `difficulty` is a weight in hundredths (100 = an ordinary
    case), where the file gives one. `csat_points` are 0 to 100. None means everywhere: the system did not say.

    `agent_label` is the system's word for whoever handled it, kept until HR has settled who that is. `closed_is_guess`:
    the system told that the case is solved and not when; the last change or the survey stands in. `source_updated_at`
    is when the system last changed it, so that an older file undoes nothing.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint("reference <> ''", name="has_a_reference"),
        CheckConstraint("csat_points IS NULL OR csat_points BETWEEN 0 AND 100", name="csat_points_in_range"),
        CheckConstraint("difficulty IS NULL OR difficulty > 0", name="difficulty_positive"),
        UniqueConstraint("system", "reference"),
        UniqueConstraint("id", "customer_id"),  # what an invitation points at, so that it names the right customer
        Index("ix_ticket_agent_id_closed_on", "agent_id", "closed_on"),
        Index("ix_ticket_customer_id", "customer_id"),
        Index("ix_ticket_closed_on", "closed_on"),
        Index("ix_ticket_opened_at", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TicketSystem] = mapped_column(
        enum_column(TicketSystem, "ticket_system"), default=TicketSystem.LIST, server_default=TicketSystem.LIST.value
    )
    reference: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_on: Mapped[date | None]
    channel: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[TicketStatus] = mapped_column(
        enum_column(TicketStatus, "ticket_status"),
        default=TicketStatus.SOLVED,
        server_default=TicketStatus.SOLVED.value,
    )
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    first_response: Mapped[int | None]
    first_response_business: Mapped[int | None]
    resolution: Mapped[int | None]
    resolution_business: Mapped[int | None]
    customer_wait: Mapped[int | None]
    customer_wait_business: Mapped[int | None]
    handling: Mapped[int | None]
    reopens: Mapped[int | None]
    replies: Mapped[int | None]
    reassigns: Mapped[int | None]
    difficulty: Mapped[int | None]
    is_complaint: Mapped[bool | None]
    csat: Mapped[Csat | None] = mapped_column(enum_column(Csat, "ticket_csat"))
    csat_points: Mapped[int | None]
    csat_comment: Mapped[str | None] = mapped_column(Text)
    customer_opened: Mapped[bool | None]
    agent_answered: Mapped[bool | None]
    csat_at: Mapped[datetime | None]
    agent_label: Mapped[str | None] = mapped_column(String(400))
    closed_is_guess: Mapped[bool] = mapped_column(default=False, server_default=false())
    source_updated_at: Mapped[datetime | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_import.id"))
    source_row: Mapped[int | None]


class ShareRow(db.Model):
    """How much of a ticket that several agents handled belongs to one of them; tickets of one agent have no row.

    A person's share is `parts` of the sum of the parts of that ticket.
    """

    __tablename__ = "ticket_share"
    __table_args__ = (
        CheckConstraint("parts > 0", name="parts_positive"),
        Index("ix_ticket_share_person_id", "person_id"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    parts: Mapped[int]


class FigureRow(db.Model):
    """A figure that a system tells of an agent and a span of days as a whole, without its tickets.

    The value is `numerator / denominator`; `denominator` is what it counts over (sessions, answers), so that figures
    of several spans add up. A later file about the same span replaces it. Where nobody told what a rate
    counts over it is not counted: its value holds, its denominator means nothing, every span of it weighs alike.
    """

    __tablename__ = "agent_figure"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="span_runs_forward"),
        CheckConstraint("denominator > 0", name="denominator_positive"),
        UniqueConstraint("system", "person_id", "indicator", "first_day", "last_day"),
        Index("ix_agent_figure_first_day_last_day", "first_day", "last_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TicketSystem] = mapped_column(enum_column(TicketSystem, "figure_system"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    indicator: Mapped[str] = mapped_column(String(40))
    first_day: Mapped[date]
    last_day: Mapped[date]
    numerator: Mapped[int] = mapped_column(BigInteger)
    denominator: Mapped[int] = mapped_column(BigInteger)
    is_counted: Mapped[bool] = mapped_column(default=True, server_default=true())
    import_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_import.id"))
    source_row: Mapped[int | None]


class AliasRow(db.Model):
    """Whom a system means by a word for an agent, as HR said once; without a person: nobody of ours, leave it out."""

    __tablename__ = "agent_alias"
    __table_args__ = (UniqueConstraint("system", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TicketSystem] = mapped_column(enum_column(TicketSystem, "alias_system"))
    label: Mapped[str] = mapped_column(String(120))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    said_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    said_at: Mapped[datetime]


class MappingRow(db.Model):
    """How HR wants a column of a system's files to be read, remembered; an empty field means: leave it alone."""

    __tablename__ = "column_mapping"
    __table_args__ = (UniqueConstraint("system", "heading"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TicketSystem] = mapped_column(enum_column(TicketSystem, "mapping_system"))
    heading: Mapped[str] = mapped_column(String(120))
    field: Mapped[str] = mapped_column(String(40), server_default=text("''"))
    said_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    said_at: Mapped[datetime]
