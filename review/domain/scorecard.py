"""The outcome of scoring with its whole working: numbers in hundredths, each rounded once, and the exact ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from review.domain.kpi import KpiItem, Line, SheetVeto
from review.domain.rounding import decimal_text
from review.domain.vocabulary import Grade, Source


class WhyNoScore(StrEnum):
    """Why there is no official score."""

    SUPERVISOR_INCOMPLETE = "supervisor_incomplete"  # 待补评
    TOO_LITTLE_WEIGHT = "too_little_weight"  # under half of a criterion's weight is there
    SHEET_OPEN = "sheet_open"  # a row of the KPI sheet has no figure yet; comes only from a cycle, never from a file


class Reason(StrEnum):
    """Why a source does not count in a criterion. The last two come only from a cycle, never from a plain file."""

    BELOW_MINIMUM = "below_minimum"
    NOT_ASKED = "not_asked"
    REFERENCE = "reference"  # the self-review: shown, never counted
    PANEL_TOO_SMALL = "panel_too_small"
    LEFT_OUT = "left_out"


class Flag(StrEnum):
    """What a reader of the score must know; the closed list, in the order in which flags are given.

    depends_on_peers, depends_on_customers: the source is left out of some criterion, and with its lowest or its highest
    possible points there (levels: 40 and 100, stars: 20 and 100) the grade would be another one.
    small_sample: customers count somewhere with fewer than 34 answers.
    near_cut: the rounded score lies less than one standard error from a cut.
    sheet_veto: the veto lowered the grade.
    """

    DEPENDS_ON_PEERS = "depends_on_peers"
    DEPENDS_ON_CUSTOMERS = "depends_on_customers"
    SMALL_SAMPLE = "small_sample"
    NEAR_CUT = "near_cut"
    SHEET_VETO = "sheet_veto"


class SourceLine(NamedTuple):
    """One source in one criterion. `points / over` is the exact mean; None where no figure may be shown.

    `n` is the number of ratings, or a range where peers are told in steps or lie under their minimum.
    `weight` is nominal (percent), `weight_used` what it became after redistribution (hundredths of a percent).
    A named tuple, because a cycle of 10,000 reviews makes 200,000 of them.
    """

    n: int | str
    total: int | None
    points: int | None
    over: int
    mean: int | None
    weight: int
    weight_used: int
    counted: bool
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion: its score in hundredths and exactly, None where it cannot be computed."""

    key: str
    share: int
    score: int | None
    exact: Fraction | None
    sources: Mapping[Source, SourceLine]


@dataclass(frozen=True, slots=True)
class KpiLine:
    """One row of the KPI sheet and what it earned."""

    item: KpiItem
    exact: Fraction
    points: int


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A whole result. `computed_grade` is the grade before a veto; `bonus` and `deduction` are the capped sums."""

    score: int | None
    grade: Grade | None
    computed_grade: Grade | None
    withheld: WhyNoScore | None
    rating: int | None
    rating_exact: Fraction | None
    kpi: int | None
    kpi_exact: Fraction | None
    rating_share: Fraction
    criteria: tuple[CriterionLine, ...]
    kpi_lines: tuple[KpiLine, ...]
    bonus_lines: tuple[Line, ...]
    bonus: Fraction
    deduction_lines: tuple[Line, ...]
    deduction: Fraction
    sheet_veto: SheetVeto | None
    standard_error: Fraction  # of the rating, as it was taken for the flag near_cut
    flags: tuple[Flag, ...]
    method_id: str
    method_hash: str
    input_hash: str
    next_grade: Grade | None
    distance: int | None  # hundredths still missing to the next cut

    def criterion(self, key: str) -> CriterionLine:
        """Raises KeyError for a key that is none of the scheme's."""
        for line in self.criteria:
            if line.key == key:
                return line
        raise KeyError(key)

    def as_contract(self) -> dict[str, object]:
        """The JSON that the `score` command prints: numbers as strings with two decimals, counts and weights whole."""
        return {
            "score": _text(self.score),
            "grade": self.grade.value if self.grade else None,
            "withheld": self.withheld.value if self.withheld else None,
            "rating": _text(self.rating),
            "kpi": _text(self.kpi),
            "criteria": {line.key: _criterion(line) for line in self.criteria},
            "flags": [flag.value for flag in self.flags],
            "method": {"id": self.method_id, "hash": self.method_hash},
            "input_hash": self.input_hash,
        }


def _criterion(line: CriterionLine) -> dict[str, object]:
    return {
        "score": _text(line.score),
        "sources": {source.value: _source(part) for source, part in line.sources.items()},
    }


def _source(line: SourceLine) -> dict[str, object]:
    return {
        "n": line.n,
        "sum": line.total,
        "mean": _text(line.mean),
        "weight": line.weight,
        "weight_used": _text(line.weight_used),
        "counted": line.counted,
        "reason": line.reason.value if line.reason else None,
    }


def _text(hundredths: int | None) -> str | None:
    return None if hundredths is None else decimal_text(hundredths)
