"""What every test stands on: a fresh house in a temporary folder, a browser that inspects each page, a fixed cast."""

import fcntl
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine

from review.app import create_app
from review.infra.db import db, prepare_sqlite
from review.infra.settings import Settings
from review.tables import metadata
from tests.browse import Browser
from tests.make import Cast, make_cast
from tests.postgres import cluster, new_database
from tests.world import World, open_copy, template

REAL_CONNECT = socket.socket.connect


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Full-size attacks take minutes: they run only where `-m` asks for them."""
    if "full" not in config.option.markexpr:
        large = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in large]
        config.hook.pytest_deselected(items=large)


@pytest.fixture(autouse=True)
def no_word_leaves_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests talk to servers of their own on this machine, and to nobody else."""

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and host not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {host}: start a server in the test instead")
        REAL_CONNECT(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    prepare_sqlite(engine)
    metadata.create_all(engine)
    engine.dispose()  # the last connection to close writes the log back into the file
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    """A house of its own for each test: data, keys, database."""
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "REVIEW_BASE_URL": "http://localhost"}
    made = Settings.from_env(environ)
    for path in empty_database.parent.iterdir():
        shutil.copy(path, made.data_dir / path.name.replace("empty", "review"))
    return Settings(**{name: getattr(made, name) for name in made.__slots__} | {"is_testing": True})


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private PostgreSQL, started once; skips with a reason where none is installed."""
    with cluster() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A fresh, empty database on it; urns get a database of their own beside it (see `urn_url`)."""
    return new_database(postgres_server)


@pytest.fixture
def urn_url(postgres_server: str) -> str:
    """A fresh database for urns."""
    return new_database(postgres_server)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application. It holds no open context: that would freeze who is signed in over several requests."""
    made = create_app(settings)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """The people of the play: see tests/make.py."""
    with app.app_context():
        made = make_cast()
        db.session.commit()
        return made


@pytest.fixture
def browse(app: Flask) -> Callable[..., Browser]:
    """`browse(person)` opens a browser signed in as that person, `browse()` one of a stranger."""
    return lambda person=None, locale=None: Browser(app, person, locale)


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A company in the middle of its life (tests/world.py), built once; parallel workers wait for the one that does."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    with (shared / "world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return template(shared / "world")


@pytest.fixture
def world(built_world: Path, tmp_path: Path) -> Iterator[World]:
    """A copy of it for one test."""
    made = open_copy(built_world, tmp_path / "world")
    yield made
    made.let_go()
