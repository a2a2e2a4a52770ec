"""What a supervisor sees before signing: their people with figures, but only once their own rating is in."""

from dataclasses import dataclass

from sqlalchemy import select

from review.cycles.lookup import ReviewFile
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, TooLate
from review.infra.db import db
from review.people.tables import PersonRow
from review.responses import service as responses
from review.results.service import scorecard_of
from review.results.tables import ScorecardRow, SignOffRow


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the supervisor's: the figures (None while the own rating is missing) and the sign-off."""

    review_id: int
    name: str
    is_rated: bool
    card: ScorecardRow | None
    sign_off: SignOffRow | None


def lines_of(supervisor_id: int, cycle: CycleRow) -> list[Line]:
    """The supervisor's people in a cycle, in the order of their names. Three queries."""
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING, Stage.COUNTING}:
        raise NotYet("results:not_counted_yet")
    query = (
        select(ReviewRow.id, PersonRow.name, ScorecardRow, SignOffRow)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, SignOffRow.review_id == ReviewRow.id)
        .where(
            ReviewRow.cycle_id == cycle.id, ReviewRow.supervisor_id == supervisor_id, ReviewRow.withdrawn_at.is_(None)
        )
        .order_by(PersonRow.name, ReviewRow.id)
    )
    rated = responses.rating_progress(cycle.id)
    return [
        Line(review_id, name, review_id in rated, card if review_id in rated else None, sign_off)
        for review_id, name, card, sign_off in db.session.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """One result before the sign-off: what was computed, what was signed already, what the sources wrote."""

    card: ScorecardRow
    sign_off: SignOffRow | None
    is_rated: bool
    customer_comments: list[str]


def draft_of(file: ReviewFile) -> Draft:
    """Raises NotYet before the count, TooLate once published. Without the own rating the others stay closed."""
    if file.cycle.stage in {Stage.PUBLISHED, Stage.ARCHIVED, Stage.CANCELLED}:
        raise TooLate("results:already_published")
    card = scorecard_of(file.review.id)
    is_rated = file.review.id in responses.rating_progress(file.cycle.id)
    comments = responses.customer_comments(file.review.id) if is_rated else []
    return Draft(card, db.session.get(SignOffRow, file.review.id), is_rated, comments)
