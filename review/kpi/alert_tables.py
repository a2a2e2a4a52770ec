"""Alerts that were raised, and the days on which the clock has looked for them. Private to this room."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from review.domain.alerts import AlertKind
from review.infra.db import db, enum_column


class AlertRow(db.Model):
    """One alert about a person (a team: its supervisor) and a span, raised once; handled by whoever says how."""

    __tablename__ = "kpi_alert"
    __table_args__ = (
        UniqueConstraint("kind", "person_id", "first_day", "last_day"),
        CheckConstraint("first_day <= last_day", name="span_runs_forward"),
        CheckConstraint("(handled_at IS NULL) = (note IS NULL)", name="handled_with_a_note"),
        CheckConstraint("(handled_at IS NULL) = (handled_by IS NULL)", name="handled_by_somebody"),
        CheckConstraint("note IS NULL OR note <> ''", name="note_not_blank"),
        Index("ix_kpi_alert_person_id", "person_id"),
        Index("ix_kpi_alert_handled_at", "handled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(enum_column(AlertKind, "kpi_alert_kind"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    raised_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(Text)


class AlertDayRow(db.Model):
    """A day on which alerts were looked for: once a day is enough, whoever of the clocks comes first."""

    __tablename__ = "kpi_alert_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime]
