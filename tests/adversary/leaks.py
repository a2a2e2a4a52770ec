"""Seeded leaks: each patches the product's own code, at run time, in a way that somebody could write by mistake.

A leak is entered before the installation is opened and is there while people cast; see leaks_at_count.py for others.
"""

import base64
import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import request
from sqlalchemy import Connection, text

from review import app as assembly
from review.ballots import service as ballots
from review.ballots import sqlite_urn
from review.ballots.sqlite_urn import SqliteUrn
from review.infra import audit, errors, jobs, outbox
from review.infra.clock import now
from review.infra.db import db
from review.infra.house import house
from review.peer_review import service as peer_review
from review.peer_review.forms import BallotForm
from review.people.tables import PersonRow

Patch = pytest.MonkeyPatch
who: ContextVar[int] = ContextVar("who")  # the rater of the cast under way
UPSERT = (
    "INSERT INTO ballot (token_hash, version, sealed) VALUES (?, ?, ?) "
    "ON CONFLICT (token_hash) DO UPDATE SET version = excluded.version, sealed = excluded.sealed"
)
THREE = "token_hash BLOB PRIMARY KEY, version SMALLINT NOT NULL, sealed BLOB NOT NULL"


def after_cast(patch: Patch, do: Callable[[Any], None]) -> None:
    """Do something once a cast has gone well; `do` gets the seat's file."""
    cast = peer_review.cast

    def casting(file: Any, *rest: Any) -> None:
        who.set(file.seat.rater_id)
        cast(file, *rest)
        do(file)

    patch.setattr(peer_review, "cast", casting)


def other_table(patch: Patch, columns: str, *, upsert: str = UPSERT) -> None:
    """Urns with another table, into which rows are put in the ordinary way."""
    create = SqliteUrn.create

    def creating(urn: SqliteUrn) -> None:
        create(urn)
        with sqlite3.connect(urn.path) as raw:
            raw.execute("DROP TABLE ballot")
            raw.execute(f"CREATE TABLE ballot ({columns}")

    def placing(_urn: SqliteUrn, connection: Connection, row: Any) -> None:
        connection.exec_driver_sql(upsert, row)

    patch.setattr(SqliteUrn, "create", creating)
    patch.setattr(SqliteUrn, "_place", placing)


def in_the_urn(file: Any, statement: str, *values: Any) -> None:
    urn: Any = ballots._urn(file.cycle.id)
    key = ballots.keys.read(house().settings.keys_dir, file.cycle.id)
    assert key is not None
    with sqlite3.connect(urn.path) as raw:
        raw.execute("PRAGMA secure_delete = ON")
        raw.execute(statement, (*values, ballots.token_hash(key, file.seat.id)))


# -- while ballots come in -------------------------------------------------------------------------------------------


def unsealed(patch: Patch) -> None:
    """Ballots in plain words, as they were before there was a seal."""

    def plain(ballot: Any, *, size: int, **_unused: Any) -> tuple[int, bytes]:
        said = {key: level.value for key, level in ballot.answers.items()}
        return 1, json.dumps({"answers": said, "review": ballot.review_id}).encode().ljust(size)

    patch.setattr(ballots, "seal", plain)


def created_at(patch: Patch) -> None:
    other_table(patch, f"{THREE}, created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f'))) WITHOUT ROWID")


def rowid_table(patch: Patch) -> None:
    other_table(patch, f"{THREE})")


def person_column(patch: Patch) -> None:
    other_table(patch, f"{THREE}, rater INTEGER) WITHOUT ROWID")
    after_cast(
        patch, lambda file: in_the_urn(file, "UPDATE ballot SET rater = ? WHERE token_hash = ?", file.seat.rater_id)
    )


def update_to_null(patch: Patch) -> None:
    """The rater is written down and blanked a moment later."""
    other_table(patch, f"{THREE}, rater INTEGER) WITHOUT ROWID")

    def blank(file: Any) -> None:
        in_the_urn(file, "UPDATE ballot SET rater = ? WHERE token_hash = ?", file.seat.rater_id)
        in_the_urn(file, "UPDATE ballot SET rater = NULL WHERE token_hash = ?")

    after_cast(patch, blank)


def edit_counter(patch: Patch) -> None:
    counting = UPSERT + ", edits = edits + 1"
    other_table(patch, f"{THREE}, edits INTEGER DEFAULT 0) WITHOUT ROWID", upsert=counting)


# Rows that stay where SQLite puts them are not among the leaks: fourteen sealed ballots fill a page, and SQLite moves
# them about so often that 208 of them show no order (|rho| 0.10 at most, re-casts included). That places are drawn by
# lot is held by test_urn_order.py, whose reader finds the order in the same table where rows are small.


def overflow_pages(patch: Patch) -> None:
    small = tuple("page_size=512" if pragma.startswith("page_size") else pragma for pragma in sqlite_urn.PRAGMAS)
    patch.setattr(sqlite_urn, "PRAGMAS", small)


