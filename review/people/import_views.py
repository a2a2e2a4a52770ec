"""Importing a roster in the browser: upload, look at what it would do, confirm."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell
from review.people import accounts, activation, roster_import, uploads
from review.people.blueprint import bp
from review.people.forms import UploadForm
from review.people.roster_plan import Plan

SHOWN = 200  # rows and problems listed on the page; the counts are always of all


@bp.get("/people/import")
@allow(Deed.PERSON_IMPORT)
def import_page(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001
    return render_template("people/import.html", form=UploadForm())


@bp.post("/people/import")
@allow(Deed.PERSON_IMPORT)
def import_upload(actor: Actor) -> ResponseReturnValue:
    form, names = UploadForm(), []

    def act() -> None:
        at, filename = now(), form.file.data.filename
        data = form.file.data.read()
        roster_import.read(data, filename)  # what cannot be read is refused here, beside the field
        names.append(uploads.keep(data, filename, actor.person_id, at))

    if not form.accept(act):
        return render_template("people/import.html", form=form), 422
    return redirect(url_for("people.import_preview", upload=names[0]), 303)


@bp.get("/people/import/<upload>")
@allow(Deed.PERSON_IMPORT)
def import_preview(actor: Actor, upload: str) -> ResponseReturnValue:
    found = uploads.find(upload, actor.person_id)
    if found is None:
        return _gone()
    return _preview(_plan(actor, found), upload)


@bp.post("/people/import/<upload>")
@allow(Deed.PERSON_IMPORT)
def import_now(actor: Actor, upload: str) -> ResponseReturnValue:
    """Apply what the preview showed. A second confirmation finds the file taken and changes nothing."""
    found = uploads.find(upload, actor.person_id)
    taken = uploads.take(found) if found else None
    if found is None or taken is None:
        return _gone()
    try:
        roster_import.hold_the_directory()
        plan = _plan(actor, found)
        if plan.flaws or plan.fingerprint != request.form.get("fingerprint"):
            uploads.give_back(found, taken)
            return _preview(plan, upload, has_changed=True), 409
        roster_import.apply(plan, by=actor.person_id, now=now())
    except BaseException:
        if taken.exists():
            uploads.give_back(found, taken)
        raise
    taken.unlink()
    tell("people:imported", added=len(plan.adds), changed=len(plan.changes), unchanged=plan.unchanged)
    return redirect(url_for("people.listing"))


def _gone() -> ResponseReturnValue:
    tell("people:import_gone", kind="info")
    return redirect(url_for("people.listing"))


def _plan(actor: Actor, upload: uploads.Upload) -> Plan:
    may = accounts.is_administrator(actor.person_id)
    return roster_import.plan_of(upload.data, upload.filename, activation.today(now()), may_make_administrators=may)


def _preview(plan: Plan, upload: str, *, has_changed: bool = False) -> str:
    return render_template("people/import_preview.html", plan=plan, upload=upload, has_changed=has_changed, shown=SHOWN)
