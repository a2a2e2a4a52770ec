"""`stats` as scripts use it: the shape of every answer, and one clear line for whatever else it is given."""

import json
import math

import pytest
from click.testing import CliRunner

from review.schemes.plain_json import LARGEST_FILE
from review.stats.commands import NAMES, stats_command
from review.stats.stats_file import _READERS

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

GOOD = {
    "icc": {"ratings": SHROUT_FLEISS},
    "icc_unbalanced": {"groups": [{"n": 3, "sum": 6, "sum_sq": 14}, {"n": 2, "sum": "9.5", "sum_sq": 46.25}]},
    "alpha": {"data": [[1, 2, 3, None], [1, 2, 4, 4]], "level": "ordinal"},
    "rwg": {"ratings": [3, 3, 4, 4], "levels": 4},
    "wilson": {"x": 81, "n": 263, "confidence": 0.95},
    "newcombe": {"x1": 56, "n1": 70, "x2": 48, "n2": 80},
    "four_fifths": {"groups": {"men": {"selected": 3, "total": 20}, "women": {"selected": 1, "total": 10}}},
    "shrink": {"groups": [{"weights": [1, 1], "values": [1, 3]}, {"weights": [1, 1], "values": [5, 7]}]},
    "severity": {
        "ratings": [{"ratee": "e", "rater": "张三", "value": 80}, {"ratee": "e", "rater": 7, "value": "60.5"}],
    },
    "kappa": {"table": [[20, 5], [10, 15]], "weights": None},
}


def run(name, data, locale="en_GB.UTF-8"):
    text = data if isinstance(data, str | bytes) else json.dumps(data)
    return CliRunner(env={"LC_ALL": locale}).invoke(stats_command, [name, "-"], input=text)


def answered(name, data):
    result = run(name, data)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def refused(name, data, locale="en_GB.UTF-8"):
    result = run(name, data, locale)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert "stats:" not in result.stderr, "a code without words"
    return result.stderr


def test_every_name_of_the_contract_is_there():
    assert set(NAMES) == set(GOOD) == set(_READERS)


def test_six_correlations_of_a_table():
    """Shrout & Fleiss (1979), Table 4."""
    found = answered("icc", GOOD["icc"])
    assert list(found) == ["icc1", "icc2", "icc3", "icc1k", "icc2k", "icc3k"]
    assert list(found.values()) == pytest.approx([0.17, 0.29, 0.71, 0.44, 0.62, 0.91], abs=0.0051)
    assert found["icc1"] == 0.1657417684054754


def test_what_is_not_defined_is_null():
    assert set(answered("icc", {"ratings": [[3, 3], [3, 3]]}).values()) == {None}
    same = {"groups": [{"n": 2, "sum": 6, "sum_sq": 18}, {"n": 2, "sum": 6, "sum_sq": 18}]}
    assert answered("icc_unbalanced", same) == {"icc1": None, "icc1k": None, "n0": 2.0}
    assert answered("alpha", {"data": [[1, 1], [1, 1]], "level": "nominal"}) == {"alpha": None}
    assert answered("kappa", {"table": [[4, 0], [0, 0]]}) == {"kappa": None}
    assert answered("shrink", {"groups": [{"weights": [1, 1], "values": [2, 2]}, {"weights": [1], "values": [2]}]}) == {
        "between": 0.0,
        "within": 0.0,
        "overall": 2.0,
        "clipped": False,
        "groups": [{"z": None, "value": 2.0}] * 2,
    }


