"""Tickets of cycles under maximum protection: the index of their keys, the draw, and the end of both at the count.

Nothing here is written when somebody casts. A draw leaves what it needs to be repeated, and no time.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from review.ballots import blind_rsa, ticket_keys
from review.ballots import service as ballots
from review.cycles.lookup import require_collecting
from review.cycles.service import living_reviews
from review.cycles.tables import CycleRow
from review.domain.canonical import canonical_json
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, Taken
from review.domain.vocabulary import Protection
from review.infra import audit
from review.infra.db import db, insert_into
from review.infra.house import house
from review.peer_review import service as peer_review
from review.peer_review.service import Seat
from review.tickets.tables import WRAPPED_BYTES, TicketDrawRow, TicketIndexRow, TicketRow

Blinded = Mapping[UUID, bytes]  # what the browser blinded, by seat


@dataclass(frozen=True, slots=True)
class Colleague:
    """A colleague to rate, with the public half of the key that signs the ticket."""

    seat: Seat
    key: bytes


def is_ready(cycle: CycleRow) -> bool:
    """Whether every review of the cycle has its key, or none is needed."""
    if cycle.protection is Protection.STANDARD:
        return True
    return {review.id for review in living_reviews(cycle.id)} <= ticket_keys.made(_keys(), cycle.id)


# -- the index -------------------------------------------------------------------------------------------------------


def freeze(cycle: CycleRow, *, by: int | None, now: datetime) -> str | None:
    """Fix the fingerprints of all keys, in the transaction that launches the cycle and after its urn was opened.

    SHA-256 of the index, for letters and pages; None where the cycle draws no tickets. Raises NotYet while keys are
    missing.
    """
    if cycle.protection is Protection.STANDARD:
        return None
    prints = ticket_keys.fingerprints(_keys(), cycle.id)
    reviews = [review.id for review in living_reviews(cycle.id)]
    if not prints.keys() >= set(reviews):
        raise NotYet("cycle:ticket_keys_missing")
    body = canonical_json(
        {
            "cycle": cycle.id,
            "keys": {str(review): prints[review] for review in reviews},
            "seal": hashlib.sha256(ballots.seal_key(cycle.id)).hexdigest(),
        }
    )
    digest = hashlib.sha256(body).hexdigest()
    ticket_keys.note_size(_keys(), cycle.id, ballots.ballot_size(cycle.id))
    db.session.add(TicketIndexRow(cycle_id=cycle.id, sha256=digest, body=body))
    audit.record("tickets:index:fixed", f"cycle:{cycle.id}", by=by, at=now, sha256=digest, keys=len(reviews))
    return digest


def index_of(cycle_id: int) -> TicketIndexRow | None:
    return db.session.get(TicketIndexRow, cycle_id)


def digest_of(cycle_id: int) -> str | None:
    """SHA-256 of the cycle's index, without reading the index."""
    return db.session.scalar(select(TicketIndexRow.sha256).where(TicketIndexRow.cycle_id == cycle_id))


# -- the draw --------------------------------------------------------------------------------------------------------


def colleagues(cycle: CycleRow, rater_id: int, now: datetime) -> list[Colleague]:
    """Whom this rater is asked about, with their keys. Raises NotYet or TooLate as casting does, Taken without keys."""
    require_collecting(cycle, now)
    found = []
    for seat in peer_review.seats_of(rater_id, cycle.id):
        key = ticket_keys.public(_keys(), cycle.id, seat.review_id)
        if key is None:
            raise Taken("tickets:keys_gone")
        found.append(Colleague(seat, key))
    return found


def wrapped_of(cycle_id: int, rater_id: int) -> bytes | None:
    """The seed of this rater's tickets under their passphrase, once they have drawn."""
    row = db.session.get(TicketDrawRow, (cycle_id, rater_id))
    return None if row is None else row.wrapped


