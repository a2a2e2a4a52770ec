"""The lot: one sample from the same tickets in any order and any process, seats that add up, nobody's influence."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import fields, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.period import Period, PeriodKind
from review.domain.refusals import Invalid
from review.domain.strata import (
    Answered,
    Stratum,
    allocate,
    largest_remainder,
    pace,
    post_stratified,
    quota,
)
from review.domain.survey_plan import Mode, SurveyPlan, ticket_wave, waves
from review.domain.survey_sample import Candidate, choose, sample

thorough = settings(max_examples=80, deadline=None)
STRATA = [Stratum(channel, kind) for channel in ("phone", "chat") for kind in ("return", "invoice", "")]
chances = st.randoms(use_true_random=False)


def tickets(chance: Random, most: int = 120) -> list[Candidate]:
    """Tickets of up to four agents and sixty customers, some of them shared."""
    return [
        Candidate(n, f"T{n:04}", f"c{chance.randrange(60)}", chance.randrange(1, 5), chance.choice(STRATA))
        for n in range(chance.randrange(most))
    ]


def seats_for(chance: Random) -> dict[int, int]:
    return {agent: chance.randrange(20) for agent in range(1, 5)}


# ---- seats ----


@thorough
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**6), min_size=1), st.integers(0, 5000))
def test_seats_add_up_and_nobody_is_a_whole_seat_away_from_their_share(weights: dict[str, int], seats: int) -> None:
    given = largest_remainder(weights, seats)
    total = sum(weights.values())
    assert sum(given.values()) == (seats if total else 0)
    for key, weight in weights.items():
        assert abs(given[key] - Fraction(weight * seats, total or 1)) < 1
    assert given == largest_remainder(dict(reversed(list(weights.items()))), seats)


def test_the_largest_remainder_by_hand() -> None:
    assert largest_remainder({"a": 47, "b": 16, "c": 15, "d": 12, "e": 6, "f": 4}, 10) == {
        "a": 5, "b": 2, "c": 1, "d": 1, "e": 1, "f": 0,
    }  # fmt: skip
    assert largest_remainder({"b": 1, "a": 1, "c": 1}, 2) == {"b": 1, "a": 1, "c": 0}
    with pytest.raises(ValueError, match="from zero"):
        largest_remainder({"a": 1}, -1)


@thorough
@given(chances)
def test_allocation_never_overfills_and_uses_all_the_room_it_may(chance: Random) -> None:
    population = {key: chance.randrange(50) for key in STRATA}
    room = {key: chance.randrange(count + 1) for key, count in population.items()}
    seats = chance.randrange(120)
    given = allocate(population, room, seats)
    assert all(0 <= given[key] <= room[key] for key in population)
    assert sum(given.values()) == min(seats, sum(room.values()))


def test_what_overflows_goes_to_the_others() -> None:
    a, b, c = (Stratum("phone", name) for name in "abc")
    assert allocate({a: 80, b: 15, c: 5}, {a: 2, b: 15, c: 5}, 10) == {a: 2, b: 6, c: 2}
    assert allocate({a: 80, b: 20}, {a: 80, b: 20}, 10) == {a: 8, b: 2}


@pytest.mark.parametrize(
    ("minimum", "percent", "asked"), [(15, 40, 38), (15, 100, 15), (15, 70, 22), (5, 33, 16), (1, 1, 100)]
)
def test_the_quota_is_rounded_up(minimum: int, percent: int, asked: int) -> None:
    assert quota(minimum, percent) == asked
    assert asked * percent >= 100 * minimum > (asked - 1) * percent


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_rate_that_is_none_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="expected response rate"):
        quota(15, percent)


# ---- the sample ----


@thorough
@given(chances)
def test_the_order_of_the_tickets_changes_nothing(chance: Random) -> None:
    found, seats, seed = tickets(chance), seats_for(chance), chance.randrange(2**31)
    expected = sample(found, seed, seats)
    chance.shuffle(found)
    assert sample(found, seed, seats) == expected


@thorough
@given(chances)
def test_seats_hold_customers_are_asked_once_and_everybody_gets_what_there_is(chance: Random) -> None:
    found, seats, seed = tickets(chance), seats_for(chance), chance.randrange(2**31)
    chosen = sample(found, seed, seats)
    assert len({each.customer for each in chosen}) == len(chosen)
    assert set(chosen) <= set(found)
    mine = Counter(each.agent_id for each in chosen)
    possible = Counter(each.agent_id for each in choose(found, seed))
    assert mine == Counter({agent: n for agent in possible if (n := min(seats[agent], possible[agent]))})


@thorough
@given(chances)
def test_strata_are_drawn_in_proportion(chance: Random) -> None:
    """Where every ticket has its own customer, a person's strata are a whole seat at most off their shares."""
    found = [replace(each, customer=f"own{n}") for n, each in enumerate(tickets(chance, 300))]
    seats = seats_for(chance)
    drawn = Counter((each.agent_id, each.stratum) for each in sample(found, 5, seats))
    population = Counter((each.agent_id, each.stratum) for each in found)
    tickets_of = Counter(each.agent_id for each in found)
    for (agent, stratum), count in population.items():
        share = Fraction(count * min(seats[agent], tickets_of[agent]), tickets_of[agent])
        assert abs(drawn[agent, stratum] - share) < 1


