"""Trustees for tests: a cycle that wants them, their papers, and what lies in the key directory.

papers = launched(app, company, cycle_id)     # number -> Share, as the three have it on paper
browser.submit(page, typed(papers[1], papers[3]))
"""

import pytest
from flask import Flask
from sqlalchemy import select

from review.ballots import service as ballots
from review.ballots.seal_keys import Share
from review.custody import paper
from review.custody import service as custody
from review.cycles.tables import CycleRow
from review.domain.access import Role
from review.domain.cycle import Stage
from review.domain.responses import Ballot
from review.domain.vocabulary import Custody, Level
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.people.tables import RoleRow
from review.workflow import close, launch
from tests.make import NOW, Cast
from tests.make_cycle import review_of
from tests.rooms.test_close import LATER, drain
from tests.rooms.test_launch import draft, looked_at

THREE = ("north 1", "south 1", "head")


@pytest.fixture
def hr(app: Flask, company: Cast) -> None:
    """The lead of the south works for HR as well."""
    with app.app_context():
        db.session.add(RoleRow(person_id=company["south"].id, role=Role.HR))
        db.session.commit()


@pytest.fixture
def cycle_id(app: Flask, company: Cast, hr: None) -> int:
    """A cycle in draft that wants trustees and has none."""
    with app.app_context():
        cycle = draft(company)
        cycle.custody = Custody.TRUSTEES
        db.session.commit()
        return cycle.id


def numbers(company: Cast, who: tuple[str, ...] = THREE) -> list[str]:
    return [company[name].employee_no for name in who]


def name_them(app: Flask, company: Cast, cycle_id: int, who: tuple[str, ...] = THREE, **how: bool) -> None:
    with app.app_context():
        custody.name(db.session.get_one(CycleRow, cycle_id), numbers(company, who), by=None, now=NOW, **how)
        db.session.commit()


def take_all(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """Every trustee takes and confirms; what they have on paper."""
    kept = {}
    with app.app_context():
        for name in THREE:
            post = custody.post_of(cycle_id, company[name].id)
            share = custody.show(post)
            kept[share.number] = share
            custody.keep(post, custody.mark_of(cycle_id), now=NOW)
        db.session.commit()
    return kept


def launched(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """Named, taken, launched, and all seats about the first two people cast; the papers."""
    name_them(app, company, cycle_id)
    papers = take_all(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        db.session.commit()
        some = [review_of(cycle_id, company[name]) for name in ("north 1", "north 2")]
        seats = select(SeatRow.id, SeatRow.review_id).where(SeatRow.review_id.in_(some))
        for seat, review in db.session.execute(seats).all():
            answers = dict.fromkeys(("interpersonal_coordination", "feedback_learning"), Level.GOOD)
            ballots.cast(cycle_id, seat, Ballot(review, answers))
        db.session.rollback()
    return papers


def closed(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """The same, closed: the count has found the key locked."""
    papers = launched(app, company, cycle_id)
    with app.app_context():
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=LATER)
        drain()
    return papers


def stage(app: Flask, cycle_id: int) -> Stage:
    with app.app_context():
        return db.session.get_one(CycleRow, cycle_id).stage


def typed(first: Share, second: Share, locale: str = "en") -> dict[str, str]:
    fields = {}
    for place, share in enumerate((first, second), 1):
        fields[f"number_{place}"] = str(share.number)
        fields[f"words_{place}"] = " ".join(paper.words_of(share, locale))
    return fields


def keys_of(settings: Settings) -> dict[str, bytes]:
    ours = ("seal", "share", "urn")
    return {path.name: path.read_bytes() for path in settings.keys_dir.iterdir() if path.name.startswith(ours)}


def assert_nowhere(settings: Settings, secret: bytes, words: list[str], log: str) -> None:
    """Neither the bytes of the share nor two of its words in a row, in the database, its log, the logs or the keys."""
    assert secret.hex() not in log.lower()
    assert f"{words[0]} {words[1]}" not in log
    for folder in (settings.data_dir, settings.keys_dir):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert secret not in content, path
            assert secret.hex().encode() not in content.lower(), path
            assert " ".join(words[:2]).encode() not in content, path
