"""What a file of tickets does, or did, in numbers; and the first things that are wrong with it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review.domain.refusals import Problem

MOST_PROBLEMS = 200


@dataclass(slots=True)
class Counts:
    """What a file does, or did; every number is of rows of the file, those of `unknown` of tickets."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    bad_rows: int = 0
    outside: int = 0
    without_agent: int = 0
    guessed: int = 0  # solved, and the system does not say when
    uncounted: int = 0
    figures: int = 0  # of those above, figures of people instead of tickets
    unknown: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it; problems are left to whoever shows them."""
        names = ("rows", "new", "changed", "same", "bad_rows", "outside", "without_agent", "guessed", "uncounted")
        told = {name: getattr(self, name) for name in (*names, "figures")}
        return told | {"skipped": dict(self.skipped), "unknown": dict(self.unknown.most_common(200))}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Counts":
        counts = cls()
        for name, value in told.items():
            if isinstance(value, int) and name in cls.__slots__:
                setattr(counts, name, value)
        counts.skipped, counts.unknown = Counter(told.get("skipped", {})), Counter(told.get("unknown", {}))
        return counts

    def add(self, other: "Counts") -> None:
        for name, value in other.plain().items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)
        self.skipped += other.skipped
        self.unknown += other.unknown
        self.problems += other.problems[: MOST_PROBLEMS - len(self.problems)]
