"""The list of customers who get no more invitations: put on it by themselves or by HR, lifted by HR, each with a line.

An owner may have several numbers: whoever shares the address is stopped and lifted with them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import aliased

from review.customer_survey.asking import take_letters_back
from review.customer_survey.tables import InvitationRow, StopRow
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.helpdesk.tables import CustomerRow
from review.infra import audit
from review.infra.db import db
from review.infra.lists import Listing, page_of
from review.people.tables import PersonRow

SHORTEST = 5


def _same_owner(customer: CustomerRow) -> ColumnElement[bool]:
    same = CustomerRow.id == customer.id
    return same | (CustomerRow.email == customer.email) if customer.email is not None else same


def stop_owner(customer: CustomerRow, now: datetime, *, by: int | None, reason: str = "") -> int:
    """Never write to the owner of these data again, under any of their numbers; how many numbers were new to it."""
    ids = list(db.session.scalars(select(CustomerRow.id).where(_same_owner(customer))))
    subscribed = update(CustomerRow).where(CustomerRow.id.in_(ids), CustomerRow.unsubscribed_at.is_(None))
    stopped = list(db.session.scalars(subscribed.values(unsubscribed_at=now).returning(CustomerRow.id)))
    db.session.add_all(StopRow(customer_id=one, at=now, by=by, is_lifted=False, reason=reason) for one in stopped)
    asked = select(InvitationRow.cycle_id, InvitationRow.customer_id).where(InvitationRow.customer_id.in_(ids))
    for cycle_id, customer_id in db.session.execute(asked).all():
        take_letters_back(cycle_id, customer_id)
    return len(stopped)


def add(who: str, reason: str, *, by: int, now: datetime) -> int:
    """Stop the customers of an address or number; how many numbers. Raises Invalid when nobody has it, or all are."""
    if len(reason) < SHORTEST:
        raise Invalid("customer_survey:say_why", "reason")
    named = or_(CustomerRow.email == who.lower(), CustomerRow.external_id == who)
    customers = db.session.scalars(select(CustomerRow).where(named).order_by(CustomerRow.id)).all()
    if not customers:
        raise Invalid("customer_survey:no_such_customer", "who")
    stopped = sum(stop_owner(customer, now, by=by, reason=reason) for customer in customers)
    if not stopped:
        raise Invalid("customer_survey:stopped_already", "who")
    audit.record("customer_survey:stop:added", f"customer:{customers[0].id}", by=by, at=now, reason=reason)
    return stopped


def lift(customer_id: int, reason: str, *, by: int, now: datetime) -> None:
    """Let the owner be asked again. Raises OutOfReach, Invalid without a reason, Taken when they are not stopped."""
    customer = db.session.get(CustomerRow, customer_id)
    if customer is None:
        raise OutOfReach("customer_survey:no_such_customer")
    if len(reason) < SHORTEST:
        raise Invalid("customer_survey:say_why", "reason")
    stopped = update(CustomerRow).where(_same_owner(customer), CustomerRow.unsubscribed_at.is_not(None))
    ids = list(db.session.scalars(stopped.values(unsubscribed_at=None).returning(CustomerRow.id)))
    if not ids:
        raise Taken("customer_survey:not_stopped")
    db.session.add_all(StopRow(customer_id=one, at=now, by=by, is_lifted=True, reason=reason) for one in ids)
    audit.record("customer_survey:stop:lifted", f"customer:{customer_id}", by=by, at=now, reason=reason)


def stopped(number: int, search: str = "") -> Listing:
    """A page of those who are stopped, the newest first, with who put them there and why. Two queries."""
    last = select(StopRow.customer_id, func.max(StopRow.id).label("id")).group_by(StopRow.customer_id).subquery()
    line, person = aliased(StopRow), aliased(PersonRow)
    query: Any = (
        select(CustomerRow, line.reason, person.name.label("by"))
        .outerjoin(last, last.c.customer_id == CustomerRow.id)
        .outerjoin(line, line.id == last.c.id)
        .outerjoin(person, person.id == line.by)
        .where(CustomerRow.unsubscribed_at.is_not(None))
        .order_by(CustomerRow.unsubscribed_at.desc(), CustomerRow.id)
    )
    if search:
        like = f"%{search.lower()}%"
        found = (CustomerRow.email, CustomerRow.external_id, CustomerRow.name)
        query = query.where(or_(*(func.lower(column).like(like) for column in found)))
    return page_of(query, number)
