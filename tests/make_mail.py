"""Makes letters for tests of sending: to new colleagues, each with a link of its own."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from review.infra import outbox
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.people.tables import PersonRow
from tests.make import NOW

KIND = "people:activation"


def make_letters(count: int, now: datetime = NOW, domains: tuple[str, ...] = ("example.com",)) -> None:
    """`count` letters to as many people, their domains in turns; committed."""
    shared = {"password_hash": None, "session_version": 1, "activation": 1, "locale": "en"}
    known = db.session.scalar(select(func.count()).select_from(PersonRow)) or 0
    people = [{"employee_no": f"P{known + n}", "name": f"Person {n}", **shared} for n in range(count)]
    ids = list(db.session.scalars(PersonRow.__table__.insert().returning(PersonRow.id), people))
    rows = []
    until = int((now + timedelta(days=7)).timestamp())
    for n, person in enumerate(ids):
        to, params = f"p{person}@{domains[n % len(domains)]}", {"person": person, "until": until}
        rows.append(outbox.letter(KIND, f"person:{person}", to, "en", params, now=now))
    outbox.put_all(rows)
    db.session.commit()


def left() -> int:
    """How many letters are still to be sent."""
    open_states = (LetterState.WAITING, LetterState.SENDING)
    count = db.session.scalar(select(func.count()).where(LetterRow.state.in_(open_states))) or 0
    db.session.rollback()
    return count
