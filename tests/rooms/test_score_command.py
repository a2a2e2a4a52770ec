"""`score` as scripts use it: the contract of its output, and one clear line for whatever else it is given."""

import json
import random

import pytest
from click.testing import CliRunner

from review.schemes.commands import price_command, score_command
from review.schemes.json_schema import scheme_schema
from review.schemes.library import builtin_data
from review.schemes.plain_json import LARGEST_FILE

KEYS = ("business_knowledge", "communication", "problem_solving", "interpersonal_coordination", "feedback_learning")
SUPERVISOR = dict(zip(KEYS, ("excellent", "good", "excellent", "good", "good"), strict=True))


def request(**changes):
    """Five peers with means 72 and 80, and 26 customers with 121, 129 and 127 stars."""
    stars = [(5, 5, 5)] * 17 + [(4, 5, 5)] * 6 + [(4, 5, 4), (4, 5, 4), (4, 4, 4)]
    peers = [("excellent", "excellent"), ("good", "good"), ("good", "good"), ("fair", "good"), ("poor", "fair")]
    whole = {
        "scheme": "360-v1",
        "overrides": {"peer_step": None},
        "responses": {
            "supervisor": [dict(SUPERVISOR)],
            "peers": [dict(zip(KEYS[3:], pair, strict=True)) for pair in peers],
            "customers": [dict(zip(KEYS[:3], triple, strict=True)) for triple in stars],
        },
    }
    return {**whole, **changes}


def run(data, *arguments, locale="en_GB.UTF-8"):
    text = data if isinstance(data, str | bytes) else json.dumps(data)
    runner = CliRunner(env={"LC_ALL": locale})
    return runner.invoke(score_command, [*arguments, "-"], input=text)


def scored(data):
    result = run(data)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def refused(data, locale="en_GB.UTF-8"):
    result = run(data, locale=locale)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_worked_example_is_scored_as_the_contract_says():
    output = scored(request())
    assert list(output) == [
        "score",
        "grade",
        "withheld",
        "rating",
        "kpi",
        "criteria",
        "flags",
        "method",
        "input_hash",
    ]
    assert (output["score"], output["rating"], output["kpi"]) == ("87.94", "87.94", None)
    assert (output["grade"], output["withheld"], output["flags"]) == ("good", None, ["small_sample", "near_cut"])
    assert output["method"]["id"] == "360-v1"
    assert len(output["method"]["hash"]) == len(output["input_hash"]) == 64
    assert list(output["criteria"]) == list(KEYS)
    coordination = output["criteria"]["interpersonal_coordination"]
    assert coordination["score"] == "76.00"
    assert coordination["sources"] == {
        "self": {
            "n": 0,
            "sum": None,
            "mean": None,
            "weight": 0,
            "weight_used": "0.00",
            "counted": False,
            "reason": "reference",
        },
        "supervisor": {
            "n": 1,
            "sum": 80,
            "mean": "80.00",
            "weight": 50,
            "weight_used": "50.00",
            "counted": True,
            "reason": None,
        },
        "peers": {
            "n": 5,
            "sum": 360,
            "mean": "72.00",
            "weight": 50,
            "weight_used": "50.00",
            "counted": True,
            "reason": None,
        },
        "customers": {
            "n": 0,
            "sum": None,
            "mean": None,
            "weight": 0,
            "weight_used": "0.00",
            "counted": False,
            "reason": "not_asked",
        },
    }


def test_peers_are_told_in_steps_unless_the_file_says_otherwise():
    output = scored(request(overrides=None))
    peers = output["criteria"]["interpersonal_coordination"]["sources"]["peers"]
    assert (peers["n"], peers["sum"], peers["mean"]) == ("5-7", None, "70.00")
    assert output["score"] == "87.74"


