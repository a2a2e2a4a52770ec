"""Keeps an uploaded file until its preview is confirmed: under a random name, for one person, bound to its content."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePath

from review.infra.house import house

KEPT = timedelta(days=1)
NAME = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A kept file, its bytes checked against the digest in its name."""

    path: Path
    data: bytes

    @property
    def filename(self) -> str:
        return f"roster{self.path.suffix}"


def _folder() -> Path:
    return house().settings.data_dir / "uploads"


def keep(data: bytes, filename: str, person_id: int, now: datetime) -> str:
    """Keep a file for its uploader; the name it can be found under. Files older than a day go."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.iterdir():
        if old.stat().st_mtime < (now - KEPT).timestamp():
            old.unlink(missing_ok=True)
    name = secrets.token_urlsafe(16)
    suffix = ".xlsx" if PurePath(filename).suffix.lower() == ".xlsx" else ".csv"
    fresh = folder / f"{person_id}.{name}.{_digest(data)}{suffix}"
    fresh.touch(mode=0o600)
    fresh.write_bytes(data)
    return name


def find(name: str, person_id: int) -> Upload | None:
    """The file of that name, if it is this person's and nobody has taken it."""
    if not NAME.fullmatch(name) or not _folder().is_dir():
        return None
    for path in _folder().glob(f"{person_id}.{name}.*"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if path.suffix in {".xlsx", ".csv"} and path.name.split(".")[2] == _digest(data):
            return Upload(path, data)
    return None


def take(upload: Upload) -> Path | None:
    """Claim a file for applying it; None when somebody else did so first (renaming happens once)."""
    taken = upload.path.with_suffix(f"{upload.path.suffix}.taken")
    try:
        upload.path.rename(taken)
    except FileNotFoundError:
        return None
    return taken


def give_back(upload: Upload, taken: Path) -> None:
    """Undo `take`, so that the file can be confirmed again."""
    taken.rename(upload.path)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
