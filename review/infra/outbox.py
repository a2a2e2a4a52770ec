"""Letters are rows first: written in the transaction that causes them, sent after it has committed, by claim.

A row holds what the letter is about, never a secret: links are derived when it is rendered. It is unique on (kind,
about, to), so that a reminder asked for twice is written once.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db, enum_column, insert_into, rows_changed


class LetterState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # it never left: the server refused it, or what it is about is over
    BOUNCED = "bounced"  # it left, and came back


class LetterRow(db.Model):
    """One letter to one reader.

    `batch` says what it was written for together with others (`cycle:7`), `domain` is the part of the address behind
    the @. `reason` is the code of why it did not arrive, `error` what the mail server said. `tried_at` is when it was
    last handed to a server, whatever came of it.
    """

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("kind", "about", "to"),
        CheckConstraint("reason IS NULL OR reason LIKE '%:%'", name="reason_is_a_code"),
        Index("ix_letter_state_send_after", "state", "send_after"),
        Index("ix_letter_tried_at", "tried_at"),
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
    batch: Mapped[str | None] = mapped_column(String(64))
    domain: Mapped[str] = mapped_column(String(254))
    tried_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(64))


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
        "batch": batch_of(about, params),
        "domain": domain_of(to),
    }


def batch_of(about: str, params: Mapping[str, Any]) -> str | None:
    """The cycle that a letter belongs to, as `cycle:7`, if it says so."""
    if isinstance(params.get("cycle"), int):
        return f"cycle:{params['cycle']}"
    head, _, rest = about.partition(":")
    number = rest.partition(":")[0]
    return f"cycle:{number}" if head == "cycle" and number.isdigit() else None


def domain_of(address: str) -> str:
    """What stands behind the @, as domains are compared; empty where there is none."""
    return address.rpartition("@")[2].strip().lower() if "@" in address else ""


def put_all(letters: Iterable[Mapping[str, Any]]) -> None:
    """Write many letters at once, leaving out those that are there already."""
    rows = [dict(each) for each in letters]
    for start in range(0, len(rows), 500):
        statement = insert_into(LetterRow).on_conflict_do_nothing(index_elements=["kind", "about", "to"])
        db.session.execute(statement, rows[start : start + 500])


def take_back(kind: str, about: str) -> int:
    """Remove letters of that kind and about that nobody has begun to send; how many."""
    # The state is looked at afterwards: among 100,000 waiting letters SQLite would look the few up by it, not by these.
    ids = list(db.session.scalars(select(LetterRow.id).where(LetterRow.kind == kind, LetterRow.about == about)))
    if not ids:
        return 0
    waiting = LetterRow.id.in_(ids) & (LetterRow.state == LetterState.WAITING)
    return rows_changed(delete(LetterRow).where(waiting))


def again(ids: Collection[int] | None, now: datetime) -> int:
    """Put letters that failed or came back in line once more: those of `ids`, or all; how many."""
    stopped = LetterRow.state.in_((LetterState.FAILED, LetterState.BOUNCED))
    values = {"state": LetterState.WAITING, "send_after": now, "attempts": 0, "error": None, "reason": None}
    statement = update(LetterRow).where(stopped)
    if ids is not None:
        statement = statement.where(LetterRow.id.in_(ids))
    return len(db.session.scalars(statement.values(values).returning(LetterRow.id)).all())
