"""What moved a score: the parts add up to the change, exactly and as printed, and looking back turns every sign."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.movement import Asked, Cause, Scored, exact_score, movement, shapley
from review.domain.rounding import hundredths
from review.domain.vocabulary import COUNTING, Source

SUPERVISOR, PEERS, CUSTOMERS = COUNTING
KEYS = ("knowledge", "talking", "learning")
means = st.fractions(min_value=20, max_value=100, max_denominator=30)


@st.composite
def asked(draw):
    supervisor = draw(st.integers(1, 100))
    peers = draw(st.integers(0, 100 - supervisor))
    weights = {SUPERVISOR: supervisor, PEERS: peers, CUSTOMERS: 100 - supervisor - peers}
    said = {SUPERVISOR: draw(means)}
    for source in (PEERS, CUSTOMERS):
        said[source] = draw(st.none() | means) if weights[source] else None
    return Asked(draw(st.integers(1, 50)), weights, said)


@st.composite
def scored(draw):
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
    points = st.fractions(min_value=0, max_value=10, max_denominator=4)
    made = Scored(
        criteria={key: draw(asked()) for key in keys},
        rating_share=draw(st.fractions(min_value=0, max_value=1, max_denominator=20)),
        sheet=draw(st.none() | st.fractions(min_value=0, max_value=120, max_denominator=12)),
        bonus=draw(points),
        deduction=draw(points),
        score=0,
    )
    return replace(made, score=hundredths(exact_score(made)))


@settings(max_examples=60, deadline=None)
@given(scored(), scored())
def test_the_parts_sum_to_the_difference_exactly(before, after):
    moved = movement(before, after)
    assert moved.exact == exact_score(after) - exact_score(before)
    assert moved.exact + moved.rounding == Fraction(after.score - before.score, 100)
    assert abs(moved.rounding) <= Fraction(1, 100)


@settings(max_examples=40, deadline=None)
@given(scored(), scored())
def test_the_parts_as_printed_sum_to_the_printed_difference(before, after):
    moved = movement(before, after)
    assert sum(part.shown for part in moved.parts) + moved.shown_rounding == after.score - before.score


MIRRORED = {Cause.CAME: Cause.LEFT, Cause.LEFT: Cause.CAME}


@settings(max_examples=40, deadline=None)
@given(scored(), scored())
def test_swapping_the_cycles_negates_every_part(before, after):
    there = {(part.cause, part.criterion, part.source): part.points for part in movement(before, after).parts}
    back = {
        (MIRRORED.get(part.cause, part.cause), part.criterion, part.source): -part.points
        for part in movement(after, before).parts
    }
    assert there == back
    assert movement(before, after).rounding == -movement(after, before).rounding


@settings(max_examples=25, deadline=None)
@given(scored())
def test_the_same_result_twice_has_no_part_at_all(one):
    moved = movement(one, one)
    assert moved.parts == ()
    assert moved.rounding == 0


def one_criterion(supervisor, peers=None, customers=None, weights=(50, 30, 20), **changes):
    said = dict(zip(COUNTING, (supervisor, peers, customers), strict=True))
    figures = {source: None if mean is None else Fraction(mean) for source, mean in said.items()}
    asked_ = Asked(100, dict(zip(COUNTING, weights, strict=True)), figures)
    made = Scored({"talking": asked_}, Fraction(3, 5), None, Fraction(0), Fraction(0), 0)
    made = replace(made, **changes)
    return replace(made, score=hundredths(exact_score(made)))


def parts_of(before, after):
    return {(part.cause, part.source): part.points for part in movement(before, after).parts}


def test_answers_alone_move_by_their_weight():
    assert parts_of(one_criterion(80, 80, 80), one_criterion(100, 80, 70)) == {
        (Cause.ANSWERS, SUPERVISOR): 10,
        (Cause.ANSWERS, CUSTOMERS): -2,
    }


def test_a_source_that_drops_out_carries_what_its_weight_did_elsewhere():
    """By hand: .5*80 + .3*60 + .2*100 = 78 before; (.5*80 + .2*100) / .7 = 600/7 after."""
    assert parts_of(one_criterion(80, 60, 100), one_criterion(80, None, 100)) == {
        (Cause.LEFT, PEERS): Fraction(600, 7) - 78
    }


def test_new_weights_over_the_same_answers_are_the_rules_alone():
    assert parts_of(one_criterion(80, 60, 100), one_criterion(80, 60, 100, weights=(60, 30, 10))) == {
        (Cause.RULES, None): -2
    }


def test_a_source_that_is_asked_for_the_first_time_is_the_rules_too():
    before, after = one_criterion(80, weights=(100, 0, 0)), one_criterion(80, 60, weights=(50, 50, 0))
    assert parts_of(before, after) == {(Cause.RULES, None): -10}


def test_a_criterion_that_the_rules_add_is_the_rules():
    before = one_criterion(80)
    added = replace(after := one_criterion(80), criteria={**after.criteria, "new": after.criteria["talking"]})
    added.criteria["new"].means[SUPERVISOR] = Fraction(100)
    added = replace(added, criteria={"talking": before.criteria["talking"], "new": added.criteria["new"]})
    assert parts_of(before, replace(added, score=hundredths(exact_score(added)))) == {(Cause.RULES, None): 10}


def test_a_kpi_sheet_that_comes_in_moves_by_the_room_it_takes():
    """Without a sheet 80; with one of 90 at a share of .4: .6*80 + .4*90 = 84."""
    assert parts_of(one_criterion(80), one_criterion(80, sheet=Fraction(90))) == {(Cause.SHEET, None): 4}


def test_bonus_deduction_and_the_end_of_the_scale_stand_by_themselves():
    before = one_criterion(100, bonus=Fraction(8), rating_share=Fraction(0))
    after = one_criterion(100, bonus=Fraction(10), sheet=Fraction(110), rating_share=Fraction(0))
    assert parts_of(before, after) == {(Cause.SHEET, None): 10, (Cause.BONUS, None): 2, (Cause.LIMIT, None): -10}
    assert parts_of(one_criterion(80), one_criterion(80, deduction=Fraction(3))) == {(Cause.DEDUCTION, None): -3}


def test_two_things_that_multiply_share_evenly():
    """Weight and mean change at once: 40*.5 = 20 -> 80*.9 = 72. Half of what only both together do goes to each."""
    before, after = one_criterion(100, 40, weights=(50, 50, 0)), one_criterion(100, 80, weights=(10, 90, 0))
    parts = parts_of(before, after)
    assert parts[Cause.ANSWERS, PEERS] == Fraction(1, 2) * (Fraction(1, 2) + Fraction(9, 10)) * 40
    assert sum(parts.values()) == 82 - 70


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_shapley_asks_in_no_order(order):
    worth = {"": 0, "a": 6, "b": 12, "c": 42, "ab": 54, "ac": 78, "bc": 48, "abc": 90}
    earned = shapley(order, lambda some: Fraction(worth["".join(sorted(some))]))
    # By hand over the six orders: a (6+6+42+36+42+36+...)/6; the textbook's weights 1/3, 1/6, 1/6, 1/3.
    a = Fraction(6, 3) + Fraction(54 - 12, 6) + Fraction(78 - 42, 6) + Fraction(90 - 48, 3)
    assert earned["a"] == a
    assert sum(earned.values()) == 90


def test_the_sources_of_a_part_are_the_counting_ones():
    moved = movement(one_criterion(80, 60, 60), one_criterion(60, 80, 80))
    assert {part.source for part in moved.parts} == {SUPERVISOR, PEERS, CUSTOMERS}
    assert Source.SELF not in {part.source for part in moved.parts}
