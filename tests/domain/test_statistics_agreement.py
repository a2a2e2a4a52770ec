"""Krippendorff's alpha, r_wg and Cohen's kappa: published values, what may not matter, and where each is undefined."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.refusals import Invalid
from review.domain.statistics.alpha import Level, alpha
from review.domain.statistics.kappa import Weights, kappa
from review.domain.statistics.rwg import rwg, uniform_variance

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections C and D: four observers, twelve units
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]

GAPPY = st.integers(2, 6).flatmap(
    lambda units: st.lists(
        st.lists(st.none() | st.integers(1, 5), min_size=units, max_size=units), min_size=2, max_size=5
    )
)
SQUARE = st.integers(2, 5).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 20), min_size=size, max_size=size), min_size=size, max_size=size)
)


def codes(call, *arguments):
    with pytest.raises(Invalid) as refusal:
        call(*arguments)
    return [(problem.code, problem.where) for problem in refusal.value.problems]


def alpha_or_nothing(data, level):
    """The value, or the code of the refusal where no unit has two values."""
    try:
        return alpha(data, level)
    except Invalid as refusal:
        return refusal.code


@pytest.mark.parametrize(
    ("level", "published", "exactly"),
    [
        (Level.NOMINAL, 0.743, Fraction(113, 152)),
        (Level.ORDINAL, 0.815, Fraction(108577, 133160)),
        (Level.INTERVAL, 0.849, Fraction(951, 1120)),
        (Level.RATIO, 0.797, Fraction(18222619, 22852465)),
    ],
)
def test_krippendorffs_own_example(level, published, exactly):
    """Three decimals are published; the fractions were worked out apart from this program."""
    found = alpha(KRIPPENDORFF, level)
    assert float(found) == pytest.approx(published, abs=0.0006)
    assert float(found) == pytest.approx(float(exactly), abs=1e-15)
    assert level is Level.RATIO or found == exactly


@settings(deadline=None)
@given(GAPPY, st.sampled_from(Level), st.randoms(use_true_random=False))
def test_who_rated_and_in_what_order_does_not_matter(data, level, dice):
    units = list(zip(*data, strict=True))
    dice.shuffle(units)
    units = [dice.sample(unit, len(unit)) for unit in units]  # only the values of a unit count, not whose they are
    found, again = alpha_or_nothing(data, level), alpha_or_nothing(list(zip(*units, strict=True)), level)
    assert found == again or found == pytest.approx(again, abs=1e-12)


@settings(deadline=None)
@given(GAPPY)
def test_each_level_knows_only_its_own_kind_of_difference(data):
    def mapped(change):
        return [[None if value is None else change(value) for value in row] for row in data]

    names = {1: "red", 2: "green", 3: "blue", 4: "white", 5: "black"}
    assert alpha_or_nothing(mapped(names.get), Level.NOMINAL) == alpha_or_nothing(data, Level.NOMINAL)
    assert alpha_or_nothing(mapped(lambda v: v**3), Level.ORDINAL) == alpha_or_nothing(data, Level.ORDINAL)
    assert alpha_or_nothing(mapped(lambda v: 7 - 3 * v), Level.INTERVAL) == alpha_or_nothing(data, Level.INTERVAL)
    ratio, scaled = alpha_or_nothing(data, Level.RATIO), alpha_or_nothing(mapped(lambda v: 8 * v), Level.RATIO)
    assert ratio == scaled or ratio == pytest.approx(scaled, abs=1e-12)


def ordinal_by_definition(data):
    """Krippendorff's formula as printed, value by value: the sum from c to k less half of both ends, squared."""
    units = [[v for v in unit if v is not None] for unit in zip(*data, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    pooled = [v for unit in units for v in unit]
    n = {v: pooled.count(v) for v in set(pooled)}

    def apart(c, k):
        low, high = sorted((c, k))
        return (sum(n[g] for g in n if low <= g <= high) - Fraction(n[c] + n[k], 2)) ** 2

    observed = sum(
        (Fraction(apart(a, b), len(u) - 1) for u in units for i, a in enumerate(u) for j, b in enumerate(u) if i != j),
        Fraction(0),
    )
    expected = sum(apart(a, b) for a in pooled for b in pooled)
    return 1 - (len(pooled) - 1) * observed / expected if expected else None


@settings(deadline=None, max_examples=60)
@given(GAPPY)
def test_ranks_give_the_ordinal_differences_of_the_definition(data):
    found = alpha_or_nothing(data, Level.ORDINAL)
    assert found == "stats:nothing_paired" or found == ordinal_by_definition(data)


@pytest.mark.parametrize("level", Level)
def test_agreement_without_variance_is_not_defined(level):
    assert alpha([[2, 2, 2], [2, 2, None]], level) is None


@pytest.mark.parametrize("level", Level)
def test_full_agreement_is_one(level):
    assert alpha([[0, 2, 3, None], [0, 2, 3, 4]], level) == 1


@pytest.mark.parametrize(
    ("data", "level", "said"),
    [
        ([], Level.NOMINAL, ("stats:one_rater", "data")),
        ([[1, 2]], Level.NOMINAL, ("stats:one_rater", "data")),
        ([[1, 2], [1]], Level.NOMINAL, ("stats:not_rectangular", "data[1]")),
        ([[], []], Level.NOMINAL, ("stats:nothing_paired", "data")),
        ([[1, None], [None, 2]], Level.INTERVAL, ("stats:nothing_paired", "data")),
        ([[1, "a"], [1, 2]], Level.ORDINAL, ("stats:not_a_number", "data[0][1]")),
        ([[1, float("nan")], [1, 2]], Level.NOMINAL, ("stats:not_a_number", "data[0][1]")),
        ([[1, 2], [1, -2]], Level.RATIO, ("stats:negative_ratio", "data[1][1]")),
        ([[1, 2], [1, 10**13]], Level.INTERVAL, ("stats:too_large", "data[1][1]")),
    ],
)
def test_data_that_make_no_sense_are_refused_with_their_place(data, level, said):
    assert codes(alpha, data, level) == [said]


def test_a_ratio_scale_with_too_many_values_is_refused_before_it_takes_minutes():
    rows = [list(range(4500))] * 2
    assert codes(alpha, rows, Level.RATIO) == [("stats:too_many_values", "data")]
    assert alpha(rows, Level.INTERVAL) == 1


@pytest.mark.parametrize(("levels", "variance"), [(2, 0.25), (3, 0.6667), (4, 1.25), (5, 2.0), (7, 4.0), (9, 6.6667)])
def test_the_variance_of_random_ratings(levels, variance):
    """James, Demaree & Wolf (1984); table in LeBreton & Senter (2008), ORM 11:815-852."""
    assert float(uniform_variance(levels)) == pytest.approx(variance, abs=5e-5)


def test_agreement_within_a_group_by_hand():
    """3 3 4 4 on four levels: s² = 1/3, so 1 - (1/3) / 1.25."""
    assert rwg([3, 3, 4, 4], 4).rwg == Fraction(11, 15)


def test_raters_further_apart_than_chance_show_as_zero_and_it_is_said():
    found = rwg([1, 4], 4)
    assert (found.rwg, found.truncated, found.variance) == (0, True, Fraction(9, 2))


def test_raters_who_all_say_the_same_agree_fully():
    assert (rwg([2, 2, 2], 4).rwg, rwg([2, 2, 2], 4).truncated) == (1, False)


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=12))
def test_agreement_lies_within_0_and_1_and_does_not_know_up_from_down(ratings):
    found = rwg(ratings, 4)
    assert 0 <= found.rwg <= 1
    assert rwg([5 - rating for rating in reversed(ratings)], 4) == found


