"""The shape of a scheme as JSON Schema (draft 2020-12), for editors and for whoever writes a scheme by hand.

Sums, orders and cuts between anchors are beyond JSON Schema; `scheme.parse_scheme` checks those.
"""

from review.domain.scheme import (
    COMMENT_KEYS,
    CRITERION_KEYS,
    FLOORS,
    MOST_ASKED,
    MOST_CRITERIA,
    PEER_COMMENTS_FLOOR,
    SCHEME_KEYS,
    TIER_KEYS,
)
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, PeerStep, Source
from review.schemes.json_nodes import BOOLEAN, DRAFT, KEY, Node, number, object_of, or_null, shared_parts, whole
from review.schemes.library import builtin_data


def scheme_schema() -> Node:
    """JSON Schema of a full scheme, with the default scheme as its example."""
    properties: Node = {
        "id": KEY,
        "version": whole(1, 1_000_000),
        "name": {"$ref": "#/$defs/text"},
        "levels": {"type": "array", "items": _level(), "minItems": len(LEVELS), "maxItems": len(LEVELS)},
        "criteria": {"type": "array", "items": _criterion(), "minItems": 1, "maxItems": MOST_CRITERIA},
        "minimums": object_of({source.value: whole(floor, MOST_ASKED) for source, floor in FLOORS.items()}),
        "supervisors_required": whole(1, 2),
        "peer_step": {"enum": [*(step.value for step in PeerStep), None]},
        "cuts": object_of({grade.value: number(0, 100) for grade in GRADES[:-1]}),
        "rating_share": number(0, 1),
        "bonus_cap": number(0, 100),
        "deduction_cap": number(0, 100),
        "kpi_cap_limit": or_null(number(100, 1000)),
        "comments": _comments(),
        "tiers": {"type": "array", "items": _tier(), "minItems": len(GRADES), "maxItems": len(GRADES)},
    }
    return {
        "$schema": DRAFT,
        "title": "scheme",
        **object_of({key: properties[key] for key in SCHEME_KEYS}),
        "$defs": shared_parts(),
        "examples": [builtin_data("360-v1")],
    }


def _level() -> Node:
    name: Node = {"$ref": "#/$defs/text"}
    return object_of({"key": {"enum": [level.value for level in LEVELS]}, "points": whole(0, 100), "name": name})


def _criterion() -> Node:
    text: Node = {"$ref": "#/$defs/text"}
    properties: Node = {
        "key": KEY,
        "name": text,
        "description": text,
        "question": text,
        "share": whole(1, 100),
        "weights": object_of({s.value: whole(1 if s is Source.SUPERVISOR else 0, 100) for s in COUNTING}),
        "anchors": object_of({level.value: text for level in LEVELS}),
    }
    return object_of({key: properties[key] for key in CRITERION_KEYS})


def _tier() -> Node:
    text: Node = {"$ref": "#/$defs/text"}
    properties: Node = {
        "grade": {"enum": [grade.value for grade in GRADES]},
        "name": text,
        "coefficient": number(0, 10),
        "recognition": BOOLEAN,
        "coaching": BOOLEAN,
        "awards": text,
    }
    return object_of({key: properties[key] for key in TIER_KEYS})


def _comments() -> Node:
    levels: Node = {"enum": [level.value for level in LEVELS]}
    properties: Node = {
        "required_for": {"type": "array", "items": levels, "maxItems": len(LEVELS)},
        "longest": whole(1, 20_000),
        "peers_from": or_null(whole(PEER_COMMENTS_FLOOR, MOST_ASKED)),
    }
    return object_of({key: properties[key] for key in COMMENT_KEYS})
