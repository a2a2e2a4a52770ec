"""The end of a cycle: one close, a count that survives being killed, publication, cancellation, what HR may move."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from review.ballots import service as ballots
from review.cycles import changes, service
from review.cycles.lookup import file_of
from review.cycles.tables import CycleRow, MoveRow, ReviewRow
from review.domain.cycle import Facts, Move, Stage
from review.domain.refusals import Invalid, NotAllowed, NotYet, Refusal, Taken, TooLate
from review.domain.responses import Ballot, SupervisorRating
from review.domain.vocabulary import Level
from review.infra import jobs
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow
from review.infra.settings import ROOT, Settings
from review.peer_review import service as peer_review
from review.peer_review.tables import SeatRow
from review.responses import service as responses
from review.results import publication
from review.results import service as results
from review.results.tables import ScorecardRow, SignOffRow
from review.schemes.service import scheme_of
from review.workflow import close, launch, movements, publish
from review.workflow.worker import Worker
from tests.make import NOW, Cast
from tests.make_cycle import review_of
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company"]

LATER = NOW + timedelta(days=12, minutes=1)


def collecting(cast: Cast) -> CycleRow:
    """A launched cycle in which every supervisor has rated, and all peers of the first two have cast."""
    cycle = draft(cast)
    looked_at(cycle)
    launch.run(cycle, by=None, now=NOW)
    db.session.commit()
    some = [review_of(cycle.id, cast[name]) for name in ("north 1", "north 2")]
    seats = select(SeatRow.id, SeatRow.review_id).where(SeatRow.review_id.in_(some))
    for seat, review in db.session.execute(seats).all():
        keys = ("interpersonal_coordination", "feedback_learning")
        ballots.cast(cycle.id, seat, Ballot(review, dict.fromkeys(keys, Level.GOOD)))
    scheme = scheme_of(cycle.scheme_id)
    said = SupervisorRating({criterion.key: Level.GOOD for criterion in scheme.criteria}, {}, "well done")
    for review in service.living_reviews(cycle.id):
        responses.file_rating(review.id, review.supervisor_id, said, NOW)
    db.session.commit()
    return db.session.get_one(CycleRow, cycle.id)


def drain(at: object = LATER) -> None:
    db.session.commit()
    jobs.work_all(house().handlers, house().progress, "test", at)  # type: ignore[arg-type]


def finalised(cast: Cast) -> CycleRow:
    cycle = collecting(cast)
    close.close(cycle, by=None, now=LATER)
    drain()
    for review in service.living_reviews(cycle.id):
        results.finalise(review.id, results.SignOff("Good work."), by=review.supervisor_id, now=LATER)
    db.session.commit()
    return db.session.get_one(CycleRow, cycle.id)


def test_a_close_is_counted_scored_and_handed_to_the_supervisors(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        drain()
        cycle = db.session.get_one(CycleRow, cycle.id)
        assert cycle.stage is Stage.FINALISING
        assert ballots.is_counted(cycle.id)
        assert ballots.is_destroyed(cycle.id)
        assert db.session.scalar(select(func.count()).select_from(ScorecardRow)) == 22
        card = results.scorecard_of(review_of(cycle.id, company["north 1"]))
        assert card.score == 8000
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == close.FINALISE)).all()
        assert sorted(letter.params["count"] for letter in letters) == [2, 10, 10]


def test_nothing_closes_before_its_deadline_unless_hr_says_so(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        with pytest.raises(NotYet):
            close.close(cycle, by=None, now=NOW)
        db.session.rollback()
        close.close(cycle, by=company["head"].id, now=NOW, early=True)
        assert cycle.closes_at == NOW
        assert service.ledger_of(cycle.id)[-1].by == "Head"


def test_of_two_closes_one_wins_and_the_other_is_told(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        db.session.commit()
        with pytest.raises(Taken):
            close.close(db.session.get_one(CycleRow, cycle.id), by=company["head"].id, now=LATER, early=True)
        db.session.rollback()
        moves = select(func.count()).where(MoveRow.move == Move.CLOSE)
        assert db.session.scalar(moves) == 1


def test_the_swap_itself_lets_only_one_through(app: Flask, company: Cast) -> None:
    """Both have read `collecting`; the second finds the row changed under its update."""
    with app.app_context():
        cycle = collecting(company)
        cycle_id = cycle.id
        real = service.advance

        def meanwhile(stage: Stage, move: Move, facts: Facts) -> Stage:
            db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(stage=Stage.COUNTING))
            return real(stage, move, facts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(service, "advance", meanwhile)
            with pytest.raises(Taken):
                close.close(cycle, by=None, now=LATER)


def test_no_ballot_gets_in_after_the_count(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        drain()
        seat = db.session.scalars(select(SeatRow)).first()
        assert seat is not None
        with pytest.raises(TooLate):
            ballots.cast(cycle.id, seat.id, Ballot(seat.review_id, {"feedback_learning": Level.POOR}))


def test_repeating_the_count_changes_nothing(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        drain()
        assert jobs.ask_again(close.count_key(cycle.id), LATER)
        drain()
        assert db.session.scalar(select(func.count()).where(MoveRow.move == Move.FINISH_COUNT)) == 1
        row = jobs.find(close.count_key(cycle.id))
        assert row is not None
        assert row.state is JobState.DONE


@pytest.mark.parametrize("step", ["closed", "written", "key_destroyed", "urn_dropped", "score"])
def test_a_count_that_dies_at_any_step_is_resumed(
    app: Flask, company: Cast, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker loses power; whoever comes next picks the job up, and every ballot counts once."""

    class PowerCut(BaseException):
        pass

    with app.app_context():
        cycle = collecting(company)
        cycle_id = cycle.id
        close.close(cycle, by=None, now=LATER)
        db.session.commit()
        real_count, real_score = ballots.count, results.score_cycle

        def dying_count(cycle: int, seats: object, **options: object) -> object:
            def at(name: str) -> None:
                if name == step:
                    raise PowerCut

            return real_count(cycle, seats, **{**options, "at": at})  # type: ignore[arg-type]

        def dying_score(*_given: object) -> int:
            raise PowerCut

        monkeypatch.setattr(ballots, "count", dying_count)
        if step == "score":
            monkeypatch.setattr(results, "score_cycle", dying_score)
        with pytest.raises(PowerCut):
            drain()
        db.session.rollback()
        monkeypatch.setattr(ballots, "count", real_count)
        monkeypatch.setattr(results, "score_cycle", real_score)
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.COUNTING
        db.session.rollback()

    Worker(app, now=lambda: LATER)._lead()  # a new worker takes the lock and frees what still "runs"
    with app.app_context():
        drain()
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        assert results.scorecard_of(review_of(cycle_id, company["north 1"])).score == 8000


