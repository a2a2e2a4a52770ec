"""A ticket lets its holder cast about one review without saying who they are: a random prefix and what it is for.

The server signs it blindly (RFC 9474), so that nobody can tell later whom it was signed for.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from review.ballots import blind_rsa

PREFIX_BYTES = 32


def make(cycle_id: int, review_id: int, prefix: bytes) -> bytes:
    """The ticket with this prefix: the prepared message of RFC 9474."""
    return prefix + b"review360 ticket|%d|%d" % (cycle_id, review_id)


def hash_of(ticket: bytes) -> bytes:
    """Where the ballot cast with this ticket lies in the urn."""
    return hashlib.sha256(ticket).digest()


def receipt_of(ticket: bytes) -> bytes:
    """What is published about a counted ballot: only whoever holds the ticket can tell which it is."""
    return hashlib.sha256(b"review360 receipt|" + ticket).digest()


def is_about(ticket: bytes, cycle_id: int, review_id: int) -> bool:
    """Whether this ticket, signed or not, is for this very review."""
    return ticket == make(cycle_id, review_id, ticket[:PREFIX_BYTES])


def is_genuine(key: RSAPublicKey, cycle_id: int, review_id: int, ticket: bytes, signature: bytes) -> bool:
    """Whether this ticket was signed for this very review."""
    return is_about(ticket, cycle_id, review_id) and blind_rsa.verify(key, ticket, signature)
