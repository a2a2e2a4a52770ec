"""What HR and the clock change about a cycle or a review once it exists, each act with its line in the audit log."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from sqlalchemy import select, update

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotAllowed, Taken, TooLate
from review.infra import audit, organisation
from review.infra.db import db
from review.people.tables import PersonRow

BEFORE_LAUNCH = frozenset({Stage.DRAFT, Stage.NOMINATING})
CHANGEABLE = frozenset({Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING})
BATCH = 500


def confirm_plan(cycle: CycleRow, digest: str, *, by: int | None, now: datetime) -> None:
    """HR has looked at the assignment of this digest and accepts whom it leaves without peers."""
    if cycle.stage not in BEFORE_LAUNCH:
        raise Taken("cycle:already_moved", stage=cycle.stage.value, move="launch")
    cycle.plan_digest, cycle.plan_confirmed = digest, True
    audit.record("cycles:plan:confirmed", f"cycle:{cycle.id}", by=by, at=now, digest=digest)


def open_now(cycle: CycleRow, *, by: int | None, now: datetime) -> None:
    """Bring the opening forward to this moment, when HR does not want to wait for it."""
    if cycle.opens_at > now:
        audit.record("cycles:opening:moved", f"cycle:{cycle.id}", by=by, at=now, was=cycle.opens_at.isoformat())
        cycle.opens_at = now


def end_now(cycle: CycleRow, *, by: int | None, now: datetime) -> None:
    """The deadlines that an early close cuts short become the moment of the close."""
    if cycle.closes_at > now:
        audit.record("cycles:close:moved", f"cycle:{cycle.id}", by=by, at=now, was=cycle.closes_at.isoformat())
        cycle.closes_at, cycle.self_due_at = now, min(cycle.self_due_at, now)


def published_now(cycle: CycleRow, day: date, *, now: datetime) -> None:
    """The planned end becomes the real one, so that every page tells the days on which things happened."""
    cycle.publish_on, cycle.finalise_by = day, min(cycle.finalise_by, now)


def mark_without_peers(cycle_id: int, subject_ids: Collection[int]) -> None:
    """These people's reviews go without peer rating; all others of the cycle with it."""
    everyone = update(ReviewRow).where(ReviewRow.cycle_id == cycle_id)
    db.session.execute(everyone.values(without_peers=False))
    for some in _batches(sorted(subject_ids)):
        db.session.execute(everyone.where(ReviewRow.subject_id.in_(some)).values(without_peers=True))


def withdraw_leavers(cycle_id: int, day: date, *, now: datetime) -> int:
    """End the reviews of people who have left by `day`; how many."""
    gone = select(PersonRow.id).where(PersonRow.left_on < day)
    living = (ReviewRow.cycle_id == cycle_id) & ReviewRow.withdrawn_at.is_(None) & ReviewRow.subject_id.in_(gone)
    ids = list(db.session.scalars(select(ReviewRow.id).where(living)))
    for some in _batches(ids):
        db.session.execute(update(ReviewRow).where(ReviewRow.id.in_(some)).values(withdrawn_at=now))
    if ids:
        audit.record("cycles:review:withdrawn", f"cycle:{cycle_id}", by=None, at=now, reviews=len(ids))
    return len(ids)


def _batches(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def extend_self(cycle: CycleRow, review: ReviewRow, until: datetime, *, by: int, now: datetime) -> None:
    """More time for one self-review. Raises Invalid for a moment that has passed or that shortens the deadline."""
    _require_changeable(cycle, review, by)
    if until <= now or until <= (review.self_due_at or cycle.self_due_at):
        raise Invalid("cycles:extension_not_later", "self_until")
    if until > cycle.finalise_by:
        raise Invalid("cycles:extension_after_final", "self_until")
    review.self_due_at = until
    audit.record("cycles:self_review:extended", f"review:{review.id}", by=by, at=now, until=until.isoformat())


def extend_rating(cycle: CycleRow, review: ReviewRow, until: datetime, *, by: int, now: datetime) -> None:
    """More time for one supervisor rating, if need be beyond the day on which results are to be final."""
    _require_changeable(cycle, review, by)
    if until <= now or until <= (review.rating_due_at or cycle.closes_at):
        raise Invalid("cycles:extension_not_later", "rating_until")
    review.rating_due_at = until
    audit.record("cycles:rating:extended", f"review:{review.id}", by=by, at=now, until=until.isoformat())


def replace_supervisor(cycle: CycleRow, review: ReviewRow, supervisor: PersonRow, *, by: int, now: datetime) -> None:
    """Somebody else answers for this result from now on. What the predecessor filed stays."""
    _require_changeable(cycle, review, by)
    if supervisor.id == review.subject_id:
        raise Invalid("cycles:not_own_supervisor", "supervisor")
    if supervisor.left_on is not None and supervisor.left_on < local_day(now, organisation.current().zone):
        raise Invalid("cycles:supervisor_has_left", "supervisor", name=supervisor.name)
    if supervisor.id == review.second_rater_id:
        raise Invalid("cycles:is_second_rater", "supervisor", name=supervisor.name)
    before, review.supervisor_id = review.supervisor_id, supervisor.id
    audit.record("cycles:supervisor:replaced", f"review:{review.id}", by=by, at=now, before=before, after=supervisor.id)


def name_second_rater(cycle: CycleRow, review: ReviewRow, person: PersonRow, *, by: int | None, now: datetime) -> bool:
    """This person rates beside the supervisor from now on; False when they did already.

    What a predecessor filed stays and counts no longer. `by` None: the rule named them at the launch. Raises Invalid
    for the subject, the supervisor and somebody who has left; NotAllowed for one's own review.
    """
    if review.subject_id == by:
        raise NotAllowed("cycles:own_review")
    if cycle.stage not in CHANGEABLE | BEFORE_LAUNCH or review.withdrawn_at is not None:
        raise TooLate("cycles:review_is_settled")
    if person.id in {review.subject_id, review.supervisor_id}:
        raise Invalid("cycles:not_a_second_rater", "employee_no", name=person.name)
    if person.left_on is not None and person.left_on < local_day(now, organisation.current().zone):
        raise Invalid("cycles:supervisor_has_left", "employee_no", name=person.name)
    before, review.second_rater_id = review.second_rater_id, person.id
    if before == person.id:
        return False
    about = f"review:{review.id}"
    audit.record("cycles:second_rater:named", about, by=by, at=now, before=before, after=person.id)
    return True


def withdraw(cycle: CycleRow, review: ReviewRow, reason: str, *, by: int, now: datetime) -> None:
    """End one review: its subject left, or should not have been in. What was said about them is not counted."""
    _require_changeable(cycle, review, by)
    if cycle.stage is Stage.COUNTING:
        raise Taken("cycles:counting_now")
    if not reason.strip():
        raise Invalid("cycle:reason_missing", "reason")
    review.withdrawn_at = now
    audit.record("cycles:review:withdrawn", f"review:{review.id}", by=by, at=now, reason=reason.strip())


def _require_changeable(cycle: CycleRow, review: ReviewRow, by: int) -> None:
    """Raises NotAllowed for one's own review, which takes another hand, and TooLate for one that is settled."""
    if review.subject_id == by:
        raise NotAllowed("cycles:own_review")
    if cycle.stage not in CHANGEABLE or review.withdrawn_at is not None:
        raise TooLate("cycles:review_is_settled")
