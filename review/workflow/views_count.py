"""The count when it waits: two trustees open the ballots, or HR gives up ballots that nobody can open any more."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.custody import service as custody
from review.custody.forms import OpenForm
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, Role, Standing
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, Taken
from review.infra.clock import now
from review.infra.gate import Found, allow
from review.infra.pages import tell
from review.workflow import close
from review.workflow.doors import desk as bp
from review.workflow.forms import GoOnForm


def find_locked(actor: Actor, cycle_id: int) -> Found:
    """A cycle, and whether the actor is one of its trustees."""
    found = find_cycle(actor, cycle_id)
    is_trustee = actor.person_id in {one.person_id for one in custody.trustees_of(cycle_id)}
    return Found(found.thing, frozenset({Standing.TRUSTEE} if is_trustee else ()))


@bp.get("/cycles/<int:cycle_id>/open")
@allow(Deed.KEY_OPEN, find=find_locked)
def open_page(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _open_page(actor, cycle, OpenForm())


def _open_page(actor: Actor, cycle: CycleRow, form: OpenForm) -> str:
    return render_template(
        "custody/open.html",
        cycle=cycle,
        form=form,
        trustees=custody.trustees_of(cycle.id),
        is_waiting=custody.is_waiting(cycle),
        is_early=cycle.stage in {Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING},
        is_hr=Role.HR in actor.roles,
    )


@bp.post("/cycles/<int:cycle_id>/open")
@allow(Deed.KEY_OPEN, find=find_locked)
def open_ballots(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = OpenForm(), now()
    if not form.accept(lambda: close.unlock(cycle, form.shares(cycle.id), by=actor.person_id, now=at)):
        return _open_page(actor, cycle, form), 422
    tell("custody:opened")
    return redirect(url_for("desk.open_page", cycle_id=cycle.id))


@bp.get("/cycles/<int:cycle_id>/without-peers")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def without_peers(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    _require_stuck(cycle)
    return _without_peers(cycle, GoOnForm())


def _require_stuck(cycle: CycleRow) -> None:
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING, Stage.COLLECTING}:
        raise NotYet("custody:not_closed")
    if not close.is_stuck(cycle):
        raise Taken("ballots:still_countable" if cycle.stage is Stage.COUNTING else "custody:nothing_to_open")


def _without_peers(cycle: CycleRow, form: GoOnForm) -> str:
    return render_template("workflow/without_peers.html", cycle=cycle, form=form, is_locked=custody.is_waiting(cycle))


@bp.post("/cycles/<int:cycle_id>/without-peers")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def give_up_peers(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = GoOnForm(), now()
    _require_stuck(cycle)
    typed = form.name.data or ""
    if not form.accept(lambda: close.go_on_without_peers(cycle, form.reason.data, typed, by=actor.person_id, now=at)):
        return _without_peers(cycle, form), 422
    tell("workflow:peers_given_up", name=cycle.name)
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))
