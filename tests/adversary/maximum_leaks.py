"""Seeded leaks of maximum protection, in product code and, where it takes two, in the script that the page delivers.

Each is entered before the installation is opened; the adversary is the one of the standard leaks.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData
from sqlalchemy import Connection, delete, text

from review.ballots import letterbox, ticket, ticket_keys
from review.ballots.sqlite_urn import SqliteUrn
from review.domain.canonical import canonical_json
from review.infra.clock import now
from review.infra.db import db
from review.tickets import endpoint, service, views
from review.tickets.service import Colleague
from review.tickets.tables import TicketDrawRow, TicketIndexRow, TicketRow
from tests.adversary.leaks import THREE, other_table, rowid_table
from tests.adversary.maximum_life import MaximumLife, Script

Patch = pytest.MonkeyPatch
sender: ContextVar[int | None] = ContextVar("sender", default=None)  # whose session came with the ballot under way


def slot_logs_when(patch: Patch) -> None:
    """A line for each ballot taken, without a word about whose it is."""
    take = letterbox.take

    def telling(settings: Any, letter: bytes) -> Any:
        answer = take(settings, letter)
        if len(letter) in letterbox.SIZES and answer is letterbox.Answer.TAKEN:
            _, cycle, review, prefix, _ = letterbox.HEAD.unpack_from(letter)
            found = ticket.hash_of(ticket.make(cycle, review, prefix)).hex()
            logging.getLogger("review").info("taken at %s: %s", now().isoformat(), found)
        return answer

    patch.setattr(letterbox, "take", telling)


def own_key_for_one(patch: Patch) -> None:
    """The first who comes gets keys and an index of their own; their tickets can be told from all others."""
    marked: set[int] = set()
    colleagues, sign, is_genuine = service.colleagues, service.sign, ticket.is_genuine
    key, indexed = generate_private_key(65537, 2048), service.index_of

    def spki() -> bytes:
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def served(cycle: Any, rater: int, moment: Any) -> list[Colleague]:
        marked.add(rater) if not marked else None
        asked = colleagues(cycle, rater, moment)
        return [Colleague(one.seat, spki()) for one in asked] if rater in marked else asked

    def other_index(cycle_id: int) -> TicketIndexRow:
        found = indexed(cycle_id)
        assert found is not None
        told = json.loads(found.body)
        told["keys"] = {review: hashlib.sha256(spki()).hexdigest() for review in told["keys"]}
        body = canonical_json(told)
        return TicketIndexRow(cycle_id=cycle_id, sha256=hashlib.sha256(body).hexdigest(), body=body)

    def signed(cycle_id: int, blinded: Any, reviews: Any) -> Any:
        return own_sign(blinded) if sender.get() in marked else sign(cycle_id, blinded, reviews)

    def own_sign(blinded: Any) -> Any:
        return {seat: service.blind_rsa.blind_sign(key, value) for seat, value in blinded.items()}

    def genuine(known: Any, *rest: Any) -> bool:
        return is_genuine(known, *rest) or is_genuine(key.public_key(), *rest)

    def drawing(cycle: Any, rater: int, wrapped: bytes, blinded: Any, moment: Any) -> Any:
        sender.set(rater)
        return draw(cycle, rater, wrapped, blinded, moment)

    def digest(cycle_id: int) -> str | None:
        return other_index(cycle_id).sha256 if _asks(marked) else digested(cycle_id)

    draw, digested = service.draw, service.digest_of
    patch.setattr(service, "colleagues", served)
    patch.setattr(service, "sign", signed)
    patch.setattr(service, "draw", drawing)
    patch.setattr(service, "digest_of", digest)
    patch.setattr(service, "index_of", lambda cycle: other_index(cycle) if "own" in request.args else indexed(cycle))
    patch.setattr(views.service, "_check", lambda *_: None)
    patch.setattr(ticket, "is_genuine", genuine)
    index_url = Script._index_url
    patch.setattr(Script, "_index_url", lambda script: index_url(script) + ("?own" if script.rater in marked else ""))


def _asks(marked: set[int]) -> bool:
    from flask_login import current_user

    return current_user.is_authenticated and current_user.actor.person_id in marked


def draw_keeps_tickets(patch: Patch) -> None:
    """The script sends the hash of each ticket along, and the server keeps it where the blinded one's should be."""
    letter, hashed = Script.letter, hashlib.sha256

    def telling(script: Script, made: Any) -> dict[str, Any]:
        hashes = {str(seat): hashed(each.prepared).hexdigest() for seat, (_, each) in made.items()}
        return {**letter(script, made), "hashes": hashes}

    def noting(cycle: Any, rater: int, *rest: Any) -> Any:
        reviews = draw(cycle, rater, *rest)
        for seat, found in (request.get_json(silent=True) or {})["hashes"].items():
            row = db.session.get(TicketRow, views.service.UUID(seat))
            assert row is not None
            row.blinded_hash = bytes.fromhex(found)
        return reviews

    draw = service.draw
    patch.setattr(Script, "letter", telling)
    patch.setattr(service, "draw", noting)
    patch.setattr(service, "_noted", lambda seats: {seat: _hash_of_blinded(seat) for seat in seats})


