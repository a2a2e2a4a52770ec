"""The key that leads from a seat to its ballot: 32 random bytes a cycle, in the key directory and nowhere else.

Never in a database, never under the data directory, never kept in memory beyond the call that needs it.
"""

import hashlib
import hmac
import os
from pathlib import Path
from uuid import UUID

from review.ballots.disk import Step, nowhere, put_once, wipe

SIZE = 32


def make(folder: Path, cycle_id: int) -> None:
    """Draw the cycle's key and wait until it is on the disk; one that is there already stays."""
    put_once(_path(folder, cycle_id), os.urandom(SIZE))


def read(folder: Path, cycle_id: int) -> bytes | None:
    """The cycle's key; None when there is none (any more).

    A file that lost its content is no key: under an empty one anybody could tell which seat a ballot came from.
    """
    try:
        key = _path(folder, cycle_id).read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == SIZE else None


def exists(folder: Path, cycle_id: int) -> bool:
    return _path(folder, cycle_id).exists()


def destroy(folder: Path, cycle_id: int, at: Step = nowhere) -> None:
    """Overwrite and remove the key; from here on nobody can tell which seat a ballot came from."""
    wipe(_path(folder, cycle_id), "key", at)


def remember(folder: Path, cycle_id: int, mark: str) -> None:
    """Note for good that the urn of the cycle with this mark was destroyed.

    It stands here, not in the database: a backup from before brings the database back, but not this.
    """
    put_once(_tombstone(folder, cycle_id, mark), b"")


def is_spent(folder: Path, cycle_id: int, mark: str) -> bool:
    """Whether the urn of the cycle with this mark was destroyed: it may never be opened or counted again."""
    return _tombstone(folder, cycle_id, mark).exists()


def was_spent(folder: Path, cycle_id: int) -> bool:
    """Whether an urn of a cycle with this number was destroyed: for those who cannot ask the database for its mark."""
    return any(folder.glob(f"urn-{cycle_id}-*.gone"))


def token_hash(key: bytes, seat_id: UUID) -> bytes:
    """Where the ballot of a seat lies in the urn: SHA-256(HMAC-SHA256(key, seat id))."""
    return hashlib.sha256(hmac.digest(key, seat_id.bytes, "sha256")).digest()


def _path(folder: Path, cycle_id: int) -> Path:
    return folder / f"urn-{cycle_id}.key"


def _tombstone(folder: Path, cycle_id: int, mark: str) -> Path:
    return folder / f"urn-{cycle_id}-{mark}.gone"
