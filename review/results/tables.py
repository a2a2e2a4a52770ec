"""Scorecards, sign-offs, second looks, publications, rewards, signatures, team tables. Private to this room."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.disclosure import End
from review.domain.vocabulary import Grade
from review.infra.db import db, enum_column


class ScorecardRow(db.Model):
    """What the method computed for one review, with its whole working. Scores are hundredths of a point.

    `near_cut` repeats the flag of the working, so that the database can count whom a second person must look at.
    """

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
    near_cut: Mapped[bool] = mapped_column(default=False, server_default=false())
    working: Mapped[dict[str, Any]] = mapped_column(JSON)
    method_hash: Mapped[str] = mapped_column(String(64))
    input_hash: Mapped[str] = mapped_column(String(64))
    scored_at: Mapped[datetime]


class SignOffRow(db.Model):
    """The responsible supervisor's word on a result: a summary, the grade, a reason where it is not the computed one.

    Without a score there is no grade either, and the reason says why that is in order. `returned_at` voids it: the
    second person sent the result back, and it must be signed anew.
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
    returned_at: Mapped[datetime | None]


class LookOutcome(StrEnum):
    """What the second person says of a result near a cut."""

    CONFIRMED = "confirmed"
    SENT_BACK = "sent_back"


class SecondLookRow(db.Model):
    """The second look at a result near a cut: who is named for it, and what they said.

    `input_hash`, `score` and `final_grade` are what they saw; it counts only while the sign-off still says these.
    """

    __tablename__ = "second_look"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided_at_a_time"),
        CheckConstraint("(outcome IS NULL) = (input_hash IS NULL)", name="decided_on_figures"),
        CheckConstraint("(outcome IS NULL) = (score IS NULL)", name="decided_on_a_score"),
        CheckConstraint("(outcome IS NULL) = (final_grade IS NULL)", name="decided_on_a_grade"),
        CheckConstraint("(outcome IS NULL) = (reason = '')", name="reasoned"),
        Index("ix_second_look_person_id", "person_id"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    named_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    named_at: Mapped[datetime]
    outcome: Mapped[LookOutcome | None] = mapped_column(enum_column(LookOutcome, "look_outcome"))
    input_hash: Mapped[str | None] = mapped_column(String(64))
    score: Mapped[int | None]
    final_grade: Mapped[Grade | None] = mapped_column(enum_column(Grade, "look_grade"))
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]


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
