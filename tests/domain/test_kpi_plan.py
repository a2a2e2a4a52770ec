"""A KPI plan is read from plain data, refused with every mistake and its place, and says who aims at what."""

import copy
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain import kpi_plan
from review.domain.kpi import KpiRule
from review.domain.kpi_plan import Aim, Tenure, dump_plan, parse_plan, plan_hash
from review.domain.records import Indicator, Unit
from review.domain.refusals import Invalid

SHIPPED = json.loads(Path(kpi_plan.__file__).parents[1].joinpath("kpi/customer-service.json").read_text("utf-8"))
VOLUME, TIMELINESS, SATISFACTION, RESOLUTION, COMPLIANCE, PROACTIVE = range(6)


def changed(*path_and_value):
    *path, last, value = path_and_value
    data = copy.deepcopy(SHIPPED)
    part = data
    for step in path:
        part = part[step]
    part[last] = value
    return data


def without(*path):
    *way, last = path
    data = copy.deepcopy(SHIPPED)
    part = data
    for step in way:
        part = part[step]
    del part[last]
    return data


def problems_of(data):
    with pytest.raises(Invalid) as refused:
        parse_plan(data)
    return {(problem.code, problem.where) for problem in refused.value.problems}


def test_the_shipped_plan_has_the_weights_of_the_field():
    plan = parse_plan(SHIPPED)
    assert [(row.key, row.weight) for row in plan.rows] == [
        ("volume", 20),
        ("timeliness", 15),
        ("satisfaction", 30),
        ("resolution", 20),
        ("compliance", 10),
        ("proactive", 5),
    ]
    assert plan.satisfaction_weight() == 30
    assert plan.row("timeliness").unit is Unit.SECONDS
    assert not plan.sheet_veto


def test_a_plan_is_written_back_as_it_was_and_hashed_by_what_it_says():
    plan = parse_plan(SHIPPED)
    assert parse_plan(dump_plan(plan)) == plan
    assert plan.hash == plan_hash(plan)
    other = parse_plan(changed("rows", VOLUME, "definition", "en", "Something else."))
    assert other.hash != plan.hash


def test_weights_must_be_100_together():
    assert problems_of(changed("rows", PROACTIVE, "weight", "4")) == {("schemes:weights_sum", "rows")}


