"""HR's list of disputes, and the page on which somebody other than the checker decides one."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.pages import tell
from review.quality import checks, disputes, form_versions
from review.quality.blueprint import bp
from review.quality.checks import CheckFile
from review.quality.disputes import find_dispute
from review.quality.forms import DecisionForm, HandForm, decision_form


@bp.get("/disputes")
@allow(Deed.DISPUTES_SEE)
def all_disputes(_actor: Actor) -> ResponseReturnValue:
    listing = page_of(disputes.all_of_them(), request.args.get("page", 1, type=row_id))
    return render_template("quality/disputes.html", listing=listing)


@bp.get("/disputes/mine")
@allow(Deed.CHECKS_SEE_OWN)
def my_disputes(actor: Actor) -> ResponseReturnValue:
    """Those that were handed to this person."""
    listing = page_of(disputes.handed_to(actor.person_id), request.args.get("page", 1, type=row_id))
    return render_template("quality/disputes.html", listing=listing, is_mine=True)


@bp.get("/disputes/<int:check_id>")
@allow(Deed.DISPUTE_DECIDE, find_dispute)
def dispute_page(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    rules = form_versions.form_of(file.sample.form_id)
    filed = {key: row.filed_mark for key, row in checks.marks_of(file.check.id).items()}
    proposed = file.dispute.proposed if file.dispute else {}
    return _page(actor, file, decision_form(rules, {**filed, **proposed}, request_locale()), HandForm(formdata=None))


@bp.post("/disputes/<int:check_id>")
@allow(Deed.DISPUTE_DECIDE, find_dispute)
def decide_dispute(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    rules, at = form_versions.form_of(file.sample.form_id), now()
    form = decision_form(rules, {}, request_locale())
    if not form.keep(lambda: disputes.decide(file, form.decision(), rules, by=actor.person_id, now=at)):
        return _page(actor, checks.file_of(file.check.id), form, HandForm(formdata=None), form.status)
    tell("quality:dispute_decided")
    return redirect(url_for("quality.check", check_id=file.check.id))


@bp.post("/disputes/<int:check_id>/hand-over")
@allow(Deed.DISPUTES_SEE, find_dispute)
def hand_over(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    form, at = HandForm(), now()
    names: list[str] = []
    if not form.accept(
        lambda: names.append(disputes.hand_over(file, form.decider.data, by=actor.person_id, now=at).name)
    ):
        rules = form_versions.form_of(file.sample.form_id)
        filed = {key: row.filed_mark for key, row in checks.marks_of(file.check.id).items()}
        again = decision_form(rules, filed, request_locale())
        return _page(actor, checks.file_of(file.check.id), again, form, 422)
    tell("quality:handed_over", name=names[0])
    return redirect(url_for("quality.dispute_page", check_id=file.check.id))


def _page(actor: Actor, file: CheckFile, form: DecisionForm, hand: HandForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "quality/dispute.html",
        file=file,
        form=form,
        hand=hand,
        rules=form_versions.form_of(file.sample.form_id),
        rows=checks.marks_of(file.check.id),
        is_hr=Role.HR in actor.roles,
    )
    return make_response(page, status)
