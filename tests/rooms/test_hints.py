"""HR's page of hints: gaming planted into tickets is found with the tickets behind it, honest work is not."""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest
from flask import Flask

from review.domain import gaming
from review.domain.gaming import HintKind
from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk import habits
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db
from review.people import directory
from tests.browse import Browser
from tests.make import Cast

Browse = Callable[..., Browser]
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
TEAM = ("ada", "bo", "cy", "di", "ed")
PAGE = "/indicators/hints?until=2026-03-15"


def work(random: Random, agent: int, number: int, customer: int, **other: Any) -> TicketRow:
    columns: dict[str, Any] = {
        "system": TicketSystem.SOBOT,
        "reference": f"{agent}-{number}",
        "agent_id": agent,
        "customer_id": customer,
        "status": TicketStatus.SOLVED,
        "closed_on": date(2026, 3, 1 + random.randrange(28)),
        "channel": "chat",
        "kind": random.choice(("exchange", "refund")),
        "handling": random.randrange(200, 2000),
        "reopens": int(random.random() < 0.05),
        "csat": random.choice((Csat.NOT_OFFERED, Csat.OFFERED, Csat.GOOD)),
    }
    return TicketRow(**(columns | other))


@pytest.fixture
def honest(app: Flask, cast: Cast) -> Cast:
    """Five people who work alike, 100 tickets each."""
    random = Random(5)
    with app.app_context():
        customers = [CustomerRow(name=f"C{n}", locale="zh") for n in range(400)]
        db.session.add_all(customers)
        db.session.flush()
        for name in TEAM:
            db.session.add_all(
                work(random, cast[name].id, number, random.choice(customers).id) for number in range(100)
            )
        db.session.commit()
    return cast


def plant(app: Flask, agent: int, count: int, **columns: Any) -> None:
    random = Random(6)
    with app.app_context():
        customers = [row.id for row in db.session.query(CustomerRow).limit(count)]
        db.session.add_all(
            work(random, agent, 1000 + n, customers[n % len(customers)], **columns) for n in range(count)
        )
        db.session.commit()


def found(app: Flask) -> list[tuple[int, HintKind]]:
    with app.app_context():
        usual = habits.usual_time(MARCH)
        return [(one.agent, one.kind) for one in gaming.hints(habits.habits_of(MARCH, usual), directory.lines())]


def test_honest_work_gives_no_hint(app: Flask, honest: Cast, browse: Browse) -> None:
    assert found(app) == []
    assert "Nothing stands out in this month" in browse(honest["hana"]).get(PAGE).text


def cut(app: Flask, agent: int, handling: int) -> None:
    """Forty tickets of one customer and type, five a day."""
    random = Random(1)
    with app.app_context():
        customer = db.session.query(CustomerRow).order_by(CustomerRow.id).first()
        assert customer is not None
        for n in range(40):
            day = date(2026, 3, 1 + n // 5)
            columns = {"kind": "refund", "handling": handling, "csat": None, "reopens": 0, "closed_on": day}
            db.session.add(work(random, agent, 2000 + n, customer.id, **columns))
        db.session.commit()


def test_tickets_cut_into_pieces(app: Flask, honest: Cast, browse: Browse) -> None:
    cut(app, honest["bo"].id, 120)
    assert found(app) == [(honest["bo"].id, HintKind.SPLIT)]
    page = browse(honest["hana"]).get(PAGE).text
    assert "Many tickets for the same customer on the same day" in page
    assert f"{honest['bo'].id}-2000" in page
    assert "of 140 tickets follow another" in page


def test_long_tickets_of_one_customer_are_work(app: Flask, honest: Cast) -> None:
    cut(app, honest["bo"].id, 5000)
    assert found(app) == []


def test_solved_and_reopened(app: Flask, honest: Cast, browse: Browse) -> None:
    plant(app, honest["cy"].id, 60, reopens=2)
    assert found(app) == [(honest["cy"].id, HintKind.REOPENED)]
    page = browse(honest["hana"]).get(PAGE).text
    assert "Solved, then re-opened" in page
    assert "the rest of the team" in page


def test_surveys_for_the_easy_ones(app: Flask, honest: Cast, browse: Browse) -> None:
    plant(app, honest["di"].id, 250, csat=Csat.GOOD, handling=80, reopens=0)
    assert (honest["di"].id, HintKind.CHERRY_PICKED) in found(app)
    assert "Surveys offered where the ticket was easy" in browse(honest["hana"]).get(PAGE).text


def test_volume_without_time(app: Flask, honest: Cast) -> None:
    plant(app, honest["ed"].id, 80, handling=5, csat=None, reopens=0)
    assert found(app) == [(honest["ed"].id, HintKind.EMPTY)]


def test_other_months_and_the_plain_list_count_for_nothing(app: Flask, honest: Cast) -> None:
    plant(app, honest["ed"].id, 80, handling=5, system=TicketSystem.LIST)
    plant(app, honest["cy"].id, 80, reopens=3, closed_on=date(2026, 2, 3))
    assert found(app) == []


def test_the_tickets_behind_each_kind(app: Flask, honest: Cast) -> None:
    plant(app, honest["cy"].id, 60, reopens=2)
    with app.app_context():
        usual = habits.usual_time(MARCH)
        rows = habits.behind(HintKind.REOPENED, [honest["cy"].id], MARCH, usual)[honest["cy"].id]
        assert len(rows) == habits.SHOWN
        assert all(row.reopens for row in rows)
        for kind in HintKind:
            assert habits.behind(kind, [honest["rae"].id], MARCH, usual) == {}


def test_only_hr_may_look(app: Flask, honest: Cast, browse: Browse) -> None:
    for name in ("ada", "sam", "max"):
        browse(honest[name]).get(PAGE, status=404)
