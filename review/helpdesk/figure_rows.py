"""Writes figures told as a whole: one row a person, indicator and span; a later file replaces it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from review.domain.records import TicketSystem
from review.helpdesk.agent_figures import Figure, Span
from review.helpdesk.tables import FigureRow
from review.infra.db import db

FIGURE = FigureRow.__table__


def write(system: TicketSystem, figures: Sequence[Figure], import_id: int | None) -> tuple[int, int, int]:
    """New, changed and same figures; a later one about the same span replaces it. Nothing is committed."""
    latest = {(one.person, one.indicator, one.span): one for one in figures}
    people = sorted({one.person for one in figures})
    there: dict[tuple[int, str, Span], Any] = {}
    for start in range(0, len(people), 2000):
        held = FIGURE.c.person_id.in_(people[start : start + 2000])
        for held_row in db.session.execute(select(FIGURE).where(FIGURE.c.system == system, held)):
            span = held_row.first_day, held_row.last_day
            there[held_row.person_id, held_row.indicator, span] = held_row
    new: list[dict[str, Any]] = []
    changed = same = 0
    for (person, indicator, span), one in latest.items():
        row: Any = there.get((person, indicator.value, span))
        values = {"numerator": one.numerator, "denominator": one.denominator, "is_counted": one.is_counted}
        place = {"import_id": import_id, "source_row": one.row}
        if row is None:
            days = {"first_day": span[0], "last_day": span[1]}
            new.append({"system": system, "person_id": person, "indicator": indicator.value, **days, **values, **place})
        elif (row.numerator, row.denominator, row.is_counted) == (one.numerator, one.denominator, one.is_counted):
            same += 1
        else:
            changed += 1
            if import_id is not None:
                db.session.execute(update(FIGURE).where(FIGURE.c.id == row.id).values(**values, **place))
    if new and import_id is not None:
        db.session.execute(insert(FIGURE), new)
    return len(new), changed, same
