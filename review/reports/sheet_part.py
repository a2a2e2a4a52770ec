"""The KPI sheet, bonus, deductions and veto of one working, as texts for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.rounding import short_text

FIGURES = ("weight", "target", "actual", "limit", "full", "cost", "points", "cap")


@dataclass(frozen=True, slots=True)
class RowPart:
    """One row of the sheet: its figures as decimals by name, and the points it earned in hundredths."""

    key: str
    rule: str
    figures: Mapping[str, str]
    lapses: int | None
    veto_at: int | None
    earned: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Bonus or deduction: (points, reason) of each line, and the sum that counts."""

    lines: tuple[tuple[str, str], ...]
    total: str


@dataclass(frozen=True, slots=True)
class SheetPart:
    """All that makes a total out of a rating. The shares are percents; `kpi` is K in hundredths."""

    rows: tuple[RowPart, ...]
    kpi: int | None
    rating_share: str
    sheet_share: str
    bonus: Lines
    deduction: Lines
    veto: Mapping[str, str] | None
    flags: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Nothing but the rating makes the score."""
        return not self.rows and not self.bonus.lines and not self.deduction.lines


def sheet_part(working: Mapping[str, Any]) -> SheetPart:
    share = Fraction(working["rating_share"])
    return SheetPart(
        rows=tuple(_row(line) for line in working.get("kpi_lines", ())),
        kpi=working["kpi"],
        rating_share=short_text(100 * share),
        sheet_share=short_text(100 - 100 * share),
        bonus=_lines(working.get("bonus_lines", ()), working["bonus"]),
        deduction=_lines(working.get("deduction_lines", ()), working["deduction"]),
        veto=working.get("sheet_veto"),
        flags=tuple(working["flags"]),
    )


def _row(line: Mapping[str, Any]) -> RowPart:
    figures = {name: short_text(Fraction(line[name])) for name in FIGURES if name in line}
    lapses, veto_at = (int(line[name]) if name in line else None for name in ("lapses", "veto_at"))
    return RowPart(line["key"], line["rule"], figures, lapses, veto_at, line["earned"])


def _lines(lines: Sequence[Mapping[str, str]], total: str) -> Lines:
    return Lines(
        tuple((short_text(Fraction(line["points"])), line["reason"]) for line in lines), short_text(Fraction(total))
    )
