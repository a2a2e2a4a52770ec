"""What a ballot looks like inside the urn: one size for all, sealed to the cycle's public key (version 1).

HPKE (RFC 9180) in base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. Cycle, version and token hash are
bound in as `info`, so that a ballot opens only in its own cycle and under its own hash.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from review.domain.canonical import canonical_json
from review.domain.responses import Ballot
from review.domain.vocabulary import Level

VERSION = 1
SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
OVERHEAD = 65 + 16  # the sender's one-time key before, the tag behind what is sealed
# Twelve criteria with the longest keys need some 750 bytes, a comment of 280 characters at most 1,500, a ticket with
# its signature 470. A row must stay under 4,086 bytes: beyond that SQLite moves its tail to overflow pages, whose
# numbers tell the order of casting.
PLAIN, COMMENT, TICKET = 1024, 1536, 512


@dataclass(frozen=True, slots=True)
class Opened:
    """A ballot out of its seal, under maximum protection with the ticket that entitled somebody to it."""

    ballot: Ballot
    ticket: bytes | None = None
    signature: bytes | None = None


def size_of(*, comments: bool, maximum: bool) -> int:
    """Bytes of every ballot of a cycle before it is sealed."""
    return PLAIN + COMMENT * comments + TICKET * maximum


def sealed_size(size: int) -> int:
    """Bytes of every row of an urn whose ballots have `size` bytes."""
    return size + OVERHEAD


def seal(
    ballot: Ballot,
    *,
    cycle_id: int,
    token_hash: bytes,
    public_key: bytes,
    size: int,
    ticket: bytes | None = None,
    signature: bytes | None = None,
) -> tuple[int, bytes]:
    """Version and sealed body. `public_key` is an uncompressed point, 65 bytes.

    Raises ValueError for a ballot that does not fit the one size.
    """
    said = {key: level.value for key, level in ballot.answers.items() if level is not None}
    plain: dict[str, Any] = {"answers": said, "review": ballot.review_id}
    if ballot.comment:
        plain["comment"] = ballot.comment
    if ticket is not None and signature is not None:
        plain |= {"ticket": as_text(ticket), "signature": as_text(signature)}
    body = canonical_json(plain).ljust(size)
    if len(body) != size:
        raise ValueError("a ballot must fit the one size that all ballots have")
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    return VERSION, SUITE.encrypt(body, key, info=_bound_to(cycle_id, VERSION, token_hash))


def unseal(
    version: int, body: bytes, *, cycle_id: int, token_hash: bytes, private_key: EllipticCurvePrivateKey
) -> Opened:
    """What was sealed. Raises ValueError for whatever was not sealed for this key, cycle and token hash."""
    if version != VERSION:
        raise ValueError("not a ballot of this version")
    try:
        plain = SUITE.decrypt(body, private_key, info=_bound_to(cycle_id, version, token_hash))
    except (InvalidTag, ValueError):
        raise ValueError("not sealed for this urn") from None
    try:
        data = json.loads(plain)
        answers = {str(key): Level(value) for key, value in data["answers"].items()}
        ballot = Ballot(int(data["review"]), answers, str(data.get("comment", "")))
        return Opened(ballot, _bytes(data.get("ticket")), _bytes(data.get("signature")))
    except (AttributeError, KeyError, NotBase64, OverflowError, RecursionError, TypeError) as wrong:
        # Under maximum protection a browser wrote it: whatever one rater seals must not stop the count of all.
        raise ValueError("not a ballot") from wrong


def as_text(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: Any) -> bytes | None:
    return None if text is None else urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bound_to(cycle_id: int, version: int, token_hash: bytes) -> bytes:
    return b"review360 ballot|%d|%d|" % (cycle_id, version) + token_hash
