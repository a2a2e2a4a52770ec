"""Team tables: nothing hidden follows from what is shown, and what may be shown is."""

import random
from fractions import Fraction

import pytest

from review.domain.disclosure import End
from review.domain.suppression import FEWEST, Member, team_figures
from tests.adversary.rows import Leak, leaks_of, people_below

Parents = dict[int, int | None]
STEPS = [Fraction(points) for points in (52, 70, 80, 92)]


def team(first: int, size: int, number: int, boss: int | None = None, figure: int = 80) -> list[Member]:
    return [Member(first + place, number, boss, Fraction(figure)) for place in range(size)]


def shown_in(parents: Parents, members: list[Member]) -> set[int]:
    return {number for number, figure in team_figures(parents, members).items() if figure is not None}


def random_tree(seed: int) -> tuple[Parents, list[Member]]:
    """Departments with leaders in them or above them, staff of any number, some without a figure."""
    dice = random.Random(seed)
    parents: Parents = {1: None}
    for number in range(2, dice.randint(2, 14)):
        parents[number] = dice.choice([None, *range(1, number), *range(1, number)]) if dice.random() < 0.9 else None
    heads: dict[int, int] = {}
    members, person = [], 100
    for number, parent in parents.items():
        heads[number] = person
        above = heads.get(parent) if parent is not None else None
        if dice.random() < 0.7:  # the head was reviewed as well, in their own team or in the one above
            where = number if dice.random() < 0.7 or parent is None else parent
            members.append(Member(person, where, above, dice.choice(STEPS)))
        size = dice.choice([0, 0, 1, 2, 3, 4, 4, 5, 5, 6, 7, 9, 12, 25])
        for place in range(size):
            boss = heads[number] if dice.random() < 0.9 else dice.choice([None, *heads.values()])
            members.append(Member(person + 1 + place, number, boss, dice.choice(STEPS)))
        person += 100
    return parents, members


@pytest.mark.parametrize("block", range(4))
def test_no_hidden_team_and_no_person_follows_from_what_is_shown(block: int) -> None:
    shown_cells = hidden_cells = 0
    for seed in range(100 * block, 100 * block + 100):
        parents, members = random_tree(seed)
        shown = shown_in(parents, members)
        people = people_below(parents, members)
        assert all(len(people[number]) >= FEWEST for number in shown)
        assert leaks_of(parents, members, shown) == [], seed
        shown_cells += len(shown)
        hidden_cells += sum(1 for number in parents if people[number] and number not in shown)
    assert shown_cells > 150
    assert hidden_cells > 150


def test_the_algebra_finds_the_leaks_of_primary_suppression_alone() -> None:
    """Hiding small teams only: the auditor must catch what follows by subtracting, or it proves nothing."""
    caught = 0
    for seed in range(60):
        parents, members = random_tree(seed)
        people = people_below(parents, members)
        large = {number for number in parents if len(people[number]) >= FEWEST}
        caught += bool(leaks_of(parents, members, large))
    assert caught > 15


def test_a_small_team_takes_its_smallest_sibling_with_it() -> None:
    parents: Parents = {1: None, 2: 1, 3: 1, 4: 1}
    members = [*team(100, 6, 2), *team(200, 8, 3), *team(300, 3, 4)]
    assert shown_in(parents, members) == {1, 3}
    assert Leak("team", 4, None) in leaks_of(parents, members, {1, 2, 3})


def test_a_team_of_four_beside_oneself_is_no_team_of_five() -> None:
    """Whoever stands alone in a team would subtract themselves from the five and have the others' sum."""
    parents: Parents = {1: None, 2: 1, 3: 1}
    members = [*team(100, 1, 2), *team(200, 4, 3)]
    assert Leak("team", 3, 100) in leaks_of(parents, members, {1})
    assert shown_in(parents, members) == set()


def test_a_supervisor_who_knows_all_but_one_learns_nothing_about_that_one() -> None:
    parents: Parents = {1: None}
    members = [*team(100, 7, 1, boss=9), Member(200, 1, 9_000, Fraction(92))]
    assert Leak("person", 200, 9) in leaks_of(parents, members, {1})
    assert shown_in(parents, members) == set()


def test_teams_of_five_and_more_are_all_shown() -> None:
    parents: Parents = {1: None, 2: 1, 3: 1, 4: None}
    members = [*team(100, 5, 2, boss=1), *team(200, 9, 3, boss=2), *team(300, 20, 4, boss=3)]
    assert shown_in(parents, members) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("figures", "points", "end", "people"),
    [
        ([80] * 5, 80, None, "5-9"),
        ([80, 80, 80, 80, 92, 92, 92, 92, 92, 80], 85, None, "10-19"),
        ([92, 92, 92, 92, 80], 90, End.HIGH, "5-9"),
        ([92] * 20, 90, End.HIGH, "20-49"),
        ([52, 52, 52, 70, 70, 70, 70], 60, End.LOW, "5-9"),
        ([52] * 50, 60, End.LOW, "50+"),
    ],
)
def test_means_are_told_in_steps_of_five_with_open_ends(
    figures: list[int], points: int, end: End | None, people: str
) -> None:
    members = [Member(place, 1, None, Fraction(figure)) for place, figure in enumerate(figures)]
    told = team_figures({1: None}, members)[1]
    assert told is not None
    assert (told.points, told.end, told.people) == (points, end, people)


def test_the_order_of_people_and_teams_changes_nothing() -> None:
    for seed in range(30):
        parents, members = random_tree(seed)
        dice = random.Random(seed)
        mixed, turned = dice.sample(members, len(members)), dict(dice.sample(sorted(parents.items()), len(parents)))
        assert team_figures(turned, mixed) == team_figures(parents, members)


def test_ten_thousand_people_take_seconds() -> None:
    dice = random.Random(1)
    parents: Parents = {1: None, **dict.fromkeys(range(2, 22), 1)}
    parents |= {number: dice.randint(2, 21) for number in range(22, 1000)}
    members = []
    for person in range(10_000):
        place = dice.randint(1, 999)
        members.append(Member(100_000 + person, place, 200_000 + place, dice.choice(STEPS)))
    shown = shown_in(parents, members)
    assert len(shown) > 500
