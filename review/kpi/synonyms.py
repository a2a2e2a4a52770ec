"""The words of durations and lists as people type them, in either language, and as a field shows them back."""

from collections.abc import Mapping

SECONDS: Mapping[str, int] = {
    "秒": 1,
    "秒钟": 1,
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "分": 60,
    "分钟": 60,
    "m": 60,
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minutes": 60,
    "时": 3600,
    "小时": 3600,
    "h": 3600,
    "hr": 3600,
    "hrs": 3600,
    "hour": 3600,
    "hours": 3600,
    "天": 86400,
    "日": 86400,
    "d": 86400,
    "day": 86400,
    "days": 86400,
}
# How a field shows a duration, so that what it shows can be read again: hours, minutes, seconds, what joins them, and
# minutes by themselves: beside scores "10分" would be ten points.
SPELLED: Mapping[str, tuple[str, str, str, str, str]] = {
    "zh": ("小时", "分", "秒", "", "分钟"),
    "en": (" h", " min", " s", " ", " min"),
}
BETWEEN = "、，,；;\n"  # between the words of a list
