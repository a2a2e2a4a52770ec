"""Whose rating somebody still owes: until it is in, what customers say about these people is closed to them."""

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.vocabulary import Source
from review.infra.db import db
from review.responses.progress import State, progress

RATING_STAGES = frozenset({Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING})


def still_to_rate(person_id: int) -> set[int]:
    """The reviews whose rating this person still owes, as supervisor or beside one. Two queries at most."""
    rates = (ReviewRow.supervisor_id == person_id) | (ReviewRow.second_rater_id == person_id)
    query = select(ReviewRow.id).join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
    asked = query.where(rates, ReviewRow.withdrawn_at.is_(None), CycleRow.stage.in_(RATING_STAGES))
    review_ids = set(db.session.scalars(asked))
    found = progress(Source.SUPERVISOR, review_ids, person_id)
    return {key for key in review_ids if key not in found or found[key].state is not State.FILED}
