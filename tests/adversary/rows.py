"""What follows by exact linear algebra from published sums over teams, to somebody who knows some people's figures.

It shares nothing with the rule it judges: unknowns are people's figures, shown teams are equations, and a sum is told
when its row lies in the space of the rows that are told (Gaussian elimination over the rationals).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from review.domain.suppression import Member

Row = list[Fraction]


@dataclass(frozen=True)
class Leak:
    """`what` ("team" or "person") `which` can be worked out by `knower` (None: by anybody)."""

    what: str
    which: int
    knower: int | None


def people_below(parents: Mapping[int, int | None], members: Iterable[Member]) -> dict[int, set[int]]:
    """Who is in each team or below it."""
    found: dict[int, set[int]] = {team: set() for team in parents}
    for member in members:
        team: int | None = member.team
        while team is not None:
            found[team].add(member.person)
            team = parents[team]
    return found


def leaks_of(parents: Mapping[int, int | None], members: Sequence[Member], shown: set[int]) -> list[Leak]:
    """Every hidden team, and every single person, that somebody can work out without knowing it already."""
    people = people_below(parents, members)
    knows: dict[int, set[int]] = {member.person: {member.person} for member in members}
    for member in members:
        if member.supervisor is not None:
            knows.setdefault(member.supervisor, set()).add(member.person)
    hidden = [team for team, inside in people.items() if inside and team not in shown]
    told = [people[team] for team in shown]
    found = []
    for knower, known in [(None, set()), *knows.items()]:
        found += _leaks_to(knower, known, told, {team: people[team] for team in hidden}, members)
    return found


def _leaks_to(
    knower: int | None,
    known: set[int],
    told: Sequence[set[int]],
    hidden: Mapping[int, set[int]],
    members: Sequence[Member],
) -> list[Leak]:
    # Unknown people of one team always stand in the same equations: they are one column, alone or not.
    crowd: dict[int, list[int]] = {}
    for member in members:
        if member.person not in known:
            crowd.setdefault(member.team, []).append(member.person)
    columns = [group[0] for group in crowd.values()]
    basis = _basis([[Fraction(one in row) for one in columns] for row in told])
    found = []
    for team, inside in hidden.items():
        if inside - known and _spans(basis, [Fraction(one in inside) for one in columns]):
            found.append(Leak("team", team, knower))
    for place, group in enumerate(crowd.values()):
        alone = [Fraction(index == place) for index in range(len(columns))]
        if len(group) == 1 and _spans(basis, alone):
            found.append(Leak("person", group[0], knower))
    return found


def _basis(rows: Iterable[Row]) -> list[tuple[int, Row]]:
    """The rows in echelon form, each with the place of its leading one."""
    basis: list[tuple[int, Row]] = []
    for row in rows:
        left = _reduced(basis, row)
        lead = next((place for place, value in enumerate(left) if value), None)
        if lead is not None:
            basis.append((lead, [value / left[lead] for value in left]))
    return basis


def _reduced(basis: Iterable[tuple[int, Row]], row: Row) -> Row:
    for lead, one in basis:
        if row[lead]:
            factor = row[lead]
            row = [value - factor * part for value, part in zip(row, one, strict=True)]
    return row


def _spans(basis: Iterable[tuple[int, Row]], row: Row) -> bool:
    return not any(_reduced(basis, row))
