"""HR's pages: bring tickets in, see how many customers were asked and answered, send the reminder, take links along."""

from datetime import datetime

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.customer_survey import (
    exclusions,
    headings,
    intake,
    jobs,
    links,
    plans,
    service,
    sheet,
)
from review.customer_survey.blueprint import bp
from review.customer_survey.forms import PlainForm, UploadForm
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.cycle import Stage
from review.domain.refusals import NotYet
from review.domain.survey_plan import Mode
from review.infra import audit
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import tell

GOAL = 70


@bp.route("/customers/import", methods=["GET", "POST"])
@allow(Deed.CUSTOMER_IMPORT)
def import_(actor: Actor) -> ResponseReturnValue:
    """Bring a file; it is looked at before anything is written."""
    form, moment = UploadForm(), now()
    if request.method == "POST":
        if form.accept(lambda: _keep(form, actor, moment)):
            upload = intake.kept(actor.person_id, moment)
            return redirect(url_for("customer_survey.confirm", upload_id=upload.id if upload else 0))
        return _import_page(form), 422
    return _import_page(form)


def _import_page(form: UploadForm) -> str:
    columns = headings.names_in(request_locale())
    return render_template("customer_survey/import.html", form=form, columns=columns, required=sheet.REQUIRED)


def _keep(form: UploadForm, actor: Actor, moment: datetime) -> None:
    intake.keep(form.file.data.read(), form.file.data.filename or "", actor.person_id, moment)


@bp.route("/customers/import/<int:upload_id>", methods=["GET", "POST"])
@allow(Deed.CUSTOMER_IMPORT)
def confirm(actor: Actor, upload_id: int) -> ResponseReturnValue:
    """What the file would do, and the button that does it."""
    form, moment = PlainForm(), now()
    if request.method == "POST" and form.validate():
        outcome = intake.confirm(actor.person_id, upload_id, moment)
        if outcome is None:
            tell("customer_survey:nothing_left", kind="warn")
        else:
            tell("customer_survey:imported", "ok", **outcome.figures())
        return redirect(url_for("customer_survey.import_"))
    outcome, filename = intake.look_again(actor.person_id, upload_id, moment)
    return render_template("customer_survey/confirm.html", form=form, outcome=outcome, filename=filename)


@bp.get("/cycles/<int:cycle_id>/surveys")
@allow(Deed.SURVEY_RUN, find=find_cycle)
def surveys(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """Asked, answered, and what can be done about it."""
    moment, rate = now(), service.response_rate(cycle.id)
    plan, seed = plans.stated(cycle.id)
    return render_template(
        "customer_survey/surveys.html",
        cycle=cycle,
        plan=plan,
        planned=plans.planned(cycle, plan),
        seed=seed,
        quota=plan.quota(rate.minimum),
        left_out=exclusions.counts(cycle),
        rate=rate,
        tickets=service.tickets_in_period(cycle),
        links=service.open_links(cycle.id, moment),
        remindable=service.remindable(cycle.id, moment),
        under_way=jobs.under_way(cycle.id),
        running=cycle.stage is Stage.COLLECTING and moment < cycle.closes_at,
        goal=GOAL,
    )


@bp.post("/cycles/<int:cycle_id>/surveys/invite")
@allow(Deed.SURVEY_RUN, find=find_cycle)
def invite(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """Ask the customers whose tickets came in since; the worker does it. Raises NotYet where waves are planned."""
    if plans.plan_of(cycle.id).mode is not Mode.LIST:
        raise NotYet("customer_survey:by_waves")
    return _put_in_line(actor, cycle, jobs.INVITE, "customer_survey:survey:invited")


@bp.post("/cycles/<int:cycle_id>/surveys/remind")
@allow(Deed.SURVEY_RUN, find=find_cycle)
def remind(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _put_in_line(actor, cycle, jobs.REMIND, "customer_survey:survey:reminded")


def _put_in_line(actor: Actor, cycle: CycleRow, kind: str, action: str) -> ResponseReturnValue:
    moment = now()
    service.require_running(cycle, moment)
    if jobs.ask_for(kind, cycle.id, moment):
        audit.record(action, f"cycle:{cycle.id}", by=actor.person_id, at=moment)
        tell("customer_survey:in_line")
    else:
        tell("customer_survey:already_in_line", kind="warn")
    return redirect(url_for("customer_survey.surveys", cycle_id=cycle.id))


@bp.post("/cycles/<int:cycle_id>/surveys/links.csv", endpoint="links")
@allow(Deed.SURVEY_RUN, find=find_cycle)
def links_file(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The links as a list for an SMS or WeCom gateway. A POST, because who took them along is written down."""
    moment, everybody = now(), request.form.get("who") == "everybody"
    audit.record(
        "customer_survey:links:exported", f"cycle:{cycle.id}", by=actor.person_id, at=moment, everybody=everybody
    )
    # Made whole before it is sent: a slow download must not hold a transaction open.
    links.note_taken_along(cycle.id, moment, everybody=everybody)
    body = "".join(service.links_csv(cycle.id, moment, everybody=everybody))
    headers = {"Content-Disposition": f'attachment; filename="survey-links-{cycle.id}.csv"'}
    return Response(body.encode("utf-8-sig"), mimetype="text/csv", headers=headers)
