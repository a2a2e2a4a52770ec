"""The same life on PostgreSQL: draw, checks, dispute, calibration, boards; and two at once on real connections."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from review.app import create_app
from review.domain.records import Measured
from review.domain.refusals import Taken
from review.helpdesk.tables import TicketRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.people import directory
from review.quality import calibration, checks, disputes, form_versions, service
from review.quality.tables import CheckRow, DisputeRow, Verdict
from review.tables import metadata
from tests.browse import Browser
from tests.make import NOW, Cast, make_cast
from tests.make_quality import FIRST, LAST, assign, checks_of, file_as, make_sample, sheet, the_form, tickets

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture
def house(tmp_path: Path, postgres_url: str, urn_url: str) -> Iterator[tuple[Flask, Cast]]:
    environ = {"REVIEW_DATA": str(tmp_path / "pg"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    made = create_app(replace(Settings.from_env(environ | {"REVIEW_BASE_URL": "http://localhost"}), is_testing=True))
    with made.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        db.session.commit()
    yield made, cast
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_whole_life(house: tuple[Flask, Cast]) -> None:
    app, cast = house
    with app.app_context():
        for name in ("ada", "bo"):
            tickets(cast[name], 6)
        sample_id = make_sample(cast, each=3)
        assign(sample_id, cast["quinn"], cast["lou"])
        mine = checks_of(sample_id, cast["ada"])
        file_as(mine[0], understanding=1)
        aside = checks.file_of(mine[1])
        checks.replace(aside, aside.check.checker_id, "Empty", NOW)
        disputes.raise_dispute(checks.file_of(mine[0]), cast["ada"].id, "No.", {"understanding": 4}, the_form(), NOW)
        db.session.commit()
        assert service.compliance_between(FIRST, LAST) == {}
        owed = service.duties_of(cast["hana"].id, NOW, is_hr=True)
        assert [(one.kind, one.due, one.left) for one in owed] == [("dispute", None, 1)]
        said = disputes.Decision(Verdict.PARTLY, "Half.", {"understanding": 3})
        disputes.decide(checks.file_of(mine[0]), said, the_form(), by=cast["hana"].id, now=NOW)
        references = tuple(db.session.scalars(select(TicketRow.reference).limit(1)))
        people = tuple(directory.by_ids([cast["quinn"].id, cast["lou"].id]).values())
        form_id, due = form_versions.install_default(NOW).id, now() + timedelta(days=3)
        calibration.create(calibration.RoundPlan("One", form_id, references, people, due), by=cast["hana"].id, now=NOW)
        db.session.commit()
        assert service.compliance_between(FIRST, LAST) == {cast["ada"].id: Measured(Fraction(95), Fraction(1))}
        kinds = {one.kind for one in service.duties_of(cast["quinn"].id, now(), is_hr=False)}
        assert kinds == {"check", "round"}
    for who, paths in {
        "hana": ("/quality", f"/quality/samples/{sample_id}", "/disputes", "/quality/samples/new", "/"),
        "quinn": ("/checks", "/team/quality", "/"),
        "ada": ("/checks", f"/checks/{mine[0]}", "/"),
    }.items():
        for path in paths:
            Browser(app, cast[who]).get(path)


def race(app: Flask, *acts: object) -> list[object]:
    """All at once, each on a connection of its own; what each answered or raised."""
    gate = Barrier(len(acts))

    def run(act: object) -> object:
        with app.app_context():
            try:
                gate.wait()
                found = act()
                db.session.commit()
            except Taken as refusal:
                db.session.rollback()
                return refusal.code
            finally:
                db.session.remove()
            return found

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_filing_and_putting_aside_at_once_one_wins(house: tuple[Flask, Cast]) -> None:
    app, cast = house
    with app.app_context():
        tickets(cast["ada"], 12)
        sample_id = make_sample(cast, each=5)
        assign(sample_id, cast["quinn"])
        ids, form, said = checks_of(sample_id, cast["ada"]), the_form(), sheet()
    for one in ids:
        told = race(
            app,
            lambda one=one: checks.file_check(checks.file_of(one), cast["quinn"].id, said, form, NOW),
            lambda one=one: checks.replace(checks.file_of(one), cast["quinn"].id, "Empty", NOW) is not None,
        )
        assert sorted(map(str, told)) == ["True", "quality:check_gone"]
    with app.app_context():
        rows = db.session.scalars(select(CheckRow).where(CheckRow.id.in_(ids))).all()
        assert all((row.filed_at is None) != (row.replaced_at is None) for row in rows)


def test_of_two_disputes_and_of_two_decisions_at_once_one_wins(house: tuple[Flask, Cast]) -> None:
    app, cast = house
    with app.app_context():
        tickets(cast["ada"], 1)
        sample_id = make_sample(cast)
        assign(sample_id, cast["quinn"])
        one, form = checks_of(sample_id)[0], the_form()
        file_as(one, understanding=1)

    def say(words: str) -> object:
        return disputes.raise_dispute(checks.file_of(one), cast["ada"].id, words, {"understanding": 4}, form, NOW)

    told = race(app, lambda: say("First."), lambda: say("Second."))
    assert sorted(map(str, told)) == ["True", "quality:disputed_before"]

    def decide(verdict: Verdict) -> object:
        said = disputes.Decision(verdict, "So.", {})
        return disputes.decide(checks.file_of(one), said, form, by=cast["hana"].id, now=NOW)

    told = race(app, lambda: decide(Verdict.ACCEPTED), lambda: decide(Verdict.REJECTED))
    assert sorted(map(str, told)) == ["True", "quality:decided_before"]
    with app.app_context():
        row, check = db.session.get_one(DisputeRow, one), db.session.get_one(CheckRow, one)
        assert row.score_after == check.score == ("100" if row.verdict is Verdict.ACCEPTED else "85")
