"""The price of a minimum, by enumerating every way the ballots can fall, checked against a slower count by hand."""

from fractions import Fraction
from itertools import product

import pytest

from review.domain.disclosure import stepped
from review.domain.enumeration import POINTS, PRIORS, certain_share, price_of


def percent(share):
    return round(float(100 * share), 2)


@pytest.mark.parametrize(
    ("ballots", "outsider", "one_rater", "two_raters"),
    [(3, 0, 4.69, 40.4), (4, 0, 0.39, 3.91), (5, 0, 0, 0.49), (6, 0, 0, 0.11)],
)
def test_the_price_of_a_minimum_is_the_published_one(ballots, outsider, one_rater, two_raters):
    price = price_of(ballots)
    assert (percent(price.outsider), percent(price.one_rater), percent(price.two_raters)) == (
        outsider,
        one_rater,
        two_raters,
    )


@pytest.mark.parametrize("ballots", [8, 9, 12, 13])
def test_from_eight_ballots_on_less_than_one_cell_in_ten_thousand_gives_somebody_away(ballots):
    assert price_of(ballots).two_raters < Fraction(1, 10_000)


@pytest.mark.parametrize("ballots", [5, 6, 7])
def test_at_the_default_minimum_neither_an_outsider_nor_one_rater_learns_an_answer(ballots):
    assert price_of(ballots).outsider == price_of(ballots).one_rater == 0


def test_exact_means_would_give_away_more():
    assert percent(certain_share(5, 2, PRIORS[0], None)) == 2.71
    assert price_of(3, None).two_raters == 1
    assert price_of(5, None).outsider > price_of(5).outsider


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("ballots", [3, 4, 5])
def test_a_count_over_all_ordered_answers_agrees(ballots, prior):
    """Every ordered vector by itself, asking for each vector what two raters can conclude about the third."""
    consistent = {}
    for vector in product(POINTS, repeat=ballots):
        consistent.setdefault((vector[:2], stepped(sum(vector), ballots)), []).append(vector)
    certain = Fraction(0)
    for vectors in consistent.values():
        if len({vector[2] for vector in vectors}) == 1:
            for vector in vectors:
                weight = Fraction(1)
                for points in vector:
                    weight *= Fraction(prior[POINTS.index(points)], 100)
                certain += weight
    assert certain_share(ballots, 2, prior) == certain
