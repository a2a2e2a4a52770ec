"""The newest published result in a few figures, for its owner's start page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from review.domain.rounding import decimal_text, exact_text
from review.domain.scheme import Scheme
from review.domain.vocabulary import Grade, Text

MOST_PERIODS = 6


@dataclass(frozen=True, slots=True)
class LastResult:
    """Scores as text with two decimals; `best` and `weakest` only where there is something to tell apart."""

    review_id: int
    cycle: str
    score: str | None
    grade: Grade | None
    next_grade: str | None
    distance: str | None
    trend: tuple[tuple[str, str | None], ...]
    cut: str | None
    best: tuple[Text, str] | None
    weakest: tuple[Text, str] | None


def last_result(published: Sequence[Any], scheme: Scheme) -> LastResult:
    """Of a person's publications, oldest first; `scheme` is that of the last one."""
    row = published[-1]
    working = row.body["working"]
    names = {criterion.key: criterion.name for criterion in scheme.criteria}
    lines = [(line["score"], names[line["key"]]) for line in working["criteria"] if line["score"] is not None]
    scored = sorted(lines, key=lambda line: line[0])
    return LastResult(
        review_id=row.review_id,
        cycle=row.body["cycle"]["name"],
        score=_text(row.score),
        grade=row.grade,
        next_grade=working["next_grade"],
        distance=_text(working["distance"]),
        trend=tuple((each.body["cycle"]["name"], _text(each.score)) for each in published[-MOST_PERIODS:]),
        cut=_cut(scheme, working["next_grade"]),
        best=(scored[-1][1], decimal_text(scored[-1][0])) if scored else None,
        weakest=(scored[0][1], decimal_text(scored[0][0])) if scored and scored[0][0] < scored[-1][0] else None,
    )


def _text(hundredths: int | None) -> str | None:
    return None if hundredths is None else decimal_text(hundredths)


def _cut(scheme: Scheme, next_grade: str | None) -> str | None:
    """The next cut, as short as it can be written."""
    if next_grade is None:
        return None
    return exact_text(scheme.cuts[Grade(next_grade)])
