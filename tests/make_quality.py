"""Tickets, a form, a sample and checks for tests of the quality room; call inside an application context.

tickets(cast["ada"], 5)                      # five solved tickets of Ada's, over phone and chat
sample_id = make_sample(cast, each=2)        # drawn over everybody's tickets; nobody checks yet
assign(sample_id, cast["quinn"], cast["lou"])
check_id = checks_of(sample_id, cast["ada"])[0]
file_as(check_id, marks={"solution": 1})     # everything else full marks
"""

from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlalchemy import select

from review.domain.quality import QualityForm, Sheet
from review.domain.records import TicketStatus, TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.people import directory
from review.quality import checks, drawing, form_versions, samples
from review.quality.tables import CheckRow, SampleRow
from tests.make import NOW, Cast, Somebody

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
DUE = NOW + timedelta(days=6)
CHANNELS = ("phone", "phone", "chat")
NUMBERS = count(1)


def tickets(
    agent: Somebody,
    many: int,
    *,
    system: TicketSystem = TicketSystem.ZENDESK,
    channels: tuple[str, ...] = CHANNELS,
    **columns: object,
) -> list[int]:
    """The ids of so many new solved tickets, closed in March 2026."""
    rows = []
    for number in range(many):
        values = {"closed_on": FIRST + timedelta(days=number % 31), "kind": "refund", "status": TicketStatus.SOLVED}
        values |= {"opened_at": datetime(2026, 3, 1, 8, tzinfo=UTC), "channel": channels[number % len(channels)]}
        row = TicketRow(
            system=system, reference=f"T{agent.employee_no}-{next(NUMBERS):05}", agent_id=agent.id, **values | columns
        )
        rows.append(row)
    db.session.add_all(rows)
    db.session.flush()
    return [row.id for row in rows]


def the_form() -> QualityForm:
    return form_versions.form_of(form_versions.install_default(NOW).id)


def plan(name: str = "March", each: int = 2, seed: int = 7, **more: object) -> samples.SamplePlan:
    form = form_versions.install_default(NOW)
    stated = {"first_day": FIRST, "last_day": LAST, "due_at": DUE} | more
    return samples.SamplePlan(name=name, form_id=form.id, per_agent=each, seed=seed, **stated)


def make_sample(cast: Cast, each: int = 2, **more: object) -> int:
    """A drawn sample; commits."""
    row = samples.create(plan(each=each, **more), by=cast["hana"].id, now=NOW)
    drawing.freeze(row, NOW)
    db.session.commit()
    return row.id


def assign(sample_id: int, *checkers: Somebody, by: Somebody | None = None) -> bool:
    """Share it out; commits."""
    people = directory.by_ids(one.id for one in checkers)
    row = db.session.get_one(SampleRow, sample_id)
    done = samples.assign(row, [people[one.id] for one in checkers], by=by.id if by else None, now=NOW)
    db.session.commit()
    return done


def checks_of(sample_id: int, agent: Somebody | None = None, *, reserve: bool = False) -> list[int]:
    query = select(CheckRow.id).where(CheckRow.sample_id == sample_id, CheckRow.is_reserve.is_(reserve))
    if agent is not None:
        query = query.where(CheckRow.agent_id == agent.id)
    return list(db.session.scalars(query.order_by(CheckRow.id)))


def check(check_id: int) -> CheckRow:
    db.session.expire_all()
    return db.session.get_one(CheckRow, check_id)


def sheet(**marks: int | None) -> Sheet:
    """Full marks but for these; low ones have their comment and cause."""
    form = the_form()
    said = {category.key: category.scale for category in form.categories} | marks
    low = [category for category in form.categories if category.is_low(said[category.key])]
    comments = {category.key: "seen in the ticket" for category in low}
    return Sheet(said, comments, {category.key: category.causes[0].key for category in low}, "Thank you.")


def file_as(check_id: int, checker: Somebody | None = None, now: datetime = NOW, **marks: int | None) -> bool:
    """File it as its checker; commits."""
    file = checks.file_of(check_id)
    done = checks.file_check(file, checker.id if checker else file.check.checker_id, sheet(**marks), the_form(), now)
    db.session.commit()
    return done


def fields(**marks: int | str) -> dict[str, str]:
    """What the page of a check sends for these marks, full marks elsewhere."""
    said = {category.key: str(category.scale) for category in the_form().categories}
    return {f"mark_{key}": str(mark) for key, mark in (said | marks).items()}
