"""Calibration rounds: several people mark the same tickets blind, and what they agree on is shown after the close.

Until a round is over nobody sees anybody else's marks, HR included; afterwards not those who left their own out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from review.domain.access import Actor, Role, Standing
from review.domain.quality import Marks, QualityForm, Sheet, problems_of
from review.domain.quality_agreement import Agreement, agreement_of
from review.domain.refusals import Invalid, NotYet, OutOfReach, Problem, Taken, TooLate
from review.helpdesk.tables import TicketRow
from review.infra import audit, outbox
from review.infra.db import db, rows_changed
from review.infra.gate import Found
from review.people.tables import PersonRow
from review.quality import form_versions
from review.quality.checks import LONGEST_DRAFT, drafted, plain
from review.quality.tables import FormState, RoundAnswerRow, RoundRow

INVITED = "quality:calibration"
MOST_TICKETS = 20
MOST_PEOPLE = 30
LEAST_PEOPLE = 2


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What HR asks for: the same tickets (by reference), marked by these people until `due_at`."""

    name: str
    form_id: int
    references: tuple[str, ...]
    people: tuple[PersonRow, ...]
    due_at: datetime


def create(plan: RoundPlan, *, by: int | None, now: datetime) -> RoundRow:
    """Open a round and invite everybody. Raises Invalid with all problems, each at its field."""
    tickets, problems = _tickets(plan.references)
    problems += list(_problems(plan, now))
    owners = {ticket.agent_id for ticket in tickets}
    own = [person.name for person in plan.people if person.id in owners]
    if own:
        problems.append(Problem("quality:own_ticket", "people", {"names": ", ".join(own[:5])}))
    if problems:
        raise Invalid.of(problems)
    row = RoundRow(name=plan.name, form_id=plan.form_id, due_at=plan.due_at, created_at=now, created_by=by)
    db.session.add(row)
    db.session.flush()
    for person in plan.people:
        db.session.add_all(RoundAnswerRow(round_id=row.id, person_id=person.id, ticket_id=one.id) for one in tickets)
    outbox.put_all(_letters(row, plan.people, len(tickets), now))
    about = f"quality_round:{row.id}"
    audit.record("quality:round:opened", about, by=by, at=now, people=len(plan.people), tickets=len(tickets))
    return row


def _problems(plan: RoundPlan, now: datetime) -> Iterator[Problem]:
    if not plan.name.strip():
        yield Problem("form:required", "name")
    elif db.session.scalar(select(RoundRow.id).where(RoundRow.name == plan.name)) is not None:
        yield Problem("form:taken", "name")
    form = next((row for row in form_versions.versions() if row.id == plan.form_id), None)
    if form is None or form.state is not FormState.OPEN:
        yield Problem("quality:form_not_open", "form_id")
    if not LEAST_PEOPLE <= len(plan.people) <= MOST_PEOPLE:
        yield Problem("quality:people_count", "people", {"least": LEAST_PEOPLE, "most": MOST_PEOPLE})
    if plan.due_at <= now:
        yield Problem("quality:due_in_past", "due_on")


def _tickets(references: Iterable[str]) -> tuple[list[TicketRow], list[Problem]]:
    """One ticket for each reference; two systems may use the same number, then the one of a ticket system counts."""
    wanted = list(dict.fromkeys(references))
    if not wanted or len(wanted) > MOST_TICKETS:
        return [], [Problem("quality:tickets_count", "references", {"most": MOST_TICKETS})]
    rows = db.session.scalars(select(TicketRow).where(TicketRow.reference.in_(wanted)).order_by(TicketRow.id))
    found: dict[str, TicketRow] = {}
    for row in rows:
        if row.reference not in found or row.system.value != "list":
            found[row.reference] = row
    missing = [one for one in wanted if one not in found]
    if missing:
        return [], [Problem("quality:no_such_ticket", "references", {"references": ", ".join(missing[:5])})]
    return [found[one] for one in wanted], []


