"""Intraclass correlations, from whole tables and from sums alone: published values, what may not matter, limits."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.refusals import Invalid
from review.domain.statistics.groups import icc_unbalanced, variation_of
from review.domain.statistics.icc import Icc, icc, mean_squares

# Shrout & Fleiss (1979), Psychological Bulletin 86(2):420-428, Table 2: six targets, four judges
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(1, 5), min_size=k, max_size=k), min_size=2, max_size=7)
)
LISTS = st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=6), min_size=2, max_size=8)


def sums(values):
    return len(values), sum(values), sum(value * value for value in values)


def codes(call, *arguments):
    with pytest.raises(Invalid) as refusal:
        call(*arguments)
    return [(problem.code, problem.where) for problem in refusal.value.problems]


def test_the_mean_squares_of_shrout_and_fleiss():
    """Table 3 of the paper."""
    ms = mean_squares(SHROUT_FLEISS)
    found = [float(value) for value in (ms.between_targets, ms.within_targets, ms.between_raters, ms.residual)]
    assert found == pytest.approx([11.24, 6.26, 32.49, 1.02], abs=0.0051)


def test_the_six_forms_of_shrout_and_fleiss():
    """Table 4 of the paper: two decimals; the further digits are those of exact fractions."""
    found = icc(SHROUT_FLEISS)
    published = Icc(*map(Fraction, ("0.17", "0.29", "0.71", "0.44", "0.62", "0.91")))
    for form in Icc.__dataclass_fields__:
        assert float(getattr(found, form)) == pytest.approx(float(getattr(published, form)), abs=0.0051), form
    assert float(found.icc1) == 0.1657417684054754
    assert float(found.icc2) == pytest.approx(0.2897637795275592, abs=1e-15)
    assert float(found.icc3) == pytest.approx(0.7148407148407154, abs=1e-14)
    assert float(found.icc2k) == pytest.approx(0.6200505475989893, abs=1e-14)


@pytest.mark.parametrize(("single", "of_mean"), [("icc1", "icc1k"), ("icc3", "icc3k")])
def test_more_raters_help_as_spearman_and_brown_say(single, of_mean):
    """Shrout & Fleiss (1979): ICC(1,1) -> ICC(1,4), ICC(3,1) -> ICC(3,4) by k r / (1 + (k - 1) r), here exactly."""
    found = icc(SHROUT_FLEISS)
    r = getattr(found, single)
    assert getattr(found, of_mean) == 4 * r / (1 + 3 * r)


def test_ratings_without_any_variance_have_no_reliability_to_speak_of():
    assert icc([[3, 3], [3, 3]]) == Icc(None, None, None, None, None, None)


def test_targets_that_do_not_differ_have_no_reliability_of_the_mean():
    found = icc([[1, 2], [2, 1]])
    assert (found.icc1, found.icc1k, found.icc3k) == (-1, None, None)


def test_raters_who_agree_fully_are_reliable():
    assert icc([[1, 1], [4, 4]]) == Icc(*[Fraction(1)] * 6)


@settings(deadline=None)
@given(TABLES, st.integers(-5, 5).filter(bool), st.integers(-50, 50))
def test_the_unit_and_the_zero_of_the_scale_do_not_matter(table, scale, shift):
    assert icc([[scale * value + shift for value in row] for row in table]) == icc(table)


@settings(deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_targets_and_raters_does_not_matter(table, dice):
    rows = list(table)
    dice.shuffle(rows)
    columns = list(zip(*rows, strict=True))
    dice.shuffle(columns)
    assert icc(list(zip(*columns, strict=True))) == icc(table)


@settings(deadline=None)
@given(TABLES)
def test_a_complete_table_gives_the_same_from_its_sums(table):
    found = variation_of(map(sums, table))
    assert (found.icc1, found.icc1k) == (icc(table).icc1, icc(table).icc1k)
    assert found.typical_size == len(table[0])


def test_unequal_groups_worked_by_hand():
    """Groups 1 2 3 and 4 5.5: means 2 and 4.75, MSW = 3.125/3, MSB = 9.075, n0 = (5 - 13/5) / 1."""
    found = icc_unbalanced([(3, 6, 14), (2, "9.5", "46.25")])
    assert found.within == Fraction("3.125") / 3
    assert found.between == Fraction("9.075")
    assert found.typical_size == Fraction("2.4")
    assert found.icc1 == (found.between - found.within) / (found.between + Fraction("1.4") * found.within)
    assert found.icc1k == 1 - found.within / found.between


@settings(deadline=None)
@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_matter_and_empty_ones_say_nothing(lists, dice):
    groups = [sums(values) for values in lists]
    shuffled = [*groups, (0, 0, 0)]
    dice.shuffle(shuffled)
    assert variation_of(shuffled) == variation_of(groups)


@settings(deadline=None)
@given(LISTS)
def test_the_pooled_variance_is_the_squares_about_each_mean(lists):
    squares = sum((value - Fraction(sum(values), len(values))) ** 2 for values in lists for value in values)
    freedom = sum(len(values) - 1 for values in lists)
    assert variation_of(map(sums, lists)).within == (squares / freedom if freedom else None)


@settings(deadline=None)
@given(LISTS)
def test_reliability_never_exceeds_one(lists):
    found = variation_of(map(sums, lists)).icc1
    assert found is None or found <= 1


def test_what_is_not_defined_is_none_and_never_a_crash():
    assert variation_of([]).within is None
    assert variation_of([(1, 80, 6400)]).within is None
    assert variation_of([(2, 160, 12800)]).within == 0
    assert variation_of([]).icc1 is None
    assert variation_of([(3, 6, 14)]).icc1 is None
    assert variation_of([(1, 2, 4), (1, 3, 9)]).icc1 is None
    assert variation_of([(2, 4, 8), (3, 6, 12)]).icc1 is None


def test_thousands_of_different_sizes_still_add_up():
    groups = [(n, 60 * n, 3600 * n + n % 7) for n in range(2, 3002)]
    expected = Fraction(sum(n % 7 for n in range(2, 3002)), sum(n - 1 for n in range(2, 3002)))
    assert float(variation_of(groups).within) == float(expected)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], ("stats:too_few_targets", "ratings")),
        ([[1, 2, 3]], ("stats:too_few_targets", "ratings")),
        ([[1], [2]], ("stats:one_rater", "ratings[0]")),
        ([[], []], ("stats:one_rater", "ratings[0]")),
        ([[1, 2], [3]], ("stats:not_rectangular", "ratings[1]")),
        ([[1, 2], [3, None]], ("stats:not_a_number", "ratings[1][1]")),
        ([[1, 2], [3, float("nan")]], ("stats:not_a_number", "ratings[1][1]")),
        ([[1, True], [3, 2]], ("stats:not_a_number", "ratings[0][1]")),
        ([[1, 2], [3, 10**13]], ("stats:too_large", "ratings[1][1]")),
        ([[1, 2], [3, 1e300]], ("stats:too_large", "ratings[1][1]")),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_place(table, said):
    assert codes(icc, table) == [said]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([], ("stats:one_group", "groups")),
        ([(3, 6, 14)], ("stats:one_group", "groups")),
        ([(1, 6, 36), (1, 5, 25)], ("stats:no_repetition", "groups")),
        ([(2, 6, 17), (2, 5, 15)], ("stats:impossible_sums", "groups[0]")),
        ([(2, 6, 18), (0, 5, 25)], ("stats:impossible_sums", "groups[1]")),
        ([(2, 6, 18), (-1, 5, 25)], ("stats:not_a_count", "groups[1].n")),
        ([(2, 6, 18), (1.5, 5, 25)], ("stats:not_a_count", "groups[1].n")),
        ([(2, "six", 18), (1, 5, 25)], ("stats:not_a_number", "groups[0].sum")),
        ([(2, 6, 18), (1, 5, float("inf"))], ("stats:not_a_number", "groups[1].sum_sq")),
        ([(2, 6, 10**30), (1, 5, 25)], ("stats:too_large", "groups[0].sum_sq")),
    ],
)
def test_sums_that_make_no_sense_are_refused_with_their_place(groups, said):
    assert codes(icc_unbalanced, groups) == [said]
