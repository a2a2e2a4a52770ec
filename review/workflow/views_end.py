"""HR's desk towards the end: remind, close, publish with its checklist, cancel with a reason."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.cycle import Move, Stage, moves_from
from review.domain.refusals import Taken
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.house import house
from review.infra.pages import tell
from review.results.waiting import changed_grades, distribution, first_unfinalised, unfinalised_by_supervisor
from review.workflow import asking, close, kpi_filling, publish, remind
from review.workflow.doors import desk as bp
from review.workflow.forms import PublishForm, ReasonForm

NAMED = 8  # people named on the checklist before it says how many more there are


@bp.post("/cycles/<int:cycle_id>/remind")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def remind_now(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    only = remind.idle_supervisors(cycle) if request.form.get("only") == "idle" else None
    count = remind.remind_now(cycle, now=now(), only=only)
    tell("workflow:reminded", count=count)
    back = "desk.publish_page" if cycle.stage is Stage.FINALISING else "desk.cycle"
    return redirect(url_for(back, cycle_id=cycle.id))


@bp.post("/cycles/<int:cycle_id>/kpi/fill")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def fill_sheets(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    kpi_filling.ask(cycle, by=actor.person_id, now=now())
    return redirect(url_for("kpi_sheets.sheets", cycle_id=cycle.id))


@bp.get("/cycles/<int:cycle_id>/close")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def close_page(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    _require_move(cycle, Move.CLOSE)
    return render_template("workflow/close.html", cycle=cycle, at=now())


@bp.post("/cycles/<int:cycle_id>/close")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def close_now(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    close.close(cycle, by=actor.person_id, now=now(), early=True)
    tell("workflow:closed", name=cycle.name)
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))


def _require_move(cycle: CycleRow, move: Move) -> None:
    if move not in moves_from(cycle.stage):
        raise Taken("cycle:already_moved", stage=cycle.stage.value, move=move.value)


@bp.get("/cycles/<int:cycle_id>/publish")
@allow(Deed.PUBLICATION_PUBLISH, find=find_cycle)
def publish_page(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    _require_move(cycle, Move.PUBLISH)
    return _publish_page(actor, cycle, PublishForm())


def _publish_page(actor: Actor, cycle: CycleRow, form: PublishForm) -> str:
    facts = publish.facts_of(cycle)
    asked = asking.stand_of(publish.key_of(cycle.id))
    return render_template(
        "workflow/publish.html",
        cycle=cycle,
        form=form,
        facts=facts,
        needs=publish.needs(cycle, facts),
        waiting=first_unfinalised(cycle.id, NAMED),
        owing=len(unfinalised_by_supervisor(cycle.id)),
        grades=distribution(cycle.id),
        changed=changed_grades(cycle.id, reader=actor.person_id),
        busy=asked.busy,
        progress=house().progress.read(asked.busy) if asked.busy else None,
        refused=asked.refused,
    )


@bp.post("/cycles/<int:cycle_id>/publish")
@allow(Deed.PUBLICATION_PUBLISH, find=find_cycle)
def publish_now(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = PublishForm(), now()
    if not form.accept(lambda: publish.ask(cycle, form.name.data, by=actor.person_id, now=at)):
        return _publish_page(actor, cycle, form), 422
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))


@bp.get("/cycles/<int:cycle_id>/cancel")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def cancel_page(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    _require_move(cycle, Move.CANCEL)
    return render_template("workflow/cancel.html", cycle=cycle, form=ReasonForm())


@bp.post("/cycles/<int:cycle_id>/cancel")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def cancel(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = ReasonForm(), now()
    if not form.accept(lambda: publish.cancel(cycle, form.reason.data, by=actor.person_id, now=at)):
        return render_template("workflow/cancel.html", cycle=cycle, form=form), 422
    tell("workflow:cancelled", name=cycle.name)
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))
