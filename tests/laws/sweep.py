"""Knocks at every door of the house as one person and notes what happened, what was written, what was sent along."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers

from tests.laws.doors import DOORS
from tests.make import Somebody
from tests.world import World

READING = ("GET", "HEAD")
MARK = "0123456789abcdef" * 2


@dataclass(frozen=True)
class Knock:
    """One answer. `wrote` says that a transaction changed the main database, `stirred` that an urn did."""

    endpoint: str
    method: str
    url: str
    status: int
    location: str
    headers: Headers
    body: str
    wrote: bool
    stirred: bool

    def __str__(self) -> str:
        return f"{self.method} {self.url} ({self.endpoint}) -> {self.status} {self.location}"


class Caller:
    """One person (or a stranger) with a session, in a copy of the world that is restored after every change."""

    def __init__(self, built: Path, world: World, person: Somebody | None) -> None:
        self._built, self.world, self._person = built, world, person
        self._home = world.settings.data_dir.parent
        self._watch = self._open()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.world.database)

    def _version(self) -> int:
        """Grows exactly when somebody else commits a change."""
        return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def client(self) -> FlaskClient:
        client = self.world.app.test_client()
        with client.session_transaction() as session:
            session["csrf_token"] = MARK
            if self._person is not None:
                session["_user_id"] = self._person.session_id
                session["_fresh"] = True
        return client

    def csrf(self) -> str:
        secret = self.world.settings.secret_key
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(MARK))

    def knock(self, endpoint: str, method: str, *, csrf: bool = True) -> Knock:
        door = DOORS[endpoint]
        url = self.world.app.url_map.bind("localhost").build(endpoint, dict(door.args(self.world.facts)), method)
        version, urns = self._version(), fingerprint(self.world.urns)
        form = {} if method in READING else {**door.form, **({"csrf_token": self.csrf()} if csrf else {})}
        answer = self.client().open(url, method=method, data=form or None)
        wrote, stirred = self._version() != version, fingerprint(self.world.urns) != urns
        body = answer.text if answer.mimetype.startswith(("text/", "application/json")) else ""
        location = answer.headers.get("Location", "")
        made = Knock(endpoint, method, url, answer.status_code, location, answer.headers, body, wrote, stirred)
        answer.close()
        if method not in READING:
            self.restore()
        return made

    def restore(self) -> None:
        self._watch.close()
        self.world.let_go()
        shutil.rmtree(self._home)
        shutil.copytree(self._built, self._home)
        self._watch = self._open()

    def everything(self) -> Iterator[Knock]:
        """All doors, in the order of the map; what changes something comes last and is undone each time."""
        for methods in (READING, ("POST", "PUT", "PATCH", "DELETE")):
            for rule in self.world.app.url_map.iter_rules():
                for method in methods:
                    if method in (rule.methods or ()) and rule.endpoint in DOORS:
                        yield self.knock(rule.endpoint, method)

    def close(self) -> None:
        self._watch.close()
        self.world.let_go()


def fingerprint(folder: Path) -> str:
    """Of every file in a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def dump(database: Path) -> str:
    """Every row of every table, as text."""
    with sqlite3.connect(database) as raw:
        return "\n".join(raw.iterdump())
