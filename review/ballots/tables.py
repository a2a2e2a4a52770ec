"""What the main database may know of peers: that an urn was opened, that it was counted, and what was published."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.disclosure import End, WhyWithheld
from review.infra.db import db, enum_column


class UrnRow(db.Model):
    """An urn was opened for this cycle. It stays for good, so that no urn is ever made a second time."""

    __tablename__ = "urn"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)


class CountRow(db.Model):
    """The cycle was counted, its cells stand. `strangers` are rows of the urn that no seat could have cast."""

    __tablename__ = "peer_count"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    counted_at: Mapped[datetime]
    ballots: Mapped[int]
    strangers: Mapped[int]


class CellRow(db.Model):
    """One published figure of peers, or why there is none; with the words below, the only trace any ballot leaves."""

    __tablename__ = "peer_cell"
    __table_args__ = (
        CheckConstraint("(withheld IS NULL) = (points IS NOT NULL)", name="shown_or_withheld"),
        CheckConstraint("(points IS NULL) = (n IS NULL)", name="n_with_points"),
        CheckConstraint('(points IS NULL) = ("over" IS NULL)', name="over_with_points"),
        CheckConstraint('"end" IS NULL OR points IS NOT NULL', name="end_with_points"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[str | None] = mapped_column(String(8))
    points: Mapped[int | None]
    over: Mapped[int | None]
    end: Mapped[End | None] = mapped_column(enum_column(End, "cell_end"))
    withheld: Mapped[WhyWithheld | None] = mapped_column(enum_column(WhyWithheld, "cell_withheld"))


class CommentRow(db.Model):
    """One comment of peers on one review, as it may be shown. `number` follows a hash of the text, not a time."""

    __tablename__ = "peer_comment"

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)


class CycleFigureRow(db.Model):
    """How far peers agree on one criterion in a whole cycle; ICC(1) is NULL where all ratings are the same."""

    __tablename__ = "peer_cycle_figure"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    reviews: Mapped[int]
    icc1_hundredths: Mapped[int | None]
    variance_hundredths: Mapped[int]


class ReceiptRow(db.Model):
    """A ballot with this receipt was counted. Only whoever held its ticket knows that it is theirs."""

    __tablename__ = "receipt"
    __table_args__ = ({"sqlite_with_rowid": False},)

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    code: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
