"""How far a result can be trusted, on its page: the band in words for the employee and HR, and what stars say."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from review.infra.db import db
from review.people.tables import PersonRow
from review.reports.precision import Band, Stars, band_of, stars_of
from tests.browse import Browser
from tests.make import Cast
from tests.make_results import make_scored, publish, sign_off

Browse = Callable[..., Browser]


def words(app: Flask, browse: Browse, cast: Cast, who: str = "ada", locale: str = "en", **how: Any) -> str:
    with app.app_context():
        told = make_scored(cast, **how)
        sign_off(told)
        publish(told, cast)
        db.session.get_one(PersonRow, cast["ada"].id).locale = locale
        db.session.commit()
    return browse(cast[who]).get(f"/results/{told.reviews['ada']}").words


@pytest.mark.parametrize(("who", "is_told"), [("ada", True), ("hana", True), ("sam", False)])
def test_the_band_is_for_the_employee_and_hr(app: Flask, browse: Browse, cast: Cast, who: str, is_told: bool) -> None:
    assert ("likely come out between 79.14 and 85.14" in words(app, browse, cast, who)) == is_told


def test_in_chinese_both_sentences_read_well(app: Flask, browse: Browse, cast: Cast) -> None:
    said = words(app, browse, cast, locale="zh")
    assert "分数多半在79.14到85.14之间" in said
    assert "20位客户中有20位给了四星或五星。份数较少" in said


def test_without_a_score_there_is_no_band(app: Flask, browse: Browse, cast: Cast) -> None:
    assert "standard error" not in words(app, browse, cast, rated=["bo"])


def test_stars_under_the_minimum_are_not_told(app: Flask, browse: Browse, cast: Cast) -> None:
    assert "four or five stars" not in words(app, browse, cast, customers={"ada": 14})


def body(score: int | None, error: str | None, share: str = "1/1", stars: list[int] | None = None) -> dict[str, Any]:
    working = {"score": score, "standard_error": error, "rating_share": share}
    return {"working": working, "customers": {"n": 0, "stars": stars}}


@pytest.mark.parametrize(
    ("given", "band"),
    [
        (body(8214, "3/1"), Band(7914, 8514, 300)),
        (body(8214, "3/1", "3/5"), Band(8034, 8394, 180)),  # a KPI sheet is no matter of raters
        (body(10_900, "3/1"), Band(10_600, 11_000, 300)),
        (body(100, "3/1"), Band(0, 400, 300)),
        (body(None, "3/1"), None),
        (body(8214, None), None),  # published before errors were kept
    ],
)
def test_the_band_is_one_error_wide_inside_the_scale(given: dict[str, Any], band: Band | None) -> None:
    assert band_of(given) == band


def test_stars_come_with_wilsons_interval() -> None:
    """Newcombe (1998), table I: 81 of 263 is .2553 to .3662; 15 of 148 is .0624 to .1605."""
    assert stars_of(body(1, None, stars=[100, 50, 32, 40, 41])) == Stars(81, 263, 26, 37)
    assert stars_of(body(1, None, stars=[133, 0, 0, 15, 0])) == Stars(15, 148, 6, 16)
    assert stars_of(body(1, None, stars=None)) is None
    assert Stars(20, 33, 0, 0).is_small
    assert not Stars(20, 34, 0, 0).is_small
