"""HR's desk in the browser: a cycle from the empty form to its publication, and every way to go wrong on it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from review.cycles import changes, service
from review.cycles.tables import CycleRow, MoveRow, ReviewRow
from review.domain.access import Role
from review.domain.cycle import Move, Stage
from review.domain.refusals import Invalid, NotYet, Problem
from review.infra import jobs, organisation, outbox
from review.infra.clock import now
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow, LetterState
from review.people.tables import PersonRow
from review.results import service as results
from review.schemes.service import install_default
from review.workflow import asking, close, launch, plan
from review.workflow.tables import PeerProgressRow, ScheduleRow
from tests.browse import Browser
from tests.make import NOW, Cast, make_department, make_person
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.rooms.test_launch import big_cast


@pytest.fixture
def company(app: Flask) -> Cast:
    with app.app_context():
        cast = big_cast()
        office = make_department("Office")
        cast["hana"] = make_person("Hana", department=office, supervisor=cast["head"].id, roles=(Role.HR,))
        install_default(NOW)
        db.session.commit()
        return cast


@pytest.fixture
def hr(company: Cast, browse: Callable[..., Browser]) -> Browser:
    return browse(company["hana"])


def work(app: Flask) -> None:
    with app.app_context():
        jobs.work_all(house().handlers, house().progress, "test", now())


def the_cycle(app: Flask) -> CycleRow:
    with app.app_context():
        return db.session.scalars(select(CycleRow).order_by(CycleRow.id.desc())).first()  # type: ignore[return-value]


def test_without_a_cycle_the_list_says_how_to_begin(hr: Browser) -> None:
    page = hr.get("/cycles")
    assert "There is no cycle yet" in page.words


def test_a_cycle_is_made_planned_and_launched_in_the_browser(app: Flask, hr: Browser) -> None:
    page = hr.get("/cycles/new")
    made = hr.submit(page, {"name": "Spring"})
    cycle = the_cycle(app)
    assert made.location == f"/cycles/{cycle.id}/peers"
    assert hr.follow(made).form("/peers/plan")
    waiting = hr.follow(hr.post(f"/cycles/{cycle.id}/peers/plan"))
    assert "Waiting for the worker" in waiting.words
    assert hr.client.get(f"/cycles/{cycle.id}/progress").headers.get("HX-Refresh") is None
    work(app)
    assert hr.client.get(f"/cycles/{cycle.id}/progress").headers["HX-Refresh"] == "true"
    page = hr.get(f"/cycles/{cycle.id}/peers")
    assert "Without peer rating 0" in page.words
    hr.submit(page, {}, "/peers/confirm")
    page = hr.get(f"/cycles/{cycle.id}/peers")
    hr.submit(page, {}, "/launch")
    work(app)
    board = hr.get(f"/cycles/{cycle.id}")
    assert the_cycle(app).stage is Stage.COLLECTING
    assert "Answers come in" in board.words
    assert "North" in board.words


def test_who_goes_without_peers_is_named_and_has_to_be_accepted(app: Flask, hr: Browser, company: Cast) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring", "who": "later"})
    url = f"/cycles/{the_cycle(app).id}"
    hr.post(f"{url}/people", {"add": str(company["hana"].id)})  # alone in her office
    hr.post(f"{url}/peers/plan")
    work(app)
    page = hr.get(f"{url}/peers")
    assert "Hana" in page.words
    refused = hr.submit(page, {"accept_all": None}, "/peers/confirm", status=422)
    assert "Tick that you accept it" in refused.words
    assert not the_cycle(app).plan_confirmed
    hr.submit(page, {"accept_all": "y"}, "/peers/confirm")
    assert the_cycle(app).plan_confirmed


def test_what_was_typed_survives_a_refusal(hr: Browser) -> None:
    page = hr.get("/cycles/new")
    typed = {"name": "Spring", "closes_at": "2026-01-01T10:00", "asked": "7", "who": "departments"}
    refused = hr.submit(page, typed, status=422)
    assert refused.soup.find("input", {"name": "name"})["value"] == "Spring"  # type: ignore[index]
    assert refused.soup.find("input", {"name": "asked"})["value"] == "7"  # type: ignore[index]
    refused = hr.submit(page, {**typed, "departments": None}, status=422)
    assert "Choose at least one department" in refused.words


def test_dates_that_do_not_follow_each_other_are_each_named(hr: Browser) -> None:
    page = hr.get("/cycles/new")
    wrong = {
        "name": "X",
        "opens_at": "2027-02-01T09:00",
        "closes_at": "2027-01-20T18:00",
        "self_due_at": "2027-01-20T18:00",
    }
    refused = hr.submit(page, wrong, status=422)
    assert "This must come after the opening." in refused.words


def test_a_second_cycle_over_the_same_quarter_is_refused(hr: Browser) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "One"})
    refused = hr.submit(hr.get("/cycles/new"), {"name": "Two"}, status=422)
    assert "The period overlaps that of One." in refused.words


def test_people_are_chosen_by_department_and_one_by_one(app: Flask, hr: Browser, company: Cast) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring", "who": "later"})
    cycle_id = the_cycle(app).id
    with app.app_context():
        north = db.session.get_one(PersonRow, company["north 1"].id).department_id
    hr.post(f"/cycles/{cycle_id}/people", {"who": "departments", "departments": str(north)})
    assert "11 people are reviewed." in hr.get(f"/cycles/{cycle_id}/people").words
    hr.post(f"/cycles/{cycle_id}/people", {"remove": str(company["north 1"].id)})
    found = hr.get(f"/cycles/{cycle_id}/people?q=North 1")
    assert "North 1" in found.words
    hr.post(f"/cycles/{cycle_id}/people", {"add": str(company["south 2"].id), "q": "South"})
    with app.app_context():
        chosen = select(PersonRow.name).join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
        names = set(db.session.scalars(chosen.where(ReviewRow.cycle_id == cycle_id)))
    assert "South 2" in names
    assert "North 1" not in names


def test_people_cannot_be_changed_after_the_launch(app: Flask, hr: Browser, company: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(company, Stage.COLLECTING, who=[company["north 1"]])
        db.session.commit()
    hr.post(f"/cycles/{cycle_id}/people", {"who": "everyone"}, status=409)


def test_a_launch_is_refused_with_the_reasons_while_needs_are_unmet(app: Flask, hr: Browser) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring"})
    cycle_id = the_cycle(app).id
    refused = hr.post(f"/cycles/{cycle_id}/launch", status=409)
    assert "The peer assignment has not been looked at" in refused.words
    page = hr.get(f"/cycles/{cycle_id}")
    assert "You have looked at the peer assignment" in page.words


def test_a_confirmation_for_an_older_assignment_does_not_count(app: Flask, hr: Browser) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring"})
    cycle_id = the_cycle(app).id
    hr.post(f"/cycles/{cycle_id}/peers/plan")
    work(app)
    refused = hr.post(f"/cycles/{cycle_id}/peers/confirm", {"digest": "0" * 64, "accept_all": "y"}, status=422)
    assert "Work it out again" in refused.words
    assert not the_cycle(app).plan_confirmed


def test_a_launch_can_be_scheduled_and_called_off(app: Flask, hr: Browser) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring"})
    cycle_id = the_cycle(app).id
    hr.post(f"/cycles/{cycle_id}/peers/plan")
    work(app)
    with app.app_context():
        row = plan.of(cycle_id)
        assert row is not None
        digest = row.digest
    hr.post(f"/cycles/{cycle_id}/peers/confirm", {"digest": digest, "accept_all": "y"})
    page = hr.follow(hr.post(f"/cycles/{cycle_id}/schedule"))
    assert "Will be launched by itself" in page.words
    hr.submit(page, {}, "/schedule")
    with app.app_context():
        assert db.session.get(ScheduleRow, cycle_id) is None


def running(app: Flask, company: Cast, stage: Stage = Stage.COLLECTING) -> int:
    """A cycle under way by the real clock, without seats."""
    with app.app_context():
        agents = [person for name, person in company.items() if name != "head"]
        cycle_id = make_cycle(company, stage, who=agents)
        at = now()
        set_dates(
            cycle_id,
            opens_at=at - timedelta(days=2),
            self_due_at=at + timedelta(days=3),
            closes_at=at + timedelta(days=5),
            finalise_by=at + timedelta(days=9),
            publish_on=(at + timedelta(days=12)).date(),
        )
        db.session.commit()
        return cycle_id


def test_the_board_tells_peers_only_in_tens_and_never_by_team(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    with app.app_context():
        db.session.add(PeerProgressRow(cycle_id=cycle_id, day=now().date(), percent=60))
        db.session.commit()
    page = hr.get(f"/cycles/{cycle_id}")
    assert "about 60%" in page.words
    headings = [cell.get_text() for cell in page.soup.find_all("th", scope="col")]
    assert "Peers" not in headings
    assert "3 supervisors have not rated anybody yet" in page.words


def test_closing_asks_first_and_happens_once(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    page = hr.get(f"/cycles/{cycle_id}/close")
    assert the_cycle(app).stage is Stage.COLLECTING
    hr.submit(page, {}, "/close")
    assert the_cycle(app).stage is Stage.COUNTING
    hr.post(f"/cycles/{cycle_id}/close", status=409)
    assert "being counted" in hr.get(f"/cycles/{cycle_id}").words


def test_a_stopped_count_is_shown_and_can_be_tried_again(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    hr.post(f"/cycles/{cycle_id}/close")
    work(app)  # no urn was ever opened for it
    page = hr.get(f"/cycles/{cycle_id}")
    assert "The count has stopped" in page.words
    hr.submit(page, {}, "/admin/jobs")
    with app.app_context():
        assert jobs.find(f"count:{cycle_id}").state is JobState.WAITING  # type: ignore[union-attr]


def test_cancelling_without_a_reason_keeps_the_page(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    page = hr.get(f"/cycles/{cycle_id}/cancel")
    hr.submit(page, {"reason": " "}, status=422)
    assert the_cycle(app).stage is Stage.COLLECTING
    hr.submit(page, {"reason": "Reorganisation"})
    assert the_cycle(app).stage is Stage.CANCELLED
    assert "Cancelled." in hr.get(f"/cycles/{cycle_id}").words


def counted(app: Flask, company: Cast) -> int:
    """A cycle that was launched, closed at once, and counted; nobody has answered."""
    cycle_id = running(app, company, Stage.DRAFT)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        row = plan.keep(cycle, plan.compute(cycle, now()), now())
        changes.confirm_plan(cycle, row.digest, by=None, now=now())
        launch.run(cycle, by=None, now=now())
        close.close(cycle, by=None, now=now(), early=True)
        db.session.commit()
    work(app)
    return cycle_id


def test_publishing_says_what_is_missing_and_asks_for_the_name(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = counted(app, company)
    page = hr.get(f"/cycles/{cycle_id}/publish")
    assert "Publish (2 needs left)" in page.words  # nobody is finalised, and no score is explained
    assert "23 results wait for their supervisors." in page.words
    hr.post(f"/cycles/{cycle_id}/publish", {"name": "Q1 2026"}, status=409)
    with app.app_context():
        for review in service.living_reviews(cycle_id):
            decided = results.SignOff("Seen.", None, "Nobody answered.")
            results.finalise(review.id, decided, by=review.supervisor_id, now=now())
        db.session.commit()
    page = hr.get(f"/cycles/{cycle_id}/publish")
    refused = hr.submit(page, {"name": "Q2"}, status=422)
    assert "That is not the name of the cycle" in refused.words
    hr.submit(page, {"name": "Q1 2026"})
    work(app)
    assert the_cycle(app).stage is Stage.PUBLISHED
    assert "Published." in hr.get(f"/cycles/{cycle_id}").words


def test_one_review_is_extended_handed_over_and_withdrawn(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    with app.app_context():
        review_id = review_of(cycle_id, company["north 1"])
        until = (now() + timedelta(days=4)).strftime("%Y-%m-%dT%H:%M")
    url = f"/reviews/{review_id}"
    assert "North 1" in hr.get(f"/cycles/{cycle_id}/reviews?q=North 1").words
    hr.post(url, {"act": "self", "self_until": until})
    hr.post(url, {"act": "self", "self_until": "2020-01-01T10:00"}, status=422)
    hr.post(url, {"act": "self", "self_until": ""}, status=422)
    hr.post(url, {"act": "supervisor", "supervisor": company["south"].employee_no})
    refused = hr.post(url, {"act": "supervisor", "supervisor": "X-1"}, status=422)
    assert "Nobody has the employee number X-1." in refused.words
    hr.post(url, {"act": "withdraw", "reason": ""}, status=422)
    hr.post(url, {"act": "withdraw", "reason": "Left"})
    with app.app_context():
        row = db.session.get_one(ReviewRow, review_id)
        assert row.supervisor_id == company["south"].id
        assert row.self_due_at is not None
        assert row.withdrawn_at is not None


def test_hr_cannot_change_the_review_about_themselves(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    with app.app_context():
        review_id = review_of(cycle_id, company["hana"])
    page = hr.get(f"/reviews/{review_id}")
    assert "This review is about you. Somebody else of HR has to change it." in page.words
    assert 'value="withdraw"' not in page.text
    refused = hr.post(f"/reviews/{review_id}", {"act": "withdraw", "reason": "Not me"}, status=403)
    assert "This review is about you." in refused.words
    with app.app_context():
        assert db.session.get_one(ReviewRow, review_id).withdrawn_at is None


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.COLLECTING, Stage.FINALISING, Stage.CANCELLED])
def test_the_page_of_a_cycle_tells_its_moves_who_made_them_and_when(
    app: Flask, hr: Browser, company: Cast, stage: Stage
) -> None:
    cycle_id = running(app, company, stage)
    assert "Moves so far" not in hr.get(f"/cycles/{cycle_id}").words
    with app.app_context():
        for move, by in ((Move.LAUNCH, company["hana"].id), (Move.CLOSE, None)):
            line = {"cycle_id": cycle_id, "move": move, "from_stage": Stage.DRAFT, "to_stage": Stage.COLLECTING}
            db.session.add(MoveRow(**line, made_at=NOW, made_by=by))
        db.session.commit()
    words = hr.get(f"/cycles/{cycle_id}").words
    assert "Moves so far" in words
    assert "Launched · Hana" in words
    assert "Closed · automatically" in words
    assert "Apr 2026" in words or "1 April" in words


def test_a_cancelled_cycle_gives_its_name_back_and_a_living_one_does_not(app: Flask, company: Cast) -> None:
    with app.app_context():
        old = make_cycle(company, Stage.CANCELLED)
        new = make_cycle(company)
        db.session.commit()
        assert service.by_name("Q1 2026").id == new
        set_stage(new, Stage.CANCELLED)
        newest = make_cycle(company, Stage.CANCELLED)
        assert old < newest == service.by_name("Q1 2026").id
        set_stage(old, Stage.PUBLISHED)
        with pytest.raises(Invalid) as refused:
            make_cycle(company, quarters_ago=2)
        assert refused.value.code == "cycles:name_taken"
        with pytest.raises(IntegrityError):
            set_stage(new, Stage.COLLECTING)


def test_hr_reads_why_a_launch_was_refused_but_not_what_an_accident_says(
    app: Flask, hr: Browser, company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle_id = running(app, company, Stage.DRAFT)

    def fails(with_what: Exception) -> str:
        def handler(_job: jobs.Job) -> None:
            raise with_what

        with app.app_context():
            asking.ask(launch.KIND, launch.key_of(cycle_id), {"cycle_id": cycle_id}, NOW)
            db.session.commit()
            jobs.work_one({launch.KIND: handler}, house().progress, "test", NOW)
        return hr.get(f"/cycles/{cycle_id}").words

    monkeypatch.setattr(jobs, "TRIES", 1)
    words = fails(NotYet.of([Problem("cycle:nobody_reviewed", "people"), Problem("cycle:plan_outdated")]))
    with app.app_context():
        told = asking.stand_of(launch.key_of(cycle_id))
        assert told.refused == ("cycle:nobody_reviewed", "cycle:plan_outdated")
    assert "Something went wrong" not in words
    words = fails(OSError("cycle:x at /var/lib; disk full"))
    assert "The launch was refused." in words
    assert "Something went wrong while this was worked on." in words
    assert "disk full" not in words


def test_the_board_counts_the_failed_letters_of_its_own_time(app: Flask, hr: Browser, company: Cast) -> None:
    cycle_id = running(app, company)
    with app.app_context():
        for days_ago in (1, 30):
            at = now() - timedelta(days=days_ago)
            outbox.put("workflow:reminder", f"day:{days_ago}", "gone@example.com", "en", {}, now=at)
        db.session.execute(LetterRow.__table__.update().values(state=LetterState.FAILED, error="no such user"))
        db.session.commit()
    assert "1 letter could not be delivered" in hr.get(f"/cycles/{cycle_id}").words


def test_failed_letters_are_listed_and_sent_again(app: Flask, hr: Browser) -> None:
    with app.app_context():
        for number in range(3):
            outbox.put("workflow:reminder", "day:x", f"p{number}@example.com", "en", {}, now=NOW)
        db.session.execute(LetterRow.__table__.update().values(state=LetterState.FAILED, error="no such user"))
        db.session.commit()
    page = hr.get("/admin/mail?state=failed")
    assert "no such user" in page.words
    hr.submit(page, {}, "/admin/mail")
    with app.app_context():
        waiting = select(func.count()).where(LetterRow.state == LetterState.WAITING)
        assert db.session.scalar(waiting) in {1, 3}
    assert hr.get("/admin/mail?state=nonsense").status == 200


def test_a_job_that_runs_is_not_started_twice(app: Flask, hr: Browser) -> None:
    with app.app_context():
        jobs.enqueue("workflow:plan", "plan:9", {"cycle_id": 9}, NOW)
        db.session.execute(JobRow.__table__.update().values(state=JobState.RUNNING))
        db.session.commit()
    hr.post("/admin/jobs", {"key": "plan:9"})
    with app.app_context():
        assert jobs.find("plan:9").state is JobState.RUNNING  # type: ignore[union-attr]
    assert "Working out the peer assignment" in hr.get("/admin/jobs").words


def test_the_audit_log_tells_who_did_what(hr: Browser) -> None:
    hr.submit(hr.get("/cycles/new"), {"name": "Spring"})
    page = hr.get("/admin/audit")
    assert "cycles:cycle:created" in page.words
    assert "No lines" in hr.get("/admin/audit?about=cycle:999").words


PAGES = ["/", "/cycles", "/cycles/{id}", "/cycles/{id}/peers", "/cycles/{id}/reviews", "/cycles/{id}/people"]
PAGES += ["/admin/mail", "/admin/jobs", "/admin/audit"]


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING, Stage.CANCELLED])
def test_every_page_of_the_desk_takes_few_queries_at_every_stage(
    app: Flask, hr: Browser, company: Cast, url: str, stage: Stage
) -> None:
    cycle_id = running(app, company, stage)
    count = 0

    def heard(_connection: object, _cursor: object, statement: str, *_given: object) -> None:
        nonlocal count
        count += statement.lstrip().upper().startswith("SELECT")

    with app.app_context():
        engine = db.engine
        organisation.configure(
            organisation.Organisation()
        )  # as in every house: one that is missing is looked for again
        db.session.commit()
    hr.get(url.format(id=cycle_id))
    event.listen(engine, "before_cursor_execute", heard)
    try:
        hr.get(url.format(id=cycle_id))
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    most = 20 if url == "/" else 15  # everyone's first page asks each room once what it has to do for them
    assert count < most, f"{url} at {stage}: {count} queries"


def test_nobody_but_hr_sees_the_desk(app: Flask, company: Cast, browse: Callable[..., Browser]) -> None:
    cycle_id = running(app, company)
    for name in ("north 1", "north"):
        stranger = browse(company[name])
        for url in ("/cycles", "/cycles/new", f"/cycles/{cycle_id}", f"/cycles/{cycle_id}/publish", "/admin/mail"):
            stranger.get(url, status=404)


def test_hr_reads_the_same_desk_in_chinese(app: Flask, company: Cast, browse: Callable[..., Browser]) -> None:
    cycle_id = running(app, company)
    with app.app_context():
        db.session.get_one(PersonRow, company["hana"].id).locale = "zh"
        set_stage(cycle_id, Stage.COLLECTING)
        db.session.commit()
    page = browse(company["hana"]).get(f"/cycles/{cycle_id}")
    assert "各部门进度" in page.words
