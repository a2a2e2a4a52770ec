"""The words everybody shares: levels, grades, sources, and a text in both languages. Enums persist by value."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What a rater chooses for a criterion, from the best to the lowest."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Grade(StrEnum):
    """What the whole review comes to, from the best to the lowest."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Source(StrEnum):
    """Who speaks about the reviewed person. SELF is a reference and never counts."""

    SELF = "self"
    SUPERVISOR = "supervisor"
    PEERS = "peers"
    CUSTOMERS = "customers"


class PeerStep(StrEnum):
    """How peer figures are coarsened before they are shown and counted."""

    STEPPED = "stepped"


class Protection(StrEnum):
    """What a cycle protects its raters against; docs/anonymity.md says what each keeps and where it ends."""

    STANDARD = "standard"  # everything asked of the server, nothing of the rater
    MAXIMUM = "maximum"  # blind tickets, ballots sealed in the browser


class Custody(StrEnum):
    """Who holds the key that opens the ballots of a cycle."""

    MANAGED = "managed"  # the key directory
    TRUSTEES = "trustees"  # three people, of whom any two open it together


COUNTING = (Source.SUPERVISOR, Source.PEERS, Source.CUSTOMERS)
GRADES = tuple(Grade)  # best first: a higher position is a lower grade
LEVELS = tuple(Level)
STAR_POINTS = 20  # one customer star; five stars are 100 points
STANDARD_POINTS = (100, 80, 60, 40)  # the only points for which the peer steps are worked out


@dataclass(frozen=True, slots=True)
class Text:
    """The same text in the two languages of the product."""

    zh: str
    en: str

    def of(self, locale: str) -> str:
        """English for "en", Chinese for everything else."""
        return self.en if locale.startswith("en") else self.zh
