"""How surveys go out, who was asked about which ticket, and who is not to be asked; private to this room.

An invitation holds the digest of its link, never the link, and never what was answered.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.survey_plan import Mode, Withdrawn
from review.infra.db import db, enum_column


class SurveyPlanRow(db.Model):
    """How the surveys of a cycle go out. `seed` is drawn once, so that nobody can try seeds until one pleases."""

    __tablename__ = "survey_plan"
    __table_args__ = (
        CheckConstraint("expected_percent BETWEEN 1 AND 100", name="expects_a_share"),
        CheckConstraint("per_person IS NULL OR per_person > 0", name="asks_somebody"),
        CheckConstraint("delay_hours > 0 AND window_days > 0", name="time_runs_forward"),
        CheckConstraint("valid_days BETWEEN 1 AND 30", name="valid_thirty_days_at_most"),
    )

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    mode: Mapped[Mode] = mapped_column(enum_column(Mode, "survey_mode"))
    everybody: Mapped[bool]
    expected_percent: Mapped[int]
    per_person: Mapped[int | None]
    delay_hours: Mapped[int]
    window_days: Mapped[int]
    valid_days: Mapped[int]
    seed: Mapped[int]
    set_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class WaveRow(db.Model):
    """One sending of a cycle, written in the transaction that asks; the same wave can never go out twice.

    `candidates` are the tickets that could be asked about, `asked` the customers chosen, `suppressed` how many tickets
    were left out by which reason, `short` the people who got fewer invitations than the plan wants by then.
    """

    __tablename__ = "survey_wave"
    __table_args__ = (
        UniqueConstraint("cycle_id", "key"),
        CheckConstraint("first_day <= last_day", name="span_runs_forward"),
        CheckConstraint("asked BETWEEN 0 AND candidates", name="asks_candidates"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    key: Mapped[str] = mapped_column(String(24))
    first_day: Mapped[date]
    last_day: Mapped[date]
    ran_at: Mapped[datetime]
    candidates: Mapped[int]
    asked: Mapped[int]
    short: Mapped[int] = mapped_column(default=0)
    suppressed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class ExclusionRow(db.Model):
    """Somebody asks to leave a ticket out of the surveys; somebody else decides. One request a ticket."""

    __tablename__ = "survey_exclusion"
    __table_args__ = (
        UniqueConstraint("ticket_id"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(decided_at IS NULL) = (is_approved IS NULL)", name="decided_one_way"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="decided_by_another"),
        Index("ix_survey_exclusion_asked_by", "asked_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]
    answer: Mapped[str] = mapped_column(Text, server_default=text("''"), default="")


class StopRow(db.Model):
    """The ledger of the list of those who get no more letters: stopped or lifted, by whom, why. Never changed.

    `by` is None when the customer did it. What holds now stands in the customer's `unsubscribed_at`.
    """

    __tablename__ = "survey_stop"
    __table_args__ = (
        CheckConstraint("\"by\" IS NULL OR reason <> ''", name="staff_say_why"),
        Index("ix_survey_stop_customer_id", "customer_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    is_lifted: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"), default="")


class InvitationRow(db.Model):
    """One customer asked once in a cycle, about one ticket of one reviewed person.

    `generation` is raised to make an earlier link worthless. `used_form` is the digest of the form that was sent, so
    that the same form sent twice is recognised and any other is not. `wave_id` says in which sending (None for those
    from before there were waves), `gateway_at` when the link was first taken along for an SMS or WeCom gateway.
    `reopens_then` is how often the ticket had been re-opened when the customer was asked.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("cycle_id", "customer_id"),
        ForeignKeyConstraint(["ticket_id", "customer_id"], ["ticket.id", "ticket.customer_id"]),
        CheckConstraint("generation >= 1", name="generation_counts_from_one"),
        CheckConstraint("length(token_hash) = 64", name="token_is_hashed"),
        CheckConstraint("expires_at > invited_at", name="expires_after_invited"),
        CheckConstraint(
            "used_at IS NULL OR (used_at >= invited_at AND used_at < expires_at)", name="used_while_it_was_valid"
        ),
        CheckConstraint("(used_at IS NULL) = (used_form IS NULL)", name="used_with_a_form"),
        CheckConstraint("reminded_at IS NULL OR reminded_at > invited_at", name="reminded_after_invited"),
        CheckConstraint("withdrawn_at IS NULL OR used_at IS NULL", name="withdrawn_unanswered"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why IS NULL)", name="withdrawn_for_a_reason"),
        Index("ix_invitation_wave_id", "wave_id"),
        Index("ix_invitation_review_id", "review_id"),
        Index("ix_invitation_ticket_id", "ticket_id"),
        Index("ix_invitation_customer_id_invited_at", "customer_id", "invited_at"),
        Index("ix_invitation_invited_at", "invited_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    ticket_id: Mapped[int]
    customer_id: Mapped[int]
    generation: Mapped[int] = mapped_column(default=1)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_form: Mapped[str | None] = mapped_column(String(64))
    wave_id: Mapped[int | None] = mapped_column(ForeignKey("survey_wave.id"))
    gateway_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[Withdrawn | None] = mapped_column(enum_column(Withdrawn, "withdrawn_why"))
    reopens_then: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class UploadRow(db.Model):
    """A file somebody looks at before importing it; one a person, gone once it is imported or a day old."""

    __tablename__ = "customer_upload"
    # A number is never used again, so that confirming one file can never mean the next.
    __table_args__ = (CheckConstraint("length(content) > 0", name="has_content"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    uploaded_at: Mapped[datetime]
    filename: Mapped[str] = mapped_column(String(120))
    content: Mapped[bytes] = mapped_column(LargeBinary)
