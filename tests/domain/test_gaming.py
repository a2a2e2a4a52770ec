"""Hints on gaming: planted patterns are named, honest work is not, and who has too little to compare is left alone."""

from dataclasses import replace
from random import Random

import pytest

from review.domain.gaming import Habits, HintKind, hints, together

HONEST = Habits(
    tickets=200,
    known=200,
    repeats=6,
    reopened=10,
    reopens_told=200,
    offered=120,
    told=200,
    quick_offered=40,
    timed_offered=120,
    quick_others=27,
    timed_others=80,
    empty=4,
)
TEAM = dict.fromkeys(range(1, 11), 1)


def named(own: Habits, others: Habits = HONEST) -> list[HintKind]:
    """The hints about agent 1, whose nine colleagues all work as `others`."""
    found = hints({1: own, **dict.fromkeys(range(2, 11), others)}, TEAM)
    assert {one.agent for one in found} <= {1}
    return [one.kind for one in found]


def test_people_who_work_alike_are_not_named() -> None:
    assert named(HONEST) == []


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (HintKind.SPLIT, replace(HONEST, repeats=60)),
        (HintKind.REOPENED, replace(HONEST, reopened=60)),
        (HintKind.CHERRY_PICKED, replace(HONEST, offered=50, quick_offered=45, timed_offered=50, timed_others=150)),
        (
            HintKind.CHERRY_PICKED,
            replace(HONEST, offered=175, quick_offered=120, timed_offered=175, quick_others=2, timed_others=25),
        ),
        (HintKind.EMPTY, replace(HONEST, tickets=300, empty=120)),
    ],
)
def test_each_planted_pattern_is_named_and_nothing_else(kind: HintKind, own: Habits) -> None:
    assert named(own) == [kind]


@pytest.mark.parametrize(
    "own",
    [
        replace(HONEST, repeats=18),  # somewhat more than the team, within chance and margin
        replace(HONEST, repeats=9, known=10),  # far more, but of next to nothing
        replace(HONEST, reopened=9, reopens_told=9),
        replace(
            HONEST, offered=50, timed_offered=50, quick_offered=17, timed_others=150, quick_others=50
        ),  # not easier
        replace(HONEST, quick_offered=110),  # easier ones, but as many as everybody offers
        replace(HONEST, offered=20, told=200, quick_offered=19, timed_offered=19),  # too few with a time
        replace(HONEST, tickets=150, empty=120),  # no more tickets than others: nothing was gained
        Habits(),
    ],
)
def test_what_falls_short_of_a_rule_is_not_named(own: Habits) -> None:
    assert named(own) == []


def test_a_habit_of_the_whole_team_is_no_hint_about_one_of_them() -> None:
    everybody = replace(HONEST, repeats=60, reopened=60, empty=150)
    assert named(everybody, everybody) == []


def test_a_small_team_is_measured_by_everybody_else() -> None:
    habits = {1: replace(HONEST, reopened=70), 2: replace(HONEST, tickets=20), **dict.fromkeys(range(3, 9), HONEST)}
    teams = {1: 100, 2: 100, **dict.fromkeys(range(3, 9), 200)}
    (hint,) = hints(habits, teams)
    assert (hint.agent, hint.is_team) == (1, False)
    assert (hint.others, hint.others_of) == (10 * 7, 200 * 7)
    (within,) = hints({**habits, 2: HONEST}, teams)
    assert within.is_team
    assert (within.own, within.own_of, within.others, within.others_of) == (70, 200, 10, 200)


def test_alone_nobody_can_be_compared() -> None:
    assert hints({1: replace(HONEST, repeats=200, reopened=200, empty=200)}, {1: None}) == []


def test_two_thousand_honest_agents_are_not_named_by_chance() -> None:
    random = Random(11)

    def some(chance: float, n: int = 120) -> int:
        return sum(random.random() < chance for _ in range(n))

    def honest() -> Habits:
        offered = some(0.6)
        return Habits(
            tickets=120,
            known=120,
            repeats=some(0.05),
            reopened=some(0.1),
            reopens_told=120,
            offered=offered,
            told=120,
            quick_offered=some(0.3, offered),
            timed_offered=offered,
            quick_others=some(0.3, 120 - offered),
            timed_others=120 - offered,
            empty=some(0.05),
        )

    habits = {agent: honest() for agent in range(2000)}
    assert hints(habits, {agent: agent // 12 for agent in habits}) == []


def test_counts_of_many_add_up() -> None:
    assert together((HONEST, HONEST)).tickets == 400
    assert together((HONEST, HONEST)).agents == 2
