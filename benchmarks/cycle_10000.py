"""Launches, counts and scores a cycle for 10,000 people and prints what it took, and the queries each page takes.

    python -m benchmarks.cycle_10000 [people]

The company is written in bulk (an import of that size is another measurement). Ballots go into the urn through one
connection instead of one fsync each: token by token as `ballots.cast` makes them, so that the count reads what it
would read; ratings and customers' answers are bulk rows of the responses table. Everything measured is the real thing:
the launch job, `tick`, the count job, and pages through the application.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import event, func, insert, select, update

from review.app import create_app
from review.ballots import keys
from review.ballots import service as ballots
from review.ballots.keys import token_hash
from review.ballots.sealing import seal
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.urn_tables import ballot
from review.cycles import changes, service
from review.cycles.service import CyclePlan
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.domain.period import PeriodKind
from review.domain.responses import Ballot
from review.domain.vocabulary import Level, Source
from review.infra import jobs, organisation
from review.infra.clock import now
from review.infra.db import db
from review.infra.house import house
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.people.tables import DepartmentRow, PersonRow, RoleRow
from review.responses.tables import ResponseRow
from review.results.waiting import distribution
from review.schemes.service import install_default, scheme_of
from review.workflow import launch, plan, proposal
from review.workflow.tick import tick

TEAM = 12
CUSTOMERS = 16
GOALS = {"launch": 60.0, "count and score": 30.0}


@contextmanager
def measured(name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took = time.perf_counter() - start
    goal = GOALS.get(name)
    verdict = "" if goal is None else f"   goal {goal:.0f} s: {'met' if took < goal else 'MISSED'}"
    print(f"{name:<28}{took:8.2f} s{verdict}", flush=True)


def hire(count: int) -> int:
    """Departments of teams of twelve under heads of ten teams; the id of an HR person."""
    teams = -(-count // TEAM)
    groups = -(-teams // 10)
    db.session.execute(insert(DepartmentRow), [{"id": 1, "name": "Company", "parent_id": None}])
    db.session.execute(
        insert(DepartmentRow), [{"id": 2 + g, "name": f"Group {g}", "parent_id": 1} for g in range(groups)]
    )
    first_team = 2 + groups
    rows = [{"id": first_team + t, "name": f"Team {t}", "parent_id": 2 + t // 10} for t in range(teams)]
    db.session.execute(insert(DepartmentRow), rows)
    plain = {
        "joined_on": date(2020, 1, 1),
        "locale": "zh",
        "password_hash": "unusable",
        "session_version": 1,
        "activation": 1,
    }

    def person(key: int, department: int, supervisor: int | None) -> dict[str, object]:
        named = {"id": key, "employee_no": f"N{key:06}", "name": f"员工{key}", "email": f"n{key}@example.com"}
        return {**plain, **named, "department_id": department, "supervisor_id": supervisor}

    people = [person(1, 1, None)]
    heads = {g: 2 + g for g in range(groups)}
    people += [person(heads[g], 2 + g, 1) for g in range(groups)]
    for n in range(count - 1 - groups):
        key, team, place = 2 + groups + n, n // TEAM, n % TEAM
        boss = heads[min(team // 10, groups - 1)] if place == 0 else key - place
        people.append(person(key, first_team + min(team, teams - 1), boss))
    for start in range(0, len(people), 1000):
        db.session.execute(insert(PersonRow), people[start : start + 1000])
    roles = [{"person_id": one["id"], "role": Role.AGENT} for one in people]
    bosses = {one["supervisor_id"] for one in people} - {None}
    roles += [{"person_id": boss, "role": Role.SUPERVISOR} for boss in bosses]
    roles.append({"person_id": len(people), "role": Role.HR})
    db.session.execute(insert(RoleRow), roles)
    db.session.commit()
    return len(people)


def prepare(by: int) -> int:
    at, ours = now(), organisation.current()
    proposed = proposal.propose(at, ours, PeriodKind.QUARTERLY)
    wanted = CyclePlan(name="Benchmark", period=proposed.period, scheme_id=install_default(at).id, dates=proposed.dates)
    cycle = service.create(wanted, ours.zone, by=by, now=at)
    reviewed = select(PersonRow.id).where(PersonRow.supervisor_id.is_not(None))
    service.choose(cycle, list(db.session.scalars(reviewed)))
    db.session.commit()
    return cycle.id


def vote(cycle_id: int, start: int = 0, stop: int | None = None) -> int:
    """The ballots of these seats (every seat's by default), in one transaction of the urn."""
    settings = house().settings
    key = keys.read(settings.keys_dir, cycle_id)
    assert key is not None
    levels = (Level.EXCELLENT, Level.GOOD, Level.GOOD, Level.FAIR)
    public, size = ballots.seal_key(cycle_id), ballots.ballot_size(cycle_id)
    rows = []
    seats = db.session.execute(select(SeatRow.id, SeatRow.review_id).order_by(SeatRow.id).slice(start, stop or 2**31))
    for n, (seat, review) in enumerate(seats):
        answers = {"interpersonal_coordination": levels[n % 4], "feedback_learning": levels[(n + 1) % 4]}
        found = token_hash(key, seat)
        version, sealed = seal(
            Ballot(review, answers), cycle_id=cycle_id, token_hash=found, public_key=public, size=size
        )
        rows.append({"token_hash": found, "version": version, "sealed": sealed})
    db.session.rollback()
    with SqliteUrn(settings.data_dir / "urns", cycle_id)._begin("BEGIN IMMEDIATE") as connection:
        connection.execute(insert(ballot), rows)
    return len(rows)


def answer(cycle_id: int) -> int:
    """A rating for each review, a self-review, and sixteen customers, as bulk rows."""
    at, count = now(), 0
    scheme = scheme_of(db.session.get_one(CycleRow, cycle_id).scheme_id)
    asked = [n + 1 for n, criterion in enumerate(scheme.criteria) if criterion.is_asked_of(Source.CUSTOMERS)]
    filed = {"filed_at": at, "version": 1, "texts": {}, "wants_contact": False, "withhold_ticket": False}
    reviews = select(ReviewRow.id, ReviewRow.subject_id, ReviewRow.supervisor_id).where(ReviewRow.cycle_id == cycle_id)
    rows: list[dict[str, object]] = []

    def flush() -> None:
        nonlocal count
        count += len(rows)
        for group in ("person", "customer"):
            some = [row for row in rows if str(row["respondent"]).startswith(group)]
            if some:
                db.session.execute(insert(ResponseRow), some)
        rows.clear()

    for review, subject, supervisor in db.session.execute(reviews).all():
        own = {f"c{n}": 1 + (review + n) % 4 for n in range(1, 6)}
        for source, who in ((Source.SELF, subject), (Source.SUPERVISOR, supervisor)):
            rows.append(
                {**filed, **own, "review_id": review, "source": source, "respondent": f"person:{who}", "person_id": who}
            )
        for number in range(CUSTOMERS):
            stars = {f"c{n}": 1 + (review + number + n) % 5 for n in asked}
            said = {"review_id": review, "source": Source.CUSTOMERS, "respondent": f"customer:{review}:{number}"}
            rows.append({**filed, **stars, **said, "person_id": None, "overall": 4})
        if len(rows) > 5000:
            flush()
    flush()
    db.session.commit()
    return count


def work(at: object) -> None:
    db.session.commit()
    jobs.work_all(house().handlers, house().progress, "benchmark", at)  # type: ignore[arg-type]


def pages(app: Flask, cycle_id: int, hr: int, when: str) -> None:
    """What each page of HR's takes, and what those of somebody with a team of eleven take."""
    urls = [
        "/",
        "/cycles",
        "/cycles/{id}",
        "/cycles/{id}/peers",
        "/cycles/{id}/people",
        "/cycles/{id}/reviews",
        "/scheme",
    ]
    urls += ["/people", "/admin/mail", "/admin/jobs", "/admin/audit", "/cycles/{id}/surveys"]
    urls += ["/cycles/{id}/publish"] if when == "finalising" else []
    fetch(app, cycle_id, hr, when, urls)
    with app.app_context():
        lead = db.session.scalar(select(PersonRow.supervisor_id).where(PersonRow.id == hr))
    assert lead is not None
    fetch(app, cycle_id, lead, f"{when} lead", ["/", "/peers", "/team"])


def fetch(app: Flask, cycle_id: int, who: int, when: str, urls: list[str]) -> None:
    client = app.test_client()
    with app.app_context():
        engine = db.engine
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"{who}:1", True
    for url in urls:
        heard: list[str] = []

        def hear(_connection: object, _cursor: object, statement: str, *_rest: object, to: list[str] = heard) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                to.append(statement)

        event.listen(engine, "before_cursor_execute", hear)
        start = time.perf_counter()
        response = client.get(url.format(id=cycle_id))
        took = time.perf_counter() - start
        event.remove(engine, "before_cursor_execute", hear)
        verdict = "" if len(heard) < 15 else "   MISSED (goal: under 15)"
        print(f"  {when:<18}{url:<24}{response.status_code}{len(heard):4} queries{took:8.3f} s{verdict}", flush=True)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environ = {"REVIEW_DATA": str(Path(folder) / "data"), "REVIEW_KEYS": str(Path(folder) / "keys")}
        app = create_app(Settings.from_env(environ))
        with app.app_context():
            db.create_all()
            organisation.configure(organisation.Organisation())
            with measured("write the company"):
                hr = hire(count)
                cycle_id = prepare(hr)
            with measured("work out the assignment"):
                plan.ask(db.session.get_one(CycleRow, cycle_id), now())
                work(now())
            stored = plan.of(cycle_id)
            assert stored is not None
            print(f"  seats {stored.seats}, shortages {len(stored.shortages)}, mutual pairs {stored.reciprocal_pairs}")
            changes.confirm_plan(db.session.get_one(CycleRow, cycle_id), stored.digest, by=hr, now=now())
            db.session.commit()
        pages(app, cycle_id, hr, "draft")
        with app.app_context():
            with measured("launch"):
                launch.ask(db.session.get_one(CycleRow, cycle_id), by=hr, now=now())
                work(now())
            letters = db.session.scalar(select(func.count()).select_from(LetterRow))
            print(f"  stage {db.session.get_one(CycleRow, cycle_id).stage}, letters queued {letters}")
            with measured("answer (in bulk)"):
                print(f"  ballots {vote(cycle_id)}, responses {answer(cycle_id)}")
            with measured("tick with nothing due"):
                tick(now() + timedelta(minutes=1))
        pages(app, cycle_id, hr, "collecting")
        with app.app_context():
            closes = db.session.get_one(CycleRow, cycle_id).closes_at
            db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(self_due_at=closes))
            db.session.commit()
            with measured("count and score"):
                tick(closes)
                work(closes)
            print(f"  stage {db.session.get_one(CycleRow, cycle_id).stage}, grades {distribution(cycle_id)}")
        pages(app, cycle_id, hr, "finalising")
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
