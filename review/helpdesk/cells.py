"""Reads single cells that are neither lengths of time, days nor answers: numbers, yes and no, words for known things.

A cell that says nothing is an empty text everywhere behind this file.
"""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from review.helpdesk.value_synonyms import (
    BLANK,
    CHANNELS,
    COMPLAINT,
    COUNTED,
    LOCALES,
    NO,
    NO_COMPLAINT,
    STATUS,
    TOTAL_ENDS,
    TOTALS,
    YES,
)
from review.infra.sheets import FORMULA_STARTS, plain

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+")
ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"([+-]?\d{1,15}(?:\.\d{1,12})?)(?:e([+-]?\d{1,2}))?\s*(%|" + COUNTED + ")?", re.IGNORECASE)
_RUNNABLE = re.compile(r"[=@＝＠]|[+\-＋－](?![\d.\s-]*$)")


def told(text: str) -> str:
    """The cell on one line, without the mark that keeps spreadsheets from running it; empty when it says nothing."""
    if len(text) < 40 and plain(text) in BLANK:
        return ""
    clean = UNPRINTABLE.sub(" ", text).strip() if not text.isprintable() else text.strip()
    return clean[1:] if clean[:1] == "'" and clean[1:].startswith(FORMULA_STARTS) else clean


def harmless(text: str) -> str:
    """Free text that no spreadsheet runs when somebody copies it out; numbers stay numbers."""
    return f"'{text}" if _RUNNABLE.match(text) else text


def is_runnable(text: str) -> bool:
    """Whether a spreadsheet would take this text for a formula."""
    return _RUNNABLE.match(text) is not None


def number(text: str) -> tuple[Fraction, bool]:
    """An exact number, and whether a percent sign stood behind it. Raises ValueError."""
    found = _NUMBER.fullmatch(_THOUSANDS.sub("", unicodedata.normalize("NFKC", text).strip().lstrip("¥$￥")))
    if found is None:
        raise ValueError(text)
    power = int(found[2] or 0)
    return Fraction(found[1]) * Fraction(10) ** power, found[3] == "%"


def count(text: str) -> int:
    """A whole number of things, not negative. Raises ValueError."""
    value, is_percent = number(text)
    if is_percent or value < 0 or value.denominator != 1 or value > 2_000_000_000:
        raise ValueError(text)
    return value.numerator


def flag(text: str) -> bool:
    """Yes or no; a number of times is yes from one. Raises ValueError."""
    word = plain(text)
    if word in YES:
        return True
    if word in NO:
        return False
    return count(text) > 0


def is_yes(text: str) -> bool:
    """Whether a mark such as `isSpam` is set: yes, or anything but no (a date of deletion, a number of a ticket)."""
    return bool(text) and plain(text) not in NO


@lru_cache(maxsize=10_000)
def speaks_of_complaint(text: str) -> bool:
    lower = text.casefold()
    for word in NO_COMPLAINT:
        lower = lower.replace(word, "")
    return any(word in lower for word in COMPLAINT)


def channel(text: str) -> str:
    """The house's word for a channel, or the system's own."""
    known = CHANNELS.get(plain(text))
    return str(known) if known else harmless(text)[:40]


def locale(text: str) -> str | None:
    known = LOCALES.get(plain(text))
    return str(known) if known else None


def status(text: str) -> object:
    """TicketStatus, a word why such a ticket is left out, or None for a state nobody knows."""
    return STATUS.get(plain(text))


def is_total(text: str) -> bool:
    return plain(text).rstrip(TOTAL_ENDS) in TOTALS


def address(text: str) -> str | None:
    lower = unicodedata.normalize("NFKC", text).strip().lower()
    return lower if len(lower) <= 254 and ADDRESS.fullmatch(lower) else None
