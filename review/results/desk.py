"""What a supervisor sees before signing: their people with figures, but only once their own rating is in.

Figures are worked out at the moment of looking, since a rating may be filed after the count; signing stores them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from review.cycles.lookup import ReviewFile
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import Problem
from review.domain.responses import SupervisorRating
from review.domain.scorecard import WhyNoScore
from review.domain.vocabulary import Source
from review.infra.db import db
from review.kpi import evidence as kpi
from review.people.tables import PersonRow
from review.responses import service as responses
from review.results import looks
from review.results.service import require_finalising, seen_of, worked_out
from review.results.tables import ScorecardRow, SignOffRow
from review.results.working import customers_count


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the supervisor's: the figures (None while the own rating is missing) and the sign-off.

    `is_settled` is false also for a sign-off that speaks of other figures than the present ones.
    """

    review_id: int
    name: str
    card: ScorecardRow | None
    sign_off: SignOffRow | None
    is_settled: bool
    look: looks.Look | None

    @property
    def is_rated(self) -> bool:
        return self.card is not None


def lines_of(supervisor_id: int, cycle: CycleRow, now: datetime) -> list[Line]:
    """The supervisor's people in a cycle, in the order of their names, in a constant number of queries.

    Raises NotYet before the count, TooLate once published.
    """
    require_finalising(cycle)
    query = (
        select(ReviewRow.id, PersonRow.name, SignOffRow)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(SignOffRow, SignOffRow.review_id == ReviewRow.id)
        .where(
            ReviewRow.cycle_id == cycle.id, ReviewRow.supervisor_id == supervisor_id, ReviewRow.withdrawn_at.is_(None)
        )
        .order_by(PersonRow.name, ReviewRow.id)
    )
    found = db.session.execute(query).all()
    ids = [review_id for review_id, _, _ in found]
    mine = responses.progress(Source.SUPERVISOR, ids, supervisor_id)
    cards, second = worked_out(cycle, ids, now), looks.of(ids)
    lines = []
    for review_id, name, sign_off in found:
        card, sheet = cards[review_id], mine.get(review_id)
        is_rated = sheet is not None and sheet.filed_at is not None
        look = second.get(review_id) if card.near_cut else None
        lines.append(Line(review_id, name, card if is_rated else None, sign_off, _settles(sign_off, card), look))
    return lines


def _settles(sign_off: SignOffRow | None, card: ScorecardRow) -> bool:
    if sign_off is None or sign_off.returned_at is not None:
        return False
    return sign_off.input_hash == card.input_hash and card.withheld != WhyNoScore.SHEET_OPEN


@dataclass(frozen=True, slots=True)
class Second:
    """Who rates beside the supervisor, and what they said; None while it is missing or the reader's own is."""

    name: str
    rating: SupervisorRating | None


@dataclass(frozen=True, slots=True)
class Draft:
    """One result before the sign-off: what is computed now, what was signed already, what customers wrote, and
    what a second person said of it.

    `seen` names the first two, for the form.
    """

    card: ScorecardRow
    sign_off: SignOffRow | None
    is_rated: bool
    second: Second | None
    customer_comments: list[str]
    look: looks.Look | None
    missing: Problem | None = None  # what the KPI sheet still lacks

    @property
    def seen(self) -> str:
        return seen_of(self.card, self.sign_off)

    @property
    def is_settled(self) -> bool:
        return _settles(self.sign_off, self.card)


def draft_of(file: ReviewFile, now: datetime) -> Draft:
    """Raises NotYet before the count, TooLate once published. Without the own rating the others stay closed."""
    require_finalising(file.cycle)
    card = worked_out(file.cycle, [file.review.id], now)[file.review.id]
    is_rated = responses.rating_of(file.review.id) is not None
    comments = responses.customer_comments(file.review.id) if is_rated and customers_count(card.working) else []
    second = _second(file, is_rated)
    look = looks.of([file.review.id]).get(file.review.id) if card.near_cut else None
    sheet = kpi.parts_among(file.cycle.id, [file.review.id]).of(file.review.id)
    missing = kpi.missing_on(file.cycle.id, file.review.id) if sheet.is_open else None
    sign_off = db.session.get(SignOffRow, file.review.id)
    return Draft(card, sign_off, is_rated, second, comments, look, missing)


def _second(file: ReviewFile, is_rated: bool) -> Second | None:
    """One rater never reads the other's rating before their own is in."""
    if file.review.second_rater_id is None:
        return None
    person = db.session.get_one(PersonRow, file.review.second_rater_id)
    sheet = responses.second_rating_of(file.review.id) if is_rated else None
    return Second(person.name, sheet.filed if sheet else None)
