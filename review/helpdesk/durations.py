"""Reads lengths of time as ticket systems write them: `00:12:30`, `0 days 02:30 hrs`, `1小时20分`, `90秒`, PT1H.

A bare number means what its column says: the unit comes from the heading, from the system, or from HR.
"""

import re
import unicodedata
from fractions import Fraction

from review.domain.rounding import half_up
from review.helpdesk.value_synonyms import BETWEEN_PARTS, DAYS_BEFORE_CLOCK, HALF_OF, HOURS_BEHIND_CLOCK, UNITS

LONGEST = 10 * 366 * 86400
_NUMBER = r"\d{1,15}(?:\.\d{1,12})?"
_BARE = re.compile(_NUMBER)
_CLOCK = re.compile(
    rf"(?:(\d{{1,5}})\s*{DAYS_BEFORE_CLOCK}[\s,]*)?(\d{{1,6}}):(\d{{1,2}})(?::(\d{{1,2}}(?:\.\d{{1,12}})?))?"
    rf"\s*{HOURS_BEHIND_CLOCK}?"
)
_LONG_CLOCK = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2}):(\d{1,2})")
_PART = re.compile(rf"({_NUMBER})\s*({'|'.join(sorted(UNITS, key=len, reverse=True))})(?![a-z])")
_BETWEEN = re.compile(BETWEEN_PARTS)
_ISO = re.compile(
    rf"p(?:({_NUMBER})w)?(?:({_NUMBER})d)?(?:t(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?)?", re.IGNORECASE
)
_ISO_UNITS = (604800, 86400, 3600, 60, 1)
_HALF = re.compile(HALF_OF)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def seconds(text: str, unit: Fraction = Fraction(1), *, minutes_first: bool = False) -> int:
    """Whole seconds, half up. `unit` is what a bare number counts (60 for minutes), in seconds.

    `12:30` is hours and minutes, with `minutes_first` minutes and seconds. Raises ValueError for what is none, is
    negative, or longer than ten years.
    """
    told = exact_seconds(text, unit, minutes_first=minutes_first)
    return half_up(told.numerator, told.denominator, 0)


def exact_seconds(text: str, unit: Fraction = Fraction(1), *, minutes_first: bool = False) -> Fraction:
    """The same without rounding, for means."""
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).strip().casefold())
    exact = _exact(_HALF.sub("0.5", plain), unit, minutes_first=minutes_first)
    if exact > LONGEST:
        raise ValueError("longer than anybody waits")
    return exact


def _exact(text: str, unit: Fraction, *, minutes_first: bool) -> Fraction:
    if _BARE.fullmatch(text):
        return Fraction(text) * unit
    if found := _CLOCK.fullmatch(text):
        return _clock(found, minutes_first=minutes_first)
    if found := _LONG_CLOCK.fullmatch(text):
        days, hours, minutes, rest = map(int, found.groups())
        return Fraction(((days * 24 + hours) * 60 + _below(minutes)) * 60 + _below(rest))
    if (found := _ISO.fullmatch(text)) and any(found.groups()):
        return sum(
            (Fraction(part or 0) * size for part, size in zip(found.groups(), _ISO_UNITS, strict=True)), Fraction()
        )
    return _spelled_out(text)


def _clock(found: re.Match[str], *, minutes_first: bool) -> Fraction:
    days, first, second, third = found.groups()
    whole = Fraction(int(days or 0) * 86400)
    if third is None and minutes_first and days is None:
        return Fraction(int(first) * 60 + _below(int(second)))
    return whole + int(first) * 3600 + _below(int(second)) * 60 + _below(Fraction(third or 0))


def _below(part: int | Fraction) -> int | Fraction:
    if part >= 60:
        raise ValueError("a minute has sixty seconds")
    return part


def _spelled_out(text: str) -> Fraction:
    at, total = 0, Fraction()
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise ValueError(text)
        total += Fraction(found[1]) * UNITS[found[2]]
        between = _BETWEEN.match(text, found.end())
        at = between.end() if between else found.end()
    if not text:
        raise ValueError(text)
    return total
