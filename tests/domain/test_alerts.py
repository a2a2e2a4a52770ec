"""When an alert is raised: each rule, and beside it what is not enough for it."""

from fractions import Fraction

import pytest

from review.domain.alerts import Asked, is_falling, is_low, is_short, time_over
from review.domain.records import Measured


def months(*figures: tuple[int, int]) -> list[Measured]:
    """Satisfied of answers, month by month."""
    return [Measured(Fraction(100 * good, all_) if all_ else None, Fraction(all_)) for good, all_ in figures]


def test_three_falls_in_a_row_beyond_chance_are_told() -> None:
    assert is_falling(months((95, 100), (90, 100), (80, 100), (70, 100)))
    assert is_falling(months((10, 100), (95, 100), (90, 100), (80, 100), (70, 100)))  # only the last four count


@pytest.mark.parametrize(
    "figures",
    [
        ((95, 100), (90, 100), (80, 100)),  # two falls
        ((95, 100), (90, 100), (90, 100), (70, 100)),  # one month stood still
        ((95, 100), (90, 100), (70, 100), (80, 100)),  # it came back
        ((20, 20), (19, 20), (18, 20), (17, 20)),  # chance alone does that
        ((19, 19), (90, 100), (80, 100), (70, 100)),  # too few answers in one of them
        ((95, 100), (0, 0), (80, 100), (70, 100)),  # a month without any
    ],
)
def test_anything_less_is_not(figures: tuple[tuple[int, int], ...]) -> None:
    assert not is_falling(months(*figures))


def test_a_mean_over_the_limit_is_told_and_one_on_it_is_not() -> None:
    everybody = Measured(Fraction(100), Fraction(1000))
    slow = Measured(Fraction(3601), Fraction(20))
    assert time_over(slow, Fraction(3600), everybody) == 3600
    assert time_over(Measured(Fraction(3600), Fraction(20)), Fraction(3600), everybody) is None
    assert time_over(Measured(Fraction(9999), Fraction(19)), Fraction(3600), everybody) is None
    assert time_over(Measured(None, Fraction(0)), Fraction(3600), everybody) is None


def test_without_a_limit_it_is_twice_everybodys_mean() -> None:
    everybody = Measured(Fraction(100), Fraction(1000))
    assert time_over(Measured(Fraction(201), Fraction(50)), None, everybody) == 200
    assert time_over(Measured(Fraction(200), Fraction(50)), None, everybody) is None
    assert time_over(Measured(Fraction(201), Fraction(50)), None, Measured(None, Fraction(0))) is None


def test_a_low_rate_needs_enough_who_were_asked() -> None:
    assert is_low(Measured(Fraction(69), Fraction(30)))
    assert not is_low(Measured(Fraction(70), Fraction(30)))
    assert not is_low(Measured(Fraction(10), Fraction(29)))
    assert not is_low(Measured(None, Fraction(0)))


def test_answers_are_short_under_the_minimum_only() -> None:
    assert is_short(Asked(1, 2, 40, 14, 15))
    assert not is_short(Asked(1, 2, 40, 15, 15))
