"""Scores reviews and takes the supervisor's sign-off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, Problem, TooLate
from review.domain.scorecard import Scorecard
from review.domain.scoring import score
from review.domain.vocabulary import Grade
from review.infra import audit
from review.infra.db import db
from review.results import evidence
from review.results.tables import ScorecardRow, SignOffRow
from review.results.working import working_of
from review.schemes.service import scheme_of

SUMMARY_LONGEST = 4000
BATCH = 500

Report = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _step: str) -> None:
    """Nobody is watching."""


def score_cycle(cycle_id: int, now: datetime, report: Report = _quiet) -> int:
    """Score every review of a counted cycle in the caller's transaction; how many. Harmless to repeat."""
    cycle = db.session.get_one(CycleRow, cycle_id)
    scheme = scheme_of(cycle.scheme_id)
    everything = evidence.of_cycle(cycle_id)
    db.session.execute(delete(ScorecardRow).where(ScorecardRow.cycle_id == cycle_id))
    rows = []
    for number, (review_id, said) in enumerate(sorted(everything.items()), 1):
        rows.append(_row(review_id, cycle_id, score(scheme, said), now))
        if len(rows) == BATCH:
            db.session.execute(insert(ScorecardRow), rows)
            rows = []
            report(number, len(everything), "score")
    if rows:
        db.session.execute(insert(ScorecardRow), rows)
    db.session.expire_all()
    return len(everything)


def rescore(review_id: int, now: datetime) -> ScorecardRow:
    """Score one review again, because its supervisor rated after the count."""
    file = file_of(review_id)
    if file.cycle.stage is not Stage.FINALISING:
        raise NotYet("results:not_counted_yet")
    scheme = scheme_of(file.cycle.scheme_id)
    said = evidence.of_review(review_id)
    values = _row(review_id, file.cycle.id, score(scheme, said), now)
    row = db.session.merge(ScorecardRow(**values))
    db.session.flush()
    return row


def _row(review_id: int, cycle_id: int, card: Scorecard, now: datetime) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "cycle_id": cycle_id,
        "score": card.score,
        "grade": card.grade,
        "withheld": card.withheld.value if card.withheld else None,
        "working": working_of(card),
        "method_hash": card.method_hash,
        "input_hash": card.input_hash,
        "scored_at": now,
    }


def scorecard_of(review_id: int) -> ScorecardRow:
    """What was computed for a review. Raises NotYet before the count."""
    row = db.session.get(ScorecardRow, review_id)
    if row is None:
        raise NotYet("results:not_counted_yet")
    return row


@dataclass(frozen=True, slots=True)
class SignOff:
    """What the supervisor decides. `grade` None means: the computed one.

    `seen` is the input hash of the figures that were before the supervisor's eyes; None when nobody looked at a page.
    """

    summary: str
    grade: Grade | None = None
    reason: str = ""
    seen: str | None = None


def finalise(review_id: int, decided: SignOff, *, by: int, now: datetime) -> SignOffRow:
    """Sign a result off, or sign it off anew until the cycle is published; every change of grade is audited.

    Raises Invalid for a missing summary, for another grade than the computed one without a reason, and for a result
    without a score without an explanation; NotYet before the count; TooLate once published.
    """
    file = file_of(review_id)
    if file.cycle.stage in {Stage.PUBLISHED, Stage.ARCHIVED, Stage.CANCELLED}:
        raise TooLate("results:already_published")
    if file.cycle.stage is not Stage.FINALISING:
        raise NotYet("results:not_counted_yet")
    card = rescore(review_id, now)
    final = card.grade if decided.grade is None or card.grade is None else decided.grade
    _check(card, final, decided)
    before = db.session.get(SignOffRow, review_id)
    if before is not None and _same(before, final, decided) and before.input_hash == card.input_hash:
        return before
    row = db.session.merge(
        SignOffRow(
            review_id=review_id,
            computed_grade=card.grade,
            final_grade=final,
            reason=decided.reason.strip(),
            summary=decided.summary.strip(),
            input_hash=card.input_hash,
            signed_by=by,
            signed_at=now,
        )
    )
    db.session.flush()
    audit.record(
        "results:result:finalised",
        f"review:{review_id}",
        by=by,
        at=now,
        computed=card.grade.value if card.grade else None,
        final=final.value if final else None,
        reason=row.reason,
    )
    return row


def _check(card: ScorecardRow, final: Grade | None, decided: SignOff) -> None:
    problems = []
    summary, reason = decided.summary.strip(), decided.reason.strip()
    if not summary:
        problems.append(Problem("results:summary_missing", "summary"))
    problems += [
        Problem("form:too_long", name, {"max": SUMMARY_LONGEST})
        for name, text in (("summary", summary), ("reason", reason))
        if len(text) > SUMMARY_LONGEST
    ]
    if card.grade is None and not reason:
        problems.append(Problem("results:withheld_needs_reason", "reason"))
    if card.grade is not None and final is not card.grade and not reason:
        problems.append(Problem("results:grade_needs_reason", "reason"))
    if decided.seen is not None and decided.seen != card.input_hash:
        problems.append(Problem("results:figures_changed"))
    if problems:
        raise Invalid.of(problems)


def _same(row: SignOffRow, final: Grade | None, decided: SignOff) -> bool:
    said = (decided.summary.strip(), decided.reason.strip(), final)
    return (row.summary, row.reason, row.final_grade) == said


def sign_off_of(review_id: int) -> SignOffRow | None:
    return db.session.get(SignOffRow, review_id)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the results of a cycle are: what HR's checklist and the supervisors' list need."""

    reviews: int
    unfinalised: int
    withheld_unexplained: int


def standing(cycle_id: int) -> Standing:
    """Three counts in two queries. A sign-off on other evidence than the present one does not count."""
    living = (ReviewRow.cycle_id == cycle_id) & ReviewRow.withdrawn_at.is_(None)
    signed = (SignOffRow.review_id == ReviewRow.id) & (SignOffRow.input_hash == ScorecardRow.input_hash)
    joined = (
        select(func.count(), func.count(SignOffRow.review_id), func.count(ScorecardRow.withheld))
        .select_from(ReviewRow)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, signed)
        .where(living)
    )
    total, done, _withheld = db.session.execute(joined).one()
    unexplained = (
        select(func.count())
        .select_from(ReviewRow)
        .join(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, signed)
        .where(living, ScorecardRow.withheld.is_not(None), SignOffRow.review_id.is_(None))
    )
    return Standing(total, total - done, db.session.scalar(unexplained) or 0)
