"""Launching a cycle: everything it needs, everything it does, and that it does it once."""

from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.ballots import service as ballots
from review.cycles import changes, service
from review.cycles.tables import CycleRow, MoveRow, ReviewRow
from review.domain.access import Role
from review.domain.cycle import Stage
from review.domain.plan import Rules
from review.domain.refusals import NotYet, Taken
from review.infra import jobs
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow
from review.peer_review import service as peer_review
from review.peer_review.conflicts import declare_conflict
from review.peer_review.tables import SeatRow
from review.people.tables import PersonRow
from review.workflow import launch, plan
from review.workflow.tables import PlanRow, ScheduleRow
from tests.make import NOW, Cast, make_department, make_person
from tests.make_cycle import make_cycle, review_of

BEFORE = NOW - timedelta(days=3)


def big_cast() -> Cast:
    """Two teams of ten under one head: enough people for eight raters each."""
    top = make_department("Company")
    head = make_person("Head", department=top, roles=(Role.SUPERVISOR,))
    cast = {"head": head}
    for team in ("North", "South"):
        department = make_department(team, top)
        boss = make_person(f"{team} lead", department=department, supervisor=head.id, roles=(Role.SUPERVISOR,))
        cast[team.lower()] = boss
        for number in range(1, 11):
            name = f"{team} {number}"
            cast[name.lower()] = make_person(name, department=department, supervisor=boss.id)
    return cast


@pytest.fixture
def company(app: Flask) -> Cast:
    with app.app_context():
        cast = big_cast()
        db.session.commit()
        return cast


def draft(cast: Cast, **options: object) -> CycleRow:
    agents = [person for name, person in cast.items() if name != "head"]
    return db.session.get_one(CycleRow, make_cycle(cast, Stage.DRAFT, who=agents, **options))  # type: ignore[arg-type]


def looked_at(cycle: CycleRow, *, accept: bool = True) -> PlanRow:
    """HR has seen the assignment and, unless told otherwise, accepted it."""
    row = plan.keep(cycle, plan.compute(cycle, BEFORE), BEFORE)
    if accept:
        changes.confirm_plan(cycle, row.digest, by=None, now=BEFORE)
    db.session.commit()
    return row


def codes(refusal: NotYet) -> set[str]:
    return {problem.code for problem in refusal.problems}


def test_a_launch_seats_tells_and_opens_in_one_go(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        row = looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        db.session.commit()

        assert cycle.stage is Stage.COLLECTING
        assert row.seats == db.session.scalar(select(func.count()).select_from(SeatRow))
        # Ten agents of a team have nine colleagues, but never their own lead.
        sizes = Counter(peer_review.seats_for_count(cycle.id).values())
        assert sizes[review_of(cycle.id, company["north 1"])] == 8
        assert ballots.has_cast(cycle.id, []) == set()
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == launch.OPENING)).all()
        assert len(letters) == 23  # twenty agents, two leads and the head
        to_agent = next(letter for letter in letters if letter.params["name"] == "North 1")
        assert to_agent.params["self"]
        assert to_agent.params["peers"] >= 7
        assert to_agent.params["ratings"] == 0
        to_head = next(letter for letter in letters if letter.params["name"] == "Head")
        assert (to_head.params["self"], to_head.params["ratings"]) == (False, 2)
        assert jobs.find(f"customer_survey:invite:{cycle.id}") is not None
        assert db.session.scalar(select(func.count()).select_from(MoveRow)) == 1


