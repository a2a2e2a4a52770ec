"""The lot: the same everywhere, fair, stratified by channel; and fair shares among checkers."""

import json
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from scipy.stats import chisquare

from review.quality.assigning import Drawn, share_out
from review.quality.sampling import Candidate, draw, reserves
from tests.laws.imports import ROOT

CHANNELS = ("phone", "chat", "mail")


def candidates(many: int, channels: tuple[str, ...] = CHANNELS) -> list[Candidate]:
    return [Candidate(n, f"zendesk|T{n}", channels[n % len(channels)]) for n in range(many)]


def drawn_ids(found: list[Candidate]) -> list[int]:
    return sorted(one.ticket_id for one in found)


@pytest.mark.parametrize(("many", "wanted"), [(0, 3), (2, 3), (3, 3), (40, 3), (40, 40), (7, 1)])
def test_as_many_are_drawn_as_asked_for_or_as_there_are(many: int, wanted: int) -> None:
    found = draw(candidates(many), "E1", 5, wanted)
    assert len(found) == min(many, wanted)
    assert len({one.ticket_id for one in found}) == len(found)


def test_the_order_of_rows_changes_nothing() -> None:
    tickets = candidates(50)
    wanted = drawn_ids(draw(tickets, "E1", 9, 6))
    for seed in range(20):
        mixed = random.Random(seed).sample(tickets, len(tickets))
        assert drawn_ids(draw(mixed, "E1", 9, 6)) == wanted
        spare = reserves(mixed, draw(mixed, "E1", 9, 6), "E1", 9, 6)
        assert [one.ticket_id for one in spare] == [
            one.ticket_id for one in reserves(tickets, draw(tickets, "E1", 9, 6), "E1", 9, 6)
        ]


