"""Keeps what self, supervisor and customers say about a review: drafts apart from filings, filings by version.

Who may write and until when is decided by the rooms above; this room sees to it that nothing is overwritten unseen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from review.cycles.tables import ReviewRow
from review.domain.refusals import Taken
from review.domain.responses import CustomerAnswer, SelfReview, SupervisorRating
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses import shape
from review.responses.progress import (
    Found,
    State,
    Task,
    filed_since,
    progress,
    rating_progress,
    self_progress,
    state_of,
)
from review.responses.tables import ResponseRow
from review.responses.tally import (
    CustomerWord,
    Stars,
    Tallied,
    customer_comments,
    customer_words,
    tallies,
    tallies_among,
    tally,
)

__all__ = [
    "CustomerWord",
    "Found",
    "Sheet",
    "Stars",
    "State",
    "Tallied",
    "Task",
    "customer_comments",
    "customer_words",
    "file_customer",
    "file_rating",
    "file_self",
    "filed_ratings",
    "filed_since",
    "progress",
    "rating_of",
    "rating_progress",
    "rating_sheet",
    "rating_sheets",
    "save_rating_draft",
    "save_self_draft",
    "second_rating_of",
    "self_of",
    "self_progress",
    "self_sheet",
    "state_of",
    "tallies",
    "tallies_among",
    "tally",
]

Said = TypeVar("Said", SelfReview, SupervisorRating)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Said]):
    """One person's sheet about one review: what is filed, and the draft that is not. `version` counts filings."""

    review_id: int
    person_id: int
    filed: Said | None
    filed_at: datetime | None
    draft: Mapping[str, Any] | None
    draft_saved_at: datetime | None
    version: int

    @property
    def state(self) -> State:
        return state_of(self.filed_at, self.draft is not None)


def self_sheet(review_id: int) -> Sheet[SelfReview] | None:
    """The self-review with its draft, for its author's eyes; None when nothing was ever written."""
    row = db.session.scalar(_about(Source.SELF, [review_id]))
    return None if row is None else _sheet(row, shape.self_from(shape.scheme_of_review(review_id), row))


def self_of(review_id: int) -> Sheet[SelfReview] | None:
    """The self-review as filed, without any draft; None unless one was filed."""
    sheet = self_sheet(review_id)
    return None if sheet is None or sheet.filed is None else _without_draft(sheet)


def rating_sheet(review_id: int, person_id: int) -> Sheet[SupervisorRating] | None:
    """This supervisor's own sheet with its draft; nobody else's draft is ever handed out."""
    return rating_sheets([review_id], person_id, shape.scheme_of_review(review_id)).get(review_id)


def rating_sheets(review_ids: Collection[int], person_id: int, scheme: Scheme) -> dict[int, Sheet[SupervisorRating]]:
    """This supervisor's own sheets about several reviews of one scheme, by review, in one query."""
    mine = _about(Source.SUPERVISOR, review_ids).where(ResponseRow.person_id == person_id)
    return {row.review_id: _sheet(row, shape.rating_from(scheme, row)) for row in db.session.scalars(mine)}


def rating_of(review_id: int) -> Sheet[SupervisorRating] | None:
    """The rating of whoever answers for the review now; without any draft. None unless filed."""
    return _filed_by(review_id, ReviewRow.supervisor_id)


def second_rating_of(review_id: int) -> Sheet[SupervisorRating] | None:
    """The rating of whoever rates beside the supervisor now; without any draft. None unless filed."""
    return _filed_by(review_id, ReviewRow.second_rater_id)


def _filed_by(review_id: int, who: InstrumentedAttribute[int | None]) -> Sheet[SupervisorRating] | None:
    query = _about(Source.SUPERVISOR, [review_id]).join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
    row = db.session.scalar(query.where(ResponseRow.person_id == who, ResponseRow.filed_at.is_not(None)))
    if row is None:
        return None
    return _without_draft(_sheet(row, shape.rating_from(shape.scheme_of_review(review_id), row)))


def filed_ratings(review_ids: Collection[int], person_id: int, scheme: Scheme) -> dict[int, SupervisorRating]:
    """What this supervisor has filed about these reviews, by review."""
    sheets = rating_sheets(review_ids, person_id, scheme)
    return {review_id: sheet.filed for review_id, sheet in sheets.items() if sheet.filed is not None}


def save_self_draft(
    review_id: int, person_id: int, draft: Mapping[str, Any], now: datetime, *, version: int | None = None
) -> None:
    """Keep an unfinished self-review beside what is filed. With `version`: raises Taken if a later one was filed."""
    row = _row(review_id, Source.SELF, person_id)
    _require_version(row, version)
    row.draft, row.draft_saved_at = dict(draft), now


