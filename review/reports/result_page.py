"""What the page of one published result shows: grade, ledger, radar, gaps, trend. Made from publications only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from review.domain.rounding import decimal_text
from review.domain.scheme import Scheme
from review.domain.vocabulary import GRADES, Grade, Level, Source
from review.reports.ledger import Ledger, SourcePart, ledger_of

GAP = 20  # points: one level, a third of the scale


@dataclass(frozen=True, slots=True)
class Gap:
    """Own view beside the others' on one criterion, in hundredths; `kind` is blind_spot, hidden_strength or None."""

    key: str
    own: int
    others: int
    kind: str | None

    @property
    def difference(self) -> int:
        return self.own - self.others


@dataclass(frozen=True, slots=True)
class ResultPage:
    """All of it, ready for the template."""

    body: Mapping[str, Any]
    scheme: Scheme
    ledger: Ledger
    score: int | None
    grade: Grade | None
    computed: Grade | None
    next_grade: Grade | None
    distance: int | None
    above_cut: int | None
    change: int | None
    gaps: tuple[Gap, ...]
    trend: tuple[tuple[str, float | None], ...]
    decided_at: datetime
    period: tuple[date, date]


def result_page(publication: Any, earlier: Sequence[Any], scheme: Scheme) -> ResultPage:
    """The page of `publication`; `earlier` are the same person's results before it, oldest first."""
    body = publication.body
    working, decision = body["working"], body["decision"]
    ledger = ledger_of(working)
    grade = Grade(decision["final"]) if decision["final"] else None
    computed = Grade(decision["computed"]) if decision["computed"] else None
    before = next((row.score for row in reversed(earlier) if row.score is not None), None)
    score = publication.score
    return ResultPage(
        body=body,
        scheme=scheme,
        ledger=ledger,
        score=score,
        grade=grade,
        computed=computed,
        next_grade=Grade(working["next_grade"]) if working["next_grade"] else None,
        distance=working["distance"],
        above_cut=_above(score, computed, scheme),
        change=score - before if score is not None and before is not None else None,
        gaps=_gaps(ledger),
        trend=tuple((row.body["cycle"]["name"], _points(row.score)) for row in [*earlier, publication]),
        decided_at=datetime.fromisoformat(decision["at"]),
        period=(date.fromisoformat(body["cycle"]["period_start"]), date.fromisoformat(body["cycle"]["period_end"])),
    )


def _points(score: int | None) -> float | None:
    # For the position of a dot only; numbers that people read are printed from the integer.
    return None if score is None else score / 100


def _above(score: int | None, grade: Grade | None, scheme: Scheme) -> int | None:
    """How far the score lies above the lower end of its own grade; the lowest grade has none."""
    if score is None or grade is None or grade is GRADES[-1]:
        return None
    return score - int(scheme.cuts[grade] * 100)


def _gaps(ledger: Ledger) -> tuple[Gap, ...]:
    """Self against the criterion's score, which is the weighted view of all others."""
    gaps = []
    for part in ledger.criteria:
        if part.own is None or part.own.mean is None or part.score is None:
            continue
        difference = part.own.mean - part.score
        kind = "blind_spot" if difference >= 100 * GAP else "hidden_strength" if difference <= -100 * GAP else None
        gaps.append(Gap(part.key, part.own.mean, part.score, kind))
    return tuple(gaps)


def radar_of(page: ResultPage, locale: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Criteria and sources as the radar chart takes them; sources that say nothing are left out."""
    names = {criterion.key: criterion.name.of(locale) for criterion in page.scheme.criteria}
    criteria = [
        {"name": names[part.key], "score": None if part.score is None else decimal_text(part.score)}
        for part in page.ledger.criteria
    ]
    sources = []
    for source in (Source.SUPERVISOR, Source.PEERS, Source.CUSTOMERS, Source.SELF):
        figures = [_figure(part, source) for part in page.ledger.criteria]
        if any(figure is not None for figure in figures):
            values = [_points(figure) for figure in figures]
            texts = [None if figure is None else _short(figure) for figure in figures]
            sources.append({"key": source.value, "values": values, "texts": texts})
    return criteria, sources


def gap_rows(page: ResultPage, locale: str) -> list[dict[str, Any]]:
    """The gaps as the chart takes them: points, whole where they are whole."""
    names = {criterion.key: criterion.name.of(locale) for criterion in page.scheme.criteria}
    return [{"name": names[gap.key], "own": _plain(gap.own), "others": _plain(gap.others)} for gap in page.gaps]


def _plain(figure: int) -> int | float:
    return figure // 100 if figure % 100 == 0 else figure / 100


def _figure(part: Any, source: Source) -> int | None:
    if source is Source.SELF:
        return part.own.mean if part.own else None
    found: SourcePart | None = next((one for one in part.parts if one.source is source), None)
    return found.mean if found and found.counted else None


def _short(figure: int) -> str:
    return str(figure // 100) if figure % 100 == 0 else decimal_text(figure)


def level_of(points: int | None, scheme: Scheme) -> Level | None:
    """The level that stands for exactly these points, for the supervisor's and one's own answers."""
    return next((rule.level for rule in scheme.levels if points == rule.points), None)
