"""Forms, samples, the drawn tickets with what their checkers marked, disputes, and blind calibration rounds.

Private to this room. Points are exact fractions as text ("250/3"); a mark counts from 1, NULL is "not applicable".
"""

from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db, enum_column


class FormState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"  # readable by everyone; samples may use it; never changes again
    RETIRED = "retired"


class SampleState(StrEnum):
    DRAWING = "drawing"
    DRAWN = "drawn"  # frozen; waits for its checkers
    RUNNING = "running"


class Verdict(StrEnum):
    """What became of a dispute."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    REJECTED = "rejected"


class FormRow(db.Model):
    """One version of one form. `body` is what `domain.quality_form.parse_form` reads."""

    __tablename__ = "quality_form"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        CheckConstraint("(opened_at IS NULL) = (state = 'draft')", name="opened_unless_draft"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    state: Mapped[FormState] = mapped_column(enum_column(FormState, "quality_form_state"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime | None]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class SampleRow(db.Model):
    """Tickets to be checked, drawn by lot with `seed` and frozen. Empty `channels` or `kinds` mean all of them.

    `counts` says what was drawn from: tickets by channel, and how many were left out by which rule.
    """

    __tablename__ = "quality_sample"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="span_runs_forward"),
        CheckConstraint("per_agent BETWEEN 1 AND 50", name="per_agent_in_range"),
        CheckConstraint("dispute_days BETWEEN 1 AND 30", name="dispute_days_in_range"),
        CheckConstraint("(drawn_at IS NULL) = (state = 'drawing')", name="drawn_when_over"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("quality_form.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    seed: Mapped[int] = mapped_column(BigInteger)
    per_agent: Mapped[int]
    channels: Mapped[list[str]] = mapped_column(JSON, default=list)
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    least_replies: Mapped[int] = mapped_column(default=0)
    least_handling: Mapped[int] = mapped_column(default=0)
    not_own_team: Mapped[bool] = mapped_column(default=False)
    dispute_days: Mapped[int] = mapped_column(default=5)
    due_at: Mapped[datetime]
    state: Mapped[SampleState] = mapped_column(enum_column(SampleState, "quality_sample_state"))
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    drawn_at: Mapped[datetime | None]


class CheckRow(db.Model):
    """One drawn ticket, and what its checker says of it. `draft` is theirs alone until the check is filed.

    `channel` and `closed_on` are kept as they were at the draw. A reserve waits until it replaces a ticket that could
    not be checked; that one keeps the reason, and its successor names it. `score` counts; `filed_score` is what the
    checker filed, before any dispute.
    """

    __tablename__ = "quality_check"
    __table_args__ = (
        UniqueConstraint("sample_id", "ticket_id"),
        CheckConstraint("checker_id IS NULL OR checker_id <> agent_id", name="not_own_ticket"),
        CheckConstraint("(filed_at IS NULL) = (score IS NULL)", name="score_when_filed"),
        CheckConstraint("(filed_at IS NULL) = (filed_score IS NULL)", name="filed_score_when_filed"),
        CheckConstraint("(filed_at IS NULL) = (dispute_until IS NULL)", name="clock_when_filed"),
        CheckConstraint("(replaced_at IS NULL) = (replaced_why IS NULL)", name="replaced_with_reason"),
        CheckConstraint("filed_at IS NULL OR replaced_at IS NULL", name="filed_or_replaced"),
        CheckConstraint("NOT is_reserve OR checker_id IS NULL", name="reserves_have_no_checker"),
        Index("ix_quality_check_checker_id", "checker_id"),
        Index("ix_quality_check_agent_id", "agent_id"),
        Index("ix_quality_check_closed_on", "closed_on"),
        Index("ix_quality_check_ticket_id", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("quality_sample.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    channel: Mapped[str] = mapped_column(String(40))
    closed_on: Mapped[date]
    is_reserve: Mapped[bool] = mapped_column(default=False)
    place: Mapped[int]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("quality_check.id"), unique=True)
    replaced_at: Mapped[datetime | None]
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    replaced_why: Mapped[str | None] = mapped_column(String(300))
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    draft_at: Mapped[datetime | None]
    overall: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    filed_at: Mapped[datetime | None]
    filed_score: Mapped[str | None] = mapped_column(String(120))
    score: Mapped[str | None] = mapped_column(String(120))
    dispute_until: Mapped[datetime | None]

    @property
    def points(self) -> Fraction | None:
        """The score that counts, exactly; None until the check is filed."""
        return None if self.score is None else Fraction(self.score)

    @property
    def filed_points(self) -> Fraction | None:
        """What the checker filed, exactly, before any dispute."""
        return None if self.filed_score is None else Fraction(self.filed_score)


class MarkRow(db.Model):
    """One category of one filed check. `mark` counts; `filed_mark` is what the checker filed, before any dispute."""

    __tablename__ = "quality_mark"
    __table_args__ = (
        CheckConstraint("mark IS NULL OR mark BETWEEN 1 AND 5", name="mark_in_range"),
        CheckConstraint("filed_mark IS NULL OR filed_mark BETWEEN 1 AND 5", name="filed_mark_in_range"),
        CheckConstraint("scale BETWEEN 2 AND 5", name="scale_in_range"),
    )

    check_id: Mapped[int] = mapped_column(ForeignKey("quality_check.id"), primary_key=True, autoincrement=False)
    category_key: Mapped[str] = mapped_column(String(40), primary_key=True)
    scale: Mapped[int]
    mark: Mapped[int | None]
    filed_mark: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    cause: Mapped[str | None] = mapped_column(String(40))


class DisputeRow(db.Model):
    """An agent's objection to a check, one for good, and what somebody other than the two of them decided."""

    __tablename__ = "quality_dispute"
    __table_args__ = (
        CheckConstraint("comment <> ''", name="has_a_comment"),
        CheckConstraint("(decided_at IS NULL) = (verdict IS NULL)", name="verdict_when_decided"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("decided_at IS NULL OR reason <> ''", name="decided_with_reason"),
        Index("ix_quality_dispute_decider_id", "decider_id"),
    )

    check_id: Mapped[int] = mapped_column(ForeignKey("quality_check.id"), primary_key=True, autoincrement=False)
    raised_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(Text)
    proposed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    decider_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    verdict: Mapped[Verdict | None] = mapped_column(enum_column(Verdict, "quality_verdict"))
    reason: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    score_before: Mapped[str] = mapped_column(String(120))
    score_after: Mapped[str | None] = mapped_column(String(120))


class RoundRow(db.Model):
    """A calibration round: the same tickets, marked blind by several people until `due_at` or until HR closes it."""

    __tablename__ = "quality_round"
    __table_args__ = (CheckConstraint("(closed_at IS NULL) OR (closed_at <= due_at)", name="closed_in_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("quality_form.id"))
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class RoundAnswerRow(db.Model):
    """One person's marks of one ticket in a round; the row is there, empty, from the invitation on."""

    __tablename__ = "quality_round_answer"
    __table_args__ = (
        CheckConstraint("(filed_at IS NULL) = (said IS NULL)", name="said_when_filed"),
        Index("ix_quality_round_answer_person_id", "person_id"),
    )

    round_id: Mapped[int] = mapped_column(ForeignKey("quality_round.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    said: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    filed_at: Mapped[datetime | None]
