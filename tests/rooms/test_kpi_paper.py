"""A KPI sheet on paper: everything that counts stands on it, in both languages, and people's words stay words."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from review.domain.records import Unit
from review.infra.organisation import Organisation
from review.kpi.paper import paper
from review.kpi.paper_words import duration, figure, words_in
from review.kpi.printed import Printed
from tests.make_sheets import ROWS, SHEET, sheet_of
from tests.postgres import missing

NOW = datetime(2027, 1, 12, 3, 0, 0, 123456, tzinfo=UTC)
Read = Callable[[Printed, str], str]


@pytest.fixture
def text_of(tmp_path: Path) -> Read:
    """The text of the printed sheet, as a PDF reader finds it, without white space."""
    program = shutil.which("pdftotext")
    if program is None:
        missing("pdftotext (poppler-utils)")

    def read(sheet: Printed, locale: str) -> str:
        file = tmp_path / "sheet.pdf"
        file.write_bytes(paper(sheet, locale, Organisation(), NOW))
        done = subprocess.run([str(program), "-raw", str(file), "-"], check=True, capture_output=True, text=True)
        return re.sub(r"\s+", "", done.stdout)

    return read


@pytest.mark.parametrize(("locale", "wanted"), [
    ("zh", ["绩效考核表", "欧阳静", "2分30秒", "10分钟起为0分", "3次以上该项为0",
            "90%（共40）", "90.30", "优秀", "1.2", "21.6%",
            "60%×R＋40%×K", "2027年1月12日10:20", "签字表示已知悉，不代表同意。", "部门负责人"]),
    ("en", ["KPIassessmentsheet", "欧阳静", "2min30s", "0from10min", "0fromlapse3on", "90.30", "Excellent", "21.6%",
            "60%ofR+40%ofK", "12Jan2027,10:20", "Headofdepartment"]),
])  # fmt: skip
def test_everything_that_counts_stands_on_the_paper(text_of: Read, locale: str, wanted: list[str]) -> None:
    text = text_of(SHEET, locale)
    assert [one for one in wanted if one not in text] == []
    for points in ("100.00", "93.75", "94.74", "80.00", "60.00", "85.50", "88.76", "88.00"):
        assert points in text


def test_what_people_wrote_is_never_markup(text_of: Read) -> None:
    text = text_of(sheet_of(self_word='#read("/etc/passwd")', name="$x^2$ [*b*]"), "en")
    assert '#read("/etc/passwd")' in text
    assert "#panic()*bold*$x$" in text
    assert "$x^2$[*b*]" in text


def test_the_file_is_made_for_screen_readers_and_carries_its_face() -> None:
    data = paper(SHEET, "zh", Organisation(), NOW)
    assert data.startswith(b"%PDF-1.7")
    assert b"pdfuaid:part" in data
    assert b"/MarkInfo" in data
    assert b"NotoSansSC" in data


def test_a_character_that_the_face_lacks_costs_the_seal_not_the_sheet() -> None:
    data = paper(sheet_of(name="吴\U00020bb7"), "zh", Organisation(), NOW)
    assert data.startswith(b"%PDF-")
    assert b"pdfuaid:part" not in data


def test_a_row_that_does_not_apply_says_why_instead_of_figures(text_of: Read) -> None:
    out = replace(ROWS[2], actual=None, points=None, count=None, why="Nobody was asked.")
    text = text_of(sheet_of(rows=(*ROWS[:2], out, *ROWS[3:])), "en")
    assert "Nobodywasasked." in text
    assert "94.74" not in text


def test_parts_that_may_not_be_seen_yet_are_not_there(text_of: Read) -> None:
    hidden = sheet_of(rating=None, rating_share=None, total=None, grade=None, coefficient=None, customers_share=None)
    text = text_of(hidden, "en")
    assert "Rating(R)" not in text
    assert "Total(T)" not in text
    assert "Excellent" not in text
    assert "88.76" in text


@pytest.mark.parametrize(("seconds", "said"), [
    (Fraction(0), "0 s"), (Fraction(59), "59 s"), (Fraction(119, 2), "1 min"), (Fraction(150), "2 min 30 s"),
    (Fraction(3600), "1 h"), (Fraction(3660), "1 h 1 min"), (Fraction(3659), "1 h"), (Fraction(90000), "25 h"),
    (Fraction(-150), "−2 min 30 s"),
])  # fmt: skip
def test_durations_are_told_in_hours_minutes_and_seconds(seconds: Fraction, said: str) -> None:
    assert duration(seconds, words_in("en")) == said


def test_a_thousand_characters_of_assessment_run_over_to_the_next_page(text_of: Read) -> None:
    text = text_of(sheet_of(leader_word="很好。" * 1500), "zh")
    assert text.count("很好。") == 1500
    assert "第1页" in text
    assert "第2页" in text


def test_units_have_their_signs() -> None:
    word = words_in("zh")
    assert figure(Fraction(187, 2), Unit.PERCENT, word) == "93.5%"
    assert figure(Fraction(1, 3), Unit.COUNT, word) == "0.33"
    assert figure(None, Unit.COUNT, word) == "–"


def test_many_may_print_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: paper(sheet_of(name=f"N{number}"), "en", Organisation(), NOW), range(40)))
    assert len({hashlib.sha256(data).digest() for data in made}) == 40
