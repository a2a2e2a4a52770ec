"""The pieces a JSON Schema (draft 2020-12) of ours is put together from."""

from review.domain.scheme import LONGEST_TEXT

Node = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
KEY: Node = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"}
BOOLEAN: Node = {"type": "boolean"}
DECIMAL: Node = {"type": "string", "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,30})?$"}
TEXT: Node = {"$ref": "#/$defs/text"}


def object_of(properties: Node, optional: Node | None = None) -> Node:
    """An object with all of `properties`, perhaps some of `optional`, and nothing else."""
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def whole(low: int, high: int) -> Node:
    return {"type": "integer", "minimum": low, "maximum": high}


def number(low: int, high: int) -> Node:
    """A JSON number within the bounds, or a decimal string, whose bounds JSON Schema cannot state."""
    return {"anyOf": [{"type": "number", "minimum": low, "maximum": high}, {"$ref": "#/$defs/decimal"}]}


def text() -> Node:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}


def or_null(node: Node) -> Node:
    return {"anyOf": [node, {"type": "null"}]}


def shared_parts() -> Node:
    """What `$ref` in a schema of ours points at."""
    return {"text": object_of({language: text() for language in ("zh", "en")}), "decimal": DECIMAL}
