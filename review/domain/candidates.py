"""Who could rate whom, and how close they are: the company as one seeded circle of teams, and pairs along it.

The circle is what makes the assignment even: pairs are ranked by distance on it, so taking the nearest first gives
everybody nearly the same number of pairs (within one team exactly, as in a circulant graph). Neighbours on the circle
of teams are relatives in the tree of departments, so looking further means looking at less related people.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

Pair = tuple[int, int]


class Tie(StrEnum):
    """Why two people may know each other's work."""

    NOMINATED = "nominated"
    WORKED_TOGETHER = "worked_together"
    SAME_TEAM = "same_team"
    SAME_LINE = "same_line"  # the same managers, such as the heads of neighbouring teams
    NEIGHBOUR = "neighbour"  # teams of one department
    DISTANT = "distant"


# Only the order matters, and how an extra weight (shared tickets) compares with it.
WEIGHTS = {Tie.SAME_TEAM: 100, Tie.SAME_LINE: 60, Tie.NEIGHBOUR: 20, Tie.DISTANT: 5}


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person as the assignment knows them: `manager_ids` is the whole management line, up to the top.

    `wider_ids` are the departments above the team, nearest first; without them all other teams are equally near.
    """

    person_id: int
    team_id: int | None
    manager_ids: frozenset[int] = frozenset()
    wider_ids: tuple[int, ...] = ()


class Company:
    """Everyone as numbers 0..n-1 along the circle, and who may not rate whom.

    The circle depends on ids and seed alone: the same in every process, whatever the order of the input.
    """

    def __init__(self, subjects: Iterable[Colleague], raters: Iterable[Colleague], seed: int) -> None:
        subjects, raters = tuple(subjects), tuple(raters)
        everyone = {person.person_id: person for person in (*subjects, *raters)}
        if any(everyone[person.person_id] != person for person in (*subjects, *raters)):
            raise ValueError("one person is described in two ways")
        self.people = sorted(everyone.values(), key=lambda person: _place(person, seed))
        self.number = {person.person_id: n for n, person in enumerate(self.people)}
        self.is_subject = self._marks(subjects)
        self.is_rater = self._marks(raters)
        self.lines = [
            {self.number[boss] for boss in person.manager_ids if boss in self.number} - {n}
            for n, person in enumerate(self.people)
        ]
        self.reports: list[set[int]] = [set() for _ in self.people]
        for n, line in enumerate(self.lines):
            for boss in line:
                self.reports[boss].add(n)
        self.conflicts: list[set[int]] = [set() for _ in self.people]

    def _marks(self, some: Iterable[Colleague]) -> list[bool]:
        ids = {person.person_id for person in some}
        return [person.person_id in ids for person in self.people]

    def exclude(self, pairs: Iterable[Pair]) -> None:
        """Declared conflicts, as person ids: they hold both ways. People who are not here are ignored."""
        for one, other in pairs:
            if one in self.number and other in self.number:
                self.conflicts[self.number[one]].add(self.number[other])
                self.conflicts[self.number[other]].add(self.number[one])

    def in_one_line(self, a: int, b: int) -> bool:
        """Whether one of the two manages the other, at any distance."""
        return b in self.lines[a] or a in self.lines[b]

    def are_eligible(self, a: int, b: int) -> bool:
        """Whether the two may be paired at all, in one direction at least."""
        if a == b or b in self.lines[a] or a in self.lines[b] or b in self.conflicts[a]:
            return False
        return (self.is_rater[a] and self.is_subject[b]) or (self.is_rater[b] and self.is_subject[a])


class Candidates:
    """The pairs worth considering, best first. At most a few dozen a person, however large the company."""

    def __init__(self, company: Company, extra: Mapping[Pair, int], enough: int) -> None:
        self.company = company
        self.ranks: dict[Pair, tuple[int, int, int]] = {}
        self.ties: dict[Pair, Tie] = {}
        self.known = [0] * len(company.people)
        self.extra = _by_number(company, extra)
        self.teams = _teams(company)
        self.team_of = {n: t for t, team in enumerate(self.teams) for n in team}
        self.seat_at = _subcircles(company, self.teams)
        self._gather(enough)
        self.pairs = sorted(self.ranks, key=lambda pair: (self.ranks[pair], pair))
        self.around: list[list[int]] = [[] for _ in company.people]
        for a, b in self.pairs:
            self.around[a].append(b)
            self.around[b].append(a)

    def _gather(self, enough: int) -> None:
        for a, b in self.extra:
            self._add(a, b, Tie.WORKED_TOGETHER, 0)
        for team in self.teams:
            for a, b in _along(team, enough):
                self._add(a, b, Tie.SAME_TEAM, 0)
        for line in _lines(self.company):
            for a, b in _along(line, enough // 3):
                self._add(a, b, Tie.SAME_LINE, 0)
        for siblings in _siblings(self.company, self.teams):
            self._pair_neighbours(siblings, enough)
        for n, is_subject in enumerate(self.company.is_subject):
            if is_subject and self.known[n] < enough:
                self._look_further(n, enough)

    def _pair_neighbours(self, siblings: list[int], enough: int) -> None:
        """Each team with the next ones on both sides, until its people have enough to choose from."""
        for place, team in enumerate(siblings):
            have = len(self.teams[team]) - 1
            for step in range(1, len(siblings) // 2 + 1):
                if have >= enough:
                    break
                for other in {siblings[place - step], siblings[(place + step) % len(siblings)]}:
                    have += len(self.teams[other])
                    for a, b in _across(self.teams[team], self.teams[other], enough):
                        self._add(a, b, Tie.NEIGHBOUR, step)

    def _look_further(self, n: int, enough: int) -> None:
        """Walks the circle of all teams away from `n` until it knows `enough` people or has met everyone."""
        home, count = self.team_of[n], len(self.teams)
        for step in range(count // 2 + 1):
            for team in sorted({(home - step) % count, (home + step) % count}):
                for other in self.teams[team]:
                    self._add(n, other, Tie.DISTANT, step)
            if self.known[n] >= enough:
                break

    def introduce(self, n: int, others: Iterable[int], most: int) -> list[int]:
        """Makes up to `most` of `others` candidates of `n`, behind all there are; returns those who are new."""
        met: list[int] = []
        for other in others:
            if len(met) == most:
                break
            if self._add(n, other, Tie.DISTANT, len(self.teams)):
                self.around[n].append(other)
                self.around[other].append(n)
                met.append(other)
        return met

    def _add(self, one: int, other: int, tie: Tie, step: int) -> bool:
        pair = (one, other) if one < other else (other, one)
        if pair in self.ranks or not self.company.are_eligible(one, other):
            return False
        a, b = pair
        weight = self.extra.get(pair, 0) + WEIGHTS.get(tie, 0)
        if tie is Tie.WORKED_TOGETHER and self.team_of[a] == self.team_of[b]:
            weight += WEIGHTS[Tie.SAME_TEAM]
        self.ranks[pair] = (-weight, step, self._distance(a, b))
        self.ties[pair] = tie
        self.known[a] += 1
        self.known[b] += 1
        return True

    def _distance(self, a: int, b: int) -> int:
        """How far apart the two sit on their circle; for two circles, by how much one is turned against the other."""
        circle_a, at_a, size_a = self.seat_at[a]
        circle_b, at_b, size_b = self.seat_at[b]
        if circle_a == circle_b:
            gap = abs(at_a - at_b)
            return min(gap, size_a - gap)
        return (at_a - at_b) % max(size_a, size_b)


def mix(seed: int, kind: str, number: int) -> bytes:
    """A seeded shuffle key that is the same on every machine and in every version of Python."""
    return sha256(f"{seed}:{kind}:{number}".encode()).digest()[:8]


def _place(person: Colleague, seed: int) -> tuple[tuple[bytes, ...], bytes, bytes, int]:
    """Sorts by department, team, management line, then at random: people under the same managers sit together."""
    departments = [mix(seed, "unit", unit) for unit in reversed(person.wider_ids)]
    home = mix(seed, "alone", person.person_id) if person.team_id is None else mix(seed, "unit", person.team_id)
    line = sha256(repr(sorted(person.manager_ids)).encode()).digest()[:8]
    return (*departments, home), line, mix(seed, "person", person.person_id), person.person_id


def _teams(company: Company) -> list[list[int]]:
    """The teams along the circle; people without a team are each their own."""
    teams: dict[tuple[str, int], list[int]] = defaultdict(list)
    for n, person in enumerate(company.people):
        alone = person.team_id is None
        teams["alone" if alone else "team", person.person_id if person.team_id is None else person.team_id].append(n)
    return list(teams.values())


def _siblings(company: Company, teams: list[list[int]]) -> list[list[int]]:
    """Groups of teams under the same department, as positions in `teams`."""
    families: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, team in enumerate(teams):
        families[company.people[team[0]].wider_ids[:1]].append(position)
    return list(families.values())


def _lines(company: Company) -> list[list[int]]:
    """People with exactly the same managers, where they sit in more than one team."""
    lines: dict[frozenset[int], list[int]] = defaultdict(list)
    for n, person in enumerate(company.people):
        if person.manager_ids:
            lines[person.manager_ids].append(n)
    return [line for line in lines.values() if len({company.people[n].team_id for n in line}) > 1]


def _subcircles(company: Company, teams: Collection[list[int]]) -> list[tuple[int, int, int]]:
    """For each person: their circle (same team, same managers), place on it, and its size.

    Managers inside a team get circles of their own: on that of their reports they would be a gap in every distance.
    """
    circles: dict[tuple[int, frozenset[int]], list[int]] = defaultdict(list)
    for t, team in enumerate(teams):
        for n in team:
            circles[t, company.people[n].manager_ids].append(n)
    seats = [(0, 0, 0)] * len(company.people)
    for name, circle in enumerate(circles.values()):
        for at, n in enumerate(circle):
            seats[n] = (name, at, len(circle))
    return seats


def _along(circle: list[int], reach: int) -> Iterator[Pair]:
    """Pairs at most `reach` steps apart on a circle."""
    size = len(circle)
    for step in range(1, min(reach, size // 2) + 1):
        for at in range(size):
            yield circle[at], circle[(at + step) % size]


def _across(left: list[int], right: list[int], reach: int) -> Iterator[Pair]:
    """Pairs between two circles turned against each other by fewer than `reach` steps: each turn is a matching."""
    size = max(len(left), len(right))
    for turn in range(min(size, reach)):
        for at, n in enumerate(left):
            facing = (at - turn) % size
            if facing < len(right):
                yield n, right[facing]


def _by_number(company: Company, extra: Mapping[Pair, int]) -> dict[Pair, int]:
    weights: dict[Pair, int] = defaultdict(int)
    for (one, other), weight in extra.items():
        if weight < 0:
            raise ValueError("a working relationship cannot weigh less than nothing")
        if weight and one in company.number and other in company.number:
            a, b = sorted((company.number[one], company.number[other]))
            weights[a, b] += weight
    return dict(sorted(weights.items()))
