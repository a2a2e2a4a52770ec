"""What the adversary hands in: things found for certain, and guesses that are worth what the truth makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Order = Mapping[bytes, tuple[object, Any]]  # row -> (group, position): compared within a group only


@dataclass(frozen=True, order=True)
class Finding:
    """Something that should not be there. `code` says of what kind it is."""

    code: str
    where: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code} in {self.where} {self.detail}".strip()


@dataclass
class Report:
    """`orders`: rows as they can be seen in one snapshot. `activity`: people by when they did something.
    `links`: rows with the rater that is supposed to have cast them, by the way it was worked out.
    `tonight`: rows with the raters who drew tickets on the night they came in; `night_links`: guesses among those.
    `traces`: what is known of each person on each night, by kind. `answers`: what a rater is supposed to have said.
    """

    findings: set[Finding] = field(default_factory=set)
    readable: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    activity: dict[str, dict[int, float]] = field(default_factory=dict)
    links: dict[str, dict[bytes, int]] = field(default_factory=dict)
    keyed_links: dict[str, dict[bytes, int]] = field(default_factory=dict)  # the same knowing what each row is about
    traces: dict[str, dict[tuple[int, str], float]] = field(default_factory=dict)
    answers: dict[tuple[int, int, str], str] = field(default_factory=dict)
    limits: dict[str, dict[bytes, int]] = field(default_factory=dict)  # orders that the documentation owns up to
    limit_links: dict[str, dict[bytes, int]] = field(default_factory=dict)
    reach: dict[bytes, int] = field(default_factory=dict)  # among how many people a row's rater is looked for
    came: dict[str, dict[str, dict[int, float]]] = field(default_factory=dict)  # by night: people in an order
    tonight: dict[bytes, list[int]] = field(default_factory=dict)
    night_links: dict[str, dict[bytes, int]] = field(default_factory=dict)
    reviews: dict[bytes, int] = field(default_factory=dict)  # rows whose seal was opened, with what they are about

    def found(self, code: str, where: object, detail: object = "") -> None:
        self.findings.add(Finding(code, str(where), str(detail)[:200]))
