"""What follows from a letter that came back: a bad address is written to no more, a full mailbox gets three tries.

A report counts only where the return path in it is genuine, and each only once.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from review.infra import bounce_report, return_path, suppression
from review.infra.bounce_report import Report
from review.infra.claims import jittered
from review.infra.db import db, enum_column, insert_into
from review.infra.outbox import LetterRow, LetterState
from review.infra.suppression import Stopped

SOFT_TRIES = 3
FIRST_PAUSE = timedelta(hours=4)


class BounceRow(db.Model):
    """One report about one letter; `digest` is the report's own, so that it counts once."""

    __tablename__ = "bounce"
    __table_args__ = (
        UniqueConstraint("letter_id", "digest"),
        CheckConstraint("length(digest) = 64", name="digest_is_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    kind: Mapped[Stopped] = mapped_column(enum_column(Stopped, "bounce_kind"))
    reason: Mapped[str] = mapped_column(String(64))
    said: Mapped[str] = mapped_column(Text)


class Outcome(StrEnum):
    """What a message at the bounce address turned out to be."""

    STOPPED = "stopped"  # the address is written to no more
    AGAIN = "again"  # the letter is tried once more, later
    REPEATED = "repeated"  # this very report counted before
    NO_BOUNCE = "no_bounce"  # a note of absence, a receipt, a person's letter
    NOT_OURS = "not_ours"  # no genuine return path of a letter that was sent


def take(raw: bytes, now: datetime, to: str | None = None) -> Outcome:
    """Read one message and act on it, in the caller's transaction."""
    report = bounce_report.read(raw, to)
    if report.kind is None:
        return Outcome.NO_BOUNCE
    letter = _letter_of(report)
    if letter is None:
        return Outcome.NOT_OURS
    if not _noted(letter, report, now):
        return Outcome.REPEATED
    if report.kind is Stopped.HARD or _soft(letter) >= SOFT_TRIES:
        _stop(letter, report, now)
        return Outcome.STOPPED
    _try_again(letter, report, now)
    return Outcome.AGAIN


def _letter_of(report: Report) -> LetterRow | None:
    """The letter that came back, locked: its return path is genuine, it was sent, and the report speaks of it."""
    for letter_id, seal in report.letters:
        row = db.session.get(LetterRow, letter_id, with_for_update=True)
        if row is None or not return_path.is_genuine(row, seal) or row.tried_at is None:
            continue
        if report.recipients is None or suppression.plain(row.to) in report.recipients:
            return row
    return None


def _noted(letter: LetterRow, report: Report, now: datetime) -> bool:
    values = {"letter_id": letter.id, "digest": report.digest, "at": now, "kind": report.kind}
    row = insert_into(BounceRow).values(values | {"reason": report.reason, "said": report.said})
    once = row.on_conflict_do_nothing(index_elements=["letter_id", "digest"]).returning(BounceRow.id)
    return db.session.scalar(once) is not None


def _soft(letter: LetterRow) -> int:
    counted = select(func.count()).where(BounceRow.letter_id == letter.id, BounceRow.kind == Stopped.SOFT)
    return db.session.scalar(counted) or 0


def _stop(letter: LetterRow, report: Report, now: datetime) -> None:
    assert report.kind is not None
    letter.state, letter.lease_until = LetterState.BOUNCED, None
    letter.reason, letter.error = report.reason, report.said
    suppression.stop(letter.to, report.kind, report.reason, report.said, letter_id=letter.id, now=now)


def _try_again(letter: LetterRow, report: Report, now: datetime) -> None:
    """Only what was sent comes back into the line; what waits or is under way again is on its way already."""
    letter.reason, letter.error = report.reason, report.said
    if letter.state is LetterState.SENT:
        pause = FIRST_PAUSE * 2 ** (_soft(letter) - 1)
        letter.state, letter.attempts, letter.sent_at = LetterState.WAITING, 0, None
        letter.send_after = now + jittered(pause)
