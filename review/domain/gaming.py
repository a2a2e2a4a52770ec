"""Hints that figures may have been helped along (刷单): reasons for HR to look closer, never a verdict.

Each rule compares one agent's share with that of the others and speaks only where the lower end of Newcombe's 95 %
interval of the difference lies beyond a margin, with enough tickets behind it. With a margin, not one honest agent in
thousands is named by chance, however many are looked at. The thresholds stand on the page and in docs/indicators.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from review.domain.statistics.proportions import newcombe

LEAST = {"split": 10, "reopened": 10, "cherry_picked": 30, "empty": 20}
MARGIN = {"split": 0.05, "reopened": 0.10, "cherry_picked": 0.15, "empty": 0.15}
EASIER = 0.10  # by how much quicker tickets are offered a survey than not, beyond chance
EACH_SIDE = 20  # tickets with a time, offered and not, before their pace is compared
ENOUGH_TEAM = 100  # tickets of the rest of a team; with fewer, everybody else is the measure
QUICK = 60  # seconds: a solved ticket that took less, or of which no time is told, is called empty


class HintKind(StrEnum):
    """What a hint is about."""

    SPLIT = "split"
    REOPENED = "reopened"
    CHERRY_PICKED = "cherry_picked"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Habits:
    """Counts of one agent's (or many agents') solved tickets in a span.

    `repeats` are tickets after the first of the same customer, kind and day that were not long, out of `known`
    (tickets with a customer). `offered` of `told` were offered a survey; of those with a time `quick_offered` of
    `timed_offered` and `quick_others` of `timed_others` took half the usual time or less. `empty` took no time.
    """

    tickets: int = 0
    agents: int = 1
    known: int = 0
    repeats: int = 0
    reopened: int = 0
    reopens_told: int = 0
    offered: int = 0
    told: int = 0
    quick_offered: int = 0
    timed_offered: int = 0
    quick_others: int = 0
    timed_others: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True)
class Hint:
    """`own` of `own_of` of this agent against `others` of `others_of`; `is_team` says that the others are the team.

    For picked surveys also how many of the offered and of the other tickets were quick.
    """

    kind: HintKind
    agent: int
    own: int
    own_of: int
    others: int
    others_of: int
    is_team: bool
    quick: tuple[int, int, int, int] | None = None


def hints(habits: Mapping[int, Habits], team_of: Mapping[int, int | None]) -> list[Hint]:
    """All hints, by agent and kind. `team_of` tells the supervisor of each agent."""
    everybody = together(habits.values())
    teams: dict[int | None, Habits] = {}
    for agent, own in habits.items():
        team = team_of.get(agent)
        teams[team] = together((teams[team], own)) if team in teams else own
    found: list[Hint] = []
    for agent, own in sorted(habits.items()):
        team = team_of.get(agent)
        rest = _without(teams[team], own)
        is_team = team is not None and rest.tickets >= ENOUGH_TEAM
        found += _about(agent, own, rest if is_team else _without(everybody, own), is_team)
    return found


def together(many: Iterable[Habits]) -> Habits:
    """The counts of many agents as one."""
    every = list(many)
    return Habits(**{one.name: sum(getattr(own, one.name) for own in every) for one in fields(Habits)})


def _without(all_: Habits, own: Habits) -> Habits:
    return Habits(**{one.name: getattr(all_, one.name) - getattr(own, one.name) for one in fields(Habits)})


def _about(agent: int, own: Habits, rest: Habits, is_team: bool) -> list[Hint]:
    pairs = {
        HintKind.SPLIT: (own.repeats, own.known, rest.repeats, rest.known),
        HintKind.REOPENED: (own.reopened, own.reopens_told, rest.reopened, rest.reopens_told),
    }
    found = [Hint(kind, agent, *four, is_team) for kind, four in pairs.items() if _stands_out(kind, *four)]
    offered = (own.offered, own.told, rest.offered, rest.told)
    quick = (own.quick_offered, own.timed_offered, own.quick_others, own.timed_others)
    if _offers_otherwise(*offered) and _offers_what_is_easy(*quick):
        found.append(Hint(HintKind.CHERRY_PICKED, agent, *offered, is_team, quick))
    empty = (own.empty, own.tickets, rest.empty, rest.tickets)
    has_more = rest.agents > 0 and own.tickets * rest.agents > rest.tickets
    if has_more and _stands_out(HintKind.EMPTY, *empty):
        found.append(Hint(HintKind.EMPTY, agent, *empty, is_team))
    return found


def _stands_out(kind: HintKind, own: int, own_of: int, others: int, others_of: int) -> bool:
    """Far above the others, beyond chance and beyond the margin."""
    if own < LEAST[kind] or not own_of or not others_of:
        return False
    return newcombe(own, own_of, others, others_of).low > MARGIN[kind]


def _offers_otherwise(own: int, own_of: int, others: int, others_of: int) -> bool:
    """Far above or far below the others' share of tickets that are offered a survey."""
    if own_of < LEAST["cherry_picked"] or not others_of:
        return False
    between, margin = newcombe(own, own_of, others, others_of), MARGIN["cherry_picked"]
    return between.low > margin or between.high < -margin


def _offers_what_is_easy(quick: int, offered: int, quick_others: int, others: int) -> bool:
    if min(offered, others) < EACH_SIDE:
        return False
    return newcombe(quick, offered, quick_others, others).low > EASIER
