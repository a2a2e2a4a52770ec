"""Notes (记事) a supervisor keeps over the period: what happened, on which day, to which criterion it speaks."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from review.infra.db import db

LONGEST_NOTE = 1000


class NoteRow(db.Model):
    """Evidence about a person, tied to no cycle. `author_id` is who may delete it; `on` is the day it happened."""

    __tablename__ = "supervisor_note"
    __table_args__ = (
        CheckConstraint("author_id <> subject_id", name="never_about_oneself"),
        CheckConstraint("length(text) > 0", name="says_something"),
        Index("ix_supervisor_note_subject_id_on", "subject_id", "on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    on: Mapped[date]
    criterion: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    written_at: Mapped[datetime]
