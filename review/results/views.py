"""The supervisor's desk at the end of a cycle: each person's figures, and the sign-off."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import ReviewFile, find_cycle, find_review
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell
from review.results import desk, service
from review.results.forms import SignOffForm
from review.schemes.service import scheme_of

bp = Blueprint("results", __name__)


@bp.get("/team/<int:cycle_id>/results")
@allow(Deed.TEAM_BOARD_SEE, find=find_cycle)
def team(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    lines = desk.lines_of(actor.person_id, cycle)
    return render_template("results/team.html", cycle=cycle, lines=lines)


@bp.get("/results/<int:review_id>/finalise")
@allow(Deed.RESULT_FINALISE, find=find_review)
def finalise(_actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    draft = desk.draft_of(file)
    form = SignOffForm(obj=draft.sign_off, seen=draft.card.input_hash)
    if draft.sign_off is None and draft.card.grade is not None:
        form.grade.data = draft.card.grade.value
    elif draft.sign_off is not None:
        form.grade.data = draft.sign_off.final_grade.value if draft.sign_off.final_grade else None
    return _page(file, draft, form)


@bp.post("/results/<int:review_id>/finalise")
@allow(Deed.RESULT_FINALISE, find=find_review)
def sign_off(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    at, form = now(), SignOffForm()
    if not form.accept(lambda: service.finalise(file.review.id, form.to_sign_off(), by=actor.person_id, now=at)):
        return _page(file, desk.draft_of(file), form), 422
    tell("results:finalised", name=file.subject.name)
    return redirect(url_for("results.team", cycle_id=file.cycle.id))


def _page(file: ReviewFile, draft: desk.Draft, form: SignOffForm) -> str:
    scheme = scheme_of(file.cycle.scheme_id)
    return render_template("results/finalise.html", file=file, draft=draft, form=form, scheme=scheme)
