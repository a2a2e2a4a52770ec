"""Results near a cut and who looks at them a second time: what counts as a look, how many are missing, who is called.

A look counts while the sign-off it saw is the one that settles the result: same inputs, same score, same final grade,
and signed by somebody else than the person who looked.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.rounding import hundredths
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Grade
from review.infra import organisation, outbox
from review.infra.db import db
from review.people.tables import DepartmentRow, PersonRow
from review.results import waiting
from review.results.tables import LookOutcome, ScorecardRow, SecondLookRow, SignOffRow
from review.results.waiting import settles

CALL = "results:look"


def confirms() -> ColumnElement[bool]:
    """Whether a `SecondLookRow` confirms what the `SignOffRow` and `ScorecardRow` of its review say, in SQL."""
    return (
        (SecondLookRow.review_id == ReviewRow.id)
        & (SecondLookRow.outcome == LookOutcome.CONFIRMED)
        & (SecondLookRow.input_hash == SignOffRow.input_hash)
        & (SecondLookRow.score == ScorecardRow.score)
        & (SecondLookRow.final_grade == SignOffRow.final_grade)
        & (SecondLookRow.person_id != SignOffRow.signed_by)
    )


def is_for_them() -> ColumnElement[bool]:
    """Whether the named person is neither the subject nor anybody who rates the review now."""
    raters = (ReviewRow.supervisor_id, ReviewRow.second_rater_id)
    others = and_(*(SecondLookRow.person_id != func.coalesce(rater, 0) for rater in raters))
    return others & (SecondLookRow.person_id != ReviewRow.subject_id)


def _near(*columns: Any) -> Select[Any]:
    """Living reviews near a cut with the sign-off that settles them, if there is one."""
    return (
        select(*columns)
        .select_from(ReviewRow)
        .join(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, settles())
        .where(ReviewRow.withdrawn_at.is_(None), ScorecardRow.near_cut)
    )


def _unconfirmed(*columns: Any) -> Select[Any]:
    other = aliased(SecondLookRow, name="said")
    confirmed = select(SecondLookRow.review_id).where(confirms()).correlate(ReviewRow, ScorecardRow, SignOffRow)
    named = _near(*columns).outerjoin(other, other.review_id == ReviewRow.id)
    return named.where(~confirmed.exists())


def missing(cycle_id: int) -> int:
    """How many results near a cut nobody has confirmed. One query."""
    return db.session.scalar(_unconfirmed(func.count()).where(ReviewRow.cycle_id == cycle_id)) or 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Results near a cut: all, confirmed, and those of the others nobody suitable is named for."""

    near: int
    confirmed: int
    unnamed: int

    @property
    def missing(self) -> int:
        return self.near - self.confirmed


def tally(cycle_id: int) -> Tally:
    """Two queries."""
    near = _near(func.count(), func.count(SecondLookRow.review_id)).outerjoin(SecondLookRow, confirms())
    every, confirmed = db.session.execute(near.where(ReviewRow.cycle_id == cycle_id)).one()
    return Tally(every, confirmed, len(unnamed(cycle_id)))


def unnamed(cycle_id: int) -> list[int]:
    """The reviews near a cut that are neither confirmed nor in the hands of somebody who may look. One query."""
    hands = select(SecondLookRow.review_id).where(SecondLookRow.review_id == ReviewRow.id, is_for_them())
    query = _unconfirmed(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id, ~hands.correlate(ReviewRow).exists())
    return list(db.session.scalars(query.order_by(ReviewRow.id)))


def unconfirmed(cycle_id: int, review_ids: Collection[int]) -> list[ReviewRow]:
    """Those of these reviews that lie near a cut and wait for a look. One query."""
    query = _unconfirmed(ReviewRow).where(ReviewRow.cycle_id == cycle_id, ReviewRow.id.in_(review_ids))
    return list(db.session.scalars(query.order_by(ReviewRow.id)))


def _ready(*columns: Any) -> Select[Any]:
    """Looks that can be taken now: named, signed off by the supervisor, not confirmed yet."""
    query = _near(*columns).join(SecondLookRow, (SecondLookRow.review_id == ReviewRow.id) & is_for_them())
    return query.where(SignOffRow.review_id.is_not(None), ~func.coalesce(confirms(), False))


def ready_by_person(cycle_id: int) -> dict[int, int]:
    """How many looks each named person can take now; those with none are left out. One query."""
    query = _ready(SecondLookRow.person_id, func.count()).where(ReviewRow.cycle_id == cycle_id)
    return {who: n for who, n in db.session.execute(query.group_by(SecondLookRow.person_id))}  # noqa: C416


