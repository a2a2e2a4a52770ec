"""Cycles, the reviews in them, and the ledger of moves. Other rooms may read these and point at them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.cycle import Move, Stage
from review.domain.period import PeriodKind
from review.domain.vocabulary import Custody, Protection
from review.infra.db import db, enum_column


class CycleRow(db.Model):
    """One run of reviews. Instants are UTC; people read them in the organisation's zone.

    `asked` and `max_load` steer the peer assignment, `seed` makes it repeatable. `plan_digest` names the assignment
    HR looked at, `plan_confirmed` says they accepted its shortages.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        CheckConstraint("period_start <= period_end", name="period_runs_forward"),
        CheckConstraint("opens_at < closes_at", name="opens_before_close"),
        Index(  # a cancelled cycle gives its name back
            "uq_cycle_name_living",
            "name",
            unique=True,
            sqlite_where=text("stage <> 'cancelled'"),
            postgresql_where=text("stage <> 'cancelled'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[PeriodKind] = mapped_column(enum_column(PeriodKind, "period_kind"))
    period_start: Mapped[date]
    period_end: Mapped[date]
    scheme_id: Mapped[int] = mapped_column(ForeignKey("scheme.id"))
    stage: Mapped[Stage] = mapped_column(enum_column(Stage, "stage"), default=Stage.DRAFT)
    opens_at: Mapped[datetime]
    self_due_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    finalise_by: Mapped[datetime]
    publish_on: Mapped[date]
    acknowledge_days: Mapped[int] = mapped_column(default=5)
    asked: Mapped[int] = mapped_column(default=8)
    max_load: Mapped[int] = mapped_column(default=9)
    seed: Mapped[int]
    protection: Mapped[Protection] = mapped_column(
        enum_column(Protection, "protection"), default=Protection.STANDARD, server_default=Protection.STANDARD.value
    )
    custody: Mapped[Custody] = mapped_column(
        enum_column(Custody, "custody"), default=Custody.MANAGED, server_default=Custody.MANAGED.value
    )
    plan_digest: Mapped[str | None] = mapped_column(String(64))
    plan_confirmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ReviewRow(db.Model):
    """One person reviewed in one cycle, and who answers for the result. Where they stood is kept as it was at launch.

    `second_rater_id` is who rates beside the supervisor where the scheme asks for two; the supervisor alone finalises.
    `withdrawn_at` ends a review whose subject left; `self_due_at` and `rating_due_at` are personal extensions.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("cycle_id", "subject_id"),
        CheckConstraint("supervisor_id IS NULL OR supervisor_id <> subject_id", name="not_own_supervisor"),
        CheckConstraint(
            "second_rater_id IS NULL OR second_rater_id <> subject_id", name="second_rater_is_not_the_subject"
        ),
        CheckConstraint(
            "second_rater_id IS NULL OR supervisor_id IS NULL OR second_rater_id <> supervisor_id",
            name="second_rater_is_another",
        ),
        Index("ix_review_subject_id", "subject_id"),
        Index("ix_review_supervisor_id_cycle_id", "supervisor_id", "cycle_id"),
        Index("ix_review_second_rater_id", "second_rater_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    subject_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    second_rater_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    without_peers: Mapped[bool] = mapped_column(default=False)
    self_due_at: Mapped[datetime | None]
    rating_due_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class MoveRow(db.Model):
    """The ledger: every move a cycle made, by whom and when. `made_by` is None when the clock moved it."""

    __tablename__ = "cycle_move"
    __table_args__ = (Index("ix_cycle_move_cycle_id", "cycle_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    move: Mapped[Move] = mapped_column(enum_column(Move, "move"))
    from_stage: Mapped[Stage] = mapped_column(enum_column(Stage, "from_stage"))
    to_stage: Mapped[Stage] = mapped_column(enum_column(Stage, "to_stage"))
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
