"""Published results of a team or of the company side by side: grades, scores, who has signed.

Peer figures appear on single results only; here stand official scores and grades, never a source by itself.
"""

from collections import Counter
from dataclasses import dataclass

from review.cycles.tables import CycleRow
from review.domain.refusals import NotYet
from review.domain.vocabulary import GRADES, Grade
from review.results import publication

FEW = 5  # under so many people an average would be somebody's score


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
    """Results in order of department and name, the distribution of grades, and the mean of the scores (hundredths)."""

    lines: tuple[ResultLine, ...]
    grades: tuple[tuple[Grade, int], ...]
    without_score: int
    mean: int | None
    acknowledged: int

    @property
    def grades_by_key(self) -> dict[str, int]:
        return {grade.value: count for grade, count in self.grades}


def overview_of(cycle: CycleRow, supervisor_id: int | None) -> Overview:
    """All published results of a cycle, or those a supervisor answers for. Raises NotYet before publication."""
    rows = publication.lines_in(cycle.id, supervisor_id)
    if not rows:
        raise NotYet("results:not_published_yet")
    lines = tuple(
        ResultLine(
            review_id=row.review_id,
            name=row.body["subject"]["name"],
            employee_no=row.body["subject"]["employee_no"],
            department=row.body["subject"]["department"],
            score=row.score,
            grade=row.grade,
            is_changed=row.body["decision"]["final"] != row.body["decision"]["computed"],
            is_acknowledged=signed,
        )
        for row, signed in rows
    )
    ordered = tuple(sorted(lines, key=lambda line: (line.department or "", line.name, line.review_id)))
    scores = [line.score for line in lines if line.score is not None]
    counted = Counter(line.grade for line in lines if line.grade)
    return Overview(
        lines=ordered,
        grades=tuple((grade, counted[grade]) for grade in GRADES),
        without_score=len(lines) - len(scores),
        mean=(2 * sum(scores) + len(scores)) // (2 * len(scores)) if len(scores) >= FEW else None,
        acknowledged=sum(line.is_acknowledged for line in lines),
    )
