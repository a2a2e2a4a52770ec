"""Indicators per agent and period, against a count of the same tickets one by one, to the last fraction."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask

from review.app import create_app
from review.domain.indicators import Part, Span, Tally, months_back, together, weeks_back
from review.domain.records import Csat, Indicator, Measured, TicketStatus, TicketSystem
from review.helpdesk import figures
from review.helpdesk.tables import FigureRow
from review.infra.db import db
from review.infra.settings import Settings
from review.tables import metadata
from tests.make import Cast, make_cast
from tests.make_helpdesk import Drawn, draw, expected, put
from tests.queries import count_queries

MARCH = (date(2026, 3, 1), date(2026, 3, 31))
WEIGHTS = {"exchange": Fraction(3, 2), "refund": Fraction(7, 3)}
TEAM = ("ada", "bo", "cy", "di")


def wanted(tickets: list[Drawn], span: Span, weights: Mapping[str, Fraction]) -> dict[int, dict[str, Measured]]:
    """What the count one by one comes to, over all kinds."""
    people: dict[int, dict[str, list[Fraction]]] = {}
    for (person, _kind), sums in expected(tickets, *span, weights).items():
        for name, (total, count) in sums.items():
            pair = people.setdefault(person, {}).setdefault(name, [Fraction(0), Fraction(0)])
            pair[0] += total
            pair[1] += count
    return {person: {name: _measured(name, *pair) for name, pair in sums.items()} for person, sums in people.items()}


def _measured(name: str, total: Fraction, count: Fraction) -> Measured:
    return Measured(total if name == "volume" else total / count, count)


def without_response(people: Mapping[int, Mapping[str, Measured]]) -> dict[int, dict[str, Measured]]:
    kept = {who: {key: value for key, value in own.items() if key != "response"} for who, own in people.items()}
    return {who: own for who, own in kept.items() if own}


def check(random: Random, people: list[int], count: int) -> None:
    tickets = draw(random, people, count)
    put(tickets)
    for weights in ({}, WEIGHTS):
        assert figures.of_period(*MARCH, difficulty=weights) == without_response(wanted(tickets, MARCH, weights))
    kinds = figures.kinds_of_period(*MARCH, difficulty=WEIGHTS)
    by_kind = {
        (who, kind): {name: _measured(name, *pair) for name, pair in sums.items() if name != "response"}
        for (who, kind), sums in expected(tickets, *MARCH, WEIGHTS).items()
    }
    assert {(who, kind): own for who, kinds_ in kinds.items() for kind, own in kinds_.items()} == {
        key: own for key, own in by_kind.items() if own
    }
    spans = weeks_back(date(2026, 4, 12), 9)
    found = figures.tallies(spans, difficulty=WEIGHTS)
    for at, span in enumerate(spans):
        by_one = wanted(tickets, span, WEIGHTS)
        assert {who: own[at].measured() for who, own in found.items() if own[at].measured()} == without_response(by_one)
        responses = {who: own["response"] for who, own in by_one.items() if "response" in own}
        assert {who: own[at].response_rate for who, own in found.items() if own[at].surveys.count} == responses
    some = people[:2]
    added = [together(own[at] for who, own in found.items() if who in some) for at in range(len(spans))]
    assert same(figures.sums_of_all(spans, some, difficulty=WEIGHTS)) == same(added)
    all_kinds = figures.kinds_of_all(MARCH, difficulty=WEIGHTS)
    assert same([together(all_kinds.values())]) == same(figures.sums_of_all([MARCH], difficulty=WEIGHTS))


def same(tallies: list[Tally]) -> list[tuple[Any, Part]]:
    """What a tally says, whatever is there without being said."""
    return [({key: part for key, part in one.parts.items() if part.count}, one.surveys) for one in tallies]


@pytest.mark.parametrize("seed", range(12))
def test_every_figure_is_what_counting_one_by_one_gives(app: Flask, cast: Cast, seed: int) -> None:
    with app.app_context():
        check(Random(seed), [cast[name].id for name in TEAM], 150)


@pytest.fixture
def postgres_app(tmp_path: Path, postgres_url: str, urn_url: str) -> Iterator[Flask]:
    environ = {"REVIEW_DATA": str(tmp_path / "pg"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    made = create_app(replace(Settings.from_env(environ | {"REVIEW_BASE_URL": "http://localhost"}), is_testing=True))
    with made.app_context():
        metadata.create_all(db.engine)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres")
def test_postgresql_gives_the_same_to_the_fraction(postgres_app: Flask) -> None:
    with postgres_app.app_context():
        cast = make_cast()
        db.session.commit()
        for seed in range(100, 104):
            check(Random(seed), [cast[name].id for name in TEAM], 200)


# ---- one rule at a time ---------------------------------------------------------------------------------------------


def solved(agent: int, reference: str = "T1", **other: Any) -> Drawn:
    columns = {
        "system": TicketSystem.ZENDESK,
        "reference": reference,
        "agent_id": agent,
        "status": TicketStatus.SOLVED,
        "closed_on": date(2026, 3, 5),
        "channel": "phone",
        "kind": "refund",
    }
    return Drawn(columns | other)


def test_the_plain_list_of_customers_counts_for_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context():
        put([solved(cast["ada"].id, system=TicketSystem.LIST, csat=Csat.GOOD)])
        assert figures.of_period(*MARCH) == {}


def test_a_shared_ticket_is_divided_and_its_own_agent_gets_no_more_than_a_share(app: Flask, cast: Cast) -> None:
    ada, bo, cy = (cast[name].id for name in ("ada", "bo", "cy"))
    with app.app_context():
        one = solved(ada, csat=Csat.GOOD, difficulty=250)
        one.shares = {bo: 1, cy: 2}
        put([one])
        found = figures.of_period(*MARCH)
        assert ada not in found
        assert found[bo][Indicator.VOLUME] == Measured(Fraction(5, 6), Fraction(1, 3))
        assert found[cy][Indicator.SATISFACTION] == Measured(Fraction(100), Fraction(2, 3))


def test_the_day_of_opening_is_the_organisations_not_utcs(app: Flask, cast: Cast) -> None:
    """20:00 UTC on 28 February is already 1 March in Shanghai."""
    ada = cast["ada"].id
    late, early = datetime(2026, 2, 28, 20, tzinfo=UTC), datetime(2026, 2, 28, 15, 59, tzinfo=UTC)
    with app.app_context():
        is_open = {"status": TicketStatus.OPEN, "closed_on": None, "is_complaint": True}
        put([solved(ada, "T1", opened_at=late, **is_open), solved(ada, "T2", opened_at=early, **is_open)])
        march = figures.of_period(*MARCH)[ada]
        assert march[Indicator.COMPLAINT_RATE] == Measured(Fraction(100), Fraction(1))
        assert march[Indicator.RESOLUTION_RATE] == Measured(Fraction(0), Fraction(2))
        february = figures.of_period(date(2026, 2, 1), date(2026, 2, 28))[ada]
        assert february[Indicator.COMPLAINT_RATE].count == 1


def test_nothing_solved_has_no_volume_and_no_time(app: Flask, cast: Cast) -> None:
    ada = cast["ada"].id
    with app.app_context():
        opened = datetime(2026, 3, 2, tzinfo=UTC)
        put([solved(ada, status=TicketStatus.OPEN, closed_on=None, opened_at=opened, first_response=60)])
        assert set(figures.of_period(*MARCH)[ada]) == {Indicator.RESOLUTION_RATE}


def told(person: int, indicator: Indicator, span: Span, value: tuple[int, int], system: str = "qidian") -> FigureRow:
    first, last = span
    return FigureRow(
        system=TicketSystem(system),
        person_id=person,
        indicator=indicator.value,
        first_day=first,
        last_day=last,
        numerator=value[0],
        denominator=value[1],
    )


def test_figures_told_as_a_whole_are_weighed_by_what_they_count_over(app: Flask, cast: Cast) -> None:
    ada = cast["ada"].id
    week_one, week_two = (date(2026, 3, 2), date(2026, 3, 8)), (date(2026, 3, 9), date(2026, 3, 15))
    with app.app_context():
        put([solved(ada, csat=Csat.GOOD, first_response=100)])
        db.session.add_all(
            [
                told(ada, Indicator.SATISFACTION, week_one, (90, 99)),
                told(ada, Indicator.SATISFACTION, week_two, (9, 100)),
                told(ada, Indicator.FIRST_RESPONSE, week_one, (900, 3)),
                told(ada, Indicator.SALES, week_one, (1250, 100)),
                told(ada, Indicator.SATISFACTION, (date(2026, 3, 30), date(2026, 4, 5)), (1, 1)),  # not inside
            ]
        )
        db.session.flush()
        found = figures.of_period(*MARCH)[ada]
        assert found[Indicator.SATISFACTION] == Measured(Fraction(100 * 100, 200), Fraction(200))
        assert found[Indicator.FIRST_RESPONSE] == Measured(Fraction(250), Fraction(4))
        assert found[Indicator.SALES].value == Fraction(25, 2)
        assert Indicator.SALES not in figures.kinds_of_period(*MARCH)[ada]["refund"]
        assert figures.tallies([MARCH], kind="refund")[ada][0].measured()[Indicator.SATISFACTION].count == 1


def test_rates_of_which_nobody_told_the_number_weigh_alike_and_count_for_one_each(app: Flask, cast: Cast) -> None:
    ada = cast["ada"].id
    first, second = (date(2026, 3, 1), date(2026, 3, 15)), (date(2026, 3, 16), date(2026, 3, 31))
    with app.app_context():
        rows = [told(ada, Indicator.SATISFACTION, first, (95, 100)), told(ada, Indicator.SATISFACTION, second, (9, 10))]
        for row in rows:
            row.is_counted = False
        db.session.add_all(rows)
        db.session.flush()
        assert figures.of_period(*MARCH)[ada][Indicator.SATISFACTION] == Measured(Fraction(185, 2), Fraction(2))


def test_a_month_does_not_count_its_weeks_once_more(app: Flask, cast: Cast) -> None:
    ada = cast["ada"].id
    week = (date(2026, 3, 2), date(2026, 3, 8))
    with app.app_context():
        db.session.add_all(
            [
                told(ada, Indicator.VOLUME, MARCH, (400, 1)),
                told(ada, Indicator.VOLUME, week, (100, 1)),
                told(ada, Indicator.VOLUME, week, (30, 1), "wecom"),
            ]
        )
        db.session.flush()
        assert figures.of_period(*MARCH)[ada][Indicator.VOLUME] == Measured(Fraction(430), Fraction(430))
        assert figures.of_period(*week)[ada][Indicator.VOLUME].value == 130


def test_only_the_people_asked_about_and_only_the_channel_asked_for(app: Flask, cast: Cast) -> None:
    ada, bo = cast["ada"].id, cast["bo"].id
    with app.app_context():
        put([solved(ada, "T1"), solved(ada, "T2", channel="chat"), solved(bo, "T3")])
        assert set(figures.of_period(*MARCH, [ada])) == {ada}
        assert set(figures.of_period(*MARCH, range(6000))) == {ada, bo}  # more than a statement lists
        assert figures.of_period(*MARCH, []) == {}
        (tally,) = figures.tallies([MARCH], [ada], channel="chat")[ada]
        assert tally.measured()[Indicator.VOLUME].count == 1


def test_however_many_people_there_are_the_questions_are_as_many(app: Flask, cast: Cast) -> None:
    people = [person.id for person in cast.values()]
    with app.app_context():
        put(draw(Random(1), people, 200))
        asked = []
        for chosen in (people[:1], people, None):
            db.session.rollback()
            with count_queries(db.engine) as queries:
                figures.of_period(*MARCH, chosen)
            asked.append(len(queries))
        assert len(set(asked)) == 1
        assert asked[0] <= 4


def test_spans_must_follow_each_other(app: Flask, cast: Cast) -> None:
    assert cast
    gap = [(date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 3, 1), date(2026, 3, 31))]
    with app.app_context():
        for wrong in (gap, [], [(date(2026, 2, 1), date(2026, 1, 1))]):
            with pytest.raises(ValueError, match="follow each other"):
                figures.tallies(wrong)


def test_months_and_weeks_end_with_the_one_of_the_day() -> None:
    assert months_back(date(2026, 3, 9), 3) == [
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        MARCH,
    ]
    weeks = weeks_back(date(2026, 3, 8), 2)
    assert weeks == [(date(2026, 2, 23), date(2026, 3, 1)), (date(2026, 3, 2), date(2026, 3, 8))]
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(weeks))
