"""What may be published about peers: figures under the minimum hold no number, all others are coarsened in steps.

A cell is published once, and the score counts exactly what is shown, so that no total gives away more than the cell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from review.domain.vocabulary import PeerStep

FINE_FROM, FINER_FROM = 8, 13  # ballots from which the steps are 5, then 2 points wide


class WhyWithheld(StrEnum):
    """Why a figure is neither shown nor counted."""

    BELOW_MINIMUM = "below_minimum"
    NOT_ASKED = "not_asked"
    PANEL_TOO_SMALL = "panel_too_small"
    LEFT_OUT = "left_out"  # an upheld appeal takes the cell out of the result


class End(StrEnum):
    """The open end of the scale a stepped figure fell into."""

    LOW = "low"  # "60 or lower"
    HIGH = "high"  # "90 or higher"


@dataclass(frozen=True, slots=True)
class Shown:
    """A published figure: `points / over`, from `n` ballots ("5-7", "13+"; the plain count where the mean is exact)."""

    n: str
    points: int
    over: int = 1
    end: End | None = None

    @property
    def is_exact(self) -> bool:
        return self.n.isdigit()


@dataclass(frozen=True, slots=True)
class Withheld:
    """No figure, and no number from which one could be worked out."""

    why: WhyWithheld


Figure = Shown | Withheld


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known about peers on one criterion of one review, for good."""

    criterion: str
    figure: Figure


def publish_cell(
    criterion: str,
    points: Sequence[int],
    minimum: int,
    panel_size: int,
    step: PeerStep | None = PeerStep.STEPPED,
) -> Cell:
    """The cell for the points (40 to 100) peers gave on one criterion, those who could not judge left out.

    `panel_size` counts the seats of the whole review: below the minimum nothing is published at all.
    """
    return Cell(criterion, publish_figure(sum(points), len(points), minimum, panel_size, step))


def publish_figure(
    total: int, count: int, minimum: int, panel_size: int, step: PeerStep | None = PeerStep.STEPPED
) -> Figure:
    """The figure for `count` ballots that add up to `total` points."""
    if panel_size < minimum:
        return Withheld(WhyWithheld.PANEL_TOO_SMALL)
    if count < minimum:
        return Withheld(WhyWithheld.BELOW_MINIMUM)
    if step is None:
        return Shown(str(count), total, count)
    points, end = stepped(total, count)
    return Shown(bucket_of(count, minimum), points, 1, end)


def left_out(cells: Iterable[Cell], criterion: str) -> tuple[Cell, ...]:
    """The cells after an upheld appeal against peers on one criterion: nothing is counted anew, the figure goes.

    Its weight passes to the other sources. A cell that told nothing keeps its own reason.
    """
    gone = Withheld(WhyWithheld.LEFT_OUT)
    return tuple(
        Cell(criterion, gone) if cell.criterion == criterion and isinstance(cell.figure, Shown) else cell
        for cell in cells
    )


def bucket_of(count: int, minimum: int) -> str:
    """The range of ballots that is told instead of `count`; it starts at the minimum where that lies inside it."""
    if count >= FINER_FROM:
        return f"{max(FINER_FROM, minimum)}+"
    if count >= FINE_FROM:
        return f"{max(FINE_FROM, minimum)}-{FINER_FROM - 1}"
    return f"{minimum}-{FINE_FROM - 1}"


def stepped(total: int, count: int) -> tuple[int, End | None]:
    """The points shown and counted for a mean of `total / count`, and the open end if it is one."""
    if count < FINE_FROM:
        return _coarse(total, count)
    width = 5 if count < FINER_FROM else 2
    nearest = width * ((2 * total + width * count) // (2 * width * count))  # half up
    if nearest <= 60:
        return 52, End.LOW
    if nearest >= 90:
        return 94, End.HIGH
    return nearest, None


def _coarse(total: int, count: int) -> tuple[int, End | None]:
    if total < 65 * count:
        return 52, End.LOW
    if total < 75 * count:
        return 70, None
    if total < 84 * count:
        return 80, None
    return 92, End.HIGH
