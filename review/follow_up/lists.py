"""Which cases there are: for HR with filters, for their owners, for the employee what was brought to a talk; counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.case_review import Cause, Origin
from review.follow_up.tables import CaseRow, ContactRow
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db
from review.infra.lists import Listing, page_of
from review.people.tables import PersonRow
from review.responses import voices
from review.responses.owed import still_to_rate
from review.responses.voices import Voice

FILTERS = ("open", "unassigned", "overdue", "closed", "all")


@dataclass(frozen=True, slots=True)
class Counts:
    """The cases of a cycle, or of a supervisor's people in it; `by_cause` counts closed ones."""

    opened: int
    closed: int
    overdue: int
    unassigned: int
    complaints: int
    talked: int
    by_cause: Mapping[Cause, int]

    @property
    def open(self) -> int:
        return self.opened - self.closed


@dataclass(frozen=True, slots=True)
class Wish:
    """A customer who asked to be contacted: how, why, and whether somebody did. `ticket` is None where withheld."""

    voice: Voice
    customer: str
    email: str | None
    agent: str
    ticket: str | None
    done: ContactRow | None
    done_by: str | None


def page_of_cases(cycle_id: int, only: str, today: date, page: int, *, reader: int) -> Listing:
    """One page of a cycle's cases as (case, employee, owner's name or None), the most urgent first; four queries.

    Cases about the reader themselves are left out, and those about people whom they have still to rate.
    """
    owner = aliased(PersonRow)
    query: Any = (
        select(CaseRow, PersonRow.name, owner.name.label("owner"))
        .join(ReviewRow, ReviewRow.id == CaseRow.review_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(owner, owner.id == CaseRow.owner_id)
        .where(CaseRow.cycle_id == cycle_id, _open_to(reader))
        .order_by(CaseRow.closed_at.is_not(None), CaseRow.due_on.is_(None), CaseRow.due_on, CaseRow.id)
    )
    return page_of(query.where(*_only(only, today)), page)


def _open_to(reader: int) -> ColumnElement[bool]:
    """Whether a `ReviewRow` is neither the reader's own nor of somebody whom they have still to rate."""
    return (ReviewRow.subject_id != reader) & ReviewRow.id.not_in(still_to_rate(reader))


def voices_of(listing: Listing) -> dict[int, Voice]:
    """The answers that opened the listed cases. One query."""
    return voices.by_ids([row.response_id for row, _, _ in listing.rows if row.response_id])


def _only(only: str, today: date) -> list[ColumnElement[bool]]:
    is_open = CaseRow.closed_at.is_(None)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "open": [is_open],
        "unassigned": [is_open, CaseRow.owner_id.is_(None)],
        "overdue": [is_open, CaseRow.due_on < today],
        "closed": [CaseRow.closed_at.is_not(None)],
    }
    return conditions.get(only, [])


def rows_of(case_ids: list[int], cycle_id: int, *, reader: int) -> list[CaseRow]:
    """The chosen cases of a cycle; ids of other cycles are left out, and what is not on the reader's list."""
    query = select(CaseRow).join(ReviewRow, ReviewRow.id == CaseRow.review_id)
    chosen = query.where(CaseRow.id.in_(case_ids), CaseRow.cycle_id == cycle_id, _open_to(reader))
    return list(db.session.scalars(chosen.order_by(CaseRow.id)))


def owned_by(person_id: int) -> list[Any]:
    """Open cases of one owner as (case, employee, cycle's name), the most urgent first. One query."""
    query = _with_names(select(CaseRow, PersonRow.name, CycleRow.name.label("cycle")))
    mine = query.where(CaseRow.owner_id == person_id, CaseRow.closed_at.is_(None))
    return list(db.session.execute(mine.order_by(CaseRow.due_on, CaseRow.id)))


def talks_about(person_id: int) -> list[Any]:
    """What was brought to a talk with this employee as (case, who told, cycle's name), latest first. One query."""
    teller = aliased(PersonRow)
    query = _with_names(select(CaseRow, teller.name, CycleRow.name.label("cycle")))
    told = query.join(teller, teller.id == CaseRow.talked_by).where(ReviewRow.subject_id == person_id)
    return list(db.session.execute(told.order_by(CaseRow.talked_at.desc(), CaseRow.id.desc())))


