"""People whom two supervisors have rated in one cycle, with both ratings: for diagnostics, never for a score."""

from collections import defaultdict

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.double_ratings import Double
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Level
from review.infra.db import db
from review.people.tables import PersonRow
from review.responses import shape
from review.responses.progress import is_official
from review.responses.tables import COLUMNS, ResponseRow


def doubles_in(cycle: CycleRow, scheme: Scheme) -> list[Double]:
    """Everybody with two complete official ratings, the supervisor's first. Raters by name and number; one query."""
    keys = shape.keys_of(scheme)
    columns = [getattr(ResponseRow, column) for column in COLUMNS[: len(keys)]]
    query = (
        select(ResponseRow.review_id, PersonRow.name, PersonRow.employee_no, *columns)
        .join(ReviewRow, ReviewRow.id == ResponseRow.review_id)
        .join(PersonRow, PersonRow.id == ResponseRow.person_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .where(ReviewRow.second_rater_id.is_not(None), is_official(), ResponseRow.filed_at.is_not(None))
        .order_by(ResponseRow.review_id, ResponseRow.person_id != ReviewRow.supervisor_id)
    )
    found: defaultdict[int, list[tuple[str, dict[str, Level]]]] = defaultdict(list)
    for review_id, name, number, *levels in db.session.execute(query):
        said = {key: level for key, level in shape.levels(keys, levels).items() if level is not None}
        if len(said) == len(keys):
            found[review_id].append((f"{name} ({number})", said))
    return [
        Double(str(review_id), (first[0], second[0]), (first[1], second[1]))
        for review_id, (first, second) in ((key, both) for key, both in found.items() if len(both) > 1)
    ]