@thorough
@given(chances)
def test_nobodys_tickets_move_the_lot_of_others(chance: Random) -> None:
    """What agent 1 closes or leaves open changes nothing about who is asked on the others, shared customers apart."""
    found, seats, seed = tickets(chance), seats_for(chance), chance.randrange(2**31)
    found = [replace(each, customer=f"{each.agent_id}-{each.customer}") for each in found]
    others = [each for each in found if each.agent_id != 1]
    chosen = [each for each in sample(found, seed, seats) if each.agent_id != 1]
    assert chosen == sample(others, seed, seats)


def test_a_candidate_holds_nothing_that_an_agent_writes() -> None:
    assert {one.name for one in fields(Candidate)} == {"ticket_id", "reference", "customer", "agent_id", "stratum"}


def test_every_customer_has_the_same_chance_whatever_they_wrote_and_however_often() -> None:
    """Two tickets do not make a customer likelier to be asked: over 400 seeds both kinds are drawn alike."""
    found = [Candidate(n, f"T{n}", f"c{n % 30}", 1) for n in range(45)]  # customers 0 to 14 wrote twice
    drawn = Counter(each.customer for seed in range(400) for each in sample(found, seed, {1: 10}))
    twice = sum(drawn[f"c{n}"] for n in range(15))
    assert abs(twice - 2000) < 150  # of 4000; three standard errors are about 110


def test_a_seed_of_its_own_gives_another_sample() -> None:
    found = [Candidate(n, f"T{n}", f"c{n}", 1) for n in range(60)]
    assert len({tuple(each.ticket_id for each in sample(found, seed, {1: 20})) for seed in range(20)}) == 20


def test_another_process_draws_the_same() -> None:
    program = (
        "import json; from review.domain.strata import Stratum;"
        "from review.domain.survey_sample import Candidate, sample;"
        "found = [Candidate(n, f'T{n}', f'c{n % 40}', n % 3, Stratum('x', str(n % 4))) for n in range(90)];"
        "print(json.dumps([each.ticket_id for each in sample(found, 7, {0: 9, 1: 5, 2: 30})]))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": hashseed},
        ).stdout
        for hashseed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(json.loads(runs[0])) > 20


# ---- the weighted reference ----


def test_the_reference_weighs_strata_by_their_tickets() -> None:
    phone, chat = Stratum("phone", ""), Stratum("chat", "")
    found = post_stratified({phone: 900, chat: 100}, {phone: Answered(8, 10), chat: Answered(10, 40)})
    assert found.value == Fraction(9, 10) * Fraction(8, 10) + Fraction(1, 10) * Fraction(1, 4)
    assert (found.empty, found.covered) == ((), 1)


