"""Who was asked about which ticket; private to this room.

An invitation holds the digest of its link, never the link, and never what was answered.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db


class InvitationRow(db.Model):
    """One customer asked once in a cycle, about one ticket of one reviewed person.

    `generation` is raised to make an earlier link worthless. `used_form` is the digest of the form that was sent, so
    that the same form sent twice is recognised and any other is not.
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
