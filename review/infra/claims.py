"""Takes letters for sending, and notes what became of them. Several workers may do so at once; each letter is one's.

A claim that is not renewed runs out, and whoever comes next takes the letter over: a killed worker loses nothing.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from review.infra import pacing
from review.infra.db import db, only_reading, rows_changed
from review.infra.outbox import LetterRow, LetterState

LEASE = timedelta(minutes=10)
TRIES = 12
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=4)  # twelve tries then last about a day, as long as a reader's server may be away
ABANDONED = "mail:abandoned"

_dice = random.SystemRandom()


def jittered(pause: timedelta) -> timedelta:
    """Up to half as long again: letters that failed together must not come back together."""
    return pause * (1 + _dice.random() / 2)


def claim(now: datetime, most: int) -> list[LetterRow]:
    """Take up to `most` due letters for sending and commit the claim; a lease that ran out is claimed again.

    Letters that are held back, and those whose domain has had its share of this minute, stay where they are.
    """
    due = _due(now)
    with only_reading():
        anything = db.session.scalar(select(LetterRow.id).where(due).limit(1))
        db.session.rollback()
    if not anything:
        return []
    room = pacing.Room(pacing.limits(), now)
    ids: list[int] = []
    while len(ids) < most:
        found = _next(and_(due, LetterRow.domain.not_in(room.full()), LetterRow.id.not_in(ids)), most - len(ids))
        if not found:
            break
        taken = room.take(found)
        if not taken:
            break
        ids += taken
    return _take(ids, now)


def _due(now: datetime) -> ColumnElement[bool]:
    waiting = (LetterRow.state == LetterState.WAITING) & (LetterRow.send_after <= now)
    abandoned = (LetterRow.state == LetterState.SENDING) & (LetterRow.lease_until < now)
    return and_(or_(waiting, abandoned), pacing.may_leave())


def _next(which: ColumnElement[bool], most: int) -> list[tuple[int, str]]:
    query = select(LetterRow.id, LetterRow.domain).where(which).order_by(LetterRow.send_after, LetterRow.id).limit(most)
    if db.engine.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [(row.id, row.domain) for row in db.session.execute(query)]


def _take(ids: list[int], now: datetime) -> list[LetterRow]:
    if not ids:
        db.session.rollback()
        return []
    values = {"state": LetterState.SENDING, "lease_until": now + LEASE, "attempts": LetterRow.attempts + 1}
    taken = update(LetterRow).where(LetterRow.id.in_(ids)).values(values | {"tried_at": now}).returning(LetterRow)
    rows = sorted(db.session.scalars(taken), key=lambda row: (row.send_after, row.id))
    for row in rows:
        db.session.expunge(row)
    db.session.commit()
    worn_out = [row for row in rows if row.attempts > TRIES]
    for row in worn_out:  # whoever tried it died every time
        mark_failed(row, now, ABANDONED, "", for_good=True)
    return [row for row in rows if row not in worn_out]


def _mine(row: LetterRow) -> ColumnElement[bool]:
    return and_(LetterRow.id == row.id, LetterRow.state == LetterState.SENDING, LetterRow.attempts == row.attempts)


def renew(rows: Sequence[LetterRow], now: datetime) -> list[LetterRow]:
    """Hold claimed letters longer; those that somebody else has taken over meanwhile are left out."""
    kept = [row for row in rows if rows_changed(update(LetterRow).where(_mine(row)).values(lease_until=now + LEASE))]
    db.session.commit()
    return kept


def mark_sent(row: LetterRow, now: datetime) -> None:
    """The server took it, so it is sent, whoever may hold the claim by now."""
    sent = {"state": LetterState.SENT, "sent_at": now, "tried_at": now, "lease_until": None}
    sent |= {"error": None, "reason": None}
    db.session.execute(update(LetterRow).where(LetterRow.id == row.id).values(sent))
    db.session.commit()


def release(rows: Sequence[LetterRow], reason: str, error: str) -> None:
    """Put letters back that were claimed but never tried: that the server is down is not their failure."""
    again: dict[str, Any] = {"state": LetterState.WAITING, "attempts": LetterRow.attempts - 1, "lease_until": None}
    again |= {"error": error, "reason": reason, "tried_at": None}
    for row in rows:
        db.session.execute(update(LetterRow).where(_mine(row)).values(again))
    db.session.commit()


def mark_failed(row: LetterRow, now: datetime, reason: str, error: str, *, for_good: bool) -> None:
    """Note why a letter did not leave; it is tried again later, unless that is pointless or was done often enough."""
    values: dict[str, Any] = {"lease_until": None, "error": error, "reason": reason, "tried_at": now}
    if for_good or row.attempts >= TRIES:
        values |= {"state": LetterState.FAILED}
    else:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (row.attempts - 1))
        values |= {"state": LetterState.WAITING, "send_after": now + jittered(pause)}
    db.session.execute(update(LetterRow).where(_mine(row)).values(values))
    db.session.commit()


def free_abandoned(now: datetime) -> int:
    """For the only worker of an installation: what still "is being sent" was left by one that was killed."""
    sending = update(LetterRow).where(LetterRow.state == LetterState.SENDING)
    freed = rows_changed(sending.values(lease_until=now - timedelta(seconds=1)))
    db.session.commit()
    return freed
