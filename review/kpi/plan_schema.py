"""The shape of a KPI plan as JSON Schema (draft 2020-12), for editors and for whoever writes a plan by hand.

Sums, and what goes with which rule, are beyond JSON Schema; `kpi_plan.parse_plan` checks those.
"""

from review.domain.kpi import KpiRule
from review.domain.kpi_plan import (
    GROUP_KEYS,
    HIGHEST_CAP,
    LONGEST_WORD,
    MOST_BRACKETS,
    MOST_DIFFICULT,
    MOST_GROUPS,
    MOST_KINDS,
    MOST_MONTHS,
    MOST_ROWS,
    MOST_WORDS,
    PLAN_KEYS,
    ROW_KEYS,
    ROW_MAY,
    Obtained,
    Record,
    Tenure,
)
from review.domain.reading import LARGEST
from review.domain.records import Indicator, Unit
from review.kpi.library import starting_data
from review.schemes.json_nodes import BOOLEAN, DRAFT, KEY, TEXT, Node, number, object_of, or_null, shared_parts, whole

WORD: Node = {"type": "string", "minLength": 1, "maxLength": LONGEST_WORD, "pattern": r"\S"}
MOST = int(LARGEST)


def plan_schema() -> Node:
    """JSON Schema of a full plan, with the starting set as its example."""
    properties: Node = {
        "key": KEY,
        "version": whole(1, 1_000_000),
        "name": TEXT,
        "rows": _list(_row(), 1, MOST_ROWS),
        "groups": _list(_group(), 1, MOST_GROUPS),
        "difficulty": {
            "type": "object",
            "additionalProperties": number(0, MOST_DIFFICULT),
            "maxProperties": MOST_KINDS,
            "propertyNames": WORD,
        },
        "new_months": whole(0, MOST_MONTHS),
        "sheet_veto": BOOLEAN,
    }
    return {
        "$schema": DRAFT,
        "title": "KPI plan",
        **object_of({key: properties[key] for key in PLAN_KEYS}),
        "$defs": shared_parts(),
        "examples": [starting_data()],
    }


def _list(items: Node, least: int, most: int) -> Node:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _among(values: list[str]) -> Node:
    return {"enum": values}


def _row() -> Node:
    properties: Node = {
        "key": KEY,
        "group": TEXT,
        "name": TEXT,
        "indicator": or_null(_among([indicator.value for indicator in Indicator])),
        "weight": number(0, 100),
        "rule": _among([rule.value for rule in KpiRule]),
        "definition": TEXT,
        "obtained": _among([how.value for how in Obtained]),
        "record": _among([record.value for record in Record]),
        "supplier": TEXT,
        "unit": or_null(_among([unit.value for unit in Unit])),
        "full": or_null(number(0, 1000)),
        "cost": or_null(number(0, 1000)),
        "veto_at": or_null(whole(1, 1000)),
        "cap": or_null(number(0, HIGHEST_CAP)),
        "brackets": or_null(
            _list(object_of({"from": number(-MOST, MOST), "points": number(0, 100)}), 1, MOST_BRACKETS)
        ),
    }
    return object_of({key: properties[key] for key in ROW_KEYS}, {key: properties[key] for key in ROW_MAY})


def _group() -> Node:
    amount = number(0, MOST)
    kind = object_of({"kind": WORD, "target": amount}, {"limit": or_null(amount)})
    aim = object_of(
        {"target": or_null(amount)}, {"limit": or_null(amount), "by_kind": or_null(_list(kind, 0, MOST_KINDS))}
    )
    properties: Node = {
        "key": KEY,
        "name": TEXT,
        "posts": or_null(_list(WORD, 0, MOST_WORDS)),
        "tenure": _among([tenure.value for tenure in Tenure]),
        "channels": or_null(_list(WORD, 0, MOST_WORDS)),
        "aims": {"type": "object", "additionalProperties": aim, "propertyNames": KEY, "maxProperties": MOST_ROWS},
    }
    return object_of({key: properties[key] for key in GROUP_KEYS})