def test_nobody_rates_their_own_line(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        pairs = select(SeatRow.rater_id, ReviewRow.subject_id).join(ReviewRow, ReviewRow.id == SeatRow.review_id)
        supervisors = dict(db.session.execute(select(PersonRow.id, PersonRow.supervisor_id)).all())
        for rater, subject in db.session.execute(pairs):
            assert supervisors[rater] != subject
            assert supervisors[subject] != rater
            assert rater != subject


def test_nobody_rates_people_two_levels_below_them(app: Flask, company: Cast) -> None:
    with app.app_context():
        head = db.session.get_one(PersonRow, company["head"].id)
        head.department_id = db.session.get_one(PersonRow, company["north 1"].id).department_id
        cycle = draft(company)
        assert head.id in {person.person_id for person in plan.gather(cycle, NOW.date()).raters}
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        assert head.id not in set(db.session.scalars(select(SeatRow.rater_id)))


def test_the_plan_goes_by_the_numbers_hr_typed_but_never_asks_fewer_than_count(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        cycle.asked, cycle.max_load = 6, 7
        assert plan.gather(cycle, NOW.date()).rules == Rules(asked=6, max_load=7, minimum=5)
        cycle.asked, cycle.max_load = 3, 3
        assert plan.gather(cycle, NOW.date()).rules == Rules(asked=5, max_load=5, minimum=5)


def test_a_declared_conflict_keeps_both_off_each_others_panel(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        rater, subject = plan.compute(cycle, NOW).seats[0]
        number = db.session.get_one(PersonRow, rater).employee_no
        declare_conflict(subject, number, NOW)
        seats = set(plan.compute(cycle, NOW).seats)
        assert seats
        assert not {(rater, subject), (subject, rater)} & seats


def test_hr_never_sits_on_a_panel(app: Flask, company: Cast) -> None:
    with app.app_context():
        north = db.session.get_one(PersonRow, company["north 1"].id)
        hr = make_person("Hr", department=north.department_id, supervisor=north.supervisor_id, roles=(Role.HR,))
        cycle = draft({**company, "hr": hr})
        situation = plan.gather(cycle, NOW.date())
        assert hr.id in {person.person_id for person in situation.subjects}
        assert hr.id not in {person.person_id for person in situation.raters}


def test_a_launch_names_every_unmet_need_at_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        # Max has no supervisor; the closing lies behind; nobody looked at the assignment.
        cycle = db.session.get_one(
            CycleRow, make_cycle(cast, Stage.DRAFT, who=[cast["ada"], cast["max"]], quarters_ago=3)
        )
        with pytest.raises(NotYet) as refused:
            launch.run(cycle, by=None, now=NOW)
        assert codes(refused.value) == {
            "cycle:dates_invalid",
            "cycle:people_without_supervisor",
            "cycle:plan_outdated",
        }
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(SeatRow)) == 0
        assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 0


def test_a_supervisor_who_has_left_is_no_supervisor(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        db.session.get_one(PersonRow, company["south"].id).left_on = (NOW - timedelta(days=10)).date()
        looked_at(cycle)
        with pytest.raises(NotYet) as refused:
            launch.run(cycle, by=None, now=NOW)
        assert "cycle:people_without_supervisor" in codes(refused.value)
        assert len(launch.without_supervisor(cycle, NOW, 50)) == 10


def test_a_plan_that_has_changed_since_hr_looked_is_not_seated(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        db.session.get_one(PersonRow, company["north 3"].id).left_on = (NOW - timedelta(days=9)).date()
        db.session.commit()
        with pytest.raises(NotYet) as refused:
            launch.run(cycle, by=None, now=NOW)
        assert codes(refused.value) == {"cycle:plan_outdated"}


def test_the_same_people_give_the_same_plan_again(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        assert plan.compute(cycle, NOW).digest == plan.compute(cycle, NOW + timedelta(hours=1)).digest


def test_people_without_enough_peers_are_named_and_go_without_once_hr_accepts(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle = db.session.get_one(CycleRow, make_cycle(cast, Stage.DRAFT, who=[cast["rae"]]))
        row = looked_at(cycle, accept=False)
        assert {short["name"] for short in row.without_peers} == {"Rae"}
        cycle.plan_digest = row.digest
        with pytest.raises(NotYet) as refused:
            launch.run(cycle, by=None, now=NOW)
        assert codes(refused.value) == {"cycle:peer_shortages_unconfirmed"}
        db.session.rollback()
        changes.confirm_plan(cycle, row.digest, by=None, now=NOW)
        launch.run(cycle, by=None, now=NOW)
        assert db.session.get_one(ReviewRow, review_of(cycle.id, cast["rae"])).without_peers


def test_somebody_with_enough_peers_does_not_go_without(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        assert not db.session.get_one(ReviewRow, review_of(cycle.id, company["south 4"])).without_peers


def test_who_has_left_is_not_reviewed(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        db.session.get_one(PersonRow, company["north 3"].id).left_on = (NOW - timedelta(days=9)).date()
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        assert db.session.get_one(ReviewRow, review_of(cycle.id, company["north 3"])).withdrawn_at == NOW
        assert db.session.get_one(ReviewRow, review_of(cycle.id, company["north 4"])).withdrawn_at is None


def test_repeating_the_job_of_a_launched_cycle_does_nothing(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        launch.ask(cycle, by=None, now=NOW)
        db.session.commit()
        assert jobs.work_all(house().handlers, house().progress, "test", NOW) >= 1
        seats = db.session.scalar(select(func.count()).select_from(SeatRow))
        db.session.commit()
        assert jobs.ask_again(launch.key_of(cycle.id), NOW)
        db.session.commit()
        jobs.work_all(house().handlers, house().progress, "test", NOW)
        assert db.session.scalar(select(func.count()).select_from(SeatRow)) == seats
        with pytest.raises(Taken):
            launch.ask(db.session.get_one(CycleRow, cycle.id), by=None, now=NOW)


def test_a_refused_launch_leaves_the_job_with_the_reasons(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        launch.ask(cycle, by=None, now=NOW)
        db.session.get_one(PersonRow, company["north 3"].id).left_on = (NOW - timedelta(days=9)).date()
        db.session.commit()
        jobs.work_all(house().handlers, house().progress, "test", NOW)
        row = db.session.scalar(select(JobRow).where(JobRow.kind == launch.KIND))
        assert row is not None
        assert (row.state, row.error) == (JobState.FAILED, "cycle:plan_outdated")
        assert db.session.get_one(CycleRow, cycle.id).stage is Stage.DRAFT


def test_launching_early_opens_now(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company, opens_at=NOW + timedelta(days=2))
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        assert cycle.opens_at == NOW


def test_a_launch_can_wait_for_its_opening_and_be_called_off(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company, opens_at=NOW + timedelta(days=2))
        looked_at(cycle)
        launch.schedule(cycle, by=company["head"].id, now=NOW)
        assert db.session.get(ScheduleRow, cycle.id) is not None
        launch.unschedule(cycle)
        db.session.expire_all()
        assert db.session.get(ScheduleRow, cycle.id) is None


def test_without_a_confirmed_plan_nothing_is_scheduled(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        with pytest.raises(NotYet) as refused:
            launch.schedule(cycle, by=company["head"].id, now=NOW)
        assert "cycle:plan_outdated" in codes(refused.value)


def test_changing_who_is_reviewed_takes_the_confirmation_away(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        service.choose(cycle, [company["north 1"].id])
        plan.forget(cycle)
        assert cycle.plan_digest is None
        assert plan.of(cycle.id) is None


def test_who_rates_whom_cannot_be_worked_out_from_a_cycles_name(app: Flask, cast: Cast) -> None:
    with app.app_context():
        seeds = set()
        for _ in range(3):
            cycle_id = make_cycle(cast, stage=Stage.DRAFT)
            seeds.add(db.session.get_one(CycleRow, cycle_id).seed)
            db.session.rollback()
    assert len(seeds) == 3, "the same name gave the same seed: a colleague could compute who rates them"
