"""Shrinkage and rater severity: published values, exact recovery of what was put in, parts nobody can compare."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.refusals import Invalid
from review.domain.statistics.severity import severity
from review.domain.statistics.shrink import shrink

# Hachemeister (1975): mean claim and number of claims in five states and twelve quarters
CLAIMS = [
    [1738, 1642, 1794, 2051, 2079, 2234, 2032, 2035, 2115, 2262, 2267, 2517],
    [1364, 1408, 1597, 1444, 1342, 1675, 1470, 1448, 1464, 1831, 1612, 1471],
    [1759, 1685, 1479, 1763, 1674, 2103, 1502, 1622, 1828, 2155, 2233, 2059],
    [1223, 1146, 1010, 1257, 1426, 1532, 1953, 1123, 1343, 1243, 1762, 1306],
    [1456, 1499, 1609, 1741, 1482, 1572, 1606, 1735, 1607, 1573, 1613, 1690],
]
NUMBERS = [
    [7861, 9251, 8706, 8575, 7917, 8263, 9456, 8003, 7365, 7832, 7849, 9077],
    [1622, 1742, 1523, 1515, 1622, 1602, 1964, 1515, 1527, 1748, 1654, 1861],
    [1147, 1357, 1329, 1204, 998, 1077, 1277, 1218, 896, 1003, 1108, 1121],
    [407, 396, 348, 341, 315, 328, 352, 331, 287, 384, 321, 342],
    [2902, 3172, 3046, 3068, 2693, 2910, 3275, 2697, 2663, 3017, 3242, 3425],
]

# Shrout & Fleiss (1979), Table 2
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

GROUP = st.lists(st.tuples(st.integers(1, 20), st.integers(20, 100)), min_size=1, max_size=6)


def codes(call, *arguments):
    with pytest.raises(Invalid) as refusal:
        call(*arguments)
    return [(problem.code, problem.where) for problem in refusal.value.problems]


def separate(group):
    return [weight for weight, _ in group], [value for _, value in group]


def test_the_five_states_of_hachemeister():
    """The state's weights and means and 139120026 stand in the documentation of the R package actuar (cm on this data
    set); 89638.73 and 1683.713437 are what the Python package actuarcredibility 0.1.1 gives for the same claims."""
    found = shrink(list(zip(NUMBERS, CLAIMS, strict=True)))
    means = [
        sum(w * x for w, x in zip(*state, strict=True)) / sum(state[0]) for state in zip(NUMBERS, CLAIMS, strict=True)
    ]
    assert means == pytest.approx([2060.921, 1511.224, 1805.843, 1352.976, 1599.829], abs=5e-4)
    assert [sum(weights) for weights in NUMBERS] == [100155, 19895, 13735, 4152, 36110]
    assert float(found.within) == pytest.approx(139120026, abs=0.5)
    assert float(found.between) == pytest.approx(89638.7262327551, rel=1e-12)
    assert float(found.overall) == pytest.approx(1683.713437047279, rel=1e-12)
    assert [round(float(group.z), 4) for group in found.groups] == [0.9847, 0.9276, 0.8985, 0.7279, 0.9588]
    assert [round(float(group.value)) for group in found.groups] == [2055, 1524, 1793, 1443, 1603]
    assert not found.clipped


def test_equal_weights_by_hand():
    """Groups 1 3 and 5 7: within 2; between (2·(2² + 2²) - 2) / (4 - 2) = 7; z = 14/16; overall 4."""
    found = shrink([([1, 1], [1, 3]), ([1, 1], [5, 7])])
    assert (found.within, found.between, found.overall) == (2, 7, 4)
    assert [(group.z, group.value) for group in found.groups] == [
        (Fraction(7, 8), Fraction(9, 4)),
        (Fraction(7, 8), Fraction(23, 4)),
    ]


def test_groups_too_alike_are_all_shown_at_the_weighted_mean_and_it_is_said():
    found = shrink([([1, 1], [1, 3]), ([2, 2], [1, 3])])
    assert (found.between, found.clipped, found.overall) == (0, True, 2)
    assert {(group.z, group.value) for group in found.groups} == {(0, 2)}


def test_without_variance_credibility_is_not_defined():
    found = shrink([([1, 2], ["0.1", "0.1"]), ([3], ["0.1"])])
    assert (found.within, found.between, found.clipped) == (0, 0, False)
    assert {group.z for group in found.groups} == {None}
    assert {float(group.value) for group in found.groups} == {0.1}


def test_groups_that_never_waver_are_believed_fully():
    found = shrink([([1, 2], [4, 4]), ([3], [6])])
    assert [(group.z, group.value) for group in found.groups] == [(1, 4), (1, 6)]


@settings(deadline=None)
@given(st.lists(GROUP, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_values_lie_between_own_mean_and_overall_and_order_does_not_matter(groups, dice):
    if all(len(group) == 1 for group in groups):
        return
    found = shrink([separate(group) for group in groups])
    assert found.within >= 0
    assert found.between >= 0
    for group, shrunk in zip(groups, found.groups, strict=True):
        own = Fraction(sum(w * x for w, x in group), sum(w for w, _ in group))
        low, high = sorted((own, found.overall))
        assert float(low) - 1e-9 <= float(shrunk.value) <= float(high) + 1e-9
        assert shrunk.z is None or 0 <= shrunk.z <= 1
    order = dice.sample(range(len(groups)), len(groups))
    again = shrink([separate(dice.sample(groups[i], len(groups[i]))) for i in order])
    assert float(again.overall) == pytest.approx(float(found.overall), abs=1e-12)
    assert float(again.between) == pytest.approx(float(found.between), abs=1e-9)


@settings(deadline=None)
@given(st.lists(GROUP, min_size=2, max_size=6), st.integers(2, 50))
def test_the_unit_of_the_weights_does_not_matter_to_the_values(groups, times):
    if all(len(group) == 1 for group in groups):
        return
    found = shrink([separate(group) for group in groups])
    scaled = shrink([([times * w for w, _ in group], [x for _, x in group]) for group in groups])
    for one, other in zip(found.groups, scaled.groups, strict=True):
        assert float(one.value) == pytest.approx(float(other.value), abs=1e-9)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([], ("stats:one_group", "groups")),
        ([([1], [2])], ("stats:one_group", "groups")),
        ([([1], [2]), ([1], [3])], ("stats:no_repetition", "groups")),
        ([([1, 1], [2, 3]), ([], [])], ("stats:empty_group", "groups[1].values")),
        ([([1, 1], [2, 3]), ([1], [2, 3])], ("stats:weights_do_not_match", "groups[1].weights")),
        ([([1, 0], [2, 3]), ([1], [2])], ("stats:weight_not_positive", "groups[0].weights[1]")),
        ([([1, -1], [2, 3]), ([1], [2])], ("stats:weight_not_positive", "groups[0].weights[1]")),
        ([([1, 1], [2, float("nan")]), ([1], [2])], ("stats:not_a_number", "groups[0].values[1]")),
        ([([1, 1], [2, 10**13]), ([1], [2])], ("stats:too_large", "groups[0].values[1]")),
    ],
)
def test_groups_that_make_no_sense_are_refused_with_their_place(groups, said):
    assert codes(shrink, groups) == [said]


def table_ratings(table):
    return [(f"target {i}", f"judge {j}", value) for i, row in enumerate(table) for j, value in enumerate(row)]


def test_the_judges_of_a_whole_table_differ_by_their_means():
    """Shrout & Fleiss (1979), Table 2: column mean less grand mean; the targets' means stay what they are."""
    effects = severity(table_ratings(SHROUT_FLEISS))
    assert [float(effects[f"judge {j}"]) for j in range(4)] == pytest.approx(
        [2.375, -2.791666666666667, -0.9583333333333339, 1.375], abs=1e-14
    )