def test_results_are_not_opened_while_the_key_is_still_there(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle_id = collecting(company).id
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=LATER)
        db.session.commit()

        def stop(step: str) -> None:
            if step == "verified":
                raise InterruptedError

        with pytest.raises(InterruptedError):
            ballots.count(cycle_id, peer_review.seats_for_count(cycle_id), now=LATER, at=stop)
        db.session.rollback()
        assert ballots.is_counted(cycle_id)
        with pytest.raises(NotYet, match="cycle:keys_not_destroyed"):
            close.finish(cycle_id, jobs.Job("count", {"cycle_id": cycle_id}, LATER))
        db.session.rollback()
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.COUNTING


def test_a_worker_killed_outright_leaves_a_job_that_the_next_one_finishes(
    app: Flask, company: Cast, settings: Settings
) -> None:
    with app.app_context():
        cycle = collecting(company)
        cycle_id = cycle.id
        close.close(cycle, by=None, now=LATER)
        # As kill -9 in the middle of the job leaves it: claimed, leased, and nobody at work.
        running = {"state": JobState.RUNNING, "worker": "gone:1", "lease_until": NOW + timedelta(days=4000)}
        db.session.execute(update(JobRow).where(JobRow.key == close.count_key(cycle_id)).values(**running))
        db.session.commit()
        db.engine.dispose()
    environ = {"REVIEW_DATA": str(settings.data_dir), "REVIEW_KEYS": str(settings.keys_dir), "REVIEW_NO_VENV": "1"}
    command = [sys.executable, "-m", "review", "worker", "--with-parent"]
    worker = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with app.app_context():
                if db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING:
                    break
            time.sleep(0.3)
        else:
            pytest.fail("the second worker did not finish the count")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.wait()


