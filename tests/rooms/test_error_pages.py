"""Error pages only read: they come at once, also while a long job holds SQLite's one write lock."""

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from review.infra.db import db
from review.infra.settings import Settings
from tests.browse import Browser
from tests.make import Cast
from tests.make_cycle import make_cycle, review_of


@pytest.fixture
def somebody_writes(settings: Settings, cast: Cast) -> Iterator[None]:
    """Another process in the middle of a launch, say."""
    writer = sqlite3.connect(settings.data_dir / "review.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    yield
    writer.execute("ROLLBACK")
    writer.close()


@pytest.fixture
def impatient(app: Flask) -> None:
    """Who has to wait for the lock fails at once instead of in a minute."""
    from sqlalchemy import event

    def hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=100").close()

    with app.app_context():
        event.listen(db.engine, "connect", hurry)
        db.engine.dispose()


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/results/4711", 404), ("/sign-out", 405)])
def test_a_refusal_is_shown_while_somebody_writes(
    browse: Callable[..., Browser], cast: Cast, somebody_writes: None, impatient: None, path: str, status: int
) -> None:
    page = browse(cast["ada"]).get(path, status=status)
    assert page.h1


def test_a_stranger_who_is_lost_reads_so_while_somebody_writes(
    app: Flask, somebody_writes: None, impatient: None
) -> None:
    answer = app.test_client().get("/nowhere")
    assert answer.status_code == 404
    assert "<h1" in answer.text


@pytest.mark.parametrize("place", ["/ratings/{}", "/self-review/{}", "/results/{}", "/team/results/{}/finalise"])
def test_what_is_not_for_somebody_looks_like_what_does_not_exist(
    app: Flask, browse: Callable[..., Browser], cast: Cast, place: str
) -> None:
    with app.app_context():
        review_id = review_of(make_cycle(cast), cast["ada"])
        db.session.commit()
    bo = browse(cast["bo"])
    closed, missing = (bo.get(place.format(each), status=404) for each in (review_id, review_id + 1000))
    assert closed.words == missing.words
    assert "gate:" not in closed.words
