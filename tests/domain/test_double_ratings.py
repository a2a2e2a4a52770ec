"""Agreement and severity of two supervisors: by hand, against independent libraries, and where nothing can be said."""

import random
from dataclasses import replace
from fractions import Fraction

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest

from review.domain import double_ratings
from review.domain.double_ratings import Double, agreements, parts
from review.domain.vocabulary import LEVELS, Level
from review.schemes.library import builtin

SCHEME = builtin()
KEYS = [criterion.key for criterion in SCHEME.criteria]
POINTS = {rule.level: rule.points for rule in SCHEME.levels}


def said(level: Level) -> dict[str, Level]:
    return dict.fromkeys(KEYS, level)


def double(ratee: int, first: str, second: str, one: Level, other: Level) -> Double:
    return Double(str(ratee), (first, second), (said(one), said(other)))


def drawn(seed: int, people: int, raters: int) -> list[Double]:
    dice = random.Random(seed)
    found = []
    for number in range(people):
        first, second = dice.sample(range(raters), 2)
        middle = dice.randrange(4)
        levels = [{key: LEVELS[min(3, max(0, middle + dice.choice((-1, 0, 0, 1))))] for key in KEYS} for _ in range(2)]
        found.append(Double(str(number), (f"r{first}", f"r{second}"), (levels[0], levels[1])))
    return found


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")  # pingouin's own
@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_that_of_krippendorff_and_pingouin(seed):
    doubles = drawn(seed, 25, 6)
    lines = {line.criterion: line for line in agreements(doubles, SCHEME, 10)}
    for key in KEYS:
        table = [[4 - LEVELS.index(one.levels[side][key]) for one in doubles] for side in (0, 1)]
        theirs = krippendorff.alpha(np.array(table, dtype=float), level_of_measurement="ordinal")
        assert float(lines[key].alpha) == pytest.approx(theirs, abs=1e-9)
        variances = np.var(np.array(table), axis=0, ddof=1)
        assert float(lines[key].rwg) == pytest.approx(np.mean(np.maximum(0, 1 - variances / 1.25)))
        assert lines[key].same == sum(a == b for a, b in zip(*table, strict=True))
    long = pd.DataFrame(
        [
            (one.ratee, side, np.mean([POINTS[one.levels[side][key]] for key in KEYS]))
            for one in doubles
            for side in (0, 1)
        ],
        columns=["target", "rater", "value"],
    )
    theirs = pingouin.intraclass_corr(long, targets="target", raters="rater", ratings="value")["ICC"].tolist()
    assert float(lines[None].single) == pytest.approx(theirs[0], rel=1e-9)
    assert float(lines[None].mean) == pytest.approx(theirs[3], rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_severity_is_that_of_least_squares_over_dummies(seed):
    doubles = drawn(seed, 40, 4)
    (part,) = parts(doubles, SCHEME)
    names = sorted({rater for one in doubles for rater in one.raters})
    rows, values = [], []
    for place, one in enumerate(doubles):
        for rater, levels in zip(one.raters, one.levels, strict=True):
            row = np.zeros(len(doubles) + len(names))
            row[place] = row[len(doubles) + names.index(rater)] = 1
            rows.append(row)
            values.append(np.mean([POINTS[levels[key]] for key in KEYS]))
    solution = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0][len(doubles) :]
    expected = dict(zip(names, solution - solution.mean(), strict=True))
    assert {rater.name: float(rater.effect) for rater in part.raters} == pytest.approx(expected, abs=1e-9)


def test_by_hand_one_rater_is_a_level_kinder_than_the_other():
    doubles = [double(n, "Sam", "Lou", Level.GOOD, Level.FAIR) for n in range(5)]
    (part,) = parts(doubles, SCHEME)
    assert [(rater.name, rater.people, rater.effect) for rater in part.raters] == [("Sam", 5, 10), ("Lou", 5, -10)]
    assert sum(rater.effect for rater in part.raters) == 0


def test_who_shares_nobody_stands_in_another_part_and_is_never_compared():
    doubles = [double(n, "Sam", "Lou", Level.GOOD, Level.FAIR) for n in range(6)]
    doubles += [double(10 + n, "Quinn", "Ned", Level.POOR, Level.POOR) for n in range(5)]
    doubles += [double(20, "Sam", "Max", Level.GOOD, Level.GOOD)]
    first, second = parts(doubles, SCHEME)
    assert {rater.name for rater in first.raters} == {"Sam", "Lou", "Max"}
    assert {rater.name: rater.effect for rater in second.raters} == {"Quinn": 0, "Ned": 0}


def test_one_chain_of_common_people_links_all():
    names = [f"r{n}" for n in range(7)]
    order = [(3, 4), (0, 1), (5, 6), (1, 2), (4, 5), (2, 3)]
    doubles = [double(n, names[a], names[b], Level.GOOD, Level.FAIR) for n, (a, b) in enumerate(pair for pair in order)]
    (part,) = parts(doubles, SCHEME)
    assert {rater.name for rater in part.raters} == set(names)


def test_of_raters_with_few_people_in_common_nothing_is_told():
    doubles = [double(n, "Sam", "Lou", Level.GOOD, Level.FAIR) for n in range(5)]
    doubles.append(double(9, "Ned", "Lou", Level.EXCELLENT, Level.FAIR))
    (part,) = parts(doubles, SCHEME)
    assert [(rater.name, rater.effect is None) for rater in part.raters] == [
        ("Sam", False),
        ("Lou", False),
        ("Ned", True),
    ]


def test_too_many_raters_for_one_solution_are_said_so(monkeypatch):
    monkeypatch.setattr("review.domain.statistics.severity.MOST_ON_THE_SMALLER_SIDE", 1)
    (part,) = parts([double(n, "Sam", "Lou", Level.GOOD, Level.FAIR) for n in range(5)], SCHEME)
    assert part.is_too_large
    assert all(rater.effect is None for rater in part.raters)


def test_fewer_people_than_asked_give_no_figure_and_equal_ratings_no_alpha():
    doubles = [double(n, "Sam", "Lou", Level.GOOD, Level.GOOD) for n in range(9)]
    assert agreements(doubles, SCHEME, 10) == []
    assert parts([], SCHEME) == []
    lines = agreements([*doubles, double(9, "Sam", "Lou", Level.GOOD, Level.GOOD)], SCHEME, 10)
    assert [(line.alpha, line.rwg, line.single, line.same) for line in lines[:-1]] == [(None, 1, None, 10)] * 5
    assert lines[-1] == replace(lines[-1], criterion=None, alpha=None, rwg=None, single=None, mean=None, same=10)


def test_all_raters_who_agree_but_for_people_have_full_reliability():
    doubles = [double(n, "Sam", "Lou", LEVELS[n % 4], LEVELS[n % 4]) for n in range(12)]
    lines = agreements(doubles, SCHEME, 10)
    assert {(line.alpha, line.single, line.mean) for line in lines[:-1]} == {(Fraction(1), Fraction(1), Fraction(1))}
    assert double_ratings.FEWEST_IN_COMMON == 5