def test_publishing_names_every_unmet_need(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        drain()
        cycle = db.session.get_one(CycleRow, cycle.id)
        with pytest.raises(NotYet) as refused:
            publish.ask(cycle, cycle.name, by=company["head"].id, now=LATER)
        assert refused.value.problems[0].params == {"count": 22}


def test_publishing_freezes_rewards_and_tells_each_person_once(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = finalised(company)
        publish.ask(cycle, f" {cycle.name} ", by=company["head"].id, now=LATER)
        drain()
        cycle = db.session.get_one(CycleRow, cycle.id)
        assert cycle.stage is Stage.PUBLISHED
        review = review_of(cycle.id, company["north 1"])
        assert publication.publication_of(review).score == 8000
        assert publication.reward_of(review) is not None
        told = select(func.count()).where(LetterRow.kind == publish.PUBLISHED)
        assert db.session.scalar(told) == 22
        assert jobs.ask_again(publish.key_of(cycle.id), LATER)
        drain()
        assert db.session.scalar(told) == 22


def test_a_cycle_published_early_tells_the_days_on_which_things_happened(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = finalised(company)
        planned = (cycle.finalise_by, cycle.publish_on)
        early = min(LATER, cycle.finalise_by - timedelta(days=1))
        publish.ask(cycle, cycle.name, by=company["head"].id, now=early)
        db.session.commit()
        jobs.work_all(house().handlers, house().progress, "test", early)
        cycle = db.session.get_one(CycleRow, cycle.id)
        assert (cycle.finalise_by, cycle.publish_on) == (early, early.date())
        assert cycle.finalise_by < planned[0]
        assert cycle.publish_on < planned[1]


def test_another_name_publishes_nothing(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = finalised(company)
        with pytest.raises(Invalid) as refused:
            publish.ask(cycle, "Q1 2025", by=company["head"].id, now=LATER)
        assert refused.value.code == "workflow:name_differs"
        assert jobs.find(publish.key_of(cycle.id)) is None


def test_cancelling_needs_a_reason_and_destroys_keys_and_ballots(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        with pytest.raises(NotYet):
            publish.cancel(cycle, "  ", by=company["head"].id, now=NOW)
        db.session.rollback()
        publish.cancel(cycle, "Wrong dates", by=company["head"].id, now=NOW)
        drain(NOW)
        cycle = db.session.get_one(CycleRow, cycle.id)
        assert cycle.stage is Stage.CANCELLED
        assert ballots.is_destroyed(cycle.id)
        assert not ballots.is_counted(cycle.id)
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == publish.CANCELLED)).all()
        assert len(letters) == 22
        assert {letter.params["reason"] for letter in letters} == {"Wrong dates"}


def test_cancelling_is_refused_while_the_ballots_are_counted(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        close.close(cycle, by=None, now=LATER)
        with pytest.raises(Refusal) as refused:
            publish.cancel(cycle, "Too late", by=company["head"].id, now=LATER)
        assert refused.value.code == "cycle:no_such_move"
        assert not ballots.is_destroyed(cycle.id)


def test_a_new_supervisor_loses_their_seat_and_nobody_asks_whether_they_have_cast(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        seat = db.session.scalars(select(SeatRow).order_by(SeatRow.review_id)).first()
        assert seat is not None
        file = file_of(seat.review_id)
        number = next(person.employee_no for person in company.values() if person.id == seat.rater_id)
        seats = peer_review.seats_for_count(cycle.id)
        movements.replace_supervisor(file, number, by=company["head"].id, now=NOW)
        db.session.commit()
        db.session.refresh(seat)
        assert seat.is_closed
        assert file.review.supervisor_id == seat.rater_id
        assert peer_review.seats_for_count(cycle.id) == seats
        # The log tells that they answer for the review now, and nothing of a seat: whoever reads it learns no pair.
        told = db.session.scalars(select(AuditRow).where(AuditRow.at == NOW, AuditRow.actor_id == company["head"].id))
        assert [row.action for row in told if "seat" in row.action or "cast" in str(row.details)] == []


def test_nobody_becomes_their_own_supervisor(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        file = file_of(review_of(cycle.id, company["north 1"]))
        with pytest.raises(Invalid) as refused:
            movements.replace_supervisor(file, company["north 1"].employee_no, by=company["head"].id, now=NOW)
        assert refused.value.problems[0].where == "supervisor"
        with pytest.raises(Invalid) as refused:
            movements.replace_supervisor(file, "nobody", by=company["head"].id, now=NOW)
        assert refused.value.code == "workflow:no_such_number"


def test_a_leaver_is_not_counted_but_what_they_said_is(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        gone = company["north 1"]
        file = file_of(review_of(cycle.id, gone))
        movements.withdraw(file, "Left", by=company["head"].id, now=NOW)
        close.close(cycle, by=None, now=LATER)
        drain()
        assert file.review.id not in ballots.cells_of(cycle.id)
        # All eight ballots about a colleague count, the leaver's among them.
        card = results.scorecard_of(review_of(cycle.id, company["north 2"]))
        assert card.score == 8000


def test_withdrawing_needs_a_reason(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        file = file_of(review_of(cycle.id, company["north 1"]))
        with pytest.raises(Invalid):
            movements.withdraw(file, " ", by=company["head"].id, now=NOW)
        assert db.session.get_one(ReviewRow, file.review.id).withdrawn_at is None


def test_more_time_must_be_later_and_before_results_are_final(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        review = db.session.get_one(ReviewRow, review_of(cycle.id, company["north 1"]))
        changes.extend_self(cycle, review, NOW + timedelta(days=10), by=company["head"].id, now=NOW)
        assert review.self_due_at == NOW + timedelta(days=10)
        for wrong in (NOW + timedelta(days=9), NOW - timedelta(days=1), NOW + timedelta(days=30)):
            with pytest.raises(Invalid):
                changes.extend_self(cycle, review, wrong, by=company["head"].id, now=NOW)
        with pytest.raises(Invalid):
            changes.extend_rating(cycle, review, cycle.closes_at, by=company["head"].id, now=NOW)
        changes.extend_rating(cycle, review, NOW + timedelta(days=20), by=company["head"].id, now=NOW)
        assert review.rating_due_at == NOW + timedelta(days=20)


def test_nobody_of_hr_changes_their_own_review(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = collecting(company)
        me = company["north 1"].id
        file = file_of(review_of(cycle.id, company["north 1"]))
        later = cycle.closes_at + timedelta(days=1)
        acts = (
            lambda by: changes.extend_self(cycle, file.review, later, by=by, now=NOW),
            lambda by: changes.extend_rating(cycle, file.review, later, by=by, now=NOW),
            lambda by: movements.replace_supervisor(file, company["south"].employee_no, by=by, now=NOW),
            lambda by: movements.withdraw(file, "Left", by=by, now=NOW),
        )
        for act in acts:
            with pytest.raises(NotAllowed) as refused:
                act(me)
            assert refused.value.code == "cycles:own_review"
        review = file.review
        assert (review.self_due_at, review.rating_due_at, review.withdrawn_at) == (None, None, None)
        assert review.supervisor_id == company["north"].id
        for act in acts:  # a colleague may
            act(company["head"].id)
        assert review.withdrawn_at == NOW


def test_after_publication_nothing_moves_any_more(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = finalised(company)
        publish.run(cycle, by=company["head"].id, now=LATER)
        review = db.session.get_one(ReviewRow, review_of(cycle.id, company["north 1"]))
        with pytest.raises(TooLate):
            changes.extend_self(cycle, review, LATER + timedelta(days=1), by=company["head"].id, now=LATER)
        assert db.session.scalar(select(func.count()).select_from(SignOffRow)) == 22
