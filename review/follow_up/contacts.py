"""Notes that a customer who had asked for it was contacted."""

from datetime import datetime

from review.cycles.tables import CycleRow
from review.domain.case_review import LONGEST
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.follow_up.lists import open_wishes
from review.follow_up.tables import ContactRow
from review.infra import audit
from review.infra.db import db, insert_into


def done(cycle: CycleRow, response_id: int, note: str, *, by: int, now: datetime) -> None:
    """Somebody has called or written, and what came of it.

    Raises OutOfReach when this customer of this cycle asked for nothing, or speaks of whoever writes; Invalid without
    a note; Taken when another note stands there already.
    """
    if response_id not in {voice.response_id for voice in open_wishes(cycle.id, by)}:
        raise OutOfReach("follow_up:no_such_wish")
    said = note.strip()
    if not said:
        raise Invalid("form:required", "note")
    if len(said) > LONGEST:
        raise Invalid("form:too_long", "note", max=LONGEST)
    row = insert_into(ContactRow).values(response_id=response_id, cycle_id=cycle.id, note=said, by_id=by, at=now)
    if db.session.scalar(row.on_conflict_do_nothing().returning(ContactRow.response_id)) is None:
        if db.session.get_one(ContactRow, response_id).note != said:
            raise Taken("follow_up:contacted_already")
        return
    audit.record("follow_up:customer:contacted", f"cycle:{cycle.id}", by=by, at=now, response=response_id)
