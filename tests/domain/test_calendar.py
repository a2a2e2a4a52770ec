"""Deadlines, reminders, working days and periods: ordinary days, clock changes, holidays, and typed nonsense."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.calendar import (
    CycleDates,
    add_working_days,
    clock_ends,
    date_problems,
    due_reminder,
    is_working_day,
    last_working_day,
    local_day,
    reminder_days,
    settled,
    to_utc,
)
from review.domain.period import Period, PeriodKind, period_before, period_containing
from review.domain.refusals import Invalid

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
# The National Day week of 2025 and the weekend day worked in exchange (notice of the State Council's office).
GOLDEN_WEEK = {date(2025, 10, day) for day in range(1, 9)}
WORKED_SUNDAY = {date(2025, 9, 28)}

days = st.dates(date(2001, 1, 1), date(2090, 1, 1))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


# Wall clocks


def test_a_typed_time_becomes_the_instant_the_wall_clock_shows():
    assert to_utc(date(2026, 3, 31), time(18), SHANGHAI) == utc(2026, 3, 31, 10)


@pytest.mark.parametrize(
    ("day", "at", "code"),
    [
        (date(2026, 3, 8), time(2, 30), "calendar:time_skipped"),
        (date(2026, 11, 1), time(1, 30), "calendar:time_repeated"),
    ],
)
def test_a_typed_time_that_clocks_skip_or_repeat_is_refused_at_its_field(day, at, code):
    with pytest.raises(Invalid) as refused:
        to_utc(day, at, NEW_YORK, "closes_at")
    (problem,) = refused.value.problems
    assert (problem.code, problem.where) == (code, "closes_at")
    assert problem.params == {"day": day, "at": at, "zone": "America/New_York"}


def test_the_minutes_beside_a_clock_change_are_accepted():
    assert to_utc(date(2026, 3, 8), time(1, 59), NEW_YORK) == utc(2026, 3, 8, 6, 59)
    assert to_utc(date(2026, 3, 8), time(3), NEW_YORK) == utc(2026, 3, 8, 7)
    assert to_utc(date(2026, 11, 1), time(2), NEW_YORK) == utc(2026, 11, 1, 7)


def test_a_derived_time_moves_past_the_gap_and_takes_the_first_of_two():
    assert settled(date(2026, 3, 8), time(2, 30), NEW_YORK) == utc(2026, 3, 8, 7)
    assert settled(date(2026, 11, 1), time(1, 30), NEW_YORK) == utc(2026, 11, 1, 5, 30)


def test_a_day_that_a_country_skipped_altogether_is_handled():
    skipped = date(2011, 12, 30)  # Samoa crossed the date line
    with pytest.raises(Invalid, match="calendar:time_skipped"):
        to_utc(skipped, time(12), APIA)
    assert settled(skipped, time(12), APIA).astimezone(APIA).date() == date(2011, 12, 31)


@given(day=days, at=st.times(), zone=st.sampled_from([SHANGHAI, NEW_YORK, APIA, ZoneInfo("Europe/London")]))
def test_an_accepted_time_reads_back_as_typed(day, at, zone):
    try:
        instant = to_utc(day, at, zone)
    except Invalid:
        shown = settled(day, at, zone).astimezone(zone).replace(tzinfo=None)
        assert shown >= datetime.combine(day, at)
        return
    assert instant.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at)
    assert settled(day, at, zone) == instant


def test_naive_instants_and_zoned_wall_clocks_are_mistakes():
    with pytest.raises(ValueError, match="needs its zone"):
        local_day(datetime(2026, 1, 1), SHANGHAI)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone of its own"):
        to_utc(date(2026, 1, 1), time(9, tzinfo=UTC), SHANGHAI)


# Working days


def test_holidays_are_free_and_made_up_weekends_are_worked():
    assert not is_working_day(date(2025, 10, 1), GOLDEN_WEEK)
    assert not is_working_day(date(2025, 9, 28))
    assert is_working_day(date(2025, 9, 28), GOLDEN_WEEK, WORKED_SUNDAY)
    assert last_working_day(date(2025, 10, 8), GOLDEN_WEEK, WORKED_SUNDAY) == date(2025, 9, 30)
    assert last_working_day(date(2025, 9, 28), GOLDEN_WEEK, WORKED_SUNDAY) == date(2025, 9, 28)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 0, date(2026, 3, 9)),
        (date(2025, 9, 30), 2, date(2025, 10, 10)),
    ],
)
def test_working_days_are_counted_without_the_first_day(start, count, end):
    assert add_working_days(start, count, GOLDEN_WEEK) == end


@given(start=days, count=st.integers(1, 60))
def test_without_holidays_each_full_week_holds_five_working_days(start, count):
    end = add_working_days(start, count)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == count
    assert end.weekday() < 5


def test_a_clock_ends_with_the_last_working_day():
    started = utc(2026, 3, 2, 17)  # already Tuesday in Shanghai
    assert clock_ends(started, 5, SHANGHAI) == utc(2026, 3, 10, 15, 59)


def test_counting_backwards_or_through_an_endless_holiday_is_a_mistake():
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(date(2026, 3, 2), -1)
    forever = {date(2026, 1, 1) + timedelta(days=n) for n in range(1000)}
    with pytest.raises(ValueError, match="without a working day"):
        add_working_days(date(2026, 1, 1), 1, forever)


# Reminders


def reminders(*closing, holidays=()):
    return [f"{at:%m-%d %H:%M}" for at in reminder_days(utc(*closing), SHANGHAI, holidays)]


def test_reminders_go_out_three_days_and_one_day_before_the_close_at_ten():
    assert reminders(2026, 3, 12, 10) == ["03-09 10:00", "03-11 10:00"]


def test_a_reminder_on_a_weekend_or_holiday_moves_before_it():
    assert reminders(2026, 3, 10, 10) == ["03-06 10:00", "03-09 10:00"]  # Saturday -> Friday
    assert reminders(2025, 10, 10, 10, holidays=GOLDEN_WEEK) == ["09-30 10:00", "10-09 10:00"]


def test_reminders_that_meet_on_one_day_become_one():
    assert reminders(2026, 3, 9, 10) == ["03-06 10:00"]


@given(day=days, at=st.times(), zone=st.sampled_from([SHANGHAI, NEW_YORK]), holidays=st.frozensets(days, max_size=5))
def test_reminders_always_precede_the_close_on_distinct_working_days(day, at, zone, holidays):
    closes_at = settled(day, at, zone)
    instants = reminder_days(closes_at, zone, holidays)
    assert instants == sorted(instants)
    assert len({instant.date() for instant in instants}) == len(instants) >= 1
    assert all(instant < closes_at and instant.time() == time(10) for instant in instants)
    assert all(is_working_day(instant.date(), holidays) for instant in instants)


THURSDAY = utc(2026, 3, 12, 10)


def due(now, sent=(), closes_at=THURSDAY):
    return due_reminder(now, reminder_days(closes_at, SHANGHAI), closes_at, sent)


def test_a_reminder_is_due_from_its_minute_until_it_is_sent():
    first = utc(2026, 3, 9, 2)
    assert due(utc(2026, 3, 9, 1, 59)) is None
    assert due(first) == first
    assert due(utc(2026, 3, 9, 5), sent=[first]) is None


def test_a_missed_reminder_is_made_up_for_unless_the_next_has_come_or_all_is_closed():
    first, second = utc(2026, 3, 9, 2), utc(2026, 3, 11, 2)
    assert due(utc(2026, 3, 10, 3)) == first
    assert due(utc(2026, 3, 11, 3)) == second
    assert due(utc(2026, 3, 11, 3), sent=[second]) is None
    assert due(utc(2026, 3, 12, 10)) is None


def test_a_missed_reminder_waits_for_ten_on_a_working_day():
    closes_at = utc(2026, 3, 9, 10)  # Monday: one reminder on Friday
    friday = utc(2026, 3, 6, 2)
    assert due(utc(2026, 3, 7, 4), closes_at=closes_at) is None
    assert due(utc(2026, 3, 9, 1), closes_at=closes_at) is None
    assert due(utc(2026, 3, 9, 2), closes_at=closes_at) == friday


# The dates of a cycle

MARCH = period_containing(PeriodKind.MONTHLY, date(2026, 3, 15))
GOOD = {
    "opens_at": utc(2026, 3, 25, 1),
    "self_due_at": utc(2026, 4, 1, 10),
    "supervisor_due_at": utc(2026, 4, 8, 10),
    "closes_at": utc(2026, 4, 3, 10),
    "finalise_by": utc(2026, 4, 10, 10),
    "publish_on": date(2026, 4, 11),
}


def found(period=MARCH, launching_at=None, **changes):
    dates = CycleDates(**(GOOD | changes))
    return {(problem.where, problem.code) for problem in date_problems(dates, period, SHANGHAI, launching_at)}


def test_dates_in_order_have_no_problems():
    assert found() == set()
    assert found(launching_at=utc(2026, 3, 26)) == set()
    assert found(supervisor_due_at=None, self_due_at=GOOD["closes_at"], publish_on=date(2026, 4, 10)) == set()


def test_every_wrong_date_is_named_at_once():
    assert found(
        Period(PeriodKind.CUSTOM, date(2026, 3, 31), date(2026, 3, 1)),
        opens_at=utc(2026, 4, 4),
        supervisor_due_at=utc(2026, 4, 20),
        finalise_by=utc(2026, 4, 2),
        publish_on=date(2026, 4, 1),
    ) == {
        ("self_due_at", "calendar:not_after"),
        ("closes_at", "calendar:not_after"),
        ("finalise_by", "calendar:not_after"),
        ("supervisor_due_at", "calendar:later_than"),
        ("publish_on", "calendar:not_after"),
        ("period_end", "calendar:not_after"),
    }


def test_a_self_review_due_after_the_close_is_refused():
    assert found(self_due_at=utc(2026, 4, 3, 11)) == {("self_due_at", "calendar:later_than")}


def test_the_publishing_day_is_compared_in_local_days():
    evening = utc(2026, 4, 10, 17)  # the 11th in Shanghai
    assert found(finalise_by=evening, publish_on=date(2026, 4, 11)) == set()
    assert found(finalise_by=evening, publish_on=date(2026, 4, 10)) == {("publish_on", "calendar:not_after")}


def test_deadlines_over_at_launch_are_refused_but_a_past_opening_is_not():
    assert found(launching_at=GOOD["closes_at"]) == {
        ("self_due_at", "calendar:in_the_past"),
        ("closes_at", "calendar:in_the_past"),
    }
    assert {where for where, _ in found(launching_at=utc(2027, 1, 1))} == set(GOOD) - {"opens_at"}


def test_a_cycle_that_closes_before_its_period_begins_is_refused():
    may = period_containing(PeriodKind.MONTHLY, date(2026, 5, 1))
    assert found(may) == {("closes_at", "calendar:closes_before_period")}


def test_dates_without_a_zone_are_a_mistake():
    with pytest.raises(ValueError, match="needs its zone"):
        CycleDates(**(GOOD | {"opens_at": datetime(2026, 3, 1)}))  # noqa: DTZ001
    assert CycleDates(**(GOOD | {"opens_at": datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=8)))}))


# Periods


@pytest.mark.parametrize(
    ("kind", "start", "end", "key"),
    [
        (PeriodKind.MONTHLY, date(2028, 2, 1), date(2028, 2, 29), "2028-02"),
        (PeriodKind.QUARTERLY, date(2028, 1, 1), date(2028, 3, 31), "2028-Q1"),
        (PeriodKind.HALF_YEARLY, date(2028, 1, 1), date(2028, 6, 30), "2028-H1"),
        (PeriodKind.YEARLY, date(2028, 1, 1), date(2028, 12, 31), "2028"),
    ],
)
def test_a_day_lies_in_its_calendar_period(kind, start, end, key):
    period = period_containing(kind, date(2028, 2, 17))
    assert (period.start, period.end, period.key) == (start, end, key)


@given(kind=st.sampled_from([kind for kind in PeriodKind if kind is not PeriodKind.CUSTOM]), day=days)
def test_periods_of_one_kind_follow_each_other_without_gap_or_overlap(kind, day):
    period = period_containing(kind, day)
    before = period_before(period)
    assert period.start <= day <= period.end
    assert before.end + timedelta(days=1) == period.start
    assert before.key < period.key
    assert not list(period.problems())


def test_a_custom_period_is_named_by_its_days_and_preceded_by_as_many():
    period = Period(PeriodKind.CUSTOM, date(2026, 1, 15), date(2026, 2, 14))
    assert period.key == "2026-01-15/2026-02-14"
    assert period_before(period) == Period(PeriodKind.CUSTOM, date(2025, 12, 15), date(2026, 1, 14))
    with pytest.raises(Invalid, match="calendar:custom_period_has_no_grid"):
        period_containing(PeriodKind.CUSTOM, date(2026, 1, 15))


def test_a_period_that_is_not_what_it_says_is_a_problem():
    (problem,) = Period(PeriodKind.QUARTERLY, date(2026, 1, 1), date(2026, 4, 30)).problems()
    assert (problem.code, problem.params) == ("calendar:not_a_whole_period", {"kind": "quarterly"})