def test_the_ids_of_a_database_change_nothing() -> None:
    """The same tickets in another database have other ids: the draw goes by system and number."""
    here = draw(candidates(30), "E1", 4, 5)
    there = draw([Candidate(1000 - one.ticket_id, one.name, one.channel) for one in candidates(30)], "E1", 4, 5)
    assert sorted(one.name for one in here) == sorted(one.name for one in there)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_draws_the_same(hash_seed: str) -> None:
    program = (
        "import json\n"
        "from review.quality.sampling import Candidate, draw, reserves\n"
        "tickets = [Candidate(n, f'zendesk|T{n}', ('phone', 'chat', 'mail')[n % 3]) for n in set(range(60))]\n"
        "found = draw(tickets, 'E7', 11, 8)\n"
        "print(json.dumps([sorted(one.ticket_id for one in found),"
        " [one.ticket_id for one in reserves(tickets, found, 'E7', 11, 8)]]))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True)
    found = draw(candidates(60), "E7", 11, 8)
    spare = [one.ticket_id for one in reserves(candidates(60), found, "E7", 11, 8)]
    assert json.loads(told.stdout) == [drawn_ids(found), spare]


def test_another_seed_or_agent_draws_another_sample() -> None:
    one = drawn_ids(draw(candidates(60), "E1", 1, 8))
    assert one != drawn_ids(draw(candidates(60), "E1", 2, 8))
    assert one != drawn_ids(draw(candidates(60), "E2", 1, 8))


def test_the_draw_of_a_stated_seed_never_changes_with_the_program() -> None:
    """Samples are drawn again years later: these are the tickets of seed 2026 for ever."""
    found = draw(candidates(20), "E000001", 2026, 4)
    assert [one.name for one in sorted(found, key=lambda each: each.name)] == GOLDEN


GOLDEN = ["zendesk|T0", "zendesk|T10", "zendesk|T14", "zendesk|T17"]


@pytest.mark.parametrize("shares", [(1, 1, 1), (8, 3, 1)])
def test_every_ticket_has_the_same_chance(shares: tuple[int, ...]) -> None:
    """Over 6,000 seeds, 3 of 24: a chi-square against equal counts, where channels are even and where they are not."""
    channels = tuple(name for name, many in zip(CHANNELS, shares, strict=True) for _ in range(many))
    tickets, seen = candidates(24, channels), Counter[int]()
    for seed in range(6000):
        seen.update(one.ticket_id for one in draw(tickets, "E1", seed, 3))
    counts = [seen[one.ticket_id] for one in tickets]
    assert sum(counts) == 18_000
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("wanted", [1, 3, 6, 10])
def test_each_channel_gets_its_share_rounded_down_or_up(wanted: int) -> None:
    tickets = candidates(30, ("phone", "phone", "phone", "chat", "chat", "mail"))
    total = Counter(one.channel for one in tickets)
    for seed in range(200):
        got = Counter(one.channel for one in draw(tickets, "E1", seed, wanted))
        for channel, many in total.items():
            assert many * wanted // 30 <= got[channel] <= -(-many * wanted // 30), (seed, channel, got)


def test_a_rare_channel_is_met_over_the_agents() -> None:
    """One mail in twenty tickets: with 3 of 20 drawn, mail stands in about 15 % of the agents' samples."""
    tickets = candidates(20, ("phone",) * 19 + ("mail",))
    met = sum(any(one.channel == "mail" for one in draw(tickets, f"E{n}", 1, 3)) for n in range(2000))
    assert 240 <= met <= 360


def test_reserves_are_others_those_of_the_drawn_channels_first() -> None:
    tickets = [*candidates(12, ("phone",)), Candidate(99, "zendesk|T99", "mail")]
    found = draw(tickets, "E1", 3, 2)
    spare = reserves(tickets, found, "E1", 3, 20)
    assert not set(drawn_ids(spare)) & set(drawn_ids(found))
    assert len(spare) == 11
    if all(one.channel == "phone" for one in found):
        assert spare[-1].channel == "mail"


def drawn(agents: dict[int, int]) -> list[Drawn]:
    numbers = iter(range(10_000))
    return [Drawn(next(numbers), agent) for agent, many in agents.items() for _ in range(many)]


@pytest.mark.parametrize("seed", range(30))
def test_shares_are_even_and_nobody_gets_their_own(seed: int) -> None:
    dice = random.Random(seed)
    tickets = drawn({agent: dice.randint(1, 5) for agent in range(1, 40)})
    checkers = dice.sample(range(1, 60), 6)
    given, homeless = share_out(tickets, checkers, {})
    loads = Counter(given.values())
    owner = {one.check_id: one.agent_id for one in tickets}
    assert not homeless
    assert set(given) == set(owner)
    assert all(owner[check_id] != checker for check_id, checker in given.items())
    assert max(loads.values()) - min(loads[checker] for checker in checkers) <= 1


def test_a_barred_supervisor_gets_none_and_the_loads_still_meet() -> None:
    tickets = drawn(dict.fromkeys(range(1, 21), 3))
    barred = {agent: frozenset({100 if agent <= 10 else 200}) for agent in range(1, 21)}
    given, homeless = share_out(tickets, [100, 200, 300], barred)
    assert not homeless
    assert all(given[one.check_id] not in barred[one.agent_id] for one in tickets)
    assert set(Counter(given.values()).values()) == {20}


def test_what_nobody_may_check_is_told() -> None:
    tickets = drawn({1: 2, 2: 1})
    given, homeless = share_out(tickets, [1], {})
    assert [one.agent_id for one in homeless] == [1, 1]
    assert set(given) == {tickets[2].check_id}


def test_who_has_more_already_gets_fewer() -> None:
    given, _ = share_out(drawn({1: 4, 2: 4}), [10, 20], {}, {10: 6})
    assert Counter(given.values()) == {20: 7, 10: 1}


def test_the_tickets_of_an_agent_meet_several_checkers() -> None:
    given, _ = share_out(drawn(dict.fromkeys(range(1, 11), 3)), [100, 200, 300], {})
    by_agent = {agent: set() for agent in range(1, 11)}
    for one in drawn(dict.fromkeys(range(1, 11), 3)):
        by_agent[one.agent_id].add(given[one.check_id])
    assert all(len(met) == 3 for met in by_agent.values())
