"""The probability that enough people answer, against scipy and against the figure the defaults rest on."""

from fractions import Fraction

import pytest
from scipy.stats import binom

from review.domain.turnout import chance_of_enough


def test_eight_are_asked_so_that_five_answer() -> None:
    assert round(float(chance_of_enough(5)), 2) == 0.84


@pytest.mark.parametrize("asked", [5, 8, 20])
@pytest.mark.parametrize("minimum", [1, 3, 5])
def test_it_is_the_binomial_tail(asked: int, minimum: int) -> None:
    exact = chance_of_enough(minimum, asked, Fraction(7, 10), Fraction(1, 4))
    assert float(exact) == pytest.approx(binom.sf(minimum - 1, asked, 0.7 * 0.75), rel=1e-12)


def test_more_than_are_asked_never_answer() -> None:
    assert chance_of_enough(9) == 0
    assert chance_of_enough(0) == 1
