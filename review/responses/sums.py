"""Sums of points of a whole cycle as plain integers, for recomputing every score at once: two queries, no object a row.

What `tally` tells for pages and scorecards, without names, words or single answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses import shape
from review.responses.progress import is_official
from review.responses.tables import COLUMNS, ResponseRow

Ratings = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class CycleSums:
    """By review, as `domain.official` takes them: how many supervisors rated with their points and counts by criterion,
    and customers' stars as sum, count, sum, count … over what they are asked about. Nothing for the silent.
    """

    supervisors: Mapping[int, tuple[int, Ratings]]
    customers: Mapping[int, Sequence[int]]


def sums_in(cycle: CycleRow, scheme: Scheme) -> CycleSums:
    """The sums of every living review."""
    columns = [getattr(ResponseRow, column) for column in COLUMNS[: len(scheme.criteria)]]
    living = (ReviewRow.cycle_id == cycle.id) & ReviewRow.withdrawn_at.is_(None)
    ratings = (
        select(ResponseRow.review_id, *columns)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(living, is_official(), ResponseRow.filed_at.is_not(None))
    )
    asked = [at for at, one in enumerate(scheme.criteria) if one.is_asked_of(Source.CUSTOMERS)]
    figures = [figure for at in asked for figure in (func.coalesce(func.sum(columns[at]), 0), func.count(columns[at]))]
    answers = (
        select(ResponseRow.review_id, *figures)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(living, ResponseRow.source == Source.CUSTOMERS)
        .group_by(ResponseRow.review_id)
    )
    worth: dict[int | None, tuple[int, int]] = {None: (0, 0)}  # made once: a pair a level, not a pair an answer
    worth |= {number: (scheme.points_of(level), 1) for number, level in shape.LEVEL_OF.items()}
    supervisors: dict[int, tuple[int, Ratings]] = {}
    for review_id, *levels in db.session.execute(ratings):
        given = [worth[level] for level in levels]
        before = supervisors.get(review_id)
        supervisors[review_id] = (1, given) if before is None else (before[0] + 1, _added(before[1], given))
    customers = {row[0]: tuple(row[1:]) for row in db.session.execute(answers)}
    return CycleSums(supervisors, customers)


def _added(one: Ratings, other: Ratings) -> Ratings:
    return [(a + c, b + d) for (a, b), (c, d) in zip(one, other, strict=True)]
