"""How far peers agree in a whole cycle: from published cells alone, never in a small cycle, against a library."""

import random
from statistics import mean, variance

import pytest
from scipy.stats import f_oneway

from review.domain.disclosure import Shown
from review.domain.peer_figures import FEWEST_REVIEWS, cycle_figures
from review.domain.responses import Answers, cells_of
from review.domain.vocabulary import Level, Source
from review.schemes.library import builtin

SCHEME = builtin()
KEYS = [criterion.key for criterion in SCHEME.asked_of(Source.PEERS)]
LEVELS = list(Level)


def said_about(people: int, ballots: int = 6, seed: int = 1) -> dict[int, list[Answers]]:
    dice = random.Random(seed)
    said = {}
    for review in range(people):
        usual = dice.randrange(4)
        said[review] = [
            {key: LEVELS[usual if dice.random() < 0.6 else dice.randrange(4)] for key in KEYS} for _ in range(ballots)
        ]
    return said


def figures_of(said):
    cells = {review: cells_of(SCHEME, ballots, 8) for review, ballots in said.items()}
    return cycle_figures(SCHEME, said, cells)


def test_the_figures_are_those_of_a_library() -> None:
    said = said_about(40)
    points = {rule.level: rule.points for rule in SCHEME.levels}
    groups = [[points[ballot[KEYS[0]]] for ballot in ballots] for ballots in said.values()]
    f = f_oneway(*groups).statistic
    figure = figures_of(said)[0]
    assert (figure.criterion, figure.reviews) == (KEYS[0], 40)
    assert figure.icc1 / 100 == pytest.approx((f - 1) / (f + 6 - 1), abs=0.005)
    assert figure.variance / 100 == pytest.approx(mean(map(variance, groups)), abs=0.005)


def test_a_cycle_of_29_published_cells_keeps_nothing_one_of_30_does() -> None:
    assert FEWEST_REVIEWS == 30
    assert figures_of(said_about(29)) == ()
    assert [figure.reviews for figure in figures_of(said_about(30))] == [30] * len(KEYS)


def test_ballots_of_withheld_cells_change_nothing_and_do_not_count_towards_the_thirty() -> None:
    shown = said_about(30)
    for answer in ({}, dict.fromkeys(KEYS, Level.POOR), dict.fromkeys(KEYS, Level.EXCELLENT)):
        hidden = {100 + number: [answer] * 4 for number in range(20)}
        assert figures_of(shown | hidden) == figures_of(shown)
    assert figures_of(said_about(29) | hidden) == ()


def test_a_criterion_without_enough_cells_is_left_out_alone() -> None:
    said = said_about(30)
    said[7] = [{KEYS[0]: Level.GOOD}] * 6
    assert [figure.criterion for figure in figures_of(said)] == [KEYS[0]]
    cell = cells_of(SCHEME, said[7], 8)[0]
    assert isinstance(cell.figure, Shown)


def test_where_all_say_the_same_there_is_no_icc_and_no_variance() -> None:
    same = {review: [dict.fromkeys(KEYS, Level.GOOD)] * 5 for review in range(30)}
    assert [(figure.icc1, figure.variance) for figure in figures_of(same)] == [(None, 0)] * len(KEYS)
