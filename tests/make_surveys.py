"""Makes customers, tickets and plans of surveys for tests. Call inside an application context; the caller commits."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from review.customer_survey import plans
from review.cycles.tables import CycleRow
from review.domain.survey_plan import SurveyPlan
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db
from tests.make import NOW

ASKED = ("business_knowledge", "communication", "problem_solving")
STARS = {f"stars-{key}": "4" for key in ASKED} | {"overall": "5"}


def make_customer(name: str = "Li Lei", email: str | None = "", locale: str = "en", **other: Any) -> int:
    address = f"{name.lower().replace(' ', '.')}@customer.example" if email == "" else email
    row = CustomerRow(name=name, email=address, locale=locale, **other)
    db.session.add(row)
    db.session.flush()
    return row.id


def make_ticket(customer: int, agent: int, reference: str = "", channel: str = "phone", **other: Any) -> int:
    number = reference or f"T{db.session.scalar(select(func.count()).select_from(TicketRow))}-{customer}"
    values = {"closed_on": NOW.date() - timedelta(days=20), "kind": "exchange"} | other
    row = TicketRow(customer_id=customer, agent_id=agent, reference=number, channel=channel, **values)
    db.session.add(row)
    db.session.flush()
    return row.id


def make_tickets(count: int, agent: int, prefix: str = "C", **other: Any) -> list[int]:
    """As many tickets of one agent, each of a customer of its own."""
    return [make_ticket(make_customer(f"{prefix} {agent} {n}"), agent, **other) for n in range(count)]


def make_plan(cycle_id: int, by: int, seed: int = 7, **wanted: Any) -> SurveyPlan:
    """A plan HR set, with a seed that tests know."""
    plan = SurveyPlan(**wanted)
    cycle = cycle_of(cycle_id)
    plans.set_plan(cycle, plan, by=by, now=NOW)
    plans.lock(cycle_id, NOW).seed = seed
    db.session.flush()
    return plan


def cycle_of(cycle_id: int) -> CycleRow:
    return db.session.get_one(CycleRow, cycle_id)
