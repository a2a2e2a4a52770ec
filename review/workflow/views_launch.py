"""HR's desk before the start: the peer assignment with its shortages, and the launch."""

from datetime import datetime

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles import changes
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.refusals import Invalid, Problem
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.house import house
from review.infra.lists import slice_of
from review.infra.pages import ours, tell
from review.schemes.service import scheme_of
from review.workflow import asking, kpi_part, launch, plan
from review.workflow.doors import desk as bp
from review.workflow.forms import PlanForm
from review.workflow.tables import PlanRow


@bp.get("/cycles/<int:cycle_id>/peers")
@allow(Deed.CYCLE_SEE, find=find_cycle)
def peers(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _peers_page(cycle, PlanForm())


def _peers_page(cycle: CycleRow, form: PlanForm) -> str:
    row = plan.of(cycle.id)
    facts = launch.facts_of(cycle, now())
    asked = asking.stand_of(launch.key_of(cycle.id), plan.key_of(cycle.id))
    return render_template(
        "workflow/peers.html",
        cycle=cycle,
        form=form,
        plan=row,
        scheme=scheme_of(cycle.scheme_id),
        facts=facts,
        needs=[(need, met) for need, met in launch.needs(cycle, facts) if need.code not in _OF_THE_PLAN],
        shortages=slice_of(row.shortages if row else [], request.args.get("page", 1, type=int)),
        busy=asked.busy,
        progress=house().progress.read(asked.busy) if asked.busy else None,
        refused=asked.refused,
        is_confirmed=row is not None and cycle.plan_confirmed and cycle.plan_digest == row.digest,
        widest=max(row.loads.values(), default=1) if row else 1,
        kpi=kpi_part.kpi_of(cycle, ours().zone),
    )


_OF_THE_PLAN = {"cycle:plan_outdated", "cycle:peer_shortages_unconfirmed"}


@bp.get("/cycles/<int:cycle_id>/progress")
@allow(Deed.CYCLE_SEE, find=find_cycle)
def progress(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The small part that asks again every second; when the work is over, the whole page is fetched anew."""
    named = request.args.get("job", "")
    keys = [named] if named.endswith(f":{cycle.id}") else [launch.key_of(cycle.id), plan.key_of(cycle.id)]
    watched = asking.stand_of(*keys).busy
    if watched is None:
        over = Response("", 200)
        over.headers["HX-Refresh"] = "true"
        return over
    return make_response(
        render_template("workflow/_progress.html", cycle=cycle, busy=watched, progress=house().progress.read(watched))
    )


@bp.post("/cycles/<int:cycle_id>/peers/plan")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def make_plan(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    plan.ask(cycle, now())
    return redirect(url_for("desk.peers", cycle_id=cycle.id))


@bp.post("/cycles/<int:cycle_id>/peers/confirm")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def confirm(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = PlanForm(), now()
    if not form.accept(lambda: _confirm(cycle, form, actor, at)):
        return _peers_page(cycle, form), 422
    tell("workflow:plan_confirmed")
    return redirect(url_for("desk.peers", cycle_id=cycle.id))


def _confirm(cycle: CycleRow, form: PlanForm, actor: Actor, at: datetime) -> PlanRow:
    """Take HR's word for the assignment that stood on their page; another one they have not seen."""
    row = plan.of(cycle.id)
    if row is None or row.digest != form.digest.data:
        raise Invalid.of([Problem("cycle:plan_outdated")])
    if row.without_peers and not form.accept_all.data:
        raise Invalid.of([Problem("workflow:accept_shortages", "accept_all", {"count": len(row.without_peers)})])
    changes.confirm_plan(cycle, row.digest, by=actor.person_id, now=at)
    return row


@bp.post("/cycles/<int:cycle_id>/launch")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def launch_now(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    launch.ask(cycle, by=actor.person_id, now=now())
    return redirect(url_for("desk.peers", cycle_id=cycle.id))


@bp.post("/cycles/<int:cycle_id>/schedule")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def schedule(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    if request.form.get("off"):
        launch.unschedule(cycle)
        tell("workflow:schedule_off", name=cycle.name)
    else:
        launch.schedule(cycle, by=actor.person_id, now=now())
        tell("workflow:scheduled", name=cycle.name)
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))
