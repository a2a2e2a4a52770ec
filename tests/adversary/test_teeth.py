"""The forensic adversary has teeth: leaks patched into the product are found, all by the one adversary that is not told
which of them is in; and the product as it is gives it nothing.

Most leaks are looked for among fourteen people; what only the order of many rows gives away, and every leak
behind the marker `full`, among thirty.
"""

import sys
from collections.abc import Iterator

import pytest

from tests.adversary.harness import Stage, attacked
from tests.adversary.installation import workshop
from tests.adversary.leaks import WHILE_COLLECTING
from tests.adversary.leaks_at_count import AT_THE_COUNT
from tests.adversary.verdict import BOUND, POINTS, limit, tail

pytestmark = pytest.mark.xdist_group("adversary")

AMONG_MANY = ("rowid_table",)
AMONG_FEW = (
    "created_at",
    "person_column",
    "one_database",
    "overflow_pages",
    "body_logged",
    "server_draft",
    "job_after_cast",
    "secure_delete_off",
    "split_key",
    "edit_counter",
    "update_to_null",
)
# What each leak gives away, by the name that the adversary has for it; more may be found beside it.
TOLD = {
    "unsealed": "readable ballot",
    "created_at": "columns of the urn",
    "rowid_table": "order of casting",
    "person_column": "rows are linked to raters",
    "one_database": "ballots in the main database",
    "update_to_null": "columns of the urn",
    "overflow_pages": "overflow or freed pages",
    "edit_counter": "columns of the urn",
    "body_logged": "readable ballot",
    "server_draft": "readable ballot",
    "job_after_cast": "rows that appear while people cast",
    "secure_delete_off": "unused bytes are not wiped",
    "split_key": "another key for some",
    "thank_you_mail": "a trace of who cast",
    "done_mark": "rows that appear while people cast",
    "audited_cast": "a trace of who cast",
    "logged_cast": "a trace of who cast",
    "hidden_mean_in_chart": "a chart shows more than was published",
    "suppressed_still_counted": "a total needs more than what is shown",
    "exact_means": "a figure finer than its steps",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Thirty people, each asked about eight."""
    with workshop() as folder:
        yield Stage(folder)


@pytest.fixture(scope="module")
def small_stage() -> Iterator[Stage]:
    with workshop() as folder:
        yield Stage(folder, people=14, each=6)


def codes(stage: Stage, name: str) -> set[str]:
    leaks = AT_THE_COUNT if name in AT_THE_COUNT else WHILE_COLLECTING
    lived = stage.at_the_count(leaks[name]) if name in AT_THE_COUNT else stage.while_collecting(leaks[name])
    return {finding.code for finding in attacked(lived).findings}


def test_the_product_as_it_is_gives_the_adversary_nothing(stage: Stage) -> None:
    lived = stage.clean()
    verdict = attacked(lived)
    assert verdict.findings == set(), "a leak, or a false alarm: either has to be mended"
    assert verdict.readable == 0
    cast = {one.seat for one in lived.truth.casts}
    assert len(cast) >= 200
    assert len(verdict.rho) >= 12, "the adversary must have looked at orders, or it proves nothing"
    assert verdict.worst_rho <= BOUND
    assert any(name.startswith("with the private key") for name in verdict.linked)
    assert max(rows for _hits, rows, _chance in verdict.linked.values()) == len(cast)
    sys.stdout.write(f"{len(cast)} rows: {verdict}\n")


@pytest.mark.full
def test_neither_does_it_among_few(small_stage: Stage) -> None:
    assert attacked(small_stage.clean()).findings == set()


@pytest.mark.parametrize("name", AMONG_MANY)
def test_a_leak_that_shows_in_many_rows_is_found(stage: Stage, name: str) -> None:
    assert TOLD[name] in codes(stage, name)


@pytest.mark.parametrize("name", AMONG_FEW)
def test_a_leak_while_people_cast_is_found(small_stage: Stage, name: str) -> None:
    assert TOLD[name] in codes(small_stage, name)


@pytest.mark.parametrize("name", AT_THE_COUNT)
def test_a_leak_at_the_count_is_found(stage: Stage, name: str) -> None:
    assert TOLD[name] in codes(stage, name)


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in WHILE_COLLECTING if name not in AMONG_MANY])
def test_every_leak_is_found_in_an_installation_of_thirty(stage: Stage, name: str) -> None:
    assert TOLD[name] in codes(stage, name)


def test_chance_is_told_from_more_than_chance() -> None:
    """The yardstick itself: an eighth of 200 is chance, two in ten are not, and 0.15 holds for many rows."""
    chance = 1 / 8 + POINTS
    assert tail(25, 200, chance) > 0.5
    assert tail(60, 200, chance) < 1e-4
    assert tail(0, 200, chance) == pytest.approx(1)
    assert limit(1000) == BOUND
    assert BOUND < limit(210) < 0.23