WORLDS = st.integers(2, 6).flatmap(
    lambda raters: st.tuples(
        st.lists(st.integers(-30, 30), min_size=raters, max_size=raters),
        st.lists(st.integers(20, 100), min_size=1, max_size=6),
        st.randoms(use_true_random=False),
    )
)


@settings(deadline=None)
@given(WORLDS)
def test_raters_linked_in_a_chain_get_back_exactly_what_was_put_in(world):
    lenience, quality, dice = world
    ratings = []
    for j, effect in enumerate(lenience):
        seen = {dice.randrange(len(quality))}
        ratings += [(f"new {i}", f"r{j}", dice.randrange(40)) for i in ([j] if dice.random() < 0.3 else [])]
        ratings += [(f"e{i}", f"r{j}", quality[i] + effect) for i in seen]
    ratings += [(f"link {j}", f"r{j + d}", 50 + lenience[j + d]) for j in range(len(lenience) - 1) for d in (0, 1)]
    dice.shuffle(ratings)
    effects = severity(ratings)
    middle = Fraction(sum(lenience), len(lenience))
    for j, effect in enumerate(lenience):
        assert float(effects[f"r{j}"]) == pytest.approx(float(effect - middle), abs=1e-12)
    assert abs(sum(effects.values())) < Fraction(1, 10**30)


