"""How long the indicators of a period take, beside the floor: one plain GROUP BY over the same tickets in the same run.

    python -m benchmarks.indicators [tickets] [agents] [--postgres]

A company's tickets of one quarter, one in fifty of them shared by two. Timed are `figures.of_period` of everybody and
of one team of twelve, the board's twelve months of everybody, and the counts that hints are drawn from; the floor adds
one column up by agent. On PostgreSQL a private server is started. Ratios within one run tell something, seconds depend
on the machine.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, insert, select, text

from review.app import create_app
from review.domain.indicators import months_back
from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk import figures, habits
from review.helpdesk.tables import ShareRow, TicketRow
from review.infra import organisation
from review.infra.db import db, only_reading
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.tables import metadata
from tests.postgres import cluster, new_database

FIRST, LAST = date(2026, 7, 1), date(2026, 9, 30)
BATCH = 20_000
WEIGHTS = {"exchange": Fraction(3, 2), "repair": Fraction(2)}
CSAT = (None, Csat.OFFERED, Csat.GOOD, Csat.GOOD, Csat.NEUTRAL, Csat.BAD)


def hire(agents: int) -> list[int]:
    rows = [
        {"employee_no": f"B{n:06}", "name": f"Agent {n}", "locale": "en", "session_version": 1, "activation": 1}
        for n in range(agents)
    ]
    db.session.execute(insert(PersonRow), rows)
    return list(db.session.scalars(select(PersonRow.id).order_by(PersonRow.id)))


def ticket(random: Random, number: int, people: list[int]) -> dict[str, Any]:
    opened = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(92 * 24 * 60))
    took = random.randrange(300, 400_000)
    is_solved = random.random() < 0.97
    return {
        "id": number,
        "system": TicketSystem.ZENDESK,
        "reference": f"T{number}",
        "agent_id": random.choice(people),
        "status": TicketStatus.SOLVED if is_solved else TicketStatus.OPEN,
        "closed_on": (opened + timedelta(seconds=took)).date() if is_solved else None,
        "channel": random.choice(("phone", "chat", "mail")),
        "kind": random.choice(("exchange", "refund", "repair", "question")),
        "opened_at": opened,
        "first_response": random.randrange(20, 4000),
        "first_response_business": random.choice((None, random.randrange(20, 4000))),
        "resolution": took,
        "customer_wait": took // 2,
        "reopens": random.choice((0, 0, 0, 0, 1)),
        "replies": random.choice((0, 1, 1, 2, 3)),
        "is_complaint": random.random() < 0.02,
        "csat": random.choice(CSAT),
    }


def fill(tickets: int, people: list[int]) -> None:
    random = Random(7)
    for start in range(1, tickets + 1, BATCH):
        rows = [ticket(random, number, people) for number in range(start, min(start + BATCH, tickets + 1))]
        db.session.execute(insert(TicketRow), rows)
        shares = [
            {"ticket_id": row["id"], "person_id": who, "parts": random.choice((50, 60, 70))}
            for row in rows
            if row["id"] % 50 == 0
            for who in random.sample(people, 2)
        ]
        db.session.execute(insert(ShareRow), shares)
    db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()


def timed(what: Callable[[], Any]) -> float:
    """The better of two runs, so that neither finds the file unread."""
    took = []
    for _ in range(2):
        db.session.rollback()
        started = time.perf_counter()
        with only_reading():
            what()
        took.append(time.perf_counter() - started)
    return min(took)


def floor() -> None:
    db.session.execute(select(TicketRow.agent_id, func.sum(TicketRow.resolution)).group_by(TicketRow.agent_id)).all()


def measure(tickets: int, agents: int) -> None:
    organisation.configure(organisation.Organisation())
    people = hire(agents)
    fill(tickets, people)
    least = timed(floor)
    print(f"  {'floor':<37} {least:7.2f} s")
    for name, work in {
        "of_period, everybody": lambda: figures.of_period(FIRST, LAST, difficulty=WEIGHTS),
        "of_period, a team of 12": lambda: figures.of_period(FIRST, LAST, people[:12], difficulty=WEIGHTS),
        "board, 12 months, everybody": lambda: figures.sums_of_all(months_back(LAST, 12)),
        "hints, counts of everybody": lambda: habits.habits_of((FIRST, LAST), habits.usual_time((FIRST, LAST))),
    }.items():
        took = timed(work)
        print(f"  {name:<37} {took:7.2f} s   {took / least:6.1f} x")


def main(tickets: int, agents: int, *, is_postgres: bool) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environ = {"REVIEW_DATA": str(folder / "data"), "REVIEW_KEYS": str(folder / "keys")}
        if is_postgres:
            server = stack.enter_context(cluster())
            environ |= {"DATABASE_URL": new_database(server), "URN_URL": new_database(server)}
        app = create_app(Settings.from_env(environ))
        with app.app_context():
            metadata.create_all(db.engine)
            print(f"{'PostgreSQL' if is_postgres else 'SQLite'}, {tickets:,} tickets, {agents:,} agents")
            measure(tickets, agents)
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    wanted = [*numbers, *(1_000_000, 2_000)[len(numbers) :]]
    main(wanted[0], wanted[1], is_postgres="--postgres" in sys.argv)
