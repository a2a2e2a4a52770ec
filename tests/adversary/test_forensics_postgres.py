"""The same adversary at a PostgreSQL installation: catalogue, ctid and xmin, dead rows, files, the log of writes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adversary.adversary import Adversary
from tests.adversary.harness import lived_through
from tests.adversary.installation import workshop
from tests.adversary.verdict import judge, owned_up
from tests.postgres import new_database

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@pytest.fixture
def shop() -> Iterator[Path]:
    with workshop() as folder:
        yield folder


@pytest.mark.parametrize(
    ("people", "each"), [(14, 6), pytest.param(30, 8, marks=pytest.mark.full)], ids=["a small team", "two teams"]
)
def test_nothing_on_the_server_tells_who_said_what(postgres_server: str, shop: Path, people: int, each: int) -> None:
    urls = {"DATABASE_URL": new_database(postgres_server), "URN_URL": new_database(postgres_server)}
    lived = lived_through(shop, people=people, each=each, **urls)
    report = Adversary(lived.snapshots, lived.truth.seal_key).investigate()
    verdict = judge(report, lived.truth)
    assert verdict.findings == set()
    assert verdict.readable == 0
    assert len(report.orders) > 10, "the adversary must have read the catalogue, or it proves nothing"
    assert len(report.reviews) == len({one.seat for one in lived.truth.casts})
    assert len(report.limits) == 1
    limits = "; ".join(owned_up(report, lived.truth))
    sys.stdout.write(f"{verdict}; stated limits: {limits}\n")
