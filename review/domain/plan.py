"""What a peer assignment is asked for and what comes out: the rules, the plan, and who could not be filled and why."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from review.domain.candidates import Pair
from review.domain.refusals import Invalid, Problem

ASKED = 8
MAX_LOAD = 9
MINIMUM = 5


class Reason(StrEnum):
    """Why somebody gets fewer raters than wanted, or why a nomination was dropped."""

    TOO_FEW_COLLEAGUES = "assignment:too_few_colleagues"
    MANAGEMENT_LINE = "assignment:management_line"
    CONFLICTS = "assignment:conflicts"
    LOAD = "assignment:load"
    NOT_AVAILABLE = "assignment:not_available"
    ENOUGH_RATERS = "assignment:enough_raters"
    BELOW_MINIMUM = "assignment:below_minimum"


@dataclass(frozen=True, slots=True)
class Shortage:
    """Somebody for whom only `got` of `wanted` raters could be found. Below the minimum nobody is seated for them."""

    person_id: int
    got: int
    wanted: int
    reason_code: str
    below_minimum: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """An approved nomination that could not be kept."""

    rater_id: int
    subject_id: int
    reason_code: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How many raters each person is to get, how many people one may have to rate, and from how many on it counts."""

    asked: int = ASKED
    max_load: int = MAX_LOAD
    minimum: int = MINIMUM

    def __post_init__(self) -> None:
        problems = [Problem("assignment:not_positive", name) for name in self.__slots__ if getattr(self, name) < 1]
        if self.asked < self.minimum:
            problems.append(Problem("assignment:asked_below_minimum", "asked", {"minimum": self.minimum}))
        if problems:
            raise Invalid.of(problems)


@dataclass(frozen=True, slots=True)
class Relations:
    """What is known about pairs of people, as person ids; people who take no part are ignored."""

    weights: Mapping[Pair, int] = field(
        default_factory=dict
    )  # unordered, such as shared tickets; adds to the tie's own
    excluded: Collection[Pair] = ()  # declared conflicts, both ways
    fixed: Collection[Pair] = ()  # approved nominations (rater, subject), kept wherever the rules allow


@dataclass(frozen=True, slots=True)
class Plan:
    """Who rates whom. `digest` covers everything else, so what HR confirmed is what is seated."""

    seats: tuple[Pair, ...]  # (rater id, subject id), sorted
    loads: Mapping[int, int]  # of every possible rater, those without any seat included
    shortages: tuple[Shortage, ...]
    dropped: tuple[Dropped, ...]
    reciprocal_pairs: int
    ties: Mapping[str, int]  # how many seats rest on which tie
    seed: int
    digest: str
