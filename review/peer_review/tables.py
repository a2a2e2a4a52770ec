"""Who is asked about whom, and who should never be. Nothing here changes when a ballot is cast."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db


class SeatRow(db.Model):
    """One rater asked about one review. The id is random, never reused, and all that a ballot is cast with.

    `is_closed`: the rater was taken off; nobody asks whether they had cast, and a ballot that is in counts.
    """

    __tablename__ = "seat"
    __table_args__ = (UniqueConstraint("review_id", "rater_id"), Index("ix_seat_rater_id", "rater_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    is_closed: Mapped[bool] = mapped_column(default=False)


class ConflictRow(db.Model):
    """`person_id` declared that they and `other_id` should not rate each other; it counts in both directions."""

    __tablename__ = "conflict"
    __table_args__ = (CheckConstraint("person_id <> other_id", name="not_oneself"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    other_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
