"""A scheme as it might have been: for asking what a cycle would have come to, within what its stored figures can tell.

Peers' answers exist as published figures alone: what would need their ballots again is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review.domain.reading import exact
from review.domain.refusals import Invalid, Problem
from review.domain.scheme import dump_scheme, parse_scheme
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import COUNTING, GRADES, Grade, Level, Source


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is to be tried, each number as it was typed. `stepped`: whether peers' figures are coarsened in steps."""

    shares: Mapping[str, str]
    weights: Mapping[str, Mapping[Source, str]]
    cuts: Mapping[Grade, str]
    points: Mapping[Level, str]
    customers: str
    peers: str
    stepped: bool


def supposition_of(scheme: Scheme) -> Supposition:
    """The scheme as it is."""
    data: Any = dump_scheme(scheme)
    return Supposition(
        shares={criterion.key: str(criterion.share) for criterion in scheme.criteria},
        weights={c.key: {source: str(c.weights[source]) for source in COUNTING} for c in scheme.criteria},
        cuts={grade: data["cuts"][grade.value] for grade in GRADES[:-1]},
        points={rule.level: str(rule.points) for rule in scheme.levels},
        customers=str(scheme.minimums[Source.CUSTOMERS]),
        peers=str(scheme.minimums[Source.PEERS]),
        stepped=scheme.peer_step is not None,
    )


def supposed(scheme: Scheme, wanted: Supposition) -> Scheme:
    """The scheme of a past cycle with these changes. Raises Invalid with every problem and its place in the scheme.

    Besides what makes no sense: diagnostics:peers_fixed (another minimum or step for peers, other points of a level
    where peers answered) and diagnostics:never_asked (a weight for a source that nobody asked about the criterion).
    """
    problems = [*_of_peers(scheme, wanted), *_unasked(scheme, wanted)]
    try:
        made = parse_scheme(_data(scheme, wanted))
    except Invalid as refusal:
        raise Invalid.of([*problems, *refusal.problems]) from None
    if problems:
        raise Invalid.of(problems)
    return made


def _data(scheme: Scheme, wanted: Supposition) -> dict[str, Any]:
    data: dict[str, Any] = dict(dump_scheme(scheme))
    data["criteria"] = [
        {
            **criterion,
            "share": wanted.shares[criterion["key"]],
            "weights": {source.value: text for source, text in wanted.weights[criterion["key"]].items()},
        }
        for criterion in data["criteria"]
    ]
    data["cuts"] = {grade.value: text for grade, text in wanted.cuts.items()}
    data["levels"] = [{**level, "points": wanted.points[Level(level["key"])]} for level in data["levels"]]
    data["minimums"] = {Source.PEERS.value: wanted.peers, Source.CUSTOMERS.value: wanted.customers}
    if not scheme.asked_of(Source.PEERS) and not wanted.stepped:
        data["peer_step"] = None
    return data


def _of_peers(scheme: Scheme, wanted: Supposition) -> list[Problem]:
    if not scheme.asked_of(Source.PEERS):
        return []
    places = [] if exact(wanted.peers) == scheme.minimums[Source.PEERS] else ["minimums.peers"]
    places += [] if wanted.stepped == (scheme.peer_step is not None) else ["peer_step"]
    places += [
        f"levels[{at}].points"
        for at, rule in enumerate(scheme.levels)
        if exact(wanted.points[rule.level]) != rule.points
    ]
    return [Problem("diagnostics:peers_fixed", where) for where in places]


def _unasked(scheme: Scheme, wanted: Supposition) -> list[Problem]:
    return [
        Problem("diagnostics:never_asked", f"criteria[{at}].weights.{source.value}", {"source": source.value})
        for at, criterion in enumerate(scheme.criteria)
        for source in (Source.PEERS, Source.CUSTOMERS)
        if criterion.weights[source] == 0 and exact(wanted.weights[criterion.key][source]) != 0
    ]
