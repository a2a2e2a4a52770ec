"""What the page of one published result shows: grade, ledger, radar, gaps, trend. Made from publications only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from review.domain.period import PeriodKind
from review.domain.rounding import decimal_text, exact_text, hundredths
from review.domain.scheme import Scheme
from review.domain.vocabulary import GRADES, Grade, Level, Source
from review.reports.ledger import CriterionPart, Ledger, ledger_of
from review.reports.sheet_part import SheetPart, sheet_part

LATEST = 5  # results a trend has room for
SHOWN = (Source.SUPERVISOR, Source.PEERS, Source.CUSTOMERS, Source.SELF)


@dataclass(frozen=True, slots=True)
class Stop:
    """One result of the trend: whose period, and the score (None where there was none)."""

    name: str
    kind: PeriodKind
    start: date
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """All of it, ready for the template. `cuts` are the lower ends of the grades, the texts by grade."""

    body: Mapping[str, Any]
    scheme: Scheme
    ledger: Ledger
    sheet: SheetPart
    score: int | None
    grade: Grade | None
    computed: Grade | None
    next_grade: Grade | None
    distance: int | None
    above_cut: int | None
    change: int | None
    cuts: Mapping[Grade, str]
    trend: tuple[Stop, ...]
    decided_at: datetime
    looked_at: datetime | None  # when a second person confirmed a score near a cut

    @property
    def is_changed(self) -> bool:
        return self.grade is not self.computed


def result_page(publication: Any, earlier: Sequence[Any], scheme: Scheme) -> ResultPage:
    """The page of `publication`; `earlier` are the same person's results before it, oldest first."""
    body, score = publication.body, publication.score
    working, decision = body["working"], body["decision"]
    computed, look = _grade(decision["computed"]), body.get("second_look")
    before = next((row.score for row in reversed(earlier) if row.score is not None), None)
    return ResultPage(
        body=body,
        scheme=scheme,
        ledger=ledger_of(working),
        sheet=sheet_part(working, body.get("kpi_sheet")),
        score=score,
        grade=_grade(decision["final"]),
        computed=computed,
        next_grade=_grade(working["next_grade"]),
        distance=working["distance"],
        above_cut=_above(score, computed, scheme),
        change=score - before if score is not None and before is not None else None,
        cuts={grade: _cut(cut) for grade, cut in scheme.cuts.items()},
        trend=tuple(_stop(row) for row in [*earlier, publication][-LATEST:]),
        decided_at=datetime.fromisoformat(decision["at"]),
        looked_at=datetime.fromisoformat(look["at"]) if look else None,
    )


def _grade(value: str | None) -> Grade | None:
    return Grade(value) if value else None


def _cut(cut: Fraction) -> str:
    return exact_text(cut) if cut.denominator in {1, 2, 4, 5, 10} else decimal_text(hundredths(cut))


def _above(score: int | None, grade: Grade | None, scheme: Scheme) -> int | None:
    """How far the score lies above the lower end of its own grade; the lowest grade has none."""
    if score is None or grade is None or grade is GRADES[-1]:
        return None
    return score - hundredths(scheme.cuts[grade])


def _stop(row: Any) -> Stop:
    cycle = row.body["cycle"]
    return Stop(cycle["name"], PeriodKind(cycle["kind"]), date.fromisoformat(cycle["period_start"]), _points(row.score))


def _points(score: int | None) -> Decimal | None:
    """8794 as 87.94 and 8000 as 80: for charts, which print an amount as it is given."""
    if score is None:
        return None
    return Decimal(score // 100) if score % 100 == 0 else Decimal(score).scaleb(-2)


def radar_criteria(page: ResultPage, locale: str) -> list[dict[str, Any]]:
    """The criteria as the radar takes them."""
    return [
        {
            "name": page.scheme.criterion(part.key).name.of(locale),
            "score": None if part.score is None else decimal_text(part.score),
        }
        for part in page.ledger.criteria
    ]


def radar_sources(page: ResultPage) -> list[dict[str, Any]]:
    """The sources as the radar takes them, plus `ends` (open ends, which the page says in words) and `asked`.

    A source that says nothing is left out, and so is each figure that is withheld.
    """
    sources = []
    for source in SHOWN:
        figures = [_figure(part, source) for part in page.ledger.criteria]
        if any(figure is not None for figure, _ in figures):
            sources.append(
                {
                    "key": source.value,
                    "values": [_points(figure) for figure, _ in figures],
                    "ends": [end for _, end in figures],
                    "asked": len(page.scheme.asked_of(source)),
                }
            )
    return sources


def _figure(part: CriterionPart, source: Source) -> tuple[int | None, str | None]:
    if source is Source.SELF:
        return (part.own.mean if part.own else None), None
    found = next((one for one in part.parts if one.source is source and one.counted), None)
    return (found.mean, found.end) if found else (None, None)


def gap_rows(page: ResultPage, locale: str) -> list[dict[str, Any]]:
    """Own view beside the criterion's score, which is the weighted view of all others; as the gap chart takes them."""
    return [
        {
            "name": page.scheme.criterion(part.key).name.of(locale),
            "own": _points(part.own.mean),
            "others": _points(part.score),
        }
        for part in page.ledger.criteria
        if part.own is not None and part.own.mean is not None and part.score is not None
    ]


def level_of(points: int | None, scheme: Scheme) -> Level | None:
    """The level that stands for exactly these points, for the supervisor's and one's own answers."""
    return next((rule.level for rule in scheme.levels if points == rule.points), None)