def test_the_other_answers_have_the_shape_of_the_contract():
    unbalanced = answered("icc_unbalanced", GOOD["icc_unbalanced"])
    within, between = 3.125 / 3, 9.075  # mean squares, by hand
    assert unbalanced == {
        "icc1": pytest.approx((between - within) / (between + 1.4 * within), abs=1e-15),
        "icc1k": pytest.approx((between - within) / between, abs=1e-15),
        "n0": 2.4,
    }
    assert answered("alpha", GOOD["alpha"]) == {"alpha": pytest.approx(188 / 198, abs=1e-15)}
    assert answered("rwg", GOOD["rwg"]) == {"rwg": 11 / 15, "truncated": False}
    assert answered("wilson", GOOD["wilson"]) == {
        "low": pytest.approx(0.2553, abs=5e-5),
        "high": pytest.approx(0.3662, abs=5e-5),
    }
    assert answered("newcombe", GOOD["newcombe"]) == {
        "difference": 0.2,
        "low": pytest.approx(0.0524, abs=5e-5),
        "high": pytest.approx(0.3339, abs=5e-5),
    }
    assert answered("four_fifths", GOOD["four_fifths"]) == {
        "groups": {
            "men": {"rate": 0.15, "ratio": 1.0, "flagged": False, "too_few": False},
            "women": {"rate": 0.1, "ratio": 2 / 3, "flagged": True, "too_few": True},
        }
    }
    assert answered("shrink", GOOD["shrink"]) == {
        "between": 7.0,
        "within": 2.0,
        "overall": 4.0,
        "clipped": False,
        "groups": [{"z": 0.875, "value": 2.25}, {"z": 0.875, "value": 5.75}],
    }
    assert answered("severity", GOOD["severity"]) == {"raters": {"张三": 9.75, "7": -9.75}}
    assert answered("kappa", GOOD["kappa"]) == {"kappa": 0.4}


@pytest.mark.parametrize(("level", "value"), [("nominal", 113 / 152), ("ratio", 18222619 / 22852465)])
def test_alpha_of_krippendorffs_own_example(level, value):
    """Krippendorff (2011), sections C and D: .743 and .797."""
    data = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    assert answered("alpha", {"data": data, "level": level})["alpha"] == pytest.approx(value, abs=1e-15)


def test_words_are_values_on_the_nominal_scale_only():
    words = [["good", "poor", "good"], ["good", "poor", "poor"]]
    assert math.isclose(answered("alpha", {"data": words, "level": "nominal"})["alpha"], 4 / 9)
    assert refused("alpha", {"data": words, "level": "ordinal"}).startswith("data[0][0]: this must be a number")


def test_confidence_is_95_percent_unless_the_file_says_otherwise():
    assert answered("wilson", {"x": 3, "n": 10}) == answered("wilson", {"x": 3, "n": 10, "confidence": "0.95"})
    assert answered("wilson", {"x": 3, "n": 10, "confidence": 0.5}) != answered("wilson", {"x": 3, "n": 10})


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_kappa_takes_weights(weights):
    table = [[11, 3, 0], [2, 8, 4], [1, 2, 9]]
    assert answered("kappa", {"table": table, "weights": weights}) != answered("kappa", {"table": table})


def test_a_negative_variance_between_groups_is_clipped_and_said():
    found = answered("shrink", {"groups": [{"weights": [1, 1], "values": [1, 9]}] * 2})
    assert (found["between"], found["clipped"]) == (0.0, True)
    assert [group["z"] for group in found["groups"]] == [0.0, 0.0]


def test_a_file_is_read_as_standard_input_is(tmp_path):
    file = tmp_path / "table.json"
    file.write_text(json.dumps(GOOD["icc"]))
    result = CliRunner().invoke(stats_command, ["icc", str(file)])
    assert json.loads(result.stdout) == answered("icc", GOOD["icc"])


@pytest.mark.parametrize("arguments", [[], ["icc"], ["median", "-"], ["icc", "-", "more"], ["icc", "-", "--fast"]])
def test_wrong_usage_is_told_apart_from_a_refusal(arguments):
    assert CliRunner().invoke(stats_command, arguments, input="{}").exit_code == 2


