"""An agent disputes a check once, in time and with words; somebody else than the checker decides, with a reason."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Select, func, literal, null, or_, select, update

from review.domain.access import Actor, Role, Standing
from review.domain.quality import Marks, QualityForm, mark_problems, outcome_of
from review.domain.refusals import Invalid, NotYet, OutOfReach, Problem, Taken, TooLate
from review.infra import audit, outbox
from review.infra.db import db, insert_into, rows_changed
from review.infra.gate import Found
from review.people import directory
from review.people.tables import PersonRow
from review.quality.checks import CheckFile, file_of, marks_of
from review.quality.tables import CheckRow, DisputeRow, MarkRow, SampleRow, Verdict

RAISED = "quality:disputed"
DECIDED = "quality:decided"
LONGEST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Decision:
    """What the decider says. `marks` are the new ones of a partly accepted dispute; else they are not looked at."""

    verdict: Verdict
    reason: str
    marks: Marks


def find_dispute(actor: Actor, check_id: int) -> Found:
    """The CheckFile of a disputed check, for whoever may decide. For agent and checker there is nothing to decide."""
    file = file_of(check_id)
    if file.dispute is None or actor.person_id in {file.agent.id, file.check.checker_id}:
        raise OutOfReach("quality:no_such_dispute")
    is_handed = file.dispute.decider_id == actor.person_id
    return Found(file, frozenset({Standing.DECIDER} if is_handed else ()))


def raise_dispute(
    file: CheckFile, person_id: int, comment: str, proposed: Marks, form: QualityForm, now: datetime
) -> bool:
    """Dispute a filed check. False when exactly this was said before; Taken for a second dispute of any kind.

    Raises NotYet before the check is filed, TooLate after its clock ran out, Invalid without a comment or with marks
    that the form does not have.
    """
    if file.check.dispute_until is None or file.check.score is None:
        raise NotYet("quality:not_filed")
    filed = _filed_marks(file)
    wanted = {key: mark for key, mark in proposed.items() if key not in filed or mark != filed[key]}
    if file.dispute is not None:
        if file.dispute.comment == comment.strip() and file.dispute.proposed == wanted:
            return False
        raise Taken("quality:disputed_before")
    if now > file.check.dispute_until:
        raise TooLate("quality:dispute_too_late")
    problems = [*_words_problems(comment, "comment"), *_of_proposal(form, filed, wanted)]
    if problems:
        raise Invalid.of(problems)
    row = insert_into(DisputeRow).values(
        check_id=file.check.id,
        raised_at=now,
        comment=comment.strip(),
        proposed=wanted,
        score_before=file.check.score,
        reason="",
    )
    once = row.on_conflict_do_nothing(index_elements=["check_id"]).returning(DisputeRow.check_id)
    if db.session.scalar(once) is None:  # the count of changed rows is not told of an insert
        raise Taken("quality:disputed_before")
    audit.record("quality:dispute:raised", _about(file), by=person_id, at=now)
    _tell(RAISED, file, [file.checker, *directory.holding(Role.HR)], now, skip={file.agent.id})
    return True


def _filed_marks(file: CheckFile) -> dict[str, int | None]:
    return {key: row.filed_mark for key, row in marks_of(file.check.id).items()}


def _of_proposal(form: QualityForm, filed: Marks, wanted: Marks) -> Iterator[Problem]:
    """A proposal must be something that could be filed."""
    if set(wanted) <= {category.key for category in form.categories}:
        yield from mark_problems(form, {**filed, **wanted})
    else:
        yield Problem("form:not_valid", "comment")


def _words_problems(words: str, where: str) -> list[Problem]:
    if not words.strip():
        return [Problem("form:required", where)]
    if len(words) > LONGEST_WORDS:
        return [Problem("form:too_long", where, {"max": LONGEST_WORDS})]
    return []


def hand_over(file: CheckFile, number: str, *, by: int, now: datetime) -> PersonRow:
    """Let this person decide, where HR does not want to or was the checker. Raises Invalid for the two concerned."""
    person = directory.by_number(number)
    if person is None:
        raise Invalid("quality:no_such_number", "decider", numbers=number)
    if person.id in {file.agent.id, file.check.checker_id}:
        raise Invalid("quality:decider_concerned", "decider", name=person.name)
    mine = update(DisputeRow).where(DisputeRow.check_id == file.check.id, DisputeRow.decided_at.is_(None))
    if not rows_changed(mine.values(decider_id=person.id)):
        raise Taken("quality:decided_before")
    audit.record("quality:dispute:handed_over", _about(file), by=by, at=now, to=person.employee_no)
    _tell(RAISED, file, [person], now)
    return person


def decide(file: CheckFile, said: Decision, form: QualityForm, *, by: int, now: datetime) -> bool:
    """Close the dispute: marks and score change where it was accepted, before and after are kept, both are told.

    False when exactly this was decided before, Taken when something else was. Raises Invalid without a reason, for an
    acceptance that proposes nothing, and for new marks that change nothing. Never by the checker or the agent.
    """
    if by in {file.agent.id, file.check.checker_id} or file.dispute is None:
        raise OutOfReach("quality:no_such_dispute")
    if file.dispute.decided_at is not None:
        return _was_the_same(file.dispute, said, by)
    filed = _filed_marks(file)
    marks = _marks_after(file.dispute, said, filed)
    problems = [*_words_problems(said.reason, "reason"), *_of_decision(form, said, filed, marks)]
    if problems:
        raise Invalid.of(problems)
    score = str(outcome_of(form, marks).score)
    open_one = update(DisputeRow).where(DisputeRow.check_id == file.check.id, DisputeRow.decided_at.is_(None))
    values = {"verdict": said.verdict, "reason": said.reason.strip(), "decided_at": now, "decided_by": by}
    if not rows_changed(open_one.values(**values, score_after=score)):
        raise Taken("quality:decided_before")
    _write(file, marks, filed, score)
    audit.record(
        "quality:dispute:decided",
        _about(file),
        by=by,
        at=now,
        verdict=said.verdict.value,
        before=file.check.filed_score,
        after=score,
    )
    _tell(DECIDED, file, [file.agent, file.checker], now)
    return True


def _was_the_same(dispute: DisputeRow, said: Decision, by: int) -> bool:
    same = (dispute.verdict, dispute.reason, dispute.decided_by) == (said.verdict, said.reason.strip(), by)
    if not same:
        raise Taken("quality:decided_before")
    return False


def _marks_after(dispute: DisputeRow, said: Decision, filed: Marks) -> dict[str, int | None]:
    if said.verdict is Verdict.REJECTED:
        return dict(filed)
    if said.verdict is Verdict.ACCEPTED:
        return {**filed, **dispute.proposed}
    return {**filed, **said.marks}


def _of_decision(form: QualityForm, said: Decision, filed: Marks, marks: Marks) -> Iterator[Problem]:
    if said.verdict is not Verdict.REJECTED and marks == filed:
        code = "quality:nothing_proposed" if said.verdict is Verdict.ACCEPTED else "quality:nothing_changed"
        yield Problem(code, "verdict")
    yield from mark_problems(form, marks)


def _write(file: CheckFile, marks: Marks, filed: Marks, score: str) -> None:
    for key, mark in marks.items():
        if mark != filed[key]:
            one = update(MarkRow).where(MarkRow.check_id == file.check.id, MarkRow.category_key == key)
            db.session.execute(one.values(mark=mark))
    db.session.execute(update(CheckRow).where(CheckRow.id == file.check.id).values(score=score))
    db.session.expire_all()


def _about(file: CheckFile) -> str:
    return f"quality_check:{file.check.id}"


def _tell(
    kind: str, file: CheckFile, people: Iterable[PersonRow | None], now: datetime, skip: Iterable[int] = ()
) -> None:
    """One letter to each of these with an address: that there is something to read, never what it says."""
    tail, kept = file.ticket.reference[-4:], set(skip)
    for person in {one.id: one for one in people if one is not None}.values():
        if person.email is None or person.id in kept:
            continue
        params = {"name": person.name, "check_id": file.check.id, "ticket_tail": tail, "agent": file.agent.name}
        decides = kind == RAISED and person.id != file.check.checker_id
        params |= {"is_own": person.id == file.agent.id, "decides": decides}
        outbox.put(kind, f"check:{file.check.id}", person.email, person.locale, params, now=now)


def _listed() -> Select[*tuple[Any, ...]]:
    return (
        select(DisputeRow, CheckRow, SampleRow.name, PersonRow.name)
        .join(CheckRow, CheckRow.id == DisputeRow.check_id)
        .join(SampleRow, SampleRow.id == CheckRow.sample_id)
        .join(PersonRow, PersonRow.id == CheckRow.agent_id)
    )


def all_of_them() -> Select[*tuple[Any, ...]]:
    """Every dispute with its check, sample and agent, open ones first, then the latest: for a page of a list."""
    return _listed().order_by(DisputeRow.decided_at.is_not(None), DisputeRow.raised_at.desc(), DisputeRow.check_id)


def open_for(person_id: int, is_hr: bool) -> Select[*tuple[Any, ...]]:
    """The open disputes that this person may decide, as one line of what they owe; no line where there are none."""
    mine = DisputeRow.decider_id == person_id
    may_decide = or_(mine, DisputeRow.decider_id.is_(None)) if is_hr else mine
    count = func.count()
    query = select(literal("dispute"), literal(""), null(), count, count, literal(0)).select_from(DisputeRow)
    return (
        query.join(CheckRow, CheckRow.id == DisputeRow.check_id)
        .where(DisputeRow.decided_at.is_(None), may_decide)
        .where(CheckRow.agent_id != person_id, CheckRow.checker_id != person_id)
        .having(count > 0)
    )


@dataclass(slots=True)
class Told:
    """How often something was disputed and what became of it."""

    raised: int = 0
    accepted: int = 0
    partly: int = 0
    rejected: int = 0

    def add(self, verdict: Verdict | None, times: int) -> None:
        self.raised += times
        if verdict is not None:
            setattr(self, verdict.value, getattr(self, verdict.value) + times)


def by_checker() -> dict[str, Told]:
    """Disputes by the checker whose check it was, by name. One query."""
    query = (
        select(PersonRow.name, PersonRow.id, DisputeRow.verdict, func.count())
        .join(CheckRow, CheckRow.checker_id == PersonRow.id)
        .join(DisputeRow, DisputeRow.check_id == CheckRow.id)
        .group_by(PersonRow.name, PersonRow.id, DisputeRow.verdict)
        .order_by(PersonRow.name, PersonRow.id)
    )
    found: dict[tuple[str, int], Told] = {}
    for name, person, verdict, times in db.session.execute(query):
        found.setdefault((name, person), Told()).add(verdict, times)
    doubled = {name for name, _ in found if sum(name == other for other, _ in found) > 1}
    return {f"{name} ({person})" if name in doubled else name: told for (name, person), told in found.items()}


def by_category() -> Mapping[str, Told]:
    """Disputes by the categories that the agents wanted marked otherwise. One query."""
    found: dict[str, Told] = {}
    for proposed, verdict in db.session.execute(select(DisputeRow.proposed, DisputeRow.verdict)):
        for key in proposed:
            found.setdefault(key, Told()).add(verdict, 1)
    return dict(sorted(found.items()))


def days_taken() -> Fraction | None:
    """The mean time from a dispute to its decision, in days; None before the first one. One query."""
    rows = db.session.execute(
        select(DisputeRow.raised_at, DisputeRow.decided_at).where(DisputeRow.decided_at.is_not(None))
    ).all()
    if not rows:
        return None
    seconds = sum(int((end - begin).total_seconds()) for begin, end in rows if end is not None)
    return Fraction(seconds, 86_400 * len(rows))


def waiting() -> int:
    """How many disputes nobody has decided yet. One query."""
    query = select(func.count()).select_from(DisputeRow).where(DisputeRow.decided_at.is_(None))
    return db.session.scalar(query) or 0


def handed_to(person_id: int) -> Select[*tuple[Any, ...]]:
    """The disputes that this person was asked to decide, open ones first."""
    mine = _listed().where(DisputeRow.decider_id == person_id)
    return mine.order_by(DisputeRow.decided_at.is_not(None), DisputeRow.raised_at.desc(), DisputeRow.check_id)