def test_peers_under_the_minimum_are_told_without_any_number_of_theirs():
    few = request()
    few["responses"]["peers"] = few["responses"]["peers"][:4]
    for overrides in ({"peer_step": None}, {"peer_step": "stepped"}):
        peers = scored({**few, "overrides": overrides})["criteria"]["feedback_learning"]["sources"]["peers"]
        assert peers == {
            "n": "0-4",
            "sum": None,
            "mean": None,
            "weight": 20,
            "weight_used": "0.00",
            "counted": False,
            "reason": "below_minimum",
        }


def test_a_whole_file_with_sheet_bonus_deduction_and_veto():
    items = [
        {"key": "csat", "weight": 60, "rule": "higher", "target": 95, "actual": 93.1},
        {"key": "reply", "weight": "30", "rule": "lower", "target": "30", "limit": "90", "actual": "36"},
        {"key": "quality", "weight": "10", "rule": "lapses", "full": 10, "cost": 2, "lapses": 3, "veto_at": 3},
    ]
    output = scored(
        request(
            kpi={"items": items},
            bonus=[{"points": "3", "reason": "wiki"}],
            deductions=[{"points": 0.5, "reason": "log"}],
            sheet_veto={"cap": "fair", "reason": "leak"},
        )
    )
    assert output["kpi"] == "85.80"  # .6*98 + .3*90 + .1*0
    assert output["score"] == "89.58"  # .6*87.9384... + .4*85.8 + 2.5 = 89.583...
    assert output["grade"] == "fair"
    assert output["flags"] == ["small_sample", "near_cut", "sheet_veto"]


@pytest.mark.parametrize("sheet", [None, {}, {"items": []}, {"items": None}])
def test_an_empty_sheet_is_no_sheet(sheet):
    output = scored(request(kpi=sheet, bonus=[], deductions=None, sheet_veto=None))
    assert (output["score"], output["kpi"]) == ("87.94", None)


def test_a_missing_supervisor_rating_withholds_the_score_and_keeps_the_rest():
    items = [{"key": "a", "weight": 100, "rule": "points", "points": "70"}]
    data = request(kpi={"items": items})
    data["responses"]["supervisor"] = [{**SUPERVISOR, "communication": None}]
    output = scored(data)
    assert (output["score"], output["grade"], output["rating"]) == (None, None, None)
    assert output["withheld"] == "supervisor_incomplete"
    assert output["kpi"] == "70.00"
    assert output["criteria"]["communication"]["score"] is None
    assert output["criteria"]["problem_solving"]["score"] == "99.31"


def test_nothing_but_a_scheme_and_no_responses_is_a_review_nobody_has_rated():
    assert scored({"scheme": "360-v1", "responses": {}})["withheld"] == "supervisor_incomplete"


def test_the_order_of_responses_changes_nothing():
    data = request()
    first = scored(data)
    for answers in data["responses"].values():
        random.Random(7).shuffle(answers)
    assert scored(data) == first


def test_a_full_scheme_is_scored_like_the_packaged_one():
    assert scored(request(scheme=builtin_data("360-v1"))) == scored(request())


def test_null_is_the_same_as_an_absent_key():
    data = request()
    data["responses"]["self"] = None
    for answers in data["responses"]["peers"]:
        answers["communication"] = None  # not asked of peers, and not answered
    assert scored(data) == scored(request())


def test_the_schema_names_every_part_and_the_default_scheme_is_its_example():
    result = CliRunner().invoke(score_command, ["--schema"])
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    assert schema == scheme_schema()
    assert set(schema["required"]) == set(builtin_data("360-v1"))
    assert schema["examples"] == [builtin_data("360-v1")]


@pytest.mark.parametrize("arguments", [[], ["--nonsense", "-"], ["a.json", "b.json"]])
def test_wrong_usage_ends_with_two(arguments):
    assert CliRunner().invoke(score_command, arguments).exit_code == 2


def test_a_file_is_read_by_its_name(tmp_path):
    path = tmp_path / "评分.json"
    path.write_text(json.dumps(request()), encoding="utf-8-sig")
    result = CliRunner().invoke(score_command, [str(path)])
    assert json.loads(result.stdout)["score"] == "87.94"