BAD = [
    ("icc", {}, "ratings: "),
    ("icc", {"ratings": None}, "ratings: "),
    ("icc", {"ratings": []}, "ratings: "),
    ("icc", {"ratings": 5}, "ratings: "),
    ("icc", {"ratings": [[1, 2]]}, "ratings: "),
    ("icc", {"ratings": [[1], [2]]}, "ratings[0]: "),
    ("icc", {"ratings": [[1, 2], [3]]}, "ratings[1]: "),
    ("icc", {"ratings": [[1, 2], 3]}, "ratings[1]: "),
    ("icc", {"ratings": [[1, 2], [3, None]]}, "ratings[1][1]: "),
    ("icc", {"ratings": [[1, 2], [3, True]]}, "ratings[1][1]: "),
    ("icc", {"ratings": [[1, 2], [3, 4]], "raters": 2}, "raters: "),
    ("icc", '{"ratings": [[1, 2], [3, NaN]]}', "ratings[1][1]: only finite"),
    ("icc", '{"ratings": [[1, 2], [3, -Infinity]]}', "ratings[1][1]: only finite"),
    ("icc", '{"ratings": [[1, 2], [3, 1e999999]]}', "ratings[1][1]: "),
    ("icc", '{"ratings": [[1, 2], [3, 1e15]]}', "ratings[1][1]: "),
    ("icc", '{"ratings": [[1, 2], [3, ' + "9" * 70 + "]]}", '"9999999999'),
    ("icc", '{"ratings": [], "ratings": []}', "ratings: "),
    ("icc", "[" * 200_000, "-: "),
    ("icc", "not json", "1:1: "),
    ("icc", b"\xff\xfe", "-: "),
    ("icc", "[]", "-: "),
    ("icc", "null", "-: "),
    ("icc", b" " * (LARGEST_FILE + 1), "-: "),
    ("icc_unbalanced", {"groups": [{"n": 3, "sum": 6, "sum_sq": 14}]}, "groups: "),
    ("icc_unbalanced", {"groups": [{"n": 1, "sum": 6, "sum_sq": 36}] * 3}, "groups: "),
    ("icc_unbalanced", {"groups": [{"n": 3, "sum": 6, "sum_sq": 11}] * 3}, "groups[0]: "),
    (
        "icc_unbalanced",
        {"groups": [{"n": 3, "sum": 6, "sum_sq": 14}, {"n": 2.5, "sum": 6, "sum_sq": 14}]},
        "groups[1].n: ",
    ),
    ("icc_unbalanced", {"groups": [{"n": 3, "sum": 6}] * 2}, "groups[0].sum_sq: "),
    ("alpha", {"data": [[1, 2], [1, 2]]}, "level: "),
    ("alpha", {"data": [[1, 2], [1, 2]], "level": "metric"}, "level: "),
    ("alpha", {"data": [[1, 2]], "level": "ratio"}, "data: "),
    ("alpha", {"data": [[1, None], [None, 2]], "level": "ratio"}, "data: "),
    ("alpha", {"data": [[1, 2], [1]], "level": "ratio"}, "data[1]: "),
    ("alpha", {"data": [[1, -2], [1, 2]], "level": "ratio"}, "data[0][1]: "),
    ("alpha", {"data": [[1, {}], [1, 2]], "level": "nominal"}, "data[0][1]: "),
    ("alpha", {"data": [list(range(4500))] * 2, "level": "ratio"}, "data: "),
    ("rwg", {"ratings": [3], "levels": 4}, "ratings: "),
    ("rwg", {"ratings": [3, 5], "levels": 4}, "ratings[1]: "),
    ("rwg", {"ratings": [3, 3], "levels": 1}, "levels: "),
    ("rwg", {"ratings": [3, 3]}, "levels: "),
    ("wilson", {"x": 5, "n": 4}, "x: "),
    ("wilson", {"x": 0, "n": 0}, "n: "),
    ("wilson", {"x": 1.5, "n": 4}, "x: "),
    ("wilson", {"x": -1, "n": 4}, "x: "),
    ("wilson", {"x": 1, "n": 4, "confidence": 1}, "confidence: "),
    ("wilson", {"x": 1, "n": 4, "confidence": 95}, "confidence: "),
    ("newcombe", {"x1": 1, "n1": 4, "x2": 1, "n2": 0}, "n2: "),
    ("newcombe", {"x1": 1, "n1": 4, "x2": 1}, "n2: "),
    ("four_fifths", {"groups": {}}, "groups: "),
    ("four_fifths", {"groups": []}, "groups: "),
    ("four_fifths", {"groups": {"a": {"selected": 1, "total": 2}}}, "groups: "),
    (
        "four_fifths",
        {"groups": {"a": {"selected": 1, "total": 2}, "b": {"selected": 3, "total": 2}}},
        "groups.b.selected: ",
    ),
    ("four_fifths", {"groups": {f"g{i}": {"selected": 1, "total": 2} for i in range(2001)}}, "groups: "),
    ("shrink", {"groups": [{"weights": [1, 1], "values": [1, 3]}]}, "groups: "),
    ("shrink", {"groups": [{"weights": [1], "values": [1]}] * 2}, "groups: "),
    ("shrink", {"groups": [{"weights": [1], "values": [1, 3]}] * 2}, "groups[0].weights: "),
    ("shrink", {"groups": [{"weights": [1, 0], "values": [1, 3]}] * 2}, "groups[0].weights[1]: "),
    ("shrink", {"groups": [{"weights": [], "values": []}] * 2}, "groups[0].values: "),
    ("severity", {"ratings": []}, "ratings: "),
    ("severity", {"ratings": [{"ratee": "e", "rater": "a", "value": 3}]}, "ratings: "),
    ("severity", {"ratings": [{"ratee": "e", "rater": "a"}]}, "ratings[0].value: "),
    ("severity", {"ratings": [{"ratee": "e", "rater": None, "value": 3}]}, "ratings[0].rater: "),
    (
        "severity",
        {"ratings": [{"ratee": f"e{i}", "rater": f"r{i + d}", "value": 3} for i in range(401) for d in (0, 1)]},
        "ratings: ",
    ),
    ("kappa", {"table": [[1, 2], [3]]}, "table[1]: "),
    ("kappa", {"table": [[5]]}, "table: "),
    ("kappa", {"table": [[0] * 201] * 201}, "table: "),
    ("kappa", {"table": [[0, 0], [0, 0]]}, "table: "),
    ("kappa", {"table": [[1, -2], [3, 4]]}, "table[0][1]: "),
    ("kappa", {"table": [[1, 2], [3, 4]], "weights": "cubic"}, "weights: "),
]


