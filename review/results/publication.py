"""Publishes signed-off results, once each, grants their rewards, and notes who has read theirs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from review.cycles.lookup import ReviewFile
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import NotYet, OutOfReach
from review.domain.vocabulary import Grade
from review.infra import audit
from review.infra.db import db, insert_into
from review.infra.lists import PER_PAGE, Listing, page_of
from review.people.tables import DepartmentRow, PersonRow
from review.results.freezing import Frozen, bodies_of
from review.results.tables import AcknowledgementRow, PublicationRow, RewardRow
from review.schemes.service import scheme_of

BATCH = 500

Report = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _step: str) -> None:
    """Nobody is watching."""


def freeze_cycle(cycle_id: int, *, by: int, now: datetime, report: Report = _quiet) -> int:
    """Publish every signed-off result of a cycle and grant its tiers, in the caller's transaction; how many are new.

    A result that has a publication already is left alone, and a reward that was granted is not granted again, even
    when two of these run at once. Raises NotYet when a result is not signed off on its figures.
    """
    cycle = db.session.get_one(CycleRow, cycle_id)
    bodies = bodies_of(cycle, scheme_of(cycle.scheme_id))
    living = (ReviewRow.cycle_id == cycle_id) & ReviewRow.withdrawn_at.is_(None)
    total = db.session.scalar(select(func.count()).select_from(ReviewRow).where(living)) or 0
    done = new = 0
    while some := list(islice(bodies, BATCH)):
        fresh = _publish(some, by, now)
        _grant([frozen for frozen in some if frozen.review_id in fresh], now)
        done, new = done + len(some), new + len(fresh)
        report(done, total, "publish")
    return new


def _publish(some: Sequence[Frozen], by: int, now: datetime) -> set[int]:
    """Store first versions; the reviews that had none before."""
    once = insert_into(PublicationRow).on_conflict_do_nothing(index_elements=["review_id", "version"])
    rows = [frozen.as_row(by, now) for frozen in some]
    return set(db.session.scalars(once.returning(PublicationRow.review_id), rows))


def _grant(some: Sequence[Frozen], now: datetime) -> None:
    rewards = [
        {
            "review_id": frozen.review_id,
            "tier": frozen.grade,
            "coefficient": frozen.body["reward"]["coefficient"],
            "granted_at": now,
        }
        for frozen in some
        if frozen.grade is not None
    ]
    if rewards:
        db.session.execute(insert_into(RewardRow).on_conflict_do_nothing(index_elements=["review_id"]), rewards)


def publication_of(review_id: int) -> PublicationRow:
    """The newest published version of a result. Raises NotYet while there is none."""
    query = select(PublicationRow).where(PublicationRow.review_id == review_id)
    row: PublicationRow | None = db.session.scalar(query.order_by(PublicationRow.version.desc()).limit(1))
    if row is None:
        raise NotYet("results:not_published_yet")
    return row


def publications_of(subject_id: int, *, for_supervisor: int | None = None) -> list[PublicationRow]:
    """A person's published results in their newest versions, oldest first; one query.

    With `for_supervisor` only those this supervisor answers for: what they may not open, they learn nowhere else.
    """
    query = select(PublicationRow).where(PublicationRow.subject_id == subject_id, is_newest())
    if for_supervisor is not None:
        query = query.join(ReviewRow, ReviewRow.id == PublicationRow.review_id)
        query = query.where(ReviewRow.supervisor_id == for_supervisor)
    return list(db.session.scalars(query.order_by(PublicationRow.published_at, PublicationRow.id)))


def is_newest() -> ColumnElement[bool]:
    """Whether a publication is its review's last version."""
    other = aliased(PublicationRow)
    newest = select(func.max(other.version)).where(other.review_id == PublicationRow.review_id)
    return PublicationRow.version == newest.correlate(PublicationRow).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Count:
    """So many published results got this grade; `score` is the sum of their scores in hundredths."""

    grade: Grade | None
    results: int
    score: int
    signed: int


def counts_in(cycle_id: int, supervisor_id: int | None = None) -> list[Count]:
    """The published results of a cycle by grade, or of those a supervisor answers for; one query."""
    figures = (
        PublicationRow.grade,
        func.count(),
        func.coalesce(func.sum(PublicationRow.score), 0),
        func.count(AcknowledgementRow.publication_id),
    )
    query = _in_cycle(select(*figures), cycle_id, supervisor_id).group_by(PublicationRow.grade)
    return [Count(grade, results, int(score), signed) for grade, results, score, signed in db.session.execute(query)]


def lines_in(cycle_id: int, supervisor_id: int | None = None, *, page: int = 1, per_page: int = PER_PAGE) -> Listing:
    """One page of the published results of a cycle, ordered by department and name; two queries of any size.

    Its rows are (publication, whether its employee has signed).
    """
    query = (
        _in_cycle(select(PublicationRow, AcknowledgementRow.publication_id.is_not(None)), cycle_id, supervisor_id)
        .join(PersonRow, PersonRow.id == PublicationRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == PublicationRow.department_id)
        .order_by(DepartmentRow.name, PersonRow.name, PublicationRow.review_id)
    )
    return page_of(query, page, per_page)


def _in_cycle(query: Select[*tuple[Any, ...]], cycle_id: int, supervisor_id: int | None) -> Select[*tuple[Any, ...]]:
    query = query.select_from(PublicationRow).outerjoin(
        AcknowledgementRow, AcknowledgementRow.publication_id == PublicationRow.id
    )
    if supervisor_id is not None:
        query = query.join(ReviewRow, ReviewRow.id == PublicationRow.review_id)
        query = query.where(ReviewRow.supervisor_id == supervisor_id)
    return query.where(PublicationRow.cycle_id == cycle_id, is_newest())


def acknowledge(file: ReviewFile, *, by: int, now: datetime) -> AcknowledgementRow:
    """Note that the employee has read the published result; a second time changes nothing."""
    if file.review.subject_id != by:
        raise OutOfReach("results:no_such_result")
    publication = publication_of(file.review.id)
    row = {"publication_id": publication.id, "person_id": by, "at": now}
    once = insert_into(AcknowledgementRow).on_conflict_do_nothing(index_elements=["publication_id"])
    if db.session.scalars(once.returning(AcknowledgementRow.publication_id), [row]).all():
        audit.record("results:result:acknowledged", f"review:{file.review.id}", by=by, at=now)
    return db.session.get_one(AcknowledgementRow, publication.id)


def acknowledgement_of(publication_id: int) -> AcknowledgementRow | None:
    return db.session.get(AcknowledgementRow, publication_id)


def reward_of(review_id: int) -> RewardRow | None:
    return db.session.get(RewardRow, review_id)
