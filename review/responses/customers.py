"""Customers' overall stars and words for the room that asked them: joined by key in the database, never row by row.

Nobody else may ask: an agent sees these only summed, by `tally`.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, Subquery, select

from review.cycles.tables import ReviewRow
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses.tables import ResponseRow
from review.responses.tally import CustomerWord


def overall_stars() -> Subquery:
    """Every customer's overall star as a table to join: `review_id`, `respondent` (the customer's key), `overall`."""
    columns = (ResponseRow.review_id, ResponseRow.respondent, ResponseRow.overall)
    return select(*columns).where(ResponseRow.source == Source.CUSTOMERS).subquery("stars")


def words_in(cycle_id: int, review_ids: Collection[int] | None = None) -> list[tuple[int, CustomerWord]]:
    """What customers wrote in a cycle, with the review it is about; answers without a word are left out. One query.

    Sorted by the text, so that the order tells neither who nor when.
    """
    query: Select[Any] = (
        select(ResponseRow)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
        .where(ResponseRow.source == Source.CUSTOMERS)
    )
    if review_ids is not None:
        query = query.where(ReviewRow.id.in_(review_ids))
    found = []
    for row in db.session.scalars(query.execution_options(yield_per=2000)):
        comment = str(row.texts.get("comment", "")).strip()
        if comment and row.filed_at is not None:
            wishes = (row.wants_contact, row.withhold_ticket, row.filed_at, str(row.texts.get("contact", "")))
            found.append((row.review_id, CustomerWord(row.respondent, row.overall or 0, comment, *wishes)))
    return sorted(found, key=lambda each: (each[1].comment, each[1].overall))
