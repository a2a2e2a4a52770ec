"""The list of people as HR reads it: searched, filtered, page by page, with a constant number of queries."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy import false as sql_false
from sqlalchemy.orm import aliased, selectinload

from review.infra.db import db
from review.infra.lists import Listing, page_of
from review.people import directory
from review.people.tables import PersonRow


class State(StrEnum):
    """Which of the people to list."""

    HERE = "here"
    WAITING = "waiting"
    LEFT = "left"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What HR looks for."""

    search: str = ""
    department: int | None = None
    state: State = State.HERE


def people(wanted: Wanted, page: int, today: date) -> Listing:
    """Rows of (PersonRow, supervisor's name), by employee number."""
    above = aliased(PersonRow)
    everybody: Any = select(PersonRow, above.name.label("above")).outerjoin(above, above.id == PersonRow.supervisor_id)
    query = _narrowed(everybody.options(selectinload(PersonRow.roles)), wanted, today)
    return page_of(query.order_by(PersonRow.employee_no), page)


def _narrowed(query: Select[Any], wanted: Wanted, today: date) -> Select[Any]:
    for word in wanted.search.lower().split():
        columns = (PersonRow.name, PersonRow.employee_no, PersonRow.email)
        query = query.where(or_(*(func.lower(column).contains(word, autoescape=True) for column in columns)))
    if wanted.department is not None:
        units = directory.below(wanted.department, directory.departments())
        query = query.where(PersonRow.department_id.in_(units))
    left = PersonRow.left_on < today
    if wanted.state is State.LEFT:
        return query.where(left)
    if wanted.state is not State.ALL:
        query = query.where(PersonRow.left_on.is_(None) | ~left)
    return query.where(PersonRow.password_hash.is_(None)) if wanted.state is State.WAITING else query


@dataclass(frozen=True, slots=True)
class NotYetIn:
    """How many have no password yet: with an address for a letter, without one or a slip, and slips not used yet."""

    by_letter: int
    by_slip: int
    slips_out: int


def not_yet_in(today: date, slips_since: datetime) -> NotYetIn:
    """Counts over everybody who has not left; slips issued before `slips_since` have run out. One query."""
    slip = func.coalesce(PersonRow.slip_at >= slips_since, sql_false())
    waiting = PersonRow.password_hash.is_(None)
    address = PersonRow.email.is_not(None)
    counts = select(
        func.count().filter(waiting, address),
        func.count().filter(waiting, ~address, ~slip),
        func.count().filter(slip),
    ).where(PersonRow.left_on.is_(None) | (PersonRow.left_on >= today))
    return NotYetIn(*db.session.execute(counts).one())
