"""Published results with the inputs they were computed from, for asking what other rules would have made of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from review.cycles.tables import CycleRow
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
