"""Words and names under a sheet: the employee first, then the direct superior, then the head of department.

Each name is bound to the digest of what was on the page. Whoever signs has read the sheet and need not agree.
"""

from datetime import datetime

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, Taken, TooLate
from review.infra import audit
from review.infra.db import db, insert_into
from review.kpi.changing import CHANGEABLE, held_one, require_unsigned
from review.kpi.evidence import require_complete
from review.kpi.sheets import Sheet, sheet_of
from review.kpi.tables import Part, SheetRow, SignatureRow, Step, WordRow

SELF, LEADER = Part.SELF, Part.LEADER
LONGEST_WORD = 4000
LONGEST_REMARK = 1000
# Not while answers and checks still come in: whoever signed first would keep the figures of a good day.
SIGNABLE = frozenset({Stage.FINALISING, Stage.PUBLISHED})
ORDER = (Step.EMPLOYEE, Step.SUPERIOR, Step.HEAD)


def steps_of(sheet: Sheet) -> tuple[Step, ...]:
    """The chain of this sheet; where nobody stands above the supervisor, it ends with them."""
    return ORDER if sheet.head_id is not None else ORDER[:2]


def signer_of(sheet: Sheet, step: Step) -> int | None:
    """Whose name a step asks for."""
    return {Step.EMPLOYEE: sheet.subject.id, Step.SUPERIOR: sheet.supervisor_id, Step.HEAD: sheet.head_id}[step]


def next_step(sheet: Sheet) -> Step | None:
    """The first step that nobody has signed as the sheet stands; None where all have."""
    return next((step for step in steps_of(sheet) if sheet.signature(step) is None), None)


def step_for(sheet: Sheet, person_id: int) -> Step | None:
    """The step that waits for this person now; None while the cycle still collects."""
    step = next_step(sheet) if sheet.cycle.stage in SIGNABLE else None
    return step if step is not None and signer_of(sheet, step) == person_id else None


def sign(review_id: int, person_id: int, seen: str, remark: str, now: datetime) -> Step:
    """Sign what was on the page (`seen` is its digest). A second time changes nothing.

    Raises NotYet while the cycle collects, figures or decisions are missing or others must sign first, Taken where the
    sheet says something else than was seen, OutOfReach for somebody whose name is not asked for, TooLate once the cycle
    is over.
    """
    sheet = _held_for_signing(review_id)
    mine = [step for step in steps_of(sheet) if signer_of(sheet, step) == person_id]
    if not mine:
        raise OutOfReach("kpi_sheet:no_such_sheet")
    if sheet.cycle.stage in CHANGEABLE - SIGNABLE:
        raise NotYet("kpi_sheet:signed_after_close")
    step = step_for(sheet, person_id)
    if step is None:
        signed = [one for one in mine if sheet.signature(one)]
        if signed:
            return signed[-1]
        raise NotYet("kpi_sheet:others_sign_first")
    require_complete(sheet.cycle.id, review_id)
    if seen != sheet.digest:
        raise Taken("kpi_sheet:changed_since_seen")
    said = remark.strip()
    if len(said) > LONGEST_REMARK:
        raise Invalid("form:too_long", "remark", max=LONGEST_REMARK)
    _store(sheet, step, person_id, said, now)
    about = f"review:{review_id}"
    audit.record("kpi:sheet:signed", about, by=person_id, at=now, step=step.value, digest=seen, remark=bool(said))
    return step


def _held_for_signing(review_id: int) -> Sheet:
    """The sheet, held: of two who sign at once the second one sees the first one's name."""
    there = db.session.get(SheetRow, review_id)
    if there is None:
        raise OutOfReach("kpi_sheet:no_such_sheet")
    cycle = db.session.get_one(CycleRow, there.cycle_id, with_for_update={"read": True}, populate_existing=True)
    if cycle.stage not in CHANGEABLE | SIGNABLE:
        raise TooLate("kpi_sheet:settled")
    db.session.get(SheetRow, review_id, with_for_update=True, populate_existing=True)
    return sheet_of(review_id)


def _store(sheet: Sheet, step: Step, person_id: int, remark: str, now: datetime) -> None:
    """A name that was void is replaced; one that holds is never there at this point."""
    values = {"person_id": person_id, "signed_at": now, "digest": sheet.digest, "remark": remark or None}
    row = insert_into(SignatureRow).values(review_id=sheet.review_id, step=step, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=["review_id", "step"], set_=values))
    db.session.expire_all()


def may_write(sheet: Sheet, part: Part, person_id: int) -> bool:
    """The employee assesses themselves, the responsible supervisor assesses them; nobody else writes here."""
    return person_id == (sheet.subject.id if part is Part.SELF else sheet.supervisor_id)


def write(cycle_id: int, review_id: int, part: Part, text: str, person_id: int, now: datetime) -> None:
    """Keep one's words on a sheet; empty takes them back. Raises Taken once somebody has signed what stands there."""
    sheet = held_one(cycle_id, review_id)
    if not may_write(sheet, part, person_id):
        raise NotAllowed("kpi_sheet:not_your_words")
    said = text.strip()
    before = sheet.words.get(part)
    if said == (before.text if before else ""):
        return
    require_unsigned(sheet)
    if len(said) > LONGEST_WORD:
        raise Invalid("form:too_long", "text", max=LONGEST_WORD)
    row = db.session.get(WordRow, (review_id, part))
    if row is not None and not said:
        db.session.delete(row)
    elif row is not None:
        row.text, row.written_by, row.written_at = said, person_id, now
    elif said:
        fresh = WordRow(review_id=review_id, part=part, text=said, written_by=person_id, written_at=now)
        db.session.add(fresh)
    db.session.flush()
    audit.record("kpi:words:written", f"review:{review_id}", by=person_id, at=now, part=part.value)
