"""The working of a published result as a document for programs, and as the material of its workbook.

Both know what the page shows and no more: figures of a source that does not count are in neither.
"""

from collections.abc import Mapping
from typing import Any

from review.domain.refusals import Problem
from review.domain.rounding import decimal_text
from review.domain.scheme import Scheme
from review.domain.vocabulary import COUNTING, Source
from review.infra.live_sheet import Say
from review.infra.words import say
from review.reports.ledger import ledger_of
from review.reports.working_inputs import Material

EMPTY: Mapping[str, Any] = {"kpi_lines": [], "bonus_lines": [], "deduction_lines": [], "sheet_veto": None}
KPI_FIGURES = ("rule", "weight", "target", "actual", "limit", "full", "cost", "veto_at", "lapses", "points", "brackets")
FIGURES = ("score", "rating", "kpi", "distance")
EXACT = ("rating_exact", "kpi_exact", "rating_share", "bonus", "deduction")


def material_of(publication: Any, scheme: Scheme, locale: str) -> Material:
    """What the workbook is made of. Results published before sheets were kept have none."""
    body = publication.body
    working = {**EMPTY, "computed_grade": body["working"]["grade"], **body["working"]}
    subject = f"{body['subject']['name']} {body['subject']['employee_no']}"
    kept = body.get("kpi_sheet", {"rows": []})["rows"]
    names = {row["key"]: row["name"]["en" if locale.startswith("en") else "zh"] for row in kept}
    return Material(scheme, working, subject, body["cycle"]["name"], locale, names)


def words_in(locale: str) -> Say:
    """The words of the workbook in a language, by key; they stand in templates/reports/_sheet_words.html."""

    def word(key: str, **params: object) -> str:
        return say(Problem(f"reports:sheet:{key}", None, params), locale)

    return word


def document_of(publication: Any, scheme: Scheme) -> dict[str, Any]:
    """JSON types only: scores as text with two decimals, exact numbers as fractions, weights in percent."""
    body, working = publication.body, {**EMPTY, **publication.body["working"]}
    method = {**working["method"], "version": scheme.version}
    return {
        "review": publication.review_id,
        "version": publication.version,
        "published_at": publication.published_at.isoformat(),
        "subject": {key: body["subject"][key] for key in ("name", "employee_no")},
        "cycle": {key: body["cycle"][key] for key in ("name", "period_start", "period_end")},
        "method": method,
        # Whoever knows the hash could try out what is withheld, so it is told only where nothing is.
        "input_hash": working["input_hash"] if ledger_of(working).is_complete else None,
        "minimums": body["minimums"],
        "criteria": [_criterion(line, scheme) for line in working["criteria"]],
        **{key: _text(working[key]) for key in FIGURES},
        **{key: working[key] for key in EXACT},
        "kpi_lines": [_row(line) for line in working["kpi_lines"]],
        **{key: working[key] for key in ("bonus_lines", "deduction_lines", "sheet_veto")},
        **{key: working[key] for key in ("withheld", "flags", "next_grade")},
        "grade_by_method": body["decision"]["computed"],
        "grade": body["decision"]["final"],
        "decided_by": body["decision"]["by"],
    }


def _text(hundredths: int | None) -> str | None:
    return None if hundredths is None else decimal_text(hundredths)


def _criterion(line: Mapping[str, Any], scheme: Scheme) -> dict[str, Any]:
    name = scheme.criterion(line["key"]).name
    sources = {source.value: _source(line["sources"][source.value], source) for source in Source}
    return {
        "key": line["key"],
        "name": {"zh": name.zh, "en": name.en},
        "share": line["share"],
        "score": _text(line["score"]),
        "exact": line["exact"],
        "sources": sources,
    }


def _source(part: Mapping[str, Any], source: Source) -> dict[str, Any]:
    if source in COUNTING and not part["counted"]:
        return {"counted": False, "reason": part["reason"], "weight": part["weight"], "weight_used": "0.00"}
    return {
        "counted": part["counted"],
        "reason": part["reason"],
        "n": part["n"],
        "points": part["points"],
        "over": part["over"],
        "mean": _text(part["mean"]),
        "weight": part["weight"],
        "weight_used": _text(part["weight_used"]),
    }


def _row(line: Mapping[str, Any]) -> dict[str, Any]:
    figures = {key: line[key] for key in ("key", *KPI_FIGURES, "cap") if key in line}
    return {**figures, "exact": line["exact"], "earned": _text(line["earned"])}
