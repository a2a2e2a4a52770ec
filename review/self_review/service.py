"""The employee's own word on the period: drafts, submitting and replacing until it is due, reading it afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from review.cycles.lookup import ReviewFile, require_self_review_open
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, Problem, TooLate
from review.domain.responses import SelfReview, Statement
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses import service as responses
from review.responses.service import Sheet, State, Task

PARTS = ("overview", "figures", "problems", "measures", "plan")
NEEDED = ("overview", "plan")  # without these two there is nothing to talk about, now or at the next review
LONGEST_PART = 2000
LONGEST_DRAFT = 10_000  # a draft may be too long to submit, but not so long that it fills the house

_WRITING = (Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING)


@dataclass(frozen=True, slots=True)
class LastPlan:
    """What the person planned the last time, to hold this period against."""

    cycle: str
    text: str


def due_of(file: ReviewFile) -> datetime:
    """The person's own deadline: the cycle's, or their extension."""
    return file.review.self_due_at or file.cycle.self_due_at


def is_open(file: ReviewFile, now: datetime) -> bool:
    """Whether it may be written now. Raises NotYet before the opening: until then there is nothing to show."""
    try:
        require_self_review_open(file, now)
    except TooLate:
        return False
    return True


def save_draft(file: ReviewFile, person_id: int, draft: SelfReview, version: int, now: datetime) -> None:
    """Keep what is written so far, complete or not. Raises NotYet, TooLate, Taken; Invalid when far too long."""
    require_self_review_open(file, now)
    _require_short(draft.statement, LONGEST_DRAFT)
    plain = {
        "answers": {key: level.value for key, level in draft.answers.items() if level is not None},
        "statement": {part: getattr(draft.statement, part) for part in PARTS},
    }
    responses.save_self_draft(file.review.id, person_id, plain, now, version=version)


def submit(file: ReviewFile, person_id: int, said: SelfReview, scheme: Scheme, version: int, now: datetime) -> bool:
    """Submit or replace. False when exactly this was submitted before. Raises Invalid with all that is missing."""
    require_self_review_open(file, now)
    missing = [Problem("form:required", part) for part in NEEDED if not getattr(said.statement, part).strip()]
    missing += [
        Problem("self_review:level_missing", f"level_{criterion.key}")
        for criterion in scheme.criteria
        if said.answers.get(criterion.key) is None
    ]
    if missing:
        raise Invalid.of(missing)
    _require_short(said.statement, LONGEST_PART)
    return responses.file_self(file.review.id, person_id, said, now, version=version)


def _require_short(statement: Statement, longest: int) -> None:
    too_long = [part for part in PARTS if len(getattr(statement, part)) > longest]
    if too_long:
        raise Invalid.of(Problem("form:too_long", part, {"max": longest}) for part in too_long)


def sheet_of(file: ReviewFile) -> Sheet[SelfReview] | None:
    """What the author wrote, draft included: for the author only."""
    return responses.self_sheet(file.review.id)


def as_reference(file: ReviewFile, reader_id: int) -> Sheet[SelfReview] | None:
    """What somebody who rates this review reads beside their own rating. Raises NotYet until that rating is in."""
    both = (responses.rating_of(file.review.id), responses.second_rating_of(file.review.id))
    if not any(rating is not None and rating.person_id == reader_id for rating in both):
        raise NotYet("self_review:rate_first")
    return responses.self_of(file.review.id)


def last_plan(file: ReviewFile) -> LastPlan | None:
    """The plan out of the person's own self-review in the latest published cycle before this one."""
    earlier = (
        select(ReviewRow.id, CycleRow.name)
        .join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
        .where(
            ReviewRow.subject_id == file.review.subject_id,
            CycleRow.stage.in_([Stage.PUBLISHED, Stage.ARCHIVED]),
            CycleRow.period_end < file.cycle.period_end,
        )
        .order_by(CycleRow.period_end.desc())
    )
    found = db.session.execute(earlier.limit(1)).first()
    sheet = None if found is None else responses.self_of(found[0])
    if found is None or sheet is None or sheet.filed is None or not sheet.filed.statement.plan:
        return None
    return LastPlan(found[1], sheet.filed.statement.plan)


def open_tasks(person_id: int, now: datetime) -> list[Task]:
    """The person's self-reviews that may be written or still replaced now, by deadline. Two queries."""
    query = (
        select(CycleRow, ReviewRow)
        .join(ReviewRow, ReviewRow.cycle_id == CycleRow.id)
        .where(ReviewRow.subject_id == person_id, ReviewRow.withdrawn_at.is_(None), CycleRow.stage.in_(_WRITING))
    )
    mine = [(cycle, review) for cycle, review in db.session.execute(query) if _is_due(cycle, review, now)]
    found = responses.progress(Source.SELF, [review.id for _, review in mine])
    tasks = [
        Task(cycle, review, review.self_due_at or cycle.self_due_at, _state(found, review.id)) for cycle, review in mine
    ]
    return sorted(tasks, key=lambda task: (task.due, task.review.id))


def _is_due(cycle: CycleRow, review: ReviewRow, now: datetime) -> bool:
    due = review.self_due_at or cycle.self_due_at
    in_time = cycle.opens_at <= now <= due
    return in_time and (cycle.stage is Stage.COLLECTING or review.self_due_at is not None)


def _state(found: dict[int, responses.Found], review_id: int) -> State:
    return found[review_id].state if review_id in found else State.NONE


def missing_self(cycle_id: int) -> dict[int, int]:
    """Who has not submitted: subject's id -> review's id. For reminders and the desk; two queries."""
    filed = responses.self_progress(cycle_id)
    return {subject: review for review, subject in _reviews(cycle_id) if review not in filed}


def _reviews(cycle_id: int) -> Collection[tuple[int, int]]:
    query = select(ReviewRow.id, ReviewRow.subject_id).where(
        ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None)
    )
    return [(review, subject) for review, subject in db.session.execute(query.order_by(ReviewRow.id))]
