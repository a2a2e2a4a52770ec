"""Everybody's start page: what they owe, until when, and nothing that is not theirs; and the scheme anyone may read."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.domain.cycle import Stage
from review.domain.responses import SelfReview, Statement
from review.domain.vocabulary import Grade
from review.infra import jobs
from review.infra.clock import now
from review.infra.db import db
from review.infra.organisation import Organisation
from review.people.tables import PersonRow, RoleRow
from review.responses import service as responses
from review.results.publication import PublicationRow
from review.schemes.service import install_default, scheme_of
from review.workflow.last_result import last_result
from review.workflow.start import part_of_day
from review.workflow.timeline import steps_of
from tests.browse import Browser
from tests.laws.test_pages import MOST_AT_THE_START
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.queries import count_queries

Opens = Callable[..., Browser]


@pytest.fixture
def cycle_id(app: Flask, cast: Cast) -> int:
    """A cycle under way by the real clock; nobody is seated in it."""
    with app.app_context():
        made = make_cycle(cast)
        at = now()
        set_dates(
            made,
            opens_at=at - timedelta(days=2),
            self_due_at=at + timedelta(days=1),
            closes_at=at + timedelta(days=5),
            finalise_by=at + timedelta(days=9),
            publish_on=(at + timedelta(days=12)).date(),
        )
        db.session.commit()
        return made


def test_whoever_wears_every_hat_still_asks_little_of_the_database(app: Flask, browse: Opens, cast: Cast) -> None:
    with app.app_context():
        earlier = make_cycle(cast, Stage.PUBLISHED, quarters_ago=2, name="Q4 2025")
        running = make_cycle(cast)
        at, sam = now(), cast["sam"]
        set_dates(running, opens_at=at - timedelta(days=2), closes_at=at + timedelta(days=5))
        db.session.add(RoleRow(person_id=sam.id, role=Role.HR))
        body = {
            "scheme_id": install_default(NOW).id,
            "cycle": {"name": "Q4 2025", "acknowledge_days": 5},
            "working": {"criteria": [], "next_grade": None, "distance": None},
        }
        row = PublicationRow(review_id=review_of(earlier, sam), cycle_id=earlier, subject_id=sam.id, version=1)
        row.body, row.score, row.grade, row.published_at, row.published_by = body, 8000, Grade.GOOD, at, sam.id
        db.session.add(row)
        db.session.commit()
        engine = db.engine
    browser = browse(sam)
    with count_queries(engine) as asked:
        page = browser.get("/")
    assert "Q1 2026" in page.words
    assert "Q4 2025" in page.words
    assert len(asked) < MOST_AT_THE_START, "\n".join(asked)


def test_a_stranger_is_asked_to_sign_in(browse: Opens) -> None:
    assert browse().get("/", status=302).location.startswith("/sign-in")


def test_an_agent_sees_what_is_owed_and_until_when(browse: Opens, cast: Cast, cycle_id: int) -> None:
    page = browse(cast["ada"]).get("/")
    assert "Ada" in page.h1
    assert "1 thing to do, about 30 minutes." in page.words
    assert "Self-review" in page.words
    assert "Rate" not in page.words


def test_what_is_done_leaves_the_list_and_can_be_opened_again(
    app: Flask, browse: Opens, cast: Cast, cycle_id: int
) -> None:
    with app.app_context():
        said = SelfReview({}, Statement("done", plan="more"))
        responses.file_self(review_of(cycle_id, cast["ada"]), cast["ada"].id, said, now())
        db.session.commit()
    page = browse(cast["ada"]).get("/")
    assert "All done" in page.words
    assert "1 thing done" in page.words


def test_a_supervisor_sees_the_ratings_they_owe_beside_their_own_review(
    browse: Opens, cast: Cast, cycle_id: int
) -> None:
    page = browse(cast["sam"]).get("/")
    assert "Rate 7 people of your team" in page.words
    assert "Self-review" in page.words
    assert "Rate" not in browse(cast["rae"]).get("/").words


def test_a_rating_is_asked_for_by_the_close_and_then_late_until_results_are_final(
    app: Flask, browse: Opens, cast: Cast, cycle_id: int
) -> None:
    late = "7 ratings are missing, the first of them late; they are still taken until results are final on"
    assert late not in browse(cast["sam"]).get("/").words
    with app.app_context():
        at = now()
        set_dates(cycle_id, closes_at=at - timedelta(hours=1), finalise_by=at + timedelta(days=2))
        set_stage(cycle_id, Stage.FINALISING)
        db.session.commit()
    assert late in browse(cast["sam"]).get("/").words
    with app.app_context():
        more = update(ReviewRow).where(ReviewRow.cycle_id == cycle_id)
        db.session.execute(more.values(rating_due_at=at + timedelta(days=1)))
        db.session.commit()
    assert late not in browse(cast["sam"]).get("/").words


def test_supervisors_are_asked_to_finalise_only_after_the_count(
    app: Flask, browse: Opens, cast: Cast, cycle_id: int
) -> None:
    assert "Finalise 7 results" not in browse(cast["sam"]).get("/").words
    with app.app_context():
        db.session.get_one(CycleRow, cycle_id).stage = Stage.FINALISING
        db.session.commit()
    assert "Finalise 7 results" in browse(cast["sam"]).get("/").words


def test_hr_sees_a_cycle_that_should_have_started(app: Flask, browse: Opens, cast: Cast) -> None:
    with app.app_context():
        make_cycle(cast, Stage.DRAFT)
        db.session.commit()
    assert "Q1 2026 has not been launched" in browse(cast["hana"]).get("/").words
    assert "Q1 2026" not in browse(cast["ada"]).get("/").words


def test_hr_is_told_of_failed_jobs_and_nobody_else(app: Flask, browse: Opens, cast: Cast) -> None:
    with app.app_context():
        jobs.enqueue("workflow:launch", "launch:77", {"cycle_id": 77}, NOW)
        db.session.execute(jobs.JobRow.__table__.update().values(state=jobs.JobState.FAILED))
        db.session.commit()
    assert "1 job has failed" in browse(cast["hana"]).get("/").words
    assert "job" not in browse(cast["ada"]).get("/").words


def test_without_a_cycle_the_page_says_so(browse: Opens, cast: Cast) -> None:
    page = browse(cast["ada"]).get("/")
    assert "No review is running" in page.words


def test_the_page_speaks_the_readers_language(app: Flask, browse: Opens, cast: Cast, cycle_id: int) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["ada"].id).locale = "zh"
        db.session.commit()
    page = browse(cast["ada"]).get("/")
    assert "还有1件事，一共大约30分钟。" in page.words


@pytest.mark.parametrize(
    ("hours", "part"), [(0, "afternoon"), (-8, "morning"), (-4, "noon"), (4, "evening"), (9, "night")]
)
def test_the_greeting_goes_by_the_clock_of_the_organisation(hours: int, part: str) -> None:
    # NOW is 16:00 in Shanghai.
    assert part_of_day(NOW + timedelta(hours=hours), Organisation().zone) == part


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        (Stage.DRAFT, ["now", "next", "next", "next", "next"]),
        (Stage.COLLECTING, ["done", "now", "next", "next", "next"]),
        (Stage.FINALISING, ["done", "done", "now", "next", "next"]),
        (Stage.PUBLISHED, ["done", "done", "done", "done", "now"]),
        (Stage.ARCHIVED, ["done", "done", "done", "done", "done"]),
    ],
)
def test_the_timeline_stands_where_the_cycle_stands(app: Flask, cast: Cast, stage: Stage, states: list[str]) -> None:
    with app.app_context():
        cycle = db.session.get_one(CycleRow, make_cycle(cast, stage))
        assert [step.state for step in steps_of(cycle, Organisation())] == states


def test_the_last_result_tells_the_best_the_weakest_and_the_way_to_the_next_grade(app: Flask) -> None:
    working = {
        "criteria": [
            {"key": "business_knowledge", "score": 8200},
            {"key": "communication", "score": 9420},
            {"key": "problem_solving", "score": None},
        ],
        "next_grade": "excellent",
        "distance": 185,
    }
    body = {"cycle": {"name": "Q4"}, "working": working}
    row = PublicationRow(review_id=4, score=8815, grade=Grade.GOOD, body=body)
    with app.app_context():
        found = last_result([row], scheme_of(install_default(NOW).id))
    assert (found.score, found.distance, found.cut) == ("88.15", "1.85", "90")
    assert found.best is not None
    assert found.weakest is not None
    assert (found.best[1], found.weakest[1]) == ("94.20", "82.00")


def test_everybody_can_read_the_scheme_with_weights_cuts_and_the_price_of_the_minimum(
    app: Flask, browse: Opens, cast: Cast
) -> None:
    page = browse(cast["ada"]).get("/scheme")
    for told in ("Business knowledge", "coefficient 1.5", "5 ballots", "0.49%", "not asked"):
        assert told in page.words, told
    with app.app_context():
        stored = install_default(NOW).id
        db.session.commit()
    assert browse(cast["ada"]).get(f"/scheme/{stored}").h1 == page.h1


def test_a_scheme_that_does_not_exist_is_not_found(browse: Opens, cast: Cast) -> None:
    browse(cast["ada"]).get("/scheme/99", status=404)
    browse().get("/scheme", status=302)
