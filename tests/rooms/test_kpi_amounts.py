"""Amounts are read as people type them and shown so that they are read again as the same."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.records import Unit
from review.domain.refusals import Invalid
from review.kpi.amounts import read_amount, spelled, told, words_of


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("90秒", 90),
        ("5分", 300),
        ("1分30秒", 90),
        ("1小时30分", 5400),
        ("１小时", 3600),
        ("1.5 h", 5400),
        ("2 h 5 min", 7500),
        ("45s", 45),
        ("01:30:00", 5400),
        ("1:30", 90),
        ("1天", 86400),
        (" 0.5 min. ", 30),
    ],
)
def test_durations_are_read_in_either_language(typed, seconds):
    assert read_amount(typed, Unit.SECONDS) == seconds


@pytest.mark.parametrize("typed", ["90", "", "5 weeks", "1:3", "30秒1分", "5分5分", "-5分", "fast", "1e3s", "NaN"])
def test_what_is_no_duration_is_refused_and_a_bare_number_is_none(typed):
    with pytest.raises(Invalid) as refused:
        read_amount(typed, Unit.SECONDS, "target")
    assert (refused.value.code, refused.value.problems[0].where) == ("kpi_plan:not_a_duration", "target")


def test_numbers_are_read_with_percent_sign_and_thousands():
    assert read_amount("92.5 %", Unit.PERCENT) == Fraction(185, 2)
    assert read_amount("９０％", Unit.PERCENT) == 90
    assert read_amount("1,200", Unit.COUNT) == 1200
    for typed in ("12,00", "1/3", "", "many", "1e5"):
        with pytest.raises(Invalid, match="kpi_plan:not_a_number"):
            read_amount(typed, Unit.COUNT)


def test_amounts_are_told_with_their_unit():
    assert told(Fraction(5430), Unit.SECONDS, "zh") == "1小时30分30秒"
    assert told(Fraction(5430), Unit.SECONDS, "en") == "1 h 30 min 30 s"
    assert told(Fraction(4500, 7), Unit.SECONDS, "zh") == "10分42.86秒"
    assert told(Fraction(0), Unit.SECONDS, "zh") == "0秒"
    assert told(Fraction(600), Unit.SECONDS, "zh") == "10分钟"  # "10分" would be ten points
    assert told(Fraction(600), Unit.SECONDS, "en") == "10 min"
    assert told(Fraction(185, 2), Unit.PERCENT, "zh") == "92.5%"
    assert told(None, Unit.COUNT, "en") == "–"


@given(st.integers(0, 10**7), st.sampled_from(["zh", "en"]))
def test_a_shown_duration_is_read_as_itself(seconds, locale):
    assert read_amount(spelled(Fraction(seconds), Unit.SECONDS, locale), Unit.SECONDS) == seconds


def test_lists_are_read_from_one_line():
    assert words_of("售前客服、售前咨询，A; B,\n A ") == ["售前客服", "售前咨询", "A", "B"]
    assert words_of(" ") == []
