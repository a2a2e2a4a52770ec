"""The self-review's page: written by its subject until it is due, read by both sides afterwards."""

from datetime import datetime, timedelta

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import ReviewFile, find_review
from review.domain.access import Actor, Deed
from review.domain.responses import SelfReview
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.house import house
from review.infra.pages import tell
from review.responses.service import Sheet
from review.schemes.service import scheme_of
from review.self_review import service
from review.self_review.forms import SelfReviewForm, drafted, form_for

bp = Blueprint("self_review", __name__)


SOON = timedelta(days=2)


@bp.get("/self-review/<int:review_id>")
@allow(Deed.SELF_REVIEW_READ, find_review)
def show(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    at = now()
    if actor.person_id != file.review.subject_id:
        return _read(file, service.as_reference(file, actor.person_id), is_own=False)
    sheet = service.sheet_of(file)
    if not service.is_open(file, at):
        return _read(file, sheet, is_own=True)
    return _page(file, form_for(scheme_of(file.cycle.scheme_id), sheet), sheet, at)


@bp.post("/self-review/<int:review_id>")
@allow(Deed.SELF_REVIEW_WRITE, find_review)
def write(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    scheme = scheme_of(file.cycle.scheme_id)
    form, at, me = form_for(scheme), now(), actor.person_id
    is_submitting = request.form.get("act") == "submit"
    if is_submitting:
        done = form.keep(lambda: service.submit(file, me, form.value(), scheme, form.seen_version, at))
    else:
        done = form.keep(lambda: service.save_draft(file, me, form.value(), form.seen_version, at))
    if not done:
        return _page(file, form, service.sheet_of(file), at)
    tell("self_review:submitted" if is_submitting else "self_review:draft_saved")
    return redirect(url_for("self_review.show", review_id=file.review.id))


@bp.post("/self-review/<int:review_id>/draft")
@allow(Deed.SELF_REVIEW_WRITE, find_review)
def autosave(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    form, at = form_for(scheme_of(file.cycle.scheme_id)), now()
    done = form.keep(lambda: service.save_draft(file, actor.person_id, form.value(), form.seen_version, at))
    return make_response("", 204 if done else form.status)


def _page(file: ReviewFile, form: SelfReviewForm, sheet: Sheet[SelfReview] | None, at: datetime) -> ResponseReturnValue:
    if form.is_second and sheet is not None:
        form.now_seen(sheet.version)  # the page shows what is filed now: sending it again is a decision
    page = render_template(
        "self_review/write.html",
        file=file,
        form=form,
        sheet=sheet,
        scheme=scheme_of(file.cycle.scheme_id),
        due=service.due_of(file),
        is_soon=service.due_of(file) - at < SOON,
        last_plan=service.last_plan(file),
        parts=service.PARTS,
        longest=service.LONGEST_PART,
        beside=house().beside(file.review.id),
    )
    return make_response(page, form.status if form.is_submitted() else 200)


def _read(file: ReviewFile, sheet: Sheet[SelfReview] | None, *, is_own: bool) -> ResponseReturnValue:
    unsent = drafted(sheet.draft) if is_own and sheet is not None and sheet.draft is not None else None
    return render_template(
        "self_review/read.html",
        file=file,
        sheet=sheet,
        unsent=unsent,
        is_own=is_own,
        scheme=scheme_of(file.cycle.scheme_id),
        parts=service.PARTS,
        due=service.due_of(file),
    )
