"""Takes customers and tickets in from a file: looked at first, written as often as one likes, never twice.

A ticket is known by its reference. Once a customer has been asked about it, a later file changes it no more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from review.customer_survey.sheet import Draft, read
from review.customer_survey.tables import InvitationRow, UploadRow
from review.domain.calendar import local_day
from review.domain.records import TicketSystem
from review.domain.refusals import OutOfReach, Problem
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import audit, organisation
from review.infra.db import db
from review.infra.sheets import read_table
from review.people.tables import PersonRow

CHUNK = 5000
KEPT = timedelta(days=1)

Value = TypeVar("Value", str, int)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file does, or would do: numbers of tickets and customers, and the rows that are left out with why."""

    tickets_new: int
    tickets_changed: int
    tickets_same: int
    customers_new: int
    without_email: int
    problems: tuple[Problem, ...]
    sample: tuple[Draft, ...] = ()

    @property
    def rows_left_out(self) -> int:
        return len({problem.params["row"] for problem in self.problems})

    def figures(self) -> dict[str, object]:
        """The numbers a message tells."""
        return {
            "new": self.tickets_new,
            "changed": self.tickets_changed,
            "same": self.tickets_same,
            "customers": self.customers_new,
            "left_out": self.rows_left_out,
        }


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is there already for a file's drafts: customers by each draft's place, tickets by reference."""

    drafts: tuple[Draft, ...]
    customers: dict[str, int]
    known: dict[str, Any]
    asked: frozenset[int]

    def customer_of(self, draft: Draft) -> int | None:
        return self.customers.get(_key(draft))

    def is_new(self, draft: Draft) -> bool:
        return draft.reference not in self.known

    def is_changed(self, draft: Draft) -> bool:
        """Whether the file tells something new about a ticket that is there and may still change."""
        row = self.known.get(draft.reference)
        if row is None or row.id in self.asked:
            return False
        told = (draft.agent_id, draft.closed_on, draft.channel, draft.kind, draft.subject)
        is_same = (row.agent_id, row.closed_on, row.channel, row.kind, row.subject) == told
        return not is_same or self.customer_of(draft) != row.customer_id


def look(data: bytes, filename: str, now: datetime) -> Outcome:
    """What importing this file would do; writes nothing. Raises Invalid when it cannot be read at all."""
    plan, problems = _plan(data, filename, now)
    return _outcome(plan, problems)


def take_in(data: bytes, filename: str, now: datetime, by: int | None) -> Outcome:
    """Import every row that is in order; rows with problems are left out and told. Raises Invalid as `look` does."""
    plan, problems = _plan(data, filename, now)
    outcome = _outcome(plan, problems)
    customers = _write_customers(plan)
    _write_tickets(plan, customers)
    audit.record(
        "customer_survey:customers:imported",
        "customers",
        by=by,
        at=now,
        file=filename,
        tickets_new=outcome.tickets_new,
        tickets_changed=outcome.tickets_changed,
        customers_new=outcome.customers_new,
        rows_left_out=outcome.rows_left_out,
    )
    return outcome


def _plan(data: bytes, filename: str, now: datetime) -> tuple[_Plan, tuple[Problem, ...]]:
    today = local_day(now, organisation.current().zone)
    reading = read(read_table(data, filename), _agents(), today)
    numbers = {draft.customer_no for draft in reading.drafts if draft.customer_no}
    emails = {draft.email for draft in reading.drafts if draft.email}
    customers = {f"@{row.email}": row.id for row in _rows(CustomerRow.email, emails) if row.email}
    customers |= {f"#{row.external_id}": row.id for row in _rows(CustomerRow.external_id, numbers)}
    named = _rows(TicketRow.reference, {draft.reference for draft in reading.drafts})
    known = {row.reference: row for row in named if row.system is TicketSystem.LIST}
    asked = {row.ticket_id for row in _rows(InvitationRow.ticket_id, {row.id for row in known.values()})}
    # Somebody without number and address is recognised by the ticket that brought them.
    customers |= {f"!{reference}": row.customer_id for reference, row in known.items()}
    return _Plan(reading.drafts, customers, known, frozenset(asked)), reading.problems


def _agents() -> dict[str, int]:
    people = db.session.execute(select(PersonRow.id, PersonRow.employee_no, PersonRow.email)).all()
    by_email = {email.lower(): person_id for person_id, _, email in people if email}
    return by_email | {number.lower(): person_id for person_id, number, _ in people}


def _key(draft: Draft) -> str:
    """By what this customer is recognised: their number; or their address; or, with neither, the ticket."""
    if draft.customer_no:
        return f"#{draft.customer_no}"
    return f"@{draft.email}" if draft.email else f"!{draft.reference}"


def _rows(column: InstrumentedAttribute[Any], values: Iterable[Value]) -> Iterator[Any]:
    """Plain rows whose column holds one of `values`, asked for in portions because databases limit parameters."""
    table, wanted = column.class_.__table__, sorted(values)
    for start in range(0, len(wanted), CHUNK):
        held = column.in_(wanted[start : start + CHUNK])
        yield from db.session.execute(select(table).where(held).order_by(table.c.id))


def _outcome(plan: _Plan, problems: tuple[Problem, ...]) -> Outcome:
    new = [draft for draft in plan.drafts if plan.is_new(draft)]
    changed = [draft for draft in plan.drafts if plan.is_changed(draft)]
    strangers = {_key(draft) for draft in new + changed if plan.customer_of(draft) is None}
    unreachable = {_key(draft) for draft in plan.drafts if not draft.email}
    same = len(plan.drafts) - len(new) - len(changed)
    return Outcome(len(new), len(changed), same, len(strangers), len(unreachable), problems, plan.drafts[:5])


def _write_customers(plan: _Plan) -> dict[str, int]:
    """New customers inserted, known ones brought up to date; the ids of all by what they are recognised."""
    latest = {_key(draft): draft for draft in plan.drafts}
    written = {_key(draft) for draft in plan.drafts if plan.is_new(draft) or plan.is_changed(draft)}
    new = [key for key in latest if key in written and key not in plan.customers]
    first_language = organisation.current().locale
    values = [_customer_values(latest[key]) | {"locale": latest[key].locale or first_language} for key in new]
    ids = dict(plan.customers)
    if values:
        made = insert(CustomerRow).returning(CustomerRow.id, sort_by_parameter_order=True)
        ids |= dict(zip(new, db.session.scalars(made, values), strict=True))
    _refresh([(plan.customers[key], draft) for key, draft in latest.items() if key in plan.customers])
    return ids


def _customer_values(draft: Draft) -> dict[str, Any]:
    return {"external_id": draft.customer_no, "name": draft.name, "email": draft.email}


def _refresh(known: Sequence[tuple[int, Draft]]) -> None:
    """Names, addresses and languages as the newest file tells them; what it leaves empty stays."""
    rows = {row.id: row for row in _rows(CustomerRow.id, {customer_id for customer_id, _ in known})}
    changes = []
    for customer_id, draft in known:
        row = rows[customer_id]
        told = {"name": draft.name, "email": draft.email, "locale": draft.locale}
        new = {key: value for key, value in told.items() if value and value != getattr(row, key)}
        if new:
            changes.append({"id": customer_id, "name": row.name, "email": row.email, "locale": row.locale} | new)
    if changes:
        db.session.execute(update(CustomerRow), changes)


def _write_tickets(plan: _Plan, customers: dict[str, int]) -> None:
    new, changed = [], []
    for draft in plan.drafts:
        values = {
            "customer_id": customers.get(_key(draft)),
            "agent_id": draft.agent_id,
            "closed_on": draft.closed_on,
            "channel": draft.channel,
            "kind": draft.kind,
            "subject": draft.subject,
        }
        if plan.is_new(draft):
            new.append({"reference": draft.reference, **values})
        elif plan.is_changed(draft):
            changed.append({"id": plan.known[draft.reference].id, **values})
    if new:
        db.session.execute(insert(TicketRow), new)
    if changed:
        db.session.execute(update(TicketRow), changed)


def keep(data: bytes, filename: str, person_id: int, now: datetime) -> None:
    """Keep a file until its owner has looked at it; their earlier one goes, and so do everybody's old ones.

    Raises Invalid for a file that cannot be read at all.
    """
    look(data, filename, now)
    gone = (UploadRow.person_id == person_id) | (UploadRow.uploaded_at < now - KEPT)
    db.session.execute(delete(UploadRow).where(gone))
    db.session.add(UploadRow(person_id=person_id, uploaded_at=now, filename=filename[-120:], content=data))
    db.session.flush()


def kept(person_id: int, now: datetime) -> UploadRow | None:
    """The file this person is looking at, if there is one."""
    fresh = (UploadRow.person_id == person_id) & (UploadRow.uploaded_at >= now - KEPT)
    return db.session.scalar(select(UploadRow).where(fresh))


def look_again(person_id: int, upload_id: int, now: datetime) -> tuple[Outcome, str]:
    """What the kept file would do, and its name; raises OutOfReach when it is gone or another one was brought since."""
    row = kept(person_id, now)
    if row is None or row.id != upload_id:
        raise OutOfReach("customer_survey:no_upload")
    return look(row.content, row.filename, now), row.filename


def confirm(person_id: int, upload_id: int, now: datetime) -> Outcome | None:
    """Import the file this person has looked at and keep it no longer; None when that was done already."""
    row = kept(person_id, now)
    if row is None or row.id != upload_id:
        return None
    outcome = take_in(row.content, row.filename, now, person_id)
    db.session.delete(row)
    return outcome
