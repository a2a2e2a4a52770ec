"""What the conductor's letters are filled with. No letter holds a result or a link that opens something by itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from review.infra import dates, organisation, wording

Params = Mapping[str, Any]


def _with_dates(params: Params) -> dict[str, Any]:
    """The letter's own words, and how it prints a moment that the row keeps as text."""
    zone = organisation.current().zone

    def deadline(moment: str, locale: str) -> str:
        return dates.deadline(datetime.fromisoformat(moment), locale, zone)

    return {**params, "deadline": deadline}


def opening(params: Params) -> Params:
    """A cycle has started: everything this person is asked for."""
    return _with_dates(params)


def reminder(params: Params) -> Params:
    """Everything this person still owes, over all cycles, nearest deadline first."""
    lines = sorted(params["lines"], key=lambda line: (line["due"], line["what"]))
    return _with_dates({**params, "lines": lines})


def finalise(params: Params) -> Params:
    """The count is over; this supervisor's results wait for their word."""
    return _with_dates(params)


def published(params: Params) -> Params:
    """The result can be read: sign in and see it."""
    return {**params, "path": f"/results/{params['review_id']}"}


def cancelled(params: Params) -> Params:
    """The cycle ended without results, and why."""
    return dict(params)


def asked_again(params: Params) -> Params:
    """What was cast is lost with its urn: please rate again."""
    return _with_dates(params)


def words_tried(params: Params) -> Params:
    """A letter to try its words out: marked as such, about invented facts."""
    kind = params["kind"]
    return {**wording.sample(kind, params["locale"]), "as_kind": kind, "is_test": True}


WORDS_TRIED = "workflow:words_tried"

LETTERS = {
    "workflow:opening": opening,
    "workflow:reminder": reminder,
    "workflow:finalise": finalise,
    "workflow:published": published,
    "workflow:cancelled": cancelled,
    "workflow:asked_again": asked_again,
    WORDS_TRIED: words_tried,
}
