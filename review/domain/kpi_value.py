"""Figures as people type and read them: shares in percent, durations as h:mm:ss or in seconds, amounts as decimals."""

import re
import unicodedata
from fractions import Fraction

from review.domain.kpi import KpiRule
from review.domain.kpi_plan import PlanRow
from review.domain.reading import LARGEST, exact
from review.domain.records import Unit
from review.domain.refusals import Invalid
from review.domain.rounding import decimal_text, exact_text, half_up, hundredths

_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{2}(?:\.\d{1,9})?)")


def read_value(typed: str, row: PlanRow, where: str | None = None) -> Fraction:
    """What was typed as a figure of this row. Raises Invalid with what is wrong about it."""
    text = plain_number(typed).replace(" ", "").rstrip("s")
    value = _clock(text) if row.unit is Unit.SECONDS and ":" in text else exact(text)
    if value is None:
        raise Invalid("kpi_sheet:not_a_duration" if row.unit is Unit.SECONDS else "kpi_sheet:not_a_number", where)
    low, high = _bounds(row)
    if not low <= value <= high:
        raise Invalid("kpi_sheet:out_of_range", where, low=shown(low, Unit.COUNT), high=shown(high, Unit.COUNT))
    if row.rule is KpiRule.LAPSES and value.denominator != 1:
        raise Invalid("kpi_sheet:not_whole", where)
    return value


def plain_number(typed: str) -> str:
    """What was typed as a decimal, without percent sign and thousands' commas; what is no number stays as it is.

    "87,5" stays: whether that comma parts thousands or decimals nobody is to guess.
    """
    text = unicodedata.normalize("NFKC", typed).strip().removesuffix("%").strip()
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


def _clock(text: str) -> Fraction | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return 3600 * Fraction(hours or 0) + 60 * Fraction(minutes) + Fraction(seconds)


def _bounds(row: PlanRow) -> tuple[Fraction, Fraction]:
    if row.rule is KpiRule.POINTS or row.unit is Unit.POINTS:
        return Fraction(0), Fraction(100)
    if row.rule is KpiRule.LAPSES:
        return Fraction(0), Fraction(1_000_000)
    if row.unit is Unit.PERCENT and row.indicator is not None:
        return Fraction(0), Fraction(100)
    return (-LARGEST if row.rule is KpiRule.BRACKETS else Fraction(0)), LARGEST


def shown(value: Fraction | None, unit: Unit | None) -> str:
    """The figure as it is printed, rounded once to two places; durations as h:mm:ss to the second."""
    if value is None:
        return "–"
    if unit is Unit.SECONDS:
        return clock(value)
    amount = short(value)
    return f"{amount}%" if unit is Unit.PERCENT else amount


def short(value: Fraction) -> str:
    """As short as it is exact, at most two places: "86", "86.5", "86.67"."""
    text = decimal_text(hundredths(value))
    return text.rstrip("0").rstrip(".")


def clock(value: Fraction) -> str:
    """Seconds as "1:05" or "2:01:05"."""
    whole = half_up(value.numerator, value.denominator, 0)
    sign, whole = ("-" if whole < 0 else ""), abs(whole)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"{sign}{minutes}:{seconds:02}"


def typed(value: Fraction | None, unit: Unit | None) -> str:
    """The figure as it stands in a field: typing it again gives the same one, where it is a finite decimal."""
    if value is None:
        return ""
    if unit is Unit.SECONDS and value.denominator == 1 and value >= 60:
        return clock(value)
    try:
        return exact_text(value)
    except ValueError:
        return decimal_text(half_up(value.numerator, value.denominator, 9), 9)
