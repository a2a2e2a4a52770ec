"""Reads plain data (dicts, lists, strings, numbers) into typed values and collects all problems with their places.

After a problem a neutral value is handed back, so that one reading finds all mistakes; `finish` raises them at once.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import isfinite
from typing import TypeVar

from review.domain.refusals import Invalid, Problem

E = TypeVar("E", bound=StrEnum)

_DECIMAL = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,30})?")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
LARGEST = Fraction(10**12)
MOST_PROBLEMS = 100
NOTHING: Mapping[str, object] = {}


def place(where: str, step: str | int) -> str:
    """`a.b[2]`; a key that is no plain word is quoted and shortened, so that a place always stays one short line."""
    if isinstance(step, int):
        return f"{where}[{step}]"
    key = step if _PLAIN_KEY.fullmatch(step) else json.dumps(step[:30])
    return f"{where}.{key}" if where else key


def exact(value: object) -> Fraction | None:
    """The exact number in an int, a Decimal or a decimal string; None for all else, booleans and floats included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, Decimal):
        # the exponent first: 1E+999999 as an integer would fill the memory
        small = value.is_finite() and int(value.as_tuple().exponent) >= -40 and value.adjusted() <= 20
        return Fraction(value) if small else None
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Fraction(value)
    return None


class Reader:
    """One reading of one document; ask it for values by place, then `finish`."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._hollow: list[str] = []  # places where a whole part is missing: nothing more is said about its inside

    def finish(self) -> None:
        """Raise Invalid with all problems found, if any."""
        if self.problems:
            raise Invalid.of(self.problems)

    def note(self, code: str, where: str, **params: object) -> None:
        """Note a problem; a code that names no room is one of those all documents share."""
        hollow = any(where == part or where.startswith((f"{part}.", f"{part}[")) for part in self._hollow)
        if not hollow and len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(code if ":" in code else f"schemes:{code}", where or None, params))

    def mapping(
        self, value: object, where: str, required: Collection[str] = (), optional: Collection[str] = ()
    ) -> Mapping[str, object]:
        """A mapping with all `required` keys and no key beyond those and `optional`."""
        if not isinstance(value, Mapping):
            self.note("not_an_object", where)
            self._hollow.append(where)
            return NOTHING
        for key in value:
            if not isinstance(key, str) or (key not in required and key not in optional):
                self.note("unknown_key", place(where, str(key)))
        for key in required:
            if key not in value:
                self.note("missing", place(where, key))
                self._hollow.append(place(where, key))
        return value

    def items(self, value: object, where: str, most: int) -> Iterator[tuple[str, object]]:
        """The elements of a list of at most `most`, each with its place; null is an empty list."""
        if value is None:
            return
        if not isinstance(value, list | tuple):
            self.note("not_a_list", where)
            return
        if len(value) > most:
            self.note("too_many", where, most=most)
            return
        for index, element in enumerate(value):
            yield place(where, index), element

    def number(
        self, value: object, where: str, low: Fraction | int = -LARGEST, high: Fraction | int = LARGEST
    ) -> Fraction:
        """An exact number within `low` and `high`, both allowed."""
        number = exact(value)
        if number is None:
            is_endless = isinstance(value, float) and not isfinite(value)
            self.note("not_finite" if is_endless else "not_a_number", where)
            return Fraction(low)
        if not low <= number <= high:
            self.note("out_of_range", where, low=f"{low}", high=f"{high}")
            return Fraction(low)
        return number

    def whole(self, value: object, where: str, low: int, high: int) -> int:
        number = self.number(value, where, low, high)
        if number.denominator != 1:
            self.note("not_whole", where)
            return low
        return number.numerator

    def text(self, value: object, where: str, longest: int = 2000) -> str:
        """A string that is neither blank nor too long nor unprintable as UTF-8."""
        if not isinstance(value, str):
            self.note("not_text", where)
        elif not value.strip():
            self.note("blank", where)
        elif len(value) > longest:
            self.note("too_long", where, most=longest)
        elif any(0xD800 <= ord(sign) <= 0xDFFF or sign == "\0" for sign in value):
            self.note("not_text", where)
        else:
            return value
        return "-"

    def flag(self, value: object, where: str) -> bool:
        if not isinstance(value, bool):
            self.note("not_a_boolean", where)
            return False
        return value

    def choice(self, value: object, where: str, among: type[E]) -> E:
        """A member of `among` by its value; the first one after noting that the value is none of them."""
        members = list(among)
        if isinstance(value, str):
            for member in members:
                if member.value == value:
                    return member
        self.note("not_among", where, choices=", ".join(member.value for member in members))
        return members[0]
