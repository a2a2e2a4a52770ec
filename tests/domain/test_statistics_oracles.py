"""Every statistic against an independent library on random data; in one file, because those libraries start slowly."""

import random

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from review.domain.statistics.alpha import Level, alpha
from review.domain.statistics.groups import variation_of
from review.domain.statistics.icc import icc
from review.domain.statistics.kappa import Weights, kappa
from review.domain.statistics.proportions import newcombe, wilson
from review.domain.statistics.rwg import rwg
from review.domain.statistics.severity import severity
from review.domain.statistics.shrink import shrink

WORLDS = range(25)


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")  # pingouin's own
@pytest.mark.parametrize("seed", range(8))
def test_icc_is_that_of_pingouin(seed):
    dice = random.Random(seed)
    n, k = dice.randint(3, 12), dice.randint(2, 6)
    table = [[dice.randint(1, 4) + dice.choice((0, 0.5)) + i % 3 for _ in range(k)] for i in range(n)]
    long = pd.DataFrame(
        [(f"t{i}", f"r{j}", value) for i, row in enumerate(table) for j, value in enumerate(row)],
        columns=["target", "rater", "value"],
    )
    theirs = pingouin.intraclass_corr(long, targets="target", raters="rater", ratings="value")["ICC"].tolist()
    ours = icc(table)
    for mine, other in zip((ours.icc1, ours.icc2, ours.icc3, ours.icc1k, ours.icc2k, ours.icc3k), theirs, strict=True):
        assert float(mine) == pytest.approx(other, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", WORLDS)
def test_variances_of_unequal_groups_are_those_behind_the_f_test_of_scipy(seed):
    dice = random.Random(seed)
    groups = [[dice.randint(1, 100) + 10 * i for _ in range(dice.randint(2, 9))] for i in range(dice.randint(2, 9))]
    ours = variation_of((len(g), sum(g), sum(x * x for x in g)) for g in groups)
    assert float(ours.between / ours.within) == pytest.approx(stats.f_oneway(*groups).statistic, rel=1e-9)
    pooled = np.average([np.var(g, ddof=1) for g in groups], weights=[len(g) - 1 for g in groups])
    assert float(ours.within) == pytest.approx(pooled)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("seed", WORLDS)
def test_alpha_is_that_of_the_krippendorff_package(seed, level):
    dice = random.Random(seed)
    raters, units = dice.randint(2, 6), dice.randint(4, 30)
    data = [[dice.choice((None, 1, 2, 2, 3, 4, 7, 1 + j % 5)) for j in range(units)] for _ in range(raters)]
    data[0][:2], data[1][:2] = [1, 3], [1, 4]  # something to compare, and some variance
    theirs = krippendorff.alpha(np.array(data, dtype=float), level_of_measurement=level.value)
    assert float(alpha(data, level)) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("seed", WORLDS)
def test_rwg_stands_on_the_variances_of_scipy(seed):
    dice = random.Random(seed)
    levels = dice.randint(2, 9)
    ratings = [dice.randint(1, levels) for _ in range(dice.randint(2, 12))]
    random_variance = stats.randint(1, levels + 1).var()
    assert float(rwg(ratings, levels).rwg) == pytest.approx(max(0, 1 - np.var(ratings, ddof=1) / random_variance))


@pytest.mark.parametrize("seed", WORLDS)
def test_intervals_of_one_share_are_those_of_statsmodels_and_scipy(seed):
    dice = random.Random(seed)
    n = dice.choice((1, 5, 40, 1000, 10**6))
    x, confidence = dice.randint(0, n), dice.choice(("0.5", "0.9", "0.95", "0.999"))
    ours = wilson(x, n, confidence)
    theirs = proportion_confint(x, n, alpha=1 - float(confidence), method="wilson")
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)
    other = stats.binomtest(x, n).proportion_ci(float(confidence), method="wilson")
    assert (ours.low, ours.high) == pytest.approx((other.low, other.high), abs=1e-12)


@pytest.mark.parametrize("seed", WORLDS)
def test_intervals_of_a_difference_are_those_of_statsmodels(seed):
    dice = random.Random(seed)
    n1, n2 = dice.randint(1, 90), dice.randint(1, 90)
    x1, x2 = dice.randint(0, n1), dice.randint(0, n2)
    ours = newcombe(x1, n1, x2, n2)
    theirs = confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff", alpha=0.05)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("weights", [None, *Weights])
@pytest.mark.parametrize("seed", WORLDS)
def test_kappa_is_that_of_scikit_learn(seed, weights):
    dice = random.Random(seed)
    size = dice.randint(2, 6)
    pairs = [(dice.randrange(size), dice.randrange(size)) for _ in range(40)]
    pairs += [(i, i) for i in range(size)]
    table = [[pairs.count((i, j)) for j in range(size)] for i in range(size)]
    theirs = cohen_kappa_score(*zip(*pairs, strict=True), weights=weights and weights.value)
    assert float(kappa(table, weights)) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("seed", WORLDS)
def test_severity_is_the_least_squares_solution_of_numpy(seed):
    dice = random.Random(seed)
    raters, ratees = dice.randint(2, 9), dice.randint(2, 12)
    cells = {(dice.randrange(ratees), dice.randrange(raters)) for _ in range(30)}
    cells |= {(0, j) for j in range(raters)}  # one ratee links all raters
    ratings = [(i, j, dice.choice((40, 60, 80, 100))) for i, j in sorted(cells)]
    design = np.zeros((len(ratings) + 1, ratees + raters))
    right = np.zeros(len(ratings) + 1)
    for row, (i, j, value) in enumerate(ratings):
        design[row, i] = design[row, ratees + j] = 1
        right[row] = value
    design[-1, ratees:] = 1  # the effects add up to 0
    theirs = np.linalg.lstsq(design, right, rcond=None)[0][ratees:]
    ours = severity((f"e{i}", f"r{j}", value) for i, j, value in ratings)
    for j in range(raters):
        assert float(ours[f"r{j}"]) == pytest.approx(theirs[j], abs=1e-8)


@pytest.mark.parametrize("seed", WORLDS)
def test_shrinkage_of_equal_groups_is_the_variance_component_of_the_f_test(seed):
    """With n equal weights in each group z is 1 - 1/F, cut at 0."""
    dice = random.Random(seed)
    n = dice.randint(2, 6)
    groups = [[dice.gauss(60 + 5 * i, 8) for _ in range(n)] for i in range(dice.randint(2, 6))]
    ours = shrink([([1] * n, group) for group in groups])
    f = stats.f_oneway(*groups).statistic
    for group in ours.groups:
        assert float(group.z) == pytest.approx(max(0, 1 - 1 / f), abs=1e-9)
    assert float(ours.overall) == pytest.approx(np.mean(groups))
