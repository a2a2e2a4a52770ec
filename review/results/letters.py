"""What this room's letters are filled with: that something waits and where, never a result."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from review.infra import dates, organisation
from review.results import looks, second_look


def _due(params: Mapping[str, Any]) -> dict[str, Any]:
    zone, due = organisation.current().zone, datetime.fromisoformat(params["due"])
    return {**params, "deadline": lambda locale: dates.deadline(due, locale, zone)}


def look(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result near a cut waits for this person's second look."""
    return {**_due(params), "path": f"/team/{params['cycle_id']}/looks"}


def sent_back(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A second person has sent one of this supervisor's results back."""
    return {**_due(params), "path": f"/team/{params['cycle_id']}/results"}


LETTERS = {looks.CALL: look, second_look.SENT_BACK: sent_back}
