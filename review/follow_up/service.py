"""Works on case reviews: who owns one by when, what was found, what is brought to a talk, and its end."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Role, Standing
from review.domain.calendar import local_day
from review.domain.case_review import LONGEST, Findings, Origin, flaws
from review.domain.cycle import OVER
from review.domain.refusals import Invalid, OutOfReach, Problem, Taken, TooLate
from review.follow_up.tables import CaseRow
from review.infra import audit, organisation, outbox
from review.infra.db import db, rows_changed
from review.infra.gate import Found
from review.people import directory
from review.people.tables import PersonRow
from review.responses.owed import still_to_rate

ASSIGNED = "follow_up:assigned"
OVERDUE = "follow_up:overdue"


@dataclass(frozen=True, slots=True)
class Case:
    """A case with the review it is about."""

    row: CaseRow
    review: ReviewRow
    cycle: CycleRow
    subject: PersonRow


def find_case(actor: Actor, case_id: int) -> Found:
    """A case for whoever works on it. For the employee it is about it does not exist, whatever their role."""
    row = db.session.get(CaseRow, case_id)
    if row is None:
        raise OutOfReach("follow_up:no_such_case")
    file = file_of(row.review_id)
    if file.review.subject_id == actor.person_id or row.review_id in still_to_rate(actor.person_id):
        raise OutOfReach("follow_up:no_such_case")
    standings = frozenset({Standing.HANDLER}) if row.owner_id == actor.person_id else frozenset()
    if Role.HR not in actor.roles and not standings:
        raise OutOfReach("follow_up:no_such_case")
    return Found(Case(row, file.review, file.cycle, file.subject), standings)


def assign(cases: Collection[CaseRow], employee_no: str, due_on: date | None, *, by: int, now: datetime) -> int:
    """Give cases to an owner with a day to be done by; how many changed hands or day.

    Raises Invalid for nobody, a day that has passed, the employee a case is about, and a supervisor who has still to
    rate that employee: what customers say is open to them only after their own rating is in.
    """
    owner = directory.by_number(employee_no.strip())
    today = local_day(now, organisation.current().zone)
    problems = []
    if owner is None or (owner.left_on is not None and owner.left_on < today):
        problems.append(Problem("follow_up:nobody", "owner", {"number": employee_no.strip()}))
    if due_on is None:
        problems.append(Problem("form:required", "due_on"))
    elif due_on < today:
        problems.append(Problem("follow_up:day_has_passed", "due_on"))
    if not cases:
        problems.append(Problem("follow_up:none_chosen", "cases"))
    if problems or owner is None or due_on is None:
        raise Invalid.of(problems)
    _require_may_own(cases, owner)
    return sum(_assign(row, owner, due_on, by, now) for row in cases)


def _require_may_own(cases: Collection[CaseRow], owner: PersonRow) -> None:
    owed = still_to_rate(owner.id)
    for row in cases:
        file = file_of(row.review_id)
        if row.closed_at is not None:
            raise TooLate("follow_up:closed")
        if file.review.subject_id == owner.id:
            raise Invalid("follow_up:own_case", "owner", name=owner.name)
        if row.review_id in owed:
            raise Invalid("follow_up:has_to_rate_first", "owner", name=owner.name, subject=file.subject.name)


def _assign(row: CaseRow, owner: PersonRow, due_on: date, by: int, now: datetime) -> bool:
    if (row.owner_id, row.due_on) == (owner.id, due_on):
        return False
    before = {"owner": row.owner_id, "due_on": row.due_on.isoformat() if row.due_on else None}
    is_new_owner = row.owner_id != owner.id
    row.owner_id, row.due_on, row.version = owner.id, due_on, row.version + 1
    db.session.flush()
    audit.record(
        "follow_up:case:assigned",
        f"case:{row.id}",
        by=by,
        at=now,
        before=before,
        after={"owner": owner.id, "due_on": due_on.isoformat()},
    )
    if is_new_owner and owner.email and owner.id != by:
        params = {"name": owner.name, "due_on": due_on.isoformat(), "case_id": row.id}
        outbox.put(ASSIGNED, f"case:{row.id}:{row.version}", owner.email, owner.locale, params, now=now)
    return True


def write(case: Case, said: Findings, seen: int, *, by: int, now: datetime) -> bool:
    """Keep findings of an open case; False when exactly these stand there. Raises Invalid, TooLate, Taken."""
    problems = list(flaws(said, closing=False))
    if problems:
        raise Invalid.of(problems)
    if _findings(case.row) == said:
        return False
    _change(case, seen, _values(said))
    audit.record("follow_up:case:written", f"case:{case.row.id}", by=by, at=now)
    return True


def close(case: Case, said: Findings, seen: int, *, by: int, now: datetime) -> None:
    """End a case with cause, measure and closing note. Raises Invalid with all that is missing, TooLate, Taken."""
    problems = list(flaws(said, closing=True))
    if problems:
        raise Invalid.of(problems)
    _change(case, seen, {**_values(said), "closed_at": now, "closed_by": by})
    cause = said.cause.value if said.cause else None
    audit.record("follow_up:case:closed", f"case:{case.row.id}", by=by, at=now, cause=cause)


def reopen(case: Case, reason: str, *, by: int, now: datetime) -> None:
    """Take a closed case up again. Raises Invalid without a reason, Taken when it is open."""
    if not reason.strip():
        raise Invalid("form:required", "reason")
    closed = (CaseRow.id == case.row.id) & CaseRow.closed_at.is_not(None)
    values = {"closed_at": None, "closed_by": None, "version": CaseRow.version + 1}
    if not rows_changed(update(CaseRow).where(closed).values(values)):
        raise Taken("follow_up:is_open")
    db.session.refresh(case.row)
    audit.record("follow_up:case:reopened", f"case:{case.row.id}", by=by, at=now, reason=reason.strip())


def bring_to_talk(case: Case, text: str, *, by: int, now: datetime) -> bool:
    """Tell the employee what the case is about, in the owner's words; False when exactly that was told before.

    Only from now on they see it: this text, cause and measure, never who the customer was. Raises Invalid.
    """
    said = text.strip()
    if not said:
        raise Invalid("form:required", "talk")
    if len(said) > LONGEST:
        raise Invalid("form:too_long", "talk", max=LONGEST)
    if case.row.talk == said:
        return False
    case.row.talk, case.row.talked_at, case.row.talked_by = said, now, by
    case.row.version += 1
    db.session.flush()
    audit.record("follow_up:case:brought_to_talk", f"case:{case.row.id}", by=by, at=now)
    return True


def open_by_hand(review_id: int, subject: str, *, by: int, now: datetime) -> CaseRow:
    """Open a case that no record asks for. Raises Invalid without a subject or about oneself, TooLate once over."""
    file = file_of(review_id)
    said = subject.strip()
    if file.review.subject_id == by:
        raise OutOfReach("follow_up:no_such_case")
    if file.cycle.stage in OVER:
        raise TooLate("follow_up:cycle_over")
    if not said:
        raise Invalid("form:required", "subject")
    if len(said) > 200:
        raise Invalid("form:too_long", "subject", max=200)
    row = CaseRow(cycle_id=file.cycle.id, review_id=review_id, origin=Origin.MANUAL, subject=said, version=1)
    row.opened_at, row.opened_by = now, by
    row.explanation = row.measure = row.note = row.talk = ""
    db.session.add(row)
    db.session.flush()
    audit.record("follow_up:case:opened", f"case:{row.id}", by=by, at=now, review=review_id)
    return row


def _change(case: Case, seen: int, values: dict[str, Any]) -> None:
    if case.row.closed_at is not None:
        raise TooLate("follow_up:closed")
    mine = (CaseRow.id == case.row.id) & (CaseRow.version == seen) & CaseRow.closed_at.is_(None)
    if not rows_changed(update(CaseRow).where(mine).values({**values, "version": seen + 1})):
        raise Taken("follow_up:written_meanwhile")
    db.session.refresh(case.row)


def _findings(row: CaseRow) -> Findings:
    return Findings(row.cause, row.explanation, row.measure, row.note)


def _values(said: Findings) -> dict[str, Any]:
    return {"cause": said.cause, "explanation": said.explanation, "measure": said.measure, "note": said.note}