def _letters(row: RoundRow, people: Iterable[PersonRow], count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for person in people:
        if person.email is not None:
            params = {"name": person.name, "round": row.name, "round_id": row.id, "count": count}
            params["due"] = row.due_at.isoformat()
            yield outbox.letter(INVITED, f"round:{row.id}", person.email, person.locale, params, now=now)


def is_over(row: RoundRow, now: datetime) -> bool:
    return row.closed_at is not None or now > row.due_at


def find_round(actor: Actor, round_id: int) -> Found:
    """A round, for HR and for whoever was asked; to others it does not exist."""
    row = db.session.get(RoundRow, round_id)
    if row is None:
        raise OutOfReach("quality:no_such_round")
    asked = select(RoundAnswerRow.ticket_id).where(RoundAnswerRow.round_id == round_id)
    is_asked = db.session.scalar(asked.where(RoundAnswerRow.person_id == actor.person_id).limit(1)) is not None
    return Found(row, frozenset({Standing.CHECKER} if is_asked else ()))


@dataclass(frozen=True, slots=True)
class Seat:
    """One person's place before one ticket of a round: only their own is ever loaded before the close."""

    round: RoundRow
    answer: RoundAnswerRow
    ticket: TicketRow


def find_seat(actor: Actor, round_id: int, ticket_id: int) -> Found:
    """The actor's own Seat; nobody finds another's."""
    query = (
        select(RoundRow, RoundAnswerRow, TicketRow)
        .join(RoundAnswerRow, RoundAnswerRow.round_id == RoundRow.id)
        .join(TicketRow, TicketRow.id == RoundAnswerRow.ticket_id)
        .where(RoundRow.id == round_id, RoundAnswerRow.ticket_id == ticket_id)
        .where(RoundAnswerRow.person_id == actor.person_id)
    )
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise OutOfReach("quality:no_such_round")
    return Found(Seat(*found), frozenset({Standing.CHECKER}))


def seats_of(round_id: int, person_id: int) -> list[Seat]:
    """This person's own places in the round, ticket by ticket. One query."""
    query = (
        select(RoundRow, RoundAnswerRow, TicketRow)
        .join(RoundAnswerRow, RoundAnswerRow.round_id == RoundRow.id)
        .join(TicketRow, TicketRow.id == RoundAnswerRow.ticket_id)
        .where(RoundRow.id == round_id, RoundAnswerRow.person_id == person_id)
    )
    return [Seat(*row) for row in db.session.execute(query.order_by(TicketRow.reference))]


def said_of(seat: Seat) -> Sheet:
    return drafted(seat.answer.said or seat.answer.draft or {})


def save_draft(seat: Seat, said: Sheet, now: datetime) -> None:
    """Keep unfinished marks. Raises TooLate after the close, Taken once they are filed, Invalid when far too long."""
    if len(said.overall) + sum(map(len, said.comments.values())) > LONGEST_DRAFT:
        raise Invalid("form:too_long", "overall", max=LONGEST_DRAFT)
    _require_open(seat.round, now)
    if not rows_changed(_mine(seat).values(draft=plain(said))):
        raise Taken("quality:answer_filed")


def file_answer(seat: Seat, said: Sheet, form: QualityForm, now: datetime) -> bool:
    """File one's marks for good. False when exactly these were filed before, Taken when others were.

    Raises TooLate after the close, Invalid with everything that is missing.
    """
    _require_open(seat.round, now)
    problems = problems_of(form, said)
    if problems:
        raise Invalid.of(problems)
    if not rows_changed(_mine(seat).values(said=plain(said), draft=None, filed_at=now)):
        db.session.expire(seat.answer)
        if seat.answer.said == plain(said):
            return False
        raise Taken("quality:answer_filed")
    db.session.expire(seat.answer)
    return True


def _require_open(row: RoundRow, now: datetime) -> None:
    db.session.refresh(row, with_for_update=True)
    if is_over(row, now):
        raise TooLate("quality:round_over")


def _mine(seat: Seat) -> Any:
    return update(RoundAnswerRow).where(
        RoundAnswerRow.round_id == seat.answer.round_id,
        RoundAnswerRow.person_id == seat.answer.person_id,
        RoundAnswerRow.ticket_id == seat.answer.ticket_id,
        RoundAnswerRow.filed_at.is_(None),
    )


def close(row: RoundRow, *, by: int, now: datetime) -> bool:
    """End a round before its deadline; False when it is over. Raises NotYet while there is nothing to compare."""
    db.session.refresh(row, with_for_update=True)
    if is_over(row, now):
        return False
    if sum(done > 0 for _name, done, _all in progress(row.id)) < LEAST_PEOPLE:
        raise NotYet("quality:too_few_answers", least=LEAST_PEOPLE)
    row.closed_at, row.closed_by = now, by
    audit.record("quality:round:closed", f"quality_round:{row.id}", by=by, at=now)
    return True


def progress(round_id: int) -> list[tuple[str, int, int]]:
    """Who was asked, and how many of their tickets are marked: names and counts, never a mark. One query."""
    done = func.count(RoundAnswerRow.filed_at)
    query = select(PersonRow.name, done, func.count()).join(RoundAnswerRow, RoundAnswerRow.person_id == PersonRow.id)
    query = query.where(RoundAnswerRow.round_id == round_id).group_by(PersonRow.id, PersonRow.name)
    return [(name, filed, everything) for name, filed, everything in db.session.execute(query.order_by(PersonRow.name))]


@dataclass(frozen=True, slots=True)
class Shown:
    """A round that is over: who said what about which ticket, and how far they agree."""

    people: dict[int, str]
    tickets: dict[int, str]
    answers: dict[tuple[int, int], Marks]
    agreement: Agreement


def result_of(row: RoundRow, form: QualityForm, actor: Actor, now: datetime) -> Shown:
    """What a round came to. Raises NotYet before it is over, and for whoever was asked and left a ticket out.

    HR that was not asked sees it too.
    """
    if not is_over(row, now):
        raise NotYet("quality:round_runs")
    own = [seat.answer.filed_at for seat in seats_of(row.id, actor.person_id)]
    if (own and None in own) or (not own and Role.HR not in actor.roles):
        raise NotYet("quality:own_missing")
    query = (
        select(RoundAnswerRow, PersonRow.name, TicketRow.reference)
        .join(PersonRow, PersonRow.id == RoundAnswerRow.person_id)
        .join(TicketRow, TicketRow.id == RoundAnswerRow.ticket_id)
        .where(RoundAnswerRow.round_id == row.id, RoundAnswerRow.said.is_not(None))
        .order_by(PersonRow.name, TicketRow.reference)
    )
    found = db.session.execute(query).all()
    answers = {(one.person_id, one.ticket_id): drafted(one.said or {}).marks for one, _, _ in found}
    people = {one.person_id: name for one, name, _ in found}
    tickets = {one.ticket_id: reference for one, _, reference in found}
    return Shown(people, tickets, answers, agreement_of(form, answers) if answers else _nothing())


def _nothing() -> Agreement:
    return Agreement(None, None, (), ())


def rounds() -> list[RoundRow]:
    """Every round, the newest first. One query."""
    return list(db.session.scalars(select(RoundRow).order_by(RoundRow.created_at.desc(), RoundRow.id.desc()).limit(50)))


def open_seats(person_id: int, now: datetime) -> list[tuple[RoundRow, int, int]]:
    """The running rounds that ask this person: how many tickets are left, of how many. One query."""
    left = func.count() - func.count(RoundAnswerRow.filed_at)
    query = (
        select(RoundRow, left, func.count())
        .join(RoundAnswerRow, RoundAnswerRow.round_id == RoundRow.id)
        .where(RoundAnswerRow.person_id == person_id, RoundRow.closed_at.is_(None), RoundRow.due_at >= now)
        .group_by(RoundRow)
        .order_by(RoundRow.due_at, RoundRow.id)
    )
    return [(row, open_ones, everything) for row, open_ones, everything in db.session.execute(query)]


def seen_rounds(person_id: int, now: datetime) -> list[RoundRow]:
    """The rounds this person took part in that are over, the latest first. One query."""
    asked = select(RoundAnswerRow.round_id).where(RoundAnswerRow.person_id == person_id)
    over = RoundRow.closed_at.is_not(None) | (RoundRow.due_at < now)
    query = select(RoundRow).where(RoundRow.id.in_(asked), over)
    return list(db.session.scalars(query.order_by(RoundRow.due_at.desc(), RoundRow.id.desc()).limit(20)))


def round_of(round_id: int) -> RoundRow:
    """A round by id, whoever asks. Raises OutOfReach."""
    row = db.session.get(RoundRow, round_id)
    if row is None:
        raise OutOfReach("quality:no_such_round")
    return row
