"""What the letters to owners of cases are filled with. No letter tells what a customer said, or about whom."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from review.infra import dates, organisation

Params = Mapping[str, Any]


def _case(params: Params) -> Params:
    zone = organisation.current().zone

    def due(locale: str) -> str:
        return dates.day(date.fromisoformat(params["due_on"]), locale, zone)

    return {**params, "due": due, "path": f"/cases/{params['case_id']}"}


LETTERS = {"follow_up:assigned": _case, "follow_up:overdue": _case}
