"""Every score of a counted cycle straight from the answers in the database, held against the scorecards that stand.

A second way to the same numbers, in sums and plain integers: what a scorecard explains is checked without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from review.ballots.counting import points_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.kpi_sheet import NO_SHEET
from review.domain.official import rater_of
from review.domain.scheme_shape import Scheme
from review.domain.scoring import DEFAULT_ERROR
from review.domain.vocabulary import Source
from review.infra.db import db
from review.kpi import evidence as kpi
from review.people.tables import PersonRow
from review.responses.sums import sums_in
from review.results import evidence
from review.results.tables import ScorecardRow
from review.schemes.service import scheme_of


def official_scores(cycle: CycleRow) -> dict[int, int | None]:
    """The score of every living review in hundredths, None where it is withheld. A constant number of queries."""
    scheme, sheets = scheme_of(cycle.scheme_id), kpi.parts_in(cycle.id)
    rate, sums = rater_of(scheme), sums_in(cycle, scheme)
    peers = points_of(cycle.id, [criterion.key for criterion in scheme.asked_of(Source.PEERS)])
    nobody = (0, [(0, 0)] * len(scheme.criteria))
    unheard, unrated = ([0] * (2 * len(scheme.asked_of(source))) for source in (Source.CUSTOMERS, Source.PEERS))
    living = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    scores: dict[int, int | None] = {}
    with_sheet = []
    for review in db.session.scalars(living.order_by(ReviewRow.id)):
        if sheets.of(review) is not NO_SHEET:
            with_sheet.append(review)
            continue
        raters, ratings = sums.supervisors.get(review, nobody)
        scores[review] = rate(raters, ratings, sums.customers.get(review, unheard), peers.get(review, unrated))
    return scores | _with_sheets(cycle, scheme, sheets, with_sheet)


def _with_sheets(cycle: CycleRow, scheme: Scheme, sheets: kpi.Parts, reviews: list[int]) -> dict[int, int | None]:
    """A sheet has rules enough of its own: these scores come from the method that also explains them."""
    if not reviews:
        return {}
    everything = evidence.of_cycle(cycle.id)
    return {key: evidence.scored(scheme, everything[key], sheets.of(key), DEFAULT_ERROR).score for key in reviews}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A scorecard that says another score than the answers lead to."""

    review_id: int
    employee_no: str
    stored: int | None
    recomputed: int | None


def mismatches(cycle: CycleRow) -> Iterator[Mismatch]:
    """Every living review whose scorecard is missing or says another score."""
    now = official_scores(cycle)
    cards = (
        select(ReviewRow.id, PersonRow.employee_no, ScorecardRow.review_id, ScorecardRow.score)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .order_by(ReviewRow.id)
    )
    for review, number, card, stored in db.session.execute(cards):
        if card is None or stored != now[review]:
            yield Mismatch(review, number, stored, now[review])
