"""The stretch of days a review is about: months, quarters, half-years, years, or whatever HR types."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from review.domain.refusals import Invalid, Problem


class PeriodKind(StrEnum):
    """How often an organisation reviews."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    CUSTOM = "custom"


_MONTHS = {PeriodKind.MONTHLY: 1, PeriodKind.QUARTERLY: 3, PeriodKind.HALF_YEARLY: 6, PeriodKind.YEARLY: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both days included."""

    kind: PeriodKind
    start: date
    end: date

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it: it ends before it starts, or is not the month, quarter, ... it says it is."""
        if self.end < self.start:
            yield Problem("calendar:not_after", "period_end", {"other": "period_start"})
        elif self.kind is not PeriodKind.CUSTOM and self != period_containing(self.kind, self.start):
            yield Problem("calendar:not_a_whole_period", "period_end", {"kind": self.kind.value})

    @property
    def key(self) -> str:
        """A name without language that sorts by time within one kind: 2026-03, 2026-Q1, 2026-H1, 2026, or two days."""
        year, month = self.start.year, self.start.month
        match self.kind:
            case PeriodKind.MONTHLY:
                return f"{year:04}-{month:02}"
            case PeriodKind.QUARTERLY:
                return f"{year:04}-Q{(month + 2) // 3}"
            case PeriodKind.HALF_YEARLY:
                return f"{year:04}-H{(month + 5) // 6}"
            case PeriodKind.YEARLY:
                return f"{year:04}"
            case PeriodKind.CUSTOM:
                return f"{self.start}/{self.end}"


def period_containing(kind: PeriodKind, day: date) -> Period:
    """The whole calendar period of `kind` that `day` lies in; raises Invalid for custom periods, which have no grid."""
    if kind is PeriodKind.CUSTOM:
        raise Invalid("calendar:custom_period_has_no_grid", "period_kind")
    months = _MONTHS[kind]
    start = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return Period(kind, start, _last_day(start.year, start.month + months - 1))


def period_before(period: Period) -> Period:
    """The period of the same kind, for a custom one of the same length, that ends the day before `period` starts."""
    last = period.start - timedelta(days=1)
    if period.kind is PeriodKind.CUSTOM:
        return Period(period.kind, last - (period.end - period.start), last)
    return period_containing(period.kind, last)


def _last_day(year: int, month: int) -> date:
    return date(year, month, 31) if month == 12 else date(year, month + 1, 1) - timedelta(days=1)