def test_satisfaction_never_weighs_under_30():
    data = changed("rows", SATISFACTION, "weight", "29.9")
    data["rows"][PROACTIVE]["weight"] = "5.1"
    assert problems_of(data) == {("kpi_plan:satisfaction_too_light", "rows")}
    data["rows"][PROACTIVE] |= {"indicator": "bad_rate", "rule": "lower", "obtained": "hand"}
    del data["rows"][PROACTIVE]["cap"]
    for group in data["groups"]:
        group["aims"]["proactive"] = {"target": "1", "limit": "5"}
    assert parse_plan(data).satisfaction_weight() == 35  # the rate of bad reviews counts with it


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (changed("rows", []), ("schemes:empty", "rows")),
        (changed("rows", 1, "key", "volume"), ("schemes:twice", "rows[1].key")),
        (changed("rows", 0, "key", "Vol"), ("schemes:not_a_key", "rows[0].key")),
        (changed("rows", 0, "weight", "0"), ("schemes:must_be_positive", "rows[0].weight")),
        (changed("rows", 0, "weight", 20.0), ("schemes:not_a_number", "rows[0].weight")),
        (changed("rows", 0, "name", "en", " "), ("schemes:blank", "rows[0].name.en")),
        (changed("rows", 0, "indicator", "speed"), ("schemes:not_among", "rows[0].indicator")),
        (changed("rows", 0, "indicator", None), ("schemes:missing", "rows[0].unit")),
        (changed("rows", 0, "unit", "seconds"), ("kpi_plan:unit_of_indicator", "rows[0].unit")),
        (changed("rows", 0, "rule", "most"), ("schemes:not_among", "rows[0].rule")),
        (changed("rows", 0, "rule", "lower"), ("schemes:not_for_rule", "rows[0].cap")),
        (changed("rows", 0, "brackets", [{"from": 0, "points": 1}]), ("schemes:not_for_rule", "rows[0].brackets")),
        (changed("rows", 1, "rule", "higher"), ("kpi_plan:less_is_better", "rows[1].rule")),
        (changed("rows", 4, "rule", "lower"), ("kpi_plan:more_is_better", "rows[4].rule")),
        (changed("rows", 4, "rule", "lapses"), ("schemes:missing", "rows[4].full")),
        (changed("rows", 4, "rule", "brackets"), ("schemes:missing", "rows[4].brackets")),
        (changed("rows", 0, "cap", "1001"), ("schemes:out_of_range", "rows[0].cap")),
        (changed("rows", 4, "record", "surveys"), ("kpi_plan:record_does_not_know", "rows[4].record")),
        (changed("rows", 0, "record", "hand"), ("kpi_plan:record_does_not_know", "rows[0].record")),
        (changed("groups", []), ("schemes:empty", "groups")),
        (changed("groups", 1, "key", "pre_sales_new"), ("schemes:twice", "groups[1].key")),
        (changed("groups", 1, "tenure", "new"), ("kpi_plan:group_never_reached", "groups[1]")),
        (changed("groups", 4, "tenure", "new"), ("kpi_plan:last_group_takes_all", "groups[4]")),
        (changed("groups", 4, "channels", ["chat"]), ("kpi_plan:last_group_takes_all", "groups[4]")),
        (changed("groups", 0, "posts", ["A", " a "]), ("schemes:twice", "groups[0].posts[1]")),
        (without("groups", 0, "aims", "volume"), ("schemes:missing", "groups[0].aims.volume")),
        (changed("groups", 0, "aims", "sales", {"target": 1}), ("schemes:unknown_key", "groups[0].aims.sales")),
        (
            changed("groups", 0, "aims", "volume", "target", None),
            ("schemes:missing", "groups[0].aims.volume.target"),
        ),
        (
            changed("groups", 0, "aims", "volume", "target", "0"),
            ("schemes:must_be_positive", "groups[0].aims.volume.target"),
        ),
        (
            changed("groups", 0, "aims", "volume", "limit", "9"),
            ("schemes:not_for_rule", "groups[0].aims.volume.limit"),
        ),
        (
            changed("groups", 0, "aims", "satisfaction", "target", "101"),
            ("schemes:out_of_range", "groups[0].aims.satisfaction.target"),
        ),
        (
            without("groups", 0, "aims", "timeliness", "limit"),
            ("schemes:missing", "groups[0].aims.timeliness.limit"),
        ),
        (
            changed("groups", 0, "aims", "timeliness", "limit", "120"),
            ("schemes:limit_above_target", "groups[0].aims.timeliness.limit"),
        ),
        (
            changed("groups", 2, "aims", "timeliness", "by_kind", 0, "limit", "300"),
            ("schemes:limit_above_target", "groups[2].aims.timeliness.by_kind[0].limit"),
        ),
        (
            changed("groups", 2, "aims", "timeliness", "by_kind", 1, "kind", "投诉 "),
            ("schemes:twice", "groups[2].aims.timeliness.by_kind[1].kind"),
        ),
        (
            changed("groups", 0, "aims", "compliance", {"target": 90, "by_kind": [{"kind": "a", "target": 80}]}),
            ("schemes:not_for_rule", "groups[0].aims.compliance.by_kind"),
        ),
        (changed("difficulty", "投诉", "0"), ("schemes:must_be_positive", 'difficulty."\\u6295\\u8bc9"')),
        (changed("difficulty", []), ("schemes:not_an_object", "difficulty")),
        (changed("new_months", 121), ("schemes:out_of_range", "new_months")),
        (changed("sheet_veto", "no"), ("schemes:not_a_boolean", "sheet_veto")),
        (changed("extra", 1), ("schemes:unknown_key", "extra")),
    ],
)
def test_every_inconsistency_is_refused_at_its_place(data, problem):
    assert problem in problems_of(data)


def own_row(**parts):
    row = {**SHIPPED["rows"][PROACTIVE], "indicator": None, "unit": "count", **parts}
    return changed("rows", PROACTIVE, {key: value for key, value in row.items() if value != "-"})


def test_own_rows_are_filled_by_hand_and_may_be_measured_against_a_plan():
    data = own_row(unit="percent")
    for group in data["groups"]:
        group["aims"]["proactive"]["target"] = "120"
    assert parse_plan(data).row("proactive").indicator is None
    assert problems_of(own_row(obtained="system")) == {("kpi_plan:own_rows_by_hand", "rows[5].obtained")}


def test_lapses_cost_points_or_bring_the_row_to_nought():
    lapses = {"rule": "lapses", "full": "100", "cap": "-"}
    assert problems_of(own_row(**lapses, cost="0")) == {("kpi_plan:lapses_cost_nothing", "rows[5].cost")}
    assert parse_plan(own_row(**lapses, cost="0", veto_at=3)).row("proactive").veto_at == 3
    data = own_row(**lapses, cost="10")
    data["rows"][PROACTIVE] |= {"indicator": "error_rate", "obtained": "system", "record": "tickets", "unit": "percent"}
    assert problems_of(data) == {("kpi_plan:rule_by_hand", "rows[5].obtained")}


