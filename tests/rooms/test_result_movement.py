"""What moved the score, on the page of a published result: amounts that add up, in both languages, nothing withheld."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from review.domain.scheme import sealed
from review.domain.vocabulary import Level, Source
from review.infra.db import db
from review.people.tables import PersonRow
from review.schemes.library import builtin
from review.schemes.service import store
from tests.browse import Browser, Page
from tests.make import NOW, Cast
from tests.make_results import KEYS, make_scored, publish, sign_off
from tests.queries import count_queries

Browse = Callable[..., Browser]


def two_cycles(
    app: Flask, cast: Cast, first: dict[str, Any], second: dict[str, Any], *, locale: str = "en"
) -> tuple[int, int]:
    """Ada's reviews in two published cycles, made as `first` and `second` say."""
    with app.app_context():
        before = make_scored(cast, quarters_ago=2, name="Q4 2025", **first)
        sign_off(before)
        publish(before, cast, at=NOW)
        after = make_scored(cast, **second)
        sign_off(after)
        publish(after, cast)
        db.session.get_one(PersonRow, cast["ada"].id).locale = locale
        db.session.commit()
        return before.reviews["ada"], after.reviews["ada"]


def rows_of(page: Page) -> list[list[str]]:
    found = page.soup.select(".r-moved tbody tr")
    return [[" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")] for row in found]


def points(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def test_the_page_splits_the_change_by_criterion_and_source(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(
        app, cast, {"customers": {}}, {"levels": {"ada": {KEYS[1]: Level.EXCELLENT, KEYS[4]: Level.FAIR}}}
    )
    page = browse(cast["ada"]).get(f"/results/{after}")
    rows = rows_of(page)
    assert [
        "Communication",
        "Supervisor",
        "Good 80 → Excellent 100",
        "",
        "+3.40",
    ] in rows  # 4.00 without customers, 2.80 beside them
    assert ["Business knowledge", "Customers", "93.00; did not count last time", "", "+0.52"] in rows
    assert ["Feedback and learning", "Supervisor", "Good 80 → Fair 60", "", "−3.20"] in rows
    assert "What moved it most: " in page.words
    *parts, total = rows
    assert total[0] == "Sum"
    assert sum(points(row[-1]) for row in parts) == points(total[-1])
    assert "averaged over every order" in page.words


def test_the_printed_change_is_that_of_the_head(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {"customers": {}}, {})
    page = browse(cast["ada"]).get(f"/results/{after}")
    assert "2.14 points more than last time." in page.words
    assert rows_of(page)[-1] == ["Sum", "", "80.00 → 82.14", "", "+2.14"]


def test_a_source_that_no_longer_counts_is_told_without_a_figure_of_now(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {}, {"customers": {"ada": 14}})
    page = browse(cast["ada"]).get(f"/results/{after}")
    left = [row for row in rows_of(page) if row[1] == "Customers"]
    assert left
    for row in left:
        assert "last time; does not count now, its weight passed to the others" in row[2]
        assert "→" not in row[2]


def test_an_open_end_of_peers_stays_in_words(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {}, {"peers": Level.EXCELLENT})
    peers = [row for row in rows_of(browse(cast["ada"]).get(f"/results/{after}")) if row[1] == "Peers"]
    assert [row[2] for row in peers] == ["80 → 90 or higher, counted as 92"] * 2
    assert [row[4] for row in peers] == ["+1.20", "+0.48"]


def test_changed_weights_are_a_part_of_their_own(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        before = make_scored(cast, quarters_ago=2, name="Q4 2025")
        sign_off(before)
        publish(before, cast, at=NOW)
        scheme = builtin()
        weights = {Source.SUPERVISOR: 50, Source.PEERS: 0, Source.CUSTOMERS: 50}
        first = replace(scheme.criteria[0], weights=weights)
        heavier = sealed(replace(scheme, version=2, criteria=(first, *scheme.criteria[1:])))
        after = make_scored(cast, scheme_id=store(heavier, NOW, None).id)
        sign_off(after)
        publish(after, cast)
    rows = rows_of(browse(cast["ada"]).get(f"/results/{after.reviews['ada']}"))
    # By hand: a fifth of (.5*80 + .5*93) - (.8*80 + .2*93) = 86.5 - 82.6.
    assert rows == [
        ["Rules", "", "Other weights, shares or criteria than last time", "", "+0.78"],
        ["Sum", "", "82.14 → 82.92", "", "+0.78"],
    ]


def test_nothing_moved_is_said_in_words(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {}, {})
    page = browse(cast["ada"]).get(f"/results/{after}")
    assert rows_of(page) == []
    assert "Nothing: every source said the same, by the same rules." in page.words


@pytest.mark.parametrize("which", ["first", "unscored"])
def test_without_an_earlier_score_there_is_nothing_to_compare(
    app: Flask, browse: Browse, cast: Cast, which: str
) -> None:
    before, after = two_cycles(app, cast, {"rated": ["bo"]}, {})
    page = browse(cast["ada"]).get(f"/results/{before if which == 'first' else after}")
    assert "What moved the score" not in page.words


def test_chinese_reads_the_same(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {}, {"levels": {"ada": {KEYS[1]: Level.EXCELLENT}}}, locale="zh")
    page = browse(cast["ada"]).get(f"/results/{after}")
    assert "分数变化的来源" in page.words
    assert "变化最大的部分：沟通能力（主管）+2.80。" in page.words


def test_the_page_asks_no_more_of_the_database_with_more_cycles(app: Flask, browse: Browse, cast: Cast) -> None:
    _, after = two_cycles(app, cast, {}, {"levels": {"ada": {KEYS[1]: Level.EXCELLENT}}})
    browser = browse(cast["ada"])
    browser.get(f"/results/{after}")
    with app.app_context():
        engine = db.engine
    with count_queries(engine) as seen:
        browser.get(f"/results/{after}")
    assert len(seen) < 15
