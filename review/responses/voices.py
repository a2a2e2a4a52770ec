"""Single answers of customers, for those who follow up on them: never for the reviewed employee or their supervisor."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from review.cycles.tables import ReviewRow
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses.tables import ResponseRow

PREFIX = "customer:"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one customer answered. `contact` is how they want to be reached, empty without the wish."""

    response_id: int
    review_id: int
    customer_id: int
    overall: int
    comment: str
    wants_contact: bool
    contact: str
    withholds_ticket: bool
    filed_at: datetime


def low_in(cycle_id: int, most_stars: int) -> list[Voice]:
    """The answers of a cycle with at most so many overall stars, oldest first. One query."""
    return _voices(ReviewRow.cycle_id == cycle_id, ResponseRow.overall <= most_stars)


def wishes_in(cycle_id: int) -> list[Voice]:
    """Customers of a cycle who asked to be contacted, oldest first. One query."""
    return _voices(ReviewRow.cycle_id == cycle_id, ResponseRow.wants_contact)


def by_ids(response_ids: Collection[int]) -> dict[int, Voice]:
    """Answers by id; unknown ids are left out. One query."""
    return {voice.response_id: voice for voice in _voices(ResponseRow.id.in_(response_ids))}


def _voices(*where: object) -> list[Voice]:
    query = (
        select(ResponseRow)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(ResponseRow.source == Source.CUSTOMERS, ResponseRow.filed_at.is_not(None), *where)  # type: ignore[arg-type]
        .where(ReviewRow.withdrawn_at.is_(None))
        .order_by(ResponseRow.id)
    )
    return [_voice(row) for row in db.session.scalars(query)]


def _voice(row: ResponseRow) -> Voice:
    assert row.filed_at is not None  # the query asked for it
    return Voice(
        row.id,
        row.review_id,
        int(row.respondent.removeprefix(PREFIX)),
        row.overall or 0,
        str(row.texts.get("comment", "")),
        row.wants_contact,
        str(row.texts.get("contact", "")),
        row.withhold_ticket,
        row.filed_at,
    )
