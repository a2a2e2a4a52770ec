"""What is kept of tickets: the index of keys, who has drawn, and what a seat's ticket was signed for. Never a time.

`WITHOUT ROWID`: a rowid would number the draws in the order in which people came to rate.
"""

from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db

WRAPPED_BYTES = 16 + 12 + 32 + 16  # salt, nonce, seed, tag


class TicketIndexRow(db.Model):
    """The fingerprints of all keys of a cycle, fixed at the launch: the same bytes for everybody."""

    __tablename__ = "ticket_index"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class TicketDrawRow(db.Model):
    """This rater has drawn; `wrapped` is the seed of their tickets under their passphrase. Erased at the count."""

    __tablename__ = "ticket_draw"
    __table_args__ = ({"sqlite_with_rowid": False},)

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    rater_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class TicketRow(db.Model):
    """The one thing that was ever signed for a seat, as SHA-256 of what the browser blinded. Erased at the count."""

    __tablename__ = "ballot_ticket"
    __table_args__ = ({"sqlite_with_rowid": False},)

    seat_id: Mapped[UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    blinded_hash: Mapped[bytes] = mapped_column(LargeBinary)
