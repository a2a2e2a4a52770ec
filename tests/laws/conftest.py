"""The lived-in company for the laws: built once per test run, copied for whoever writes to it."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, open_copy, template


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The template; parallel workers wait for the one that builds it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return template(shared / "world")


@pytest.fixture
def world(built_world: Path, tmp_path: Path) -> Iterator[World]:
    """A copy of one's own."""
    made = open_copy(built_world, tmp_path / "world")
    yield made
    made.let_go()
