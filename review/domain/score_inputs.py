"""The inputs of a score as plain data in one order-independent spelling, and back: what the input hash is taken of.

Exact numbers stand in it as reduced fractions ("931/10", "60"), the one spelling that every rational has. Peers stand
in it as the figures that count, so that nobody can try out single answers against the hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.domain.disclosure import Cell, Figure, Shown, WhyWithheld, Withheld
from review.domain.kpi import Bracket, KpiItem, KpiRule, Line, SheetVeto
from review.domain.responses import Answers, Evidence, Tally
from review.domain.vocabulary import Grade, Level

_COUNTS = ("veto_at", "lapses")
_FIGURES = ("weight", "target", "actual", "limit", "full", "cost", *_COUNTS, "points", "cap")


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """All that `scoring.score` needs besides the scheme."""

    evidence: Evidence
    items: tuple[KpiItem, ...]
    bonus: tuple[Line, ...]
    deductions: tuple[Line, ...]
    sheet_veto: SheetVeto | None

    def plain(self) -> dict[str, object]:
        return plain_inputs(self.evidence, self.items, self.bonus, self.deductions, self.sheet_veto)


def plain_inputs(
    evidence: Evidence,
    items: Sequence[KpiItem],
    bonus: Sequence[Line],
    deductions: Sequence[Line],
    veto: SheetVeto | None,
) -> dict[str, object]:
    """Everything a score depends on besides the scheme; customers as sum and count by criterion."""
    return {
        "self": sorted(_answers(answers) for answers in evidence.self),
        "supervisor": sorted(_answers(answers) for answers in evidence.supervisor),
        "peers": {cell.criterion: _figure(cell) for cell in evidence.peers},
        "customers": {key: [tally.total, tally.count] for key, tally in evidence.customers.items() if tally.count},
        "kpi": [plain_item(item) for item in sorted(items, key=lambda item: item.key)],
        "bonus": sorted(_line(line) for line in bonus),
        "deductions": sorted(_line(line) for line in deductions),
        "sheet_veto": None if veto is None else {"cap": veto.cap.value, "reason": veto.reason},
    }


def _answers(answers: Answers) -> list[list[str]]:
    return sorted([key, level.value] for key, level in answers.items() if level is not None)


def _figure(cell: Cell) -> dict[str, object]:
    if isinstance(cell.figure, Shown):
        return {"n": cell.figure.n, "points": cell.figure.points, "over": cell.figure.over}
    return {"withheld": cell.figure.why.value}


def plain_item(item: KpiItem) -> dict[str, object]:
    """One row of a KPI sheet; figures that it does not have are left out."""
    plain: dict[str, object] = {"key": item.key, "rule": item.rule.value}
    for name in _FIGURES:
        value = getattr(item, name)
        if value is not None:
            plain[name] = str(value)
    if item.brackets:
        plain["brackets"] = [[str(bracket.start), str(bracket.points)] for bracket in item.brackets]
    return plain


def _line(line: Line) -> list[str]:
    return [str(line.points), line.reason]


def read_inputs(plain: Mapping[str, Any]) -> ScoreInputs:
    """The inputs that `plain_inputs` spelled; their spelling is `plain` again.

    Open ends of peers' figures are not kept ("90 or higher"): they are words and count for nothing.
    """
    veto = plain["sheet_veto"]
    return ScoreInputs(
        evidence=Evidence(
            self=_read_sheets(plain["self"]),
            supervisor=_read_sheets(plain["supervisor"]),
            peers=tuple(Cell(key, _read_figure(figure)) for key, figure in plain["peers"].items()),
            customers={key: Tally(total, count) for key, (total, count) in plain["customers"].items()},
        ),
        items=tuple(_read_item(item) for item in plain["kpi"]),
        bonus=_read_lines(plain["bonus"]),
        deductions=_read_lines(plain["deductions"]),
        sheet_veto=None if veto is None else SheetVeto(Grade(veto["cap"]), veto["reason"]),
    )


def _read_sheets(sheets: Sequence[Sequence[Sequence[str]]]) -> tuple[Answers, ...]:
    return tuple({key: Level(level) for key, level in sheet} for sheet in sheets)


def _read_figure(figure: Mapping[str, Any]) -> Figure:
    if "withheld" in figure:
        return Withheld(WhyWithheld(figure["withheld"]))
    return Shown(figure["n"], figure["points"], figure["over"])


def _read_item(plain: Mapping[str, Any]) -> KpiItem:
    figures: dict[str, Any] = {
        name: (int if name in _COUNTS else Fraction)(plain[name]) for name in _FIGURES if name in plain
    }
    brackets = [Bracket(Fraction(one[0]), Fraction(one[1])) for one in plain.get("brackets", ())]
    return KpiItem(key=plain["key"], rule=KpiRule(plain["rule"]), brackets=tuple(brackets), **figures)


def _read_lines(lines: Sequence[Sequence[str]]) -> tuple[Line, ...]:
    return tuple(Line(Fraction(points), reason) for points, reason in lines)
