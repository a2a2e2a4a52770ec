"""A KPI sheet on paper: A4, tagged for screen readers (PDF/UA-1), with the Chinese face inside.

What people wrote reaches the typesetter as data only, never as markup.
"""

import json
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any, Literal

import typst

from review.domain.rounding import decimal_text, short_text
from review.infra import dates
from review.infra.organisation import Organisation
from review.infra.settings import ROOT
from review.kpi.paper_words import NONE, Say, actual_of, figure, rule_words, words_in
from review.kpi.printed import Printed, PrintedRow, PrintedSignature

TEMPLATE = ROOT / "templates" / "kpi" / "sheet.typ"
FACES = [ROOT / "static" / "vendor" / name for name in ("noto-sans-sc", "noto-sans-sc-bold")]
ACCESSIBLE: Literal["ua-1"] = "ua-1"
_ONE_AT_A_TIME = Lock()
# (key of the heading, share of the rest of the width or 0 for as wide as needed, whether figures stand in it)
COLUMNS = (
    ("indicator", 3, False),
    ("weight", 0, True),
    ("rule", 4, False),
    ("definition", 4, False),
    ("source", 3, False),
    ("target", 0, True),
    ("actual", 0, True),
    ("points", 0, True),
    ("remark", 2, False),
)


def paper(sheet: Printed, locale: str, organisation: Organisation, now: datetime) -> bytes:
    """The sheet as PDF. A name with a character that the face lacks is printed all the same, only not as PDF/UA."""
    data = json.dumps(_document(sheet, locale, organisation, now), ensure_ascii=False)
    how: dict[str, Any] = {"sys_inputs": {"sheet": data}, "timestamp": int(now.timestamp())}
    with _ONE_AT_A_TIME:  # a typesetter that is at work refuses every other thread
        try:
            made = _typesetter().compile(**how, pdf_standards=ACCESSIBLE)
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
            made = _typesetter().compile(**how)
    assert isinstance(made, bytes)
    return made


@cache
def _typesetter() -> typst.Compiler:
    """One for the life of the process: reading the faces takes longer than a page."""
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=list(FACES), ignore_system_fonts=True)


def _document(sheet: Printed, locale: str, organisation: Organisation, now: datetime) -> dict[str, Any]:
    word = words_in(locale)
    return {
        "lang": locale,
        "region": "cn" if locale == "zh" else "gb",
        "title": word("title"),
        "organisation": sheet.organisation,
        "foot": word("foot", cycle=sheet.cycle, name=sheet.name, at=dates.moment(now, locale, organisation.zone)),
        "page": word("page"),
        "head": _head(sheet, word),
        "rows": {"columns": [_column(*column, word) for column in COLUMNS], "body": _rows(sheet, word)},
        "lines": _lines(sheet, word),
        "totals": {"title": word("totals"), "body": totals_of(sheet, word)},
        "words": _words(sheet, word),
        "signatures": {
            "title": word("signatures"),
            "meaning": word("meaning"),
            "body": [_signature(one, word, locale, organisation) for one in sheet.signatures],
        },
    }


def _head(sheet: Printed, word: Say) -> list[dict[str, str]]:
    where = " / ".join(part for part in (sheet.department, sheet.post) if part) or NONE
    said = {
        "employee_no": sheet.employee_no,
        "name": sheet.name,
        "department": where,
        "period": word("span", first=sheet.first_day.isoformat(), last=sheet.last_day.isoformat()),
        "cycle": sheet.cycle,
        "plan": sheet.plan,
        "target_group": sheet.target_group,
    }
    return [{"label": word(key), "value": value} for key, value in said.items()]


def _column(key: str, wide: int, number: bool, word: Say) -> dict[str, Any]:
    return {"name": word(key), "wide": wide, "number": number}


def _rows(sheet: Printed, word: Say) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    group = None
    for row in sheet.rows:
        if row.group and row.group != group:
            rows.append({"group": row.group, "cells": []})
        group = row.group
        rows.append({"group": None, "cells": _cells(row, word)})
    return rows


def _cells(row: PrintedRow, word: Say) -> list[str]:
    source = word("source_of", obtained=word(f"by_{row.obtained}"), record=word(f"record_{row.record}"))
    return [
        row.name,
        short_text(row.weight),
        rule_words(row, word),
        row.definition,
        word("supplied", source=source, supplier=row.supplier) if row.supplier else source,
        figure(row.target, row.unit, word),
        actual_of(row, word),
        NONE if row.points is None else decimal_text(row.points),
        row.why or row.remark,
    ]


def _lines(sheet: Printed, word: Say) -> dict[str, Any]:
    body = [
        [
            word("bonus" if line.is_bonus else "deduction"),
            ("+" if line.is_bonus else "−") + short_text(line.points),
            line.reason,
            line.evidence,
            line.decided_by,
        ]
        for line in sheet.lines
    ]
    columns = [word(key) for key in ("kind", "points", "reason", "evidence", "decided_by")]
    return {"title": word("lines"), "columns": columns, "body": body}


def totals_of(sheet: Printed, word: Say) -> list[dict[str, Any]]:
    """The end of the sheet, line by line: what is added to what, the total, the grade and what follows from it."""
    told: list[tuple[str, str, str | None]] = [("kpi", _score(sheet.kpi), None)]
    if sheet.rating is not None:
        told.append(("rating", _score(sheet.rating), None))
    if sheet.bonus:
        told.append(("bonus_sum", f"+{short_text(sheet.bonus)}", None))
    if sheet.deduction:
        told.append(("deduction_sum", f"−{short_text(sheet.deduction)}", None))
    if sheet.total is not None and sheet.rating_share is not None:
        shares = {"rating": short_text(100 * sheet.rating_share), "kpi": short_text(100 - 100 * sheet.rating_share)}
        told.append(("total", _score(sheet.total), word("formula", **shares)))
    if sheet.veto is not None:
        told.append(("veto", word(f"grade_{sheet.veto[0].value}"), sheet.veto[1]))
    if sheet.grade is not None:
        told.append(("grade", word(f"grade_{sheet.grade.value}"), None))
    if sheet.coefficient is not None:
        told.append(("coefficient", sheet.coefficient, None))
    if sheet.customers_share is not None:
        told.append(("customers_share", f"{short_text(sheet.customers_share)}%", None))
    return [
        {"label": word(f"sum_{key}"), "value": value, "note": note, "strong": key in ("total", "grade")}
        for key, value, note in told
    ]


def _score(hundredths: int | None) -> str:
    return NONE if hundredths is None else decimal_text(hundredths)


def _words(sheet: Printed, word: Say) -> list[dict[str, str]]:
    said = (("self_word", sheet.self_word), ("leader_word", sheet.leader_word))
    return [{"title": word(key), "text": text} for key, text in said if text.strip()]


def _signature(one: PrintedSignature, word: Say, locale: str, organisation: Organisation) -> dict[str, Any]:
    note = word("date") if one.signed_at is None else dates.moment(one.signed_at, locale, organisation.zone)
    if one.remark:
        note = word("with_remark", at=note, remark=one.remark)
    return {"label": word(f"step_{one.step}"), "name": one.name, "note": note}
