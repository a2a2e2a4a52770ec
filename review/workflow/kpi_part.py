"""The KPI plan beside a cycle that is being prepared: what may be chosen, and whom its targets are for."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from review.cycles.tables import CycleRow
from review.domain.kpi_plan import KpiPlan
from review.kpi import placing, plan_reading, plans
from review.kpi.amounts import rounded
from review.kpi.placing import Mix
from review.kpi.plan_reading import Standing
from review.kpi.plans import StoredPlanRow
from review.schemes.service import scheme_of
from review.workflow.forms import NO_PLAN

MOST_NAMED = 8  # people who only fall into the last group


@dataclass(frozen=True, slots=True)
class KpiPart:
    """The plan a cycle uses, what customers weigh with it, and how its people fall into the target groups."""

    row: StoredPlanRow
    plan: KpiPlan
    standing: Standing
    mix: Mix
    is_late: bool

    @property
    def customers(self) -> str:
        return rounded(self.standing.customers)

    @property
    def in_rating(self) -> str:
        return rounded(self.standing.in_rating)

    @property
    def in_sheet(self) -> str:
        return rounded(self.standing.in_sheet)


def kpi_of(cycle: CycleRow, zone: ZoneInfo) -> KpiPart | None:
    """None for a cycle without KPI sheets. One query to know that, else two more at most."""
    row = plans.row_in(cycle.id)
    if row is None:
        return None
    plan = plans.version_of(row).plan
    standing = plan_reading.standing_of(plan, scheme_of(cycle.scheme_id))
    mix = placing.mix_of(plan, cycle, MOST_NAMED)
    return KpiPart(row, plan, standing, mix, plan_reading.is_late(row, cycle, zone))


def offered(cycle_id: int | None) -> list[StoredPlanRow]:
    """What a cycle may use: every open version, and the one it uses already."""
    rows = plans.open_versions()
    chosen = plans.choice_of(cycle_id) if cycle_id is not None else None
    if chosen is not None and chosen.plan_id not in [row.id for row in rows]:
        rows.append(plans.stored(chosen.plan_id))
    return rows


def label_of(row: StoredPlanRow, locale: str) -> str:
    return f"{plans.version_of(row).plan.name.of(locale)} · {row.key} v{row.version}"


def proposed() -> int:
    """The newest open version of the plan that the cycle before used."""
    last = plans.last_chosen()
    found = [row.id for row in plans.open_versions() if last is not None and row.key == last.key]
    return found[0] if found else NO_PLAN
