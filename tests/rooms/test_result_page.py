"""The page of a published result: what it shows to whom, amounts that add up, and no number that is withheld."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask, render_template_string
from sqlalchemy import insert

from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.disclosure import Cell, End, Shown, WhyWithheld, Withheld
from review.domain.responses import Evidence, Tally
from review.domain.scoring import score
from review.domain.vocabulary import GRADES, Grade, Level
from review.infra.db import db
from review.people.tables import PersonRow
from review.reports.ledger import ledger_of
from review.reports.result_page import ResultPage, gap_rows, level_of, radar_sources, result_page
from review.results.tables import PublicationRow
from review.results.working import working_of
from review.schemes.library import builtin
from tests.browse import Browser, Page
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle, reviews_of
from tests.make_results import ALL_GOOD, COMMENTS, KEYS, PUBLISHED, Told, make_scored, publish, sign_off
from tests.queries import count_queries

Browse = Callable[..., Browser]
SCHEME = builtin()
PEERS = ("interpersonal_coordination", "feedback_learning")


def published(app: Flask, cast: Cast, *, locale: str = "en", **how: Any) -> Told:
    """A published cycle of Ada's team; she reads `locale`."""
    with app.app_context():
        told = make_scored(cast, **how)
        sign_off(told)
        publish(told, cast)
        db.session.get_one(PersonRow, cast["ada"].id).locale = locale
        db.session.commit()
        return told


def read(browse: Browse, cast: Cast, told: Told, who: str = "ada") -> Page:
    return browse(cast[who]).get(f"/results/{told.reviews['ada']}")


# ---- what it shows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "en",
            [
                "Result of Q1 2026",
                "Good",
                "82.14",
                "12.14 points above the lower end of Good.",
                "7.86 points short of Excellent.",
                "Merit award",
                "A steady quarter for ada.",
                "Sam",
                "A formula computes the score; the supervisor decides the grade.",
                "Good 80 × 80%",
                "20 answers, mean 93.00, × 20%",
                "5–7 ballots, 80, × 50%",
                "sum 410.70 ÷ 5",
                "Good from 70 points",
                "4 comments from 20 answers",
                "936 tickets closed.",
                "not that you agree",
            ],
        ),
        (
            "zh",
            [
                "Q1 2026结果",
                "良好",
                "82.14",
                "比良好线高12.14分。离优秀还差7.86分。",
                "优良奖",
                "绩效奖金系数",
                "主管总结",
                "分数由公式算出，等级由主管确认",
                "良好80 × 80%",
                "20份，平均93.00，× 20%",
                "5–7张，80，× 50%",
                "各项之和410.70 ÷ 5",
                "70分起为良好",
                "20份中4条",
                "签字表示已知悉，不代表同意。",
            ],
        ),
    ],
)
def test_the_page_tells_grade_reward_and_the_whole_working(
    app: Flask, browse: Browse, cast: Cast, locale: str, said: list[str]
) -> None:
    page = read(browse, cast, published(app, cast, locale=locale))
    whole = " ".join(page.soup.body.get_text(" ").split())
    assert [words for words in said if words not in whole] == []
    assert page.soup.select_one(".r-chart[role=img]")
    assert page.soup.select_one(".r-gaps")
    assert len(page.soup.select(".r-datatable tbody tr")) == 5


def test_an_open_end_is_told_in_words_with_what_it_counts(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, published(app, cast, peers=Level.EXCELLENT))
    assert "5–7 ballots, 90 or higher, counted as 92, × 50%" in page.words
    cells = [cell.get_text() for cell in page.soup.select(".r-datatable td")]
    assert cells.count("90 or higher") == 2
    assert "92" not in cells


