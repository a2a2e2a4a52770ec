"""The inputs of a score as plain data in one order-independent spelling: what the input hash is taken of.

Peers stand in it as the figures that count, so that nobody can try out single answers against the hash.
"""

from collections.abc import Sequence
from fractions import Fraction

from review.domain.canonical import canonical_json
from review.domain.disclosure import Cell, Shown
from review.domain.kpi import KpiItem, Line, SheetVeto
from review.domain.responses import Answers, Evidence
from review.domain.rounding import exact_text, is_finite_decimal


def plain_inputs(
    evidence: Evidence,
    items: Sequence[KpiItem],
    bonus: Sequence[Line],
    deductions: Sequence[Line],
    veto: SheetVeto | None,
) -> dict[str, object]:
    """Everything a score depends on besides the scheme; customers as sum and count by criterion."""
    return {
        "self": _sorted([_answers(answers) for answers in evidence.self]),
        "supervisor": _sorted([_answers(answers) for answers in evidence.supervisor]),
        "peers": {cell.criterion: _figure(cell) for cell in evidence.peers},
        "customers": {key: [tally.total, tally.count] for key, tally in evidence.customers.items() if tally.count},
        "kpi": _sorted([_item(item) for item in items]),
        "bonus": _sorted([_line(line) for line in bonus]),
        "deductions": _sorted([_line(line) for line in deductions]),
        "sheet_veto": None if veto is None else {"cap": veto.cap.value, "reason": veto.reason},
    }


def _sorted(values: list[dict[str, object]]) -> list[dict[str, object]]:
    return values if len(values) < 2 else sorted(values, key=canonical_json)


def _answers(answers: Answers) -> dict[str, object]:
    return {key: level.value for key, level in answers.items() if level is not None}


def _figure(cell: Cell) -> dict[str, object]:
    if isinstance(cell.figure, Shown):
        return {"n": cell.figure.n, "points": cell.figure.points, "over": cell.figure.over}
    return {"withheld": cell.figure.why.value}


def _item(item: KpiItem) -> dict[str, object]:
    decimals = ("target", "actual", "limit", "full", "cost", "points")
    figures = {name: value for name in decimals if (value := getattr(item, name)) is not None}
    plain: dict[str, object] = {name: _number(value) for name, value in figures.items()}
    plain |= {"key": item.key, "weight": _number(item.weight), "rule": item.rule.value, "cap": _number(item.cap)}
    plain |= {"veto_at": item.veto_at, "lapses": item.lapses}
    plain["brackets"] = [[_number(bracket.start), _number(bracket.points)] for bracket in item.brackets]
    return plain


def _line(line: Line) -> dict[str, object]:
    return {"points": _number(line.points), "reason": line.reason}


def _number(value: Fraction) -> str:
    """A decimal where there is one, else a reduced fraction: an average that a system supplied may be a third."""
    return exact_text(value) if is_finite_decimal(value) else str(value)
