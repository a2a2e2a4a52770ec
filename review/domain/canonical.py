"""One spelling for each value, so that a hash of it can be checked by anybody with a JSON library and SHA-256."""

import hashlib
import json


def canonical_json(value: object) -> bytes:
    """Keys sorted, no white space, UTF-8, whole numbers only. Raises TypeError for a float: it has no one spelling."""
    _refuse_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical spelling; pass a decimal string")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    for part in parts:
        if type(part) is not str and type(part) is not int:  # most leaves: spare the call
            _refuse_floats(part)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