def open_tasks(person_id: int) -> list[tuple[str, int, int]]:
    """What one person has to do about results: ("finalise" or "look", cycle's id, how many). One query for both."""
    to_sign = waiting.of_supervisor(literal("finalise"), ReviewRow.cycle_id, func.count(), supervisor_id=person_id)
    to_look = _ready(literal("look"), ReviewRow.cycle_id, func.count()).join(
        CycleRow, CycleRow.id == ReviewRow.cycle_id
    )
    mine = to_look.where(CycleRow.stage == Stage.FINALISING, SecondLookRow.person_id == person_id)
    both = union_all(to_sign.group_by(ReviewRow.cycle_id), mine.group_by(ReviewRow.cycle_id))
    return [tuple(row) for row in db.session.execute(both)]


@dataclass(frozen=True, slots=True)
class Look:
    """One look as pages tell it. `is_valid`: it confirms the result as it is signed now."""

    person_id: int
    person: str
    outcome: LookOutcome | None
    reason: str
    decided_at: datetime | None
    is_valid: bool


def of(review_ids: Collection[int]) -> dict[int, Look]:
    """The looks at these reviews, by review. One query."""
    query = (
        select(SecondLookRow, PersonRow.name, confirms())
        .select_from(SecondLookRow)
        .join(ReviewRow, ReviewRow.id == SecondLookRow.review_id)
        .join(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, settles())
        .join(PersonRow, PersonRow.id == SecondLookRow.person_id)
        .where(SecondLookRow.review_id.in_(review_ids))
    )
    return {row.review_id: _look(row, name, valid) for row, name, valid in db.session.execute(query)}


def _look(row: SecondLookRow, name: str, is_valid: bool | None) -> Look:
    return Look(row.person_id, name, row.outcome, row.reason, row.decided_at, bool(is_valid))


def listed(cycle_id: int, *, person_id: int | None = None, only_open: bool = False) -> Select[Any]:
    """Results near a cut for a page: HR's of a cycle, or those one person is named for; open ones first."""
    boss, second = aliased(PersonRow), aliased(PersonRow)
    confirmed = func.coalesce(confirms(), False)
    query = (
        _near(
            ReviewRow,
            PersonRow.name,
            PersonRow.employee_no,
            DepartmentRow.name.label("department"),
            boss.name.label("supervisor"),
            ScorecardRow.score,
            ScorecardRow.grade,
            SignOffRow.final_grade,
            SecondLookRow,
            second.name.label("second"),
            confirmed.label("confirmed"),
            is_for_them().label("fits"),
        )
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .outerjoin(SecondLookRow, SecondLookRow.review_id == ReviewRow.id)
        .outerjoin(second, second.id == SecondLookRow.person_id)
        .where(ReviewRow.cycle_id == cycle_id)
        .order_by(confirmed, boss.name, PersonRow.name, ReviewRow.id)
    )
    if person_id is not None:
        query = query.where(SecondLookRow.person_id == person_id, is_for_them())
    return query.where(~confirmed) if only_open else query


@dataclass(frozen=True, slots=True)
class Nearest:
    """The cut a score lies closest to: the grade that begins there, and how far above it the score is (hundredths)."""

    grade: Grade
    cut: Fraction
    away: int


def nearest_cut(scheme: Scheme, score: int) -> Nearest:
    """Of two that are equally far the higher one."""
    found = [Nearest(grade, cut, score - hundredths(cut)) for grade, cut in scheme.cuts.items()]
    return min(found, key=lambda one: (abs(one.away), -one.cut))


def call(cycle: CycleRow, review_ids: Collection[int], now: datetime) -> None:
    """Write to whoever can take one of these looks now: one letter a person, cycle and day, with no result in it."""
    people = (
        _ready(PersonRow.name, PersonRow.email, PersonRow.locale)
        .join(PersonRow, PersonRow.id == SecondLookRow.person_id)
        .where(ReviewRow.id.in_(review_ids), PersonRow.email.is_not(None))
    )
    day = local_day(now, organisation.current().zone)
    outbox.put_all(_letters(cycle, db.session.execute(people.distinct()).all(), f"cycle:{cycle.id}:{day}", now))


def _letters(cycle: CycleRow, people: Collection[Any], about: str, now: datetime) -> Iterator[dict[str, Any]]:
    for name, email, locale in people:
        params = {"name": name, "cycle": cycle.name, "cycle_id": cycle.id, "due": cycle.finalise_by.isoformat()}
        yield outbox.letter(CALL, about, email, locale, params, now=now)
