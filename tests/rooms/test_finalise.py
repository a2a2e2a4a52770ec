"""The supervisor signs results off: with a summary, a reason where the grade is another one, and never unseen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, OutOfReach, TooLate
from review.domain.vocabulary import Grade, Level
from review.infra.audit import AuditRow
from review.infra.db import db
from review.results import desk, service
from review.results.service import SignOff, finalise
from tests.browse import Browser, Page
from tests.make import Cast, make_person
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_results import COMMENTS, KEYS, SIGNED, Told, make_scored, publish, rate, sign_off
from tests.queries import count_queries

LATER = SIGNED + timedelta(hours=1)
STEADY = SignOff("A steady quarter.")

Browse = Callable[..., Browser]


@pytest.fixture
def told(app: Flask, cast: Cast) -> Told:
    with app.app_context():
        return make_scored(cast)


def open_page(browse: Browse, cast: Cast, told: Told, who: str = "ada", **options: Any) -> tuple[Browser, Page]:
    browser = browse(cast["sam"], **options)
    return browser, browser.get(f"/team/results/{told.reviews[who]}/finalise")


def signed(app: Flask, told: Told, who: str = "ada") -> Any:
    with app.app_context():
        return service.sign_off_of(told.reviews[who])


# ---- the service ----------------------------------------------------------------------------------------------------


def test_without_a_word_the_computed_grade_is_the_final_one(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        row = finalise(told.reviews["ada"], STEADY, by=cast["sam"].id, now=SIGNED)
        assert (row.computed_grade, row.final_grade, row.reason) == (Grade.GOOD, Grade.GOOD, "")
        assert (row.signed_by, row.signed_at, row.summary) == (cast["sam"].id, SIGNED, "A steady quarter.")


@pytest.mark.parametrize(
    ("said", "code", "where"),
    [
        (SignOff(" \n"), "results:summary_missing", "summary"),
        (SignOff("x" * 4001), "form:too_long", "summary"),
        (SignOff("Fine.", reason="x" * 4001, grade=Grade.FAIR), "form:too_long", "reason"),
        (SignOff("Fine.", Grade.EXCELLENT), "results:grade_needs_reason", "reason"),
        (SignOff("Fine.", Grade.GOOD, "But why?"), "results:reason_without_change", "reason"),
        (SignOff("Fine.", seen="somewhere else:"), "results:figures_changed", None),
    ],
)
def test_a_decision_that_lacks_its_words_is_refused(
    app: Flask, cast: Cast, told: Told, said: SignOff, code: str, where: str | None
) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            finalise(told.reviews["ada"], said, by=cast["sam"].id, now=SIGNED)
        assert [(problem.code, problem.where) for problem in refused.value.problems] == [(code, where)]
        assert service.sign_off_of(told.reviews["ada"]) is None


def test_another_grade_is_logged_before_and_after_with_its_reason(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told, "ada")
        sign_off(told, "ada", at=LATER, grade=Grade.EXCELLENT, reason="Won back two contracts.")
        lines = db.session.query(AuditRow).filter_by(action="results:result:finalised").order_by(AuditRow.id).all()
        assert [line.details["before"] for line in lines] == [None, "good"]
        assert lines[1].details == {
            "before": "good",
            "computed": "good",
            "final": "excellent",
            "reason": "Won back two contracts.",
        }
        assert (lines[1].actor_id, lines[1].at) == (cast["sam"].id, LATER)


def test_the_same_once_more_changes_nothing(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told, "ada")
        sign_off(told, "ada", at=LATER)
        assert service.sign_off_of(told.reviews["ada"]).signed_at == SIGNED
        assert db.session.query(AuditRow).filter_by(action="results:result:finalised").count() == 1


def test_only_whoever_answers_for_the_review_may_sign(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        for other in ("quinn", "hana", "ada", "lou"):
            with pytest.raises(OutOfReach):
                finalise(told.reviews["ada"], STEADY, by=cast[other].id, now=SIGNED)


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [
        (Stage.COLLECTING, NotYet),
        (Stage.COUNTING, NotYet),
        (Stage.PUBLISHED, TooLate),
        (Stage.ARCHIVED, TooLate),
        (Stage.CANCELLED, TooLate),
    ],
)
def test_results_are_signed_between_count_and_publication(
    app: Flask, cast: Cast, told: Told, stage: Stage, refusal: type[Exception]
) -> None:
    with app.app_context():
        set_stage(told.cycle_id, stage)
        db.session.expire_all()
        with pytest.raises(refusal):
            finalise(told.reviews["ada"], STEADY, by=cast["sam"].id, now=SIGNED)
        with pytest.raises(refusal):
            desk.lines_of(cast["sam"].id, db.session.get_one(CycleRow, told.cycle_id), SIGNED)


def test_no_score_needs_an_explanation_and_gets_no_grade(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, rated=["bo"])
        with pytest.raises(Invalid, match="results:withheld_needs_reason"):
            finalise(told.reviews["ada"], SignOff("Fine.", Grade.EXCELLENT), by=cast["sam"].id, now=SIGNED)
        db.session.rollback()
        said = SignOff("Fine.", Grade.EXCELLENT, "On leave for ten weeks.")
        row = finalise(told.reviews["ada"], said, by=cast["sam"].id, now=SIGNED)
        assert (row.computed_grade, row.final_grade) == (None, None)


def test_a_rating_filed_late_is_in_the_figures_at_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, rated=["bo"])
        rate(told, cast, "ada", at=SIGNED)
        draft = desk.draft_of(file_of(told.reviews["ada"]), LATER)
        assert draft.is_rated
        assert draft.card.grade is Grade.GOOD
        row = finalise(told.reviews["ada"], SignOff("Fine.", seen=draft.seen), by=cast["sam"].id, now=LATER)
        assert row.final_grade is Grade.GOOD
        assert service.scorecard_of(told.reviews["ada"]).score == draft.card.score


# ---- the team's list ------------------------------------------------------------------------------------------------


def test_the_list_says_who_waits_and_who_is_done(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told, "ada")
    page = browse(cast["sam"]).get(f"/team/{told.cycle_id}/results")
    assert "6 results wait for your summary" in page.words
    assert "Ada 82.14 Good finalised" in page.words
    assert "Bo 80.00 Good waits for you" in page.words


def test_other_sources_open_only_after_the_own_rating(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, rated=["bo"])
    team = browse(cast["sam"]).get(f"/team/{told.cycle_id}/results")
    assert "Ada – Other sources open after your own rating not rated" in team.words
    _, page = open_page(browse, cast, told)
    assert "Your own rating is missing" in page.words
    for secret in ("80.00", "94.00", "93.00", "Customers", "Peers", COMMENTS[0]):
        assert secret not in page.words
    _, rated = open_page(browse, cast, told, "bo")
    assert "Peers" in rated.words


def test_a_supervisor_sees_only_their_own_people(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    words = browse(cast["quinn"]).get(f"/team/{told.cycle_id}/results").words
    assert "You answer for nobody in this cycle" in words
    assert "Ada" not in words


def test_after_the_publication_the_list_leads_to_the_report(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        publish(told, cast)
    page = browse(cast["sam"]).get(f"/team/{told.cycle_id}/results", 302)
    assert page.location == f"/team/{told.cycle_id}/report"


def test_the_list_asks_as_much_for_sixty_people_as_for_seven(app: Flask, browse: Browse, cast: Cast) -> None:
    asked = []
    for size, ago in ((7, 1), (60, 2), (600, 3)):
        with app.app_context():
            team = [make_person(f"P{size}-{n}", supervisor=cast["sam"].id) for n in range(size)]
            cycle_id = make_cycle(cast, Stage.FINALISING, who=team, quarters_ago=ago, name=f"Of {size}")
            db.session.commit()
            engine = db.engine
        with count_queries(engine) as seen:
            browse(cast["sam"]).get(f"/team/{cycle_id}/results")
        asked.append(len(seen))
    assert asked[0] == asked[1] == asked[2] < 15


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_page_shows_figures_flags_and_words(app: Flask, browse: Browse, cast: Cast, locale: str) -> None:
    with app.app_context():
        supervisor = make_person("Tess", locale=locale)
        told = make_scored(cast, peers=Level.EXCELLENT, ballots_about={"bo": 3})
        for review_id in told.reviews.values():
            db.session.get_one(ReviewRow, review_id).supervisor_id = supervisor.id
        for who in told.reviews:
            rate(told, cast, who)
        db.session.commit()
    page = browse(supervisor).get(f"/team/results/{told.reviews['ada']}/finalise")
    assert page.soup.html["lang"] == {"en": "en", "zh": "zh-CN"}[locale]
    assert {"en": "90 or higher", "zh": "90及以上"}[locale] in page.words
    assert {"en": "Few customers answered", "zh": "客户样本较小"}[locale] in page.words
    assert COMMENTS[0] in page.words
    assert page.soup.select_one("input[name=grade][checked]")["value"] == "good"
    bo = browse(supervisor).get(f"/team/results/{told.reviews['bo']}/finalise")
    assert {"en": "not counted", "zh": "不计分"}[locale] in bo.words


def test_customers_words_stay_closed_while_their_figures_do(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, customers={"ada": 14})
    _, page = open_page(browse, cast, told)
    assert COMMENTS[0] not in page.words


def test_signing_leads_back_to_the_list(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    browser, page = open_page(browse, cast, told)
    done = browser.submit(page, {"summary": "Well done.\r\nKeep it up."}, "/finalise")
    assert "The result of Ada is finalised" in browser.follow(done).words
    assert signed(app, told).final_grade is Grade.GOOD
    again = browser.get(f"/team/results/{told.reviews['ada']}/finalise")
    assert "Keep it up." in again.form("/finalise").textarea.get_text()


def test_a_refused_decision_keeps_what_was_typed(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    browser, page = open_page(browse, cast, told)
    refused = browser.submit(page, {"summary": "Remarkable.", "grade": "excellent"}, "/finalise", 422)
    assert "Say why; the employee and HR read it." in refused.words
    assert "Remarkable." in refused.form("/finalise").textarea.get_text()
    assert refused.soup.select_one("input[name=grade][checked]")["value"] == "excellent"
    assert signed(app, told) is None
    empty = browser.submit(page, {"summary": "  "}, "/finalise", 422)
    assert "This is needed." in empty.words


def test_a_page_with_stale_figures_is_shown_again_with_the_new_ones(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast, rated=["bo", "cy", "di", "ed", "fay", "gus"])
    browser, page = open_page(browse, cast, told)
    with app.app_context():
        rate(told, cast, "ada", at=SIGNED)
        db.session.commit()
    stale = browser.submit(page, {"summary": "No rating yet.", "reason": "On leave."}, "/finalise", 422)
    assert "The figures have changed since you opened this page." in stale.words
    assert "No rating yet." in stale.form("/finalise").textarea.get_text()
    assert "82.14" in stale.words
    assert signed(app, told) is None
    browser.submit(stale, {"reason": ""}, "/finalise")
    assert signed(app, told).final_grade is Grade.GOOD


def test_two_windows_do_not_overwrite_each_other_unseen(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    first, page_a = open_page(browse, cast, told)
    second, page_b = open_page(browse, cast, told)
    first.submit(page_a, {"summary": "From the first window."}, "/finalise")
    refused = second.submit(page_b, {"summary": "From the second window."}, "/finalise", 422)
    assert "finalised from another window" in refused.words
    assert signed(app, told).summary == "From the first window."
    second.submit(refused, {}, "/finalise")  # having been told, the supervisor insists
    assert signed(app, told).summary == "From the second window."


def test_the_page_holds_no_hash_of_the_inputs_against_which_closed_figures_could_be_tried_out(
    app: Flask, browse: Browse, cast: Cast
) -> None:
    with app.app_context():
        told = make_scored(cast, rated=["bo"])
        input_hash = service.scorecard_of(told.reviews["ada"]).input_hash
        db.session.commit()
    _, page = open_page(browse, cast, told)
    assert "Your own rating is missing" in page.words
    assert input_hash not in str(page.soup)


def test_pressing_twice_is_harmless(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    browser, page = open_page(browse, cast, told)
    for _ in range(2):
        browser.submit(page, {"summary": "Once is enough."}, "/finalise")
    with app.app_context():
        assert db.session.query(AuditRow).filter_by(action="results:result:finalised").count() == 1


@pytest.mark.parametrize("who", ["ada", "bo", "quinn", "lou", "hana", "max"])
def test_for_everybody_else_the_page_is_not_there(browse: Browse, cast: Cast, told: Told, who: str) -> None:
    browser, address = browse(cast[who]), f"/team/results/{told.reviews['ada']}/finalise"
    browser.get(address, 404)
    browser.post(address, {"summary": "Mine."}, 404)


def test_before_the_count_there_is_nothing_to_finalise(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        review_id = review_of(cycle_id, cast["ada"])
        db.session.commit()
    browser = browse(cast["sam"])
    assert "have not been counted yet" in browser.get(f"/team/results/{review_id}/finalise", 409).words
    browser.post(f"/team/results/{review_id}/finalise", {"summary": "Early."}, 409)
    browser.get(f"/team/{cycle_id}/results", 409)


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_after_the_publication_the_text_is_handed_back(
    app: Flask, browse: Browse, cast: Cast, told: Told, locale: str
) -> None:
    browser, page = open_page(browse, cast, told)
    with app.app_context():
        sign_off(told)
        publish(told, cast)
        db.session.get_one(type(file_of(told.reviews["ada"]).subject), cast["sam"].id).locale = locale
        db.session.commit()
    late = browser.submit(page, {"summary": "Written too long.", "reason": "Because."}, "/finalise", 410)
    assert "Written too long." in late.soup.select_one("textarea[name=summary]").get_text()
    assert {"en": "can no longer be changed", "zh": "不能再修改"}[locale] in late.words
    assert late.soup.select_one(f"a[href='/results/{told.reviews['ada']}']")
    assert signed(app, told).summary == "A steady quarter for ada."
    browser.get(f"/team/results/{told.reviews['ada']}/finalise", 410)


def test_a_successor_takes_over_with_a_rating_of_their_own(app: Flask, browse: Browse, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told, "ada")
        db.session.get_one(ReviewRow, told.reviews["ada"]).supervisor_id = cast["quinn"].id
        db.session.commit()
    address = f"/team/results/{told.reviews['ada']}/finalise"
    browse(cast["sam"]).get(address, 404)
    page = browse(cast["quinn"]).get(address)
    assert "Your own rating is missing" in page.words
    assert "94.00" not in page.words
    with app.app_context():
        rate(told, cast, "ada", {KEYS[0]: Level.EXCELLENT}, SIGNED)
        db.session.commit()
    browser = browse(cast["quinn"])
    browser.submit(browser.get(address), {"summary": "Taken over.", "reason": ""}, "/finalise")
    assert signed(app, told).signed_by == cast["quinn"].id
