"""Reads JSON as ticket systems export it: a list, lists inside an answer of an interface, or one object a line.

One object at a time is taken out of the text, so that a gigabyte needs no more memory than its largest object. (ijson
streams as well, but would build a nested or endless value before anybody could refuse it.)
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from review.domain.refusals import Invalid
from review.helpdesk.delimited import encoding_of
from review.helpdesk.limits import FileLimits

CHUNK = 2**18
BETWEEN = re.compile(r"[\s,\ufeff]*")
WRAPPERS = ("data", "result", "results", "response", "items", "records", "rows", "list", "body")
SINGLE = ("ticket", "ticket_metric", "satisfaction_rating", "survey_response")
NEST = 3  # wrappers within wrappers

# Numbers stay the text they are: nothing is rounded, and none is too long to be looked at.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=lambda _name: None, strict=False)

Record = Mapping[str, Any]


def records(path: Path, limits: FileLimits) -> Iterator[tuple[str, Record]]:
    """Each object with the name of the list it stands in ("" for none). Raises Invalid."""
    encoding = encoding_of(path)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding) as file:
            yield from _Text(file, limits).top()
    except UnicodeError as error:
        raise Invalid("sheets:encoding") from error
    except RecursionError as error:
        raise Invalid("helpdesk:too_deep") from error


class _Text:
    """The rest of a file: a buffer that grows up to one record and is let go behind it."""

    def __init__(self, file: IO[str], limits: FileLimits) -> None:
        self._file, self._limits = file, limits
        self._buffer, self._at, self._is_over = "", 0, False

    # ---- what stands there -----------------------------------------------------------------------------------------

    def top(self) -> Iterator[tuple[str, Record]]:
        while sign := self._peek():
            if sign == "[":
                yield from self._list("")
            elif sign == "{":
                yield from self._object_or_wrapper()
            else:
                raise Invalid("helpdesk:no_json")

    def _object_or_wrapper(self, name: str = "", depth: int = 0) -> Iterator[tuple[str, Record]]:
        """A record; or, where it is too large for one or holds lists of records, what stands in it."""
        value = self._whole()
        if value is not None:
            yield from _inside(name, value)
            return
        self._at += 1
        while (sign := self._peek(":")) != "}":
            if sign != '"' or depth > NEST:
                raise Invalid("helpdesk:no_json")
            key = self._value()
            sign = self._peek(":")
            if sign == "[":
                yield from self._list(str(key))
            elif sign == "{":
                yield from self._object_or_wrapper(name if key in WRAPPERS else str(key), depth + 1)
            else:
                self._value()
        self._at += 1

    def _list(self, name: str) -> Iterator[tuple[str, Record]]:
        self._at += 1
        while (sign := self._peek()) != "]":
            if not sign:
                raise Invalid("sheets:damaged")
            value = self._value()
            if isinstance(value, dict):
                _check_depth(value, self._limits.depth)
                yield name, value
        self._at += 1

    # ---- taking it out of the text ----------------------------------------------------------------------------------

    def _more(self) -> bool:
        if self._is_over:
            return False
        chunk = self._file.read(max(CHUNK, len(self._buffer) - self._at))
        if not chunk:
            self._is_over = True
            return False
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return True

    def _peek(self, also: str = "") -> str:
        """The next sign that is neither space nor comma nor `also`; nothing at the end of the file."""
        while True:
            found = BETWEEN.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer):
                if self._buffer[self._at] in also:
                    self._at += 1
                    continue
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _whole(self) -> Record | None:
        """The object that begins here, None where it is larger than a record may be."""
        try:
            value = self._value()
        except _TooLarge:
            return None
        return value if isinstance(value, dict) else {}

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except ValueError as error:
                if len(self._buffer) - self._at > self._limits.record:
                    raise _TooLarge("helpdesk:giant_record") from error
                if not self._more():
                    raise Invalid("sheets:damaged") from error
                continue
            # A number at the end of the buffer may go on behind it.
            if end < len(self._buffer) or not self._more():
                self._at = end
                return value


class _TooLarge(Invalid):
    """One value is larger than a record of a ticket system; what holds many records is taken apart instead."""


def _inside(name: str, value: Record) -> Iterator[tuple[str, Record]]:
    """The records of a small answer: the lists of objects in it, or itself."""
    lists = {key: each for key, each in value.items() if isinstance(each, list) and _is_of_objects(each)}
    inner = next((value[key] for key in (*WRAPPERS, *SINGLE) if isinstance(value.get(key), dict)), None)
    scalars = [key for key, each in value.items() if not isinstance(each, list | dict)]
    is_answer = any(key not in OWN_LISTS for key in lists) and not _is_record(scalars)
    if is_answer:
        for key, each in lists.items():
            for record in each:
                _check_depth(record, LIMIT_OF_DEPTH)
                yield (name if key in WRAPPERS and name else key), record
    elif inner is not None and not _is_record(scalars):
        yield from _inside(name, inner)
    elif _is_record(scalars) or not any(each == [] for each in value.values()):
        _check_depth(value, LIMIT_OF_DEPTH)
        yield name, value


LIMIT_OF_DEPTH = FileLimits().depth
# Lists of objects that belong to one record.
OWN_LISTS = frozenset(
    {"custom_fields", "fields", "comments", "answers", "subjects", "agentsHandled", "stagingData", "sharedDepartments"}
)


def _is_record(keys: list[str]) -> bool:
    return any(key in keys for key in ("id", "ticket_id", "ticketId", "created_at", "createdTime", "Id", "ID"))


def _is_of_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, dict) for each in values)


def _check_depth(value: Any, most: int) -> None:
    """Refuse a value nested deeper than `most`, without walking down it by calls."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise Invalid("helpdesk:too_deep")
