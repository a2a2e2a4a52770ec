"""Conflicts of interest (回避): who should not rate whom. One declares it, it counts for both, from the next plan."""

from datetime import datetime

from sqlalchemy import delete, select

from review.domain.refusals import Invalid, OutOfReach
from review.infra import audit
from review.infra.db import db
from review.peer_review.tables import ConflictRow
from review.people.tables import PersonRow


def conflicts() -> set[tuple[int, int]]:
    """Every declared pair as (who declared, about whom); take each for both directions."""
    rows = db.session.execute(select(ConflictRow.person_id, ConflictRow.other_id))
    return {(person, other) for person, other in rows}


def declared_by(person_id: int) -> list[PersonRow]:
    """About whom this person declared a conflict, by name: for that person alone."""
    query = select(PersonRow).join(ConflictRow, ConflictRow.other_id == PersonRow.id)
    return list(db.session.scalars(query.where(ConflictRow.person_id == person_id).order_by(PersonRow.name)))


def declare_conflict(person_id: int, employee_no: str, now: datetime) -> int:
    """Declare a conflict with the colleague of that number; their id. Harmless to repeat.

    Raises Invalid for an unknown number and one's own. The log does not say with whom.
    """
    other = db.session.scalar(select(PersonRow.id).where(PersonRow.employee_no == employee_no))
    if other is None:
        raise Invalid("peer_review:no_such_colleague", "employee_no")
    if other == person_id:
        raise Invalid("peer_review:oneself", "employee_no")
    if db.session.get(ConflictRow, (person_id, other)) is None:
        db.session.add(ConflictRow(person_id=person_id, other_id=other))
        audit.record("peer_review:conflict:declared", f"person:{person_id}", by=person_id, at=now)
    return other


def withdraw_conflict(person_id: int, other_id: int, now: datetime) -> None:
    """Take one's own declaration back. Raises OutOfReach when there is none."""
    mine = delete(ConflictRow).where(ConflictRow.person_id == person_id, ConflictRow.other_id == other_id)
    if db.session.scalar(mine.returning(ConflictRow.other_id)) is None:
        raise OutOfReach("peer_review:no_such_conflict")
    audit.record("peer_review:conflict:withdrawn", f"person:{person_id}", by=person_id, at=now)
