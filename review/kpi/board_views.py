"""Pages of indicators: the board of everybody, of a team, of oneself, and of one person."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.domain.calendar import local_day
from review.domain.indicators import DEFINITIONS, RESPONSE_GOAL
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import ours
from review.kpi import alerts, board
from review.kpi.board_targets import aims_of, weights_in_use
from review.people.tables import PersonRow

bp = Blueprint("indicators", __name__)


@bp.get("/indicators")
@allow(Deed.INDICATORS_SEE)
def show(actor: Actor) -> ResponseReturnValue:
    is_own = not actor.roles & {Role.HR, Role.SUPERVISOR}
    if is_own:
        return _of_person(actor, actor.person_id, actor.name, is_own=True)
    asked = board.read_asked(request.args, local_day(now(), ours().zone))
    found = board.board_of(asked, board.people_of(actor, asked), difficulty=weights_in_use())
    choices = board.choices(actor, asked.spans)
    return _page(asked, found, choices=choices, person=None, alerts=alerts.open_for(actor))


@bp.get("/indicators/people/<int:person_id>")
@allow(Deed.INDICATORS_READ, find=board.find_measured)
def person(actor: Actor, somebody: PersonRow) -> ResponseReturnValue:
    return _of_person(actor, somebody.id, somebody.name, is_own=somebody.id == actor.person_id)


def _of_person(actor: Actor, person_id: int, name: str, *, is_own: bool) -> ResponseReturnValue:
    """One person's figures, by kind of tickets below, with the targets of their latest sheet."""
    args = {**request.args, "by": board.By.KIND.value}
    asked = board.read_asked(args, local_day(now(), ours().zone))
    aims = aims_of([person_id]).get(person_id, {})
    targets = {indicator: target for indicator, (target, _limit) in aims.items() if target is not None}
    found = board.board_of(asked, [person_id], targets, weights_in_use())
    choices = board.choices(actor, asked.spans)
    return _page(asked, found, choices=choices, person={"id": person_id, "name": name, "is_own": is_own}, alerts=0)


def _page(asked: board.Asked, found: board.Board, **more: Any) -> str:
    return render_template(
        "kpi/board.html",
        asked=asked,
        board=found,
        steps=list(board.Step),
        bys=list(board.By),
        definitions=DEFINITIONS,
        goal=int(RESPONSE_GOAL),
        query={key: value for key, value in request.args.items() if key != "page" and value},
        **more,
    )
