"""The pages of checks: one's own list, one check with its form, its result, putting a ticket aside, disputing."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.domain.quality import outcome_of
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import tell
from review.people import directory
from review.quality import calibration, checks, disputes, lists
from review.quality.blueprint import bp
from review.quality.checks import CheckFile, find_check
from review.quality.form_versions import form_of
from review.quality.forms import DisputeForm, ReplaceForm, SheetForm, dispute_form, sheet_form


@bp.get("/checks")
@allow(Deed.CHECKS_SEE_OWN)
def mine(actor: Actor) -> ResponseReturnValue:
    """What this person checks, and what was checked of theirs."""
    at = now()
    return render_template(
        "quality/mine.html",
        todo=lists.open_checks(actor.person_id),
        rounds=calibration.open_seats(actor.person_id, at),
        over=calibration.seen_rounds(actor.person_id, at),
        filed=lists.filed_by(actor.person_id),
        about_me=lists.about(actor.person_id),
        at=at,
    )


@bp.get("/checks/<int:check_id>")
@allow(Deed.CHECK_READ, find_check)
def check(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    if file.is_filed:
        return _result(actor, file)
    if file.check.checker_id == actor.person_id and file.check.replaced_at is None:
        form = sheet_form(form_of(file.sample.form_id), checks.sheet_of(file.check), request_locale())
        return _sheet(file, form, ReplaceForm())
    return render_template("quality/waiting.html", file=file)


@bp.post("/checks/<int:check_id>")
@allow(Deed.CHECK_WRITE, find_check)
def write(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    rules, at, me = form_of(file.sample.form_id), now(), actor.person_id
    form = sheet_form(rules, checks.Sheet(), request_locale())
    is_filing = request.form.get("act") == "submit"
    if is_filing:
        done = form.keep(lambda: checks.file_check(file, me, form.value(), rules, at))
    else:
        done = form.keep(lambda: checks.save_draft(file, me, form.value(), at))
    if not done:
        return _sheet(checks.file_of(file.check.id), form, ReplaceForm(formdata=None), form.status)
    tell("quality:check_filed" if is_filing else "quality:draft_saved")
    after = lists.next_open(me, file.check.sample_id) if is_filing else file.check.id
    return redirect(url_for("quality.check", check_id=after) if after else url_for("quality.mine"))


@bp.post("/checks/<int:check_id>/draft")
@allow(Deed.CHECK_WRITE, find_check)
def autosave(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    form, at = sheet_form(form_of(file.sample.form_id), checks.Sheet(), request_locale()), now()
    done = form.keep(lambda: checks.save_draft(file, actor.person_id, form.value(), at))
    return make_response("", 204 if done else form.status)


@bp.post("/checks/<int:check_id>/aside")
@allow(Deed.CHECK_WRITE, find_check)
def put_aside(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    """The reason stands on the page of the check, apart from its form: what was marked is kept by the autosave."""
    form, at = ReplaceForm(), now()
    after: list[int] = []

    def act() -> None:
        row = checks.replace(file, actor.person_id, form.reason.data, at)
        after.append(0 if row is None else row.id)

    if not form.accept(act):
        kept = sheet_form(form_of(file.sample.form_id), checks.sheet_of(file.check), request_locale())
        return _sheet(file, kept, form, 422)
    tell("quality:replaced" if after[0] else "quality:put_aside", "ok" if after[0] else "warn")
    return redirect(url_for("quality.check", check_id=after[0]) if after[0] else url_for("quality.mine"))


@bp.post("/checks/<int:check_id>/dispute")
@allow(Deed.DISPUTE_RAISE, find_check)
def dispute(actor: Actor, file: CheckFile) -> ResponseReturnValue:
    rules, at = form_of(file.sample.form_id), now()
    form = dispute_form(rules, {}, request_locale())
    if not form.keep(
        lambda: disputes.raise_dispute(file, actor.person_id, form.comment.data, form.proposed(), rules, at)
    ):
        return _result(actor, checks.file_of(file.check.id), form, form.status)
    tell("quality:dispute_raised")
    return redirect(url_for("quality.check", check_id=file.check.id))


def _sheet(file: CheckFile, form: SheetForm, aside: ReplaceForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "quality/check.html", file=file, form=form, aside=aside, rules=form_of(file.sample.form_id), at=now()
    )
    return make_response(page, status)


def _result(actor: Actor, file: CheckFile, form: DisputeForm | None = None, status: int = 200) -> ResponseReturnValue:
    rules, rows, at = form_of(file.sample.form_id), checks.marks_of(file.check.id), now()
    is_mine, until = actor.person_id == file.agent.id, file.check.dispute_until
    may_dispute = is_mine and file.dispute is None and until is not None and at <= until
    page = render_template(
        "quality/result.html",
        file=file,
        rules=rules,
        rows=rows,
        outcome=outcome_of(rules, {key: row.mark for key, row in rows.items()}),
        form=form or (dispute_form(rules, {key: row.filed_mark for key, row in rows.items()}, request_locale())),
        may_dispute=may_dispute or form is not None,
        is_mine=is_mine,
        may_decide=_may_decide(actor, file),
        decided_by=_name(file.dispute.decided_by) if file.dispute and file.dispute.decided_by else "",
        at=at,
    )
    return make_response(page, status)


def _may_decide(actor: Actor, file: CheckFile) -> bool:
    if file.dispute is None or actor.person_id in {file.agent.id, file.check.checker_id}:
        return False
    return Role.HR in actor.roles or file.dispute.decider_id == actor.person_id


def _name(person_id: int) -> str:
    return directory.person(person_id).name
