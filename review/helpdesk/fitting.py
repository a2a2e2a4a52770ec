"""Tells by its cells what a column holds whose name may mean two things: 解决时间 is a length of time, or a day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC

from review.helpdesk import cells, durations, moments, scales
from review.helpdesk.value_synonyms import UNITS

LOOKS = 120
MOST_STRANGE = 0.7  # of cells that do not fit: then the name was misleading

DURATIONS = frozenset(
    {
        *("first_response", "first_response_business", "resolution", "resolution_business", "first_resolution"),
        *("first_resolution_business", "customer_wait", "customer_wait_business", "handling", "resolution_hours"),
        "first_response_exact",
    }
)
MOMENTS = frozenset({"opened_at", "closed_at", "updated_at", "first_response_at", "csat_at", "asked_at"})
COUNTS = frozenset({"reopens", "replies", "reassigns", "assignee_stations", "good_count", "ok_count", "bad_count"})
# What a column is instead where its cells do not fit; nothing where they fit neither.
INSTEAD: Mapping[str, str] = {
    "first_response": "first_response_at",
    "first_response_at": "first_response",
    "resolution": "closed_at",
    "closed_at": "resolution",
    "csat": "csat_comment",
}


def _is_duration(text: str) -> bool:
    durations.seconds(text, UNITS["s"])
    return not _looks_like_day(text)


def _looks_like_day(text: str) -> bool:
    """More than a bare number that could be a day of a spreadsheet."""
    try:
        moments.moment(text, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return not text.replace(".", "").isdigit() or len(text) >= 8


def _is_moment(text: str) -> bool:
    if text == "0":
        return True
    moments.moment(text, UTC)
    return True


def _is_answer(text: str) -> bool:
    scales.answer(text, scales.Scale.HUNDRED)
    return True


def _is_count(text: str) -> bool:
    return cells.count(text) >= 0


def _is_number(text: str) -> bool:
    return cells.number(text)[0] >= 0


def _is_flag(text: str) -> bool:
    return cells.speaks_of_complaint(text) or cells.flag(text) is not None


def _test_of(field: str) -> Callable[[str], bool] | None:
    if field in DURATIONS:
        return _is_duration
    if field in MOMENTS:
        return _is_moment
    if field in COUNTS:
        return _is_count
    return {"csat": _is_answer, "difficulty": _is_number, "complaint": _is_flag}.get(field)


def _fits(field: str, texts: Sequence[str]) -> bool:
    test = _test_of(field)
    if test is None or not texts:
        return True
    strange = 0
    for text in texts:
        try:
            strange += not test(text)
        except (ValueError, OverflowError, OSError):
            strange += 1
    return strange <= MOST_STRANGE * len(texts)


def field_that_fits(field: str, sample: Sequence[str]) -> str:
    """The field itself, what it is instead, or nothing; a few strange cells are told row by row, not here."""
    texts = [told for cell in sample if (told := cells.told(cell))][:LOOKS]
    if _fits(field, texts):
        return field
    instead = INSTEAD.get(field, "")
    return instead if instead and _fits(instead, texts) else "" if field not in MOMENTS | DURATIONS else field
