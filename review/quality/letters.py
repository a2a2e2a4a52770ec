"""What this room's letters are filled with: that there is something to do or to read, never a mark or a figure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from review.infra import dates, organisation
from review.quality import calibration, checks, disputes, samples

Params = Mapping[str, Any]


def _with_dates(params: Params, path: str) -> dict[str, Any]:
    zone = organisation.current().zone

    def deadline(moment: str, locale: str) -> str:
        return dates.deadline(datetime.fromisoformat(moment), locale, zone)

    return {**params, "deadline": deadline, "path": path}


def assigned(params: Params) -> Params:
    """Tickets wait for this checker."""
    return _with_dates(params, "/checks")


def result(params: Params) -> Params:
    """A check of one's own ticket is submitted: where to read it, and until when it may be disputed."""
    return _with_dates(params, f"/checks/{params['check_id']}")


def disputed(params: Params) -> Params:
    """A check is disputed: the checker is told, somebody else decides."""
    where = "disputes" if params["decides"] else "checks"
    return _with_dates(params, f"/{where}/{params['check_id']}")


def decided(params: Params) -> Params:
    """A dispute is decided."""
    return _with_dates(params, f"/checks/{params['check_id']}")


def invited(params: Params) -> Params:
    """A calibration round asks for blind marks."""
    return _with_dates(params, f"/calibrations/{params['round_id']}")


LETTERS = {
    samples.ASSIGNED: assigned,
    checks.RESULT: result,
    disputes.RAISED: disputed,
    disputes.DECIDED: decided,
    calibration.INVITED: invited,
}
