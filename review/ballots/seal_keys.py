"""The key pair that ballots are sealed to: public half for every cast, private half for the count alone.

Managed, the private half lies in the key directory. With trustees it is wrapped under a key of which three people hold
a share each and any two can put it together (Shamir): their papers open nothing without the wrapped key, and the
wrapped key opens nothing without two papers.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from Crypto.Protocol.SecretSharing import Shamir
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from review.ballots.disk import Step, nowhere, put_once, wipe
from review.domain.refusals import Invalid

NEEDED, TRUSTEES = 2, 3
SHARE_BYTES = 16
NONCE = 12


@dataclass(frozen=True, slots=True)
class Share:
    """One trustee's share of the wrapping key: its number (1 to 3) and 16 bytes."""

    number: int
    value: bytes


def make_managed(folder: Path, cycle_id: int) -> None:
    """Draw the pair and keep both halves; a pair that is there already stays, a wrapped one gives way."""
    if is_locked(folder, cycle_id):
        destroy(folder, cycle_id)  # trustees were named and then not wanted: nobody has sealed anything to it
    fresh = generate_private_key(SECP256R1())
    put_once(_private(folder, cycle_id), _scalar(fresh))
    kept = private(folder, cycle_id)
    assert kept is not None
    put_once(_public(folder, cycle_id), _point(kept))


def make_split(folder: Path, cycle_id: int) -> None:
    """Draw the pair, keep its private half wrapped and the shares until they are taken; one that is there stays.

    The public half comes last: without it nothing was made, and what an interrupted attempt left is thrown away. Two
    callers at once must be kept apart by the caller (they change the same cycle).
    """
    if is_made(folder, cycle_id):
        return
    destroy(folder, cycle_id)
    key, wrapping, nonce = generate_private_key(SECP256R1()), os.urandom(SHARE_BYTES), os.urandom(NONCE)
    for number, value in Shamir.split(NEEDED, TRUSTEES, wrapping):
        put_once(_share(folder, cycle_id, number), value)
    sealed = AESGCM(wrapping).encrypt(nonce, _scalar(key), _about(cycle_id))
    put_once(_wrapped(folder, cycle_id), nonce + sealed)
    put_once(_public(folder, cycle_id), _point(key))


def is_made(folder: Path, cycle_id: int) -> bool:
    return _public(folder, cycle_id).exists()


def take_share(folder: Path, cycle_id: int, number: int) -> Share | None:
    """The share of trustee `number`, as long as it has not been erased."""
    value = _read(_share(folder, cycle_id, number))
    return None if value is None else Share(number, value)


def erase_share(folder: Path, cycle_id: int, number: int) -> None:
    """The trustee has it now: from here on this installation does not. Harmless to repeat."""
    wipe(_share(folder, cycle_id, number), "share")


def untaken(folder: Path, cycle_id: int) -> set[int]:
    """The numbers of the shares that still lie here."""
    return {number for number in range(1, TRUSTEES + 1) if _share(folder, cycle_id, number).exists()}


def is_locked(folder: Path, cycle_id: int) -> bool:
    """Whether the private half is here, but wrapped: two trustees must open it before the count."""
    return _wrapped(folder, cycle_id).exists() and not _private(folder, cycle_id).exists()


def unlock(folder: Path, cycle_id: int, shares: Sequence[Share]) -> None:
    """Unwrap the private half into the key directory, for the count. Harmless to repeat.

    Raises Invalid when the shares are not two different ones of this cycle, or nothing is left to open.
    """
    wrapped, point = _read(_wrapped(folder, cycle_id)), public(folder, cycle_id)
    if wrapped is None or point is None:
        raise Invalid("ballots:nothing_to_open")
    if len({share.number for share in shares}) < NEEDED:
        raise Invalid("ballots:two_shares_needed")
    try:
        wrapping = Shamir.combine([(share.number, share.value) for share in shares[:NEEDED]])
        scalar = AESGCM(wrapping).decrypt(wrapped[:NONCE], wrapped[NONCE:], _about(cycle_id))
    except (InvalidTag, ValueError):
        raise Invalid("ballots:shares_do_not_fit") from None
    put_once(_private(folder, cycle_id), scalar)
    if not _wrapped(folder, cycle_id).exists():  # destroyed in this very moment: what was unwrapped goes with it
        wipe(_private(folder, cycle_id), "seal_key")
        raise Invalid("ballots:nothing_to_open")


def public(folder: Path, cycle_id: int) -> bytes | None:
    """The point that ballots are sealed to, uncompressed (65 bytes)."""
    return _read(_public(folder, cycle_id))


def private(folder: Path, cycle_id: int) -> EllipticCurvePrivateKey | None:
    """The key that opens the ballots; None while it is wrapped and after it was destroyed.

    Neither is a damaged one: it would open nothing, and the count would destroy what it could not open.
    """
    scalar, point = _read(_private(folder, cycle_id)), public(folder, cycle_id)
    if scalar is None:
        return None
    try:
        key = derive_private_key(int.from_bytes(scalar, "big"), SECP256R1())
    except ValueError:
        return None
    return key if point is None or point == _point(key) else None


def destroy(folder: Path, cycle_id: int, at: Step = nowhere) -> None:
    """Overwrite and remove every part of the pair. Harmless to repeat.

    The wrapped key first, so that whoever unwraps it in the same moment notices (see `unlock`).
    """
    wipe(_wrapped(folder, cycle_id), "wrapped_key", at)
    wipe(_private(folder, cycle_id), "seal_key", at)
    for number in range(1, TRUSTEES + 1):
        wipe(_share(folder, cycle_id, number), "share", at)
    wipe(_public(folder, cycle_id), "public_key", at)


def leaves_traces(folder: Path, cycle_id: int) -> bool:
    """Whether any part of the pair is still here."""
    files = (_private(folder, cycle_id), _wrapped(folder, cycle_id), _public(folder, cycle_id))
    return any(file.exists() for file in files) or bool(untaken(folder, cycle_id))


def _scalar(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32, "big")


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _about(cycle_id: int) -> bytes:
    return b"review360 seal|%d" % cycle_id


def _read(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _private(folder: Path, cycle_id: int) -> Path:
    return folder / f"seal-{cycle_id}.key"


def _public(folder: Path, cycle_id: int) -> Path:
    return folder / f"seal-{cycle_id}.pub"


def _wrapped(folder: Path, cycle_id: int) -> Path:
    return folder / f"seal-{cycle_id}.wrapped"


def _share(folder: Path, cycle_id: int, number: int) -> Path:
    return folder / f"share-{cycle_id}-{number}.once"
