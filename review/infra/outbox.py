"""Letters are rows first: written in the transaction that causes them, sent after it has committed, by claim.

A row holds what the letter is about, never a secret: links are derived when it is rendered. It is unique on (kind,
about, to), so that a reminder asked for twice is written once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, Text, UniqueConstraint, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db, enum_column, only_reading, rows_changed

LEASE = timedelta(minutes=10)
TRIES = 6
PAUSE = timedelta(minutes=1)  # before a mail server that was down is tried again


class LetterState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class LetterRow(db.Model):
    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("kind", "about", "to"),
        Index("ix_letter_state_send_after", "state", "send_after"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    about: Mapped[str] = mapped_column(String(120))
    to: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[LetterState] = mapped_column(enum_column(LetterState, "letter_state"))
    send_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


def put(
    kind: str,
    about: str,
    to: str,
    locale: str,
    params: Mapping[str, Any],
    *,
    now: datetime,
    after: datetime | None = None,
) -> None:
    """Write one letter into the caller's transaction; a second one of the same kind, about and to is not added."""
    put_all([letter(kind, about, to, locale, params, now=now, after=after)])


def letter(
    kind: str,
    about: str,
    to: str,
    locale: str,
    params: Mapping[str, Any],
    *,
    now: datetime,
    after: datetime | None = None,
) -> dict[str, Any]:
    """One letter as the row that `put_all` takes."""
    return {
        "kind": kind,
        "about": about,
        "to": to,
        "locale": locale,
        "params": dict(params),
        "state": LetterState.WAITING,
        "send_after": after or now,
        "attempts": 0,
    }


def put_all(letters: Iterable[Mapping[str, Any]]) -> None:
    """Write many letters at once, leaving out those that are there already."""
    insert = postgres_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    rows = [dict(each) for each in letters]
    for start in range(0, len(rows), 500):
        statement = insert(LetterRow).on_conflict_do_nothing(index_elements=["kind", "about", "to"])
        db.session.execute(statement, rows[start : start + 500])


def take_back(kind: str, about: str) -> int:
    """Remove letters of that kind and about that nobody has begun to send; how many."""
    waiting = (LetterRow.kind == kind) & (LetterRow.about == about) & (LetterRow.state == LetterState.WAITING)
    found = db.session.scalars(select(LetterRow).where(waiting)).all()
    for row in found:
        db.session.delete(row)
    return len(found)


def claim(now: datetime, most: int) -> list[LetterRow]:
    """Take up to `most` due letters for sending and commit the claim; a lease that ran out is claimed again."""
    waiting = (LetterRow.state == LetterState.WAITING) & (LetterRow.send_after <= now)
    abandoned = (LetterRow.state == LetterState.SENDING) & (LetterRow.lease_until < now)
    due = or_(waiting, abandoned)
    with only_reading():
        anything = db.session.scalar(select(LetterRow.id).where(due).limit(1))
        db.session.rollback()
    if not anything:
        return []
    ids = select(LetterRow.id).where(due).order_by(LetterRow.send_after, LetterRow.id).limit(most)
    if db.engine.dialect.name == "postgresql":
        ids = ids.with_for_update(skip_locked=True)
    taken = update(LetterRow).where(LetterRow.id.in_(ids), due).returning(LetterRow)
    values = {"state": LetterState.SENDING, "lease_until": now + LEASE, "attempts": LetterRow.attempts + 1}
    rows = list(db.session.scalars(taken.values(values)))
    for row in rows:
        db.session.expunge(row)
    db.session.commit()
    return rows


def renew(rows: Sequence[LetterRow], now: datetime) -> list[LetterRow]:
    """Hold claimed letters longer; those that somebody else has taken over meanwhile are left out."""
    kept = []
    for row in rows:
        mine = (LetterRow.id == row.id) & (LetterRow.state == LetterState.SENDING)
        if rows_changed(
            update(LetterRow).where(mine, LetterRow.attempts == row.attempts).values(lease_until=now + LEASE)
        ):
            kept.append(row)
    db.session.commit()
    return kept


def mark_sent(row: LetterRow, now: datetime) -> None:
    sent = {"state": LetterState.SENT, "sent_at": now, "lease_until": None, "error": None}
    db.session.execute(update(LetterRow).where(LetterRow.id == row.id).values(sent))
    db.session.commit()


def release(rows: Sequence[LetterRow], now: datetime, error: str) -> None:
    """Put letters back that were claimed but never tried: that the server is down is not their failure."""
    again = {
        "state": LetterState.WAITING,
        "send_after": now + PAUSE,
        "attempts": LetterRow.attempts - 1,
        "lease_until": None,
        "error": error,
    }
    mine = LetterRow.id.in_([row.id for row in rows])
    db.session.execute(update(LetterRow).where(mine, LetterRow.state == LetterState.SENDING).values(again))
    db.session.commit()


def mark_failed(row: LetterRow, now: datetime, error: str, *, for_good: bool) -> None:
    """Note why a letter did not leave; it is tried again later, unless that is pointless or was done often enough."""
    if for_good or row.attempts >= TRIES:
        values: dict[str, Any] = {"state": LetterState.FAILED, "lease_until": None, "error": error}
    else:
        later = now + timedelta(minutes=2**row.attempts)
        values = {"state": LetterState.WAITING, "send_after": later, "lease_until": None, "error": error}
    db.session.execute(update(LetterRow).where(LetterRow.id == row.id).values(values))
    db.session.commit()


def counts() -> dict[LetterState, int]:
    """How many letters are in each state."""
    rows = db.session.execute(select(LetterRow.state, func.count()).group_by(LetterRow.state))
    return {state: count for state, count in rows}  # noqa: C416  rows are Row objects, not pairs
