"""HR's page about how well a cycle measured: figures by hand, nothing about a few, nobody else, nothing written."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

import review.diagnostics.method
import review.domain.measurement
from review.cycles.tables import CycleRow
from review.domain.responses import SupervisorRating
from review.domain.scheme import dump_scheme, parse_scheme
from review.domain.vocabulary import Level
from review.infra.db import db
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.responses import service as responses
from review.responses.spread import customers_spread
from review.results.service import score_cycle
from review.schemes.library import builtin
from review.schemes.service import scheme_of, store
from review.workflow import second_raters
from tests.browse import Browser, Page
from tests.laws.sweep import dump
from tests.make import NOW, Cast
from tests.make_results import KEYS, Told, make_scored, publish, sign_off
from tests.queries import count_queries

Browse = Callable[..., Browser]
MIXED = {who: {KEYS[0]: level, KEYS[1]: level} for who, level in [("bo", Level.EXCELLENT), ("cy", Level.FAIR)]}


def published(app: Flask, cast: Cast, **how: Any) -> Told:
    with app.app_context():
        told = make_scored(cast, **how)
        sign_off(told)
        publish(told, cast, **({"at": NOW} if how.get("quarters_ago") == 2 else {}))
        return told


def read(browse: Browse, cast: Cast, told: Told, status: int = 200, who: str = "hana") -> Page:
    return browse(cast[who]).get(f"/cycles/{told.cycle_id}/method", status)


def panel(page: Page, name: str) -> str:
    return " ".join(page.soup.select_one(f"section[aria-labelledby={name}]").get_text(" ").split())


@pytest.fixture
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven people are enough for figures, so that a test can work them out by hand."""
    for module in (review.domain.measurement, review.diagnostics.method):
        monkeypatch.setattr(module, "FEWEST_PEOPLE", 2)
        monkeypatch.setattr(module, "SMALLEST_GROUP", 2)


def test_of_few_people_nothing_is_told_but_counts(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, published(app, cast, levels=MIXED))
    for name in ("h-weights", "h-error", "h-icc"):
        assert "Fewer than 30 people have a score here" in panel(page, name)
    assert "There are not two groups of 10 people to compare." in panel(page, "h-fair")
    assert panel(page, "h-drift").count("–") == 3


@pytest.mark.usefixtures("few_suffice")
def test_weights_as_they_worked_stand_beside_those_as_written(app: Flask, browse: Browse, cast: Cast) -> None:
    """Only supervisors tell people apart here: customers spoke about nobody, peers said good of everybody."""
    text = panel(read(browse, cast, published(app, cast, levels=MIXED, customers={})), "h-weights")
    assert "Supervisor 70% 100% Peers 14% 0% Customers 16% 0%" in text


@pytest.mark.usefixtures("few_suffice")
def test_the_standard_error_names_its_sources_and_what_is_missing(app: Flask, browse: Browse, cast: Cast) -> None:
    """By hand: two criteria move Bo by +20 and Cy by -20 in two fifths of the rating: +8 and -8 among seven people,
    a variance of 128/6, half of which is error."""
    text = panel(read(browse, cast, published(app, cast, levels=MIXED, customers={})), "h-error")
    assert "Supervisor 3.27 Peers 0.00 Customers 0.00 Together 3.27 Reliability of the rating 0.50" in text
    assert "people differ by 4.6 points" in text
    assert "Of peers no variance was kept" in text


def test_customers_spread_adds_up_by_hand(app: Flask, cast: Cast) -> None:
    """20 answers about Ada with stars 4 and 5 by turns: seven fours (80) and thirteen fives (100) on the first."""
    with app.app_context():
        told = make_scored(cast)
        cycle = db.session.get_one(CycleRow, told.cycle_id)
        spread = customers_spread(cycle, scheme_of(cycle.scheme_id))
    fours = sum(number % 3 == 0 for number in range(20))
    sums = (20, 80 * fours + 100 * (20 - fours), 6400 * fours + 10_000 * (20 - fours))
    assert spread.by_criterion[KEYS[0]] == (sums,)
    each = [
        20 * sum(weight * (100 if (number + at) % 3 else 80) for at, weight in enumerate((20, 30, 30)))
        for number in range(20)
    ]
    assert spread.contributions == ((20, sum(each), sum(one * one for one in each)),)
    assert (spread.satisfied, spread.answered) == (20, 20)


def test_satisfaction_stands_with_its_interval_and_the_rate_of_answers(app: Flask, browse: Browse, cast: Cast) -> None:
    text = panel(read(browse, cast, published(app, cast)), "h-sample")
    assert "100% 20 of 20 customers gave four or five stars" in text
    assert "anything from 84% to 100%" in text