def test_a_changed_grade_shows_before_after_and_why(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
        sign_off(told)
        sign_off(told, "ada", at=PUBLISHED, grade=Grade.EXCELLENT, reason="Won back two contracts.")
        publish(told, cast)
    words = read(browse, cast, told).words
    assert "Good computed, Excellent decided" in words
    assert "Won back two contracts." in words
    assert "Outstanding award" in words
    assert "12.14 points above the lower end of Good." in words


def test_without_a_score_the_page_says_why(app: Flask, browse: Browse, cast: Cast) -> None:
    words = read(browse, cast, published(app, cast, rated=["bo"])).words
    assert "No score" in words
    assert "The supervisor has not rated every criterion" in words
    assert "Why there is no score Rating still missing." in words
    assert "Reward tier" not in words


def test_the_gap_between_self_and_others_is_named_from_twenty_points(app: Flask, browse: Browse, cast: Cast) -> None:
    own = {KEYS[0]: Level.EXCELLENT, "interpersonal_coordination": Level.FAIR, "feedback_learning": Level.EXCELLENT}
    page = read(browse, cast, published(app, cast, own=own, customers={"ada": 0}))
    rows = [" ".join(row.get_text(" ").split()) for row in page.soup.select(".r-gaps li")]
    assert rows[0] == "Business knowledge +20 Blind spot"
    assert rows[1] == "Communication 0"
    assert rows[3] == "Working with others −20 Hidden strength"


def test_the_trend_holds_earlier_results_and_the_change(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        before = make_scored(cast, quarters_ago=2, name="Q4 2025", customers={})
        sign_off(before)
        publish(before, cast, at=NOW)
    page = read(browse, cast, published(app, cast))
    assert "2.14 points more than last time." in page.words
    trend = page.soup.select_one(".r-hero-l svg.r-line-svg")
    assert "Q4 25 80; Q1 26 82.14" in trend["aria-label"]
    first = browse(cast["ada"]).get(f"/results/{before.reviews['ada']}")
    assert "last time" not in first.words  # a frozen page knows nothing of what came later


# ---- who may read it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("sam", 200), ("hana", 200)])
def test_subject_supervisor_and_hr_may_read(app: Flask, browse: Browse, cast: Cast, who: str, status: int) -> None:
    told = published(app, cast)
    page = browse(cast[who]).get(f"/results/{told.reviews['ada']}", status)
    assert ("Sign: I have read it" in page.soup.body.get_text()) == (who == "ada")


@pytest.mark.parametrize("who", ["bo", "quinn", "lou", "max"])
def test_nobody_else_learns_that_it_exists(app: Flask, browse: Browse, cast: Cast, who: str) -> None:
    told = published(app, cast)
    browser = browse(cast[who])
    browser.get(f"/results/{told.reviews['ada']}", 404)
    browser.post(f"/results/{told.reviews['ada']}/acknowledge", status=404)


def test_before_the_publication_there_is_nothing_to_read(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
        sign_off(told)
    for who in ("ada", "sam", "hana"):
        page = browse(cast[who]).get(f"/results/{told.reviews['ada']}", 409)
        assert "has not been published yet" in page.words
        assert "82.14" not in page.text
    browse(cast["ada"]).post(f"/results/{told.reviews['ada']}/acknowledge", status=409)


def test_a_new_supervisor_sees_no_result_from_before_their_time(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        before = make_scored(cast, quarters_ago=2, name="Q4 2025", customers={})
        sign_off(before)
        publish(before, cast, at=NOW)
        db.session.get_one(ReviewRow, before.reviews["ada"]).supervisor_id = cast["quinn"].id
        db.session.commit()
    told = published(app, cast)
    assert "last time" not in read(browse, cast, told, "sam").words
    assert "last time" in read(browse, cast, told, "hana").words
    browse(cast["sam"]).get(f"/results/{before.reviews['ada']}", 404)


# ---- the signature --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_signing_is_one_button_and_is_shown_to_the_supervisor(
    app: Flask, browse: Browse, cast: Cast, locale: str
) -> None:
    told = published(app, cast, locale=locale)
    assert "Not signed by the employee yet." in read(browse, cast, told, "sam").words
    browser = browse(cast["ada"])
    page = browser.get(f"/results/{told.reviews['ada']}")
    for _ in range(2):  # pressing twice is harmless
        done = browser.submit(page, {}, "/acknowledge")
    after = browser.follow(done)
    assert {"en": "You signed on", "zh": "你已于"}[locale] in after.words
    assert not after.soup.select("form[action$='/acknowledge']")
    assert "Signed by the employee on" in read(browse, cast, told, "sam").words


# ---- amounts add up -------------------------------------------------------------------------------------------------


def evidence(number: int) -> Evidence:
    """Some evidence or other, the same for the same number, with every mix of present and missing sources."""

    def pick(options: Any, salt: int) -> Any:
        return options[(number * 7919 + salt * 104729) // 13 % len(options)]

    levels = tuple(Level)
    figures = [
        Shown("5-7", 92, 1, End.HIGH),
        Shown("5-7", 52, 1, End.LOW),
        Shown("8-12", 85),
        Shown("13+", 74),
        Withheld(WhyWithheld.BELOW_MINIMUM),
        Withheld(WhyWithheld.PANEL_TOO_SMALL),
    ]
    customers = {}
    for at, key in enumerate(("business_knowledge", "communication", "problem_solving")):
        n = pick((0, 3, 14, 15, 16, 19, 37, 38), at)
        customers[key] = Tally(20 * (n + (number * 31 + at * 17) % (4 * n + 1)), n)
    return Evidence(
        self=({key: pick(levels, 10 + at) for at, key in enumerate(KEYS)},) if number % 3 else (),
        supervisor=({key: pick(levels, 20 + at) for at, key in enumerate(KEYS)},),
        peers=tuple(Cell(key, pick(figures, 30 + at)) for at, key in enumerate(PEERS)),
        customers={key: tally for key, tally in customers.items() if tally.count},
    )


@pytest.mark.parametrize("number", range(200))
def test_contributions_add_up_to_the_criterion_and_criteria_to_the_score(number: int) -> None:
    working = working_of(score(SCHEME, evidence(number)))
    book = ledger_of(working)
    for line in book.criteria:
        counted = [part for part in line.parts if part.counted]
        # Each printed amount is at most half a hundredth off.
        assert abs(sum(part.contribution for part in counted) - line.score) <= Fraction(len(counted) + 1, 2)
        assert abs(sum(part.weight_used for part in counted) - 100_00) <= len(counted) - 1
        for part in line.parts:
            if not part.counted:
                assert (part.n, part.points, part.mean, part.contribution) == (None, None, None, None)
    assert abs(Fraction(book.criteria_sum, 5) - book.rating) <= Fraction(6, 10)
    assert book.rating == book.score


@pytest.mark.parametrize("number", range(40))
def test_every_printed_amount_adds_up_in_the_page_itself(app: Flask, number: int) -> None:
    with app.test_request_context("/"):
        page = page_of(evidence(number))
        html = render_ledger(page)
    for details in html.select("details"):
        amounts = [amount(cell) for cell in details.select(".i") if amount(cell) is not None]
        assert abs(sum(amounts) - amount(details.select_one("summary .m"))) <= Decimal("0.02")
    mean = amount(html.select_one(".sub .m"))
    assert abs(sum(amount(cell) for cell in html.select("summary .m")) / 5 - mean) <= Decimal("0.01")
    assert amount(html.select_one(".sum .o")) == mean


def amount(cell: Tag) -> Decimal | None:
    text = cell.get_text(strip=True)
    return None if text == "–" else Decimal(text)


def page_of(said: Evidence) -> ResultPage:
    """The page of somebody whose sources said this, decided as computed."""
    working = working_of(score(SCHEME, said))
    body = {
        "working": working,
        "scheme_id": 1,
        "cycle": {"name": "Q1 2026", "kind": "quarterly", "period_start": "2026-01-01", "period_end": "2026-03-31"},
        "decision": {"computed": working["grade"], "final": working["grade"], "at": PUBLISHED.isoformat()},
        "minimums": {"peers": 5, "customers": 15},
    }
    row = PublicationRow(body=body, score=working["score"], grade=working["grade"])
    return result_page(row, [], SCHEME)


def render_ledger(page: ResultPage) -> Any:
    template = '{% import "reports/_ledger.html" as ledger with context %}{{ ledger.working(page, names, level_of) }}'
    names = {criterion.key: criterion.name for criterion in SCHEME.criteria}
    html = render_template_string(template, page=page, names=names, level_of=lambda points: level_of(points, SCHEME))
    return BeautifulSoup(html, "html5lib")


# ---- what is withheld stays withheld --------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("who", ["ada", "sam", "hana"])
def test_peers_under_the_minimum_leave_neither_mean_nor_number(
    app: Flask, browse: Browse, cast: Cast, who: str, locale: str
) -> None:
    silent = published(app, cast, locale=locale, ballots_about={"ada": 0}, customers={})
    with app.app_context():
        few_told = make_scored(
            cast, quarters_ago=2, name="Q4 2025", ballots_about={"ada": 4}, peers=Level.POOR, customers={}
        )
        sign_off(few_told)
        publish(few_told, cast, at=PUBLISHED)
        few = few_told.reviews
    said_by_none = scrubbed(browse(cast[who]).get(f"/results/{silent.reviews['ada']}"))
    said_by_four = scrubbed(browse(cast[who]).get(f"/results/{few['ada']}"))
    # Four poor ballots or none at all: not a letter differs, so nothing about them can be read from the page.
    assert ledger_and_radar(said_by_four) == ledger_and_radar(said_by_none)
    assert {"en": "Fewer than 5 peer ballots", "zh": "同事评少于5张"}[locale if who == "ada" else "en"] in said_by_four


def scrubbed(page: Page) -> str:
    for tag in page.soup.select("meta, input[type=hidden], [hx-headers\\:inherited]"):
        tag.attrs = {}
    return str(page.soup)


def ledger_and_radar(html: str) -> str:
    """The parts made of figures; the heads differ by cycle and the trend by time."""
    start, end = html.index('class="r-hero-r"'), html.index('id="h-cm"')
    body = re.sub(r"<blockquote.*?</dl>", "", html[start:end], flags=re.DOTALL)
    body = re.sub(r"\s*<section[^>]*h-mv.*?</section>", "", body, flags=re.DOTALL)  # only the later one has an earlier
    return re.sub(r"[0-9a-f]{12}", "", body)


def test_peers_never_stand_in_the_radar_or_the_gaps_while_withheld() -> None:
    said = Evidence(
        supervisor=(ALL_GOOD,), peers=tuple(Cell(key, Withheld(WhyWithheld.BELOW_MINIMUM)) for key in PEERS)
    )
    page = page_of(said)
    assert [source["key"] for source in radar_sources(page)] == ["supervisor"]
    assert gap_rows(page, "en") == []


def test_customers_under_the_minimum_leave_neither_mean_nor_words(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, published(app, cast, customers={"ada": 14}))
    assert "Fewer than 15 customer answers" in page.words
    for secret in (*COMMENTS, "93.00", "94.00", "92.86", "14 answers", "Fingerprint of the inputs"):
        assert secret not in page.text


def test_from_the_minimum_on_customers_words_are_shown(app: Flask, browse: Browse, cast: Cast) -> None:
    page = read(browse, cast, published(app, cast, customers={"ada": 15}))
    assert [words for words in COMMENTS if words not in page.words] == []
    assert "Fingerprint of the inputs" in page.words


# ---- lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "said"), [("en", "When HR publishes a cycle, your result appears here"), ("zh", "还没有公布的结果")]
)
def test_without_results_the_own_list_says_when_they_come(
    app: Flask, browse: Browse, cast: Cast, locale: str, said: str
) -> None:
    with app.app_context():
        somebody = make_person("Nell", locale=locale)
        db.session.commit()
    assert said in browse(somebody).get("/results").words


def test_the_own_list_leads_to_every_published_result(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    page = browse(cast["ada"]).get("/results")
    assert "Q1 2026 Good 82.14 Merit award 22 Apr 2026" in page.words
    assert page.soup.select_one(f"a[href='/results/{told.reviews['ada']}']")
    assert "Q1 2026" not in browse(cast["rae"]).get("/results").words


def test_the_overview_shows_grades_and_signatures_never_a_source(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast, peers=Level.EXCELLENT)
    for who, address in (("sam", f"/team/{told.cycle_id}/report"), ("hana", f"/cycles/{told.cycle_id}/report")):
        page = browse(cast[who]).get(address)
        assert "7 people, 0 signed" in page.words
        assert "Mean score" in page.words
        assert "not signed yet" in page.words
        results = page.soup.find("section", {"aria-label": "Results"}).get_text(" ")
        assert "Ada" in results
        assert "90 or higher" not in results
        assert "Peers" not in results


@pytest.mark.parametrize(("people", "is_told"), [(4, False), (5, True)])
def test_distribution_and_mean_start_with_five_people(
    app: Flask, browse: Browse, cast: Cast, people: int, is_told: bool
) -> None:
    told = published(app, cast, reviewed=("ada", "bo", "cy", "di", "ed")[:people], ballots_about={})
    page = browse(cast["sam"]).get(f"/team/{told.cycle_id}/report")
    assert ("Mean score" in page.words) == is_told
    assert bool(page.soup.select(".r-legend-dist")) == is_told
    assert ("would be about single persons" in page.words) != is_told


def test_people_without_a_score_do_not_lift_a_team_over_the_threshold(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast, rated=["ada", "bo", "cy", "di"])
    page = browse(cast["sam"]).get(f"/team/{told.cycle_id}/report")
    assert "3 without a score" in page.words
    assert "Mean score" not in page.words


def test_overviews_are_for_their_supervisor_and_hr(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    browse(cast["ada"]).get(f"/team/{told.cycle_id}/report", 404)
    browse(cast["sam"]).get(f"/cycles/{told.cycle_id}/report", 404)
    browse(cast["quinn"]).get(f"/team/{told.cycle_id}/report", 409)  # answers for nobody in it
    with app.app_context():
        later = make_cycle(cast, Stage.FINALISING, quarters_ago=2, name="Q4 2025")
        db.session.commit()
    browse(cast["hana"]).get(f"/cycles/{later}/report", 409)


def test_lists_ask_as_much_for_six_hundred_people_as_for_sixty(app: Flask, browse: Browse, cast: Cast) -> None:
    body = {"subject": {"name": "P", "employee_no": "1", "department": None}, "decision": {"final": 1, "computed": 1}}
    asked: dict[str, list[int]] = {}
    for size, ago in ((60, 1), (600, 2)):
        with app.app_context():
            team = [make_person(f"P{size}-{n}", supervisor=cast["sam"].id) for n in range(size)]
            cycle_id = make_cycle(cast, Stage.PUBLISHED, who=team, quarters_ago=ago, name=f"Of {size}")
            rows = [
                {
                    "review_id": review_id,
                    "cycle_id": cycle_id,
                    "subject_id": subject,
                    "version": 1,
                    "score": 80_00,
                    "grade": GRADES[1],
                    "body": body,
                    "published_at": PUBLISHED + timedelta(days=ago),
                    "published_by": cast["hana"].id,
                }
                for subject, review_id in reviews_of(cycle_id).items()
            ]
            db.session.execute(insert(PublicationRow), rows)
            db.session.commit()
            engine = db.engine
        for who, address in (("sam", f"/team/{cycle_id}/report"), ("hana", f"/cycles/{cycle_id}/report?page=2")):
            with count_queries(engine) as seen:
                page = browse(cast[who]).get(address)
            assert f"{size} people, 0 signed" in page.words
            asked.setdefault(who, []).append(len(seen))
    assert all(few == many < 15 for few, many in asked.values()), asked


def test_a_result_page_asks_little(app: Flask, browse: Browse, cast: Cast) -> None:
    told = published(app, cast)
    with app.app_context():
        engine = db.engine
    with count_queries(engine) as seen:
        read(browse, cast, told)
    assert len(seen) < 15
    assert "peer_cell" not in " ".join(seen)  # pages read publications, never cells
