"""Makes files appear and vanish for good: nothing counts as done before the disk says so."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

Step = Callable[[str], None]
BLOCK = 2**20


def nowhere(_step: str) -> None:
    """The hook of a work that nobody interrupts."""


def settle(folder: Path) -> None:
    """Wait until the disk knows which files `folder` holds: a file's own fsync does not say so."""
    if os.name == "nt":  # Windows opens no folders, and keeps its list of files by itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_once(path: Path, content: bytes) -> None:
    """Write a secret and wait until it is on the disk; one that is there already stays, whoever was faster."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        path.hardlink_to(fresh)  # whole or not at all: two processes that race agree on the first one's
    except FileExistsError:
        _overwrite(fresh)
    finally:
        fresh.unlink()
    settle(path.parent)


def wipe(path: Path, name: str, at: Step = nowhere) -> None:
    """Overwrite a file, then remove it. Harmless to repeat after a stop at any point; `at` hears of each step.

    What a disk keeps of overwritten blocks is out of a program's reach; docs/anonymity.md says so.
    """
    if path.exists():
        _overwrite(path)
        at(f"{name}_overwritten")
        path.unlink()
        at(f"{name}_unlinked")
    settle(path.parent)


def _overwrite(path: Path) -> None:
    with path.open("r+b", buffering=0) as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, BLOCK)))
        os.fsync(file.fileno())