def test_brackets_rise():
    ladder = [{"from": "0", "points": "0"}, {"from": "2", "points": "60"}, {"from": "4", "points": "100"}]
    plan = parse_plan(own_row(rule="brackets", cap="-", brackets=ladder))
    assert [(b.start, b.points) for b in plan.row("proactive").brackets] == [(0, 0), (2, 60), (4, 100)]
    assert problems_of(own_row(rule="brackets", cap="-", brackets=[ladder[1], ladder[0]])) == {
        ("schemes:brackets_must_rise", "rows[5].brackets[1].from")
    }
    assert ("schemes:empty", "rows[5].brackets") in problems_of(own_row(rule="brackets", cap="-", brackets=[]))


@pytest.mark.parametrize(
    ("post", "months", "channel", "group"),
    [
        ("售前客服", 5, None, "pre_sales_new"),
        ("售前客服", 6, None, "pre_sales_senior"),  # six months make a senior
        (" 售后客服 ", 0, "电话", "after_sales_new"),
        ("售后客服", None, None, "everybody"),  # nobody knows since when
        ("投诉专员", 40, "电话", "everybody"),
        (None, None, None, "everybody"),
    ],
)
def test_people_fall_into_the_group_that_asks_for_most_of_what_they_are(post, months, channel, group):
    assert parse_plan(SHIPPED).group_for(post, months, channel).key == group


def test_more_conditions_go_before_the_order_and_post_before_tenure_before_channel():
    data = copy.deepcopy(SHIPPED)
    last = data["groups"][-1]

    def group(key, **conditions):
        return {**last, "key": key, **conditions}

    data["groups"] = [
        group("chat", channels=["Chat"]),
        group("new", tenure="new"),
        group("post", posts=["agent"]),
        group("new_chat", tenure="new", channels=["chat"]),
        group("post_chat", posts=["agent", "clerk"], channels=["chat"]),
        last,
    ]
    plan = parse_plan(data)
    assert plan.group_for("agent", 2, "chat").key == "post_chat"
    assert plan.group_for("nurse", 2, "chat").key == "new_chat"
    assert plan.group_for("AGENT", 2, "phone").key == "post"
    assert plan.group_for("nurse", 2, "phone").key == "new"
    assert plan.group_for("nurse", 9, "CHAT").key == "chat"
    assert plan.group_for("nurse", None, None).key == "everybody"
    assert plan.group("new").tenure is Tenure.NEW


def test_aims_mix_by_the_cases_of_each_kind_exactly():
    plan = parse_plan(SHIPPED)
    group = plan.group("after_sales_senior")  # 600/2400; complaints 300/1200, faults 900/3600
    assert plan.aim_of(group, "timeliness", {}) == Aim(Fraction(600), Fraction(2400))
    # by hand: one of 300, two of 900 and four of 600 are 4500 over 7 cases; the limits likewise
    mixed = plan.aim_of(group, "timeliness", {"投诉": Fraction(1), "技术故障": Fraction(2), "咨询": Fraction(4)})
    assert mixed == Aim(Fraction(4500, 7), Fraction(18000, 7))
    # a third of a case of 300 and half a case of 900, over five sixths of a case
    shared = plan.aim_of(group, "timeliness", {"投诉": Fraction(1, 3), " 技术故障": Fraction(1, 2)})
    assert shared == Aim(Fraction(660), Fraction(2640))
    assert plan.aim_of(group, "volume", {"投诉": Fraction(3)}) == Aim(Fraction(750), None)
    assert plan.aim_of(group, "compliance", {"投诉": Fraction(3)}) == Aim(None, None)
    with pytest.raises(ValueError, match="negative"):
        plan.aim_of(group, "timeliness", {"投诉": Fraction(-1)})


@given(
    st.dictionaries(
        st.sampled_from(["投诉", "技术故障", "咨询", "退款"]), st.fractions(0, 500, max_denominator=60), max_size=4
    )
)
def test_a_mixed_aim_lies_between_the_kinds_and_its_limit_above_it(mix):
    plan = parse_plan(SHIPPED)
    aim = plan.aim_of(plan.group("after_sales_new"), "timeliness", mix)
    assert 300 <= aim.target <= 900
    assert aim.limit > aim.target


def test_less_is_better_exactly_where_a_rise_is_bad():
    assert {indicator.value for indicator in kpi_plan.LESS_IS_BETTER} == {
        "first_response",
        "customer_wait",
        "resolution_time",
        "reopen_rate",
        "complaint_rate",
        "bad_rate",
        "error_rate",
    }
    for indicator in set(Indicator) - kpi_plan.LESS_IS_BETTER:
        data = own_row(unit="-", indicator=indicator.value, rule=KpiRule.LOWER.value, cap="-")
        assert ("kpi_plan:more_is_better", "rows[5].rule") in problems_of(data)
