"""The schemes that come with the product, by id. They are data; nothing of a scheme stands in the program."""

import json
from functools import cache
from pathlib import Path

from review.domain.refusals import OutOfReach
from review.domain.scheme import Scheme, parse_scheme

SHELF = Path(__file__).resolve().parent
BUILTIN = ("360-v1",)
DEFAULT_SCHEME = "360-v1"


def builtin_data(scheme_id: str) -> dict[str, object]:
    """The plain data of a packaged scheme, fresh for the caller to change. Raises OutOfReach for an unknown id."""
    if scheme_id not in BUILTIN:
        raise OutOfReach("schemes:unknown_scheme", "scheme", known=", ".join(BUILTIN))
    data: dict[str, object] = json.loads((SHELF / f"{scheme_id}.json").read_text(encoding="utf-8"))
    return data


@cache
def builtin(scheme_id: str = DEFAULT_SCHEME) -> Scheme:
    """A packaged scheme by its id. Raises OutOfReach for an unknown one."""
    return parse_scheme(builtin_data(scheme_id))
