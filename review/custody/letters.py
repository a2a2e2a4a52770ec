"""What the trustees' letters are filled with: what to do and where, never a share or a word of it."""

from collections.abc import Mapping
from typing import Any

from review.custody import service


def named(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Somebody became a trustee: where they take their share."""
    return {**params, "path": f"/cycles/{params['cycle_id']}/share"}


def opening(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cycle has closed: where two trustees open the ballots."""
    return {**params, "path": f"/cycles/{params['cycle_id']}/open"}


LETTERS = {service.NAMED: named, service.OPEN: opening}
