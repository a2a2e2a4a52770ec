"""Dates as people read them, in the organisation's zone: `1月13日（周三）18:00`, `Wed 13 Jan, 18:00`."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time


def local(value: datetime, zone: str | ZoneInfo) -> datetime:
    """The moment on the organisation's wall clock; a value without zone is UTC, as the columns hold it."""
    moment_in_utc = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment_in_utc.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


def _date(value: date, zone: str | ZoneInfo) -> date:
    return local(value, zone).date() if isinstance(value, datetime) else value


def day(value: date, locale: str, zone: str | ZoneInfo) -> str:
    """Day with its weekday: `1月13日（周三）`, `Wed 13 Jan`."""
    on = _date(value, zone)
    if locale == "zh":
        return f"{format_skeleton('MMMd', on, locale='zh')}（{format_date(on, 'EEE', locale='zh')}）"
    return format_date(on, "EEE d MMM", locale="en")


def full_day(value: date, locale: str, zone: str | ZoneInfo) -> str:
    """Day with its year, where the year is not plain from the page: `2027年1月13日`, `13 Jan 2027`."""
    on = _date(value, zone)
    if locale == "zh":
        return str(format_date(on, "long", locale="zh"))
    return str(format_date(on, "d MMM y", locale="en"))


def clock(value: datetime, zone: str | ZoneInfo) -> str:
    """The time of day, 24 hours: `18:00`."""
    return str(format_time(local(value, zone).time(), "HH:mm", locale="en"))


def deadline(value: datetime, locale: str, zone: str | ZoneInfo) -> str:
    """Day, weekday and time: `1月13日（周三）18:00`, `Wed 13 Jan, 18:00`."""
    return f"{day(value, locale, zone)}{'' if locale == 'zh' else ', '}{clock(value, zone)}"


def moment(value: datetime, locale: str, zone: str | ZoneInfo) -> str:
    """When something happened, year included: `2027年1月13日 18:00`, `13 Jan 2027, 18:00`."""
    return f"{full_day(value, locale, zone)}{' ' if locale == 'zh' else ', '}{clock(value, zone)}"


def span(first: date, last: date, locale: str, zone: str | ZoneInfo) -> str:
    """From day to day without repeating the month: `1月4–15日`, `4–15 Jan`; `12月28日–1月8日`, `28 Dec – 8 Jan`."""
    begin, end = _date(first, zone), _date(last, zone)
    if begin == end:
        return _short(begin, locale)
    if (begin.year, begin.month) != (end.year, end.month):
        return f"{_short(begin, locale)}{'–' if locale == 'zh' else ' – '}{_short(end, locale)}"
    if locale == "zh":
        month = format_date(end, "MMM", locale="zh")
        return f"{month}{begin.day}–{_short(end, 'zh').removeprefix(month)}"
    return f"{begin.day}–{_short(end, locale)}"


def _short(on: date, locale: str) -> str:
    return str(format_skeleton("MMMd", on, locale="zh") if locale == "zh" else format_date(on, "d MMM", locale="en"))
