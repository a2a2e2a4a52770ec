"""HR's pages of a plan: how surveys go out, and whom the next wave would ask before it runs."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.customer_survey import plans, waves
from review.customer_survey.blueprint import bp
from review.customer_survey.desk_forms import PlanForm, plan_form
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.survey_plan import Mode
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell

MOST_NEEDS = 100


@bp.route("/cycles/<int:cycle_id>/surveys/plan", methods=["GET", "POST"])
@allow(Deed.SURVEY_RUN, find=find_cycle)
def plan(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """What HR sets per cycle; once somebody was asked it can only be read."""
    if request.method == "POST":
        form, moment = PlanForm(), now()
        if form.accept(lambda: plans.set_plan(cycle, form.plan(), by=actor.person_id, now=moment)):
            tell("customer_survey:plan_saved")
            return redirect(url_for("customer_survey.preview", cycle_id=cycle.id))
        return _plan_page(cycle, form), 422
    return _plan_page(cycle, plan_form(plans.plan_of(cycle.id)))


def _plan_page(cycle: CycleRow, form: PlanForm) -> str:
    minimum = plans.minimum_of(cycle)
    return render_template(
        "customer_survey/plan.html",
        cycle=cycle,
        form=form,
        minimum=minimum,
        quota=plans.plan_of(cycle.id).quota(minimum),
        may_change=plans.may_change(cycle),
        modes=list(Mode),
    )


@bp.get("/cycles/<int:cycle_id>/surveys/preview")
@allow(Deed.SURVEY_RUN, find=find_cycle)
def preview(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The next wave as it would go out now: by stratum, by person, and what is left out and why."""
    wanted, seed = plans.stated(cycle.id)
    ready = waves.preview(cycle, wanted, seed, now())
    return render_template(
        "customer_survey/preview.html",
        cycle=cycle,
        plan=wanted,
        ready=ready,
        needs=ready.needs[:MOST_NEEDS] if ready else (),
        due_at=plans.due_at(cycle, ready.wave) if ready and wanted.mode is not Mode.LIST else None,
        seed=seed,
    )