def draw(cycle: CycleRow, rater_id: int, wrapped: bytes, blinded: Blinded, now: datetime) -> dict[UUID, int]:
    """Note what is going to be signed for this rater, all seats at once; the review of each seat.

    The caller commits before `sign`: from then on nothing else is ever signed for these seats, whatever happens. Of two
    who draw at once the second gets Taken, as does whoever comes back with other tickets; with the same ones nothing
    changes. Raises TooLate after the close.
    """
    db.session.refresh(cycle, with_for_update={"read": True})  # no draw is under way when the cycle closes
    require_collecting(cycle, now)
    reviews = {seat.id: seat.review_id for seat in peer_review.seats_of(rater_id, cycle.id)}
    _check(cycle.id, wrapped, blinded, reviews)
    hashes = {seat: hashlib.sha256(value).digest() for seat, value in blinded.items()}
    if _is_first(cycle.id, rater_id, wrapped):
        if blinded.keys() != reviews.keys():
            raise Invalid("tickets:all_at_once")
        # By seat, which is random: the order says nothing.
        rows = [{"cycle_id": cycle.id, "seat_id": seat, "blinded_hash": hashes[seat]} for seat in sorted(hashes)]
        db.session.execute(insert(TicketRow), rows)
    elif hashes != _noted(hashes):
        raise Taken("tickets:drawn_before")
    return {seat: reviews[seat] for seat in hashes}


def _check(cycle_id: int, wrapped: bytes, blinded: Blinded, reviews: Mapping[UUID, int]) -> None:
    """Only what can be signed is noted: afterwards there is no other try."""
    if len(wrapped) != WRAPPED_BYTES or not blinded or not blinded.keys() <= reviews.keys():
        raise Invalid("tickets:not_a_draw")
    for seat, value in blinded.items():
        key = ticket_keys.public_key(_keys(), cycle_id, reviews[seat])
        if key is None:
            raise Taken("tickets:keys_gone")
        if len(value) != ticket_keys.BYTES or int.from_bytes(value) >= key.public_numbers().n:
            raise Invalid("tickets:not_a_draw")


def _is_first(cycle_id: int, rater_id: int, wrapped: bytes) -> bool:
    row = insert_into(TicketDrawRow).values(cycle_id=cycle_id, rater_id=rater_id, wrapped=wrapped)
    once = row.on_conflict_do_nothing(index_elements=["cycle_id", "rater_id"]).returning(TicketDrawRow.rater_id)
    return db.session.scalar(once) is not None


def _noted(seats: Mapping[UUID, Any]) -> dict[UUID, bytes]:
    query = select(TicketRow.seat_id, TicketRow.blinded_hash).where(TicketRow.seat_id.in_(seats))
    return {seat: bytes(found) for seat, found in db.session.execute(query)}


def sign(cycle_id: int, blinded: Blinded, reviews: Mapping[UUID, int]) -> dict[UUID, bytes]:
    """The signatures on what `draw` has noted. Raises Taken when the keys are gone: the count was faster."""
    signed = {}
    for seat, value in blinded.items():
        key = ticket_keys.private_key(_keys(), cycle_id, reviews[seat])
        if key is None:
            raise Taken("tickets:keys_gone")
        signed[seat] = blind_rsa.blind_sign(key, value)
    return signed


# -- the end ---------------------------------------------------------------------------------------------------------


def drawn(cycle_id: int, seats: Mapping[UUID, int]) -> dict[int, int]:
    """How many tickets were drawn for each review: no more ballots than that can be genuine."""
    rows = db.session.scalars(select(TicketRow.seat_id).where(TicketRow.cycle_id == cycle_id))
    return dict(Counter(seats[seat] for seat in rows))


def forget(cycle_id: int) -> None:
    """Erase what was drawn and destroy the keys, once the cycle is counted or cancelled. Harmless to repeat.

    Commits what the caller has begun. Raises Taken for a cycle whose ballots may still be cast or counted.
    """
    db.session.commit()
    is_cancelled = db.session.get_one(CycleRow, cycle_id).stage is Stage.CANCELLED
    if not is_cancelled and not ballots.is_counted(cycle_id):
        raise Taken("ballots:not_over")
    db.session.rollback()  # what follows writes over a connection of its own
    _erase(cycle_id)
    ticket_keys.destroy(_keys(), cycle_id)


def _erase(cycle_id: int) -> None:
    """SQLite overwrites the rows and empties the log that may hold them; copies made before keep what they have."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.execute(delete(TicketRow).where(TicketRow.cycle_id == cycle_id))
        connection.execute(delete(TicketDrawRow).where(TicketDrawRow.cycle_id == cycle_id))
        connection.commit()
    if is_sqlite:
        raw = db.engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()


def is_forgotten(cycle_id: int) -> bool:
    """Whether neither a key nor anything of a draw is left."""
    left = select(TicketDrawRow.rater_id).where(TicketDrawRow.cycle_id == cycle_id).limit(1)
    has_rows = db.session.scalar(left) is not None
    return not has_rows and not ticket_keys.leaves_traces(_keys(), cycle_id)


def _keys() -> Path:
    return house().settings.keys_dir
