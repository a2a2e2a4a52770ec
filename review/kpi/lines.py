"""Lines of bonus and deduction, and the veto over the whole sheet: one person proposes, another one decides.

Only what was approved counts. Nobody decides what they proposed, and nobody proposes or decides about themselves.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import delete, select, update

from review.domain.reading import exact
from review.domain.refusals import Invalid, NotAllowed, OutOfReach, Problem, Taken
from review.domain.vocabulary import GRADES, Grade
from review.infra import audit
from review.infra.db import db, rows_changed
from review.kpi.changing import Hand, held_one, require_other, require_unsigned, touch
from review.kpi.sheets import Sheet
from review.kpi.tables import Direction, LineRow, SheetRow, VetoRow

BONUS, DEDUCTION = Direction.BONUS, Direction.DEDUCTION
LONGEST = 1000
MOST_POINTS = 100
MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line as typed: so many points, why, and what shows it."""

    direction: Direction
    points: str
    reason: str
    evidence: str = ""


def may_propose(sheet: Sheet, hand: Hand) -> bool:
    return sheet.subject.id != hand.person_id and (hand.is_hr or sheet.supervisor_id == hand.person_id)


def may_decide(sheet: Sheet, entered_by: int, hand: Hand) -> bool:
    """HR or the head above the supervisor; never who proposed it, never the employee."""
    is_above = hand.is_hr or sheet.head_id == hand.person_id
    return is_above and hand.person_id not in {sheet.subject.id, entered_by}


def propose(cycle_id: int, review_id: int, said: Proposal, hand: Hand, now: datetime) -> bool:
    """Put a line onto a sheet, to be decided by somebody else. False when just this line waits there already.

    Raises Invalid with every problem, NotAllowed for one's own sheet or somebody else's people, Taken once signed.
    """
    sheet = _held(cycle_id, review_id, hand)
    points = _points(said)
    same = (said.direction, points, said.reason.strip(), said.evidence.strip())
    waiting = [line for line in sheet.lines if line.is_approved is None]
    if any((one.direction, one.points, one.reason, one.evidence) == same for one in waiting):
        return False  # a form sent twice
    if len(sheet.lines) >= MOST_LINES:
        raise Invalid("kpi_sheet:too_many_lines", most=MOST_LINES)
    row = LineRow(
        review_id=review_id,
        direction=said.direction,
        points=str(points),
        reason=same[2],
        evidence=same[3] or None,
        entered_by=hand.person_id,
        entered_at=now,
    )
    db.session.add(row)
    db.session.flush()
    touch([review_id], now)
    told = {"line": row.id, "direction": said.direction.value, "points": str(points), "reason": same[2]}
    audit.record("kpi:line:proposed", f"review:{review_id}", by=hand.person_id, at=now, **told)
    return True


def _held(cycle_id: int, review_id: int, hand: Hand) -> Sheet:
    sheet = held_one(cycle_id, review_id)
    require_other(sheet, hand.person_id)
    require_unsigned(sheet)
    if not may_propose(sheet, hand):
        raise NotAllowed("kpi_sheet:not_yours_to_propose")
    return sheet


def _points(said: Proposal) -> Fraction:
    problems, points = _text_problems(said.reason, said.evidence), exact(said.points.strip())
    if points is None:
        problems.insert(0, Problem("kpi_sheet:not_a_number", "points"))
    elif not 0 < points <= MOST_POINTS:
        problems.insert(0, Problem("kpi_sheet:out_of_range", "points", {"low": "0", "high": str(MOST_POINTS)}))
    if problems or points is None:
        raise Invalid.of(problems)
    return points


def _text_problems(reason: str, evidence: str) -> list[Problem]:
    problems = [] if reason.strip() else [Problem("form:required", "reason")]
    return problems + [
        Problem("form:too_long", name, {"max": LONGEST})
        for name, text in (("reason", reason), ("evidence", evidence))
        if len(text.strip()) > LONGEST
    ]