def test_an_empty_stratum_is_named_and_left_out() -> None:
    phone, chat, mail = (Stratum(name, "") for name in ("phone", "chat", "mail"))
    found = post_stratified({phone: 60, chat: 20, mail: 20}, {phone: Answered(3, 4), mail: Answered(0, 2)})
    assert found.value == (Fraction(60, 80) * Fraction(3, 4))
    assert found.empty == (chat,)
    assert found.covered == Fraction(80, 100)


def test_without_answers_there_is_no_reference() -> None:
    phone = Stratum("phone", "")
    assert post_stratified({phone: 3}, {}).value is None
    assert post_stratified({}, {}).covered == 0


@thorough
@given(chances)
def test_a_proportional_sample_needs_no_weights(chance: Random) -> None:
    """Where everybody's share of answers is their share of tickets, the reference is the plain share."""
    counts = {key: chance.randrange(1, 9) for key in STRATA}
    answers = {key: Answered(chance.randrange(n + 1), n) for key, n in counts.items()}
    plain = Fraction(sum(one.satisfied for one in answers.values()), sum(counts.values()))
    assert post_stratified({key: 7 * n for key, n in counts.items()}, answers).value == plain


# ---- waves ----

QUARTER = Period(PeriodKind.QUARTERLY, date(2026, 1, 1), date(2026, 3, 31))


def test_a_quarter_has_three_months_and_the_last_one_reaches_the_quota() -> None:
    found = waves(Mode.MONTHLY, QUARTER)
    assert [(str(one.first), str(one.last), str(one.due_on)) for one in found] == [
        ("2026-01-01", "2026-01-31", "2026-02-01"),
        ("2026-02-01", "2026-02-28", "2026-03-01"),
        ("2026-03-01", "2026-03-31", "2026-04-01"),
    ]
    assert [pace(90, one.part) for one in found] == [31, 59, 90]


def test_every_two_months_a_quarter_has_a_pair_and_a_rest() -> None:
    assert [(one.first.month, one.last.month) for one in waves(Mode.BIMONTHLY, QUARTER)] == [(1, 2), (3, 3)]


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 800), st.sampled_from([Mode.MONTHLY, Mode.BIMONTHLY])
)
def test_waves_cover_every_day_of_any_span_once(start: date, length: int, mode: Mode) -> None:
    period = Period(PeriodKind.CUSTOM, start, start + timedelta(days=length))
    found = waves(mode, period)
    assert (found[0].first, found[-1].last, found[-1].part) == (period.start, period.end, 1)
    for one, following in pairwise(found):
        assert one.last + timedelta(days=1) == following.first == one.due_on
        assert one.part < following.part
    assert len({one.key for one in found}) == len(found)


def test_a_list_and_tickets_have_no_calendar() -> None:
    assert waves(Mode.LIST, QUARTER) == waves(Mode.TICKET, QUARTER) == ()


def test_after_closed_tickets_the_quota_follows_the_days() -> None:
    early, late = (ticket_wave(QUARTER, day, 7) for day in (date(2026, 1, 3), date(2026, 4, 5)))
    assert (early.first, early.last, early.part) == (date(2026, 1, 1), date(2026, 1, 3), Fraction(3, 90))
    assert (late.first, late.last, late.part) == (date(2026, 3, 29), date(2026, 3, 31), 1)
    assert early.key != late.key


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"expected_percent": 4}, "expected_percent"),
        ({"expected_percent": 101}, "expected_percent"),
        ({"delay_hours": 0}, "delay_hours"),
        ({"window_days": 61}, "window_days"),
        ({"valid_days": 31}, "valid_days"),
        ({"delay_hours": 48, "window_days": 1}, "window_days"),
        ({"per_person": 14}, "per_person"),
    ],
)
def test_a_plan_without_sense_is_refused_where_it_is_wrong(changes: dict[str, int], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        SurveyPlan(**changes).check(15)
    assert [problem.where for problem in refused.value.problems] == [where]
    SurveyPlan().check(15)
    SurveyPlan(per_person=15, delay_hours=1, window_days=1).check(15)


def test_the_plan_asks_for_the_quota_or_for_what_hr_typed() -> None:
    assert SurveyPlan(expected_percent=50).quota(15) == 30
    assert SurveyPlan(per_person=20).quota(15) == 20
