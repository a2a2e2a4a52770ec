"""Scorecards, sign-offs, publications, rewards, acknowledgements, team tables. Private to this room."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.disclosure import End
from review.domain.vocabulary import Grade
from review.infra.db import db, enum_column


class ScorecardRow(db.Model):
    """What the method computed for one review, with its whole working. Scores are hundredths of a point."""

    __tablename__ = "scorecard"
    __table_args__ = (
        CheckConstraint("(score IS NULL) = (grade IS NULL)", name="graded_when_scored"),
        CheckConstraint("(score IS NULL) = (withheld IS NOT NULL)", name="withheld_when_unscored"),
        Index("ix_scorecard_cycle_id", "cycle_id"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    score: Mapped[int | None]
    grade: Mapped[Grade | None] = mapped_column(enum_column(Grade, "scorecard_grade"))
    withheld: Mapped[str | None] = mapped_column(String(32))
    working: Mapped[dict[str, Any]] = mapped_column(JSON)
    method_hash: Mapped[str] = mapped_column(String(64))
    input_hash: Mapped[str] = mapped_column(String(64))
    scored_at: Mapped[datetime]


class SignOffRow(db.Model):
    """The responsible supervisor's word on a result: a summary, the grade, a reason where it is not the computed one.

    Without a score there is no grade either, and the reason says why that is in order.
    """

    __tablename__ = "sign_off"
    __table_args__ = (
        CheckConstraint("(computed_grade IS NULL) = (final_grade IS NULL)", name="graded_when_scored"),
        # Without a score both are NULL, so is the comparison, and a NULL would satisfy the check.
        CheckConstraint("coalesce(final_grade = computed_grade, false) OR reason <> ''", name="reasoned"),
        CheckConstraint("summary <> ''", name="summarised"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    computed_grade: Mapped[Grade | None] = mapped_column(enum_column(Grade, "computed_grade"))
    final_grade: Mapped[Grade | None] = mapped_column(enum_column(Grade, "final_grade"))
    reason: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    input_hash: Mapped[str] = mapped_column(String(64))
    signed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    signed_at: Mapped[datetime]


class PublicationRow(db.Model):
    """A published result, frozen: everything its page shows, as it was on that day.

    `inputs` is what the score was computed from, for recomputing it, and is never shown: it also holds figures under
    their minimum. NULL only where a result was published before inputs were kept.
    """

    __tablename__ = "publication"
    __table_args__ = (
        UniqueConstraint("review_id", "version"),
        CheckConstraint("(score IS NULL) = (grade IS NULL)", name="graded_when_scored"),
        Index("ix_publication_cycle_id", "cycle_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    version: Mapped[int]
    score: Mapped[int | None]
    grade: Mapped[Grade | None] = mapped_column(enum_column(Grade, "publication_grade"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    inputs: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    published_at: Mapped[datetime]
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class RewardRow(db.Model):
    """The tier a published grade earned. The primary key is the review: it is granted once, whoever asks again."""

    __tablename__ = "reward"

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    tier: Mapped[Grade] = mapped_column(enum_column(Grade, "tier"))
    coefficient: Mapped[str] = mapped_column(String(16))
    granted_at: Mapped[datetime]


class AcknowledgementRow(db.Model):
    """The employee has read the result (签字); it does not say that they agree."""

    __tablename__ = "acknowledgement"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class TeamCellRow(db.Model):
    """Peers' figures of one department and all below it, as told for good; all NULL where nothing may be told.

    `people` is a range, `points` a step. Worked out once, after the count: a second release could be compared with it.
    """

    __tablename__ = "peer_team_cell"
    __table_args__ = (
        CheckConstraint("(points IS NULL) = (people IS NULL)", name="people_with_points"),
        CheckConstraint('"end" IS NULL OR points IS NOT NULL', name="end_with_points"),
    )

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    people: Mapped[str | None] = mapped_column(String(8))
    points: Mapped[int | None]
    end: Mapped[End | None] = mapped_column(enum_column(End, "team_cell_end"))
