"""How an answer lies in a row: the n-th criterion of the scheme in the n-th column, levels as 4 to 1."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import OutOfReach
from review.domain.responses import Answers, SelfReview, Statement, SupervisorRating
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import LEVELS
from review.infra.db import db
from review.responses.tables import COLUMNS, ResponseRow
from review.schemes.service import scheme_of

NUMBER_OF = {level: len(LEVELS) - place for place, level in enumerate(LEVELS)}
LEVEL_OF = {number: level for level, number in NUMBER_OF.items()}


def scheme_of_review(review_id: int) -> Scheme:
    """The rules by which this review's columns are read; raises OutOfReach."""
    query = select(CycleRow.scheme_id).join(ReviewRow, ReviewRow.cycle_id == CycleRow.id)
    scheme_id = db.session.scalar(query.where(ReviewRow.id == review_id))
    if scheme_id is None:
        raise OutOfReach("cycles:no_such_review")
    return scheme_of(scheme_id)


def keys_of(scheme: Scheme) -> tuple[str, ...]:
    """The criteria in the order of the columns."""
    return tuple(criterion.key for criterion in scheme.criteria)


def level_columns(scheme: Scheme, answers: Answers) -> dict[str, int | None]:
    """Levels as column values; unused columns are empty."""
    given = [answers.get(key) for key in keys_of(scheme)]
    return _spread([None if level is None else NUMBER_OF[level] for level in given])


def star_columns(scheme: Scheme, stars: Mapping[str, int | None]) -> dict[str, int | None]:
    return _spread([stars.get(key) for key in keys_of(scheme)])


def _spread(values: Sequence[int | None]) -> dict[str, int | None]:
    return dict(zip(COLUMNS, [*values, *[None] * (len(COLUMNS) - len(values))], strict=True))


def levels(keys: Sequence[str], numbers: Sequence[int | None]) -> Answers:
    """Column values as levels by criterion."""
    return {key: None if number is None else LEVEL_OF[number] for key, number in zip(keys, numbers, strict=False)}


def numbers_of(row: ResponseRow) -> list[int | None]:
    return [getattr(row, column) for column in COLUMNS]


def self_texts(said: SelfReview) -> dict[str, Any]:
    return {name: getattr(said.statement, name) for name in Statement.__slots__}


def self_from(scheme: Scheme, row: ResponseRow) -> SelfReview:
    parts = {name: str(row.texts.get(name, "")) for name in Statement.__slots__}
    return SelfReview(levels(keys_of(scheme), numbers_of(row)), Statement(**parts))


def rating_texts(said: SupervisorRating) -> dict[str, Any]:
    return {"comments": {key: text for key, text in said.comments.items() if text}, "overall": said.overall}


def rating_from(scheme: Scheme, row: ResponseRow) -> SupervisorRating:
    comments = {str(key): str(text) for key, text in row.texts.get("comments", {}).items()}
    return SupervisorRating(levels(keys_of(scheme), numbers_of(row)), comments, str(row.texts.get("overall", "")))
