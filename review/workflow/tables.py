"""What the conductor keeps: the assignment HR looks at, the openings it waits for, reminders sent, peers' progress."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db


class PlanRow(db.Model):
    """The peer assignment of a cycle in figures, never in pairs: who rates whom is computed anew at launch.

    `loads` says how many people rate how many, `shortages` who gets too few raters and why.
    """

    __tablename__ = "cycle_plan"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    computed_at: Mapped[datetime]
    reviewed: Mapped[int]
    seats: Mapped[int]
    reciprocal_pairs: Mapped[int]
    loads: Mapped[dict[str, int]] = mapped_column(JSON)
    shortages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

    @property
    def without_peers(self) -> list[dict[str, Any]]:
        """Those below the minimum: they would go without peer rating."""
        return [shortage for shortage in self.shortages if shortage["below_minimum"]]


class ScheduleRow(db.Model):
    """HR has asked for this cycle to be launched by itself at its opening time."""

    __tablename__ = "cycle_schedule"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]


class ReminderRow(db.Model):
    """A reminder that went out: `due_at` is the moment the calendar gave it, so that none is sent twice."""

    __tablename__ = "cycle_reminder"

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    deadline: Mapped[str] = mapped_column(String(16), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    letters: Mapped[int]


class PeerProgressRow(db.Model):
    """How much of the peers' work is done: once a day, rounded to tens, for a whole cycle and never for less."""

    __tablename__ = "peer_progress"
    __table_args__ = (CheckConstraint("percent % 10 = 0 AND percent BETWEEN 0 AND 100", name="only_tens"),)

    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    percent: Mapped[int]
