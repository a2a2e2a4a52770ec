"""Adds, lists and deletes a supervisor's notes. Whoever answers for a person now reads those of predecessors too."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from review.domain.access import Actor, Standing
from review.domain.refusals import Invalid, OutOfReach, Problem
from review.infra.db import db
from review.infra.gate import Found
from review.people.tables import PersonRow
from review.supervisor_review.tables import LONGEST_NOTE, NoteRow


@dataclass(frozen=True, slots=True)
class Note:
    """A note as its readers see it; `is_own` says whether the reader may delete it."""

    id: int
    on: date
    criterion: str | None
    text: str
    author: str
    is_own: bool


def find_report(actor: Actor, person_id: int) -> Found:
    """A person who reports to the actor now; somebody else's people do not exist for them."""
    person = db.session.get(PersonRow, person_id)
    if person is None or not reports_to(person_id, actor.person_id):
        raise OutOfReach("supervisor_review:not_your_report")
    return Found(person, frozenset({Standing.RESPONSIBLE}))


def reports_to(person_id: int, supervisor_id: int) -> bool:
    person = db.session.get(PersonRow, person_id)
    return person is not None and person.supervisor_id == supervisor_id


def find_note(actor: Actor, note_id: int) -> Found:
    """A note of one's own; others' notes can be read where they are listed, but not be found by number."""
    note = db.session.get(NoteRow, note_id)
    if note is None or note.author_id != actor.person_id:
        raise OutOfReach("supervisor_review:no_such_note")
    return Found(note, frozenset({Standing.RESPONSIBLE}))


def add(
    subject_id: int, author_id: int, on: date | None, text: str, criterion: str | None, *, today: date, now: datetime
) -> None:
    """Write a note; raises Invalid for one without words or day, or about a day that has not come."""
    problems = []
    if not text.strip():
        problems.append(Problem("form:required", "text"))
    elif len(text) > LONGEST_NOTE:
        problems.append(Problem("form:too_long", "text", {"max": LONGEST_NOTE}))
    if on is None:
        problems.append(Problem("form:not_a_date", "on"))
    elif on > today:
        problems.append(Problem("supervisor_review:note_in_future", "on"))
    if problems:
        raise Invalid.of(problems)
    if not _is_there(subject_id, author_id, on, text):
        row = NoteRow(subject_id=subject_id, author_id=author_id, on=on, criterion=criterion or None)
        row.text, row.written_at = text, now
        db.session.add(row)


def _is_there(subject_id: int, author_id: int, on: date | None, text: str) -> bool:
    """The same note again is a form sent twice."""
    same = select(NoteRow.id).where(NoteRow.subject_id == subject_id, NoteRow.author_id == author_id, NoteRow.on == on)
    return db.session.scalar(same.where(NoteRow.text == text).limit(1)) is not None


def delete(note: NoteRow) -> None:
    db.session.delete(note)


def notes_about(
    subject_id: int, reader_id: int, *, since: date | None = None, criterion: str | None = None
) -> list[Note]:
    """Notes about a person, latest first; with `criterion`, those that speak to it or to none. One query."""
    query = select(NoteRow, PersonRow.name).join(PersonRow, PersonRow.id == NoteRow.author_id)
    query = query.where(NoteRow.subject_id == subject_id)
    if since is not None:
        query = query.where(NoteRow.on >= since)
    if criterion is not None:
        query = query.where((NoteRow.criterion == criterion) | NoteRow.criterion.is_(None))
    return [
        Note(row.id, row.on, row.criterion, row.text, author, row.author_id == reader_id)
        for row, author in db.session.execute(query.order_by(NoteRow.on.desc(), NoteRow.id.desc()))
    ]


def counts(subject_ids: Collection[int], since: date) -> dict[int, int]:
    """How many notes there are about each of these people since that day. One query."""
    query = select(NoteRow.subject_id, func.count()).where(NoteRow.subject_id.in_(subject_ids), NoteRow.on >= since)
    return dict(db.session.execute(query.group_by(NoteRow.subject_id)).all())
