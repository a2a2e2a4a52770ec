"""HR's word on a single sheet: another target group, and opening one again that was signed. Both with their reason."""

from datetime import datetime

from sqlalchemy import update

from review.domain.refusals import Invalid, NotAllowed, Problem
from review.infra import audit
from review.infra.db import db
from review.kpi.changing import Hand, held_one, require_other, require_unsigned, runs, touch
from review.kpi.filling import put_aims
from review.kpi.sheets import Sheet
from review.kpi.tables import SheetRow

LONGEST = 1000


def move_to_group(cycle_id: int, review_id: int, group_key: str, why: str, hand: Hand, now: datetime) -> None:
    """Put somebody into another target group, with its targets; those by problem type follow at the next filling.

    Raises Invalid without a reason or for a group that the plan does not have, Taken once somebody has signed.
    """
    sheet = held_one(cycle_id, review_id)
    require_other(sheet, hand.person_id)
    require_unsigned(sheet)
    _require_runs(sheet, hand)
    try:
        group = sheet.plan.group(group_key)
    except KeyError:
        raise Invalid("kpi_sheet:no_such_group", "group") from None
    said = _reason(why)
    if group.key == sheet.group.key and said == sheet.group_why:
        return
    mine = update(SheetRow).where(SheetRow.review_id == review_id)
    db.session.execute(mine.values(group_key=group.key, group_why=said))
    put_aims(sheet.plan, group, [review_id])
    touch([review_id], now)
    about, told = f"review:{review_id}", {"before": sheet.group.key, "after": group.key, "reason": said}
    audit.record("kpi:sheet:moved", about, by=hand.person_id, at=now, **told)


def reopen(cycle_id: int, review_id: int, why: str, hand: Hand, now: datetime) -> None:
    """Open a signed sheet again: its signatures hold no longer, and the audit log keeps whose they were.

    Raises Invalid without a reason. One that nobody has signed stays as it is.
    """
    sheet = held_one(cycle_id, review_id)
    require_other(sheet, hand.person_id)
    _require_runs(sheet, hand)
    said = _reason(why)
    if not sheet.is_locked:
        return
    mine = update(SheetRow).where(SheetRow.review_id == review_id)
    db.session.execute(mine.values(reopened_by=hand.person_id, reopened_at=now))
    touch([review_id], now)
    void = [{"step": one.step.value, "by": one.by, "digest": one.digest} for one in sheet.standing]
    about = f"review:{review_id}"
    audit.record("kpi:sheet:reopened", about, by=hand.person_id, at=now, reason=said, signatures=void)


def _require_runs(sheet: Sheet, hand: Hand) -> None:
    if not runs(sheet, hand):
        raise NotAllowed("kpi_sheet:not_yours_to_enter")


def _reason(why: str) -> str:
    said = why.strip()
    if not said:
        raise Invalid.of([Problem("form:required", "why")])
    if len(said) > LONGEST:
        raise Invalid("form:too_long", "why", max=LONGEST)
    return said
