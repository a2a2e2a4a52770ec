"""Figures of a sheet as people read them: 150 seconds are 2 min 30 s, a share has its percent sign."""

from collections.abc import Callable
from fractions import Fraction

from review.domain.kpi import KpiRule
from review.domain.records import Unit
from review.domain.refusals import Problem
from review.domain.rounding import half_up, short_text
from review.infra.words import say
from review.kpi.printed import PrintedRow

Say = Callable[..., str]
NONE = "–"


def words_in(locale: str) -> Say:
    """The words of printed sheets in a language, by key; they stand in templates/kpi/_paper_words.html."""

    def word(key: str, **params: object) -> str:
        return say(Problem(f"kpi:paper:{key}", None, params), locale)

    return word


def figure(value: Fraction | None, unit: Unit | None, word: Say) -> str:
    """A figure in its unit; a dash where there is none."""
    if value is None:
        return NONE
    if unit is Unit.SECONDS:
        return duration(value, word)
    text = short_text(value)
    return f"{text}%" if unit is Unit.PERCENT else text


def duration(seconds: Fraction, word: Say) -> str:
    """Whole seconds, rounded half up, in the two largest units that say something."""
    whole = half_up(seconds.numerator, seconds.denominator, 0)
    hours, rest = divmod(abs(whole), 3600)
    minutes, left = divmod(rest, 60)
    sign = "−" if whole < 0 else ""
    if hours:
        key = "hours_minutes" if minutes else "hours"
    elif minutes:
        key = "minutes_seconds" if left else "minutes"
    else:
        key = "seconds"
    return sign + word(key, hours=hours, minutes=minutes, seconds=left)


def rule_words(row: PrintedRow, word: Say) -> str:
    """How the row turns its figure into points, in one sentence."""

    def told(value: Fraction | None) -> str:
        return figure(value, row.unit, word)

    match row.rule:
        case KpiRule.HIGHER:
            return word("rule_higher", cap=short_text(row.cap))
        case KpiRule.LOWER:
            return word("rule_lower", limit=told(row.limit))
        case KpiRule.LAPSES:
            key = "rule_lapses_veto" if row.veto_at is not None else "rule_lapses"
            full, cost = (short_text(value or Fraction(0)) for value in (row.full, row.cost))
            return word(key, full=full, cost=cost, veto_at=row.veto_at)
        case KpiRule.POINTS:
            return word("rule_points")
        case KpiRule.BRACKETS:
            steps = [word("bracket", start=told(one.start), points=short_text(one.points)) for one in row.brackets]
            return word("rule_brackets", steps=word("between").join(steps))


def actual_of(row: PrintedRow, word: Say) -> str:
    """What was reached: the figure with what it rests on, the lapses, or why the row does not apply."""
    if row.why:
        return word("not_applicable")
    if row.rule is KpiRule.LAPSES:
        return NONE if row.lapses is None else word("lapses", count=row.lapses)
    if row.rule is KpiRule.POINTS and row.actual is None:
        return NONE
    told = figure(row.actual, row.unit, word)
    if row.actual is None or row.count is None or row.unit not in {Unit.PERCENT, Unit.SECONDS, Unit.POINTS}:
        return told
    return word("over_count", value=told, count=short_text(row.count))
