"""A scheme is read from plain data, refused with every mistake and its place, and written back as it was."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.canonical import canonical_json, digest
from review.domain.refusals import Invalid, OutOfReach
from review.domain.rounding import exact_text
from review.domain.scheme import Grade, Level, Source, dump_scheme, parse_scheme, with_overrides
from review.schemes.library import builtin, builtin_data


def problems_of(data):
    with pytest.raises(Invalid) as refused:
        parse_scheme(data)
    return {(problem.code, problem.where) for problem in refused.value.problems}


def changed(path, value):
    data = builtin_data("360-v1")
    part = data
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return data


def test_the_default_scheme_weighs_the_sources_70_14_16():
    scheme = builtin("360-v1")
    assert [scheme.overall_weight(source) for source in Source] == [0, 70, 14, 16]
    assert len(scheme.criteria) == 5
    assert {criterion.share for criterion in scheme.criteria} == {20}


def test_the_default_scheme_asks_each_source_only_what_counts_from_it():
    scheme = builtin("360-v1")
    keys = {source: [criterion.key for criterion in scheme.asked_of(source)] for source in Source}
    assert len(keys[Source.SELF]) == len(keys[Source.SUPERVISOR]) == 5
    assert keys[Source.PEERS] == ["interpersonal_coordination", "feedback_learning"]
    assert keys[Source.CUSTOMERS] == ["business_knowledge", "communication", "problem_solving"]


def test_the_default_scheme_describes_every_level_in_twenty_to_forty_six_signs():
    for criterion in builtin("360-v1").criteria:
        for level in Level:
            assert 20 <= len(criterion.anchors[level].zh) <= 46
            assert len(criterion.anchors[level].en) > 40


def test_a_scheme_survives_being_written_and_read():
    scheme = builtin("360-v1")
    again = parse_scheme(json.loads(json.dumps(dump_scheme(scheme))))
    assert again == scheme
    assert again.method_hash == scheme.method_hash == digest(dump_scheme(scheme))


def test_an_unknown_packaged_scheme_is_out_of_reach():
    with pytest.raises(OutOfReach):
        builtin("360-v0")


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        (("criteria", 0, "weights", "supervisor"), 75, "weights_sum", "criteria[0].weights"),
        (("criteria", 0, "weights", "supervisor"), 0, "out_of_range", "criteria[0].weights.supervisor"),
        (("criteria", 0, "weights", "self"), 10, "unknown_key", "criteria[0].weights.self"),
        (("criteria", 1, "weights", "customers"), "29.5", "not_whole", "criteria[1].weights.customers"),
        (("criteria", 1, "weights", "customers"), True, "not_a_number", "criteria[1].weights.customers"),
        (("criteria", 1, "weights", "customers"), 30.0, "not_a_number", "criteria[1].weights.customers"),
        (("criteria", 1, "key"), "business_knowledge", "twice", "criteria[1].key"),
        (("criteria", 1, "key"), "Ünsinn", "not_a_key", "criteria[1].key"),
        (("criteria", 2, "share"), 0, "out_of_range", "criteria[2].share"),
        (("criteria", 3, "anchors", "good"), {"zh": "好"}, "missing", "criteria[3].anchors.good.en"),
        (("criteria", 3, "anchors", "good"), {"zh": " ", "en": "x"}, "blank", "criteria[3].anchors.good.zh"),
        (("criteria", 3, "name"), {"zh": "\ud800", "en": "x"}, "not_text", "criteria[3].name.zh"),
        (("criteria", 3, "name"), {"zh": "长" * 501, "en": "x"}, "too_long", "criteria[3].name.zh"),
        (("criteria",), [], "empty", "criteria"),
        (("criteria",), {}, "not_a_list", "criteria"),
        (("cuts", "excellent"), "100", "cut_between_anchors", "cuts.excellent"),
        (("cuts", "excellent"), "80", "cut_between_anchors", "cuts.excellent"),
        (("cuts", "fair"), "NaN", "not_a_number", "cuts.fair"),
        (("cuts", "fair"), Decimal("NaN"), "not_a_number", "cuts.fair"),
        (("cuts", "fair"), Decimal("1e999999"), "not_a_number", "cuts.fair"),
        (("cuts", "fair"), "９０", "not_a_number", "cuts.fair"),
        (("minimums", "peers"), 2, "out_of_range", "minimums.peers"),
        (("minimums", "customers"), 4, "out_of_range", "minimums.customers"),
        (("minimums", "customers"), 10**30, "out_of_range", "minimums.customers"),
        (("rating_share",), "1.1", "out_of_range", "rating_share"),
        (("peer_step",), "rounded", "not_among", "peer_step"),
        (("supervisors_required",), 3, "out_of_range", "supervisors_required"),
        (("levels", 0, "points"), 90, "steps_need_standard_levels", "peer_step"),
        (("levels", 0, "points"), 80, "points_must_fall", "levels"),
        (("tiers", 0, "coefficient"), "1.1", "coefficients_must_fall", "tiers"),
        (("tiers", 0, "grade"), "good", "tiers_in_order", "tiers"),
        (("tiers", 0, "recognition"), 1, "not_a_boolean", "tiers[0].recognition"),
        (("comments", "peers_from"), 4, "out_of_range", "comments.peers_from"),
        (("surprise",), 1, "unknown_key", "surprise"),
        (("x" * 300,), 1, "unknown_key", '"' + "x" * 30 + '"'),
        (("version",), None, "not_a_number", "version"),
    ],
)
def test_an_inconsistent_scheme_is_refused_by_its_place(path, value, code, where):
    assert (f"schemes:{code}", where) in problems_of(changed(path, value))


def test_every_mistake_of_a_scheme_is_named_at_once():
    data = changed(("criteria", 0, "weights", "supervisor"), 75)
    data["cuts"]["good"] = "50"
    data["minimums"]["peers"] = 1
    del data["tiers"]
    assert problems_of(data) == {
        ("schemes:weights_sum", "criteria[0].weights"),
        ("schemes:out_of_range", "minimums.peers"),
        ("schemes:cut_between_anchors", "cuts.good"),
        ("schemes:missing", "tiers"),
    }


@pytest.mark.parametrize("garbage", [None, 1, "360-v1", [], [{}], {}, {"criteria": None}, {1: 2}, True])
def test_what_is_no_scheme_is_refused(garbage):
    assert problems_of(garbage)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(builtin_data("360-v1"))), anything)
def test_any_value_in_any_part_is_read_or_refused_and_never_crashes(part, value):
    try:
        scheme = parse_scheme(changed((part,), value))
    except Invalid:
        return
    assert parse_scheme(dump_scheme(scheme)) == scheme


def test_overrides_replace_only_what_they_name():
    scheme = builtin("360-v1")
    other = with_overrides(scheme, {"minimums": {"peers": 3}, "peer_step": None, "rating_share": "0.5"})
    assert other.minimums == {Source.PEERS: 3, Source.CUSTOMERS: 15}
    assert other.peer_step is None
    assert other.rating_share == Fraction(1, 2)
    assert other.method_hash != scheme.method_hash


@pytest.mark.parametrize("nothing", [None, {}, {"minimums": {}}, {"minimums": None, "rating_share": None}])
def test_empty_overrides_leave_the_method_as_it_is(nothing):
    assert with_overrides(builtin("360-v1"), nothing) == builtin("360-v1")


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        ({"minimums": {"peers": 2}}, "overrides.minimums.peers"),
        ({"minimums": {"customers": 4}}, "overrides.minimums.customers"),
        ({"minimums": {"supervisor": 1}}, "overrides.minimums.supervisor"),
        ({"rating_share": "-0.1"}, "overrides.rating_share"),
        ({"peer_step": "none"}, "overrides.peer_step"),
        ({"cuts": {}}, "overrides.cuts"),
        ([], "overrides"),
    ],
)
def test_senseless_overrides_are_refused(overrides, where):
    with pytest.raises(Invalid) as refused:
        with_overrides(builtin("360-v1"), overrides)
    assert [problem.where for problem in refused.value.problems] == [where]


@pytest.mark.parametrize(
    ("score", "grade"),
    [(9000, Grade.EXCELLENT), (8999, Grade.GOOD), (7000, Grade.GOOD), (6999, Grade.FAIR), (4999, Grade.POOR)],
)
def test_the_grade_comes_from_the_rounded_score(score, grade):
    assert builtin("360-v1").grade_of(score) is grade


def test_the_editor_can_warn_where_the_sheet_outgrows_the_supervisor():
    scheme = builtin("360-v1")
    assert not scheme.kpi_outgrows_supervisor()
    assert with_overrides(scheme, {"rating_share": "0.5"}).kpi_outgrows_supervisor()


def test_equal_values_have_one_canonical_spelling():
    assert canonical_json({"b": [1, "二"], "a": None}) == '{"a":null,"b":[1,"二"]}'.encode()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    with pytest.raises(TypeError):
        canonical_json({"a": [0.5]})


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_an_exact_decimal_is_written_without_loss(value):
    assert Fraction(exact_text(Fraction(value))) == Fraction(value)
