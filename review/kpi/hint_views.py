"""HR's page of hints on gaming: what stands out, against whom, and the tickets behind it. Nothing of it is stored."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from review.domain import gaming
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.gaming import Hint, HintKind
from review.domain.indicators import Span, months_back
from review.helpdesk import habits
from review.helpdesk.tables import TicketRow
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.lists import slice_of
from review.infra.pages import ours
from review.kpi import board
from review.kpi.board_views import bp
from review.people import directory

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A hint with the name of whom it is about and the first tickets behind it."""

    hint: Hint
    name: str
    tickets: list[TicketRow]


@bp.get("/indicators/hints")
@allow(Deed.HINTS_SEE)
def hint_list(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001
    """About one calendar month: the last whole one, or the one of the day asked for."""
    today = local_day(now(), ours().zone)
    asked = board.read_asked(request.args, today.replace(day=1) - timedelta(days=1))
    (span,) = months_back(asked.until, 1)
    usual = habits.usual_time(span)
    found = gaming.hints(habits.habits_of(span, usual), directory.lines())
    listing = slice_of(found, asked.page, PER_PAGE)
    return render_template(
        "kpi/board_hints.html",
        span=span,
        until=asked.until,
        usual=usual,
        listing=listing,
        shown=_shown(listing.rows, span, usual),
        rules=gaming,
        query={"until": asked.until.isoformat()},
    )


def _shown(found: Any, span: Span, usual: int) -> list[Shown]:
    """At most one query a kind, and one for the names."""
    names = {row.id: row.name for row in directory.by_ids(one.agent for one in found).values()} if found else {}
    behind = {}
    for kind in HintKind:
        agents = [one.agent for one in found if one.kind is kind]
        behind[kind] = habits.behind(kind, agents, span, usual) if agents else {}
    return [Shown(one, names.get(one.agent, "—"), behind[one.kind].get(one.agent, [])) for one in found]
