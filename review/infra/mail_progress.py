"""How far the mail is: by kind and what it was written for, how fast it goes, and what keeps letters from arriving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState

LATELY = timedelta(minutes=10)
REASONS = 6


@dataclass(slots=True)
class Line:
    """Letters of one kind written for one thing; `waiting` counts those under way, too."""

    kind: str
    batch: str | None
    waiting: int = 0
    sent: int = 0
    failed: int = 0
    bounced: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.sent + self.failed + self.bounced

    @property
    def done_percent(self) -> int:
        """Rounded down: 100 is said only of what is through."""
        return 100 * (self.total - self.waiting) // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class Pace:
    """Letters a minute over the last ten minutes, and when what waits would be through; None where nothing leaves."""

    per_minute: int
    done_at: datetime | None


def lines() -> list[Line]:
    """Newest first."""
    counted = select(LetterRow.kind, LetterRow.batch, LetterRow.state, func.count(), func.max(LetterRow.id)).group_by(
        LetterRow.kind, LetterRow.batch, LetterRow.state
    )
    found: dict[tuple[str, str | None], Line] = {}
    newest: dict[tuple[str, str | None], int] = {}
    for kind, batch, state, count, last in db.session.execute(counted):
        line = found.setdefault((kind, batch), Line(kind, batch))
        name = "waiting" if state in {LetterState.WAITING, LetterState.SENDING} else state.value
        setattr(line, name, getattr(line, name) + count)
        newest[kind, batch] = max(newest.get((kind, batch), 0), last)
    return sorted(found.values(), key=lambda line: newest[line.kind, line.batch], reverse=True)


def pace(waiting: int, now: datetime) -> Pace:
    """How fast letters leave. Minutes count from the first of the last ten in which one left."""
    sent, first = db.session.execute(
        select(func.count(), func.min(LetterRow.sent_at)).where(LetterRow.sent_at > now - LATELY)
    ).one()
    if not sent or first is None:
        return Pace(0, None)
    minutes = max(timedelta(minutes=1), now - first) / timedelta(minutes=1)
    per_minute = max(1, round(sent / minutes))
    return Pace(per_minute, now + timedelta(minutes=waiting / per_minute) if waiting else None)


def reasons() -> Sequence[tuple[str, int]]:
    """Why letters did not arrive, or wait after a try, the most frequent first."""
    unsent = (LetterState.FAILED, LetterState.BOUNCED, LetterState.WAITING)
    counted = (
        select(LetterRow.reason, func.count())
        .where(LetterRow.reason.is_not(None), LetterRow.state.in_(unsent))
        .group_by(LetterRow.reason)
        .order_by(func.count().desc(), LetterRow.reason)
        .limit(REASONS)
    )
    return [(str(reason), count) for reason, count in db.session.execute(counted)]
