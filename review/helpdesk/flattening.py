"""Makes rows of text of JSON records: `metric_set.reply_time_in_minutes.calendar` becomes a heading like any other."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Flat = dict[str, str]
# One object of these holds many rows, each with what stands beside the list.
SPREAD = ("statistic_list",)
LISTED_FIELDS = ("custom_fields", "fields", "customFields")


def spread(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The record; or its rows, where it is somebody with a list of statistics."""
    for key in SPREAD:
        rows = record.get(key)
        if isinstance(rows, list):
            beside = {name: value for name, value in record.items() if name != key}
            yield from ({**beside, **row} for row in rows if isinstance(row, dict))
            return
    yield record


def flat(record: Mapping[str, Any]) -> Flat:
    """Every scalar by its path; lists of words as `a; b`, lists of objects as JSON."""
    found: Flat = {}
    _fill(found, "", record)
    return found


def _fill(found: Flat, prefix: str, record: Mapping[str, Any]) -> None:
    for key, value in record.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            _fill(found, f"{path}.", value)
        elif isinstance(value, list):
            _fill_list(found, path, value)
        elif value is not None:
            found[path] = _text(value)


def _fill_list(found: Flat, path: str, values: list[Any]) -> None:
    if not any(isinstance(each, dict | list) for each in values):
        found[path] = "; ".join(_text(each) for each in values if each is not None)
        return
    if path in LISTED_FIELDS:
        for each in values:
            if isinstance(each, dict) and not isinstance(each.get("value"), dict | list | type(None)):
                found[f"custom_fields.{each.get('title') or each.get('id')}"] = _text(each["value"])
        return
    found[path] = json.dumps(values, ensure_ascii=False)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
