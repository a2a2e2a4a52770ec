"""Gives a cycle a KPI plan and its sheets, as HR would: the plan that ships, or one with a row of every rule.

    plan_cycle(cycle_id)                      # the shipped plan; the cycle has sheets once it is launched or opened
    open_sheets(cycle_id)                     # every living review has its sheet
    put(cycle_id, review_id, volume="400")    # HR brings figures in by hand, by row

Call inside an application context; the caller commits.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

import review.kpi
from review.cycles.tables import CycleRow
from review.domain.kpi_plan import KpiPlan, dump_plan, parse_plan
from review.infra.db import db
from review.kpi import entering, opening
from review.kpi.changing import Hand
from review.kpi.entering import Entry
from review.kpi.tables import CyclePlanRow, PlanState, StoredPlanRow
from review.people.tables import PersonRow, RoleRow
from tests.make import NOW

SHIPPED = Path(review.kpi.__file__).parent / "customer-service.json"


def shipped() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SHIPPED.read_text())
    return found


def text(words: str) -> dict[str, str]:
    return {"zh": words, "en": words}


def row(key: str, weight: str, rule: str, indicator: str | None = None, **more: Any) -> dict[str, Any]:
    """One row of a plan; by hand unless said otherwise."""
    unit = {} if indicator else {"unit": "count"}
    given = {"obtained": "hand", "record": "hand", **unit, **more}
    words = {"group": text("Rows"), "name": text(f"Row {key}"), "definition": text("As agreed"), "supplier": text("HR")}
    return {"key": key, "weight": weight, "rule": rule, "indicator": indicator, **words, **given}


def every_rule(**more: Any) -> dict[str, Any]:
    """A plan with one row of every rule, and satisfaction at 30."""
    rows = [
        row("volume", "20", "higher", "volume", cap="120"),
        row("speed", "15", "lower", "first_response"),
        row("smile", "30", "higher", "satisfaction"),
        row("errors", "10", "lapses", full="10", cost="2", veto_at=3),
        row("help", "15", "points"),
        row("training", "10", "brackets", brackets=[{"from": "0", "points": "0"}, {"from": "4", "points": "80"}]),
    ]
    aims = {
        "volume": {"target": "400"},
        "speed": {"target": "60", "limit": "180"},
        "smile": {"target": "90"},
    }
    everybody = {"key": "all", "name": text("All"), "posts": [], "tenure": "any", "channels": [], "aims": aims}
    plain = {"key": "every-rule", "version": 1, "name": text("Every rule"), "rows": rows, "groups": [everybody]}
    return {**plain, "difficulty": {}, "new_months": 6, "sheet_veto": True, **more}


def store(plan: Mapping[str, Any], at: datetime = NOW) -> int:
    """The id of this plan, open, in the version it names."""
    parsed: KpiPlan = parse_plan(plan)
    there = select(StoredPlanRow.id).where(StoredPlanRow.key == parsed.key, StoredPlanRow.version == parsed.version)
    if (found := db.session.scalar(there)) is not None:
        return found
    stored = StoredPlanRow(key=parsed.key, version=parsed.version, state=PlanState.OPEN, body=dump_plan(parsed))
    stored.hash, stored.created_at, stored.opened_at = parsed.hash, at, at
    db.session.add(stored)
    db.session.flush()
    return stored.id


def plan_cycle(cycle_id: int, plan: Mapping[str, Any] | None = None, at: datetime = NOW) -> None:
    db.session.add(CyclePlanRow(cycle_id=cycle_id, plan_id=store(plan or shipped(), at), set_at=at))
    db.session.flush()


def open_sheets(cycle_id: int, at: datetime = NOW) -> int:
    return opening.open_for(db.session.get_one(CycleRow, cycle_id), at)


def put(cycle_id: int, review_id: int, at: datetime = NOW, **values: str) -> int:
    """HR enters these figures by hand; rows that the system fills get a remark, as is asked."""
    entries = {key: Entry(value, remark="Told by the team.") for key, value in values.items()}
    done = entering.enter(cycle_id, {review_id: entries}, somebody_of_hr(), at)
    db.session.flush()
    return done


def somebody_of_hr() -> Hand:
    query = select(PersonRow.id).join(RoleRow, RoleRow.person_id == PersonRow.id).where(RoleRow.role == "hr")
    return Hand(db.session.scalars(query.order_by(PersonRow.id)).first() or 0, is_hr=True)
