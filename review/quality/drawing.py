"""The draw itself: which tickets may be checked, the lot over each agent's, the frozen rows. Work for the worker."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select

from review.domain.calendar import local_day
from review.domain.records import TicketStatus, TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra import audit, jobs, organisation
from review.infra.db import db
from review.infra.jobs import Job
from review.people.directory import here_on
from review.people.tables import PersonRow
from review.quality.sampling import Candidate, draw, reserves
from review.quality.tables import CheckRow, SampleRow, SampleState

DRAW = "quality:draw"
PORTION = 400  # agents whose tickets are looked at in one go

Report = Callable[[int, int, str], None]


def key_of(sample_id: int) -> str:
    return f"{DRAW}:{sample_id}"


def ask(sample: SampleRow, now: datetime) -> None:
    """Put the draw in line, again where it failed; a sample that is drawn stays as it is."""
    if jobs.find(key_of(sample.id)) is None:
        jobs.enqueue(DRAW, key_of(sample.id), {"sample_id": sample.id}, now)
    else:
        jobs.ask_again(key_of(sample.id), now)


def do_draw(job: Job) -> None:
    """The worker's call; harmless to repeat."""
    sample = db.session.get_one(SampleRow, job.payload["sample_id"])
    freeze(sample, job.now, job.report)


HANDLERS: dict[str, Callable[[Job], None]] = {DRAW: do_draw}


def freeze(sample: SampleRow, now: datetime, report: Report = lambda _done, _total, _step: None) -> int:
    """Draw, and write down what was drawn, reserves included; how many tickets are to be checked.

    Nothing happens when it is drawn already: the sample is frozen from the first draw on.
    """
    db.session.refresh(sample, with_for_update=True)
    if sample.state is not SampleState.DRAWING:
        return 0
    agents = _agents(sample, now)
    told: dict[str, Counter[str]] = {"channels": Counter(), "drawn": Counter(), "left_out": Counter()}
    for start in range(0, len(agents), PORTION):
        portion = agents[start : start + PORTION]
        rows = list(_rows(sample, portion, told))
        if rows:
            db.session.execute(insert(CheckRow.__table__), rows)
        report(start + len(portion), len(agents), "draw")
    told["left_out"]["unsolved"] = _unsolved(sample)
    sample.counts = {name: dict(sorted(counted.items())) for name, counted in told.items()}
    sample.state, sample.drawn_at = SampleState.DRAWN, now
    count = told["drawn"].total()
    audit.record("quality:sample:drawn", f"quality_sample:{sample.id}", by=None, at=now, tickets=count)
    return count


def _asked(sample: SampleRow) -> list[ColumnElement[bool]]:
    """The stated span, channels and kinds, as conditions on a ticket."""
    found: list[ColumnElement[bool]] = [
        TicketRow.status == TicketStatus.SOLVED,
        TicketRow.closed_on.between(sample.first_day, sample.last_day),
    ]
    if sample.channels:
        found.append(TicketRow.channel.in_(sample.channels))
    if sample.kinds:
        found.append(TicketRow.kind.in_(sample.kinds))
    return found


def _agents(sample: SampleRow, now: datetime) -> list[tuple[int, str]]:
    """Who has tickets of the span and works here, by employee number."""
    day = local_day(now, organisation.current().zone)
    having = select(TicketRow.agent_id).where(*_asked(sample), TicketRow.agent_id.is_not(None))
    query = select(PersonRow.id, PersonRow.employee_no).where(PersonRow.id.in_(having), here_on(day))
    return [(person, number) for person, number in db.session.execute(query.order_by(PersonRow.employee_no))]


def _rows(
    sample: SampleRow, agents: Sequence[tuple[int, str]], told: dict[str, Counter[str]]
) -> Iterator[dict[str, Any]]:
    numbers = dict(agents)
    for agent, tickets in _tickets(sample, [person for person, _ in agents]).items():
        usable = list(_usable(sample, tickets, told["left_out"]))
        told["channels"].update(row.channel for row in usable)
        by_id = {row.id: row for row in usable}
        candidates = [Candidate(row.id, f"{row.system.value}|{row.reference}", row.channel) for row in usable]
        drawn = draw(candidates, numbers[agent], sample.seed, sample.per_agent)
        told["drawn"].update(one.channel for one in drawn)
        spare = reserves(candidates, drawn, numbers[agent], sample.seed, sample.per_agent)
        for place, one in enumerate([*drawn, *spare]):
            row = by_id[one.ticket_id]
            yield _row(sample.id, agent, row, place, is_reserve=place >= len(drawn))


def _row(sample_id: int, agent: int, ticket: Any, place: int, *, is_reserve: bool) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "ticket_id": ticket.id,
        "agent_id": agent,
        "channel": ticket.channel,
        "closed_on": ticket.closed_on,
        "place": place,
        "is_reserve": is_reserve,
        "overall": "",
    }


def _tickets(sample: SampleRow, agents: Sequence[int]) -> dict[int, list[Any]]:
    """The stated tickets of these agents, by agent; one already drawn in another sample says so. One query."""
    before = select(CheckRow.ticket_id).where(CheckRow.is_reserve.is_(False), CheckRow.replaced_at.is_(None))
    query = select(
        TicketRow.id,
        TicketRow.system,
        TicketRow.reference,
        TicketRow.channel,
        TicketRow.closed_on,
        TicketRow.agent_id,
        TicketRow.replies,
        TicketRow.handling,
        TicketRow.id.in_(before).label("is_checked"),
    ).where(*_asked(sample), TicketRow.agent_id.in_(agents))
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(query):
        found[row.agent_id].append(row)
    return dict(sorted(found.items()))


def _usable(sample: SampleRow, tickets: Iterable[Any], left_out: Counter[str]) -> Iterator[Any]:
    """Tickets that may be drawn; the others are counted by why not.

    The plain list of customers is drawn from only for agents without tickets of a ticket system: it may name the same
    cases again.
    """
    tickets = list(tickets)
    has_system = any(row.system is not TicketSystem.LIST for row in tickets)
    for row in tickets:
        if has_system and row.system is TicketSystem.LIST:
            left_out["list"] += 1
        elif row.is_checked:
            left_out["checked"] += 1
        elif _is_short(sample, row):
            left_out["short"] += 1
        else:
            yield row


def _is_short(sample: SampleRow, row: Any) -> bool:
    """Fewer replies or less handling than stated; what the system does not tell is not held against a ticket."""
    few = row.replies is not None and row.replies < sample.least_replies
    return few or (row.handling is not None and row.handling < sample.least_handling)


def _unsolved(sample: SampleRow) -> int:
    """Open tickets of the span: by the day they were opened, where they were never closed."""
    zone = organisation.current().zone
    first = datetime.combine(sample.first_day, datetime.min.time(), zone)
    end = datetime.combine(sample.last_day, datetime.min.time(), zone) + timedelta(days=1)
    inside = or_(
        TicketRow.closed_on.between(sample.first_day, sample.last_day),
        TicketRow.closed_on.is_(None) & (TicketRow.opened_at >= first) & (TicketRow.opened_at < end),
    )
    query = select(func.count()).select_from(TicketRow).where(TicketRow.status == TicketStatus.OPEN, inside)
    return db.session.scalar(query) or 0
