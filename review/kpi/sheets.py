"""Reads sheets as people see them: every row with its target, figure and points, the lines, words and signatures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain import kpi
from review.domain.access import Role
from review.domain.canonical import digest
from review.domain.kpi_plan import KpiPlan, PlanRow, TargetGroup
from review.domain.kpi_sheet import EMPTY, Figure, KpiPart, item_of, lacks, part_of
from review.domain.refusals import OutOfReach
from review.domain.rounding import hundredths
from review.domain.vocabulary import Grade
from review.infra.db import db
from review.kpi.evidence import figure_of
from review.kpi.plan_of_cycle import plan_in
from review.kpi.tables import (
    Direction,
    FigureRow,
    LineRow,
    Origin,
    Part,
    SheetRow,
    SignatureRow,
    Step,
    VetoRow,
    WordRow,
)
from review.people.tables import DepartmentRow, PersonRow, RoleRow


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what the plan says, what stands on it, and what it earns (exactly and in hundredths)."""

    plan: PlanRow
    figure: Figure
    origin: Origin | None
    why: str
    remark: str
    evidence: str
    supplied_by: str | None
    supplied_at: datetime | None

    @property
    def key(self) -> str:
        return self.plan.key

    @property
    def lacks(self) -> tuple[str, ...]:
        return lacks(self.plan, self.figure)

    @property
    def is_open(self) -> bool:
        return bool(self.lacks)

    @property
    def exact(self) -> Fraction | None:
        item = item_of(self.plan, self.figure)
        return None if item is None else kpi.points_of(item)

    @property
    def points(self) -> int | None:
        return None if self.exact is None else hundredths(self.exact)

    def plain(self) -> dict[str, Any]:
        """What a signature binds of this row."""
        figure = self.figure
        told = (figure.target, figure.limit, figure.actual, figure.count, figure.points)
        return {
            "row": self.key,
            "figures": [None if one is None else str(one) for one in told],
            "lapses": figure.lapses,
            "left_out": figure.is_left_out,
            "origin": self.origin.value if self.origin else None,
            "words": [self.why, self.remark, self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One line of bonus or deduction, proposed by one person and decided by another; it counts when approved."""

    id: int
    direction: Direction
    points: Fraction
    reason: str
    evidence: str
    entered_by: str
    entered_by_id: int
    entered_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    is_approved: bool | None

    @property
    def is_bonus(self) -> bool:
        return self.direction is Direction.BONUS

    def plain(self) -> list[Any]:
        """What a signature binds of it; lines that were refused bind nothing."""
        return [self.direction.value, str(self.points), self.reason, self.evidence, self.is_approved]


@dataclass(frozen=True, slots=True)
class Veto:
    """A grave breach that caps the grade, once a second person has said so."""

    cap: Grade
    reason: str
    evidence: str
    entered_by: str
    entered_by_id: int
    entered_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    is_approved: bool | None


@dataclass(frozen=True, slots=True)
class Word:
    """What the employee or the leader wrote about the period."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's name under the sheet. It holds only while the sheet still says what was signed."""

    step: Step
    by: str
    by_id: int
    at: datetime
    digest: str
    remark: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One whole sheet, with the head that people know it by."""

    review_id: int
    cycle: CycleRow
    subject: PersonRow
    department: str | None
    supervisor_id: int | None
    supervisor: str | None
    head_id: int | None
    is_of_hr: bool
    plan: KpiPlan
    group: TargetGroup
    channel: str | None
    group_why: str
    reopened_at: datetime | None
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    veto: Veto | None
    words: dict[Part, Word]
    signatures: tuple[Signature, ...]
    part: KpiPart

    @property
    def is_open(self) -> bool:
        return self.part.is_open

    @property
    def open_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.is_open)

    @property
    def kpi(self) -> int | None:
        """K in hundredths; None while a row lacks its figure, because nothing provisional is told as a result."""
        points = None if self.part.open_rows else self.part.points
        return None if points is None else hundredths(points)

    @property
    def digest(self) -> str:
        """The digest of everything that the sheet says: what a signature binds."""
        veto = self.veto
        said = {
            "review": self.review_id,
            "plan": self.plan.hash,
            "group": self.group.key,
            "reopened": self.reopened_at.isoformat() if self.reopened_at else None,
            "rows": [row.plain() for row in self.rows],
            "lines": sorted(line.plain() for line in self.lines if line.is_approved is not False),
            "veto": [veto.cap.value, veto.reason, veto.evidence, veto.is_approved] if veto else None,
            "words": {part.value: word.text for part, word in self.words.items()},
        }
        return digest(said)

    @property
    def standing(self) -> tuple[Signature, ...]:
        """The signatures that hold: those given under what the sheet says now."""
        now = self.digest
        return tuple(one for one in self.signatures if one.digest == now)

    @property
    def void(self) -> tuple[Signature, ...]:
        """Signatures under something else than the sheet says now."""
        now = self.digest
        return tuple(one for one in self.signatures if one.digest != now)

    def signature(self, step: Step) -> Signature | None:
        """The signature that holds for a step."""
        return next((one for one in self.standing if one.step is step), None)

    @property
    def is_locked(self) -> bool:
        """Whether somebody has signed it as it is: figures, lines and words stay until HR opens it again."""
        return bool(self.standing)


def sheet_of(review_id: int) -> Sheet:
    """The sheet of one review. Raises OutOfReach where it has none. A constant number of queries."""
    found = sheets_where(SheetRow.review_id == review_id)
    if review_id not in found:
        raise OutOfReach("kpi_sheet:no_such_sheet")
    return found[review_id]


def sheets_among(review_ids: Collection[int]) -> dict[int, Sheet]:
    """Some sheets of one cycle, by review."""
    return sheets_where(SheetRow.review_id.in_(review_ids))


def sheets_in(cycle_id: int) -> dict[int, Sheet]:
    """Every sheet of a cycle, by review."""
    return sheets_where(SheetRow.cycle_id == cycle_id)


def sheets_where(which: ColumnElement[bool]) -> dict[int, Sheet]:
    """Sheets of one cycle, ordered by employee number. Seven queries, however many they are."""
    boss = aliased(PersonRow)
    of_hr = exists().where(RoleRow.person_id == PersonRow.id, RoleRow.role == Role.HR)
    heads = db.session.execute(
        select(SheetRow, CycleRow, ReviewRow, PersonRow, DepartmentRow.name, boss.name, boss.supervisor_id, of_hr)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .join(CycleRow, CycleRow.id == SheetRow.cycle_id)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .where(which, ReviewRow.withdrawn_at.is_(None))
        .order_by(PersonRow.employee_no)
    ).all()
    if not heads:
        return {}
    cycle_id = heads[0][1].id
    plan = plan_in(cycle_id)
    assert plan is not None  # a sheet points at the plan of its cycle
    within = select(SheetRow.review_id).where(which)
    figures, lines, vetoes = _figures(within), _lines(within), _vetoes(within)
    words, signatures = _words(within), _signatures(within)
    found = {}
    for sheet, cycle, review, subject, department, supervisor, head_id, is_of_hr in heads:
        key = sheet.review_id
        found[key] = Sheet(
            review_id=key,
            cycle=cycle,
            subject=subject,
            department=department,
            supervisor_id=review.supervisor_id,
            supervisor=supervisor,
            head_id=None if head_id == review.subject_id else head_id,
            is_of_hr=is_of_hr,
            plan=plan,
            group=plan.group(sheet.group_key),
            channel=sheet.channel,
            group_why=sheet.group_why or "",
            reopened_at=sheet.reopened_at,
            rows=tuple(_row(plan_row, figures.get((key, plan_row.key))) for plan_row in plan.rows),
            lines=tuple(lines.get(key, ())),
            veto=vetoes.get(key),
            words=words.get(key, {}),
            signatures=tuple(signatures.get(key, ())),
            part=_part(plan, key, figures, lines.get(key, ()), vetoes.get(key)),
        )
    return found


def _part(
    plan: KpiPlan, key: int, figures: Mapping[tuple[int, str], Any], lines: Sequence[Line], veto: Veto | None
) -> KpiPart:
    """What a score takes from the sheet, as `evidence` reads it for whole cycles."""
    counting = [line for line in lines if line.is_approved]
    bonus, deductions = (
        [kpi.Line(one.points, one.reason) for one in counting if one.is_bonus is is_it] for is_it in (True, False)
    )
    holds = veto is not None and veto.is_approved and plan.sheet_veto
    return part_of(
        plan.rows,
        {row.key: figure_of(figures[key, row.key][0]) for row in plan.rows if (key, row.key) in figures},
        tuple(bonus),
        tuple(deductions),
        kpi.SheetVeto(veto.cap, veto.reason) if veto is not None and holds else None,
        sum(line.is_approved is None for line in lines) + (veto is not None and veto.is_approved is None),
    )


def _figures(within: Any) -> dict[tuple[int, str], Any]:
    query = select(FigureRow, PersonRow.name).outerjoin(PersonRow, PersonRow.id == FigureRow.supplied_by)
    found = db.session.execute(query.where(FigureRow.review_id.in_(within)))
    return {(row.review_id, row.row_key): (row, name) for row, name in found}


def _row(plan_row: PlanRow, found: Any) -> Row:
    if found is None:
        return Row(plan_row, EMPTY, None, "", "", "", None, None)
    row, name = found
    texts = (row.why or "", row.remark or "", row.evidence or "")
    return Row(plan_row, figure_of(row), row.origin, *texts, name, row.supplied_at)


def _lines(within: Any) -> dict[int, list[Line]]:
    maker, judge = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(LineRow, maker.name, judge.name)
        .join(maker, maker.id == LineRow.entered_by)
        .outerjoin(judge, judge.id == LineRow.decided_by)
        .where(LineRow.review_id.in_(within))
        .order_by(LineRow.id)
    )
    found: dict[int, list[Line]] = {}
    for row, entered, decided in db.session.execute(query):
        line = Line(
            id=row.id,
            direction=row.direction,
            points=Fraction(row.points),
            reason=row.reason,
            evidence=row.evidence or "",
            entered_by=entered,
            entered_by_id=row.entered_by,
            entered_at=row.entered_at,
            decided_by=decided,
            decided_at=row.decided_at,
            is_approved=row.is_approved,
        )
        found.setdefault(row.review_id, []).append(line)
    return found


def _vetoes(within: Any) -> dict[int, Veto]:
    maker, judge = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(VetoRow, maker.name, judge.name)
        .join(maker, maker.id == VetoRow.entered_by)
        .outerjoin(judge, judge.id == VetoRow.decided_by)
        .where(VetoRow.review_id.in_(within))
    )
    return {
        row.review_id: Veto(
            cap=row.cap,
            reason=row.reason,
            evidence=row.evidence or "",
            entered_by=entered,
            entered_by_id=row.entered_by,
            entered_at=row.entered_at,
            decided_by=decided,
            decided_at=row.decided_at,
            is_approved=row.is_approved,
        )
        for row, entered, decided in db.session.execute(query)
    }


def _words(within: Any) -> dict[int, dict[Part, Word]]:
    query = select(WordRow, PersonRow.name).join(PersonRow, PersonRow.id == WordRow.written_by)
    found: dict[int, dict[Part, Word]] = {}
    for row, name in db.session.execute(query.where(WordRow.review_id.in_(within))):
        found.setdefault(row.review_id, {})[row.part] = Word(row.text, name, row.written_at)
    return found


def _signatures(within: Any) -> dict[int, list[Signature]]:
    query = select(SignatureRow, PersonRow.name).join(PersonRow, PersonRow.id == SignatureRow.person_id)
    found: dict[int, list[Signature]] = {}
    for row, name in db.session.execute(
        query.where(SignatureRow.review_id.in_(within)).order_by(SignatureRow.signed_at)
    ):
        said = Signature(row.step, name, row.person_id, row.signed_at, row.digest, row.remark or "")
        found.setdefault(row.review_id, []).append(said)
    return found
