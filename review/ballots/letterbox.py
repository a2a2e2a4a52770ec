"""The slot for ballots that a browser has sealed: it knows tickets and urns, no session, no person, no main database.

Nothing that comes in is ever logged, nor is any time kept.
"""

import struct
from enum import StrEnum

from review.ballots import keys, ticket, ticket_keys
from review.ballots.sealing import VERSION, sealed_size, size_of
from review.ballots.service import urn_at
from review.ballots.urn import Closed, Missing
from review.infra.settings import Settings

FORMAT = VERSION  # of the ballots taken here, for whoever makes them
HEAD = struct.Struct(f">BII{ticket.PREFIX_BYTES}s{ticket_keys.BYTES}s")  # version, cycle, review, prefix, signature
SIZES = frozenset(HEAD.size + sealed_size(size_of(comments=comments, maximum=True)) for comments in (False, True))


class Answer(StrEnum):
    """All that the slot ever says."""

    TAKEN = "taken"
    CLOSED = "closed"
    REFUSED = "refused"


def take(settings: Settings, letter: bytes) -> Answer:
    """Put the ballot in `letter` into its urn, in place of an earlier one with the same ticket.

    What has the wrong size, names no review that is open, or carries a ticket nobody signed is refused without touching
    an urn.
    """
    if len(letter) not in SIZES:
        return Answer.REFUSED
    version, cycle_id, review_id, prefix, signature = HEAD.unpack_from(letter)
    sealed, folder = letter[HEAD.size :], settings.keys_dir
    size = ticket_keys.size(folder, cycle_id)
    if size is None:
        return Answer.CLOSED if keys.was_spent(folder, cycle_id) else Answer.REFUSED
    key = ticket_keys.public_key(folder, cycle_id, review_id)
    if version != VERSION or len(sealed) != sealed_size(size) or key is None:
        return Answer.REFUSED
    mine = ticket.make(cycle_id, review_id, prefix)
    if not ticket.is_genuine(key, cycle_id, review_id, mine, signature):
        return Answer.REFUSED
    try:
        urn_at(settings, cycle_id).put(ticket.hash_of(mine), version, sealed)
    except (Closed, Missing) as no:  # missing: destroyed after the close, or lost
        is_over = isinstance(no, Closed) or keys.was_spent(folder, cycle_id)
        return Answer.CLOSED if is_over else Answer.REFUSED
    return Answer.TAKEN
