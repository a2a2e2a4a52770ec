"""The KPI sheet, bonus, deductions and veto of one working, as texts for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.rounding import short_text

FIGURES = ("weight", "target", "actual", "limit", "full", "cost", "points", "cap")


@dataclass(frozen=True, slots=True)
class RowPart:
    """One row of the sheet: its figures as decimals by name, and the points it earned in hundredths.

    `name`, `unit` and `count` (what the figure rests on) come from the sheet that was frozen with the result; results
    whose sheet was not kept name their rows by key. `raw` are the figures exactly.
    """

    key: str
    rule: str
    figures: Mapping[str, str]
    lapses: int | None
    veto_at: int | None
    earned: int
    raw: Mapping[str, str]
    name: Mapping[str, str] | None = None
    unit: str | None = None
    count: str | None = None


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
    left_out: tuple[tuple[Mapping[str, str], str], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Nothing but the rating makes the score."""
        return not self.rows and not self.bonus.lines and not self.deduction.lines


def sheet_part(working: Mapping[str, Any], frozen: Mapping[str, Any] | None = None) -> SheetPart:
    """The sheet in a working; `frozen` is the one that was kept with the publication."""
    share = Fraction(working["rating_share"])
    kept = {row["key"]: row for row in frozen["rows"]} if frozen else {}
    return SheetPart(
        rows=tuple(_row(line, kept.get(line["key"])) for line in working.get("kpi_lines", ())),
        kpi=working["kpi"],
        rating_share=short_text(100 * share),
        sheet_share=short_text(100 - 100 * share),
        bonus=_lines(working.get("bonus_lines", ()), working["bonus"]),
        deduction=_lines(working.get("deduction_lines", ()), working["deduction"]),
        veto=working.get("sheet_veto"),
        flags=tuple(working["flags"]),
        left_out=tuple((row["name"], row["why"]) for row in kept.values() if row["left_out"]),
    )


def _row(line: Mapping[str, Any], kept: Mapping[str, Any] | None) -> RowPart:
    raw = {name: str(line[name]) for name in FIGURES if name in line}
    figures = {name: short_text(Fraction(text)) for name, text in raw.items()}
    lapses, veto_at = (int(line[name]) if name in line else None for name in ("lapses", "veto_at"))
    told = {name: kept[name] for name in ("name", "unit", "count")} if kept else {}
    return RowPart(line["key"], line["rule"], figures, lapses, veto_at, line["earned"], raw, **told)


def _lines(lines: Sequence[Mapping[str, str]], total: str) -> Lines:
    return Lines(
        tuple((short_text(Fraction(line["points"])), line["reason"]) for line in lines), short_text(Fraction(total))
    )
