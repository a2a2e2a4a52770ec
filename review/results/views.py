"""The supervisor's desk at the end of a cycle: each person's figures, and the sign-off."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import ReviewFile, find_cycle, find_review
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.cycle import Stage
from review.domain.refusals import TooLate
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
    if cycle.stage in {Stage.PUBLISHED, Stage.ARCHIVED}:
        return redirect(url_for("reports.team", cycle_id=cycle.id))
    return render_template("results/team.html", cycle=cycle, lines=desk.lines_of(actor.person_id, cycle, now()))


@bp.get("/team/results/<int:review_id>/finalise")
@allow(Deed.RESULT_FINALISE, find=find_review)
def finalise(_actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    draft = desk.draft_of(file, now())
    form = SignOffForm(obj=draft.sign_off)
    decided = draft.sign_off.final_grade if draft.sign_off else None
    form.grade.data = decided or draft.card.grade
    return _page(file, draft, form)


@bp.post("/team/results/<int:review_id>/finalise")
@allow(Deed.RESULT_FINALISE, find=find_review)
def sign_off(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    at, form = now(), SignOffForm()
    try:
        done = form.accept(lambda: service.finalise(file.review.id, form.to_sign_off(), by=actor.person_id, now=at))
        return _finalised(file) if done else (_page(file, desk.draft_of(file, at), form), 422)
    except TooLate as refusal:
        # What was typed is still wanted: the supervisor may say it in the talk, or in an appeal.
        return render_template("results/too_late.html", file=file, form=form, problems=refusal.problems), 410


def _finalised(file: ReviewFile) -> ResponseReturnValue:
    tell("results:finalised", name=file.subject.name)
    return redirect(url_for("results.team", cycle_id=file.cycle.id))


def _page(file: ReviewFile, draft: desk.Draft, form: SignOffForm) -> str:
    scheme = scheme_of(file.cycle.scheme_id)
    return render_template("results/finalise.html", file=file, draft=draft, form=form, scheme=scheme)