@pytest.mark.parametrize(
    ("ratings", "levels", "said"),
    [
        ([], 4, ("stats:one_rater", "ratings")),
        ([3], 4, ("stats:one_rater", "ratings")),
        ([3, 5], 4, ("stats:off_the_scale", "ratings[1]")),
        ([0, 3], 4, ("stats:off_the_scale", "ratings[0]")),
        ([3, None], 4, ("stats:not_a_number", "ratings[1]")),
        ([1, 1], 1, ("stats:too_few_levels", "levels")),
        ([1, 1], 2.5, ("stats:too_few_levels", "levels")),
        ([1, 1], 10**9, ("stats:too_few_levels", "levels")),
    ],
)
def test_ratings_off_the_scale_are_refused_with_their_place(ratings, levels, said):
    assert codes(rwg, ratings, levels) == [said]


@pytest.mark.parametrize(
    ("table", "published", "exactly"),
    [
        # Fleiss, Statistical Methods for Rates and Proportions (diagnosis example), reprinted in Gwet (2014)
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.676, Fraction(23, 34)),
        # the worked example of the encyclopedia article "Cohen's kappa"
        ([[20, 5], [10, 15]], 0.4, Fraction(2, 5)),
    ],
)
def test_kappas_in_print(table, published, exactly):
    assert kappa(table) == exactly
    assert float(exactly) == pytest.approx(published, abs=0.0006)


@settings(deadline=None)
@given(SQUARE, st.sampled_from([None, *Weights]))
def test_kappa_does_not_care_which_rater_is_first_or_how_often_all_was_counted(table, weights):
    if not any(map(any, table)):
        return
    found = kappa(table, weights)
    assert kappa([list(column) for column in zip(*table, strict=True)], weights) == found
    assert kappa([[3 * cell for cell in row] for row in table], weights) == found
    assert kappa([list(reversed(row)) for row in reversed(table)], weights) == found
    assert found is None or -1 <= found <= 1


@given(st.lists(st.lists(st.integers(0, 20), min_size=2, max_size=2), min_size=2, max_size=2))
def test_with_two_categories_weights_change_nothing(table):
    if any(map(any, table)):
        assert kappa(table) == kappa(table, Weights.LINEAR) == kappa(table, Weights.QUADRATIC)


def test_kappa_of_two_raters_who_know_one_category_only_is_not_defined():
    assert kappa([[7, 0], [0, 0]]) is None
    assert kappa([[0, 7], [0, 0]]) == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], ("stats:too_few_categories", "table")),
        ([[5]], ("stats:too_few_categories", "table")),
        ([[1, 2], [3]], ("stats:not_square", "table[1]")),
        ([[1, 2, 3], [3, 4, 5]], ("stats:not_square", "table[0]")),
        ([[1, -2], [3, 4]], ("stats:negative_cell", "table[0][1]")),
        ([[0, 0], [0, 0]], ("stats:empty_table", "table")),
        ([[1, None], [3, 4]], ("stats:not_a_number", "table[0][1]")),
        ([[0] * 201] * 201, ("stats:too_many_categories", "table")),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_place(table, said):
    assert codes(kappa, table) == [said]
