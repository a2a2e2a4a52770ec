"""A sheet as plain data that is kept with a publication for good: all of it, in both languages. JSON types only."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from review.domain.vocabulary import Text
from review.kpi.sheets import Line, Row, Sheet, sheets_in


def frozen_in(cycle_id: int) -> dict[int, dict[str, Any]]:
    """Every sheet of a cycle on this day, by review; none in a cycle without a plan."""
    return {key: frozen(sheet) for key, sheet in sheets_in(cycle_id).items()}


def frozen(sheet: Sheet) -> dict[str, Any]:
    plan = sheet.plan
    veto = sheet.veto if sheet.veto and sheet.veto.is_approved else None
    return {
        "plan": {"key": plan.key, "version": plan.version, "name": _both(plan.name), "hash": plan.hash},
        "post": sheet.subject.post,
        "group": _both(sheet.group.name),
        "group_why": sheet.group_why,
        "channel": sheet.channel,
        "rows": [_row(row) for row in sheet.rows],
        "lines": [_line(line) for line in sheet.lines if line.is_approved],
        "veto": veto
        and {"cap": veto.cap.value, "reason": veto.reason, "evidence": veto.evidence, "by": veto.decided_by},
        "words": {part.value: {"text": word.text, "by": word.by} for part, word in sheet.words.items()},
        "signatures": [
            {"step": one.step.value, "by": one.by, "at": one.at.isoformat(), "remark": one.remark}
            for one in sheet.standing
        ],
        "digest": sheet.digest,
    }


def _both(text: Text) -> Mapping[str, str]:
    return {"zh": text.zh, "en": text.en}


def _row(row: Row) -> dict[str, Any]:
    plan, figure = row.plan, row.figure
    numbers = {
        "target": figure.target,
        "limit": figure.limit,
        "actual": figure.actual,
        "count": figure.count,
        "given": figure.points,
        "exact": row.exact,
    }
    return {
        "key": row.key,
        "group": _both(plan.group),
        "name": _both(plan.name),
        "definition": _both(plan.definition),
        "supplier": _both(plan.supplier),
        "unit": plan.unit.value,
        "weight": _exact(plan.weight),
        "rule": plan.rule.value,
        "obtained": plan.obtained.value,
        "record": plan.record.value,
        **{name: _exact(number) for name, number in numbers.items()},
        "lapses": figure.lapses,
        "points": row.points,
        "origin": row.origin.value if row.origin else None,
        "left_out": figure.is_left_out,
        "why": row.why,
        "remark": row.remark,
        "evidence": row.evidence,
        "supplied_by": row.supplied_by,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "direction": line.direction.value,
        "points": _exact(line.points),
        "reason": line.reason,
        "evidence": line.evidence,
        "entered_by": line.entered_by,
        "decided_by": line.decided_by,
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)
