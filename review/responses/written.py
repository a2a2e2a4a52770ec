"""Everything filed in a cycle as plain data, for the day it is frozen: the self-review, and what others wrote."""

from typing import Any

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses import shape
from review.responses.tables import ResponseRow
from review.schemes.service import scheme_of


def written_in(cycle_id: int) -> dict[int, dict[str, Any]]:
    """By review: `self` (answers and statement), `supervisor` and `second` (comments, overall), `comments` of
    customers, and `customers` (how many answered, how many gave each overall star). One query, JSON types only.

    Customers' comments are sorted, so that their order tells nothing.
    """
    cycle = db.session.get_one(CycleRow, cycle_id)
    scheme = scheme_of(cycle.scheme_id)
    query = (
        select(ResponseRow, ReviewRow.supervisor_id, ReviewRow.second_rater_id)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(ReviewRow.cycle_id == cycle_id, ResponseRow.filed_at.is_not(None))
        .order_by(ResponseRow.review_id)
        .execution_options(yield_per=2000)
    )
    found: dict[int, dict[str, Any]] = {}
    for row, supervisor_id, second_id in db.session.execute(query):
        said = found.setdefault(row.review_id, {"comments": [], "customers": {"n": 0, "stars": [0] * 5}})
        if row.source is Source.SELF:
            own = shape.self_from(scheme, row)
            levels = {key: level.value if level else None for key, level in own.answers.items()}
            said["self"] = {"answers": levels, "statement": shape.self_texts(own)}
        elif row.source is Source.SUPERVISOR and row.person_id in {supervisor_id, second_id}:
            rating = shape.rating_from(scheme, row)
            who = "supervisor" if row.person_id == supervisor_id else "second"
            said[who] = {"comments": dict(rating.comments), "overall": rating.overall}
        elif row.source is Source.CUSTOMERS:
            _add_customer(said, row)
    for said in found.values():
        said["comments"].sort()
    return found


def _add_customer(said: dict[str, Any], row: ResponseRow) -> None:
    said["customers"]["n"] += 1
    said["customers"]["stars"][(row.overall or 1) - 1] += 1
    comment = str(row.texts.get("comment", "")).strip()
    if comment:
        said["comments"].append(comment)
