"""Pages of what is left out: requests for tickets, HR's decisions, and the list of customers who want no letters."""

from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.customer_survey import exclusions, stops
from review.customer_survey.blueprint import bp
from review.customer_survey.desk_forms import DecisionForm, LiftForm, RequestForm, StopForm
from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell


@bp.route("/surveys/leave-out", methods=["GET", "POST"])
@allow(Deed.EXCLUSION_ASK)
def leave_out(actor: Actor) -> ResponseReturnValue:
    """Ask that a ticket of one's own or of one's team stays out; whether its customer was asked is not told."""
    form = RequestForm()
    if request.method == "POST":
        moment = now()
        if form.accept(lambda: _ask(form, actor, moment)):
            tell("customer_survey:request_taken")
            return redirect(url_for("customer_survey.leave_out"))
        return _leave_out_page(actor, form), 422
    return _leave_out_page(actor, form)


def _ask(form: RequestForm, actor: Actor, moment: datetime) -> None:
    exclusions.ask(form.reference.data or "", form.reason.data or "", by=actor.person_id, now=moment)


def _leave_out_page(actor: Actor, form: RequestForm) -> str:
    return render_template("customer_survey/leave_out.html", form=form, own=exclusions.own(actor.person_id))


@bp.get("/surveys/exclusions")
@allow(Deed.EXCLUSION_DECIDE)
def exclusion_list(actor: Actor) -> ResponseReturnValue:
    return _list_page(actor, None, DecisionForm())


@bp.post("/surveys/exclusions/<int:exclusion_id>")
@allow(Deed.EXCLUSION_DECIDE)
def decide(actor: Actor, exclusion_id: int) -> ResponseReturnValue:
    """Leave the ticket out or not; never by who asked or handled it."""
    form, moment = DecisionForm(), now()
    if form.accept(lambda: _decide(exclusion_id, form, actor, moment)):
        tell("customer_survey:request_decided")
        return redirect(url_for("customer_survey.exclusion_list"))
    return _list_page(actor, exclusion_id, form), 422


def _decide(exclusion_id: int, form: DecisionForm, actor: Actor, moment: datetime) -> None:
    approve, said = form.verdict.data == "yes", form.answer.data or ""
    exclusions.decide(exclusion_id, approve=approve, answer=said, by=actor.person_id, now=moment)


def _list_page(actor: Actor, tried: int | None, form: DecisionForm) -> str:
    rows = exclusions.requests(request.args.get("page", 1, int))
    return render_template("customer_survey/exclusions.html", rows=rows, form=form, tried=tried, me=actor.person_id)


@bp.route("/surveys/unsubscribed", methods=["GET", "POST"])
@allow(Deed.STOP_EDIT)
def unsubscribed(actor: Actor) -> ResponseReturnValue:
    """Who gets no more invitations; HR adds on request, with a reason."""
    form, moment = StopForm(), now()
    if request.method == "POST":
        if form.accept(lambda: stops.add(form.who.data or "", form.reason.data or "", by=actor.person_id, now=moment)):
            tell("customer_survey:stop_added")
            return redirect(url_for("customer_survey.unsubscribed"))
        return _stops_page(form, None, LiftForm()), 422
    return _stops_page(form, None, LiftForm())


@bp.post("/surveys/unsubscribed/<int:customer_id>/lift")
@allow(Deed.STOP_EDIT)
def lift(actor: Actor, customer_id: int) -> ResponseReturnValue:
    form, moment = LiftForm(), now()
    if form.accept(lambda: stops.lift(customer_id, form.reason.data or "", by=actor.person_id, now=moment)):
        tell("customer_survey:stop_lifted")
        return redirect(url_for("customer_survey.unsubscribed"))
    return _stops_page(StopForm(formdata=None), customer_id, form), 422


def _stops_page(form: StopForm, tried: int | None, lifting: LiftForm) -> str:
    search = request.args.get("q", "").strip()
    rows = stops.stopped(request.args.get("page", 1, int), search)
    context = {"rows": rows, "search": search, "form": form, "tried": tried, "lifting": lifting}
    return render_template("customer_survey/unsubscribed_list.html", **context)
