"""The working of one score as lines that add up, made from a published body and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.rounding import hundredths
from review.domain.vocabulary import COUNTING, Source

ENDS = {52: "low", 92: "high", 94: "high"}


@dataclass(frozen=True, slots=True)
class SourcePart:
    """One source in one criterion: its figure, what it weighs, and what it contributes (hundredths of a point).

    `mean` is the exact `points / over` as shown, `n` the number of ratings or a range, `end` the open end of a stepped
    peer figure. A source that does not count carries no figure at all, only the `reason`.
    """

    source: Source
    n: int | str | None
    points: int | None
    over: int
    mean: int | None
    weight: int
    weight_used: int
    counted: bool
    reason: str | None
    contribution: int | None
    end: str | None


@dataclass(frozen=True, slots=True)
class CriterionPart:
    """One criterion: its sources, its score (hundredths), and whether weight passed from one source to another."""

    key: str
    share: int
    score: int | None
    parts: tuple[SourcePart, ...]
    own: SourcePart | None

    @property
    def is_redistributed(self) -> bool:
        return any(part.counted and part.weight_used != 100 * part.weight for part in self.parts)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole working. `criteria_sum` is the sum of the criteria's exact scores, in hundredths.

    `is_even`: every criterion has the same share, so that the rating is their plain mean.
    """

    criteria: tuple[CriterionPart, ...]
    rating: int | None
    criteria_sum: int | None
    score: int | None

    @property
    def is_even(self) -> bool:
        return len({part.share for part in self.criteria}) == 1

    @property
    def is_complete(self) -> bool:
        """Whether every source that was asked counts, so that nothing was withheld."""
        return all(one.counted for part in self.criteria for one in part.parts)


def ledger_of(working: Mapping[str, Any]) -> Ledger:
    """The ledger of a working as `results.working` stores it."""
    criteria = tuple(_criterion(line) for line in working["criteria"])
    exact = [Fraction(line["exact"]) for line in working["criteria"] if line["exact"]]
    total = hundredths(sum(exact, Fraction(0))) if len(exact) == len(criteria) else None
    return Ledger(criteria, working["rating"], total, working["score"])


def _criterion(line: Mapping[str, Any]) -> CriterionPart:
    weight = sum(part["weight"] for part in line["sources"].values() if part["counted"])
    parts = tuple(
        _part(source, line["sources"][source.value], weight)
        for source in COUNTING
        if line["sources"][source.value]["weight"] > 0
    )
    own = line["sources"].get(Source.SELF.value)
    return CriterionPart(
        line["key"], line["share"], line["score"], parts, _part(Source.SELF, own, 0) if own and own["n"] else None
    )


def _part(source: Source, part: Mapping[str, Any], weight: int) -> SourcePart:
    reason = part["reason"]
    if not part["counted"] and source is not Source.SELF:
        return SourcePart(source, None, None, 1, None, part["weight"], 0, False, reason, None, None)
    share = Fraction(part["weight"] * part["points"], weight * part["over"]) if weight else None
    return SourcePart(
        source=source,
        n=part["n"],
        points=part["points"],
        over=part["over"],
        mean=part["mean"],
        weight=part["weight"],
        weight_used=part["weight_used"],
        counted=part["counted"],
        reason=reason,
        contribution=None if share is None else hundredths(share),
        end=_end(source, part),
    )


def _end(source: Source, part: Mapping[str, Any]) -> str | None:
    """Whether a stepped peer figure is an open end: "60 or lower" counts as 52, "90 or higher" as 92 or 94."""
    return ENDS.get(part["points"]) if source is Source.PEERS and isinstance(part["n"], str) else None
