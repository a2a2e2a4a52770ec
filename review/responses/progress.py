"""How far self-reviews and ratings are: who has filed, who has begun, in a constant number of queries."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses.tables import ResponseRow


class State(StrEnum):
    """How far somebody is with one sheet."""

    NONE = "none"
    DRAFT = "draft"
    FILED = "filed"


class Found(NamedTuple):
    """How far one sheet is, and since when."""

    state: State
    filed_at: datetime | None


class Task(NamedTuple):
    """One sheet a person owes or may still change, for their list of things to do."""

    cycle: CycleRow
    review: ReviewRow
    due: datetime
    state: State


def state_of(filed_at: datetime | None, has_draft: bool) -> State:
    if filed_at is not None:
        return State.FILED
    return State.DRAFT if has_draft else State.NONE


def progress(source: Source, review_ids: Collection[int], person_id: int | None = None) -> dict[int, Found]:
    """How far the sheets about these reviews are, by review; those nobody began are missing. One query at most.

    With `person_id` only that person's own: a supervisor never learns how far a predecessor was.
    """
    if not review_ids:
        return {}
    query = select(
        ResponseRow.review_id, ResponseRow.filed_at, ResponseRow.draft_saved_at.is_not(None).label("has_draft")
    ).where(ResponseRow.source == source, ResponseRow.review_id.in_(review_ids))
    if person_id is not None:
        query = query.where(ResponseRow.person_id == person_id)
    return {
        review_id: Found(state_of(filed_at, has_draft), filed_at)
        for review_id, filed_at, has_draft in db.session.execute(query)
    }


def self_progress(cycle_id: int) -> set[int]:
    """The reviews of the cycle whose self-review is filed."""
    query = select(ResponseRow.review_id).join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
    filed = query.where(ResponseRow.source == Source.SELF, ResponseRow.filed_at.is_not(None))
    return set(db.session.scalars(filed.where(ReviewRow.cycle_id == cycle_id)))


def is_official() -> ColumnElement[bool]:
    """Whether a supervisor's `ResponseRow` counts for its `ReviewRow`: its author is one of those who rate it now."""
    rates = (ResponseRow.person_id == ReviewRow.supervisor_id) | (ResponseRow.person_id == ReviewRow.second_rater_id)
    return (ResponseRow.source == Source.SUPERVISOR) & rates


def rating_progress(cycle_id: int) -> set[tuple[int, int]]:
    """The official ratings of the cycle that are filed: (review, who rated)."""
    query = select(ResponseRow.review_id, ResponseRow.person_id).join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
    filed = query.where(is_official(), ResponseRow.filed_at.is_not(None), ReviewRow.cycle_id == cycle_id)
    return {(review, person) for review, person in db.session.execute(filed) if person is not None}


def filed_since(moment: ColumnElement[datetime] | InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
    """Whether the self-review or an official rating of a `ReviewRow` was filed after `moment`, as a condition in SQL.

    Customers are left out: once a cycle is counted, their part is closed.
    """
    later = select(ResponseRow.id).where(
        ResponseRow.review_id == ReviewRow.id,
        (ResponseRow.source == Source.SELF) | is_official(),
        ResponseRow.filed_at > moment,
    )
    return later.correlate_except(ResponseRow).exists()
