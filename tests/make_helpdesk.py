"""Tickets for tests: drawn at random with every kind of gap, and an independent count of what they come to.

`expected` walks over the tickets one by one, in plain Python and without the program's own code, so that a mistake in
the database's statements and one in here would have to be the same to go unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk.tables import FigureRow, ShareRow, TicketRow
from review.infra.db import db

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_ONE = date(2026, 2, 20)  # tickets lie within seventy days from here
KINDS, CHANNELS = ("exchange", "refund", "question"), ("phone", "chat")


@dataclass
class Drawn:
    """A ticket as it is put into the database, and who has how many parts of it."""

    columns: dict[str, Any]
    shares: dict[int, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return self.columns.get(name)


def draw(random: Random, people: Sequence[int], count: int) -> list[Drawn]:
    return [_one(random, people, f"R{number}") for number in range(count)]


def _maybe(random: Random, low: int, high: int, chance: float = 0.7) -> int | None:
    return random.randint(low, high) if random.random() < chance else None


def _one(random: Random, people: Sequence[int], reference: str) -> Drawn:
    opened = datetime(2026, 2, 20, tzinfo=UTC) + timedelta(minutes=random.randint(0, 70 * 24 * 60))
    is_solved = random.random() < 0.8
    closed_on = (opened + timedelta(hours=random.randint(-60, 500))).astimezone(SHANGHAI).date()
    columns: dict[str, Any] = {
        "system": random.choice([TicketSystem.ZENDESK] * 6 + [TicketSystem.SHEET] * 3 + [TicketSystem.LIST]),
        "reference": reference,
        "agent_id": random.choice([*people, None]),
        "status": TicketStatus.SOLVED if is_solved else TicketStatus.OPEN,
        "closed_on": closed_on if is_solved and random.random() < 0.9 else None,
        "opened_at": opened if random.random() < 0.8 else None,
        "channel": random.choice(CHANNELS),
        "kind": random.choice(KINDS),
        "reopens": _maybe(random, 0, 2),
        "replies": _maybe(random, 0, 3),
        "difficulty": _maybe(random, 1, 400, 0.4),
        "is_complaint": random.choice([True, False, None]),
        "csat": random.choice([*Csat, None]),
        "csat_points": _maybe(random, 0, 100, 0.4),
    }
    for name in ("first_response", "customer_wait", "resolution"):
        columns[name] = _maybe(random, 0, 2_000_000_000)
        columns[f"{name}_business"] = _maybe(random, 0, 100_000, 0.4)
    sharing = random.sample(list(people), random.choice([0, 0, 0, 1, 2, 3]))
    return Drawn(columns, {person: random.randint(1, 90_000) for person in sharing})


def put(tickets: Sequence[Drawn]) -> None:
    """Write them, replacing what is there."""
    for table in (ShareRow, FigureRow, TicketRow):
        db.session.query(table).delete()
    for ticket in tickets:
        row = TicketRow(**ticket.columns)
        db.session.add(row)
        db.session.flush()
        db.session.add_all(ShareRow(ticket_id=row.id, person_id=who, parts=n) for who, n in ticket.shares.items())
    db.session.commit()


Sums = dict[str, list[Fraction]]  # indicator -> [total, count]


def expected(
    tickets: Sequence[Drawn], first: date, last: date, difficulty: Mapping[str, Fraction]
) -> dict[tuple[int, str], Sums]:
    """What `first` to `last` come to, by person and kind."""
    found: dict[tuple[int, str], Sums] = {}
    for ticket in tickets:
        if ticket.system == "list":
            continue
        shares: dict[int | None, Fraction] = {ticket.agent_id: Fraction(1)}
        if ticket.shares:
            parts = sum(ticket.shares.values())
            shares = {who: Fraction(part, parts) for who, part in ticket.shares.items()}
        for who, share in shares.items():
            if who is not None:
                _count(found.setdefault((who, ticket.kind), {}), ticket, share, first, last, difficulty)
    return {key: sums for key, sums in found.items() if sums}


def _count(
    sums: Sums, ticket: Drawn, share: Fraction, first: date, last: date, difficulty: Mapping[str, Fraction]
) -> None:
    def add(name: str, value: Fraction | int | bool) -> None:
        pair = sums.setdefault(name, [Fraction(0), Fraction(0)])
        pair[0] += share * value
        pair[1] += share

    solved_on = ticket.closed_on if ticket.status == "solved" else None
    if ticket.status == "solved" and solved_on is None:
        return
    opened_on = ticket.opened_at.astimezone(SHANGHAI).date() if ticket.opened_at else solved_on
    if opened_on is not None and solved_on is not None:
        opened_on = min(opened_on, solved_on)
    solved_within = solved_on is not None and first <= solved_on <= last
    if opened_on is not None and opened_on <= last and (solved_on is None or solved_on >= first):
        add("resolution_rate", 100 * solved_within)
    if opened_on is not None and first <= opened_on <= last and ticket.is_complaint is not None:
        add("complaint_rate", 100 * ticket.is_complaint)
    if solved_within:
        _count_solved(add, ticket, difficulty)


def _count_solved(add: Callable[[str, Any], None], ticket: Drawn, difficulty: Mapping[str, Fraction]) -> None:
    if ticket.difficulty is not None:
        add("volume", Fraction(ticket.difficulty, 100))
    else:
        add("volume", difficulty.get(ticket.kind, Fraction(1)))
    for name, column in (
        ("first_response", "first_response"),
        ("customer_wait", "customer_wait"),
        ("resolution_time", "resolution"),
    ):
        business, plain = getattr(ticket, f"{column}_business"), getattr(ticket, column)
        if business is not None or plain is not None:
            add(name, plain if business is None else business)
    if ticket.reopens is not None or ticket.replies is not None:
        add("first_contact_resolution", 100 * (ticket.reopens in (None, 0) and ticket.replies in (None, 0, 1)))
    if ticket.reopens is not None:
        add("reopen_rate", 100 * (ticket.reopens > 0))
    _count_answers(add, ticket)


def _count_answers(add: Callable[[str, Any], None], ticket: Drawn) -> None:
    if ticket.csat in ("good", "neutral", "bad"):
        add("satisfaction", 100 * (ticket.csat == "good"))
        add("bad_rate", 100 * (ticket.csat != "good"))
    if ticket.csat in ("good", "neutral", "bad", "offered"):
        add("response", 100 * (ticket.csat != "offered"))
    if ticket.csat_points is not None:
        add("csat_points", ticket.csat_points)