def _with_names(query: Any) -> Any:
    return (
        query.select_from(CaseRow)
        .join(ReviewRow, ReviewRow.id == CaseRow.review_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .join(CycleRow, CycleRow.id == CaseRow.cycle_id)
    )


def counts(cycle_id: int, today: date, supervisor_id: int | None = None, *, without: int | None = None) -> Counts:
    """How many cases of a cycle stand how, or those of one supervisor's people; `without` cases about one person."""
    is_open = CaseRow.closed_at.is_(None)
    figures = (
        func.count(),
        func.count().filter(CaseRow.closed_at.is_not(None)),
        func.count().filter(is_open, CaseRow.due_on < today),
        func.count().filter(is_open, CaseRow.owner_id.is_(None)),
        func.count().filter(CaseRow.origin == Origin.COMPLAINT),
        func.count().filter(CaseRow.talked_at.is_not(None)),
    )
    query: Any = select(CaseRow.cause, *figures).join(ReviewRow, ReviewRow.id == CaseRow.review_id)
    there = query.where(CaseRow.cycle_id == cycle_id).group_by(CaseRow.cause).order_by(CaseRow.cause)
    if supervisor_id is not None:
        there = there.where(ReviewRow.supervisor_id == supervisor_id)
    if without is not None:
        there = there.where(ReviewRow.subject_id != without)
    rows: list[Any] = list(db.session.execute(there))
    opened, closed, overdue, unassigned, complaints, talked = (sum(row[place] for row in rows) for place in range(1, 7))
    by_cause = {row[0]: row[2] for row in rows if row[0] is not None and row[2]}
    return Counts(opened, closed, overdue, unassigned, complaints, talked, by_cause)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases of one cycle: how many nobody owns, how many one person owns, and when the first of these is due."""

    cycle_id: int
    cycle: str
    unassigned: int
    owned: int
    due_on: date | None


def waiting_for(person_id: int) -> list[Waiting]:
    """The cycles with open cases that nobody or this person owns; none about themselves. One query."""
    own, nobodys = CaseRow.owner_id == person_id, CaseRow.owner_id.is_(None)
    figures = (func.count().filter(nobodys), func.count().filter(own), func.min(CaseRow.due_on).filter(own))
    query = select(CycleRow.id, CycleRow.name, *figures).join(CaseRow, CaseRow.cycle_id == CycleRow.id)
    query = query.join(ReviewRow, ReviewRow.id == CaseRow.review_id).where(ReviewRow.subject_id != person_id)
    there = query.where(CaseRow.closed_at.is_(None), own | nobodys).group_by(CycleRow.id, CycleRow.name)
    return [Waiting(*row) for row in db.session.execute(there.order_by(CycleRow.id))]


def wishes_of(cycle_id: int, tickets: Mapping[int, int], *, reader: int) -> list[Wish]:
    """Every customer of a cycle who asked to be contacted, open ones first. `tickets` by customer. Seven queries.

    Left out are those who speak of the reader, or of somebody whom the reader has still to rate.
    """
    found = open_wishes(cycle_id, reader)
    customers = _by_id(CustomerRow, {voice.customer_id for voice in found})
    named = {tickets[voice.customer_id] for voice in found if voice.customer_id in tickets}
    references = {key: row.reference for key, row in _by_id(TicketRow, named).items()}
    by = aliased(PersonRow)
    done = {
        row.response_id: (row, name)
        for row, name in db.session.execute(
            select(ContactRow, by.name).join(by, by.id == ContactRow.by_id).where(ContactRow.cycle_id == cycle_id)
        )
    }
    agents = _agents({voice.review_id for voice in found})
    wishes = []
    for voice in found:
        customer = customers[voice.customer_id]
        ticket = None if voice.withholds_ticket else references.get(tickets.get(voice.customer_id, 0))
        row, name = done.get(voice.response_id, (None, None))
        wishes.append(Wish(voice, customer.name, customer.email, agents[voice.review_id], ticket, row, name))
    return sorted(wishes, key=lambda wish: (wish.done is not None, wish.voice.response_id))


def open_wishes(cycle_id: int, reader: int) -> list[Voice]:
    """Wishes to be contacted that the reader may look at. Four queries."""
    own = set(db.session.scalars(select(ReviewRow.id).where(ReviewRow.subject_id == reader)))
    closed = still_to_rate(reader) | own
    return [voice for voice in voices.wishes_in(cycle_id) if voice.review_id not in closed]


def _by_id(table: Any, ids: set[int]) -> dict[int, Any]:
    return {row.id: row for row in db.session.scalars(select(table).where(table.id.in_(ids)))}


def _agents(review_ids: set[int]) -> dict[int, str]:
    query = select(ReviewRow.id, PersonRow.name).join(PersonRow, PersonRow.id == ReviewRow.subject_id)
    return {key: name for key, name in db.session.execute(query.where(ReviewRow.id.in_(review_ids)))}  # noqa: C416
