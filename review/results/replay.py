"""Published results of a whole cycle with what they were computed from: for trying other rules, and for diagnostics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.refusals import NotYet
from review.domain.score_inputs import ScoreInputs, read_inputs
from review.domain.vocabulary import Grade
from review.infra.db import db
from review.people.tables import DepartmentRow, PersonRow
from review.results.publication import is_newest
from review.results.tables import PublicationRow

BATCH = 500


@dataclass(frozen=True, slots=True)
class Published:
    """One result as it was published. `inputs` None: they were not kept in those days.

    `computed` is the method's grade, `final` the supervisor's.
    """

    review_id: int
    name: str
    employee_no: str
    department: str | None
    score: int | None
    computed: Grade | None
    final: Grade | None
    inputs: ScoreInputs | None


def published_with_inputs(cycle: CycleRow) -> Iterator[Published]:
    """The newest version of every result of a cycle by department and name, in one query.

    Raises NotYet before the publication.
    """
    query = (
        select(
            PublicationRow.review_id,
            PersonRow.name,
            PersonRow.employee_no,
            DepartmentRow.name,
            PublicationRow.score,
            PublicationRow.body["decision"]["computed"].as_string(),
            PublicationRow.grade,
            PublicationRow.inputs,
        )
        .join(PersonRow, PersonRow.id == PublicationRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == PublicationRow.department_id)
        .where(PublicationRow.cycle_id == cycle.id, is_newest())
        .order_by(DepartmentRow.name, PersonRow.name, PublicationRow.review_id)
    )
    empty = True
    for review_id, name, number, department, score, computed, final, plain in db.session.execute(
        query, execution_options={"yield_per": BATCH}
    ):
        empty = False
        inputs = None if plain is None else read_inputs(plain)
        grade = Grade(computed) if computed else None
        yield Published(review_id, name, number, department, score, grade, final, inputs)
    if empty:
        raise NotYet("results:not_published_yet")


@dataclass(frozen=True, slots=True)
class Told:
    """One published result with its working by criterion, and the groups that its subject belongs to."""

    supervisor_id: int | None
    department: str | None
    post: str | None
    joined_on: date | None
    score: int | None
    grade: Grade | None
    criteria: tuple[Mapping[str, Any], ...]


def told_in(cycle: CycleRow) -> Iterator[Told]:
    """The newest version of every result of a cycle, in one query. Raises NotYet before the publication."""
    query = (
        select(
            ReviewRow.supervisor_id,
            DepartmentRow.name,
            PersonRow.post,
            PersonRow.joined_on,
            PublicationRow.score,
            PublicationRow.grade,
            PublicationRow.body["working"]["criteria"].as_json(),
        )
        .join(ReviewRow, ReviewRow.id == PublicationRow.review_id)
        .join(PersonRow, PersonRow.id == PublicationRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == PublicationRow.department_id)
        .where(PublicationRow.cycle_id == cycle.id, is_newest())
        .order_by(PublicationRow.review_id)
    )
    empty = True
    for row in db.session.execute(query, execution_options={"yield_per": BATCH}):
        empty = False
        boss, department, post, joined_on, score, grade, criteria = row
        yield Told(boss, department, post, joined_on, score, grade, tuple(criteria))
    if empty:
        raise NotYet("results:not_published_yet")


def scores_by_cycle(until: CycleRow, most: int) -> list[tuple[str, dict[int, int]]]:
    """The last published cycles up to this one, oldest first: name and scores (hundredths) by person. Two queries."""
    before = (
        select(CycleRow.id, CycleRow.name)
        .where(CycleRow.id.in_(select(PublicationRow.cycle_id)), CycleRow.period_start <= until.period_start)
        .order_by(CycleRow.period_start.desc(), CycleRow.id.desc())
        .limit(most)
    )
    cycles = db.session.execute(before).all()[::-1]
    scores: dict[int, dict[int, int]] = {cycle_id: {} for cycle_id, _ in cycles}
    query = select(PublicationRow.cycle_id, PublicationRow.subject_id, PublicationRow.score)
    rows = db.session.execute(
        query.where(PublicationRow.cycle_id.in_(scores), PublicationRow.score.is_not(None), is_newest())
    )
    for cycle_id, subject_id, score in rows:
        scores[cycle_id][subject_id] = int(score or 0)
    return [(name, scores[cycle_id]) for cycle_id, name in cycles]