def test_severity_of_supervisors_is_refused_in_words(app: Flask, browse: Browse, cast: Cast) -> None:
    text = panel(read(browse, cast, published(app, cast)), "h-severe")
    assert "1 supervisor rated 7 people, each person rated by one supervisor alone." in text
    assert "so no figure is shown" in text


@pytest.mark.usefixtures("few_suffice")
def test_groups_are_compared_in_careful_words(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        for who in ("ada", "bo", "cy"):
            db.session.get_one(PersonRow, cast[who].id).post = "Chat"
        db.session.commit()
    top = {who: dict.fromkeys(KEYS, Level.EXCELLENT) for who in ("ada", "bo", "cy")}
    text = panel(read(browse, cast, published(app, cast, levels=top, peers=Level.EXCELLENT, customers={})), "h-fair")
    assert "Post: graded Excellent" in text
    assert "Chat 3 of 3 100% 1.00 – – highest rate" in text
    assert "not stated 0 of 4 0% 0.00" in text
    assert "look closer, never a finding" in text


@pytest.mark.usefixtures("few_suffice")
def test_the_drift_tells_what_the_same_people_gained(app: Flask, browse: Browse, cast: Cast) -> None:
    published(app, cast, quarters_ago=2, name="Q4 2025", customers={})
    text = panel(read(browse, cast, published(app, cast, levels=MIXED, customers={})), "h-drift")
    assert "Q4 2025 7 80.00 0.00 –" in text
    assert "Q1 2026 7 80.00 4.62 0.00 points, 7 people" in text


def test_the_page_is_for_hr_alone_and_reads_in_chinese(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    for who in ("ada", "sam", "lou", "max"):
        read(browse, cast, told, 404, who)
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = "zh"
        db.session.commit()
    page = read(browse, cast, told)
    assert "测量质量" in page.words
    assert "诊断第2版，与计算方法360-v1分开编号。" in page.words


def test_before_the_publication_there_is_nothing_to_measure(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
    assert "has not been published yet" in read(browse, cast, told, 409).words


def test_it_writes_nothing_and_asks_few_questions(app: Flask, browse: Browse, cast: Cast, settings: Settings) -> None:
    told = published(app, cast)
    browser = browse(cast["hana"])
    browser.get(f"/cycles/{told.cycle_id}/method")
    with app.app_context():
        engine = db.engine
    before = dump(settings.data_dir / "review.sqlite")
    with count_queries(engine) as seen:
        browser.get(f"/cycles/{told.cycle_id}/method")
    assert dump(settings.data_dir / "review.sqlite") == before
    assert len(seen) < 15, len(seen)


def twice_rated(app: Flask, cast: Cast, levels: dict[str, Level]) -> Told:
    """A published cycle of Sam's team in which Lou rated everybody, too."""
    with app.app_context():
        scheme = store(parse_scheme({**dump_scheme(builtin()), "version": 7, "supervisors_required": 2}), NOW, None)
        told = make_scored(cast, scheme_id=scheme.id)
        second_raters.fill(db.session.get_one(CycleRow, told.cycle_id), NOW.date(), by=None, now=NOW)
        for who, review_id in told.reviews.items():
            said = SupervisorRating(dict.fromkeys(KEYS, levels.get(who, Level.FAIR)), {}, "")
            responses.file_rating(review_id, cast["lou"].id, said, NOW)
        score_cycle(told.cycle_id, NOW)
        sign_off(told)
        publish(told, cast)
        return told


@pytest.mark.usefixtures("few_suffice")
def test_two_supervisors_agreement_and_severity_are_told(app: Flask, browse: Browse, cast: Cast) -> None:
    """Sam says good of all seven, Lou fair of all but Ada: 120/7 points apart, so 60/7 = 8.6 each way."""
    page = read(browse, cast, twice_rated(app, cast, {"ada": Level.GOOD}))
    severe = panel(page, "h-severe")
    assert "7 people were rated by two supervisors." in severe
    assert f"Sam ({cast['sam'].employee_no}) 7 +8.6 more lenient" in severe
    assert f"Lou ({cast['lou'].employee_no}) 7 −8.6 stricter" in severe
    assert "For calibration talks only" in severe
    agreed = panel(page, "h-two")
    assert "All criteria 14% – –" in agreed
    assert "Krippendorff" in agreed
    for who in ("sam", "lou", "ada"):
        read(browse, cast, Told(1, {}), 404, who)


def test_of_few_people_rated_twice_no_agreement_is_told(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, twice_rated(app, cast, {}))
    assert "Fewer than 10 people were rated twice" in panel(page, "h-two")


def test_without_second_ratings_the_page_says_why_there_is_no_severity(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, published(app, cast))
    assert "cannot be told apart then, so no figure is shown" in panel(page, "h-severe")
    assert page.soup.select_one("section[aria-labelledby=h-two]") is None
