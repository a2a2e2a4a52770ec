"""The keys that sign tickets: one RSA pair a review, in `tickets-<cycle>/` of the key directory and nowhere else.

`<review>.key` signs (PKCS #8, for the owner's eyes), `<review>.der` verifies (SubjectPublicKeyInfo). Casting reads the
second only. `size` says how many bytes a ballot of the cycle has; it comes with the launch.
"""

import hashlib
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from review.ballots.disk import Step, nowhere, put_once, settle

BITS, EXPONENT = 2048, 65537
BYTES = BITS // 8


def make(folder: Path, cycle_id: int, review_id: int) -> None:
    """Draw the pair of a review and wait until it is on the disk; one that is there already stays."""
    place = _place(folder, cycle_id)
    place.mkdir(mode=0o700, exist_ok=True)
    if (place / f"{review_id}.der").exists():
        return
    if not (place / f"{review_id}.key").exists():
        fresh = generate_private_key(EXPONENT, BITS)
        put_once(place / f"{review_id}.key", fresh.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    kept = private_key(folder, cycle_id, review_id)
    assert kept is not None
    put_once(place / f"{review_id}.der", _spki(kept.public_key()))


def made(folder: Path, cycle_id: int) -> set[int]:
    """The reviews whose pair is complete."""
    try:
        names = os.listdir(_place(folder, cycle_id))
    except FileNotFoundError:
        return set()
    return {int(name[:-4]) for name in names if name.endswith(".der") and name[:-4].isdigit()}


def keep_only(folder: Path, cycle_id: int, reviews: Collection[int]) -> int:
    """Destroy the pairs of every other review; how many. Nobody can draw a ticket for them any more."""
    gone = made(folder, cycle_id) - set(reviews)
    place = _place(folder, cycle_id)
    _wipe_all([place / f"{review}.{kind}" for review in gone for kind in ("key", "der")])
    return len(gone)


def public(folder: Path, cycle_id: int, review_id: int) -> bytes | None:
    """What verifies the tickets of a review, as SubjectPublicKeyInfo; None where there is none (any more)."""
    return _read(_place(folder, cycle_id) / f"{review_id}.der")


def public_key(folder: Path, cycle_id: int, review_id: int) -> RSAPublicKey | None:
    found = public(folder, cycle_id, review_id)
    if found is None:
        return None
    key = load_der_public_key(found)
    assert isinstance(key, RSAPublicKey)
    return key


def private_key(folder: Path, cycle_id: int, review_id: int) -> RSAPrivateKey | None:
    """What signs the tickets of a review."""
    found = _read(_place(folder, cycle_id) / f"{review_id}.key")
    if found is None:
        return None
    # Our own file, whole or not there at all: checking the primes again would take longer than signing.
    key = load_der_private_key(found, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    return key


def fingerprints(folder: Path, cycle_id: int) -> dict[int, str]:
    """SHA-256 of every public half, by review."""
    halves = {review: public(folder, cycle_id, review) for review in sorted(made(folder, cycle_id))}
    return {review: hashlib.sha256(half).hexdigest() for review, half in halves.items() if half is not None}


def note_size(folder: Path, cycle_id: int, size: int) -> None:
    """From here on ballots of `size` bytes are taken; a launch that failed may have left another size behind."""
    path = _place(folder, cycle_id) / "size"
    if _read(path) != b"%d" % size:
        path.unlink(missing_ok=True)
        put_once(path, b"%d" % size)


def size(folder: Path, cycle_id: int) -> int | None:
    """How many bytes a ballot of the cycle has before it is sealed; None before the launch."""
    found = _read(_place(folder, cycle_id) / "size")
    return None if found is None else int(found)


def destroy(folder: Path, cycle_id: int, at: Step = nowhere) -> None:
    """Overwrite and remove every pair of the cycle. Harmless to repeat after a stop at any point."""
    place = _place(folder, cycle_id)
    if place.exists():
        _wipe_all([place / name for name in os.listdir(place)])
        at("ticket_keys_unlinked")
        place.rmdir()
    settle(folder)


def leaves_traces(folder: Path, cycle_id: int) -> bool:
    """Whether anything of the cycle's pairs is still here."""
    return _place(folder, cycle_id).exists()


def _wipe_all(paths: list[Path]) -> None:
    """As disk.wipe, for many files of one folder: all secrets are overwritten before the first is waited for."""
    there = [path for path in paths if path.exists()]
    secrets = [path for path in there if path.suffix != ".der"]
    for path in secrets:
        with path.open("r+b", buffering=0) as file:
            file.write(bytes(path.stat().st_size))
    for path in secrets:
        with path.open("r+b") as file:
            _written(file.fileno())
    for path in there:
        path.unlink()
    for parent in {path.parent for path in there}:
        settle(parent)


# The new content is all that has to reach the disk; waiting for its date as well takes several times as long.
_written = getattr(os, "fdatasync", os.fsync)


def _read(path: Path) -> bytes | None:
    """The content, without leaving the time of the reading behind where the system can spare it."""
    with suppress(FileNotFoundError):
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOATIME", 0))
        except PermissionError:  # only the owner of a file may read it unnoticed
            return path.read_bytes()
        with open(handle, "rb") as file:
            return file.read()
    return None


def _place(folder: Path, cycle_id: int) -> Path:
    return folder / f"tickets-{cycle_id}"


def _spki(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
