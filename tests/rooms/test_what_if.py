"""HR tries other rules on a published cycle: grades side by side, refusals with their reason, nothing is touched."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import update

from review.domain.vocabulary import Grade, Level
from review.infra.db import db
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.results.tables import PublicationRow
from tests.browse import Browser, Page
from tests.laws.sweep import dump
from tests.make import Cast
from tests.make_results import KEYS, PUBLISHED, Told, make_scored, publish, sign_off
from tests.queries import count_queries

Browse = Callable[..., Browser]


def published(app: Flask, cast: Cast, **how: Any) -> Told:
    with app.app_context():
        told = make_scored(cast, **how)
        sign_off(told)
        publish(told, cast)
        return told


def ask(browse: Browse, cast: Cast, told: Told, status: int = 200, **typed: str) -> Page:
    return browse(cast["hana"]).get(f"/cycles/{told.cycle_id}/what-if?{urlencode(typed)}", status)


def matrix(page: Page) -> list[list[str]]:
    table = page.soup.select_one("table.r-table-s")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in table.select("tbody tr")]


def whose(page: Page) -> list[str]:
    return [" ".join(row.get_text(" ").split()) for row in page.soup.select("table.r-cards tbody tr")]


def test_the_rules_of_the_cycle_move_nobody(app: Flask, browse: Browse, cast: Cast) -> None:
    page = ask(browse, cast, published(app, cast))
    assert "0 of 7 grades would be others: 0 better, 0 lower. 0 scores would change." in page.words
    assert matrix(page)[1] == ["Good", "–", "7", "–", "–", "7"]
    assert whose(page) == []


def test_another_cut_shows_who_would_move_and_where_to(app: Flask, browse: Browse, cast: Cast) -> None:
    page = ask(browse, cast, published(app, cast), cut_excellent="82")
    assert "1 of 7 grades would be another one: 1 better, 0 lower. 0 scores would change." in page.words
    assert matrix(page)[1] == ["Good", "1", "6", "–", "–", "7"]
    assert whose(page) == ["Ada E096382 After-sales Good 82.14 Excellent 82.14"]


def test_other_weights_give_another_score(app: Flask, browse: Browse, cast: Cast) -> None:
    """By hand: knowledge .5*80 + .5*93 = 86.5 instead of 82.6; a fifth of the difference is .78."""
    told = published(app, cast)
    typed = {"weight_0_supervisor": "50", "weight_0_customers": "50", "cut_excellent": "82.5"}
    assert whose(ask(browse, cast, told, **typed)) == ["Ada E096382 After-sales Good 82.14 Excellent 82.92"]


def test_answers_under_the_old_minimum_of_customers_can_be_counted(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast, customers={"ada": 14})
    page = ask(browse, cast, told, customers="5")
    assert "1 score would change." in page.words
    assert "0 of 7 grades" in page.words


def test_a_grade_decided_otherwise_is_told_beside_the_computed_one(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
        sign_off(told)
        sign_off(told, "ada", at=PUBLISHED, grade=Grade.FAIR, reason="Two open complaints.")
        publish(told, cast)
    page = ask(browse, cast, told, cut_excellent="82")
    assert whose(page) == ["Ada E096382 After-sales Good 82.14 decided: Fair Excellent 82.14"]


def test_people_without_a_score_have_a_row_of_their_own(app: Flask, browse: Browse, cast: Cast) -> None:
    page = ask(browse, cast, published(app, cast, rated=["ada", "bo"]))
    assert matrix(page)[4] == ["No grade", "–", "–", "–", "–", "5", "5"]


def test_inputs_that_were_not_kept_are_counted_apart(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    with app.app_context():
        whom = PublicationRow.review_id == told.reviews["bo"]
        db.session.execute(update(PublicationRow).where(whom).values(inputs=None))
        db.session.commit()
    words = ask(browse, cast, told).words
    assert "0 of 6 grades" in words
    assert "Of 1 result the inputs were not kept in those days" in words


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"peers": "4"}, "peers' ballots were destroyed after the count"),
        ({"step": "exact"}, "peers' ballots were destroyed after the count"),
        ({"points_1": "75"}, "peers' ballots were destroyed after the count"),
        ({"weight_1_supervisor": "60", "weight_1_peers": "10"}, "nobody asked peers about this criterion"),
        ({"weight_3_supervisor": "40", "weight_3_customers": "10"}, "nobody asked customers about this criterion"),
        ({"weight_1_customers": "20"}, "the weights add up to 90, not to 100"),
        ({"cut_good": "60"}, "this cut must lie between 60 and 80"),
        ({"customers": "4"}, "this must lie between 5 and 1000"),
        ({"share_2": "lots"}, "this must be a number"),
    ],
)
def test_what_cannot_be_answered_is_refused_at_its_field_and_stays_typed(
    app: Flask, browse: Browse, cast: Cast, typed: dict[str, str], said: str
) -> None:
    page = ask(browse, cast, published(app, cast), 422, **typed)
    assert said in page.words
    assert page.soup.select("[aria-invalid=true]")
    for name, text in typed.items():
        field = page.soup.select_one(f"[name={name}]")
        now = field.get("value") or field.select_one("option[selected]")["value"]
        assert now == text
    assert "grades would" not in page.words


def test_chinese_says_the_same(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = "zh"
        db.session.commit()
    assert "7人中有1人的等级会变化：1人上升，0人下降。" in ask(browse, cast, told, cut_excellent="82").words
    assert "计票后同事的评价票已销毁" in ask(browse, cast, told, 422, peers="4").words


def test_nothing_is_stored_and_nothing_touched(app: Flask, browse: Browse, cast: Cast, settings: Settings) -> None:
    told = published(app, cast)
    browser = browse(cast["hana"])
    path = settings.data_dir / "review.sqlite"
    before = dump(path)
    for typed in ({}, {"cut_excellent": "82", "customers": "5"}, {"peers": "3"}):
        browser.get(f"/cycles/{told.cycle_id}/what-if?{urlencode(typed)}", 422 if "peers" in typed else 200)
    assert dump(path) == before


@pytest.mark.parametrize(("who", "status"), [("hana", 200), ("sam", 404), ("ada", 404), ("max", 404)])
def test_only_hr_may_ask(app: Flask, browse: Browse, cast: Cast, who: str, status: int) -> None:
    told = published(app, cast)
    browse(cast[who]).get(f"/cycles/{told.cycle_id}/what-if", status)


def test_before_the_publication_there_is_nothing_to_try(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
    assert "has not been published yet" in ask(browse, cast, told, 409).words


def test_more_people_cost_no_more_queries(app: Flask, browse: Browse, cast: Cast) -> None:
    low = {KEYS[0]: Level.POOR}
    few = published(app, cast, reviewed=("ada",), quarters_ago=2, name="Q4 2025")
    many = published(app, cast, levels={"bo": low})
    with app.app_context():
        engine = db.engine
    counts = []
    for told in (few, many):
        browser = browse(cast["hana"])
        ask(browse, cast, told, cut_excellent="81")
        with count_queries(engine) as seen:
            browser.get(f"/cycles/{told.cycle_id}/what-if?cut_excellent=81")
        counts.append(len(seen))
    assert counts[0] == counts[1] < 15
