"""HR's page of second raters, for cycles whose scheme asks for two ratings of supervisors."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles import changes
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.refusals import Invalid
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.pages import tell
from review.people import directory
from review.workflow import plan, second_raters
from review.workflow.doors import desk as bp
from review.workflow.forms import SecondRaterForm


@bp.get("/cycles/<int:cycle_id>/second-raters")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def second_raters_page(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _page(cycle, SecondRaterForm())


def _page(cycle: CycleRow, form: SecondRaterForm) -> str:
    text = request.args.get("q", "").strip()
    are_asked, day = second_raters.are_asked(cycle), plan.first_day(cycle, now())
    lacking = second_raters.lacking(cycle, day) if are_asked else {}
    named = {key: row.name for key, row in directory.by_ids({who for who in lacking.values() if who}).items()}
    return render_template(
        "workflow/second_raters.html",
        cycle=cycle,
        form=form,
        text=text,
        are_asked=are_asked,
        is_open=cycle.stage in changes.BEFORE_LAUNCH | changes.CHANGEABLE,
        listing=page_of(second_raters.listed(cycle, text), request.args.get("page", 1, type=int)),
        lacking=lacking,
        proposed={review: named[who] for review, who in lacking.items() if who},
        people=second_raters.able(day),
        ticked=set(request.form.getlist("reviews", type=row_id)),
    )


@bp.post("/cycles/<int:cycle_id>/second-raters")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def name_second_raters(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, count = SecondRaterForm(), []
    if not form.accept(lambda: count.append(_act(cycle, form, actor))):
        return _page(cycle, form), 422
    tell("workflow:second_raters_named", count=count[0])
    return redirect(url_for("desk.second_raters_page", cycle_id=cycle.id))


def _act(cycle: CycleRow, form: SecondRaterForm, actor: Actor) -> int:
    at, by = now(), actor.person_id
    match request.form.get("act"):
        case "proposed":
            return second_raters.fill(cycle, plan.first_day(cycle, at), by=by, now=at)
        case "somebody":
            chosen = request.form.getlist("reviews", type=row_id)
            return second_raters.name(cycle, chosen, form.employee_no.data or "", by=by, now=at)
        case _:
            raise Invalid("form:choose_one")
