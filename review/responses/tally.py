"""Sums and counts of what was filed, worked out by the database: five queries for a cycle of any size."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.disclosure import Cell
from review.domain.records import Measured
from review.domain.refusals import OutOfReach
from review.domain.responses import Answers, Evidence, Tally
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import STAR_POINTS, Source
from review.infra.db import db
from review.responses import shape
from review.responses.progress import is_official
from review.responses.tables import COLUMNS, ResponseRow
from review.schemes.service import scheme_of

FIVE = range(1, 6)


@dataclass(frozen=True, slots=True)
class Stars:
    """Customers' overall impression: sum of stars, number of answers, and how many gave one star, two, … five."""

    total: int = 0
    count: int = 0
    by_star: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    @property
    def satisfied(self) -> int:
        """How many gave four or five stars."""
        return self.by_star[3] + self.by_star[4]

    @property
    def neutral(self) -> int:
        return self.by_star[2]

    @property
    def dissatisfied(self) -> int:
        """How many gave one or two stars."""
        return self.by_star[0] + self.by_star[1]

    @property
    def satisfaction(self) -> Measured:
        """Satisfied customers in percent of those who answered, exactly; no value where nobody did."""
        value = Fraction(100 * self.satisfied, self.count) if self.count else None
        return Measured(value, Fraction(self.count))


@dataclass(frozen=True, slots=True)
class Tallied:
    """What was filed about one review. `customers` are sums of points (a star is 20) and counts, by criterion."""

    self: Answers | None = None
    supervisor: tuple[Answers, ...] = ()
    customers: Mapping[str, Tally] = field(default_factory=dict)
    customer_overall: Stars = Stars()

    def evidence(self, peers: tuple[Cell, ...] = ()) -> Evidence:
        """All that a score may know, with the peers' published cells added."""
        own = () if self.self is None else (self.self,)
        return Evidence(own, self.supervisor, peers, self.customers)


@dataclass(frozen=True, slots=True)
class CustomerWord:
    """What one customer wrote, with their overall stars; `contact` is how they want to be reached, if they said so."""

    customer_key: str
    overall: int
    comment: str
    wants_contact: bool
    withhold_ticket: bool
    filed_at: datetime
    contact: str = ""


def tallies(cycle_id: int) -> dict[int, Tallied]:
    """What was filed about every review of a cycle that was not withdrawn, by review."""
    scheme_id = db.session.scalar(select(CycleRow.scheme_id).where(CycleRow.id == cycle_id))
    if scheme_id is None:
        raise OutOfReach("cycles:no_such_cycle")
    return _tallied(scheme_of(scheme_id), ReviewRow.cycle_id == cycle_id)


def tallies_among(review_ids: Collection[int], scheme: Scheme) -> dict[int, Tallied]:
    """What was filed about some reviews of one scheme, by review; as many queries for one as for a whole team."""
    return _tallied(scheme, ReviewRow.id.in_(review_ids))


def tally(review_id: int) -> Tallied:
    """What was filed about one review."""
    return _tallied(shape.scheme_of_review(review_id), ReviewRow.id == review_id).get(review_id, Tallied())


def _tallied(scheme: Scheme, which: ColumnElement[bool]) -> dict[int, Tallied]:
    keys = shape.keys_of(scheme)
    reviews = select(ReviewRow.id).where(which, ReviewRow.withdrawn_at.is_(None))
    own, ratings = _signed(keys, which)
    customers = {row[0]: row[1:] for row in db.session.execute(_customer_sums(len(keys), which))}
    return {
        review_id: Tallied(
            own.get(review_id),
            tuple(ratings.get(review_id, ())),
            _points(keys, customers.get(review_id)),
            _overall(customers.get(review_id)),
        )
        for review_id in db.session.scalars(reviews.order_by(ReviewRow.id))
    }


def _signed(keys: tuple[str, ...], which: ColumnElement[bool]) -> tuple[dict[int, Answers], dict[int, list[Answers]]]:
    """Filed self-reviews and official ratings by review: those of whoever rates it now, not of predecessors."""
    columns = [getattr(ResponseRow, column) for column in COLUMNS[: len(keys)]]
    query = (
        select(ResponseRow.review_id, ResponseRow.source, *columns)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .where(which, ResponseRow.filed_at.is_not(None), ResponseRow.source != Source.CUSTOMERS)
        .where((ResponseRow.source == Source.SELF) | is_official())
        .order_by(ResponseRow.id)
    )
    own: dict[int, Answers] = {}
    ratings: dict[int, list[Answers]] = {}
    for review_id, source, *numbers in db.session.execute(query):
        answers = shape.levels(keys, numbers)
        if source is Source.SELF:
            own[review_id] = answers
        else:
            ratings.setdefault(review_id, []).append(answers)
    return own, ratings


def _customer_sums(criteria: int, which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """One row a review: how many gave each overall star, then sum and count of each criterion."""
    columns = [getattr(ResponseRow, column) for column in COLUMNS[:criteria]]
    stars = [func.count().filter(ResponseRow.overall == star) for star in FIVE]
    sums = [figure for column in columns for figure in (func.coalesce(func.sum(column), 0), func.count(column))]
    query = select(ResponseRow.review_id, *stars, *sums).join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
    return query.where(which, ResponseRow.source == Source.CUSTOMERS).group_by(ResponseRow.review_id)


def _points(keys: tuple[str, ...], row: tuple[int, ...] | None) -> dict[str, Tally]:
    if row is None:
        return {}
    figures = row[len(FIVE) :]
    pairs = zip(keys, figures[::2], figures[1::2], strict=True)
    return {key: Tally(int(total) * STAR_POINTS, count) for key, total, count in pairs if count}


def _overall(row: tuple[int, ...] | None) -> Stars:
    if row is None:
        return Stars()
    one, two, three, four, five = row[: len(FIVE)]
    by_star = (one, two, three, four, five)
    return Stars(sum(star * n for star, n in zip(FIVE, by_star, strict=True)), sum(by_star), by_star)


def customer_comments(review_id: int) -> list[str]:
    """What customers wrote about one review, in no order that tells who or when."""
    return sorted(word.comment for word in customer_words(review_id))


def customer_words(review_id: int) -> list[CustomerWord]:
    """The same with who wrote it, for those who follow up on complaints; answers without a word are left out."""
    query = select(ResponseRow).where(ResponseRow.review_id == review_id, ResponseRow.source == Source.CUSTOMERS)
    words = [
        CustomerWord(
            row.respondent,
            row.overall or 0,
            str(row.texts.get("comment", "")),
            row.wants_contact,
            row.withhold_ticket,
            row.filed_at,
            str(row.texts.get("contact", "")),
        )
        for row in db.session.scalars(query.order_by(ResponseRow.respondent))
        if row.filed_at is not None
    ]
    return [word for word in words if word.comment.strip()]