def test_a_chain_of_hundreds_keeps_every_digit():
    """Each rater is 1/3 more lenient than the one before; the middle one stands at 0."""
    ratings = [(f"e{j}", f"r{j + d}", Fraction(j + d, 3)) for j in range(300) for d in (0, 1)]
    effects = severity(ratings)
    assert [float(effects[f"r{j}"]) for j in (0, 150, 300)] == [-50.0, 0.0, 50.0]
    assert abs(effects["r200"] - Fraction(50, 3)) < Fraction(1, 10**25)


def test_many_raters_of_few_people_are_solved_from_the_other_side():
    ratings = [(f"e{i}", f"r{j}", 50 + 10 * i + j % 3) for j in range(900) for i in (j % 2, 2)]
    effects = severity(ratings)
    assert [round(float(effects[f"r{j}"]), 12) for j in range(3)] == [-1.0, 0.0, 1.0]


def test_repeated_ratings_of_the_same_person_all_count():
    effects = severity([("e", "a", 80), ("e", "a", 90), ("e", "b", 60)])
    assert (effects["a"], effects["b"]) == (Fraction(25, 2), Fraction(-25, 2))


def test_raters_who_do_not_differ_have_no_effect():
    assert severity([("e", "a", 3), ("e", "b", 3)]) == {"a": 0, "b": 0}


def test_raters_without_a_common_ratee_are_not_compared_and_the_parts_are_named():
    ratings = [("x", "Ann", 80), ("x", "Bea", 60), ("y", "Cai", 40), ("z", "Cai", 90), ("y", "Dan", 40)]
    with pytest.raises(Invalid) as refusal:
        severity(ratings)
    problem = refusal.value.problems[0]
    assert (problem.code, problem.where) == ("stats:not_connected", "ratings")
    assert problem.params == {"count": 2, "parts": "{Ann, Bea} {Cai, Dan}"}


def test_a_refusal_names_few_parts_and_few_names_and_nothing_unprintable():
    ratings = [(f"e{part}", f"rater {part} {j}\n", 3) for part in range(9) for j in range(7)]
    with pytest.raises(Invalid) as refusal:
        severity(ratings)
    told = refusal.value.problems[0].params["parts"]
    assert told.count("{") == 5
    assert told.count("…") == 6
    assert "\n" not in told


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ([], ("stats:one_rater", "ratings")),
        ([("e", "a", 3), ("f", "a", 4)], ("stats:one_rater", "ratings")),
        ([("e", "a", 3), ("e", "b", None)], ("stats:not_a_number", "ratings[1].value")),
        ([("e", "a", float("inf")), ("e", "b", 3)], ("stats:not_a_number", "ratings[0].value")),
        ([("e", "a", 10**13), ("e", "b", 3)], ("stats:too_large", "ratings[0].value")),
        (
            [(f"e{i}", f"r{i + d}", 3) for i in range(401) for d in (0, 1)],
            ("stats:too_many_raters", "ratings"),
        ),
    ],
)
def test_ratings_that_make_no_sense_are_refused_with_their_place(ratings, said):
    assert codes(severity, ratings) == [said]
