"""The same story on PostgreSQL, through the services: launch, four sources, close, count, finalise, publish, tier."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import NullPool, create_engine, inspect, select, text

from review.ballots import service as ballots
from review.cycles import service as cycles
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.disclosure import Shown
from review.domain.refusals import TooLate
from review.domain.responses import Ballot
from review.domain.rounding import decimal_text
from review.domain.vocabulary import Level, Source
from review.infra import migrate
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.results import publication
from review.schemes.library import builtin
from tests.browse import Browser
from tests.world import World, live_in

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture(scope="module")
def world(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The company, lived through its cycles on a server of its own, with its urns in a database of their own."""
    from tests.postgres import new_database

    environ = {
        "REVIEW_DATA": str(tmp_path_factory.mktemp("postgres") / "instance"),
        "DATABASE_URL": new_database(postgres_server),
        "URN_URL": new_database(postgres_server),
        "REVIEW_BASE_URL": "http://localhost",
    }
    settings = replace(Settings.from_env(environ), is_testing=True)
    migrate.upgrade(settings.database_url)
    made = World(settings, None)  # type: ignore[arg-type]
    made.facts = live_in(made.app)
    yield made
    made.let_go()


def urns(world: World) -> set[str]:
    """The schemas that hold an urn."""
    engine = create_engine(str(world.settings.urn_url), poolclass=NullPool)
    with engine.connect() as connection:
        return {name for name in inspect(connection).get_schema_names() if name.startswith("urn_")}


def test_the_cycles_stand_where_the_story_left_them(world: World) -> None:
    facts = world.facts
    wanted = {
        facts.published: Stage.PUBLISHED,
        facts.finalising: Stage.FINALISING,
        facts.collecting: Stage.COLLECTING,
        facts.draft: Stage.DRAFT,
    }
    with world.app.app_context():
        assert {key: db.session.get_one(CycleRow, key).stage for key in wanted} == wanted
        moves = [row.to_stage for row in cycles.ledger_of(facts.published)]
    assert moves == [Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING, Stage.PUBLISHED]


def test_a_counted_urn_is_gone_with_its_key_and_only_cells_are_left(world: World) -> None:
    facts = world.facts
    assert urns(world) == {f"urn_{facts.collecting}"}
    with world.app.app_context():
        for cycle_id in (facts.published, facts.finalising):
            assert ballots.is_counted(cycle_id)
            assert ballots.is_destroyed(cycle_id)
        cells = ballots.cells_of(facts.published)[facts.published_review]
    assert any(isinstance(cell.figure, Shown) for cell in cells), "eight colleagues rated Ada: her cells are published"


def test_ada_reads_her_grade_tier_and_working(world: World) -> None:
    with world.app.app_context():
        shown = publication.publication_of(world.facts.published_review)
        score, tier = decimal_text(shown.score), shown.body["reward"]["name"]["zh"]
        assert publication.reward_of(world.facts.published_review) is not None
    page = Browser(world.app, world.somebody("ada")).get(f"/results/{world.facts.published_review}")
    assert score in page.text
    assert tier in page.text


def test_a_colleague_casts_in_the_browser_and_may_change_it_until_the_close(world: World) -> None:
    browser, seat = Browser(world.app, world.somebody("peer")), world.facts.seat
    asked = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]
    for level in ("good", "excellent"):
        browser.post(f"/peers/{seat}", {f"c-{key}": level for key in asked})
    with world.app.app_context():
        assert ballots.has_cast(world.facts.collecting, [UUID(seat)]) == {UUID(seat)}
    engine = create_engine(str(world.settings.urn_url), poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(
            text(f"SELECT count(DISTINCT token_hash), count(*) FROM urn_{world.facts.collecting}.ballot")
        )
        different, all_rows = rows.one()
    assert different == all_rows, "one row a seat, however often it was cast"


def test_nobody_casts_into_a_counted_cycle(world: World) -> None:
    facts = world.facts
    with world.app.app_context():
        seat = db.session.scalars(select(SeatRow.id).where(SeatRow.review_id == facts.published_review)).first()
        assert seat is not None
        asked = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]
        with pytest.raises(TooLate):
            ballots.cast(facts.published, seat, Ballot(facts.published_review, dict.fromkeys(asked, Level.GOOD)))


@pytest.mark.parametrize(
    ("who", "url"),
    [
        ("ada", "/"),
        ("ada", "/peers"),
        ("sam", "/team"),
        ("sam", "/"),
        ("hana", "/"),
        ("hana", "/cycles"),
        ("hana", "/cycles/{collecting}"),
        ("hana", "/cycles/{draft}/peers"),
        ("hana", "/cycles/{finalising}/publish"),
        ("hana", "/cycles/{published}/method"),
        ("hana", "/cycles/{published}/report"),
        ("hana", "/cycles/{published}/what-if?cut_excellent=85&customers=5"),
        ("hana", "/cycles/{collecting}/surveys"),
        ("hana", "/people?q=%E6%9E%97"),
        ("max", "/admin/jobs"),
        ("max", "/admin/mail"),
        ("max", "/admin/audit"),
    ],
)
def test_the_pages_open(world: World, who: str, url: str) -> None:
    facts = world.facts
    address = url.format(
        collecting=facts.collecting, draft=facts.draft, finalising=facts.finalising, published=facts.published
    )
    Browser(world.app, world.somebody(who)).get(address)


def test_the_main_database_knows_no_ballot(world: World) -> None:
    with world.app.app_context():
        tables = set(inspect(db.engine).get_table_names())
    assert "ballot" not in tables
    assert Path(world.settings.data_dir / "urns").exists() is False, "with PostgreSQL no urn lies in a file"
