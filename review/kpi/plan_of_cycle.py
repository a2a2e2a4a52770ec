"""Which plan a cycle uses, with its rules read in. A cycle without one has no KPI sheets."""

from functools import lru_cache

from sqlalchemy import select

from review.domain.kpi_plan import KpiPlan, parse_plan
from review.infra.db import db
from review.kpi.tables import CyclePlanRow, StoredPlanRow


def plan_in(cycle_id: int) -> KpiPlan | None:
    """The plan of a cycle. One query, parsed once per process."""
    query = select(StoredPlanRow.id, StoredPlanRow.hash).join(CyclePlanRow, CyclePlanRow.plan_id == StoredPlanRow.id)
    found = db.session.execute(query.where(CyclePlanRow.cycle_id == cycle_id)).first()
    return None if found is None else parsed(found.hash, found.id)


def plan_id_in(cycle_id: int) -> int | None:
    return db.session.scalar(select(CyclePlanRow.plan_id).where(CyclePlanRow.cycle_id == cycle_id))


@lru_cache(maxsize=32)
def parsed(_hash: str, plan_id: int) -> KpiPlan:
    """The rules of a stored version, by its hash: what is open never changes."""
    row = db.session.get_one(StoredPlanRow, plan_id)
    return parse_plan(row.body)
