"""What all workers know of the mail server: when it was last in trouble, what with, and until when it is left alone."""

import random
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, String, Text, update
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db, insert_into, only_reading, rows_changed

FIRST_REST = timedelta(seconds=20)
LONGEST_REST = timedelta(minutes=15)
BREATH = timedelta(seconds=2)  # after a connection that did some work: many servers take so many letters and hang up

_dice = random.SystemRandom()


class MailServerRow(db.Model):
    """One row, number 1, from the first trouble on. `failures` counts connections in a row that brought nothing."""

    __tablename__ = "mail_server"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("failures >= 0", name="failures_are_counted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    failures: Mapped[int]
    retry_at: Mapped[datetime]
    broke_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(64))
    error: Mapped[str] = mapped_column(Text)


def trouble() -> MailServerRow | None:
    """What was last wrong, if it still is: None once a letter went through again, and after a mere breath."""
    row = db.session.get(MailServerRow, 1)
    return row if row is not None and row.failures else None


def rests(now: datetime) -> bool:
    """Whether the server is left alone for now."""
    with only_reading():
        row = db.session.get(MailServerRow, 1)
        resting = row is not None and row.retry_at > now
        failing = row is not None and row.failures > 0
        db.session.rollback()
    db.session.info["mail_failing"] = failing
    return resting


def broke_off(now: datetime, reason: str, error: str, *, did_work: bool) -> None:
    """Leave the server alone: a moment after a connection that did some work, else twice as long each time."""
    first = {"id": 1, "failures": 0, "retry_at": now, "broke_at": now, "reason": reason, "error": error}
    db.session.execute(insert_into(MailServerRow).values(first).on_conflict_do_nothing(index_elements=["id"]))
    row = db.session.get_one(MailServerRow, 1, with_for_update=True)
    failures = 0 if did_work else row.failures + 1
    rest = BREATH if did_work else min(LONGEST_REST, FIRST_REST * 2 ** min(failures - 1, 10))
    retry_at = now + rest * (1 + _dice.random() / 2)
    row.failures, row.retry_at, row.broke_at, row.reason, row.error = failures, retry_at, now, reason, error
    db.session.commit()


def works() -> None:
    """A letter went through: earlier trouble is over. Writes only where there was any."""
    if not db.session.info.pop("mail_failing", False):
        return
    failing = update(MailServerRow).where(MailServerRow.id == 1, MailServerRow.failures > 0)
    rows_changed(failing.values(failures=0))
    db.session.commit()
