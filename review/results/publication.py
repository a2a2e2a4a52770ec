"""Publishes signed-off results, once each, grants their rewards, and notes who has read theirs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from review.cycles.lookup import ReviewFile
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import NotYet, OutOfReach
from review.infra import audit
from review.infra.db import db
from review.results.freezing import bodies_of
from review.results.tables import AcknowledgementRow, PublicationRow, RewardRow
from review.schemes.service import scheme_of

BATCH = 500

Report = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _step: str) -> None:
    """Nobody is watching."""


def freeze_cycle(cycle_id: int, *, by: int, now: datetime, report: Report = _quiet) -> int:
    """Publish every signed-off result of a cycle and grant its tiers, in the caller's transaction; how many are new.

    A result that has a publication already is left alone, and a reward that was granted is not granted again.
    """
    cycle = db.session.get_one(CycleRow, cycle_id)
    scheme = scheme_of(cycle.scheme_id)
    there = set(db.session.scalars(select(PublicationRow.review_id).where(PublicationRow.cycle_id == cycle_id)))
    rows: list[dict[str, Any]] = []
    rewards: list[dict[str, Any]] = []
    for frozen in bodies_of(cycle, scheme):
        if frozen.review_id in there:
            continue
        rows.append(frozen.as_row(by, now))
        if frozen.grade is not None:
            coefficient = str(frozen.body["reward"]["coefficient"])
            rewards.append(
                {"review_id": frozen.review_id, "tier": frozen.grade, "coefficient": coefficient, "granted_at": now}
            )
    for start in range(0, len(rows), BATCH):
        db.session.execute(insert(PublicationRow), rows[start : start + BATCH])
        report(min(start + BATCH, len(rows)), len(rows), "publish")
    _grant(rewards)
    return len(rows)


def _grant(rewards: Sequence[dict[str, Any]]) -> None:
    upsert = postgres_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    for start in range(0, len(rewards), BATCH):
        once = upsert(RewardRow).on_conflict_do_nothing(index_elements=["review_id"])
        db.session.execute(once, list(rewards[start : start + BATCH]))


def publication_of(review_id: int) -> PublicationRow:
    """The newest published version of a result. Raises NotYet while there is none."""
    query = select(PublicationRow).where(PublicationRow.review_id == review_id)
    row = db.session.scalar(query.order_by(PublicationRow.version.desc()).limit(1))
    if row is None:
        raise NotYet("results:not_published_yet")
    return row


def publications_of(subject_id: int) -> list[PublicationRow]:
    """A person's published results, newest last; of a result with several versions the newest."""
    query = select(PublicationRow).where(PublicationRow.subject_id == subject_id)
    newest = {row.review_id: row for row in db.session.scalars(query.order_by(PublicationRow.version))}
    return sorted(newest.values(), key=lambda row: (row.published_at, row.id))


def lines_in(cycle_id: int, supervisor_id: int | None = None) -> list[tuple[PublicationRow, bool]]:
    """The published results of a cycle, each with whether its employee has signed; a supervisor's own only if asked.

    One query; of a result with several versions the newest.
    """
    query = (
        select(PublicationRow, AcknowledgementRow.publication_id)
        .outerjoin(AcknowledgementRow, AcknowledgementRow.publication_id == PublicationRow.id)
        .where(PublicationRow.cycle_id == cycle_id)
        .order_by(PublicationRow.version)
    )
    if supervisor_id is not None:
        query = query.join(ReviewRow, ReviewRow.id == PublicationRow.review_id).where(
            ReviewRow.supervisor_id == supervisor_id
        )
    newest = {row.review_id: (row, signed is not None) for row, signed in db.session.execute(query)}
    return list(newest.values())


def acknowledge(file: ReviewFile, *, by: int, now: datetime) -> AcknowledgementRow:
    """Note that the employee has read the published result; a second time changes nothing."""
    if file.review.subject_id != by:
        raise OutOfReach("results:no_such_result")
    publication = publication_of(file.review.id)
    found = db.session.get(AcknowledgementRow, publication.id)
    if found is None:
        found = AcknowledgementRow(publication_id=publication.id, person_id=by, at=now)
        db.session.add(found)
        audit.record("results:result:acknowledged", f"review:{file.review.id}", by=by, at=now)
    return found


def acknowledgement_of(publication_id: int) -> AcknowledgementRow | None:
    return db.session.get(AcknowledgementRow, publication_id)


def reward_of(review_id: int) -> RewardRow | None:
    return db.session.get(RewardRow, review_id)
