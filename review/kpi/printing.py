"""Makes the printed form of a sheet: the one set of values from which its page, its PDF and its workbook are made."""

from dataclasses import dataclass
from fractions import Fraction

from review.domain.kpi import capped_sum
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Grade, Source
from review.kpi.printed import Printed, PrintedLine, PrintedRow, PrintedSignature
from review.kpi.sheets import Row, Sheet
from review.kpi.signing import steps_of
from review.kpi.tables import Part


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rating makes of it all: scores in hundredths, the decided grade, the coefficient of the bonus.

    Only for readers who may know it; rooms above find it out.
    """

    rating: int | None
    total: int | None
    grade: Grade | None
    coefficient: str | None


UNTOLD = Outcome(None, None, None, None)


def printed_of(sheet: Sheet, scheme: Scheme, organisation: str, locale: str, outcome: Outcome = UNTOLD) -> Printed:
    """The whole sheet in the reader's language."""
    part, subject, plan = sheet.part, sheet.subject, sheet.plan
    return Printed(
        review_id=sheet.review_id,
        organisation=organisation,
        cycle=sheet.cycle.name,
        first_day=sheet.cycle.period_start,
        last_day=sheet.cycle.period_end,
        name=subject.name,
        employee_no=subject.employee_no,
        department=sheet.department or "",
        post=subject.post or "",
        plan=plan.name.of(locale),
        plan_hash=plan.hash,
        target_group=sheet.group.name.of(locale),
        group_key=sheet.group.key,
        rows=tuple(_row(row, locale) for row in sheet.rows),
        lines=tuple(
            PrintedLine(line.is_bonus, line.points, line.reason, line.evidence, line.decided_by or "")
            for line in sheet.lines
            if line.is_approved
        ),
        veto=(part.veto.cap, part.veto.reason) if part.veto else None,
        kpi=sheet.kpi,
        rating=outcome.rating,
        rating_share=scheme.rating_share,
        bonus=capped_sum(part.bonus, scheme.bonus_cap),
        deduction=capped_sum(part.deductions, scheme.deduction_cap),
        total=outcome.total,
        grade=outcome.grade,
        coefficient=outcome.coefficient,
        customers_share=customers_share(scheme, sheet),
        self_word=_word(sheet, Part.SELF),
        leader_word=_word(sheet, Part.LEADER),
        signatures=tuple(_signature(sheet, step) for step in steps_of(sheet)),
    )


def customers_share(scheme: Scheme, sheet: Sheet) -> Fraction:
    """What customers weigh in the total, in percent: in the rating by their questions, in the sheet by satisfaction."""
    share = scheme.rating_share
    return share * scheme.overall_weight(Source.CUSTOMERS) + (1 - share) * sheet.plan.satisfaction_weight()


def _row(row: Row, locale: str) -> PrintedRow:
    plan, figure = row.plan, row.figure
    return PrintedRow(
        key=row.key,
        group=plan.group.of(locale),
        name=plan.name.of(locale),
        weight=plan.weight,
        rule=plan.rule,
        definition=plan.definition.of(locale),
        obtained=plan.obtained.value,
        record=plan.record.value,
        supplier=plan.supplier.of(locale),
        unit=plan.unit,
        target=figure.target,
        limit=figure.limit,
        full=plan.full,
        cost=plan.cost,
        veto_at=plan.veto_at,
        cap=plan.cap,
        brackets=plan.brackets,
        actual=figure.actual,
        count=figure.count,
        lapses=figure.lapses,
        points=row.points,
        why=row.why,
        remark=row.remark,
    )


def _word(sheet: Sheet, part: Part) -> str:
    word = sheet.words.get(part)
    return word.text if word else ""


def _signature(sheet: Sheet, step: object) -> PrintedSignature:
    found = next((one for one in sheet.standing if one.step is step), None)
    if found is None:
        return PrintedSignature(str(step))
    return PrintedSignature(found.step.value, found.by, found.at, found.remark)
