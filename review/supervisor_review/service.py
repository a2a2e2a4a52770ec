"""The supervisor's rating: drafts that are theirs alone, rules for a complete one, and filing it for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from review.cycles.lookup import ReviewFile, require_rating_open
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, Problem
from review.domain.responses import Answers, SelfReview, SupervisorRating
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import LEVELS, Level, Source
from review.infra import audit
from review.infra.db import db
from review.responses import service as responses
from review.responses.service import Sheet, State, Task

RATING = (Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING)
LONGEST_DRAFT = 10_000
NOTHING = SupervisorRating({}, {})


@dataclass(frozen=True, slots=True)
class Own:
    """A supervisor's sheet about one review, and beside it the self-review as soon as the sheet is filed."""

    sheet: Sheet[SupervisorRating] | None
    self_review: Sheet[SelfReview] | None

    @property
    def is_filed(self) -> bool:
        return self.sheet is not None and self.sheet.filed is not None


def own_of(file: ReviewFile, person_id: int) -> Own:
    """The page's content: other people's words are not even fetched before the own rating is in."""
    sheet = responses.rating_sheet(file.review.id, person_id)
    if sheet is None or sheet.filed is None:
        return Own(sheet, None)
    return Own(sheet, responses.self_of(file.review.id))


def due_of(review: ReviewRow, cycle: CycleRow) -> datetime:
    """When the rating is asked for: by the close, or by the extension. It is late after that, but still taken."""
    return review.rating_due_at or cycle.closes_at


def save_draft(file: ReviewFile, person_id: int, said: SupervisorRating, now: datetime) -> None:
    """Keep an unfinished rating. Raises NotYet, TooLate, Taken once filed, Invalid when far too long."""
    require_rating_open(file, now)
    if len(said.overall) + sum(len(text) for text in said.comments.values()) > LONGEST_DRAFT:
        raise Invalid("form:too_long", "overall", max=LONGEST_DRAFT)
    responses.save_rating_draft(file.review.id, person_id, plain(said), now)


def file_rating(file: ReviewFile, person_id: int, said: SupervisorRating, scheme: Scheme, now: datetime) -> bool:
    """File the rating for good. False when exactly this was filed before; Taken when another one was.

    Raises Invalid with everything that is missing: each criterion needs a level, and the levels named by the scheme
    need a comment.
    """
    require_rating_open(file, now)
    missing = problems_of(said, scheme)
    if missing:
        raise Invalid.of(missing)
    is_new = responses.file_rating(file.review.id, person_id, said, now)
    if is_new:
        audit.record("supervisor_review:rating:filed", f"review:{file.review.id}", by=person_id, at=now)
    return is_new


def problems_of(said: SupervisorRating, scheme: Scheme) -> list[Problem]:
    """What keeps a rating from being filed, each beside its field (`level_<key>`, `comment_<key>`, `overall`)."""
    problems = []
    for criterion in scheme.criteria:
        level, comment = said.answers.get(criterion.key), said.comments.get(criterion.key, "").strip()
        if level is None:
            problems.append(Problem("supervisor_review:level_missing", f"level_{criterion.key}"))
        if needs_comment(level, scheme) and not comment:
            problems.append(Problem("supervisor_review:comment_missing", f"comment_{criterion.key}"))
        if len(comment) > scheme.comments.longest:
            problems.append(Problem("form:too_long", f"comment_{criterion.key}", {"max": scheme.comments.longest}))
    if len(said.overall) > scheme.comments.longest:
        problems.append(Problem("form:too_long", "overall", {"max": scheme.comments.longest}))
    return problems


def needs_comment(level: Level | None, scheme: Scheme) -> bool:
    return level in scheme.comments.required_for


def plain(said: SupervisorRating) -> dict[str, Any]:
    """A rating as a draft is stored."""
    return {
        "answers": {key: level.value for key, level in said.answers.items() if level is not None},
        "comments": {key: text for key, text in said.comments.items() if text},
        "overall": said.overall,
    }


def drafted(draft: Mapping[str, Any] | None) -> SupervisorRating:
    """A stored draft as a rating, however incomplete."""
    if draft is None:
        return NOTHING
    answers: Answers = {str(key): Level(level) for key, level in draft.get("answers", {}).items() if level in LEVELS}
    comments = {str(key): str(text) for key, text in draft.get("comments", {}).items()}
    return SupervisorRating(answers, comments, str(draft.get("overall", "")))


def said_on(sheet: Sheet[SupervisorRating] | None) -> SupervisorRating:
    """What stands on a sheet: the filed rating, else the draft."""
    if sheet is None:
        return NOTHING
    return sheet.filed or drafted(sheet.draft)


def rates(person_id: int) -> ColumnElement[bool]:
    """Whether this person rates a `ReviewRow`: as its supervisor, or beside them."""
    return (ReviewRow.supervisor_id == person_id) | (ReviewRow.second_rater_id == person_id)


def open_tasks(person_id: int, now: datetime) -> list[Task]:
    """The ratings this supervisor owes or has filed in cycles that still take ratings, by deadline. Two queries."""
    query = (
        select(CycleRow, ReviewRow)
        .join(ReviewRow, ReviewRow.cycle_id == CycleRow.id)
        .where(
            rates(person_id),
            ReviewRow.withdrawn_at.is_(None),
            CycleRow.stage.in_(RATING),
            CycleRow.opens_at <= now,
        )
    )
    mine = [(cycle, review) for cycle, review in db.session.execute(query)]
    found = responses.progress(Source.SUPERVISOR, [review.id for _, review in mine], person_id)
    tasks = [
        Task(cycle, review, due_of(review, cycle), found[review.id].state if review.id in found else State.NONE)
        for cycle, review in mine
    ]
    return sorted(tasks, key=lambda task: (task.due, task.review.id))


def missing_ratings(cycle_id: int) -> dict[int, list[int]]:
    """Who owes which ratings: the rater's id -> reviews' ids. For reminders and the desk; two queries."""
    filed = responses.rating_progress(cycle_id)
    return {
        person: missing
        for person, reviews in asked_ratings(cycle_id).items()
        if (missing := [review for review in reviews if (review, person) not in filed])
    }


def asked_ratings(cycle_id: int) -> dict[int, list[int]]:
    """Who is asked for which ratings, second raters too: the rater's id -> reviews' ids. One query."""
    query = select(ReviewRow.supervisor_id, ReviewRow.second_rater_id, ReviewRow.id).where(
        ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None)
    )
    asked: dict[int, list[int]] = {}
    for supervisor_id, second_id, review_id in db.session.execute(query.order_by(ReviewRow.id)):
        for person in (supervisor_id, second_id):
            if person is not None:
                asked.setdefault(person, []).append(review_id)
    return dict(sorted(asked.items()))