@pytest.mark.parametrize("name", ["missing.json", ".", "bad\x00name"])
def test_an_unreadable_file_is_refused(name, tmp_path):
    result = CliRunner(env={"LC_ALL": "C"}).invoke(score_command, [f"{tmp_path}/{name}"])
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert result.stderr.count("\n") == 1


def with_answer(source, index, key, value):
    data = request()
    data["responses"].setdefault(source, [{}])[index][key] = value
    return data


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (with_answer("peers", 2, KEYS[3], "superb"), "responses.peers[2].interpersonal_coordination"),
        (with_answer("peers", 2, KEYS[3], 5), "responses.peers[2].interpersonal_coordination"),
        (with_answer("peers", 2, "communication", "good"), "responses.peers[2].communication"),
        (with_answer("customers", 3, "feedback_learning", 5), "responses.customers[3].feedback_learning"),
        (with_answer("customers", 3, "communication", "good"), "responses.customers[3].communication"),
        (with_answer("customers", 3, "communication", 0), "responses.customers[3].communication"),
        (with_answer("customers", 3, "communication", 6), "responses.customers[3].communication"),
        (with_answer("customers", 3, "communication", 4.5), "responses.customers[3].communication"),
        (with_answer("customers", 3, "communication", True), "responses.customers[3].communication"),
        (with_answer("customers", 3, "communication", [5]), "responses.customers[3].communication"),
        (with_answer("supervisor", 0, "charisma", "good"), "responses.supervisor[0].charisma"),
        (with_answer("self", 0, "communication", 4), "responses.self[0].communication"),
        (request(surprise=1), "surprise"),
        (request(scheme="360-v9"), "scheme"),
        (request(scheme=None), "scheme"),
        (request(scheme={}), "scheme.criteria"),
        (request(overrides={"minimums": {"peers": 2}}), "overrides.minimums.peers"),
        (request(overrides={"minimums": {"customers": 4}}), "overrides.minimums.customers"),
        (request(overrides={"peer_step": "coarse"}), "overrides.peer_step"),
        (request(overrides={"rating_share": "1e2"}), "overrides.rating_share"),
        (request(responses=[]), "responses"),
        (request(responses={"boss": []}), "responses.boss"),
        (request(responses={"peers": {}}), "responses.peers"),
        (request(responses={"peers": ["good"]}), "responses.peers[0]"),
        (request(kpi=[]), "kpi"),
        (request(kpi={"rows": []}), "kpi.rows"),
        (request(kpi={"items": [{"key": "a", "weight": 99, "rule": "points", "points": 1}]}), "kpi.items"),
        (request(bonus=[{"points": "3"}]), "bonus[0].reason"),
        (request(bonus=[{"points": "-3", "reason": "x"}]), "bonus[0].points"),
        (request(deductions=[{"points": True, "reason": "x"}]), "deductions[0].points"),
        (request(sheet_veto={"cap": "bad", "reason": "x"}), "sheet_veto.cap"),
        ({"scheme": "360-v1"}, "responses"),
        ({"responses": {}}, "scheme"),
        ([], "-"),
        ("", "1:1"),
        ("{", "1:2"),
        ('{"scheme": "360-v1", "scheme": "360-v1"}', "scheme"),
        ('{"responses": NaN}', "responses"),
        ('{"responses": -Infinity}', "responses"),
        (json.dumps(with_answer("customers", 0, KEYS[0], 99)).replace("99", "NaN"), "responses.customers[0]"),
        (json.dumps(with_answer("supervisor", 0, KEYS[0], 99)).replace("99", "NaN"), "responses.supervisor[0]"),
        (json.dumps(request(overrides={"rating_share": 99})).replace("99", "Infinity"), "overrides.rating_share"),
        ('{"responses": 1e999999}', "responses"),
        (f'{{"responses": {"9" * 10000}}}', '"' + "9" * 30 + '"'),
        (json.dumps(with_answer("customers", 0, KEYS[0], 99)).replace("99", "1e999999"), "responses.customers[0]"),
        (json.dumps(with_answer("customers", 0, KEYS[0], 99)).replace("99", "1" * 50), "responses.customers[0]"),
        ("[" * 100_000, "-"),
        ('{"a":' * 100_000, "-"),
        (b"\xff\xfe{}", "-"),
        (b"\x00", "1:1"),
        (" " * (LARGEST_FILE + 1), "-"),
        ('{"line\\nbreak": 1}', '"line\\nbreak"'),
        ('{"\\ud800": 1}', '"\\ud800"'),
    ],
)
def test_whatever_makes_no_sense_is_refused_in_one_line_that_names_the_place(data, place):
    assert place in refused(data)


