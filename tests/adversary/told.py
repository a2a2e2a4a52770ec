"""What is left of a run: copies for the adversary, and the truth for whoever scores it."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True)
class Snapshot:
    """Everything an operator could have copied at one moment; the key directory under maximum protection only."""

    name: str
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "instance" / "review.sqlite"

    @property
    def keys(self) -> Path:
        return self.folder / "instance-keys"


@dataclass(frozen=True)
class Cast:
    """One ballot as it really came in."""

    day: int
    rater: int
    seat: UUID
    review: int
    levels: tuple[str, ...]


@dataclass
class Truth:
    """What the adversary is not told: who cast what and in which order."""

    casts: list[Cast] = field(default_factory=list)
    hash_of: dict[UUID, bytes] = field(default_factory=dict)
    seats: list[tuple[UUID, int, int]] = field(default_factory=list)
    visits: set[tuple[int, str]] = field(default_factory=set)  # who came on which day, by the night after it
    seal_key: bytes | None = None


@dataclass
class Lived:
    """What is left of a run: the copies for the adversary, and the truth for whoever scores it."""

    snapshots: list[Snapshot]
    truth: Truth
