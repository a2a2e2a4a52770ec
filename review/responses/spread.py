"""How far customers lie apart, from sums and sums of squares that the database works out; never a single answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, and_, cast, func, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import STAR_POINTS, Source
from review.infra.db import db
from review.responses.tables import COLUMNS, ResponseRow

Sums = tuple[int, int, int]  # number, sum, sum of squares
GOOD = 4  # stars from which a customer counts as satisfied


@dataclass(frozen=True, slots=True)
class Spread:
    """Sums of one cycle by reviewed person: points by criterion, and the whole contribution of each customer.

    A contribution is the sum of share x weight (percent) x points over the criteria, of those who judged all of them.
    `satisfied` of `answered` gave four or five stars overall.
    """

    by_criterion: Mapping[str, tuple[Sums, ...]]
    contributions: tuple[Sums, ...]
    satisfied: int
    answered: int


def customers_spread(cycle: CycleRow, scheme: Scheme) -> Spread:
    """One query for a cycle of any size."""
    asked = [(COLUMNS[at], one) for at, one in enumerate(scheme.criteria) if one.is_asked_of(Source.CUSTOMERS)]
    columns = [cast(getattr(ResponseRow, column), BigInteger) for column, _ in asked]
    figures: list[Any] = [figure for one in columns for figure in (func.count(one), func.sum(one), func.sum(one * one))]
    if columns:
        worth = [one.share * one.weights[Source.CUSTOMERS] for _, one in asked]
        whole = sum((weight * one for weight, one in zip(worth[1:], columns[1:], strict=True)), worth[0] * columns[0])
        judged = and_(*(one.is_not(None) for one in columns))
        figures += [figure.filter(judged) for figure in (func.count(), func.sum(whole), func.sum(whole * whole))]
    query = (
        select(func.count(), func.count().filter(ResponseRow.overall >= GOOD), *figures)
        .select_from(ResponseRow)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .where(ResponseRow.source == Source.CUSTOMERS)
        .group_by(ResponseRow.review_id)
    )
    rows = db.session.execute(query).all()
    by_criterion = {one.key: tuple(_sums(row[2 + 3 * at :][:3]) for row in rows) for at, (_, one) in enumerate(asked)}
    whole_sums = tuple(_sums(row[2 + 3 * len(asked) :][:3]) for row in rows) if asked else ()
    return Spread(by_criterion, whole_sums, sum(row[1] for row in rows), sum(row[0] for row in rows))


def _sums(stars: tuple[int | None, ...]) -> Sums:
    """Stars as points."""
    n, total, squares = (int(figure or 0) for figure in stars)
    return n, total * STAR_POINTS, squares * STAR_POINTS * STAR_POINTS