def test_the_reason_is_given_in_the_callers_language():
    data = with_answer("customers", 3, "communication", 6)
    assert refused(data, "zh_CN.UTF-8") == "responses.customers[3].communication: 要在1和5之间\n"
    assert refused(data, "C") == "responses.customers[3].communication: this must lie between 1 and 5\n"


def test_many_problems_still_make_one_line():
    line = refused({"scheme": "360-v1", "responses": {"peers": [1] * 200}})
    assert "responses.peers[4]" in line
    assert line.endswith("and 95 more\n")


def garbage(chance, depth=3):
    """Some JSON value that was never meant for this command."""
    if depth == 0 or chance.random() < 0.4:
        return chance.choice([None, True, False, 0, -1, 3, 10**40, "good", "", "5", "x" * 500, "\ud800", "一", 0.1])
    if chance.random() < 0.5:
        return [garbage(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    keys = ["scheme", "responses", "peers", "items", "key", "weight", "rule", *KEYS, "\n", ""]
    return {chance.choice(keys): garbage(chance, depth - 1) for _ in range(chance.randint(0, 3))}


@pytest.mark.parametrize("seed", range(12))
def test_garbage_anywhere_is_scored_or_refused_and_never_crashes(seed):
    chance = random.Random(seed)
    for part in ("scheme", "overrides", "responses", "kpi", "bonus", "deductions", "sheet_veto"):
        result = run(request(**{part: garbage(chance)}))
        assert result.exit_code in (0, 1)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.stderr.count("\n") == result.exit_code


def every_code():
    """All codes that the readers of schemes and files can answer with, from their own source."""
    import re
    from pathlib import Path

    import review

    root = Path(review.__file__).parent
    sources = [*(root / "domain").glob("*.py"), *(root / "schemes").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    noted = re.findall(r'\.note\(\s*"([a-z_0-9]+)"', text) + re.findall(r'_UnfitError\(\s*"([a-z_0-9]+)"', text)
    return sorted({f"schemes:{code}" for code in noted} | set(re.findall(r'"(schemes:[a-z_0-9]+)"', text)))


class _Anything(dict):
    def __missing__(self, key):
        return "7"


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("code", every_code())
def test_every_code_has_words_in_both_languages(code, locale):
    from review.infra.words import _environment

    template = _environment(locale).get_template("schemes/_words.html")
    words = str(template.module.say(code, _Anything())).strip()
    assert words
    assert any("一" <= sign <= "鿿" for sign in words) is (locale == "zh")


def test_the_price_of_a_minimum_is_printed_in_percent():
    result = CliRunner().invoke(price_command, ["--minimum", "5", "--minimum", "3"])
    assert json.loads(result.stdout) == [
        {"ballots": 5, "outsider": "0.0000", "one_rater": "0.0000", "two_raters": "0.4883"},
        {"ballots": 3, "outsider": "0.0000", "one_rater": "4.6875", "two_raters": "40.4000"},
    ]


def test_a_minimum_under_the_floor_has_no_price():
    assert CliRunner().invoke(price_command, ["--minimum", "2"]).exit_code == 2
