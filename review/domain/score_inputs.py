"""The inputs of a score as plain data in one order-independent spelling: what the input hash is taken of.

Exact numbers stand in it as reduced fractions ("931/10", "60"), the one spelling that every rational has. Peers stand
in it as the figures that count, so that nobody can try out single answers against the hash.
"""

from collections.abc import Sequence

from review.domain.disclosure import Cell, Shown
from review.domain.kpi import KpiItem, Line, SheetVeto
from review.domain.responses import Answers, Evidence

_FIGURES = ("weight", "target", "actual", "limit", "full", "cost", "veto_at", "lapses", "points", "cap")


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
        "kpi": [_item(item) for item in sorted(items, key=lambda item: item.key)],
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


def _item(item: KpiItem) -> dict[str, object]:
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
