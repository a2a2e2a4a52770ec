"""What is published about peers: the step table, the ranges, and no number at all where a figure is withheld."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.disclosure import (
    Cell,
    End,
    Shown,
    WhyWithheld,
    Withheld,
    bucket_of,
    left_out,
    publish_cell,
    stepped,
)


@pytest.mark.parametrize(
    ("points", "shown"),
    [
        ([40] * 5, (52, End.LOW)),
        ([60, 60, 60, 60, 80], (52, End.LOW)),  # 64
        ([60, 60, 60, 80], (70, None)),  # 65 exactly
        ([60, 60, 80, 80, 80], (70, None)),  # 72
        ([60, 80, 80, 80], (80, None)),  # 75 exactly
        ([80, 80, 80, 80, 80], (80, None)),
        ([80, 80, 80, 80, 100], (92, End.HIGH)),  # 84 exactly
        ([100] * 7, (92, End.HIGH)),
        ([60] * 8, (52, End.LOW)),
        ([60] * 7 + [80], (65, None)),  # 62.5 is half way: up
        ([60] * 8 + [80], (52, End.LOW)),  # 62.2 -> 60
        ([80] * 8, (80, None)),
        ([80] * 6 + [100] * 2, (85, None)),
        ([80] * 5 + [100] * 3, (94, End.HIGH)),  # 87.5 -> 90
        ([80] * 11 + [100], (80, None)),  # 81.7 of 12 ballots: steps of 5
        ([80] * 12 + [100], (82, None)),  # 81.5 of 13: steps of 2
        ([60] * 13, (52, End.LOW)),
        ([60] * 19 + [80], (62, None)),  # 61 is half way: up
        ([80] * 13, (80, None)),
        ([80] * 9 + [100] * 11, (94, End.HIGH)),  # 91
        ([80] * 12 + [100] * 8, (88, None)),
    ],
)
def test_a_mean_is_shown_in_the_step_of_its_number_of_ballots(points, shown):
    assert stepped(sum(points), len(points)) == shown


@pytest.mark.parametrize(
    ("count", "minimum", "bucket"),
    [
        (3, 3, "3-7"),
        (4, 4, "4-7"),
        (5, 5, "5-7"),
        (7, 5, "5-7"),
        (8, 5, "8-12"),
        (12, 5, "8-12"),
        (10, 9, "9-12"),
        (13, 5, "13+"),
        (40, 20, "20+"),
    ],
)
def test_the_number_of_ballots_is_told_as_a_range_from_the_minimum_on(count, minimum, bucket):
    assert bucket_of(count, minimum) == bucket


def test_a_cell_under_its_minimum_is_withheld():
    assert publish_cell("c", [100] * 4, 5, 8) == Cell("c", Withheld(WhyWithheld.BELOW_MINIMUM))
    assert publish_cell("c", [100] * 5, 5, 8) == Cell("c", Shown("5-7", 92, 1, End.HIGH))


def test_nothing_is_published_about_a_panel_smaller_than_the_minimum():
    assert publish_cell("c", [], 5, 4) == Cell("c", Withheld(WhyWithheld.PANEL_TOO_SMALL))


def test_a_withheld_figure_has_no_room_for_a_number():
    assert [part.name for part in fields(Withheld)] == ["why"]


def test_without_steps_the_exact_mean_is_shown():
    figure = publish_cell("c", [100, 100, 80, 80, 80], 5, 5, None).figure
    assert figure == Shown("5", 440, 5)
    assert figure.is_exact
    assert not Shown("5-7", 80).is_exact
    assert not Shown("13+", 80).is_exact


levels = st.lists(st.sampled_from([40, 60, 80, 100]), min_size=3, max_size=30)


@settings(deadline=None)
@given(levels, st.randoms(use_true_random=False))
def test_the_order_of_ballots_does_not_matter(points, chance):
    other = list(points)
    chance.shuffle(other)
    assert publish_cell("c", points, 3, 30) == publish_cell("c", other, 3, 30)


@settings(deadline=None)
@given(levels, st.data())
def test_a_better_ballot_never_lowers_the_figure(points, data):
    index = data.draw(st.integers(0, len(points) - 1))
    better = [*points[:index], min(100, points[index] + 20), *points[index + 1 :]]
    assert stepped(sum(better), len(better))[0] >= stepped(sum(points), len(points))[0]


@settings(deadline=None)
@given(levels)
def test_a_figure_is_never_further_off_than_its_step(points):
    shown, end = stepped(sum(points), len(points))
    mean = sum(points) / len(points)
    if end is End.LOW:
        assert mean < 65
    elif end is End.HIGH:
        assert mean >= 84
    else:
        assert abs(shown - mean) <= 5


def test_an_upheld_appeal_takes_one_figure_out_and_touches_nothing_else():
    told, hidden = publish_cell("a", [80] * 5, 5, 8), publish_cell("b", [80] * 4, 5, 8)
    assert left_out((told, hidden), "a") == (Cell("a", Withheld(WhyWithheld.LEFT_OUT)), hidden)
    assert left_out((told, hidden), "b") == (told, hidden), "a cell that told nothing keeps its own reason"
    assert left_out(left_out((told, hidden), "a"), "a") == left_out((told, hidden), "a")
