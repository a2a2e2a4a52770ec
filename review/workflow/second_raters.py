"""Who rates beside the supervisor where the scheme asks for two ratings: named by HR, by default the one above them.

They are never the person themselves, never their supervisor, and hold no peer's seat about them: before the launch the
assignment leaves the pair out, afterwards a seat is closed without asking the urn, as for a new supervisor.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import aliased

from review.cycles import changes
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, TooLate
from review.domain.second_person import nearest_above
from review.infra import audit, organisation
from review.infra.db import db
from review.people import directory
from review.people.tables import DepartmentRow, PersonRow, RoleRow
from review.results import service as results
from review.schemes.service import scheme_of
from review.workflow import movements, plan

BATCH = 500


def are_asked(cycle: CycleRow) -> bool:
    return scheme_of(cycle.scheme_id).supervisors_required > 1


def able(day: date) -> list[PersonRow]:
    """Who can be named: whoever leads people and works here on `day`, by name. One query."""
    leading = select(RoleRow.person_id).where(RoleRow.role == Role.SUPERVISOR)
    query = select(PersonRow).where(PersonRow.id.in_(leading), directory.here_on(day))
    return list(db.session.scalars(query.order_by(PersonRow.name, PersonRow.id)))


def _supervisor(cycle: CycleRow) -> Any:
    """Whoever answers for a review: before the launch whoever leads its subject today."""
    return PersonRow.supervisor_id if cycle.stage in changes.BEFORE_LAUNCH else ReviewRow.supervisor_id


def _open(cycle: CycleRow, day: date) -> tuple[dict[int, int], list[int]]:
    """For the living reviews that lack a second rater: who is proposed, by review, and those without proposal."""
    fit, lines = {person.id for person in able(day)}, directory.lines()
    columns = (ReviewRow.id, ReviewRow.subject_id, _supervisor(cycle), ReviewRow.second_rater_id)
    query = select(*columns).join(PersonRow, PersonRow.id == ReviewRow.subject_id)
    living = query.where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    proposed, alone = {}, []
    for review, subject, supervisor, named in db.session.execute(living.order_by(ReviewRow.id)):
        if named in fit and named not in {subject, supervisor}:
            continue
        chosen = nearest_above(supervisor, lines, fit, {subject})
        if chosen is None:
            alone.append(review)
        else:
            proposed[review] = chosen
    return proposed, alone


def without(cycle: CycleRow, day: date) -> list[int]:
    """The reviews that nobody is named for and the rule finds nobody for. Three queries."""
    return _open(cycle, day)[1]


def lacking(cycle: CycleRow, day: date) -> dict[int, int | None]:
    """The reviews without a second rater who may be one, each with the proposed person. Three queries."""
    proposed, alone = _open(cycle, day)
    return {**proposed, **dict.fromkeys(alone)}


def settle(cycle: CycleRow, day: date, *, now: datetime) -> None:
    """At the launch: name who is proposed wherever nobody is; in a cycle with one rating there is no second rater."""
    if are_asked(cycle):
        fill(cycle, day, by=None, now=now)
    else:
        named = (ReviewRow.cycle_id == cycle.id) & ReviewRow.second_rater_id.is_not(None)
        db.session.execute(update(ReviewRow).where(named).values(second_rater_id=None))
    db.session.expire_all()


def fill(cycle: CycleRow, day: date, *, by: int | None, now: datetime) -> int:
    """Name who is proposed wherever nobody suitable is named; how many. The rule chooses, so own reviews are in it."""
    _require_open(cycle)
    proposed, _alone = _open(cycle, day)
    reviews_of: dict[int, list[int]] = defaultdict(list)
    for review, person in proposed.items():
        reviews_of[person].append(review)
    for person, reviews in reviews_of.items():
        for start in range(0, len(reviews), BATCH):
            some = ReviewRow.id.in_(reviews[start : start + BATCH])
            db.session.execute(update(ReviewRow).where(some).values(second_rater_id=person))
    if proposed:
        audit.record("cycles:second_raters:filled", f"cycle:{cycle.id}", by=by, at=now, reviews=len(proposed))
    db.session.expire_all()
    for review, person in proposed.items() if cycle.stage not in changes.BEFORE_LAUNCH else ():
        _follow(cycle, review, person, now)
    return len(proposed)


def name(cycle: CycleRow, review_ids: Collection[int], employee_no: str, *, by: int, now: datetime) -> int:
    """This person rates these reviews beside their supervisors; how many changed hands.

    Raises Invalid for a number nobody has, somebody who leads nobody, and no review at all, and whatever
    `changes.name_second_rater` refuses.
    """
    _require_open(cycle)
    person = directory.by_number(employee_no)
    if person is None:
        raise Invalid("workflow:no_such_number", "employee_no", number=employee_no)
    if person.id not in {one.id for one in able(local_day(now, organisation.current().zone))}:
        raise Invalid("cycles:not_a_second_rater", "employee_no", name=person.name)
    query = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.id.in_(review_ids))
    reviews = db.session.scalars(query.where(ReviewRow.withdrawn_at.is_(None)).order_by(ReviewRow.id)).all()
    if not reviews:
        raise Invalid("workflow:nothing_ticked", "reviews")
    changed = 0
    for review_id in reviews:
        if changes.name_second_rater(cycle, file_of(review_id).review, person, by=by, now=now):
            db.session.flush()
            _follow(cycle, review_id, person.id, now)
            changed += 1
    if changed and cycle.stage in changes.BEFORE_LAUNCH:
        plan.forget(cycle)  # whoever is named does not rate these people as a peer
    return changed


def _require_open(cycle: CycleRow) -> None:
    if not are_asked(cycle):
        raise Invalid("workflow:one_rating_only")
    if cycle.stage not in changes.BEFORE_LAUNCH | changes.CHANGEABLE:
        raise TooLate("cycles:review_is_settled")


def _follow(cycle: CycleRow, review_id: int, person_id: int, now: datetime) -> None:
    """What follows from another second rater in a cycle that runs."""
    if cycle.stage in changes.BEFORE_LAUNCH:
        return
    movements.take_off(file_of(review_id), person_id)
    if cycle.stage is Stage.FINALISING:
        results.rescore(review_id, now)  # the ratings that count are those of whoever rates now


def listed(cycle: CycleRow, text: str) -> Any:
    """The reviews of a cycle with both raters, by employee number, as a query for a page; those named first wait."""
    boss, second = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(
            ReviewRow,
            PersonRow.name,
            PersonRow.employee_no,
            DepartmentRow.name.label("department"),
            boss.name.label("supervisor"),
            second.name.label("second"),
        )
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == PersonRow.department_id)
        .outerjoin(boss, boss.id == _supervisor(cycle))
        .outerjoin(second, second.id == ReviewRow.second_rater_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .order_by(func.coalesce(ReviewRow.second_rater_id, 0) != 0, PersonRow.employee_no)
    )
    if text:
        holds = [column.contains(text, autoescape=True) for column in (PersonRow.name, PersonRow.employee_no)]
        query = query.where(or_(*holds))
    return query
