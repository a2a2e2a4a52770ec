"""The plan that comes with the product: data to start from, nothing of it stands in the program."""

import json
from functools import cache
from pathlib import Path

from review.domain.kpi_plan import KpiPlan, parse_plan

SHELF = Path(__file__).resolve().parent
STARTING_SET = "customer-service"


def starting_data() -> dict[str, object]:
    """The plain data of the starting set, fresh for the caller to change."""
    data: dict[str, object] = json.loads((SHELF / f"{STARTING_SET}.json").read_text(encoding="utf-8"))
    return data


@cache
def starting_plan() -> KpiPlan:
    return parse_plan(starting_data())