def save_rating_draft(
    review_id: int, person_id: int, draft: Mapping[str, Any], now: datetime, *, version: int | None = None
) -> None:
    """Keep an unfinished rating; raises Taken when it is filed already, because a filed rating stays."""
    row = _row(review_id, Source.SUPERVISOR, person_id)
    if row.filed_at is not None:
        raise Taken("responses:rating_is_filed", filed_at=row.filed_at)
    _require_version(row, version)
    row.draft, row.draft_saved_at = dict(draft), now


def file_self(review_id: int, person_id: int, said: SelfReview, now: datetime, *, version: int | None = None) -> bool:
    """File or replace a self-review; its draft is done with. False when exactly this was filed already.

    With `version` (the one the form was opened at): raises Taken when something else was filed in the meantime.
    """
    row = _row(review_id, Source.SELF, person_id)
    scheme = shape.scheme_of_review(review_id)
    columns, texts = shape.level_columns(scheme, said.answers), shape.self_texts(said)
    if _says(row, columns, texts):
        row.draft = row.draft_saved_at = None
        return False
    _require_version(row, version)
    _file(row, columns, texts, now)
    return True


def file_rating(review_id: int, person_id: int, said: SupervisorRating, now: datetime) -> bool:
    """File a rating, once: afterwards it stays. False when exactly this was filed already; else raises Taken."""
    row = _row(review_id, Source.SUPERVISOR, person_id)
    scheme = shape.scheme_of_review(review_id)
    columns, texts = shape.level_columns(scheme, said.answers), shape.rating_texts(said)
    if _says(row, columns, texts):
        return False
    if row.filed_at is not None:
        raise Taken("responses:rating_is_filed", filed_at=row.filed_at)
    _file(row, columns, texts, now)
    return True


def file_customer(review_id: int, customer_key: str, said: CustomerAnswer, now: datetime) -> bool:
    """Count one customer once. False when exactly this was counted already; raises Taken for a second, other answer."""
    columns = shape.star_columns(shape.scheme_of_review(review_id), said.stars)
    columns["overall"] = said.overall
    texts = {"comment": said.comment}
    if said.wants_contact and said.contact:
        texts["contact"] = said.contact
    existing = db.session.scalar(
        _about(Source.CUSTOMERS, [review_id]).where(ResponseRow.respondent == customer_key).with_for_update()
    )
    if existing is not None:
        if _says(existing, columns, texts):
            return False
        raise Taken("responses:customer_has_answered")
    row = ResponseRow(review_id=review_id, source=Source.CUSTOMERS, respondent=customer_key)
    row.wants_contact, row.withhold_ticket = said.wants_contact, said.withhold_ticket
    _file(row, columns, texts, now)
    _insert(row)
    return True


def _about(source: Source, review_ids: Collection[int]) -> Select[ResponseRow]:
    return select(ResponseRow).where(ResponseRow.source == source, ResponseRow.review_id.in_(review_ids))


def _sheet(row: ResponseRow, said: Said) -> Sheet[Said]:
    filed = None if row.filed_at is None else said
    return Sheet(row.review_id, row.person_id or 0, filed, row.filed_at, row.draft, row.draft_saved_at, row.version)


def _without_draft(sheet: Sheet[Said]) -> Sheet[Said]:
    return Sheet(sheet.review_id, sheet.person_id, sheet.filed, sheet.filed_at, None, None, sheet.version)


def _row(review_id: int, source: Source, person_id: int) -> ResponseRow:
    """The person's row, locked until the transaction ends; made when it is their first word."""
    mine = _about(source, [review_id]).where(ResponseRow.person_id == person_id)
    row = db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if row is None:
        row = ResponseRow(review_id=review_id, source=source, respondent=f"person:{person_id}", person_id=person_id)
        row.texts, row.version = {}, 0
        _insert(row)
    return row


def _insert(row: ResponseRow) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        # Somebody wrote the same row between our look and our insert: two requests of one person at one instant.
        raise Taken("responses:changed_meanwhile") from None


def _require_version(row: ResponseRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise Taken("responses:changed_meanwhile", filed_at=row.filed_at)


def _says(row: ResponseRow, columns: Mapping[str, int | None], texts: Mapping[str, Any]) -> bool:
    if row.filed_at is None or row.texts != texts:
        return False
    return all(getattr(row, column) == value for column, value in columns.items())


def _file(row: ResponseRow, columns: Mapping[str, int | None], texts: Mapping[str, Any], now: datetime) -> None:
    for column, value in columns.items():
        setattr(row, column, value)
    row.texts, row.filed_at, row.version = dict(texts), now, (row.version or 0) + 1
    row.draft = row.draft_saved_at = None
