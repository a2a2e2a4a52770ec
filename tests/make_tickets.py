"""The rater's browser under maximum protection, in Python, and cycles that ask for it.

cycle_id = make_maximum(cast, settings)               # collecting, everybody of Ada's team asked about everybody else
held = draw_as(cycle_id, cast["bo"], settings)        # Bo's tickets by review, over the service
post(app, letter_of(settings, cycle_id, held[review], GOOD))   # casts with one of them
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from review.ballots import blind_rsa, letterbox, seal_keys, sealing, ticket, ticket_keys
from review.cycles.tables import CycleRow
from review.domain.responses import Answers, Ballot
from review.domain.vocabulary import Protection
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import service as peer_review
from review.tickets import service
from review.tickets.tables import WRAPPED_BYTES
from tests.make import NOW, Cast, Somebody
from tests.make_cycle import make_cycle, reviews_of
from tests.make_peers import TEAM, seat_team


@dataclass(frozen=True)
class Held:
    """A ticket with its signature."""

    cycle: int
    review: int
    prefix: bytes
    signature: bytes

    @property
    def ticket(self) -> bytes:
        return ticket.make(self.cycle, self.review, self.prefix)


@dataclass(frozen=True)
class Blinding:
    """What the browser keeps in memory between blinding and finishing."""

    prepared: bytes
    blinded: bytes
    inverse: bytes


def make_maximum(cast: Cast, settings: Settings, team: Iterable[str] = TEAM, **options: object) -> int:
    """A collecting cycle under maximum protection with its keys, its seats, its urn and its index; commits."""
    team = tuple(team)
    cycle_id = make_cycle(cast, who=[cast[name] for name in team], **options)  # type: ignore[arg-type]
    set_protection(cycle_id)
    for review in reviews_of(cycle_id).values():
        ticket_keys.make(settings.keys_dir, cycle_id, review)
    seat_team(cycle_id, cast, team)
    service.freeze(db.session.get_one(CycleRow, cycle_id), by=None, now=NOW)
    db.session.commit()
    return cycle_id


def set_protection(cycle_id: int, protection: Protection = Protection.MAXIMUM) -> None:
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(protection=protection))


def derived(seed: bytes, what: str, review: int, size: int) -> bytes:
    """So many bytes that follow from the seed: the same seed gives the same tickets again."""
    blocks = (hmac.digest(seed, f"{what}|{review}|{n}".encode(), "sha256") for n in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def blinded(settings: Settings, cycle_id: int, review: int, seed: bytes) -> Blinding:
    key = ticket_keys.public_key(settings.keys_dir, cycle_id, review)
    assert key is not None
    prepared = ticket.make(cycle_id, review, derived(seed, "prefix", review, 32))
    factor = int.from_bytes(derived(seed, "factor", review, 272)) % key.public_numbers().n
    return Blinding(prepared, *blind_rsa.blind(key, prepared, salt=derived(seed, "salt", review, 48), factor=factor))


def finished(settings: Settings, cycle_id: int, review: int, made: Blinding, signature: bytes) -> Held:
    key = ticket_keys.public_key(settings.keys_dir, cycle_id, review)
    assert key is not None
    done = blind_rsa.finalize(key, made.prepared, signature, made.inverse)
    return Held(cycle_id, review, made.prepared[:32], done)


def blindings_of(settings: Settings, cycle_id: int, rater: Somebody, seed: bytes) -> dict[UUID, tuple[int, Blinding]]:
    """By seat: the review, and what its ticket was blinded to."""
    seats = peer_review.seats_of(rater.id, cycle_id)
    return {seat.id: (seat.review_id, blinded(settings, cycle_id, seat.review_id, seed)) for seat in seats}


def draw_as(cycle_id: int, rater: Somebody, settings: Settings, seed: bytes | None = None) -> dict[int, Held]:
    """This rater's tickets by review; commits."""
    made = blindings_of(settings, cycle_id, rater, seed or os.urandom(32))
    sent = {seat: each.blinded for seat, (_, each) in made.items()}
    cycle = db.session.get_one(CycleRow, cycle_id)
    reviews = service.draw(cycle, rater.id, bytes(WRAPPED_BYTES), sent, NOW)
    db.session.commit()
    signed = service.sign(cycle_id, sent, reviews)
    return {review: finished(settings, cycle_id, review, each, signed[seat]) for seat, (review, each) in made.items()}


def forged(settings: Settings, cycle_id: int, review: int) -> Held:
    """A ticket made by somebody who has copied the signing keys."""
    made = blinded(settings, cycle_id, review, os.urandom(32))
    key = ticket_keys.private_key(settings.keys_dir, cycle_id, review)
    assert key is not None
    return finished(settings, cycle_id, review, made, blind_rsa.blind_sign(key, made.blinded))


def letter_of(
    settings: Settings, held: Held, answers: Answers, *, about: int | None = None, comment: str = ""
) -> bytes:
    """The body that casts with this ticket; `about` another review than the ticket's makes a swindle."""
    public, size = seal_keys.public(settings.keys_dir, held.cycle), ticket_keys.size(settings.keys_dir, held.cycle)
    assert public is not None
    assert size is not None
    said = Ballot(held.review if about is None else about, answers, comment)
    found = hashlib.sha256(held.ticket).digest()
    _, sealed = sealing.seal(
        said,
        cycle_id=held.cycle,
        token_hash=found,
        public_key=public,
        size=size,
        ticket=held.ticket,
        signature=held.signature,
    )
    return letter(held, sealed)


def letter(held: Held, sealed: bytes, version: int = letterbox.FORMAT) -> bytes:
    return letterbox.HEAD.pack(version, held.cycle, held.review, held.prefix, held.signature) + sealed


def post(app: Flask, body: bytes, headers: Mapping[str, str] | None = None) -> TestResponse:
    """Send a body to the slot as a browser would: without a session."""
    return app.test_client(use_cookies=False).post("/cast", data=body, headers=dict(headers or {}))


def receipt_of(held: Held) -> str:
    return ticket.receipt_of(held.ticket).hex()