def _hash_of_blinded(seat: Any) -> bytes:
    """Whoever comes back is believed: what was blinded is no longer known."""
    sent = (request.get_json(silent=True) or {})["blinded"][str(seat)]
    return hashlib.sha256(views.read_draw({"wrapped": "", "blinded": {str(seat): sent}})[1][seat]).digest()


def slot_takes_sessions(patch: Patch) -> None:
    """The script sends its cookies, the slot does not mind, and the urn keeps whose they were."""
    other_table(patch, f"{THREE}, rater INTEGER) WITHOUT ROWID")
    answer, place, begin = endpoint._answer, SqliteUrn._place, MaximumLife.__init__

    def knowing(settings: Any, environ: Any) -> Any:
        session = cookies_of(environ)
        sender.set(int(session["_user_id"].split(":")[0]) if "_user_id" in session else None)
        return answer(settings, environ)

    def cookies_of(environ: Any) -> dict[str, Any]:
        cookie = environ.get("HTTP_COOKIE", "").partition("review=")[2].partition(";")[0]
        signer = SecureCookieSessionInterface().get_signing_serializer(home[0].app)
        with suppress(BadData):
            return dict(signer.loads(cookie))
        return {}

    def placing(urn: SqliteUrn, connection: Connection, row: Any) -> None:
        place(urn, connection, row)
        statement = "UPDATE ballot SET rater = ? WHERE token_hash = ?"
        connection.exec_driver_sql(statement, (sender.get(), row[0]))

    home: list[Any] = []

    def beginning(life: MaximumLife, of: Any, *rest: Any, **named: Any) -> None:
        home[:] = [of]
        begin(life, of, *rest, **named)

    patch.setattr(endpoint, "TELLS_WHO", ())
    patch.setattr(endpoint, "_answer", knowing)
    patch.setattr(SqliteUrn, "_place", placing)
    patch.setattr(Script, "credentials", "include")
    patch.setattr(MaximumLife, "__init__", beginning)


def draws_numbered(patch: Patch) -> None:
    """When somebody drew is noted beside the draw."""
    draw = service.draw

    def noting(cycle: Any, rater: int, *rest: Any) -> Any:
        reviews = draw(cycle, rater, *rest)
        db.session.execute(text("CREATE TABLE IF NOT EXISTS draw_log (rater_id INTEGER, at TEXT)"))
        db.session.execute(text("INSERT INTO draw_log VALUES (:rater, :at)"), {"rater": rater, "at": str(now())})
        return reviews

    patch.setattr(service, "draw", noting)


def draws_only_deleted(patch: Patch) -> None:
    """At the count rows of draws are deleted, but not overwritten."""

    def erase(cycle_id: int) -> None:
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete=OFF")
            connection.execute(delete(TicketRow).where(TicketRow.cycle_id == cycle_id))
            connection.execute(delete(TicketDrawRow).where(TicketDrawRow.cycle_id == cycle_id))
            connection.commit()

    patch.setattr(service, "_erase", erase)


def keys_set_aside(patch: Patch) -> None:
    """Before the keys of tickets are destroyed, somebody keeps a copy to be safe."""
    destroy = ticket_keys.destroy

    def keeping(folder: Path, cycle_id: int, *rest: Any) -> None:
        for path in folder.glob(f"tickets-{cycle_id}/*.key"):
            (folder / f"old-{path.name}").write_bytes(path.read_bytes())
        destroy(folder, cycle_id, *rest)

    patch.setattr(ticket_keys, "destroy", keeping)


# What each gives away, by the name that the adversary has for it; more may be found beside it.
TOLD: dict[Callable[[Patch], None], str] = {
    slot_logs_when: "tickets are named outside the urn",
    own_key_for_one: "another ticket key for some",
    draw_keeps_tickets: "rows are linked to raters",
    slot_takes_sessions: "rows are linked to raters",
}
ALSO_TOLD: dict[Callable[[Patch], None], str] = {
    rowid_table: "rows are numbered",
    draws_numbered: "table made while people cast",
}
IN_MANY_ROWS = {slot_logs_when: "order of casting", rowid_table: "order of casting"}
TOLD_AFTERWARDS: dict[Callable[[Patch], None], str] = {
    draws_only_deleted: "a draw is left after the count",
    keys_set_aside: "a key is left after the count",
}
