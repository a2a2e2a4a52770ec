"""Case reviews and customers who were contacted; private to this room.

A case knows the answer that opened it by number only. Where the customer asked not to pass on the ticket, it has none.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.case_review import Cause, Origin
from review.infra.db import db, enum_column


class CaseRow(db.Model):
    """One case review. `version` counts what was written, so that a page opened before the last time is noticed.

    The reviewed employee sees nothing of it until `talk` is there: what the owner brought to a talk.
    """

    __tablename__ = "case_review"
    __table_args__ = (
        UniqueConstraint("cycle_id", "ticket_id"),
        CheckConstraint("(origin = 'low_score') = (response_id IS NOT NULL)", name="low_scores_come_from_answers"),
        CheckConstraint("(origin = 'manual') = (opened_by IS NOT NULL)", name="somebody_opened_what_no_record_did"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
        CheckConstraint(
            "closed_at IS NULL OR (cause IS NOT NULL AND measure <> '' AND note <> '')", name="closed_with_findings"
        ),
        CheckConstraint("(talked_at IS NULL) = (talk = '')", name="talk_has_its_time"),
        CheckConstraint("(talked_at IS NULL) = (talked_by IS NULL)", name="talk_has_its_author"),
        Index("ix_case_review_cycle_id_closed_at", "cycle_id", "closed_at"),
        Index("ix_case_review_owner_id", "owner_id"),
        Index("ix_case_review_review_id", "review_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    origin: Mapped[Origin] = mapped_column(enum_column(Origin, "case_origin"))
    response_id: Mapped[int | None] = mapped_column(unique=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    subject: Mapped[str] = mapped_column(String(200), default="")
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    due_on: Mapped[date | None]
    cause: Mapped[Cause | None] = mapped_column(enum_column(Cause, "case_cause"))
    explanation: Mapped[str] = mapped_column(Text, default="")
    measure: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    talk: Mapped[str] = mapped_column(Text, default="")
    talked_at: Mapped[datetime | None]
    talked_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int] = mapped_column(default=1)


class ContactRow(db.Model):
    """A customer who had asked to be contacted was; the primary key is the answer in which they asked."""

    __tablename__ = "customer_contact"
    __table_args__ = (CheckConstraint("note <> ''", name="has_a_note"),)

    response_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    note: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
