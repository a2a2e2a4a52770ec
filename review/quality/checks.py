"""One check: its draft, which is the checker's alone, filing it for good, replacing a ticket that cannot be checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import aliased

from review.domain.access import Actor, Standing
from review.domain.calendar import clock_ends
from review.domain.quality import QualityForm, Sheet, outcome_of, problems_of
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.helpdesk.tables import TicketRow
from review.infra import audit, organisation, outbox
from review.infra.db import db, rows_changed
from review.infra.gate import Found
from review.people.tables import PersonRow
from review.quality.tables import CheckRow, DisputeRow, MarkRow, SampleRow

RESULT = "quality:result"
LONGEST_DRAFT = 20_000
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class CheckFile:
    """A check with its sample, its ticket, whom it is about, who holds it, and the dispute about it, if any."""

    check: CheckRow
    sample: SampleRow
    ticket: TicketRow
    agent: PersonRow
    checker: PersonRow | None
    dispute: DisputeRow | None

    @property
    def is_filed(self) -> bool:
        return self.check.filed_at is not None


def file_of(check_id: int) -> CheckFile:
    """A check by id, whoever asks. Raises OutOfReach for reserves: nobody is to know what comes next. One query."""
    agent, checker = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(CheckRow, SampleRow, TicketRow, agent, checker, DisputeRow)
        .join(SampleRow, SampleRow.id == CheckRow.sample_id)
        .join(TicketRow, TicketRow.id == CheckRow.ticket_id)
        .join(agent, agent.id == CheckRow.agent_id)
        .outerjoin(checker, checker.id == CheckRow.checker_id)
        .outerjoin(DisputeRow, DisputeRow.check_id == CheckRow.id)
        .where(CheckRow.id == check_id, CheckRow.is_reserve.is_(False))
    )
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise OutOfReach("quality:no_such_check")
    return CheckFile(*found)


def find_check(actor: Actor, check_id: int) -> Found:
    """A CheckFile, and what the actor is to it. For whom it is about it begins to exist when it is filed."""
    file = file_of(check_id)
    if file.agent.id == actor.person_id and not file.is_filed:
        raise OutOfReach("quality:no_such_check")
    standings = set()
    if file.check.checker_id == actor.person_id and file.check.replaced_at is None:
        standings.add(Standing.CHECKER)
    if file.is_filed and file.agent.id == actor.person_id:
        standings.add(Standing.SUBJECT)
    if file.is_filed and file.agent.supervisor_id == actor.person_id:
        standings.add(Standing.RESPONSIBLE)
    if file.dispute is not None and file.dispute.decider_id == actor.person_id:
        standings.add(Standing.DECIDER)
    return Found(file, frozenset(standings))


def save_draft(file: CheckFile, person_id: int, said: Sheet, now: datetime) -> None:
    """Keep an unfinished check. Raises Taken once filed, replaced or somebody else's; Invalid when far too long."""
    if len(said.overall) + sum(map(len, said.comments.values())) > LONGEST_DRAFT:
        raise Invalid("form:too_long", "overall", max=LONGEST_DRAFT)
    mine = _mine(file, person_id).values(draft=plain(said), draft_at=now)
    if not rows_changed(mine):
        raise Taken("quality:check_gone")


def file_check(file: CheckFile, person_id: int, said: Sheet, form: QualityForm, now: datetime) -> bool:
    """File the check for good and tell the agent. False when exactly this was filed before, Taken when another was.

    Raises Invalid with everything that is missing. A late check is still taken.
    """
    problems = problems_of(form, said)
    if problems:
        raise Invalid.of(problems)
    ours = organisation.current()
    score = outcome_of(form, said.marks).score
    until = clock_ends(now, file.sample.dispute_days, ours.zone, ours.holidays)
    values = {"filed_at": now, "score": str(score), "filed_score": str(score), "dispute_until": until}
    mine = _mine(file, person_id).values(**values, overall=said.overall, draft=None, draft_at=None)
    if not rows_changed(mine):
        db.session.expire(file.check)
        if file.check.checker_id == person_id and file.is_filed and _same(said, sheet_of(file.check), form):
            return False
        raise Taken("quality:check_gone")
    db.session.execute(insert(MarkRow.__table__), list(_marks(file.check.id, said, form)))
    db.session.expire(file.check)
    audit.record("quality:check:filed", f"quality_check:{file.check.id}", by=person_id, at=now, score=str(score))
    if file.agent.email is not None:
        params = {"name": file.agent.name, "check_id": file.check.id, "ticket_tail": file.ticket.reference[-4:]}
        params |= {"until": until.isoformat(), "sample": file.sample.name}
        about = f"check:{file.check.id}"
        outbox.put(RESULT, about, file.agent.email, file.agent.locale, params, now=now)
    return True


