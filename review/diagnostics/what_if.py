"""What other rules would have made of a published cycle: grades side by side, worked out and forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass

from review.cycles.tables import CycleRow
from review.domain.scheme_shape import Scheme
from review.domain.scoring import score
from review.domain.vocabulary import GRADES, Grade
from review.results.replay import Published, published_with_inputs

Outcome = Grade | None  # None: no score, so no grade
OUTCOMES: tuple[Outcome, ...] = (*GRADES, None)


@dataclass(frozen=True, slots=True)
class Mover:
    """Somebody whose computed grade would be another one, with the score (hundredths) that these rules give."""

    was: Published
    score: int | None
    grade: Outcome

    @property
    def is_up(self) -> bool:
        """A grade is better than none, and an earlier one in the order of grades is better."""
        return OUTCOMES.index(self.grade) < OUTCOMES.index(self.was.computed)

    @property
    def was_decided_otherwise(self) -> bool:
        return self.was.final is not self.was.computed


@dataclass(frozen=True, slots=True)
class Trial:
    """The whole cycle: how many went from which grade to which, who moved, and of how many nothing can be said."""

    moved: Mapping[tuple[Outcome, Outcome], int]
    movers: tuple[Mover, ...]
    scores_changed: int
    unknown: int

    @property
    def people(self) -> int:
        return sum(self.moved.values())

    @property
    def up(self) -> int:
        return sum(mover.is_up for mover in self.movers)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The rows and columns of the table: every grade, and no grade where somebody has none."""
        return OUTCOMES if any(None in pair for pair in self.moved) else GRADES

    def before(self, outcome: Outcome) -> int:
        return sum(count for (was, _), count in self.moved.items() if was is outcome)

    def after(self, outcome: Outcome) -> int:
        return sum(count for (_, now), count in self.moved.items() if now is outcome)


def tried(cycle: CycleRow, scheme: Scheme) -> Trial:
    """Score every published result of the cycle by `scheme`, in one query. Raises NotYet before the publication."""
    moved: dict[tuple[Outcome, Outcome], int] = {}
    movers, changed, unknown = [], 0, 0
    for published in published_with_inputs(cycle):
        if published.inputs is None:
            unknown += 1
            continue
        said = published.inputs
        card = score(scheme, said.evidence, said.items, said.bonus, said.deductions, said.sheet_veto)
        pair = (published.computed, card.grade)
        moved[pair] = moved.get(pair, 0) + 1
        changed += card.score != published.score
        if card.grade is not published.computed:
            movers.append(Mover(published, card.score, card.grade))
    return Trial(moved, tuple(movers), changed, unknown)
