"""What moved a published score since the one before it, from the two publications alone; words stand in templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.movement import Asked, Cause, Movement, Part, Scored, movement
from review.domain.scheme import Scheme
from review.domain.vocabulary import COUNTING, Level
from review.reports.ledger import Ledger, SourcePart, ledger_of
from review.reports.result_page import level_of


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the change: the points it moved (hundredths), and its bar from `x`, `width` wide, in percent.

    `was` and `now` are the source's figure as the two result pages show it, with its level where it is exactly one.
    """

    part: Part
    points: int
    x: float
    width: float
    was: SourcePart | None
    now: SourcePart | None
    was_level: Level | None
    now_level: Level | None

    @property
    def is_up(self) -> bool:
        return self.part.points > 0


@dataclass(frozen=True, slots=True)
class Moved:
    """All of it: printed points and `rounding` add up to `change`. `since` names the cycle before.

    `other_points`: levels were worth other points then, which is part of what the sources moved.
    """

    since: str
    since_id: int
    was: int
    now: int
    change: int
    rows: tuple[Row, ...]
    rounding: int
    other_points: bool

    @property
    def strongest(self) -> tuple[Row, ...]:
        """The three parts that moved most, the largest first."""
        return tuple(sorted(self.rows, key=lambda row: -abs(row.part.points))[:3])


def moved_since(earlier: Any, before: Scheme, later: Any, after: Scheme) -> Moved | None:
    """What moved the score between two publications of one person; None where one of them has no score."""
    if earlier.score is None or later.score is None:
        return None
    told = movement(_scored(earlier, before), _scored(later, after))
    return Moved(
        since=earlier.body["cycle"]["name"],
        since_id=earlier.review_id,
        was=earlier.score,
        now=later.score,
        change=told.change,
        rows=_rows(told, earlier, before, later, after),
        rounding=told.shown_rounding,
        other_points=[rule.points for rule in before.levels] != [rule.points for rule in after.levels],
    )


def _scored(publication: Any, scheme: Scheme) -> Scored:
    working = publication.body["working"]
    return Scored(
        criteria={line["key"]: _asked(line) for line in working["criteria"]},
        rating_share=scheme.rating_share,
        sheet=Fraction(working["kpi_exact"]) if working["kpi_exact"] else None,
        bonus=Fraction(working["bonus"]),
        deduction=Fraction(working["deduction"]),
        score=publication.score,
    )


def _asked(line: Mapping[str, Any]) -> Asked:
    parts = {source: line["sources"][source.value] for source in COUNTING}
    return Asked(
        share=line["share"],
        weights={source: part["weight"] for source, part in parts.items()},
        means={
            source: Fraction(part["points"], part["over"]) if part["counted"] else None
            for source, part in parts.items()
        },
    )


def _rows(told: Movement, earlier: Any, before: Scheme, later: Any, after: Scheme) -> tuple[Row, ...]:
    was, now = ledger_of(earlier.body["working"]), ledger_of(later.body["working"])
    largest = max((abs(part.points) for part in told.parts), default=Fraction(1))
    rows = []
    for part in told.parts:
        old, new = _figure(was, part), _figure(now, part)
        reach = round(float(abs(part.points) / largest) * 50, 2)
        x = 50.0 if part.points > 0 else 50 - reach
        rows.append(Row(part, part.shown, x, reach, old, new, _level(old, before), _level(new, after)))
    return tuple(rows)


def _figure(book: Ledger, part: Part) -> SourcePart | None:
    if part.cause not in {Cause.ANSWERS, Cause.CAME, Cause.LEFT}:
        return None
    lines = (line for line in book.criteria if line.key == part.criterion)
    return next((one for line in lines for one in line.parts if one.source is part.source and one.counted), None)


def _level(figure: SourcePart | None, scheme: Scheme) -> Level | None:
    return level_of(figure.points, scheme) if figure and figure.over == 1 else None
