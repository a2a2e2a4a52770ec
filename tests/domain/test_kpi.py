"""The KPI sheet: each rule by hand, its edges, and the rows it refuses."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.kpi import capped_sum, points_of, read_items, read_lines, read_veto, sheet_points
from review.domain.reading import Reader
from review.domain.refusals import Invalid
from review.domain.vocabulary import Grade
from review.schemes.library import builtin


def row(**figures):
    return {"key": "row", "weight": "100", **figures}


def read(*rows):
    reader = Reader()
    items = read_items(reader, builtin(), list(rows), "kpi.items")
    reader.finish()
    return items


def earned(**figures):
    return points_of(read(row(**figures))[0])


BRACKETS = [{"from": "0", "points": "0"}, {"from": "2", "points": 60}, {"from": "4", "points": "100"}]


@pytest.mark.parametrize(
    ("figures", "points"),
    [
        ({"rule": "higher", "target": "95", "actual": "93.1"}, "98"),
        ({"rule": "higher", "target": "900", "actual": "936"}, "100"),
        ({"rule": "higher", "target": "900", "actual": "936", "cap": "120"}, "104"),
        ({"rule": "higher", "target": "900", "actual": "2000", "cap": "120"}, "120"),
        ({"rule": "higher", "target": "3", "actual": "1"}, "100/3"),
        ({"rule": "higher", "target": "3", "actual": 0}, "0"),
        ({"rule": "lower", "target": "30", "limit": "90", "actual": "36"}, "90"),
        ({"rule": "lower", "target": "30", "limit": "90", "actual": "10"}, "100"),
        ({"rule": "lower", "target": "30", "limit": "90", "actual": "90"}, "0"),
        ({"rule": "lower", "target": "30", "limit": "90", "actual": "500"}, "0"),
        ({"rule": "lower", "target": "0", "limit": "3", "actual": "1"}, "200/3"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 0}, "100"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 2, "veto_at": 3}, "60"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 3, "veto_at": 3}, "0"),  # 三次以上 includes the third
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 3}, "40"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 9}, "0"),
        ({"rule": "points", "points": "80.5"}, "80.5"),
        ({"rule": "points", "points": "80", "target": "90", "actual": "80"}, "80"),
        ({"rule": "points", "points": "80", "cap": None, "brackets": None}, "80"),
        ({"rule": "brackets", "brackets": BRACKETS, "actual": "3.99"}, "60"),
        ({"rule": "brackets", "brackets": BRACKETS, "actual": "4"}, "100"),
        ({"rule": "brackets", "brackets": BRACKETS, "actual": "-1"}, "0"),
    ],
)
def test_a_row_earns_what_its_rule_says(figures, points):
    assert earned(**figures) == Fraction(points)


@pytest.mark.parametrize(
    ("figures", "code", "where"),
    [
        ({"rule": "higher", "target": "0", "actual": "1"}, "must_be_positive", "target"),
        ({"rule": "higher", "target": "1"}, "missing", "actual"),
        ({"rule": "higher", "target": "1", "actual": "-1"}, "out_of_range", "actual"),
        ({"rule": "higher", "target": "1", "actual": "1", "limit": "1"}, "not_for_rule", "limit"),
        ({"rule": "higher", "target": "1", "actual": "1e3"}, "not_a_number", "actual"),
        ({"rule": "higher", "target": "1", "actual": "1", "cap": "1001"}, "out_of_range", "cap"),
        ({"rule": "lower", "target": "30", "limit": "30", "actual": "1"}, "limit_above_target", "limit"),
        ({"rule": "lower", "target": "30", "limit": "20", "actual": "1"}, "limit_above_target", "limit"),
        ({"rule": "lapses", "full": 0, "cost": 2, "lapses": 0}, "must_be_positive", "full"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": "1.5"}, "not_whole", "lapses"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": -1}, "out_of_range", "lapses"),
        ({"rule": "lapses", "full": 10, "cost": 2, "lapses": 1, "veto_at": 0}, "out_of_range", "veto_at"),
        ({"rule": "points", "points": "101"}, "out_of_range", "points"),
        ({"rule": "brackets", "brackets": [], "actual": 1}, "empty", "brackets"),
        ({"rule": "brackets", "brackets": BRACKETS[::-1], "actual": 1}, "brackets_must_rise", "brackets[1].from"),
        ({"rule": "magic"}, "not_among", "rule"),
        ({"rule": "points", "points": 1, "bonus": 1}, "unknown_key", "bonus"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_its_place(figures, code, where):
    with pytest.raises(Invalid) as refused:
        read(row(**figures))
    assert (f"schemes:{code}", f"kpi.items[0].{where}") in {(p.code, p.where) for p in refused.value.problems}


def whole_sheet(*rows):
    items = read(*rows)
    return sheet_points(items, [points_of(item) for item in items])


def weighted(**weights):
    return [{"key": key, "weight": weight, "rule": "points", "points": "50"} for key, weight in weights.items()]


def test_the_sheet_is_the_weighted_mean_of_its_rows():
    rows = weighted(volume="20", time="80")
    rows[0]["points"] = "100"
    assert whole_sheet(*rows) == 60


def test_an_empty_sheet_is_no_sheet():
    assert whole_sheet() is None


@pytest.mark.parametrize("weights", [{"a": "99.9"}, {"a": "50", "b": "51"}, {"a": 0}])
def test_weights_that_do_not_add_up_to_a_hundred_are_refused(weights):
    with pytest.raises(Invalid, match=r"schemes:weights_sum at kpi\.items"):
        read(*weighted(**weights))


def test_a_key_stands_on_one_row_only():
    with pytest.raises(Invalid, match=r"schemes:twice at kpi\.items\[1\]\.key"):
        read(*weighted(a="50"), *weighted(a="50"))


def test_the_cap_holds_for_the_sum_of_the_lines():
    reader = Reader()
    lines = read_lines(reader, [{"points": "6", "reason": "a"}, {"points": "6.5", "reason": "b"}], "bonus")
    reader.finish()
    assert capped_sum(lines, Fraction(10)) == 10
    assert capped_sum(lines[:1], Fraction(10)) == 6


@pytest.mark.parametrize("line", [{"points": "6"}, {"points": "6", "reason": ""}, {"points": "-6", "reason": "x"}, 6])
def test_a_line_needs_points_and_a_reason(line):
    reader = Reader()
    read_lines(reader, [line], "bonus")
    assert [problem.where.startswith("bonus[0]") for problem in reader.problems] == [True]


def test_a_veto_names_the_best_grade_it_leaves():
    reader = Reader()
    veto = read_veto(reader, {"cap": "fair", "reason": "leaked customer data"}, "sheet_veto")
    reader.finish()
    assert veto.cap is Grade.FAIR
    read_veto(reader, {"cap": "E", "reason": "x"}, "sheet_veto")
    assert [problem.code for problem in reader.problems] == ["schemes:not_among"]


figures = st.decimals(0, 10**6, places=3)


@settings(deadline=None)
@given(figures, figures, figures)
def test_a_lower_figure_never_earns_less_where_lower_is_better(one, other, target):
    better, worse = sorted((one, other))
    rule = {"rule": "lower", "target": target, "limit": target + 1}
    assert earned(**rule, actual=better) >= earned(**rule, actual=worse)


@settings(deadline=None)
@given(figures, figures, st.decimals("0.001", 10**6, places=3))
def test_a_higher_figure_never_earns_less_where_higher_is_better(one, other, target):
    worse, better = sorted((one, other))
    assert earned(rule="higher", target=target, actual=better) >= earned(rule="higher", target=target, actual=worse)
