"""Long lists in pages: two queries each, whatever the size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from review.infra.db import db

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of rows: `number` counts from 1, `total` is the number of all rows."""

    rows: Sequence[Any]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.per_page))


def page_of(query: Select[Any], number: int, per_page: int = PER_PAGE) -> Listing:
    """Page `number` of an ordered select; a number out of range gives the nearest page. Rows, not tuples, if single."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = min(max(1, number), max(1, -(-total // per_page)))
    found = db.session.execute(query.limit(per_page).offset((number - 1) * per_page)).all()
    rows = [row[0] if len(row) == 1 else row for row in found]
    return Listing(rows, number, total, per_page)


def slice_of(everything: Sequence[Any], number: int, per_page: int = PER_PAGE) -> Listing:
    """Page `number` of rows that are in memory already; a number out of range gives the nearest page."""
    total = len(everything)
    number = min(max(1, number), max(1, -(-total // per_page)))
    return Listing(everything[(number - 1) * per_page : number * per_page], number, total, per_page)
