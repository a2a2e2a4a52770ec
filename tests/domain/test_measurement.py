"""Diagnostics of a cycle, by hand and against an independent library; what would be about a few people stays untold."""

from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from review.domain.measurement import FEWEST_PEOPLE, SMALLEST_GROUP, compared, effective_weights, fisher, precision_of
from review.domain.vocabulary import COUNTING

SUPERVISOR, PEERS, CUSTOMERS = COUNTING
POINT = 10_000  # contributions are told in ten-thousandths


def person(supervisor, peers=0, customers=0):
    return {SUPERVISOR: supervisor * POINT, PEERS: peers * POINT, CUSTOMERS: customers * POINT}


HALF_UP_HALF_DOWN = [person(60, 10, 12), person(40, 10, 14)] * 20


def test_a_source_that_gives_everybody_the_same_weighs_nothing():
    """By hand: ratings 82 and 64, contributions differ by 20, 0 and -2, so 20/18, 0 and -2/18."""
    assert effective_weights(HALF_UP_HALF_DOWN) == {
        SUPERVISOR: Fraction(10, 9),
        PEERS: 0,
        CUSTOMERS: Fraction(-1, 9),
    }


amounts = st.integers(0, 100 * POINT)
people = st.lists(st.fixed_dictionaries(dict.fromkeys(COUNTING, amounts)), min_size=30, max_size=60)


@settings(max_examples=50, deadline=None)
@given(people)
def test_effective_weights_add_up_to_one(everybody):
    weights = effective_weights(everybody)
    if weights is not None:
        assert sum(weights.values()) == 1


def test_few_people_have_neither_weights_nor_an_error():
    few = HALF_UP_HALF_DOWN[: FEWEST_PEOPLE - 1]
    assert effective_weights(few) is None
    assert precision_of(few, (Fraction(1), Fraction(1)), ([], Fraction(0))) is None


def test_people_who_are_all_alike_have_no_weights():
    alike = [person(60, 10, 12)] * FEWEST_PEOPLE
    assert effective_weights(alike) is None
    assert precision_of(alike, (Fraction(0), Fraction(0)), ([], Fraction(0))).reliability is None


def test_the_standard_error_is_worked_out_by_source():
    """By hand: supervisors differ with a variance of 100 * 40/39, half of it error; one customer's contribution has a
    variance of 9 and there are 16: 9/16; two criteria of peers, .1 of R each with a variance of 100, 5 ballots each:
    (1 + 1)² / 5."""
    found = precision_of(
        HALF_UP_HALF_DOWN,
        (Fraction(9), Fraction(1, 16)),
        ([(Fraction(1, 10), Fraction(100))] * 2, Fraction(1, 5)),
    )
    assert found.by_source[SUPERVISOR] == pytest.approx(sqrt(50 * 40 / 39))
    assert found.by_source[CUSTOMERS] == pytest.approx(0.75)
    assert found.by_source[PEERS] == pytest.approx(sqrt(0.8))
    assert found.error == pytest.approx(sqrt(50 * 40 / 39 + 9 / 16 + 0.8))
    assert found.deviation == pytest.approx(sqrt(81 * 40 / 39))
    assert found.reliability == pytest.approx(1 - found.error**2 / found.deviation**2)


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2"),
    [(1, 10, 11, 14), (0, 10, 0, 12), (3, 20, 15, 30), (10, 10, 1, 12), (200, 900, 260, 950)],
)
def test_fisher_agrees_with_an_independent_library(x1, n1, x2, n2):
    expected = fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue
    assert fisher(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-9)


def lines_of(**groups):
    return {line.name: line for line in compared(groups)}


def test_a_rate_under_four_fifths_of_the_highest_asks_for_a_look():
    lines = lines_of(north=(30, 60), south=(30, 100))
    assert (lines["south"].is_low, lines["south"].too_few, lines["south"].ratio) == (True, False, Fraction(3, 5))
    assert lines["north"].against is None
    assert lines["south"].against.difference == pytest.approx(-0.2)


def test_small_groups_are_left_without_any_figure():
    lines = lines_of(north=(30, 60), south=(30, 100), east=(1, 9), west=(2, 9))
    assert [lines[name].total for name in ("north", "south", "east", "west")] == [60, 100, None, None]
    assert lines["east"].selected is None


def test_a_single_small_group_takes_the_next_one_with_it():
    lines = lines_of(north=(30, 60), south=(30, 100), east=(5, SMALLEST_GROUP), west=(2, 9))
    assert [name for name, line in lines.items() if line.total is None] == ["east", "west"]


def test_where_fewer_than_two_groups_are_left_nothing_is_told():
    assert {line.total for line in lines_of(north=(30, 60), west=(2, 9)).values()} == {None}