def _mine(file: CheckFile, person_id: int) -> Any:
    return update(CheckRow).where(
        CheckRow.id == file.check.id,
        CheckRow.checker_id == person_id,
        CheckRow.filed_at.is_(None),
        CheckRow.replaced_at.is_(None),
    )


def _marks(check_id: int, said: Sheet, form: QualityForm) -> Any:
    for category in form.categories:
        mark = said.marks[category.key]
        low = category.is_low(mark)
        yield {
            "check_id": check_id,
            "category_key": category.key,
            "scale": category.scale,
            "mark": mark,
            "filed_mark": mark,
            "comment": said.comments.get(category.key, "").strip(),
            "cause": (said.causes.get(category.key) or None) if low and category.causes else None,
        }


def _same(one: Sheet, other: Sheet, form: QualityForm) -> bool:
    def told(sheet: Sheet) -> list[object]:
        marks = [sheet.marks.get(category.key) for category in form.categories]
        return [marks, [sheet.comments.get(category.key, "").strip() for category in form.categories], sheet.overall]

    return told(one) == told(other)


def marks_of(check_id: int) -> dict[str, MarkRow]:
    """A filed check's marks by category. One query."""
    rows = db.session.scalars(select(MarkRow).where(MarkRow.check_id == check_id))
    return {row.category_key: row for row in rows}


def sheet_of(check: CheckRow) -> Sheet:
    """What the checker said: filed, else drafted, else nothing."""
    if check.filed_at is None:
        return drafted(check.draft or {})
    rows = marks_of(check.id).values()
    return Sheet(
        {row.category_key: row.filed_mark for row in rows},
        {row.category_key: row.comment for row in rows if row.comment},
        {row.category_key: row.cause for row in rows if row.cause},
        check.overall,
    )


def plain(said: Sheet) -> dict[str, Any]:
    """A sheet as a draft is stored."""
    return {
        "marks": dict(said.marks),
        "comments": {key: text for key, text in said.comments.items() if text},
        "causes": {key: cause for key, cause in said.causes.items() if cause},
        "overall": said.overall,
    }


def drafted(draft: Mapping[str, Any]) -> Sheet:
    """A stored draft as the sheet it would be when submitted now."""
    marks = {str(key): mark for key, mark in draft.get("marks", {}).items() if mark is None or isinstance(mark, int)}
    return Sheet(marks, dict(draft.get("comments", {})), dict(draft.get("causes", {})), str(draft.get("overall", "")))


def replace(file: CheckFile, person_id: int, reason: str, now: datetime) -> CheckRow | None:
    """Put a ticket aside that cannot be checked, with the reason; the next one by lot, or None when none is left.

    The successor is of the same channel where there is one; nobody chooses it. Raises Invalid without a reason, Taken
    when the check was filed or put aside before.
    """
    reason = reason.strip()
    if not reason:
        raise Invalid("form:required", "reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid("form:too_long", "reason", max=LONGEST_REASON)
    aside = {"replaced_at": now, "replaced_by": person_id, "replaced_why": reason, "draft": None, "draft_at": None}
    if not rows_changed(_mine(file, person_id).values(**aside)):
        raise Taken("quality:check_gone")
    after = _next(file)
    about = f"quality_check:{file.check.id}"
    audit.record(
        "quality:check:replaced", about, by=person_id, at=now, reason=reason, successor=after.id if after else None
    )
    return after


def _next(file: CheckFile) -> CheckRow | None:
    waiting = select(CheckRow).where(
        CheckRow.sample_id == file.check.sample_id,
        CheckRow.agent_id == file.check.agent_id,
        CheckRow.is_reserve.is_(True),
    )
    in_turn = waiting.order_by(CheckRow.channel != file.check.channel, CheckRow.place)
    for row in list(db.session.scalars(in_turn)):
        taken = update(CheckRow).where(CheckRow.id == row.id, CheckRow.is_reserve.is_(True))
        values = {"is_reserve": False, "checker_id": file.check.checker_id, "replaces_id": file.check.id}
        if rows_changed(taken.values(**values)):
            db.session.expire(row)
            return row
    return None