def decide(cycle_id: int, line_id: int, *, approve: bool, hand: Hand, now: datetime) -> None:
    """Approve or refuse a line. The same decision again changes nothing; another one raises Taken."""
    row = db.session.get(LineRow, line_id)
    if row is None:
        raise OutOfReach("kpi_sheet:no_such_line")
    sheet = held_one(cycle_id, row.review_id)
    row = db.session.get_one(LineRow, line_id, populate_existing=True)
    _require_judge(sheet, row.entered_by, hand)
    if _is_decided(row, approve=approve, by=hand.person_id):
        return
    require_unsigned(sheet)
    undecided = update(LineRow).where(LineRow.id == line_id, LineRow.decided_at.is_(None))
    values = {"decided_by": hand.person_id, "decided_at": now, "is_approved": approve}
    if not rows_changed(undecided.values(**values)):
        raise Taken("kpi_sheet:decided_already")
    touch([row.review_id], now)
    action = "kpi:line:approved" if approve else "kpi:line:refused"
    audit.record(action, f"review:{row.review_id}", by=hand.person_id, at=now, line=line_id)


def _require_judge(sheet: Sheet, entered_by: int, hand: Hand) -> None:
    require_other(sheet, hand.person_id)
    if entered_by == hand.person_id:
        raise NotAllowed("kpi_sheet:own_proposal")
    if not may_decide(sheet, entered_by, hand):
        raise NotAllowed("kpi_sheet:not_yours_to_decide")


def _is_decided(row: Any, *, approve: bool, by: int) -> bool:
    """True where it was decided just so; raises Taken where it was decided otherwise or by somebody else."""
    if row.is_approved is None:
        return False
    if row.is_approved is not approve or row.decided_by != by:
        raise Taken("kpi_sheet:decided_already")
    return True


def decide_many(cycle_id: int, line_ids: Collection[int], *, approve: bool, hand: Hand, now: datetime) -> int:
    """Decide several lines of one cycle at once, those left out that are not this person's to decide; how many."""
    rows = select(LineRow.id, LineRow.entered_by, LineRow.review_id).join(
        SheetRow, SheetRow.review_id == LineRow.review_id
    )
    waiting = rows.where(LineRow.id.in_(line_ids), SheetRow.cycle_id == cycle_id, LineRow.is_approved.is_(None))
    done = 0
    for line_id, _entered_by, _review_id in db.session.execute(waiting.order_by(LineRow.id)).all():
        try:
            decide(cycle_id, line_id, approve=approve, hand=hand, now=now)
        except NotAllowed:
            continue
        done += 1
    return done


def propose_veto(
    cycle_id: int, review_id: int, cap: str, reason: str, evidence: str, hand: Hand, now: datetime
) -> bool:
    """Say that a grave breach caps the grade, to be decided by somebody else; False when just this was said before.

    Raises Invalid where the plan knows no such veto, for a cap that caps nothing, and without a reason.
    """
    sheet = _held(cycle_id, review_id, hand)
    if not sheet.plan.sheet_veto:
        raise Invalid("kpi_sheet:no_veto_in_plan")
    problems = _text_problems(reason, evidence)
    if cap not in GRADES[1:]:
        problems.insert(0, Problem("kpi_sheet:cap_of_veto", "cap"))
    if problems:
        raise Invalid.of(problems)
    before = sheet.veto
    if before is not None and before.is_approved is not False:
        if (before.cap, before.reason, before.entered_by_id) == (cap, reason.strip(), hand.person_id):
            return False
        raise Taken("kpi_sheet:veto_there")
    db.session.execute(delete(VetoRow).where(VetoRow.review_id == review_id))  # one that was refused; the log keeps it
    row = VetoRow(review_id=review_id, cap=Grade(cap), reason=reason.strip(), evidence=evidence.strip() or None)
    row.entered_by, row.entered_at = hand.person_id, now
    db.session.add(row)
    db.session.flush()
    touch([review_id], now)
    about, told = f"review:{review_id}", {"cap": cap, "reason": reason.strip()}
    audit.record("kpi:veto:proposed", about, by=hand.person_id, at=now, **told)
    return True


def decide_veto(cycle_id: int, review_id: int, *, approve: bool, hand: Hand, now: datetime) -> None:
    """Approve or refuse the veto over a sheet, as with a line."""
    sheet = held_one(cycle_id, review_id)
    row = db.session.get(VetoRow, review_id, populate_existing=True)
    if row is None:
        raise OutOfReach("kpi_sheet:no_such_line")
    _require_judge(sheet, row.entered_by, hand)
    if _is_decided(row, approve=approve, by=hand.person_id):
        return
    require_unsigned(sheet)
    row.decided_by, row.decided_at, row.is_approved = hand.person_id, now, approve
    db.session.flush()
    touch([review_id], now)
    action = "kpi:veto:approved" if approve else "kpi:veto:refused"
    audit.record(action, f"review:{review_id}", by=hand.person_id, at=now, cap=row.cap.value)
