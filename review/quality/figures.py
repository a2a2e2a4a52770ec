"""What checks come to: compliance (规范性) of people, and by agent, category and checker of one sample."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from review.domain.quality import QualityForm, compliance
from review.domain.records import Measured
from review.domain.refusals import Invalid
from review.domain.statistics.severity import severity
from review.infra.db import db
from review.people.tables import PersonRow
from review.quality.tables import CheckRow, DisputeRow, MarkRow

MOST_COMPARED = 4000  # checks; more would keep the page waiting


def is_valid() -> ColumnElement[bool]:
    """A check counts once it is filed, as long as no dispute about it waits for a decision."""
    disputed = select(DisputeRow.check_id).where(DisputeRow.decided_at.is_(None))
    return CheckRow.filed_at.is_not(None) & CheckRow.id.not_in(disputed)


def compliance_between(first: date, last: date, people: Collection[int] | None = None) -> dict[int, Measured]:
    """Points of everybody with valid checks of tickets closed from `first` to `last`, and their number. One query."""
    query = select(CheckRow.agent_id, CheckRow.score, func.count()).where(
        is_valid(), CheckRow.closed_on.between(first, last)
    )
    if people is not None:
        query = query.where(CheckRow.agent_id.in_(people))
    return _means(db.session.execute(query.group_by(CheckRow.agent_id, CheckRow.score)))


def _means(rows: Iterable[Any]) -> dict[int, Measured]:
    scores: dict[int, list[tuple[Fraction, int]]] = defaultdict(list)
    for who, score, times in rows:
        scores[who].append((Fraction(score), times))
    return {who: compliance(each) for who, each in sorted(scores.items())}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a sample is: tickets to check, submitted, open after the deadline, put aside, and not replaced."""

    all: int
    filed: int
    overdue: int
    aside: int
    unreplaced: int

    @property
    def percent(self) -> int:
        return 100 * self.filed // self.all if self.all else 0


def coverage(sample_ids: Collection[int], now: datetime, due: dict[int, datetime]) -> dict[int, Coverage]:
    """How far each of these samples is. One query."""
    successors = select(CheckRow.replaces_id).where(CheckRow.replaces_id.is_not(None))
    aside = CheckRow.replaced_at.is_not(None)
    query = select(
        CheckRow.sample_id,
        func.sum(case((aside, 0), else_=1)),
        func.count(CheckRow.filed_at),
        func.count(CheckRow.replaced_at),
        func.sum(case((aside & CheckRow.id.not_in(successors), 1), else_=0)),
    ).where(CheckRow.sample_id.in_(sample_ids), CheckRow.is_reserve.is_(False))
    found = {}
    for sample, everything, filed, put_aside, unreplaced in db.session.execute(query.group_by(CheckRow.sample_id)):
        late = everything - filed if now > due[sample] else 0
        found[sample] = Coverage(everything, filed, late, put_aside, unreplaced)
    return {sample: found.get(sample, Coverage(0, 0, 0, 0, 0)) for sample in sample_ids}


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent of a sample: their points over valid checks, and how many of theirs are submitted of how many."""

    id: int
    name: str
    employee_no: str
    measured: Measured
    filed: int
    all: int


def agents(sample_id: int, people: Collection[int]) -> list[AgentLine]:
    """The lines of these agents, in the order of their numbers. Two queries."""
    inside = (CheckRow.sample_id == sample_id) & CheckRow.agent_id.in_(people)
    counted = select(
        PersonRow.id, PersonRow.name, PersonRow.employee_no, func.count(), func.count(CheckRow.filed_at)
    ).join(CheckRow, CheckRow.agent_id == PersonRow.id)
    counted = counted.where(inside, CheckRow.is_reserve.is_(False), CheckRow.replaced_at.is_(None))
    counted = counted.group_by(PersonRow.id, PersonRow.name, PersonRow.employee_no).order_by(PersonRow.employee_no)
    scores = select(CheckRow.agent_id, CheckRow.score, func.count()).where(inside, is_valid())
    means = _means(db.session.execute(scores.group_by(CheckRow.agent_id, CheckRow.score)))
    nothing = Measured(None, Fraction(0))
    return [
        AgentLine(who, name, number, means.get(who, nothing), filed, everything)
        for who, name, number, everything, filed in db.session.execute(counted)
    ]


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category: mean points, how many marks, how many of them low, how often not applicable."""

    key: str
    mean: Fraction | None
    count: int
    low: int
    left_out: int


