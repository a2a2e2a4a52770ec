"""What every change of a sheet asks first: that it is there, not settled yet, and signed by nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from review.cycles.tables import CycleRow
from review.domain.access import Actor, Role
from review.domain.cycle import Stage
from review.domain.refusals import NotAllowed, OutOfReach, Taken, TooLate
from review.infra.db import db
from review.kpi.sheets import Sheet, sheets_among
from review.kpi.tables import SheetRow

CHANGEABLE = frozenset({Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING})


@dataclass(frozen=True, slots=True)
class Hand:
    """Whoever changes a sheet: a person, and whether they are HR."""

    person_id: int
    is_hr: bool

    @classmethod
    def of(cls, actor: Actor) -> "Hand":
        return cls(actor.person_id, Role.HR in actor.roles)


def held(cycle_id: int, review_ids: Collection[int]) -> dict[int, Sheet]:
    """Sheets of one cycle, held until the end of the transaction: nobody signs or publishes meanwhile.

    Raises TooLate once the cycle is published or cancelled; OutOfReach for a sheet that is not there.
    """
    # The cycle first, as everywhere: two who lock in different orders would wait for each other.
    cycle = db.session.get_one(CycleRow, cycle_id, with_for_update={"read": True}, populate_existing=True)
    if cycle.stage not in CHANGEABLE:
        raise TooLate("kpi_sheet:settled")
    rows = select(SheetRow).where(SheetRow.review_id.in_(review_ids), SheetRow.cycle_id == cycle_id)
    ordered = rows.order_by(SheetRow.review_id).with_for_update().execution_options(populate_existing=True)
    there = {row.review_id for row in db.session.scalars(ordered)}
    if there != set(review_ids):
        raise OutOfReach("kpi_sheet:no_such_sheet")
    return sheets_among(sorted(there))


def held_one(sheet_cycle_id: int, review_id: int) -> Sheet:
    """One of them; a withdrawn review has no sheet any more."""
    found = held(sheet_cycle_id, [review_id]).get(review_id)
    if found is None:
        raise OutOfReach("kpi_sheet:no_such_sheet")
    return found


def require_unsigned(sheet: Sheet) -> None:
    """Raises Taken once somebody has signed what stands there: HR opens it again, with a reason."""
    if sheet.is_locked:
        raise Taken("kpi_sheet:signed", name=sheet.subject.name)


def require_other(sheet: Sheet, by: int) -> None:
    """Raises NotAllowed for one's own sheet, which takes another hand, whatever role one holds."""
    if sheet.subject.id == by:
        raise NotAllowed("kpi_sheet:own_sheet")


def runs(sheet: Sheet, hand: Hand) -> bool:
    """Whether this person does what HR does on a sheet: HR, and for the sheet of somebody of HR their supervisor."""
    return hand.is_hr or (sheet.is_of_hr and sheet.supervisor_id == hand.person_id)


def touch(review_ids: Collection[int], now: datetime) -> None:
    """Note that these sheets say something else from now on: sign-offs of their results must be given anew."""
    if review_ids:
        db.session.execute(update(SheetRow).where(SheetRow.review_id.in_(review_ids)).values(changed_at=now))
