"""The shape of a scheme as JSON Schema (draft 2020-12), for editors and for whoever writes a scheme by hand.

Sums, orders and cuts between anchors are beyond JSON Schema; `scheme.parse_scheme` checks those.
"""

from review.domain.scheme import (
    COMMENT_KEYS,
    CRITERION_KEYS,
    FLOORS,
    LONGEST_TEXT,
    MOST_ASKED,
    MOST_CRITERIA,
    PEER_COMMENTS_FLOOR,
    SCHEME_KEYS,
    TIER_KEYS,
)
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, PeerStep, Source
from review.schemes.library import builtin_data

Node = dict[str, object]

KEY: Node = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"}
BOOLEAN: Node = {"type": "boolean"}


def scheme_schema() -> Node:
    """JSON Schema of a full scheme, with the default scheme as its example."""
    properties: Node = {
        "id": KEY,
        "version": _whole(1, 1_000_000),
        "name": {"$ref": "#/$defs/text"},
        "levels": {"type": "array", "items": _level(), "minItems": len(LEVELS), "maxItems": len(LEVELS)},
        "criteria": {"type": "array", "items": _criterion(), "minItems": 1, "maxItems": MOST_CRITERIA},
        "minimums": _object({source.value: _whole(floor, MOST_ASKED) for source, floor in FLOORS.items()}),
        "supervisors_required": _whole(1, 2),
        "peer_step": {"enum": [*(step.value for step in PeerStep), None]},
        "cuts": _object({grade.value: _number(0, 100) for grade in GRADES[:-1]}),
        "rating_share": _number(0, 1),
        "bonus_cap": _number(0, 100),
        "deduction_cap": _number(0, 100),
        "kpi_cap_limit": _or_null(_number(100, 1000)),
        "comments": _comments(),
        "tiers": {"type": "array", "items": _tier(), "minItems": len(GRADES), "maxItems": len(GRADES)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scheme",
        **_object({key: properties[key] for key in SCHEME_KEYS}),
        "$defs": {
            "text": _object({language: _text() for language in ("zh", "en")}),
            "decimal": {"type": "string", "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,30})?$"},
        },
        "examples": [builtin_data("360-v1")],
    }


def _object(properties: Node) -> Node:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _whole(low: int, high: int) -> Node:
    return {"type": "integer", "minimum": low, "maximum": high}


def _number(low: int, high: int) -> Node:
    """A JSON number within the bounds, or a decimal string, whose bounds JSON Schema cannot state."""
    return {"anyOf": [{"type": "number", "minimum": low, "maximum": high}, {"$ref": "#/$defs/decimal"}]}


def _text() -> Node:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}


def _or_null(node: Node) -> Node:
    return {"anyOf": [node, {"type": "null"}]}


def _level() -> Node:
    name: Node = {"$ref": "#/$defs/text"}
    return _object({"key": {"enum": [level.value for level in LEVELS]}, "points": _whole(0, 100), "name": name})


def _criterion() -> Node:
    text: Node = {"$ref": "#/$defs/text"}
    properties: Node = {
        "key": KEY,
        "name": text,
        "description": text,
        "question": text,
        "share": _whole(1, 100),
        "weights": _object({s.value: _whole(1 if s is Source.SUPERVISOR else 0, 100) for s in COUNTING}),
        "anchors": _object({level.value: text for level in LEVELS}),
    }
    return _object({key: properties[key] for key in CRITERION_KEYS})


def _tier() -> Node:
    text: Node = {"$ref": "#/$defs/text"}
    properties: Node = {
        "grade": {"enum": [grade.value for grade in GRADES]},
        "name": text,
        "coefficient": _number(0, 10),
        "recognition": BOOLEAN,
        "coaching": BOOLEAN,
        "awards": text,
    }
    return _object({key: properties[key] for key in TIER_KEYS})


def _comments() -> Node:
    levels: Node = {"enum": [level.value for level in LEVELS]}
    properties: Node = {
        "required_for": {"type": "array", "items": levels, "maxItems": len(LEVELS)},
        "longest": _whole(1, 20_000),
        "peers_from": _or_null(_whole(PEER_COMMENTS_FLOOR, MOST_ASKED)),
    }
    return _object({key: properties[key] for key in COMMENT_KEYS})