def categories(form: QualityForm, condition: ColumnElement[bool]) -> list[CategoryLine]:
    """Every category of the form over the valid checks that meet `condition`. One query."""
    query = select(MarkRow.category_key, MarkRow.mark, func.count()).join(CheckRow, CheckRow.id == MarkRow.check_id)
    counted: dict[str, dict[int | None, int]] = defaultdict(dict)
    for key, mark, times in db.session.execute(
        query.where(is_valid(), condition).group_by(MarkRow.category_key, MarkRow.mark)
    ):
        counted[key][mark] = times
    return [_category_line(form, key.key, counted[key.key]) for key in form.categories]


def _category_line(form: QualityForm, key: str, counts: dict[int | None, int]) -> CategoryLine:
    category = form.category(key)
    rated = {mark: times for mark, times in counts.items() if mark is not None}
    count = sum(rated.values())
    total = sum((mark - 1) * times for mark, times in rated.items())
    mean = Fraction(100 * total, (category.scale - 1) * count) if count else None
    low = sum(times for mark, times in rated.items() if category.is_low(mark))
    return CategoryLine(key, mean, count, low, counts.get(None, 0))


@dataclass(frozen=True, slots=True)
class CheckerLine:
    """One checker of a sample. `leniency` are points above or below the others over agents they share, as a hint."""

    id: int
    name: str
    employee_no: str
    mean: Fraction | None
    filed: int
    all: int
    aside: int
    leniency: Fraction | None


def checkers(sample_id: int) -> list[CheckerLine]:
    """The checkers of a sample by name. Two queries, three where the checks are too many to compare."""
    who_is = (PersonRow.id, PersonRow.name, PersonRow.employee_no)
    counted = select(*who_is, func.count(), func.count(CheckRow.filed_at), func.count(CheckRow.replaced_at))
    counted = counted.join(CheckRow, CheckRow.checker_id == PersonRow.id)
    counted = counted.where(CheckRow.sample_id == sample_id).group_by(*who_is)
    filed = (CheckRow.sample_id == sample_id) & CheckRow.filed_at.is_not(None)
    query = select(CheckRow.checker_id, CheckRow.agent_id, CheckRow.filed_score).where(filed).limit(MOST_COMPARED + 1)
    rows: Sequence[Any] = db.session.execute(query).all()
    if len(rows) > MOST_COMPARED:
        grouped = select(CheckRow.checker_id, CheckRow.filed_score, func.count()).where(filed)
        means = _means(db.session.execute(grouped.group_by(CheckRow.checker_id, CheckRow.filed_score)))
    else:
        means = _means((checker, score, 1) for checker, _agent, score in rows)
    lenient = _leniency(rows)
    nothing = Measured(None, Fraction(0))
    return [
        CheckerLine(who, name, number, means.get(who, nothing).value, done, total - aside, aside, lenient.get(who))
        for who, name, number, total, done, aside in db.session.execute(counted.order_by(PersonRow.name, PersonRow.id))
    ]


def _leniency(rows: Collection[Any]) -> dict[int, Fraction]:
    """Severity by least squares over shared agents; nothing where checkers share none, or where there is too much."""
    if len(rows) > MOST_COMPARED:
        return {}
    try:
        found = severity((str(agent), str(checker), Fraction(score)) for checker, agent, score in rows)
    except Invalid:
        return {}
    return {int(checker): effect for checker, effect in found.items()}


def aside(sample_id: int, most: int = 50) -> list[tuple[CheckRow, str, str]]:
    """Tickets put aside, with the agent's and the checker's name, the latest first. One query."""
    agent, checker = PersonRow.__table__.alias("agent"), PersonRow.__table__.alias("checker")
    query = (
        select(CheckRow, agent.c.name, checker.c.name)
        .join(agent, agent.c.id == CheckRow.agent_id)
        .join(checker, checker.c.id == CheckRow.replaced_by)
        .where(CheckRow.sample_id == sample_id, CheckRow.replaced_at.is_not(None))
        .order_by(CheckRow.replaced_at.desc(), CheckRow.id.desc())
        .limit(most)
    )
    return [(row, of, by) for row, of, by in db.session.execute(query)]
