"""Wilson's and Newcombe's intervals and the four-fifths rule: published values, exact limits, symmetry."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.refusals import Invalid
from review.domain.statistics.four_fifths import four_fifths
from review.domain.statistics.proportions import newcombe, wilson

SHARES = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def codes(call, *arguments):
    with pytest.raises(Invalid) as refusal:
        call(*arguments)
    return [(problem.code, problem.where) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_printed(x, n, low, high):
    """Newcombe (1998), Statistics in Medicine 17:857-872, Table I, method 3."""
    found = wilson(x, n, "0.95")
    assert (found.low, found.high) == (pytest.approx(low, abs=5.1e-5), pytest.approx(high, abs=5.1e-5))


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombe_as_printed(x1, n1, x2, n2, low, high):
    """Newcombe (1998), Statistics in Medicine 17:873-890, Table II, method 10."""
    found = newcombe(x1, n1, x2, n2)
    assert (found.low, found.high) == (pytest.approx(low, abs=5.1e-5), pytest.approx(high, abs=5.1e-5))
    assert found.difference == float(Fraction(x1, n1) - Fraction(x2, n2))


@settings(deadline=None)
@given(SHARES, st.fractions("0.01", "0.999"))
def test_wilson_holds_the_share_stays_within_0_and_1_and_mirrors(share, confidence):
    x, n = share
    found, mirrored = wilson(x, n, confidence), wilson(n - x, n, confidence)
    assert 0 <= found.low <= x / n + 1e-12
    assert x / n - 1e-12 <= found.high <= 1
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-12)
    assert mirrored.high == pytest.approx(1 - found.low, abs=1e-12)


@settings(deadline=None)
@given(SHARES)
def test_more_confidence_makes_a_wider_interval(share):
    narrow, wide = wilson(*share, "0.5"), wilson(*share, "0.99")
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


def test_the_ends_are_exact_where_nobody_or_everybody_was():
    for n in (1, 7, 10**12):
        assert wilson(0, n).low == 0.0
        assert wilson(n, n).high == 1.0
        assert 0 < wilson(n, n).low < 1


def test_the_low_end_of_one_in_a_million_millions_keeps_its_digits():
    """Exactly: with p = x/n tiny the ends solve (x - np)² = z² np, so the two multiply to (x/n)² nearly."""
    found = wilson(1, 10**12)
    assert found.low * found.high == pytest.approx(1e-24, rel=1e-9)


def test_confidence_may_come_as_near_to_0_and_1_as_one_likes():
    assert wilson(3, 10, "0.000000000000000000000000000001") == wilson(3, 10, Fraction(1, 10**30))
    wide = wilson(3, 10, "0.999999999999999999999999999999")
    assert 0 < wide.low < 0.01
    assert 0.9 < wide.high < 1


@settings(deadline=None)
@given(SHARES, SHARES)
def test_newcombe_turns_round_with_its_groups(first, second):
    found, turned = newcombe(*first, *second), newcombe(*second, *first)
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert turned.low == pytest.approx(-found.high, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((1, 0), ("stats:nobody_asked", "n")),
        ((5, 4), ("stats:more_than_all", "x")),
        ((-1, 4), ("stats:not_a_count", "x")),
        ((1.5, 4), ("stats:not_a_count", "x")),
        ((1, float("nan")), ("stats:not_a_number", "n")),
        ((1, None), ("stats:not_a_number", "n")),
        ((1, 10**13), ("stats:too_large", "n")),
        ((1, 4, 0), ("stats:no_confidence", "confidence")),
        ((1, 4, 1), ("stats:no_confidence", "confidence")),
        ((1, 4, 95), ("stats:no_confidence", "confidence")),
    ],
)
def test_a_share_that_makes_no_sense_is_refused_with_its_place(arguments, said):
    assert codes(wilson, *arguments) == [said]


def test_newcombe_names_the_figure_that_is_wrong():
    assert codes(newcombe, 1, 2, 3, 0) == [("stats:nobody_asked", "n2")]
    assert codes(newcombe, 3, 2, 1, 2) == [("stats:more_than_all", "x1")]


def test_the_four_groups_of_the_uniform_guidelines():
    """Questions and Answers on the Uniform Guidelines, 44 FR 11996 (2 March 1979), Q&A 11; 29 CFR 1607.4D."""
    found = four_fifths({"white": (60, 100), "american_indian": (45, 100), "hispanic": (48, 100), "black": (51, 100)})
    ratios = {name: share.ratio for name, share in found.items()}
    assert ratios == {
        "white": 1,
        "american_indian": Fraction(3, 4),
        "hispanic": Fraction(4, 5),
        "black": Fraction(17, 20),
    }
    assert [name for name, share in found.items() if share.flagged] == ["american_indian"]
    assert not found["american_indian"].too_few


def test_three_men_and_one_woman_are_too_few_to_say():
    """The same Questions and Answers, Q&A 21: one selection moved would turn 15 % and 10 % into 10 % and 20 %."""
    found = four_fifths({"men": (3, 20), "women": (1, 10)})
    assert (found["women"].ratio, found["women"].flagged, found["women"].too_few) == (Fraction(2, 3), True, True)
    assert (found["men"].flagged, found["men"].too_few) == (False, False)


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2"),
    [(12, 20, 15, 20), (4, 25, 5, 25), (8, 25, 10, 25), (16, 25, 20, 25), (3, 5, 15, 20)],
)
def test_exactly_four_fifths_is_not_below_them_although_floats_say_so(x1, n1, x2, n2):
    assert (x1 / n1) / (x2 / n2) < 0.8
    share = four_fifths({"few": (x1, n1), "many": (x2, n2)})["few"]
    assert share.ratio == Fraction(4, 5)
    assert not share.flagged


def test_one_selection_less_would_flag_a_group_on_the_edge():
    assert four_fifths({"edge": (48, 100), "best": (60, 100)})["edge"].too_few
    assert not four_fifths({"clear": (55, 100), "best": (60, 100)})["clear"].too_few


def test_moving_one_is_judged_against_whoever_is_best_then():
    """Of 3 in 10 and 6 in 10 one moved makes 4 and 5: just 4/5. A third group at 59 % would then be the best."""
    assert four_fifths({"low": (3, 10), "best": (6, 10)})["low"].too_few
    low = four_fifths({"low": (3, 10), "best": (6, 10), "third": (59, 100)})["low"]
    assert (low.flagged, low.too_few) == (True, False)


def test_when_nobody_was_chosen_there_is_no_ratio_and_no_flag():
    found = four_fifths({"a": (0, 9), "b": (0, 4)})
    assert [(share.rate, share.ratio, share.flagged, share.too_few) for share in found.values()] == [
        (0, None, False, False)
    ] * 2


@settings(deadline=None)
@given(st.lists(SHARES, min_size=2, max_size=5), st.integers(2, 9))
def test_flags_depend_on_rates_alone_and_somebody_is_never_flagged(shares, times):
    groups = {f"g{i}": share for i, share in enumerate(shares)}
    found = four_fifths(groups)
    larger = four_fifths({name: (times * x, times * n) for name, (x, n) in groups.items()})
    assert {name: share.flagged for name, share in found.items()} == {
        name: share.flagged for name, share in larger.items()
    }
    assert not all(share.flagged for share in found.values())
    for share in found.values():
        assert share.flagged == (share.ratio is not None and share.ratio < Fraction(4, 5))


def tried_out(groups, name):
    """Whether any one selection moved between `name` and a group with the highest rate turns the verdict round."""

    def is_flagged(counts):
        best = max(Fraction(x, n) for x, n in counts.values())
        return Fraction(*counts[name]) < Fraction(4, 5) * best

    rates = {other: Fraction(x, n) for other, (x, n) in groups.items()}
    if rates[name] == max(rates.values()):
        return False
    moved = 1 if is_flagged(groups) else -1
    for other in groups:
        (x, n), (y, m) = groups[name], groups[other]
        if rates[other] == max(rates.values()) and 0 <= x + moved <= n and 0 <= y - moved <= m:
            after = {**groups, name: (x + moved, n), other: (y - moved, m)}
            if is_flagged(after) != is_flagged(groups):
                return True
    return False


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(SHARES, st.sampled_from([(1, 2), (2, 4), (4, 8), (3, 8)])), min_size=2, max_size=5))
def test_too_few_is_what_trying_out_every_move_says(shares):
    groups = {f"g{i}": share for i, share in enumerate(shares)}
    found = four_fifths(groups)
    assert {name: share.too_few for name, share in found.items()} == {name: tried_out(groups, name) for name in groups}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({}, ("stats:one_group", "groups")),
        ({"a": (1, 2)}, ("stats:one_group", "groups")),
        ({"a": (1, 2), "b": (0, 0)}, ("stats:nobody_asked", "groups.b.total")),
        ({"a": (1, 2), "b": (3, 2)}, ("stats:more_than_all", "groups.b.selected")),
        ({"a": (1, 2), "b": (-1, 2)}, ("stats:not_a_count", "groups.b.selected")),
        ({"a": (1, 2), "b": (True, 2)}, ("stats:not_a_number", "groups.b.selected")),
        ({f"g{i}": (1, 2) for i in range(2001)}, ("stats:too_many_groups", "groups")),
    ],
)
def test_groups_that_make_no_sense_are_refused_with_their_place(groups, said):
    assert codes(four_fifths, groups) == [said]
