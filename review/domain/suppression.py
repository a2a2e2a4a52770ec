"""Team tables of peer figures: which teams may show one, so that nobody works out a team or a person that may not.

Every figure is taken to be known exactly, with its number of people, and whoever looks is taken to know their own
figure and those of the people they answer for. What the shown teams then tell is the sum over each shown team without
the shown teams inside it (its rest), and nothing else: any other combination is one of these rests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.disclosure import End
from review.domain.rounding import half_up

FEWEST = 5  # people with a figure in a team that shows one, and in every rest
FEWEST_UNKNOWN = 3  # of them to whoever knows the others; or nobody is left at all
RANGES = ((50, "50+"), (20, "20-49"), (10, "10-19"), (FEWEST, f"{FEWEST}-9"))
WIDTH, LOW, HIGH = 5, 60, 90


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a published peer figure: in which team they are, who answers for their result."""

    person: int
    team: int
    supervisor: int | None
    figure: Fraction


@dataclass(frozen=True, slots=True)
class TeamFigure:
    """The mean of a team as it is told: `people` is a range, `points` a multiple of five with open ends."""

    people: str
    points: int
    end: End | None


def team_figures(parents: Mapping[int, int | None], members: Sequence[Member]) -> dict[int, TeamFigure | None]:
    """Each team of the tree with its figure for one criterion; None where it may not be told, or nobody has one."""
    figure_of = {member.person: member.figure for member in members}
    tree = _Tree(parents, members)
    shown = tree.settled()
    return {
        team: _told([figure_of[person] for person in people]) if team in shown else None
        for team, people in tree.people.items()
    }


def _told(figures: Sequence[Fraction]) -> TeamFigure:
    mean = sum(figures, Fraction(0)) / len(figures)
    nearest = WIDTH * half_up(mean.numerator, WIDTH * mean.denominator, places=0)
    people = next(text for least, text in RANGES if len(figures) >= least)
    if nearest <= LOW:
        return TeamFigure(people, LOW, End.LOW)
    if nearest >= HIGH:
        return TeamFigure(people, HIGH, End.HIGH)
    return TeamFigure(people, nearest, None)


class _Tree:
    """The teams while it is being settled which are shown. `rest` holds the people of each shown team's rest.

    What belongs to no shown team lies outside, where nothing is told about it.
    """

    def __init__(self, parents: Mapping[int, int | None], members: Sequence[Member]) -> None:
        self.parents = parents
        self.people: dict[int, set[int]] = {team: set() for team in sorted(parents)}
        self.below: dict[int, list[int]] = {team: [] for team in parents}
        self.boss = {member.person: member.supervisor for member in members}
        self.known: dict[int, set[int]] = {member.person: {member.person} for member in members}
        for member in members:
            if member.supervisor is not None:
                self.known.setdefault(member.supervisor, set()).add(member.person)
            for team in self._line(member.team):
                self.people[team].add(member.person)
        for team, parent in parents.items():
            if parent is not None:
                self.below[parent].append(team)
        self.rest = {team: set(people) for team, people in self.people.items() if len(people) >= FEWEST}
        for team in self.rest:
            for inner in self._shown_below(team):
                self.rest[team] -= self.people[inner]

    def _line(self, team: int | None) -> Iterable[int]:
        """The team and all above it."""
        while team is not None:
            yield team
            team = self.parents[team]

    def _shown_below(self, team: int) -> list[int]:
        """The shown teams right inside a team, the smallest first."""
        found, left = [], list(self.below[team])
        while left:
            inner = left.pop()
            if inner in self.rest:
                found.append(inner)
            else:
                left += self.below[inner]
        return sorted(found, key=self._by_size)

    def _by_size(self, team: int) -> tuple[int, int]:
        return len(self.people[team]), team

    def _shown_above(self, team: int) -> int | None:
        return next((outer for outer in self._line(self.parents[team]) if outer in self.rest), None)

    def settled(self) -> set[int]:
        """Hide one team after the other until nothing can be worked out; the shown ones. Ends: each step hides one."""
        by_size = sorted(self.people, key=self._by_size)
        again = True
        while again:
            again = False
            for team in by_size:
                while (victim := self._victim(team)) is not None:
                    self._hide(victim)
                    again = True
        return set(self.rest)

    def _hide(self, team: int) -> None:
        people, outer = self.rest.pop(team), self._shown_above(team)
        if outer is not None:
            self.rest[outer] |= people

    def _victim(self, team: int) -> int | None:
        """Which team must be hidden because of this one; None while all is in order."""
        if team in self.rest:
            return None if self._is_safe(self.rest[team]) else next(iter(self._shown_below(team)), team)
        return self._victim_for_hidden(team)

    def _is_safe(self, rest: set[int]) -> bool:
        """Whether the sum over a rest tells nobody about a few: empty, or large to those who know some as well."""
        if not rest:
            return True
        if len(rest) < FEWEST:
            return False
        knowers = {self.boss[person] for person in rest} | rest
        left = (len(rest - self.known[knower]) for knower in knowers if knower is not None)
        return all(unknown == 0 or unknown >= FEWEST_UNKNOWN for unknown in left)

    def _victim_for_hidden(self, team: int) -> int | None:
        """A hidden team is told after all where shown teams inside and what one person knows make it up, or where
        its surroundings do, up to what one person knows."""
        people, inside, outer = self.people[team], self._shown_below(team), self._shown_above(team)
        if not people:
            return None
        rest = people.difference(*(self.people[inner] for inner in inside))
        if inside and self._knows_all(rest, people):
            return inside[0]
        if outer is None or not self._knows_all(self.rest[outer] - people, people):
            return None
        beside = [one for one in self._shown_below(outer) if not self.people[one] <= people]
        return beside[0] if beside else outer

    def _knows_all(self, missing: set[int], people: set[int]) -> bool:
        """Whether somebody knows all of `missing`, but not yet all of `people`."""
        if not missing:
            return True
        one = next(iter(missing))
        known = [self.known[who] for who in (one, self.boss[one]) if who is not None]
        return any(missing <= theirs and not people <= theirs for theirs in known)
