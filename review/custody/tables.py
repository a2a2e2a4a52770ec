"""Who keeps which share of a cycle's key. What a share says stands on its trustee's paper and nowhere in here."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db


class TrusteeRow(db.Model):
    """One of a cycle's three trustees. `taken_at` says when they confirmed that they have kept their share.

    `mark` names the key that the share belongs to: of another key, made before a restore say, it opens nothing.
    """

    __tablename__ = "trustee"
    __table_args__ = (
        UniqueConstraint("cycle_id", "person_id"),
        CheckConstraint("number BETWEEN 1 AND 3", name="one_of_three"),
        Index("ix_trustee_person_id", "person_id"),
    )

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    mark: Mapped[str] = mapped_column(String(16))
    taken_at: Mapped[datetime | None]
