"""The repair of weights keeps to the rules, and the customers' share in a total is what a hand computes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.kpi_weights import customers_share, fitted
from review.kpi.library import starting_plan
from review.schemes.library import builtin


def repaired(*weights, satisfaction=0):
    told = [place == satisfaction for place in range(len(weights))]
    return fitted([Fraction(str(weight)) for weight in weights], told)


@pytest.mark.parametrize(
    ("weights", "becomes"),
    [
        ((30, 70), (30, 70)),
        ((60, 140), (30, 70)),
        ((30, 65), (32, 68)),
        ((20, 80), (30, 70)),  # satisfaction is lifted to its least
        ((0, 0, 0), (34, 33, 33)),
        ((0, 100), (30, 70)),
        ((100,), (100,)),
        (("33.3", "33.3", "33.3"), (34, 33, 33)),
    ],
)
def test_weights_are_fitted_in_proportion(weights, becomes):
    assert repaired(*weights) == becomes


def test_nothing_is_offered_where_no_row_is_of_satisfaction():
    assert repaired(50, 40, satisfaction=None) is None
    assert fitted([], []) is None


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), min_size=1, max_size=30))
def test_a_repair_always_keeps_the_rules(rows):
    told = [counts for _weight, counts in rows]
    made = fitted([Fraction(weight) for weight, _counts in rows], told)
    if not any(told):
        assert made is None
        return
    assert sum(made) == 100
    assert min(made) >= 1
    assert sum(weight for weight, counts in zip(made, told, strict=True) if counts) >= 30


@given(st.permutations([20, 15, 30, 20, 10, 5]))
def test_weights_in_order_stay_as_they_are(weights):
    told = [weight == 30 for weight in weights]
    assert fitted([Fraction(weight) for weight in weights], told) == tuple(weights)


def test_the_customers_share_adds_source_and_satisfaction():
    scheme, plan = builtin(), starting_plan()
    # of 100: 16 in the rating (80 over five criteria), 30 in the sheet, which weigh 0.6 and 0.4
    assert customers_share(scheme, plan.rows, plan.satisfaction_weight()) == Fraction(108, 5)
    assert customers_share(scheme, (), Fraction(0)) == 16
