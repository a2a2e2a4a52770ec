"""Writes to owners whose cases were due yesterday: once a case and owner."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from review.follow_up.service import OVERDUE
from review.follow_up.tables import CaseRow
from review.infra import outbox
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.people.tables import PersonRow


def about(case_id: int, due_on: date) -> str:
    """What the letter is about: one for each day the case was due by."""
    return f"case:{case_id}:{due_on.isoformat()}"


def letters_due(today: date, now: datetime) -> list[dict[str, Any]]:
    """The letters nobody has written yet. One query for the cases, one for the letters."""
    query = select(CaseRow.id, CaseRow.due_on, PersonRow.name, PersonRow.email, PersonRow.locale)
    late = query.join(PersonRow, PersonRow.id == CaseRow.owner_id).where(
        CaseRow.closed_at.is_(None), CaseRow.due_on < today, PersonRow.email.is_not(None)
    )
    rows = db.session.execute(late.order_by(CaseRow.id)).all()
    written = set(db.session.scalars(select(LetterRow.about).where(LetterRow.kind == OVERDUE))) if rows else set()
    return list(_letters([row for row in rows if about(row.id, row.due_on) not in written], now))


def _letters(rows: list[Any], now: datetime) -> Iterator[dict[str, Any]]:
    for row in rows:
        params = {"name": row.name, "due_on": row.due_on.isoformat(), "case_id": row.id}
        yield outbox.letter(OVERDUE, about(row.id, row.due_on), row.email, row.locale, params, now=now)
