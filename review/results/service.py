"""Scores reviews and takes the supervisor's sign-off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert

from review.ballots import service as ballots
from review.cycles.lookup import ReviewFile, file_of
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, OutOfReach, Problem, TooLate
from review.domain.scorecard import Flag, Scorecard
from review.domain.vocabulary import Grade
from review.infra import audit
from review.infra.db import db
from review.infra.house import house
from review.kpi import evidence as kpi
from review.results import evidence, looks
from review.results.precision import error_for
from review.results.tables import ScorecardRow, SignOffRow
from review.results.teams import freeze_teams
from review.results.waiting import Standing, standing, unfinalised
from review.results.working import working_of
from review.schemes.service import scheme_of

__all__ = [
    "SignOff",
    "Standing",
    "finalise",
    "require_finalising",
    "rescore",
    "score_cycle",
    "scorecard_of",
    "seen_of",
    "sign_off_of",
    "standing",
    "unfinalised",
    "worked_out",
]

SUMMARY_LONGEST = 4000
BATCH = 500
BEFORE = frozenset({Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING, Stage.COUNTING})

Report = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _step: str) -> None:
    """Nobody is watching."""


def score_cycle(cycle_id: int, now: datetime, report: Report = _quiet) -> int:
    """Score every review of a counted cycle in the caller's transaction; how many. Harmless to repeat.

    The first time also freezes the peers' figures by department.

    Raises NotYet before the count: without the peers' cells every score would be another one.
    """
    if not ballots.is_counted(cycle_id):
        raise NotYet("results:not_counted_yet")
    cycle = db.session.get_one(CycleRow, cycle_id)
    scheme = scheme_of(cycle.scheme_id)
    freeze_teams(cycle_id, scheme)
    everything, error, sheets = evidence.of_cycle(cycle_id), error_for(cycle), kpi.parts_in(cycle_id)
    db.session.execute(delete(ScorecardRow).where(ScorecardRow.cycle_id == cycle_id))
    rows = []
    for number, (review_id, said) in enumerate(sorted(everything.items()), 1):
        card = evidence.scored(scheme, said, sheets.of(review_id), error)
        rows.append(_row(review_id, cycle_id, card, now))
        if len(rows) == BATCH or number == len(everything):
            db.session.execute(insert(ScorecardRow), rows)
            rows = []
            report(number, len(everything), "score")
    db.session.expire_all()
    return len(everything)


def worked_out(cycle: CycleRow, review_ids: list[int], now: datetime) -> dict[int, ScorecardRow]:
    """Scorecards of some reviews on the evidence of this moment, by review; nothing is stored."""
    scheme, error = scheme_of(cycle.scheme_id), error_for(cycle)
    found, sheets = evidence.among(cycle.id, review_ids, scheme), kpi.parts_among(cycle.id, review_ids)
    cards = {key: evidence.scored(scheme, said, sheets.of(key), error) for key, said in found.items()}
    return {key: ScorecardRow(**_row(key, cycle.id, card, now)) for key, card in cards.items()}


def rescore(review_id: int, now: datetime) -> ScorecardRow:
    """Score one review again and store it, because something was filed after the count."""
    file = file_of(review_id)
    require_finalising(file.cycle)
    scheme = scheme_of(file.cycle.scheme_id)
    sheet = kpi.parts_among(file.cycle.id, [review_id]).of(review_id)
    card = evidence.scored(scheme, evidence.of_review(review_id), sheet, error_for(file.cycle))
    values = _row(review_id, file.cycle.id, card, now)
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
        "near_cut": Flag.NEAR_CUT in card.flags,
        "working": working_of(card),
        "method_hash": card.method_hash,
        "input_hash": card.input_hash,
        "scored_at": now,
    }


def scorecard_of(review_id: int) -> ScorecardRow:
    """What was stored for a review. Raises NotYet before the count."""
    row = db.session.get(ScorecardRow, review_id)
    if row is None:
        raise NotYet("results:not_counted_yet")
    return row


def require_finalising(cycle: CycleRow) -> None:
    """Raises NotYet before the count, TooLate once the results are published or the cycle is cancelled."""
    if cycle.stage in BEFORE:
        raise NotYet("results:not_counted_yet")
    if cycle.stage is Stage.CANCELLED:
        raise TooLate("results:cycle_cancelled")
    if cycle.stage is not Stage.FINALISING:
        raise TooLate("results:already_published")


@dataclass(frozen=True, slots=True)
class SignOff:
    """What the supervisor decides. `grade` None means: the computed one.

    `seen` is what `seen_of` said when the page was made; None when nobody looked at a page.
    """

    summary: str
    grade: Grade | None = None
    reason: str = ""
    seen: str | None = None


def seen_of(card: ScorecardRow, before: SignOffRow | None) -> str:
    """Names the figures and the earlier sign-off that a page shows, so that a later one is not overwritten unseen."""
    moments = (before.signed_at, before.returned_at) if before else ()
    return f"{_name_of(card)}:{' '.join(at.isoformat() for at in moments if at)}"


def _name_of(card: ScorecardRow) -> str:
    # Keyed: from the plain hash of the inputs somebody could try out figures that are withheld or still closed to them.
    return house().links.token("results:seen", card.review_id, card.input_hash)


def finalise(review_id: int, decided: SignOff, *, by: int, now: datetime) -> SignOffRow:
    """Sign a result off, or sign it off anew until the cycle is published; every change is audited.

    The same once more changes nothing. Raises Invalid for a missing summary, for another grade than the computed one
    without a reason, for a result without a score without an explanation, and when figures or sign-off are others than
    those seen; OutOfReach for anybody but the responsible supervisor; NotYet before the count; TooLate once
    published. A KPI sheet that lacks figures is Invalid too: what was typed is kept, and the rows are named.
    """
    file = file_of(review_id)
    if file.review.supervisor_id != by:
        raise OutOfReach("results:no_such_result")
    require_finalising(_held(file))
    missing = kpi.missing_on(file.cycle.id, review_id)
    if missing is not None:
        raise Invalid.of([missing])
    card = rescore(review_id, now)
    final = card.grade if decided.grade is None or card.grade is None else decided.grade
    before = db.session.get(SignOffRow, review_id)
    if before is not None and _is_same(before, card, final, decided, by):
        return before
    _check(card, before, final, decided)
    details = {
        "before": _grade(before.final_grade) if before else None,
        "computed": _grade(card.grade),
        "final": _grade(final),
        "reason": decided.reason.strip(),
    }
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
            returned_at=None,
        )
    )
    db.session.flush()
    audit.record("results:result:finalised", f"review:{review_id}", by=by, at=now, **details)
    if card.near_cut:
        looks.call(file.cycle, [review_id], now)
    return row


def _held(file: ReviewFile) -> CycleRow:
    """The cycle as it is now, held until the end of the transaction: nobody publishes while somebody signs."""
    return db.session.get_one(CycleRow, file.cycle.id, with_for_update={"read": True}, populate_existing=True)


def _grade(grade: Grade | None) -> str | None:
    return grade.value if grade else None


def _is_same(row: SignOffRow, card: ScorecardRow, final: Grade | None, decided: SignOff, by: int) -> bool:
    said = (decided.summary.strip(), decided.reason.strip(), final, card.input_hash, by, None)
    return (row.summary, row.reason, row.final_grade, row.input_hash, row.signed_by, row.returned_at) == said


def _check(card: ScorecardRow, before: SignOffRow | None, final: Grade | None, decided: SignOff) -> None:
    problems = [*_text_problems(decided), *_grade_problems(card, final, decided.reason.strip())]
    if decided.seen is not None and decided.seen != seen_of(card, before):
        same_figures = decided.seen.partition(":")[0] == _name_of(card)
        problems.append(Problem("results:signed_meanwhile" if same_figures else "results:figures_changed"))
    if problems:
        raise Invalid.of(problems)


def _text_problems(decided: SignOff) -> list[Problem]:
    problems = [] if decided.summary.strip() else [Problem("results:summary_missing", "summary")]
    return problems + [
        Problem("form:too_long", name, {"max": SUMMARY_LONGEST})
        for name, text in (("summary", decided.summary), ("reason", decided.reason))
        if len(text.strip()) > SUMMARY_LONGEST
    ]


def _grade_problems(card: ScorecardRow, final: Grade | None, reason: str) -> list[Problem]:
    if card.grade is None:
        return [] if reason else [Problem("results:withheld_needs_reason", "reason")]
    if final is not card.grade and not reason:
        return [Problem("results:grade_needs_reason", "reason")]
    if final is card.grade and reason:
        return [Problem("results:reason_without_change", "reason")]
    return []


def sign_off_of(review_id: int) -> SignOffRow | None:
    return db.session.get(SignOffRow, review_id)