@pytest.mark.parametrize(("name", "data", "place"), BAD, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(BAD)])
def test_whatever_makes_no_sense_is_refused_in_one_line_that_names_the_place(name, data, place):
    english, chinese = refused(name, data), refused(name, data, "zh_CN.UTF-8")
    assert english.startswith(place)
    assert english != chinese


def test_raters_in_separate_parts_are_refused_and_the_parts_are_named():
    ratings = [
        {"ratee": ratee, "rater": rater, "value": 3}
        for ratee, rater in (("x", "李雷"), ("x", "Ann"), ("y", "Bea"), ("y", "Cai\u001b[31m"))
    ]
    said = refused("severity", {"ratings": ratings})
    assert said.startswith("ratings: the raters fall into 2 parts")
    assert "{李雷, Ann} {Bea, " in said
    assert "\u001b" not in said
    assert "评价人分成2部分" in refused("severity", {"ratings": ratings}, "zh_CN.UTF-8")


def test_many_problems_still_make_one_line():
    said = refused("icc", {"ratings": [["x"] * 50] * 50})
    assert said.count("this must be a number") == 5
    assert "more" in said


def test_a_file_that_is_not_there_is_refused(tmp_path):
    result = CliRunner().invoke(stats_command, ["icc", str(tmp_path / "none.json")])
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [None, True, "x", 10**30, -1, [], {}, [None], [[]], [[None]], [{}], {"a": None}])
def test_a_wrong_value_in_any_place_never_makes_a_traceback(name, wrong):
    for key in GOOD[name]:
        result = run(name, {**GOOD[name], key: wrong})
        assert result.exit_code in {0, 1}
        assert isinstance(result.exception, SystemExit | None)
        assert result.exit_code == 0 or result.stderr.count("\n") == 1
    assert run(name, json.dumps(wrong)).exit_code == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_good_file_of_each_name_is_answered_with_numbers(name):
    assert answered(name, GOOD[name])
