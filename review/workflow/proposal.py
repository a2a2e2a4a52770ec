"""Proposes the dates of a new cycle: the period just over, two weeks of answers, a week to finalise."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from review.domain.calendar import CycleDates, add_working_days, local_day, settled
from review.domain.period import Period, PeriodKind, period_before, period_containing
from review.infra.organisation import Organisation

MORNING, EVENING = time(9), time(18)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the form starts with and what the command takes where nothing else is said."""

    period: Period
    dates: CycleDates


def propose(now: datetime, ours: Organisation, kind: PeriodKind = PeriodKind.QUARTERLY) -> Proposal:
    """Dates for a cycle that starts on the next working day."""
    today = local_day(now, ours.zone)
    return Proposal(last_period(kind, today), dates_from(add_working_days(today, 1, ours.holidays), ours))


def last_period(kind: PeriodKind, today: date) -> Period:
    """The newest whole period of this kind that is over or ends within the coming fortnight."""
    if kind is PeriodKind.CUSTOM:
        return Period(kind, today - timedelta(days=30), today - timedelta(days=1))
    current = period_containing(kind, today)
    return current if current.end - today <= timedelta(days=14) else period_before(current)


def dates_from(first: date, ours: Organisation) -> CycleDates:
    def after(day: date, working_days: int) -> date:
        return add_working_days(day, working_days, ours.holidays)

    self_due, closes = after(first, 5), after(first, 9)
    final = after(closes, 5)
    return CycleDates(
        opens_at=settled(first, MORNING, ours.zone),
        self_due_at=settled(self_due, EVENING, ours.zone),
        supervisor_due_at=None,
        closes_at=settled(closes, EVENING, ours.zone),
        finalise_by=settled(final, EVENING, ours.zone),
        publish_on=after(final, 1),
    )
