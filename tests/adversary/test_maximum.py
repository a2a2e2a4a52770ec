"""The forensic adversary at maximum protection, with every key of every night in its hands, and its teeth there.

Rows must not lead to raters from any one copy. What copies of every night tell is measured and printed: the night of a
draw beside the night of a cast, as the documentation states, and nothing more.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adversary.adversary import Adversary
from tests.adversary.harness import Stage, found_in
from tests.adversary.installation import laid_out, opened, workshop
from tests.adversary.maximum_leaks import ALSO_TOLD, IN_MANY_ROWS, TOLD, TOLD_AFTERWARDS, Patch
from tests.adversary.maximum_life import MaximumLife
from tests.adversary.told import Lived
from tests.adversary.verdict import BOUND, ENOUGH, judge, nights_of
from tests.postgres import new_database

pytestmark = pytest.mark.xdist_group("adversary")
Leak = Callable[[Patch], None]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Thirty people, each asked about eight."""
    with workshop() as folder:
        yield Stage(folder, life=MaximumLife, maximum=True)


@pytest.fixture(scope="module")
def small_stage() -> Iterator[Stage]:
    with workshop() as folder:
        yield Stage(folder, people=14, each=6, life=MaximumLife, maximum=True)


def name_of(leak: Leak) -> str:
    return leak.__name__


def test_all_keys_of_every_night_lead_from_no_ballot_to_its_rater(stage: Stage) -> None:
    look(stage.clean())


def look(lived: Lived, enough: int = ENOUGH) -> None:
    report = Adversary(lived.snapshots, lived.truth.seal_key).investigate()
    verdict, nights = judge(report, lived.truth), nights_of(report, lived.truth)
    sys.stdout.write(f"{verdict}\nstated limit, {nights}\n")
    cast = {one.seat for one in lived.truth.casts}
    assert verdict.findings == set(), "a leak, or a false alarm: either has to be mended"
    assert verdict.readable == 0
    assert len(report.reviews) == len(cast) >= enough, "whoever has the keys opens every ballot"
    if enough == ENOUGH:
        assert len(verdict.rho) >= 12, "the adversary must have looked at orders, or it proves nothing"
    assert verdict.worst_rho <= BOUND
    ways = [way for way in verdict.linked if way.startswith("with the private key")]
    assert any("raws" in way or "draw" in way for way in ways), "the order of draws was put beside the order of rows"
    assert any("door.log" in way for way in ways)
    assert nights.rows == len(cast)
    assert nights.by_night > nights.by_review, "the limit that the documentation states is there to be measured"
    assert nights.tells_more() == [], "nightly copies tell the night of a draw and of a cast, and nothing more"


@pytest.mark.parametrize("leak", TOLD, ids=name_of)
def test_a_leak_while_tickets_are_drawn_and_cast_is_found(small_stage: Stage, leak: Leak) -> None:
    assert TOLD[leak] in found_in(small_stage.while_collecting(leak))


@pytest.mark.parametrize("leak", TOLD_AFTERWARDS, ids=name_of)
def test_a_leak_when_draws_are_forgotten_is_found(stage: Stage, leak: Leak) -> None:
    assert TOLD_AFTERWARDS[leak] in found_in(stage.at_the_count(leak))


@pytest.mark.full
def test_neither_is_found_without_a_leak(small_stage: Stage) -> None:
    assert found_in(small_stage.clean()) == set()


@pytest.mark.full
@pytest.mark.parametrize("leak", TOLD | ALSO_TOLD, ids=name_of)
def test_every_leak_is_found_in_an_installation_of_thirty(stage: Stage, leak: Leak) -> None:
    told = (TOLD | ALSO_TOLD)[leak]
    assert {told, IN_MANY_ROWS.get(leak, told)} <= found_in(stage.while_collecting(leak))


@pytest.fixture
def shop() -> Iterator[Path]:
    with workshop() as folder:
        yield folder


@pytest.mark.full
@pytest.mark.postgres
def test_nor_does_a_server_with_all_keys(postgres_server: str, shop: Path) -> None:
    urls = {"DATABASE_URL": new_database(postgres_server), "URN_URL": new_database(postgres_server)}
    laid_out(shop / "base", maximum=True, **urls)
    with opened(shop / "base", shop / "home", **urls) as home:
        look(MaximumLife(home, shop / "copies").live())
