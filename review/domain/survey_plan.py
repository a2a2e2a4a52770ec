"""How surveys of one cycle go out: by a list, after closed tickets, every month or every two months; and its waves.

A wave (批次) is one sending: the tickets it asks about, the day it is due, and how much of everybody's quota is to be
reached by then. Days are the organisation's; nothing here asks what day it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from review.domain.period import Period
from review.domain.refusals import Invalid, Problem
from review.domain.strata import quota

EXPECTED_PERCENT = 40  # what a careful HR reckons with; the goal is 70
LONGEST_DELAY = 14 * 24  # hours
LONGEST_VALID = 30  # days


class Mode(StrEnum):
    """When customers are asked."""

    LIST = "list"  # HR presses the button; everybody in the list is asked
    TICKET = "ticket"  # some hours or days after a ticket was closed
    MONTHLY = "monthly"
    BIMONTHLY = "bimonthly"


_MONTHS = {Mode.MONTHLY: 1, Mode.BIMONTHLY: 2}


class Suppressed(StrEnum):
    """Why nobody is asked about a ticket; the first reason that holds is told."""

    EXCLUDED = "excluded"  # left out on request, decided by HR
    NOT_OPENED = "not_opened"  # the customer did not open the session
    NOT_ANSWERED = "not_answered"  # the agent never answered
    REOPENED = "reopened"  # it is open again
    UNSUBSCRIBED = "unsubscribed"
    UNREACHABLE = "unreachable"  # letters to the address came back for good
    ASKED_HERE = "asked_here"  # already asked in this cycle
    ASKED_LATELY = "asked_lately"  # asked within thirty days
    TOO_SOON = "too_soon"  # closed so lately that the delay still runs; a later wave asks


class Withdrawn(StrEnum):
    """Why an invitation was taken back before anybody answered it."""

    REOPENED = "reopened"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyPlan:
    """What HR decides. `per_person` is how many are asked about each person (None: the quota); a list asks everybody.

    `delay_hours` and `window_days` belong to surveys after closed tickets: asked no sooner than the delay and no later
    than the window after the closing.
    """

    mode: Mode = Mode.LIST
    everybody: bool = True
    expected_percent: int = EXPECTED_PERCENT
    per_person: int | None = None
    delay_hours: int = 24
    window_days: int = 14
    valid_days: int = LONGEST_VALID

    def check(self, minimum: int) -> None:
        """Raises Invalid with everything that makes no sense; `minimum` is the answers the scheme asks for."""
        limits = (
            ("expected_percent", 5, 100),
            ("delay_hours", 1, LONGEST_DELAY),
            ("window_days", 1, 60),
            ("valid_days", 1, LONGEST_VALID),
        )
        problems = [
            Problem("customer_survey:out_of_range", name, {"low": low, "high": high})
            for name, low, high in limits
            if not low <= getattr(self, name) <= high
        ]
        if not problems and self.window_days * 24 < self.delay_hours:
            problems.append(Problem("customer_survey:window_under_delay", "window_days"))
        if self.per_person is not None and not minimum <= self.per_person <= 1000:
            problems.append(Problem("customer_survey:too_few_a_person", "per_person", {"low": minimum, "high": 1000}))
        if problems:
            raise Invalid.of(problems)

    def quota(self, minimum: int) -> int:
        """How many are to be asked about each person over the whole cycle."""
        return quota(minimum, self.expected_percent) if self.per_person is None else self.per_person


@dataclass(frozen=True, slots=True)
class Wave:
    """One sending. `key` names it within the cycle; `part` of the quota is to be reached when it has gone out."""

    key: str
    first: date
    last: date
    due_on: date
    part: Fraction


def list_wave(period: Period, number: int, today: date) -> Wave:
    """The sending HR asks for by the button: the whole period at once."""
    return Wave(f"list-{number}", period.start, period.end, today, Fraction(1))


def waves(mode: Mode, period: Period) -> tuple[Wave, ...]:
    """The waves of a period with a calendar: months, or pairs of months from its first day. None for other modes.

    Each is due on the day after its last one; the parts follow the days, so a short last month asks for less.
    """
    if mode not in _MONTHS:
        return ()
    days = (period.end - period.start).days + 1
    found = []
    for number, (first, last) in enumerate(_stretches(period, _MONTHS[mode]), start=1):
        part = Fraction((last - period.start).days + 1, days)
        found.append(Wave(f"{mode.value}-{number}", first, last, last + timedelta(days=1), part))
    return tuple(found)


def ticket_wave(period: Period, today: date, window_days: int) -> Wave:
    """The sending of one day: tickets closed within the window, and as much of the quota as of the period is over."""
    days = (period.end - period.start).days + 1
    over = min(max((today - period.start).days + 1, 0), days)
    first = max(period.start, today - timedelta(days=window_days))
    return Wave(f"day-{today}", first, min(period.end, today), today, Fraction(over, days))


def _stretches(period: Period, months: int) -> Iterator[tuple[date, date]]:
    first = period.start
    while first <= period.end:
        later = first.year * 12 + first.month - 1 + months
        following = date(later // 12, later % 12 + 1, 1)
        last = min(following - timedelta(days=1), period.end)
        yield first, last
        first = last + timedelta(days=1)
