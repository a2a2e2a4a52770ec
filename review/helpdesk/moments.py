"""Reads days and instants as ticket systems write them: ISO with or without zone, `2026/3/5 8:12`, `2026年3月5日`,
`03/05/2026 08:12 PM`, `5 Mar 2026`, numbers of days as spreadsheets keep them, seconds or milliseconds since 1970."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction

from review.helpdesk.value_synonyms import CLOCK_MARKS, WEEKDAYS

YEARS = range(1990, 2101)
FIRST_DAY_OF_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001  a wall clock without a place
EXCEL = range(32874, 73415)  # 1990 to 2100
_EXCEL = re.compile(r"\d{5}(?:\.\d{1,15})?")
_EPOCH = re.compile(r"(\d{9,10}|\d{12,13}|\d{15,16})(?:\.\d{1,6})?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[ t]?(\d{2})(\d{2})(\d{2})?)?")
_TIME = (
    r"(?:[\s,t]+(?:at\s+)?(am|pm)?\s*(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:[.,](\d{1,9}))?)?:?\s*(am|pm|a\.m\.|p\.m\.)?)?"
    r"\s*(z|utc|gmt)?\s*([+-]\d{1,2}(?::?\d{2})?)?(?:\s*\([^)]*\))?"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _TIME)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: at for at, name in enumerate(_NAMES, start=1)}
_NAME = rf"({'|'.join(_NAMES)})[a-z]*\.?"
_DAY_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+" + _NAME + r"[\s,-]+(\d{4})" + _TIME)
_NAME_DAY = re.compile(_NAME + r"[\s-]+(\d{1,2})(?:st|nd|rd|th)?[\s,-]+(\d{4})" + _TIME)
_WEEKDAYS = re.compile(WEEKDAYS)
_MARKS = re.compile("|".join(sorted(CLOCK_MARKS, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Moment:
    """A day in the organisation's zone, and the instant where a time of day was told."""

    day: date
    at: datetime | None


def moment(text: str, zone: tzinfo, *, day_first: bool = False) -> Moment:
    """What the text says; a time without zone is one of `zone`. `day_first` decides 03/05/2026.

    Raises ValueError for what is no day from 1990 to 2100.
    """
    if len(text) >= 16 and text[4] == "-" and text[7] == "-":  # by far the most frequent, and read fastest
        try:
            return _told(datetime.fromisoformat(text), zone)
        except ValueError:
            pass
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _number(plain, zone) or _written(plain, zone, day_first=day_first)


def _told(at: datetime, zone: tzinfo) -> Moment:
    local = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    if local.year not in YEARS:
        raise ValueError("no year of ours")
    return Moment(local.date(), local.astimezone(UTC))


def _number(text: str, zone: tzinfo) -> Moment | None:
    if _EXCEL.fullmatch(text) and int(text.split(".", maxsplit=1)[0]) in EXCEL:
        days = Fraction(text)
        # To the second: a spreadsheet's fraction of a day is a little off.
        local = FIRST_DAY_OF_EXCEL + timedelta(days=int(days), seconds=round((days - int(days)) * 86400))
        return _told(local, zone) if days.denominator != 1 else Moment(local.date(), None)
    if found := _EPOCH.fullmatch(text):
        size = {9: 1, 10: 1, 12: 1000, 13: 1000}.get(len(found[1]), 1_000_000)
        if len(found[1]) != 12 or int(found[1]) > 600_000_000_000:
            whole = int(found[1]) // size
            moment_of_it = datetime.fromtimestamp(whole, UTC)
            if moment_of_it.year in YEARS:
                return _told(moment_of_it, zone)
    if found := _COMPACT.fullmatch(text):
        year, month, day, *clock = found.groups()
        return _built(year, month, day, (None, *clock, None, None, None, None), zone)
    return None


def _written(text: str, zone: tzinfo, *, day_first: bool) -> Moment:
    for pattern in (_YEAR_FIRST, _YEAR_LAST):  # as it stands, before weekdays and marks are taken away
        if found := pattern.fullmatch(text):
            return _of_numbers(found, zone, year_first=pattern is _YEAR_FIRST, day_first=day_first)
    plain = _MARKS.sub(lambda found: CLOCK_MARKS[found[0]], _WEEKDAYS.sub(" ", text))
    plain = " ".join(plain.replace(" -", "-").replace("- ", "-").split()).strip(" :,")
    for pattern in (_YEAR_FIRST, _YEAR_LAST):
        if found := pattern.fullmatch(plain):
            return _of_numbers(found, zone, year_first=pattern is _YEAR_FIRST, day_first=day_first)
    if found := _DAY_NAME.fullmatch(plain):
        return _built(found[3], str(_MONTHS[found[2]]), found[1], found.groups()[3:], zone)
    if found := _NAME_DAY.fullmatch(plain):
        return _built(found[3], str(_MONTHS[found[1]]), found[2], found.groups()[3:], zone)
    raise ValueError(text)


def _of_numbers(found: re.Match[str], zone: tzinfo, *, year_first: bool, day_first: bool) -> Moment:
    first, second, third = found.groups()[:3]
    if year_first:
        return _built(first, second, third, found.groups()[3:], zone)
    month, day = (second, first) if day_first or int(first) > 12 else (first, second)
    return _built(third, month, day, found.groups()[3:], zone)


def _built(year: str | None, month: str | None, day: str | None, rest: tuple[str | None, ...], zone: tzinfo) -> Moment:
    """`rest`: am or pm before, hour, minute, second, fraction, am or pm behind, the word for UTC, the offset."""
    on = date(int(year or 0), int(month or 0), int(day or 0))
    if on.year not in YEARS:
        raise ValueError("no year of ours")
    before, hour, minute, second, _fraction, behind, in_utc, offset = (*rest, None, None, None)[:8]
    if hour is None:
        return Moment(on, None)
    at = datetime(on.year, on.month, on.day, 0, int(minute or 0), int(second or 0), tzinfo=_zone(in_utc, offset, zone))
    return _told(at + timedelta(hours=_hour(int(hour), (before or behind or "")[:1])), zone)


def _hour(hour: int, half: str) -> int:
    if hour > 24 or (half and hour > 12 and half == "a"):
        raise ValueError("no hour")
    if half == "p" and hour < 12:
        return hour + 12
    return 0 if half == "a" and hour == 12 else hour


def _zone(in_utc: str | None, offset: str | None, zone: tzinfo) -> tzinfo:
    if offset is None:
        return UTC if in_utc else zone
    digits = offset[1:].replace(":", "").ljust(4, "0") if len(offset) > 3 else offset[1:].zfill(2) + "00"
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(away if offset[0] == "+" else -away)
