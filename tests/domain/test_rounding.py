"""Half up, once, from exact numbers: the published cases and what floats would do to them."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.rounding import decimal_text, half_up, hundredths

# GB/T 8170-2008 examples (12.1498, 10.5002, 1.050, 0.35), read half up; the others are ties derived by hand
CASES = [
    ("2.675", 2, "2.68"),
    ("2.665", 2, "2.67"),
    ("87.885", 2, "87.89"),
    ("0.125", 2, "0.13"),
    ("89.995", 2, "90.00"),
    ("89.994999", 2, "89.99"),
    ("12.1498", 0, "12"),
    ("12.1498", 1, "12.1"),
    ("10.5002", 0, "11"),
    ("1.050", 1, "1.1"),
    ("0.35", 1, "0.4"),
    ("0.25", 1, "0.3"),
    ("8.53459", 2, "8.53"),  # GB/T 8170: never round twice (8.535 would give 8.54)
    ("-0.125", 2, "-0.13"),
    ("0.005", 2, "0.01"),
    ("0.0049", 2, "0.00"),
]


@pytest.mark.parametrize(("value", "places", "rounded"), CASES)
def test_ties_are_rounded_up(value, places, rounded):
    exact = Fraction(value)
    assert decimal_text(half_up(exact.numerator, exact.denominator, places), places) == rounded


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_every_tie_at_the_third_decimal_goes_up(units):
    assert hundredths(Fraction(10 * units + 5, 1000)) == units + 1


@settings(deadline=None)
@given(st.fractions(min_value=0, max_value=110))
def test_a_rounded_number_is_never_further_away_than_half_a_hundredth(value):
    assert abs(Fraction(hundredths(value), 100) - value) <= Fraction(1, 200)


@settings(deadline=None)
@given(st.fractions(), st.fractions())
def test_rounding_keeps_the_order(one, other):
    low, high = sorted((one, other))
    assert hundredths(low) <= hundredths(high)
