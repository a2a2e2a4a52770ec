"""How fast letters may leave, and whether they may at all: limits by the reader's domain, and pauses by kind.

A limit counts over all workers, because it is counted in the database: never more than so many letters to one domain
within any sixty seconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, and_, delete, func, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState

MINUTE = timedelta(seconds=60)
EVERY = "*"  # all domains that have no limit of their own; all kinds of letters
MOST_A_MINUTE = 100_000
TURN = 0x6D61696C  # the advisory lock under which workers claim one after the other, where limits are set


class MailRateRow(db.Model):
    """At most `per_minute` letters a minute to addresses of `domain`."""

    __tablename__ = "mail_rate"
    __table_args__ = (
        CheckConstraint(f"per_minute BETWEEN 1 AND {MOST_A_MINUTE}", name="rate_is_sensible"),
        CheckConstraint("domain = lower(domain) AND length(domain) > 0", name="domain_is_lower_case"),
    )

    domain: Mapped[str] = mapped_column(String(254), primary_key=True)
    per_minute: Mapped[int]


class MailPauseRow(db.Model):
    """Letters of this kind wait until somebody lets them go on; the kind `*` is all of them."""

    __tablename__ = "mail_pause"

    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    paused_at: Mapped[datetime]
    paused_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


def paused() -> dict[str, MailPauseRow]:
    """What is held back, by kind."""
    return {row.kind: row for row in db.session.scalars(select(MailPauseRow))}


def pause(kind: str, *, by: int, now: datetime) -> bool:
    """Hold letters of this kind (or all, `*`) back; False when they are already."""
    if db.session.get(MailPauseRow, kind) is not None:
        return False
    db.session.add(MailPauseRow(kind=kind, paused_at=now, paused_by=by))
    db.session.flush()
    return True


def resume(kind: str) -> bool:
    """Let letters of this kind go on; False when they were not held back."""
    gone = delete(MailPauseRow).where(MailPauseRow.kind == kind).returning(MailPauseRow.kind)
    return db.session.scalar(gone) is not None


def may_leave() -> ColumnElement[bool]:
    """True of letters that nobody holds back."""
    everything = select(MailPauseRow.kind).where(MailPauseRow.kind == EVERY).exists()
    return and_(~everything, LetterRow.kind.not_in(select(MailPauseRow.kind)))


def limits() -> dict[str, int]:
    """Letters a minute by domain, `*` for all others; empty where nothing is limited."""
    rows = db.session.execute(select(MailRateRow.domain, MailRateRow.per_minute))
    return {domain: count for domain, count in rows}  # noqa: C416  Row objects, not pairs


def set_limits(wanted: Mapping[str, int]) -> None:
    """Replace all limits; the caller has checked them."""
    db.session.execute(delete(MailRateRow))
    db.session.add_all(MailRateRow(domain=domain, per_minute=count) for domain, count in wanted.items())
    db.session.flush()


class Room:
    """How many more letters may be handed over now, domain by domain."""

    def __init__(self, allowed: Mapping[str, int], now: datetime) -> None:
        self._allowed = allowed
        self._used: Counter[str] = Counter()
        if not allowed:
            return
        if db.engine.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            db.session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
        under_way = or_(LetterRow.state == LetterState.SENDING, LetterRow.tried_at > now - MINUTE)
        counted = select(LetterRow.domain, func.count()).where(under_way).group_by(LetterRow.domain)
        self._used.update({row[0]: row[1] for row in db.session.execute(counted)})

    def _limit(self, domain: str) -> int | None:
        return self._allowed.get(domain, self._allowed.get(EVERY))

    def full(self) -> list[str]:
        """Domains that have had their share of this minute."""
        return [domain for domain, used in self._used.items() if (limit := self._limit(domain)) and used >= limit]

    def take(self, letters: Iterable[tuple[int, str]]) -> list[int]:
        """Of letters as (id, domain), in their order, those that still have room; they are counted as used."""
        taken = []
        for letter, domain in letters:
            limit = self._limit(domain)
            if limit is None or self._used[domain] < limit:
                self._used[domain] += 1
                taken.append(letter)
        return taken
