"""The plan as people read it: which one is theirs, which targets are theirs, what is worth a warning."""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.kpi_plan import KpiPlan, TargetGroup
from review.domain.kpi_weights import customers_share
from review.domain.records import TicketSystem
from review.domain.refusals import Problem
from review.domain.scheme import Scheme
from review.domain.vocabulary import Source, Text
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.kpi import placing
from review.kpi.tables import CyclePlanRow, PlanState, StoredPlanRow
from review.people.tables import PersonRow
from review.schemes import service as schemes

MOST_WORDS = 40  # posts, channels or problem types offered for choice


@dataclass(frozen=True, slots=True)
class Standing:
    """What customers weigh in the whole, and whether the sheet weighs more than the supervisor."""

    scheme: Scheme
    customers: Fraction
    in_rating: Fraction
    in_sheet: Fraction
    outgrows_supervisor: bool


def standing_of(plan: KpiPlan, scheme: Scheme) -> Standing:
    """The plan beside the scheme it is used with."""
    told = plan.satisfaction_weight()
    return Standing(
        scheme,
        customers_share(scheme, plan.rows, told),
        scheme.rating_share * scheme.overall_weight(Source.CUSTOMERS),
        (1 - scheme.rating_share) * told,
        scheme.kpi_outgrows_supervisor(),
    )


def newest_scheme() -> Scheme:
    """The scheme HR works with now: the one that came last."""
    row = max(schemes.open_schemes(), key=lambda each: (each.created_at, each.id), default=None)
    return schemes.builtin() if row is None else schemes.scheme_of(row.id)


def scheme_beside(cycle: CycleRow | None) -> Scheme:
    """The scheme of a cycle; where there is none, the newest."""
    return newest_scheme() if cycle is None else schemes.scheme_of(cycle.scheme_id)


@dataclass(frozen=True, slots=True)
class Mine:
    """The plan that holds for somebody, in which cycle (None: the next one), and the group they fall into."""

    row: StoredPlanRow
    cycle: CycleRow | None


def plan_for(person_id: int) -> Mine | None:
    """The plan of the newest cycle somebody is reviewed in, else the plan that was opened last; None without any."""
    theirs = (
        select(StoredPlanRow, CycleRow)
        .join(CyclePlanRow, CyclePlanRow.plan_id == StoredPlanRow.id)
        .join(CycleRow, CycleRow.id == CyclePlanRow.cycle_id)
        .join(ReviewRow, ReviewRow.cycle_id == CycleRow.id)
        .where(ReviewRow.subject_id == person_id, ReviewRow.withdrawn_at.is_(None), CycleRow.stage != Stage.CANCELLED)
        .order_by(CycleRow.period_end.desc(), CycleRow.id.desc())
    )
    found = db.session.execute(theirs.limit(1)).first()
    if found is not None:
        return Mine(found[0], found[1])
    last = select(StoredPlanRow).where(StoredPlanRow.state == PlanState.OPEN)
    row = db.session.scalar(last.order_by(StoredPlanRow.opened_at.desc(), StoredPlanRow.id.desc()).limit(1))
    return None if row is None else Mine(row, None)


def cycle_with(plan_id: int, person_id: int) -> CycleRow | None:
    """The newest cycle that uses this version and reviews this person."""
    query = (
        select(CycleRow)
        .join(CyclePlanRow, CyclePlanRow.cycle_id == CycleRow.id)
        .join(ReviewRow, ReviewRow.cycle_id == CycleRow.id)
        .where(CyclePlanRow.plan_id == plan_id, ReviewRow.subject_id == person_id, ReviewRow.withdrawn_at.is_(None))
        .where(CycleRow.stage != Stage.CANCELLED)
        .order_by(CycleRow.period_end.desc(), CycleRow.id.desc())
    )
    return db.session.scalar(query.limit(1))


def group_of(plan: KpiPlan, person_id: int, cycle: CycleRow | None, today: date) -> TargetGroup | None:
    """The group somebody falls into, in a cycle or as of today; None where a draft has no groups."""
    person = db.session.get_one(PersonRow, person_id)
    if not plan.groups or any(plan.groups[-1].conditions):
        return None
    first, last = (cycle.period_start, cycle.period_end) if cycle else (today, today)
    return placing.group_of(plan, person, first, last)


_SPOT = re.compile(r"(rows|groups)\[(\d+)\](?:\.aims\.([a-z0-9_-]+))?")


def spot_of(plan: KpiPlan, problem: Problem) -> list[Text]:
    """The names of the group and the row a problem of a draft stands in."""
    found = _SPOT.match(problem.where or "")
    if found is None:
        return []
    part, place, row_key = found[1], int(found[2]), found[3]
    named = (plan.rows if part == "rows" else plan.groups)[place : place + 1]
    return [each.name for each in named] + [row.name for row in plan.rows if row.key == row_key]


def is_late(row: StoredPlanRow, cycle: CycleRow, zone: ZoneInfo) -> bool:
    """Whether targets were set after the period began."""
    return row.opened_at is not None and local_day(row.opened_at, zone) > cycle.period_start


def known_posts() -> list[str]:
    """The posts people hold, as far as they are few enough to be ticked."""
    query = select(PersonRow.post).where(PersonRow.post.is_not(None), PersonRow.post != "").distinct()
    return [post for post in db.session.scalars(query.order_by(PersonRow.post).limit(MOST_WORDS)) if post]


def known_channels() -> list[str]:
    """The channels of imported tickets."""
    return _of_tickets(TicketRow.channel)


def known_kinds() -> list[str]:
    """The problem types of imported tickets."""
    return _of_tickets(TicketRow.kind)


def _of_tickets(column: object) -> list[str]:
    query = select(column).where(TicketRow.system != TicketSystem.LIST, column != "").distinct()  # type: ignore[call-overload]
    return list(db.session.scalars(query.order_by(column).limit(MOST_WORDS)))
