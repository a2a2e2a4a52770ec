"""The self-review: written by its subject until it is due, replaced as often as wanted, lost never."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from review.cycles.lookup import file_of
from review.cycles.tables import ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, TooLate
from review.domain.responses import SelfReview, Statement, SupervisorRating
from review.domain.vocabulary import Level
from review.infra.db import db
from review.responses import service as responses
from review.schemes.library import builtin
from review.self_review import service
from tests.browse import Browser
from tests.make import NOW, Cast, make_person
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage

SCHEME = builtin()
KEYS = [criterion.key for criterion in SCHEME.criteria]
GOOD = dict.fromkeys(KEYS, Level.GOOD)
SELF = SelfReview(GOOD, Statement(overview="936 tickets closed", plan="84 % at first contact"))
LEVELS = {f"level_{key}": "good" for key in KEYS}
WHOLE = {"overview": "936 tickets closed", "plan": "84 % at first contact", **LEVELS}
Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.self_review.views.now", lambda: NOW)


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = make_cycle(cast)
        db.session.commit()
        return made


@pytest.fixture
def url(app: Flask, cast: Cast, cycle: int) -> str:
    with app.app_context():
        return f"/self-review/{review_of(cycle, cast['ada'])}"


def number(url: str) -> int:
    return int(url.split("/")[2])


def change(app: Flask, cycle: int, stage: Stage | None = None, **dates: object) -> None:
    with app.app_context():
        if stage:
            set_stage(cycle, stage)
        if dates:
            set_dates(cycle, **dates)
        db.session.commit()


def filed(app: Flask, url: str) -> SelfReview | None:
    with app.app_context():
        sheet = responses.self_of(number(url))
        return sheet and sheet.filed


def drafted(app: Flask, url: str) -> dict | None:
    with app.app_context():
        sheet = responses.self_sheet(number(url))
        return sheet and sheet.draft


def test_the_subject_writes_and_submits(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    ada = browse(cast["ada"])
    page = ada.submit(ada.get(url), {**WHOLE, "act": "submit"})
    assert filed(app, url) == SELF
    assert "Submitted" in ada.follow(page).words


@pytest.mark.parametrize("who", ["bo", "sam", "quinn", "hana", "max"])
def test_nobody_else_writes_it(app: Flask, cast: Cast, browse: Browse, url: str, who: str) -> None:
    browse(cast[who]).post(url, {**WHOLE, "act": "submit"}, status=404)
    browse(cast[who]).post(url + "/draft", WHOLE, status=404)
    assert (filed(app, url), drafted(app, url)) == (None, None)


@pytest.mark.parametrize("who", ["bo", "quinn", "hana"])
def test_for_others_it_does_not_exist(cast: Cast, browse: Browse, url: str, who: str) -> None:
    browse(cast[who]).get(url, status=404)


def test_a_draft_is_kept_and_comes_back_unfinished(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    ada = browse(cast["ada"])
    ada.submit(ada.get(url), {"problems": "140 tickets piled up", "act": "draft"})
    assert filed(app, url) is None
    assert "140 tickets piled up" in ada.get(url).words


def test_autosave_answers_without_a_page(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    ada = browse(cast["ada"])
    ada.post(url + "/draft", {"overview": "half a sen", "level_communication": "fair", "version": "0"}, status=204)
    assert drafted(app, url)["statement"]["overview"] == "half a sen"
    assert drafted(app, url)["answers"] == {"communication": "fair"}


def test_autosave_says_no_to_a_text_without_end(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    browse(cast["ada"]).post(url + "/draft", {"overview": "x" * 10_001, "version": "0"}, status=422)
    assert drafted(app, url) is None


def test_an_incomplete_one_is_refused_with_all_reasons_and_the_text(
    app: Flask, cast: Cast, browse: Browse, url: str
) -> None:
    ada = browse(cast["ada"])
    page = ada.submit(ada.get(url), {"problems": "what I typed", "act": "submit"}, status=422)
    assert "what I typed" in page.words
    assert page.words.count("Choose a level.") == 2 * len(KEYS)  # in the summary and beside the field
    assert page.soup.find(id="overview")["aria-invalid"] == "true"
    assert page.soup.find(id="figures").get("aria-invalid") is None
    assert filed(app, url) is None


def test_a_part_that_is_too_long_is_refused_and_kept(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    ada = browse(cast["ada"])
    long = "很" * (service.LONGEST_PART + 1)
    page = ada.submit(ada.get(url), {**WHOLE, "measures": long, "act": "submit"}, status=422)
    assert long in page.text
    ada.submit(ada.get(url), {**WHOLE, "measures": long[1:], "act": "submit"})
    assert filed(app, url).statement.measures == long[1:]


def test_it_can_be_replaced_and_changes_stay_a_draft_until_then(
    app: Flask, cast: Cast, browse: Browse, url: str
) -> None:
    ada = browse(cast["ada"])
    ada.submit(ada.get(url), {**WHOLE, "act": "submit"})
    ada.submit(ada.get(url), {"overview": "second thoughts", "act": "draft"})
    page = ada.get(url)
    assert "changes that are not submitted" in page.words
    assert "second thoughts" in page.words
    assert filed(app, url) == SELF
    ada.submit(page, {"act": "submit"})
    assert filed(app, url).statement.overview == "second thoughts"
    assert drafted(app, url) is None


def test_the_second_of_two_browsers_overwrites_nothing_and_loses_nothing(
    app: Flask, cast: Cast, browse: Browse, url: str
) -> None:
    first, second = browse(cast["ada"]), browse(cast["ada"])
    old = second.get(url)
    first.submit(first.get(url), {**WHOLE, "act": "submit"})
    page = second.submit(old, {**WHOLE, "overview": "from the second browser", "act": "submit"}, status=409)
    assert filed(app, url) == SELF
    assert "from the second browser" in page.words
    assert "936 tickets closed" in page.words  # what is filed now, to compare
    second.post(url + "/draft", {"overview": "silently", "version": "0"}, status=409)
    second.submit(page, {"act": "submit"})  # now it is a decision
    assert filed(app, url).statement.overview == "from the second browser"


@pytest.mark.parametrize("version", ["7", ""])
def test_a_form_from_nowhere_keeps_its_text_when_nothing_is_submitted_yet(
    app: Flask, cast: Cast, browse: Browse, url: str, version: str
) -> None:
    page = browse(cast["ada"]).post(url, {**WHOLE, "version": version, "act": "submit"}, status=409)
    assert "936 tickets closed" in page.words
    assert "What is submitted now" not in page.words
    assert filed(app, url) is None


def test_the_same_form_sent_twice_is_harmless(app: Flask, cast: Cast, browse: Browse, url: str) -> None:
    ada = browse(cast["ada"])
    page = ada.get(url)
    ada.submit(page, {**WHOLE, "act": "submit"})
    ada.submit(page, {**WHOLE, "act": "submit"})
    with app.app_context():
        assert responses.self_of(number(url)).version == 1


def test_before_the_opening_it_is_too_early(app: Flask, cast: Cast, browse: Browse, url: str, cycle: int) -> None:
    change(app, cycle, opens_at=NOW + timedelta(hours=1))
    ada = browse(cast["ada"])
    ada.get(url, status=409)
    page = ada.post(url, {**WHOLE, "act": "submit"}, status=409)
    assert "936 tickets closed" in page.words
    assert filed(app, url) is None


def test_after_the_deadline_it_is_too_late_but_the_text_is_shown(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int
) -> None:
    ada = browse(cast["ada"])
    page = ada.get(url)
    change(app, cycle, self_due_at=NOW - timedelta(minutes=1))
    refused = ada.submit(page, {**WHOLE, "act": "submit"}, status=410)
    assert "936 tickets closed" in refused.words
    assert refused.soup.find(id="overview").has_attr("readonly")
    assert not refused.soup.find("button", {"name": "act"})
    ada.post(url + "/draft", {**WHOLE, "version": "0"}, status=410)
    assert (filed(app, url), drafted(app, url)) == (None, None)


def test_a_personal_extension_outlasts_the_deadline_and_the_count(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int
) -> None:
    change(app, cycle, Stage.FINALISING, self_due_at=NOW - timedelta(days=1))
    with app.app_context():
        db.session.get(ReviewRow, number(url)).self_due_at = NOW + timedelta(days=1)
        db.session.commit()
        other = review_of(cycle, cast["bo"])
    ada = browse(cast["ada"])
    ada.submit(ada.get(url), {**WHOLE, "act": "submit"})
    assert filed(app, url) == SELF
    browse(cast["bo"]).post(f"/self-review/{other}", {**WHOLE, "act": "submit"}, status=410)


def test_afterwards_the_subject_reads_what_was_submitted_and_what_was_not(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int
) -> None:
    with app.app_context():
        responses.file_self(number(url), cast["ada"].id, SELF, NOW)
        responses.save_self_draft(number(url), cast["ada"].id, {"statement": {"plan": "an unsent plan"}}, NOW)
        db.session.commit()
    change(app, cycle, Stage.FINALISING)
    words = browse(cast["ada"]).get(url).words
    assert "936 tickets closed" in words
    assert "an unsent plan" in words


def test_the_supervisor_reads_it_only_after_their_own_rating(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int
) -> None:
    with app.app_context():
        responses.file_self(number(url), cast["ada"].id, SELF, NOW)
        responses.save_self_draft(number(url), cast["ada"].id, {"statement": {"plan": "an unsent plan"}}, NOW)
        db.session.commit()
    sam = browse(cast["sam"])
    assert "936 tickets closed" not in sam.get(url, status=409).text
    with app.app_context():
        responses.file_rating(number(url), cast["sam"].id, SupervisorRating(GOOD, {}), NOW)
        db.session.commit()
    page = sam.get(url)
    assert "936 tickets closed" in page.words
    assert "an unsent plan" not in page.text


def test_the_plan_of_last_time_is_held_up_as_a_mirror(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int
) -> None:
    with app.app_context():
        last = make_cycle(cast, Stage.PUBLISHED, name="Q4 2025", quarters_ago=2)
        responses.file_self(review_of(last, cast["ada"]), cast["ada"].id, SELF, NOW)
        other = SelfReview(GOOD, Statement(plan="somebody else's plan"))
        responses.file_self(review_of(last, cast["bo"]), cast["bo"].id, other, NOW)
        db.session.commit()
    page = browse(cast["ada"]).get(url)
    assert "84 % at first contact" in page.words
    assert "somebody else's plan" not in page.text
    change(app, last, Stage.FINALISING)
    assert "84 % at first contact" not in browse(cast["ada"]).get(url).words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_of_the_page_reads_in_both_languages(
    app: Flask, cast: Cast, browse: Browse, url: str, cycle: int, language: str
) -> None:
    with app.app_context():
        from review.people.tables import PersonRow

        db.session.get(PersonRow, cast["ada"].id).locale = language
        db.session.commit()
    word = {"zh": "自评与述职", "en": "Self-review and statement"}[language]
    ada = browse(cast["ada"])
    assert ada.get(url).h1 == word
    ada.submit(ada.get(url), {**WHOLE, "act": "submit"})
    assert ada.get(url).h1 == word
    change(app, cycle, Stage.FINALISING)
    page = ada.get(url)
    assert page.h1 == word
    assert ("Overview" in page.words) == (language == "en")


def test_tasks_and_reminders_know_who_still_owes(app: Flask, cast: Cast, cycle: int, url: str) -> None:
    with app.app_context():
        ada = cast["ada"].id
        assert [task.state for task in service.open_tasks(ada, NOW)] == ["none"]
        responses.save_self_draft(number(url), ada, {}, NOW)
        assert [task.state for task in service.open_tasks(ada, NOW)] == ["draft"]
        assert service.missing_self(cycle)[ada] == number(url)
        responses.file_self(number(url), ada, SELF, NOW)
        assert [task.state for task in service.open_tasks(ada, NOW)] == ["filed"]
        assert ada not in service.missing_self(cycle)
        assert cast["bo"].id in service.missing_self(cycle)
        assert service.open_tasks(ada, NOW + timedelta(days=7)) == []
        assert service.open_tasks(ada, NOW - timedelta(days=7)) == []


def test_the_rules_hold_without_any_page(app: Flask, cast: Cast, cycle: int, url: str) -> None:
    with app.app_context():
        file, ada = file_of(number(url)), cast["ada"].id
        with pytest.raises(NotYet):
            service.submit(file, ada, SELF, SCHEME, 0, NOW - timedelta(days=3))
        with pytest.raises(TooLate):
            service.submit(file, ada, SELF, SCHEME, 0, NOW + timedelta(days=7))
        with pytest.raises(Invalid) as refused:
            service.submit(file, ada, SelfReview({}, Statement()), SCHEME, 0, NOW)
        assert len(refused.value.problems) == len(KEYS) + 2


def test_pages_and_tasks_cost_the_same_in_a_small_and_a_large_company(app: Flask, cast: Cast, browse: Browse) -> None:
    def cost() -> int:
        page = browse(cast["ada"])
        seen: list[str] = []
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *r: seen.append(statement))
        page.get(f"/self-review/{review}")
        with app.app_context():
            service.open_tasks(cast["ada"].id, NOW)
        return len([statement for statement in seen if statement.startswith("SELECT")])

    with app.app_context():
        cycle = make_cycle(cast)
        review = review_of(cycle, cast["ada"])
        db.session.commit()
    small = cost()
    with app.app_context():
        people = [make_person(f"P{n}", supervisor=cast["sam"].id) for n in range(100)]
        make_cycle(cast, Stage.PUBLISHED, name="Q4 2025", quarters_ago=2, who=people)
        db.session.commit()
    assert cost() == small <= 17
