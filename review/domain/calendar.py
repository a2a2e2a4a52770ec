"""Days and clocks of an organisation: typed local times, working days, reminders, and the dates of a cycle.

Nothing here asks what time it is. Instants are aware UTC datetimes; a naive one raises ValueError.

Rule for the hours that clocks skip or repeat: a time that a person typed is refused in both cases, because a deadline
everyone must be able to read off a wall clock has to exist exactly once. A time the program derives (10:00 of a
reminder, the end of a working day) is never refused: a skipped one moves to the first instant after the gap, of a
repeated one the first is taken.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from review.domain.period import Period
from review.domain.refusals import Invalid, Problem

REMINDER_DAYS = (3, 1)
REMINDER_TIME = time(10)
END_OF_DAY = time(23, 59)
_LONGEST_BREAK = 370


def to_utc(day: date, at: time, zone: ZoneInfo, where: str | None = None) -> datetime:
    """The instant at which a person's wall clock shows `at` on `day`; raises Invalid unless there is exactly one."""
    instants = _instants(day, at, zone)
    if len(instants) != 1:
        code = "calendar:time_skipped" if not instants else "calendar:time_repeated"
        raise Invalid(code, where, day=day, at=at, zone=zone.key)
    return instants[0]


def settled(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant for a time that the program derived, by the rule above; never refuses."""
    instants = _instants(day, at, zone)
    if instants:
        return instants[0]
    # In a gap, fold=1 reads the clock by the offset after it: too early by the gap. Minutes suffice: gaps end on one.
    instant = datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC)
    while instant.astimezone(zone).replace(tzinfo=None) < datetime.combine(day, at):
        instant += timedelta(minutes=1)
    return instant


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day that `instant` falls on in `zone`."""
    return _aware(instant).astimezone(zone).date()


def is_working_day(day: date, holidays: Collection[date] = (), made_up: Collection[date] = ()) -> bool:
    """Whether people work on `day`; `made_up` are weekend days worked in exchange for a holiday (调休)."""
    return day in made_up or (day.weekday() < 5 and day not in holidays)


def last_working_day(day: date, holidays: Collection[date] = (), made_up: Collection[date] = ()) -> date:
    """`day` itself when it is a working day, otherwise the nearest one before it."""
    return next(earlier for earlier in _days(day, -1) if is_working_day(earlier, holidays, made_up))


def add_working_days(day: date, count: int, holidays: Collection[date] = (), made_up: Collection[date] = ()) -> date:
    """The `count`-th working day after `day`, which itself never counts; for 0 `day` itself or the next working day."""
    if count < 0:
        raise ValueError("working days are counted forwards")
    found = day if count else next(later for later in _days(day, 1) if is_working_day(later, holidays, made_up))
    for _ in range(count):
        following = _days(found + timedelta(days=1), 1)
        found = next(later for later in following if is_working_day(later, holidays, made_up))
    return found


def clock_ends(
    started_at: datetime, days: int, zone: ZoneInfo, holidays: Collection[date] = (), made_up: Collection[date] = ()
) -> datetime:
    """When a clock of `days` working days (acknowledgement, appeal) runs out: 23:59 local time of the last one."""
    return settled(add_working_days(local_day(started_at, zone), days, holidays, made_up), END_OF_DAY, zone)


def reminder_days(
    closes_at: datetime, zone: ZoneInfo, holidays: Collection[date] = (), made_up: Collection[date] = ()
) -> list[datetime]:
    """When to remind, earliest first, as local times: 10:00, three days and one day before the day of closing.

    A reminder that would fall on a free day moves to the last working day before; two that meet become one.
    """
    closing = local_day(closes_at, zone)
    wanted = {last_working_day(closing - timedelta(days=ahead), holidays, made_up) for ahead in REMINDER_DAYS}
    instants = sorted(settled(day, REMINDER_TIME, zone) for day in wanted)
    return [instant.astimezone(zone) for instant in instants if instant < closes_at]


def due_reminder(
    now: datetime,
    reminders: Collection[datetime],
    closes_at: datetime,
    sent: Collection[datetime] = (),
    holidays: Collection[date] = (),
    made_up: Collection[date] = (),
) -> datetime | None:
    """The one of `reminders` (as reminder_days gives them) to send at `now`, or None.

    One that was missed (the worker stood still) is made up for, but only before the close, on a working day and not
    before 10:00; those it overtook meanwhile are never sent.
    """
    latest = max((reminder for reminder in reminders if reminder <= _aware(now)), default=None)
    if latest is None or latest in sent or now >= closes_at:
        return None
    local = now.astimezone(latest.tzinfo)
    decent = local.time() >= REMINDER_TIME and is_working_day(local.date(), holidays, made_up)
    return latest if decent else None


@dataclass(frozen=True, slots=True)
class CycleDates:
    """The dates of a cycle: instants in UTC, and the local day on which results are to be published."""

    opens_at: datetime
    self_due_at: datetime
    supervisor_due_at: datetime | None  # None: until the results are to be final
    closes_at: datetime
    finalise_by: datetime
    publish_on: date

    def __post_init__(self) -> None:
        for name in _INSTANTS:
            if (instant := getattr(self, name)) is not None:
                _aware(instant)


_INSTANTS = ("opens_at", "self_due_at", "supervisor_due_at", "closes_at", "finalise_by")
# (earlier, later): in the first list the later one must come strictly after, in the second they may coincide.
_IN_ORDER = (
    ("opens_at", "self_due_at"),
    ("opens_at", "supervisor_due_at"),
    ("opens_at", "closes_at"),
    ("closes_at", "finalise_by"),
)
_NOT_AFTER = (("self_due_at", "closes_at"), ("supervisor_due_at", "finalise_by"))
_STILL_AHEAD = ("self_due_at", "supervisor_due_at", "closes_at", "finalise_by")


def date_problems(
    dates: CycleDates, period: Period, zone: ZoneInfo, launching_at: datetime | None = None
) -> tuple[Problem, ...]:
    """Everything wrong with the dates of a cycle, each problem at the field to correct; empty when they make sense.

    With `launching_at`, deadlines that would be over at that moment are wrong too (an opening in the past is not:
    the cycle then opens at once).
    """
    problems = [*_order_problems(dates), *_day_problems(dates, period, zone)]
    if launching_at is not None:
        problems += _past_problems(dates, zone, launching_at)
    return tuple(problems)


def _order_problems(dates: CycleDates) -> Iterator[Problem]:
    for earlier, later in _IN_ORDER:
        first, second = getattr(dates, earlier), getattr(dates, later)
        if second is not None and second <= first:
            yield Problem("calendar:not_after", later, {"other": earlier})
    for earlier, later in _NOT_AFTER:
        first, second = getattr(dates, earlier), getattr(dates, later)
        if first is not None and first > second:
            yield Problem("calendar:later_than", earlier, {"other": later})


def _day_problems(dates: CycleDates, period: Period, zone: ZoneInfo) -> Iterator[Problem]:
    if dates.publish_on < local_day(dates.finalise_by, zone):
        yield Problem("calendar:not_after", "publish_on", {"other": "finalise_by"})
    yield from period.problems()
    if local_day(dates.closes_at, zone) < period.start:
        yield Problem("calendar:closes_before_period", "closes_at", {"start": period.start})


def _past_problems(dates: CycleDates, zone: ZoneInfo, now: datetime) -> Iterator[Problem]:
    for name in _STILL_AHEAD:
        instant = getattr(dates, name)
        if instant is not None and instant <= _aware(now):
            yield Problem("calendar:in_the_past", name)
    if dates.publish_on < local_day(now, zone):
        yield Problem("calendar:in_the_past", "publish_on")


def _instants(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The zero, one or two instants at which clocks in `zone` show `at` on `day`, earliest first."""
    if at.tzinfo is not None:
        raise ValueError("a wall-clock time has no zone of its own")
    shown = datetime.combine(day, at)
    readings = {shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(instant for instant in readings if instant.astimezone(zone).replace(tzinfo=None) == shown)


def _days(start: date, step: int) -> Iterator[date]:
    for count in range(_LONGEST_BREAK):
        yield start + timedelta(days=step * count)
    raise ValueError("more than a year without a working day")


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError("an instant needs its zone")
    return instant
