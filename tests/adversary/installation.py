"""A small but real installation under attack: thirty people who rate each other, each asked about eight colleagues.

`laid_out(folder)` makes people, a cycle and its seats once; `opened(folder)` lets a copy of it live. The clock of the
product is moved to 2026-04-01, so that nights pass in no time; what the product draws by chance is drawn from a seed,
so that a run without a finding stays one.
"""

import os
import random
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from alembic import command
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import select

from review.app import create_app
from review.ballots import ticket_keys
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.infra import migrate
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import service as peer_review
from review.peer_review.tables import SeatRow
from review.people import accounts
from review.people.tables import PersonRow
from review.tables import metadata
from tests.make import NOW, make_department, make_person
from tests.make_cycle import make_cycle
from tests.make_peers import plan_of
from tests.make_tickets import set_protection
from tests.smtp import caught_mail

PEOPLE, EACH, SEED = 30, 8, 11
PASSWORD = "correct horse battery"
HR = ("Hana", "Sam", "Quinn", "Lou")


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    employee_no: str
    email: str


@dataclass
class Installation:
    """A running copy: its settings, its application, its people, its one cycle."""

    folder: Path
    settings: Settings
    app: Flask
    cycle_id: int
    raters: list[Person]
    staff: dict[str, Person]
    clock: "MovedClock"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def let_go(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


class MovedClock:
    """Stands in for `datetime` in review/infra/clock.py: the real time, moved so that the play begins at NOW."""

    def __init__(self) -> None:
        self.offset = NOW - datetime.now(UTC)

    def now(self, zone: Any) -> datetime:
        return datetime.now(zone) + self.offset

    def sleep(self, away: timedelta) -> None:
        self.offset += away


class Compiled(BytecodeCache):
    """Templates compiled once for all installations of a run: that takes longer than everything people do in them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = Compiled()


@contextmanager
def drawn_from(seed: str) -> Iterator[None]:
    """Keys and seats come from a seed: what is tried is whether order shows, and that must not hang on luck."""
    dice = random.Random(seed)
    drawn = {
        "token_bytes": lambda size=32: dice.randbytes(size),
        "token_hex": lambda size=32: dice.randbytes(size).hex(),
    }
    with patch.multiple(secrets, **drawn), patch.object(os, "urandom", dice.randbytes):
        yield


def quick_folder() -> str | None:
    """In memory where there is room: thousands of ballots would each wait for the disk."""
    memory = Path("/dev/shm")
    return str(memory) if os.access(memory, os.W_OK) else None


def laid_out(
    folder: Path, *, people: int = PEOPLE, each: int = EACH, seed: int = SEED, maximum: bool = False, **environ: str
) -> Path:
    """People, a collecting cycle and seats, in a database brought up by its migrations or its models; no urn yet.

    For a cycle under maximum protection the keys are there, too.
    """
    settings = settings_of(folder, **environ)
    app = create_app(settings)
    with app.app_context(), drawn_from(f"seats {seed}"):
        if settings.is_sqlite:
            metadata.create_all(db.engine)
            with db.engine.begin() as connection:
                command.stamp(migrate.config(connection), "head")
        else:
            migrate.upgrade(settings.database_url)
        cycle_id = _settle(people, each, seed)
        db.session.commit()
        if maximum:
            set_protection(cycle_id)
            for review in db.session.scalars(select(ReviewRow.id)).all():
                ticket_keys.make(settings.keys_dir, cycle_id, review)
            db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return folder


def _settle(people: int, each: int, seed: int) -> int:
    house = make_department("Service")
    lou = make_person("Lou", department=house, roles=(Role.SUPERVISOR,))
    bosses = [
        make_person(name, department=house, supervisor=lou.id, roles=(Role.AGENT, Role.SUPERVISOR))
        for name in ("Sam", "Quinn")
    ]
    hana = make_person("Hana", department=house, supervisor=lou.id, roles=(Role.AGENT, Role.HR, Role.ADMINISTRATOR))
    halves = [make_department(name, house) for name in ("After-sales", "Pre-sales")]
    agents = [
        make_person(
            f"Agent{number:03}", employee_no=f"K{4711 + 13 * number}", department=halves[number % 2],
            supervisor=bosses[number % 2].id,
        )
        for number in range(people)
    ]  # fmt: skip
    for person in (lou, *bosses, hana, *agents):
        row = db.session.get_one(PersonRow, person.id)
        accounts.set_password(row, PASSWORD, NOW - timedelta(days=90), by=None)
    cycle_id = make_cycle({one.name: one for one in agents}, who=agents)
    ring = random.Random(seed).sample(agents, len(agents))
    pairs = [(ring[at].id, ring[(at + step) % people].id) for at in range(people) for step in range(1, each + 1)]
    peer_review.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs))
    return cycle_id


def settings_of(folder: Path, **environ: str) -> Settings:
    places = {"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": "http://localhost", **environ}
    return replace(Settings.from_env(places), is_testing=True)


def environ_of(settings: Settings) -> dict[str, str]:
    """The environment in which a command finds this installation."""
    return {
        "REVIEW_DATA": str(settings.data_dir),
        "REVIEW_BASE_URL": settings.base_url,
        "DATABASE_URL": "" if settings.is_sqlite else settings.database_url,
        "URN_URL": settings.urn_url or "",
    }


@contextmanager
def opened(built: Path | None, folder: Path, **environ: str) -> Iterator[Installation]:
    """A copy of what `laid_out` made (or `folder` itself), brought to life."""
    if built is not None:
        shutil.copytree(built, folder)
    with caught_mail(folder / "mail") as sink, patch("review.infra.clock.datetime", clock := MovedClock()):
        settings = settings_of(folder, SMTP_URL=sink.url, **environ)
        made = _inhabited(folder, settings, clock)
        try:
            yield made
        finally:
            made.let_go()


def _inhabited(folder: Path, settings: Settings, clock: MovedClock) -> Installation:
    app = create_app(settings)
    app.jinja_env.bytecode_cache = TEMPLATES
    with app.app_context():
        known = {
            row.name: Person(row.id, row.name, row.employee_no, str(row.email))
            for row in db.session.scalars(select(PersonRow))
        }
        cycle_id = db.session.scalars(select(CycleRow.id)).one()
        seated = set(db.session.scalars(select(SeatRow.rater_id)))
        db.session.rollback()
    raters = sorted((one for one in known.values() if one.id in seated), key=lambda one: one.id)
    (folder / "logs").mkdir(exist_ok=True)
    return Installation(folder, settings, app, cycle_id, raters, {name: known[name] for name in HR}, clock)


def reviews_and_seats(home: Installation) -> tuple[dict[int, int], list[Any]]:
    """Subjects' reviews (review id -> person id), and every seat as (id, review id, rater id)."""
    with home.app.app_context():
        reviews = dict(map(tuple, db.session.execute(select(ReviewRow.id, ReviewRow.subject_id))))
        seats = [tuple(row) for row in db.session.execute(select(SeatRow.id, SeatRow.review_id, SeatRow.rater_id))]
        db.session.rollback()
    return reviews, seats


@contextmanager
def workshop() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=quick_folder(), prefix="review-attack-") as folder:
        yield Path(folder)
