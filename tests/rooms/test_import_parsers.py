"""What was written in any of the forms people and systems use is read back exactly; what makes no sense is refused."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.records import Csat
from review.helpdesk import cells
from review.helpdesk.agents import _several, name_key
from review.helpdesk.columns import unit_in
from review.helpdesk.durations import LONGEST, seconds
from review.helpdesk.moments import FIRST_DAY_OF_EXCEL, moment
from review.helpdesk.scales import Scale, answer, scale_in
from tests.exports import length_as_clock, length_in_words

SHANGHAI = ZoneInfo("Asia/Shanghai")
LENGTHS = st.integers(0, LONGEST - 86400)
MINUTES = st.integers(1, LONGEST // 60 - 1440).map(lambda minutes: minutes * 60)
FIRST, LAST = datetime.fromisoformat("1992-01-01"), datetime.fromisoformat("2099-12-30")
INSTANTS = st.datetimes(FIRST, LAST).map(lambda at: at.replace(microsecond=0, tzinfo=SHANGHAI))


@given(LENGTHS)
def test_a_length_is_read_back_from_every_clock_and_number(length: int) -> None:
    days, rest = divmod(length, 86400)
    hours, minutes, over = rest // 3600, rest // 60 % 60, rest % 60
    assert seconds(length_as_clock(length)) == length
    assert seconds(f"{days} days, {hours}:{minutes:02}:{over:02}") == length
    assert seconds(f"{days}天{hours}小时{minutes}分{over}秒") == length
    assert seconds(f"{days}d {hours}h {minutes}m {over}s") == length
    assert seconds(f"P{days}DT{hours}H{minutes}M{over}S") == length
    assert seconds(f"{length}秒") == seconds(str(length)) == length
    assert seconds(str(length * 1000), Fraction(1, 1000)) == length


@given(MINUTES)
def test_a_length_of_whole_minutes_is_read_back_from_coarser_forms(length: int) -> None:
    assert seconds(length_in_words(length)) == length
    assert seconds(f"{length // 86400} days {length // 3600 % 24:02}:{length // 60 % 60:02} hrs") == length
    assert seconds(str(length // 60), Fraction(60)) == seconds(f"{length // 60}分钟") == length


@given(st.text(max_size=30))
def test_whatever_stands_in_a_cell_is_read_or_refused(text: str) -> None:
    for read in (
        seconds,
        lambda cell: moment(cell, UTC),
        lambda cell: answer(cell, Scale.TEN),
        cells.number,
        cells.flag,
    ):
        try:
            read(text)
        except (ValueError, OverflowError, OSError):
            continue
    assert not cells.harmless(cells.told(text)).startswith(("=", "@"))
    assert len(cells.channel(text)) <= 41


@pytest.mark.parametrize(
    "text", ["-5", "abc", "1小时20", "12:75", "1:2:3:99", "小时", "1.2.3", "999999999999", "1 sheep"]
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        seconds(text)


def test_half_hours_and_minutes_before_seconds() -> None:
    assert (seconds("半小时"), seconds("1.5小时"), seconds("12:30", minutes_first=True)) == (1800, 5400, 750)


@given(INSTANTS)
def test_an_instant_is_read_back_from_every_form(at: datetime) -> None:
    utc = at.astimezone(UTC)
    forms = [
        f"{at:%Y-%m-%d %H:%M:%S}",
        f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}",
        f"{at.year}年{at.month}月{at.day}日 {at.hour}时{at.minute}分{at.second}秒",
        f"{utc:%Y-%m-%dT%H:%M:%SZ}",
        f"{utc:%Y-%m-%dT%H:%M:%S}.000+0000",
        f"{at.isoformat()}",
        f"{at:%d %b %Y %H:%M:%S}",
        f"{at:%b} {at.day}, {at.year}, {at:%I:%M:%S %p}",
        f"{at:%m/%d/%Y %I:%M:%S %p}",
        f"{int(at.timestamp() * 1000)}",
    ]
    for form in forms:
        found = moment(form, SHANGHAI)
        assert (found.at, found.day) == (utc, at.date()), form
    assert moment(f"{at:%d/%m/%Y %H:%M:%S}", SHANGHAI, day_first=True).at == utc


@given(INSTANTS)
def test_a_spreadsheet_s_number_of_days_is_the_same_second(at: datetime) -> None:
    days = (at.replace(tzinfo=None) - FIRST_DAY_OF_EXCEL) / timedelta(days=1)
    assert moment(repr(days), SHANGHAI).at == at.astimezone(UTC) or days == int(days)


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_a_day_alone_has_no_time(day: date) -> None:
    for form in (f"{day}", f"{day:%Y/%m/%d}", f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}"):
        found = moment(form, SHANGHAI)
        assert (found.day, found.at) == (day, None), form


@pytest.mark.parametrize("text", ["2026-13-05", "2026-02-30", "yesterday", "35", "00:12:30", "1小时20分", "0001-01-01"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment(text, SHANGHAI)


@pytest.mark.parametrize(
    ("text", "scale", "csat", "points"),
    [
        ("5", Scale.FIVE, Csat.GOOD, 100),
        ("3星", Scale.FIVE, Csat.NEUTRAL, 60),
        ("★★☆☆☆", Scale.FIVE, Csat.BAD, 40),
        ("8", Scale.TEN, Csat.GOOD, 80),
        ("7", Scale.TEN, Csat.NEUTRAL, 70),
        ("4/5", Scale.TEN, Csat.GOOD, 80),
        ("92", Scale.HUNDRED, Csat.GOOD, 92),
        ("-1", Scale.FIVE, Csat.OFFERED, None),
        ("-2", Scale.TEN, Csat.OFFERED, None),
        ("Good with comment", Scale.FIVE, Csat.GOOD, 100),
        ("Not Offered", Scale.FIVE, Csat.NOT_OFFERED, None),
        ("未评价", Scale.FIVE, Csat.OFFERED, None),
        ("中评", Scale.FIVE, Csat.NEUTRAL, 50),
        ("差", Scale.FIVE, Csat.BAD, 0),
    ],
)
def test_answers_are_read_on_their_scale(text: str, scale: Scale, csat: Csat, points: int | None) -> None:
    found = answer(text, scale)
    assert (found.csat, found.points) == (csat, points)


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_better_answer_never_counts_less(one: int, other: int) -> None:
    first, second = answer(str(one), Scale.FIVE), answer(str(other), Scale.FIVE)
    assert (first.points <= second.points) == (one <= other)
    assert answer(str(2 * one), Scale.TEN) == first


@pytest.mark.parametrize("text", ["6", "11", "great expectations", "投诉"])
def test_what_is_no_answer_of_five_stars_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        answer(text, Scale.FIVE)


def test_headings_name_units_and_scales() -> None:
    headings = [
        "响应(秒)",
        "First reply time in minutes",
        "处理用时（小时）",
        "x_sec",
        "First Response Time in Business Hours",
    ]
    assert [unit_in(heading) for heading in headings] == ["s", "min", "h", "s", ""]
    assert [scale_in(heading) for heading in ("满意度(5分制)", "评分（10分）", "满意度")] == [
        Scale.FIVE,
        Scale.TEN,
        None,
    ]


def test_text_that_a_spreadsheet_would_run_is_kept_harmless() -> None:
    assert [cells.harmless(text) for text in ("=1+1", "@x", "+cmd", "-5", "-5.5", "fine")] == [
        *("'=1+1", "'@x", "'+cmd", "-5", "-5.5", "fine")
    ]
    assert cells.told("'=1+1") == "=1+1"


def test_names_and_shares() -> None:
    assert name_key("Lim, Ada") == name_key("ada  LIM")
    assert name_key("张 三") == name_key("张三")
    assert _several("张三:2;李四:1") == [("张三", 2), ("李四", 1)]
    assert _several("张三；李四、王五") == [("张三", 1), ("李四", 1), ("王五", 1)]
