"""Durable work: asked for in the business transaction, done once, tried again, taken over from the dead."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from review.domain.refusals import Invalid
from review.infra import jobs
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import LEASE, TRIES, Job, JobState
from tests.make import NOW

ONE_HOUR = timedelta(hours=1)


def work(handler: Callable[[Job], None], at=NOW, worker: str = "w1") -> bool:
    return jobs.work_one({"test:work": handler}, house().progress, worker, at)


def ask(key: str = "one", at=NOW) -> None:
    jobs.enqueue("test:work", key, {"n": 1}, at)
    db.session.commit()


def test_a_job_asked_for_twice_is_done_once(app: Flask) -> None:
    done: list[str] = []
    with app.app_context():
        ask()
        ask()
        while work(lambda job: done.append(job.key)):
            pass
        assert done == ["one"]
        assert jobs.find("one").state is JobState.DONE


def test_a_job_is_not_there_when_its_business_rolled_back(app: Flask) -> None:
    with app.app_context():
        jobs.enqueue("test:work", "never", {}, NOW)
        db.session.rollback()
        assert jobs.find("never") is None
        assert not work(lambda _job: pytest.fail("nobody asked for this"))


def test_a_job_waits_for_its_time(app: Flask) -> None:
    with app.app_context():
        jobs.enqueue("test:work", "later", {}, NOW, run_at=NOW + ONE_HOUR)
        db.session.commit()
        assert not work(lambda _job: None)
        assert work(lambda _job: None, NOW + ONE_HOUR)


def test_what_fails_is_tried_again_later_and_given_up_at_last(app: Flask) -> None:
    def fails(_job: Job) -> None:
        raise OSError("no disk")

    with app.app_context():
        ask()
        at = NOW
        for attempt in range(1, TRIES + 1):
            assert work(fails, at)
            row = jobs.find("one")
            assert row.attempts == attempt
            assert not work(fails, at), "it must not be tried again at the same moment"
            at += 2 * ONE_HOUR
        assert jobs.find("one").state is JobState.FAILED
        assert "no disk" in jobs.find("one").error
        assert not work(fails, at)


def test_a_refusal_is_an_answer_and_not_tried_again(app: Flask) -> None:
    def refuses(_job: Job) -> None:
        raise Invalid("cycle:plan_outdated")

    with app.app_context():
        ask()
        assert work(refuses)
        assert jobs.find("one").state is JobState.FAILED
        assert not work(refuses, NOW + 24 * ONE_HOUR)


def test_what_a_failed_job_wrote_is_rolled_back(app: Flask) -> None:
    def half(_job: Job) -> None:
        jobs.enqueue("test:work", "child", {}, NOW)
        raise OSError("died in the middle")

    with app.app_context():
        ask()
        work(half)
        assert jobs.find("child") is None


def test_the_job_of_a_dead_worker_is_taken_over_when_its_lease_is_out(app: Flask) -> None:
    with app.app_context():
        ask()
        assert jobs._claim("dead", NOW) is not None
        done: list[str] = []
        assert not work(lambda job: done.append(job.key), NOW + LEASE / 2, "w2"), "its lease still runs"
        assert work(lambda job: done.append(job.key), NOW + LEASE + ONE_HOUR, "w2")
        assert done == ["one"]


def test_a_job_that_kills_every_worker_is_given_up(app: Flask) -> None:
    with app.app_context():
        ask()
        at = NOW
        for number in range(TRIES):
            assert jobs._claim(f"dead{number}", at) is not None
            at += LEASE + ONE_HOUR
        assert work(lambda _job: pytest.fail("it has killed enough workers"), at)
        assert jobs.find("one").state is JobState.FAILED
        assert jobs.find("one").error == "abandoned"


def test_a_worker_that_lost_its_lease_cannot_finish_what_another_took_over(app: Flask) -> None:
    def slow(_job: Job) -> None:
        assert jobs._claim("other", NOW + LEASE + ONE_HOUR) is not None

    with app.app_context():
        ask()
        work(slow)
        row = jobs.find("one")
        assert (row.state, row.worker) == (JobState.RUNNING, "other")


@pytest.mark.postgres
def test_a_long_job_keeps_its_lease_on_postgresql(
    postgres_url: str, urn_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    from review.app import create_app
    from review.infra.settings import Settings
    from review.tables import metadata

    environ = {"REVIEW_DATA": str(tmp_path / "d"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    app = create_app(Settings.from_env(environ))
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.6))
    seen: list[bool] = []

    def long(_job: Job) -> None:
        db.session.commit()  # as a job of several transactions does
        time.sleep(1.2)
        later = NOW + timedelta(seconds=0.7)  # past the lease it began with
        seen.append(jobs._claim("thief", later) is None)

    with app.app_context():
        metadata.create_all(db.engine)
        ask()
        assert work(long)
        assert seen == [True], "a second worker took over a job that was still running"
        assert jobs.find("one").state is JobState.DONE
        db.session.remove()
        db.engine.dispose()
