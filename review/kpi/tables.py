"""Plans, which plan a cycle uses, and everybody's sheet with its figures, lines, words and signatures.

Private to this room. Figures are exact: whole numbers, decimals or fractions as text ("87.5", "1/3").
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.vocabulary import Grade
from review.infra.db import db, enum_column

EXACT = 80  # characters of an exact number


class PlanState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"  # readable by everyone; cycles may use it; never changes again
    RETIRED = "retired"


class Origin(StrEnum):
    """How a figure came onto a sheet."""

    SYSTEM = "system"
    HAND = "hand"
    FILE = "file"


class Direction(StrEnum):
    BONUS = "bonus"
    DEDUCTION = "deduction"


class Part(StrEnum):
    """Whose words: the employee's self-assessment or the leader's assessment."""

    SELF = "self"
    LEADER = "leader"


class Step(StrEnum):
    """Who signs, in this order."""

    EMPLOYEE = "employee"
    SUPERIOR = "superior"
    HEAD = "head"


class StoredPlanRow(db.Model):
    """One version of one plan. `body` is what `domain.kpi_plan.parse_plan` reads; a draft may still lack aims."""

    __tablename__ = "kpi_plan"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint("length(hash) = 64", name="hash_is_one"),
        CheckConstraint("(opened_at IS NULL) = (state = 'draft')", name="opened_unless_draft"),
        CheckConstraint("opened_by IS NULL OR opened_at IS NOT NULL", name="opened_by_when_opened"),
        Index(
            "uq_kpi_plan_key_draft",
            "key",
            unique=True,
            sqlite_where=text("state = 'draft'"),
            postgresql_where=text("state = 'draft'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    state: Mapped[PlanState] = mapped_column(enum_column(PlanState, "kpi_plan_state"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime | None]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class CyclePlanRow(db.Model):
    """Which plan a cycle uses; a cycle without a row has no KPI sheets."""

    __tablename__ = "kpi_cycle"
    __table_args__ = (
        UniqueConstraint("cycle_id", "plan_id"),  # what a sheet points at, so that it follows the cycle's plan
    )

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("kpi_plan.id"))
    set_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class SheetRow(db.Model):
    """The sheet of one review, with the target group and channel it was opened for.

    `group_why` is HR's reason where they chose the group. `changed_at` is when the sheet last began to say something
    else: what was decided on it before must be looked at again.
    """

    __tablename__ = "kpi_sheet"
    __table_args__ = (
        ForeignKeyConstraint(["cycle_id", "plan_id"], ["kpi_cycle.cycle_id", "kpi_cycle.plan_id"]),
        CheckConstraint("group_key <> ''", name="has_a_group"),
        CheckConstraint("(reopened_by IS NULL) = (reopened_at IS NULL)", name="reopened_by_somebody"),
        Index("ix_kpi_sheet_cycle_id", "cycle_id"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("kpi_plan.id"))
    group_key: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str | None] = mapped_column(String(40))
    group_why: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    reopened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reopened_at: Mapped[datetime | None]


class FigureRow(db.Model):
    """One row of a sheet: its target, and the figure once there is one. `why` says why a row is not applicable."""

    __tablename__ = "kpi_figure"
    __table_args__ = (
        CheckConstraint("lapses IS NULL OR lapses >= 0", name="lapses_not_negative"),
        CheckConstraint("not_applicable = (why IS NOT NULL)", name="not_applicable_with_reason"),
        CheckConstraint("why IS NULL OR why <> ''", name="why_not_blank"),
        CheckConstraint("(origin IS NULL) = (supplied_at IS NULL)", name="supplied_with_origin"),
        CheckConstraint(
            "origin IS NOT NULL OR (actual IS NULL AND lapses IS NULL AND points IS NULL)", name="figure_has_origin"
        ),
        CheckConstraint(
            "origin IS NULL OR (origin = 'system') = (supplied_by IS NULL)", name="supplied_by_somebody_or_system"
        ),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("kpi_sheet.review_id"), primary_key=True, autoincrement=False)
    row_key: Mapped[str] = mapped_column(String(40), primary_key=True)
    target: Mapped[str | None] = mapped_column(String(EXACT))
    target_limit: Mapped[str | None] = mapped_column(String(EXACT))
    actual: Mapped[str | None] = mapped_column(String(EXACT))
    count: Mapped[str | None] = mapped_column(String(EXACT))
    lapses: Mapped[int | None]
    points: Mapped[str | None] = mapped_column(String(EXACT))
    origin: Mapped[Origin | None] = mapped_column(enum_column(Origin, "kpi_figure_origin"))
    not_applicable: Mapped[bool] = mapped_column(default=False)
    why: Mapped[str | None] = mapped_column(Text)
    remark: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    supplied_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    supplied_at: Mapped[datetime | None]


class LineRow(db.Model):
    """A line of bonus or deduction; it counts once somebody other than who entered it has approved it."""

    __tablename__ = "kpi_line"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(decided_at IS NULL) = (is_approved IS NULL)", name="decided_one_way"),
        CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name="four_eyes"),
        Index("ix_kpi_line_review_id", "review_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("kpi_sheet.review_id"))
    direction: Mapped[Direction] = mapped_column(enum_column(Direction, "kpi_line_direction"))
    points: Mapped[str] = mapped_column(String(EXACT))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    entered_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]


class VetoRow(db.Model):
    """A grave breach that caps the grade (一票否决), once somebody else has approved it."""

    __tablename__ = "kpi_veto"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="has_a_reason"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(decided_at IS NULL) = (is_approved IS NULL)", name="decided_one_way"),
        CheckConstraint("decided_by IS NULL OR decided_by <> entered_by", name="four_eyes"),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("kpi_sheet.review_id"), primary_key=True, autoincrement=False)
    cap: Mapped[Grade] = mapped_column(enum_column(Grade, "kpi_veto_cap"))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    entered_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]


class WordRow(db.Model):
    """What the employee or the leader wrote about the period."""

    __tablename__ = "kpi_word"
    __table_args__ = (CheckConstraint("text <> ''", name="not_blank"),)

    review_id: Mapped[int] = mapped_column(ForeignKey("kpi_sheet.review_id"), primary_key=True, autoincrement=False)
    part: Mapped[Part] = mapped_column(enum_column(Part, "kpi_word_part"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    written_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime]


class SignatureRow(db.Model):
    """Somebody's signature; `digest` is that of everything the sheet said when it was signed.

    `remark` is what the employee says against the sheet: whoever signs has read it and need not agree.
    """

    __tablename__ = "kpi_signature"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_is_one"),)

    review_id: Mapped[int] = mapped_column(ForeignKey("kpi_sheet.review_id"), primary_key=True, autoincrement=False)
    step: Mapped[Step] = mapped_column(enum_column(Step, "kpi_signature_step"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    signed_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    remark: Mapped[str | None] = mapped_column(Text)
