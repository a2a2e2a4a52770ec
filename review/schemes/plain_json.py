"""Reads JSON from a stranger: strict, exact and bounded. Whatever is wrong becomes an Invalid, never a crash."""

import json
from decimal import Decimal

from review.domain.reading import place
from review.domain.refusals import Invalid

LARGEST_FILE = 5_000_000  # bytes
LONGEST_NUMBER = 60  # characters


class _UnfitError(ValueError):
    """Carries the refusal through the JSON parser, which knows no places."""

    def __init__(self, code: str, where: str | None = None) -> None:
        super().__init__(code)
        self.refusal = Invalid(f"schemes:{code}", where)


def parse_json(raw: bytes) -> object:
    """The document in `raw`: whole numbers as int, others as exact Decimal. Raises Invalid.

    Refused are: more than 5 MB, bytes that are no UTF-8, repeated keys, numbers of over 60 characters, and nesting
    deeper than Python's parser goes. NaN and Infinity become the only floats there are: whoever reads the document
    refuses them, and can say where they stand.
    """
    if len(raw) > LARGEST_FILE:
        raise Invalid("schemes:file_too_large", None, most=LARGEST_FILE // 1_000_000)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("schemes:not_utf8", None, byte=error.start) from None
    try:
        return json.loads(
            text,
            parse_int=_whole,
            parse_float=_decimal,
            parse_constant=float,
            object_pairs_hook=_object,
        )
    except _UnfitError as error:
        raise error.refusal from None
    except json.JSONDecodeError as error:
        raise Invalid("schemes:not_json", f"{error.lineno}:{error.colno}") from None
    except RecursionError:
        raise Invalid("schemes:too_deep") from None


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise _UnfitError("number_too_large", place("", text))
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise _UnfitError("number_too_large", place("", text))
    return Decimal(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _UnfitError("repeated_key", place("", key))
        found[key] = value
    return found
