"""Every difference between two versions of a plan is told once, and none where they say the same."""

import copy
from fractions import Fraction

from review.domain.kpi_plan import parse_plan
from review.domain.kpi_plan_changes import What, changes
from review.domain.records import Unit
from review.kpi.library import starting_data


def told(change_data):
    data = starting_data()
    change_data(data)
    found = changes(parse_plan(starting_data()), parse_plan(data))
    return [
        (
            one.what,
            one.part,
            one.row.en if one.row else None,
            one.group.en if one.group else None,
            one.before,
            one.after,
        )
        for one in found
    ]


def test_the_same_twice_has_no_difference():
    def renumber(data):
        data["version"] = 2

    assert told(renumber) == []


def test_weights_rules_and_targets():
    def change(data):
        data["rows"][0]["weight"], data["rows"][5]["weight"] = "15", "10"
        data["rows"][3] |= {"cap": "120"}
        aims = data["groups"][2]["aims"]
        aims["timeliness"] = {"target": "900", "limit": "3000", "by_kind": aims["timeliness"]["by_kind"][:1]}
        aims["volume"]["target"] = "520"

    where = ("First response time", "After-sales, new")
    assert told(change) == [
        (What.ROW, "weight", "Tickets handled", None, 20, 15),
        (What.ROW, "cap", "Resolution rate", None, 100, 120),
        (What.ROW, "weight", "Proactive service", None, 5, 10),
        (What.TARGET, "", "Tickets handled", "After-sales, new", 500, 520),
        (What.LIMIT, "", *where, 3600, 3000),
        (What.KIND_TARGET, "技术故障", *where, 900, None),
        (What.KIND_LIMIT, "技术故障", *where, 3600, None),
    ]


def test_rows_and_groups_come_and_go_and_change_places():
    def change(data):
        rows = data["rows"]
        gone = rows.pop(5)
        rows.append({**copy.deepcopy(gone), "key": "other", "name": {"zh": "别的", "en": "Other"}})
        rows[0], rows[1] = rows[1], rows[0]
        del data["groups"][0]
        for group in data["groups"]:
            group["aims"]["other"] = group["aims"].pop("proactive")
        data["difficulty"] = {"投诉": "3", "退款": "1.2"}
        data["new_months"] = 3

    found = told(change)
    assert [(what, part) for what, part, *_ in found] == [
        (What.PLAN, "new_months"),
        (What.ROW, ""),
        (What.ROW, ""),
        (What.PLAN, "order"),
        *[(What.TARGET, "")] * 4,
        (What.GROUP, ""),
        (What.DIFFICULTY, "投诉"),
        (What.DIFFICULTY, "退款"),
        (What.DIFFICULTY, "技术故障"),
    ]
    came, went = found[1], found[2]
    assert (came[4], came[5].en, went[4].en, went[5]) == (None, "Other", "Proactive service", None)
    assert found[-3][4:] == (2, 3)
    assert found[-2][4:] == (None, Fraction(6, 5))
    assert found[-1][4:] == (Fraction(3, 2), None)


def test_amounts_carry_their_unit():
    def change(data):
        data["groups"][0]["aims"]["timeliness"]["target"] = "90"

    data = starting_data()
    change(data)
    (found,) = changes(parse_plan(starting_data()), parse_plan(data))
    assert found.unit is Unit.SECONDS
