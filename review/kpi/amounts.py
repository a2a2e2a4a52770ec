"""Amounts as people type and read them: durations in minutes and hours, kept in seconds; shares in percent."""

import re
import unicodedata
from fractions import Fraction

from review.domain.kpi_value import plain_number
from review.domain.reading import exact
from review.domain.records import Unit
from review.domain.refusals import Invalid
from review.domain.rounding import decimal_text, exact_text, half_up
from review.kpi.synonyms import BETWEEN, SECONDS, SPELLED

_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([^\W\d_]+)\.?\s*")
_CLOCK = re.compile(r"(?:([0-9]{1,5}):)?([0-9]{1,5}):([0-5][0-9])")  # as sheets show durations


def read_amount(typed: str, unit: Unit, where: str | None = None) -> Fraction:
    """The amount in seconds, percent, points or pieces. Raises Invalid for what is none: a bare number is no time."""
    text = unicodedata.normalize("NFKC", typed).strip()
    if unit is Unit.SECONDS:
        return _seconds(text, where)
    number = exact(plain_number(text))
    if number is None:
        raise Invalid("kpi_plan:not_a_number", where, typed=typed.strip()[:40])
    return number


def _seconds(text: str, where: str | None) -> Fraction:
    clock = _CLOCK.fullmatch(text)
    if clock:
        return Fraction(int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3]))
    total, place = Fraction(0), 0
    last = None
    while place < len(text):
        part = _PART.match(text, place)
        worth = SECONDS.get(part[2].casefold()) if part else None
        if part is None or worth is None or (last is not None and worth >= last):
            raise Invalid("kpi_plan:not_a_duration", where, typed=text[:40])
        total, last, place = total + Fraction(part[1]) * worth, worth, part.end()
    if last is None:
        raise Invalid("kpi_plan:not_a_duration", where, typed=text[:40])
    return total


def spelled(amount: Fraction | None, unit: Unit, locale: str) -> str:
    """An amount as a field shows it, such that `read_amount` reads it again; empty where there is none."""
    if amount is None:
        return ""
    return _duration(amount, locale) if unit is Unit.SECONDS else rounded(amount)


def told(amount: Fraction | None, unit: Unit, locale: str) -> str:
    """An amount as a page tells it: a percent sign where it is a share, a dash where there is none."""
    if amount is None:
        return "–"
    return f"{rounded(amount)}%" if unit is Unit.PERCENT else spelled(amount, unit, locale)


def rounded(amount: Fraction) -> str:
    """Exactly where a decimal can, else with two places."""
    try:
        return exact_text(amount)
    except ValueError:
        return decimal_text(half_up(amount.numerator, amount.denominator))


def _duration(seconds: Fraction, locale: str) -> str:
    hour, minute, second, joint, minutes_alone = SPELLED["en" if locale.startswith("en") else "zh"]
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    minute = minute if hours or left else minutes_alone
    parts = [(Fraction(hours), hour), (Fraction(minutes), minute), (left, second)]
    said = [f"{rounded(number)}{word}" for number, word in parts if number]
    return joint.join(said) or f"0{second}"


def words_of(typed: str) -> list[str]:
    """A list as typed in one line: posts, channels."""
    for sign in BETWEEN:
        typed = typed.replace(sign, "\n")
    return list(dict.fromkeys(word.strip() for word in typed.split("\n") if word.strip()))
