"""A KPI sheet with every rule in it, for tests of how sheets are printed and filled in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

from review.domain.kpi import Bracket, KpiRule
from review.domain.records import Unit
from review.domain.vocabulary import Grade
from review.kpi.printed import Printed, PrintedLine, PrintedRow, PrintedSignature

COMMON = {"definition": "What it means", "record": "tickets", "obtained": "system", "supplier": ""}
HAND = {**COMMON, "obtained": "hand", "record": "hand", "supplier": "Team lead"}

ROWS = (
    PrintedRow(
        key="volume",
        group="Workload",
        name="Tickets solved",
        weight=Fraction(20),
        rule=KpiRule.HIGHER,
        unit=Unit.COUNT,
        target=Fraction(300),
        actual=Fraction(625, 2),
        cap=Fraction(100),
        points=10000,
        **COMMON,
    ),
    PrintedRow(
        key="first_response",
        group="Timeliness",
        name="First response",
        weight=Fraction(15),
        rule=KpiRule.LOWER,
        unit=Unit.SECONDS,
        target=Fraction(120),
        limit=Fraction(600),
        actual=Fraction(150),
        points=9375,
        **COMMON,
    ),
    PrintedRow(
        key="satisfaction",
        group="Customers",
        name="Satisfaction",
        weight=Fraction(30),
        rule=KpiRule.HIGHER,
        unit=Unit.PERCENT,
        target=Fraction(95),
        actual=Fraction(90),
        count=Fraction(40),
        points=9474,
        **{**COMMON, "record": "surveys"},
    ),
    PrintedRow(
        key="errors",
        group="Compliance",
        name="Errors",
        weight=Fraction(20),
        rule=KpiRule.LAPSES,
        full=Fraction(10),
        cost=Fraction(2),
        veto_at=3,
        lapses=1,
        points=8000,
        **HAND,
    ),
    PrintedRow(
        key="proactive",
        group="Compliance",
        name="Proactive service",
        weight=Fraction(10),
        rule=KpiRule.BRACKETS,
        unit=Unit.COUNT,
        brackets=(
            Bracket(Fraction(0), Fraction(0)),
            Bracket(Fraction(2), Fraction(60)),
            Bracket(Fraction(4), Fraction(100)),
        ),
        actual=Fraction(3),
        points=6000,
        remark="two calls, one visit",
        **HAND,
    ),
    PrintedRow(
        key="training",
        group="Compliance",
        name="Training",
        weight=Fraction(5),
        rule=KpiRule.POINTS,
        unit=Unit.POINTS,
        points=8550,
        **HAND,
    ),
)

SHEET = Printed(
    review_id=7,
    organisation="Xinghe Service",
    cycle="2026 Q4",
    first_day=date(2026, 10, 1),
    last_day=date(2026, 12, 31),
    name="欧阳静",
    employee_no="1001",
    department="After-sales",
    post="Senior agent",
    plan="Service indicators, version 1",
    plan_hash="ab" * 32,
    target_group="After-sales, senior",
    group_key="senior",
    rows=ROWS,
    lines=(PrintedLine(True, Fraction(2), "Helped out at night", "Roster of 11 November", "Lou"),),
    kpi=8876,
    rating=8800,
    rating_share=Fraction(3, 5),
    bonus=Fraction(2),
    total=9030,
    grade=Grade.EXCELLENT,
    coefficient="1.2",
    customers_share=Fraction(108, 5),
    self_word="A good quarter.\nMore training next time.",
    leader_word="Reliable. #panic() *bold* $x$",
    signatures=(
        PrintedSignature("employee", "欧阳静", datetime(2027, 1, 12, 2, 20, tzinfo=UTC)),
        PrintedSignature("superior"),
        PrintedSignature("head"),
    ),
)


def sheet_of(**changes: object) -> Printed:
    """The sheet with some parts replaced."""
    return replace(SHEET, **changes)  # type: ignore[arg-type]
