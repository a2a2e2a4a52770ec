"""Everything a KPI sheet (考核表) shows, as plain values: what its page, its PDF and its workbook are all made of."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from review.domain.kpi import Bracket, KpiRule
from review.domain.records import Unit
from review.domain.vocabulary import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedRow:
    """One row: texts in the reader's language, figures exactly, `points` in hundredths.

    `obtained` is system or hand, `record` what the figure is taken from. `count` is what `actual` rests on. A row that
    does not apply has `why` instead of figures; one that is still open has neither.
    """

    key: str
    group: str
    name: str
    weight: Fraction
    rule: KpiRule
    definition: str
    obtained: str
    record: str
    supplier: str
    unit: Unit | None = None
    target: Fraction | None = None
    limit: Fraction | None = None
    full: Fraction | None = None
    cost: Fraction | None = None
    veto_at: int | None = None
    cap: Fraction = Fraction(100)
    brackets: tuple[Bracket, ...] = ()
    actual: Fraction | None = None
    count: Fraction | None = None
    lapses: int | None = None
    points: int | None = None
    why: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One approved line of bonus (加分项) or deduction (减分项); `points` count in the direction they stand in."""

    is_bonus: bool
    points: Fraction
    reason: str
    evidence: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class PrintedSignature:
    """One step of the chain (employee, superior, head): who signed when, or nobody yet."""

    step: str
    name: str | None = None
    signed_at: datetime | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A whole sheet. Scores are hundredths; None where the reader may not see them yet or there are none.

    `customers_share` is the customers' combined share of the total in percent, `coefficient` that of the performance
    bonus (绩效奖金系数). `veto` is the grade that a grave breach caps the result at, with its reason.
    `target_group` is in the reader's language, `group_key` in none.
    """

    review_id: int
    organisation: str
    cycle: str
    first_day: date
    last_day: date
    name: str
    employee_no: str
    department: str
    post: str
    plan: str
    plan_hash: str
    target_group: str
    group_key: str
    rows: tuple[PrintedRow, ...]
    lines: tuple[PrintedLine, ...] = ()
    veto: tuple[Grade, str] | None = None
    kpi: int | None = None
    rating: int | None = None
    rating_share: Fraction | None = None
    bonus: Fraction = Fraction(0)
    deduction: Fraction = Fraction(0)
    total: int | None = None
    grade: Grade | None = None
    coefficient: str | None = None
    customers_share: Fraction | None = None
    self_word: str = ""
    leader_word: str = ""
    signatures: tuple[PrintedSignature, ...] = ()