def secure_delete_off(patch: Patch) -> None:
    off = tuple(pragma.replace("secure_delete=ON", "secure_delete=OFF") for pragma in sqlite_urn.PRAGMAS)
    patch.setattr(sqlite_urn, "PRAGMAS", off)


class UrnInside(SqliteUrn):
    """One database for both: ballots are rows of the main one, written in the request's own transaction."""

    @contextmanager
    def _begin(self, _statement: str) -> Iterator[Connection]:
        yield db.session.connection()

    def exists(self) -> bool:
        return bool(db.session.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'ballot'")))

    def create(self) -> None:
        db.session.execute(text(f"CREATE TABLE IF NOT EXISTS ballot ({THREE}) WITHOUT ROWID"))

    def drop(self, _at: Any = None) -> None:
        db.session.execute(text("DROP TABLE IF EXISTS ballot"))
        db.session.commit()

    def leaves_traces(self) -> bool:
        return self.exists()

    def _place(self, connection: Connection, row: Any) -> None:
        connection.exec_driver_sql(UPSERT, row)


def one_database(patch: Patch) -> None:
    patch.setattr(ballots, "_urn", lambda cycle: UrnInside(house().settings.data_dir / "urns", cycle))


def body_logged(patch: Patch) -> None:
    failed = errors._failed

    def logging_all(error: Exception) -> Any:
        logging.getLogger("review").error("what was sent: %s", dict(request.form))
        return failed(error)

    patch.setattr(errors, "_failed", logging_all)


def server_draft(patch: Patch) -> None:
    """What was typed is kept until it has been cast, so that nobody loses it."""
    validate = BallotForm.validate

    def keeping(form: BallotForm, *rest: Any) -> bool:
        said = {name: value for name, value in request.form.items() if name.startswith("c-")}
        draft = base64.b64encode(json.dumps(said).encode())
        (house().settings.data_dir / f"draft-{secrets.token_hex(4)}").write_bytes(draft)
        return bool(validate(form, *rest))

    patch.setattr(BallotForm, "validate", keeping)


def job_after_cast(patch: Patch) -> None:
    patch.setitem(assembly.HANDLERS, "peers:refresh", lambda _job: None)
    after_cast(
        patch,
        lambda file: jobs.enqueue(
            "peers:refresh", f"refresh:{secrets.token_hex(4)}", {"person": file.seat.rater_id}, now()
        ),
    )


def thank_you_mail(patch: Patch) -> None:
    def thank(file: Any) -> None:
        person = db.session.get_one(PersonRow, file.seat.rater_id)
        params = {"name": person.name, "cycle": file.cycle.name, "count": 1, "finalise_by": now().isoformat()}
        about = f"thanks:{secrets.token_hex(4)}"
        outbox.put("workflow:finalise", about, str(person.email), "en", params, now=now())

    after_cast(patch, thank)


def done_mark(patch: Patch) -> None:
    def mark(file: Any) -> None:
        db.session.execute(text("CREATE TABLE IF NOT EXISTS seat_done (review_id INTEGER, rater_id INTEGER)"))
        db.session.execute(
            text("INSERT INTO seat_done VALUES (:review, :rater)"),
            {"review": file.review.id, "rater": file.seat.rater_id},
        )

    after_cast(patch, mark)


def audited_cast(patch: Patch) -> None:
    """A line of the audit log for each cast, without a word of what was said."""
    after_cast(
        patch, lambda file: audit.record("peers:ballot:cast", "cycle", by=file.seat.rater_id, at=now(), seat="known")
    )


def logged_cast(patch: Patch) -> None:
    after_cast(patch, lambda file: logging.getLogger("review").info("person %s has cast", who_is(file.seat.rater_id)))


def who_is(person: int) -> str:
    return db.session.get_one(PersonRow, person).employee_no


def split_key(patch: Patch) -> None:
    """One rater's ballots are sealed to a key of the operator's own, who can then tell them from all others."""
    own = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    seal, cast = ballots.seal, peer_review.cast
    marked: set[int] = set()

    def casting(file: Any, *rest: Any) -> None:
        marked.add(file.seat.rater_id) if not marked else None
        who.set(file.seat.rater_id)
        cast(file, *rest)

    def sealing(ballot: Any, *, public_key: bytes, **rest: Any) -> tuple[int, bytes]:
        return seal(ballot, public_key=own if who.get() in marked else public_key, **rest)

    patch.setattr(peer_review, "cast", casting)
    patch.setattr(ballots, "seal", sealing)


WHILE_COLLECTING: dict[str, Callable[[Patch], None]] = {
    leak.__name__: leak
    for leak in (
        unsealed,
        created_at,
        rowid_table,
        person_column,
        one_database,
        update_to_null,
        overflow_pages,
        edit_counter,
        body_logged,
        server_draft,
        job_after_cast,
        secure_delete_off,
        split_key,
        thank_you_mail,
        done_mark,
        audited_cast,
        logged_cast,
    )
}
