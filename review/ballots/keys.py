"""The key that leads from a seat to its ballot: 32 random bytes a cycle, in the key directory and nowhere else.

Never in a database, never under the data directory, never kept in memory beyond the call that needs it.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from uuid import UUID

from review.ballots.disk import Step, nowhere, settle, wipe

SIZE = 32


def make(folder: Path, cycle_id: int) -> None:
    """Draw the cycle's key and wait until it is on the disk; one that is there already stays."""
    path = _path(folder, cycle_id)
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(SIZE))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        path.hardlink_to(fresh)  # two processes that race agree on the first one's key
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    settle(folder)


def read(folder: Path, cycle_id: int) -> bytes | None:
    """The cycle's key; None when there is none (any more)."""
    try:
        return _path(folder, cycle_id).read_bytes()
    except FileNotFoundError:
        return None


def exists(folder: Path, cycle_id: int) -> bool:
    return _path(folder, cycle_id).exists()


def destroy(folder: Path, cycle_id: int, at: Step = nowhere) -> None:
    """Overwrite and remove the key; from here on nobody can tell which seat a ballot came from."""
    wipe(_path(folder, cycle_id), "key", at)


def token_hash(key: bytes, seat_id: UUID) -> bytes:
    """Where the ballot of a seat lies in the urn: SHA-256(HMAC-SHA256(key, seat id))."""
    return hashlib.sha256(hmac.digest(key, seat_id.bytes, "sha256")).digest()


def _path(folder: Path, cycle_id: int) -> Path:
    return folder / f"urn-{cycle_id}.key"
