"""A scorecard as plain data that can be kept for good: every number of the working, exact where it was not rounded."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from review.domain.kpi import Line
from review.domain.score_inputs import plain_item
from review.domain.scorecard import CriterionLine, KpiLine, Scorecard, SourceLine
from review.domain.vocabulary import Source


def working_of(card: Scorecard) -> dict[str, Any]:
    """JSON types only. Scores are hundredths, exact values `"numerator/denominator"`, weights in percent."""
    veto = card.sheet_veto
    return {
        "score": card.score,
        "grade": card.grade.value if card.grade else None,
        "computed_grade": card.computed_grade.value if card.computed_grade else None,
        "withheld": card.withheld.value if card.withheld else None,
        "rating": card.rating,
        "rating_exact": _exact(card.rating_exact),
        "kpi": card.kpi,
        "kpi_exact": _exact(card.kpi_exact),
        "rating_share": _exact(card.rating_share),
        "kpi_lines": [_kpi_line(line) for line in card.kpi_lines],
        "bonus": _exact(card.bonus),
        "bonus_lines": [_line(line) for line in card.bonus_lines],
        "deduction": _exact(card.deduction),
        "deduction_lines": [_line(line) for line in card.deduction_lines],
        "sheet_veto": {"cap": veto.cap.value, "reason": veto.reason} if veto else None,
        "standard_error": _exact(card.standard_error),
        "criteria": [_criterion(line) for line in card.criteria],
        "flags": [flag.value for flag in card.flags],
        "next_grade": card.next_grade.value if card.next_grade else None,
        "distance": card.distance,
        "method": {"id": card.method_id, "hash": card.method_hash},
        "input_hash": card.input_hash,
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _kpi_line(line: KpiLine) -> dict[str, Any]:
    return {**plain_item(line.item), "exact": _exact(line.exact), "earned": line.points}


def _line(line: Line) -> dict[str, Any]:
    return {"points": _exact(line.points), "reason": line.reason}


def _criterion(line: CriterionLine) -> dict[str, Any]:
    return {
        "key": line.key,
        "share": line.share,
        "score": line.score,
        "exact": _exact(line.exact),
        "sources": {source.value: _source(part) for source, part in line.sources.items()},
    }


def _source(line: SourceLine) -> dict[str, Any]:
    return {
        "n": line.n,
        "points": line.points,
        "over": line.over,
        "mean": line.mean,
        "weight": line.weight,
        "weight_used": line.weight_used,
        "counted": line.counted,
        "reason": line.reason.value if line.reason else None,
    }


def customers_count(working: Mapping[str, Any]) -> bool:
    """Whether customers' figures count anywhere: their words are shown where their figures are, and only there."""
    return any(line["sources"][Source.CUSTOMERS.value]["counted"] for line in working["criteria"])
