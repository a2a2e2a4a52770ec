"""Published results of a team or of the company side by side: grades, scores, who has signed.

Peer figures appear on single results only; here stand official scores and grades, never a source by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from review.cycles.tables import CycleRow
from review.domain.refusals import NotYet
from review.domain.rounding import half_up
from review.domain.vocabulary import GRADES, Grade
from review.infra.lists import Listing
from review.results import publication
from review.results.publication import Count

FEW = 5  # among fewer people a distribution or a mean would be about single persons


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One published result in a list."""

    review_id: int
    name: str
    employee_no: str
    department: str | None
    score: int | None
    grade: Grade | None
    is_changed: bool
    is_acknowledged: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """How many results, signatures and results without a score; `grades` (by grade's key) and `mean` (hundredths).

    Both are None where fewer than FEW people have a score.
    """

    results: int
    signed: int
    without_score: int
    grades: dict[str, int] | None
    mean: int | None


def overview_of(cycle: CycleRow, supervisor_id: int | None) -> Overview:
    """All published results of a cycle, or those a supervisor answers for. Raises NotYet before publication."""
    counts = publication.counts_in(cycle.id, supervisor_id)
    if not counts:
        raise NotYet("results:not_published_yet")
    scored = [count for count in counts if count.grade is not None]
    people = sum(count.results for count in scored)
    return Overview(
        results=sum(count.results for count in counts),
        signed=sum(count.signed for count in counts),
        without_score=sum(count.results for count in counts) - people,
        grades=_grades(scored) if people >= FEW else None,
        mean=half_up(sum(count.score for count in scored), people, places=0) if people >= FEW else None,
    )


def _grades(scored: Sequence[Count]) -> dict[str, int]:
    by_grade = {count.grade: count.results for count in scored}
    return {grade.value: by_grade.get(grade, 0) for grade in GRADES}


def page_of_results(cycle: CycleRow, supervisor_id: int | None, page: int) -> Listing:
    """One page of the same results as ResultLines, in order of department and name."""
    listing = publication.lines_in(cycle.id, supervisor_id, page=page)
    lines = [_line(row, is_signed) for row, is_signed in listing.rows]
    return Listing(lines, listing.number, listing.total, listing.per_page)


def _line(row: Any, is_signed: bool) -> ResultLine:
    return ResultLine(
        review_id=row.review_id,
        name=row.body["subject"]["name"],
        employee_no=row.body["subject"]["employee_no"],
        department=row.body["subject"]["department"],
        score=row.score,
        grade=row.grade,
        is_changed=row.body["decision"]["final"] != row.body["decision"]["computed"],
        is_acknowledged=is_signed,
    )
