"""KPI sheets on PostgreSQL: filled, entered, decided, signed, scored, by the same services."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.infra import migrate
from review.infra.db import db
from review.infra.settings import Settings
from review.kpi import duties, filling, lines, signing
from review.kpi import evidence as kpi
from review.kpi.changing import Hand
from review.kpi.lines import Proposal
from review.kpi.sheets import sheet_of
from review.kpi.tables import Step
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_kpi import every_rule, open_sheets, plan_cycle, put, somebody_of_hr

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture
def app(postgres_url: str, urn_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    environ = {
        "REVIEW_DATA": str(tmp_path_factory.mktemp("kpi") / "instance"),
        "DATABASE_URL": postgres_url,
        "URN_URL": urn_url,
        "REVIEW_BASE_URL": "http://localhost",
    }
    migrate.upgrade(postgres_url)
    made = create_app(replace(Settings.from_env(environ), is_testing=True))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_sheet_lives_from_its_opening_to_its_signatures(app: Flask) -> None:
    with app.app_context():
        cast: Cast = make_cast()
        cycle_id = make_cycle(cast)
        plan_cycle(cycle_id, every_rule())
        assert open_sheets(cycle_id) == 11
        ada, sam = review_of(cycle_id, cast["ada"]), Hand(cast["sam"].id, is_hr=False)
        assert kpi.open_sheets(cycle_id) == 11
        assert filling.fill(db.session.get_one(CycleRow, cycle_id), by=None, now=NOW).figures == 0
        put(cycle_id, ada, volume="440", speed="1:30", smile="81", errors="2", help="85", training="5")
        lines.propose(cycle_id, ada, Proposal(lines.BONUS, "3", "Night shift."), sam, NOW)
        lines.propose_veto(cycle_id, ada, "poor", "Lied.", "", sam, NOW)
        line = sheet_of(ada).lines[0].id
        lines.decide(cycle_id, line, approve=True, hand=somebody_of_hr(), now=NOW)
        lines.decide_veto(cycle_id, ada, approve=False, hand=somebody_of_hr(), now=NOW)
        set_stage(cycle_id, Stage.FINALISING)
        db.session.commit()
        part = kpi.parts_in(cycle_id).of(ada)
        assert (part.points, [one.points for one in part.bonus], part.veto, part.is_open) == (87, [3], None, False)
        assert part == sheet_of(ada).part
        assert [duty.is_signing for duty in duties.duties_of(cast["ada"].id)] == [True]
        for who, step in (("ada", Step.EMPLOYEE), ("sam", Step.SUPERIOR), ("lou", Step.HEAD)):
            assert signing.sign(ada, cast[who].id, sheet_of(ada).digest, "", NOW) is step
            db.session.commit()
        assert signing.next_step(sheet_of(ada)) is None
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
