"""The pages of quality forms: everybody reads the open ones; HR drafts, edits, opens and retires versions."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField

from review.domain.access import Actor, Deed, Role
from review.domain.quality_form import parse_form
from review.infra.clock import now
from review.infra.db import db
from review.infra.forms import Form, at_most, filled, strip
from review.infra.gate import allow
from review.infra.pages import tell
from review.quality import form_versions
from review.quality.blueprint import bp
from review.quality.form_editor import EditorForm, editor_form
from review.quality.form_versions import find_form
from review.quality.tables import FormRow, FormState


class OpenForm(Form):
    """That the draft is opened as it was shown; `seen` is its hash."""

    seen = HiddenField()


class NewForm(Form):
    """A new form under its own key, begun as a copy."""

    key = StringField(filters=[strip], validators=[filled(), at_most(40)])


@bp.get("/quality/forms")
@allow(Deed.QUALITY_FORM_READ)
def forms(actor: Actor) -> ResponseReturnValue:
    is_hr = Role.HR in actor.roles
    rows = [row for row in form_versions.versions() if is_hr or row.state is not FormState.DRAFT]
    return render_template("quality/forms.html", rows=rows, is_hr=is_hr)


@bp.get("/quality/forms/<int:form_id>")
@allow(Deed.QUALITY_FORM_READ, find_form)
def form(actor: Actor, row: FormRow) -> ResponseReturnValue:
    return _read(actor, row, NewForm())


def _read(actor: Actor, row: FormRow, new: NewForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "quality/form.html",
        row=row,
        rules=parse_form(row.body),
        is_hr=Role.HR in actor.roles,
        opening=OpenForm(formdata=None, seen=row.hash),
        new=new,
    )
    return make_response(page, status)


@bp.post("/quality/forms/<int:form_id>/versions")
@allow(Deed.QUALITY_FORM_EDIT, find_form)
def begin_version(actor: Actor, row: FormRow) -> ResponseReturnValue:
    """The next version of this form, or the first of a new one where another key was typed."""
    new, made = NewForm(), list[FormRow]()
    wants_new = "key" in request.form
    if wants_new:
        if not new.accept(lambda: made.append(form_versions.begin(row, new.key.data, by=actor.person_id, now=now()))):
            return _read(actor, find_form(actor, row.id).thing, new, 422)
    else:
        made.append(form_versions.begin(row, row.key, by=actor.person_id, now=now()))
    return redirect(url_for("quality.edit_form", form_id=made[0].id))


@bp.get("/quality/forms/<int:form_id>/edit")
@allow(Deed.QUALITY_FORM_EDIT, find_form)
def edit_form(_actor: Actor, row: FormRow) -> ResponseReturnValue:
    if row.state is not FormState.DRAFT:
        return redirect(url_for("quality.form", form_id=row.id))
    return _editor(row, editor_form(parse_form(row.body)))


@bp.post("/quality/forms/<int:form_id>/edit")
@allow(Deed.QUALITY_FORM_EDIT, find_form)
def change_form(actor: Actor, row: FormRow) -> ResponseReturnValue:
    typed = editor_form(parse_form(row.body))
    at, form_id = now(), row.id
    if not typed.accept_data(lambda data: form_versions.change(row, data, by=actor.person_id, now=at)):
        return _editor(db.session.get_one(FormRow, form_id), typed, 422)
    tell("quality:form_saved")
    if request.form.get("act") == "more":
        return redirect(url_for("quality.edit_form", form_id=form_id, _anchor="more"))
    return redirect(url_for("quality.form", form_id=form_id))


def _editor(row: FormRow, typed: EditorForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("quality/form_edit.html", row=row, form=typed), status)


@bp.post("/quality/forms/<int:form_id>/open")
@allow(Deed.QUALITY_FORM_EDIT, find_form)
def open_form(actor: Actor, row: FormRow) -> ResponseReturnValue:
    sent = OpenForm()
    form_versions.open_up(row, sent.seen.data or "", by=actor.person_id, now=now())
    tell("quality:form_opened")
    return redirect(url_for("quality.form", form_id=row.id))


@bp.post("/quality/forms/<int:form_id>/retire")
@allow(Deed.QUALITY_FORM_EDIT, find_form)
def retire_form(actor: Actor, row: FormRow) -> ResponseReturnValue:
    form_versions.retire(row, by=actor.person_id, now=now())
    tell("quality:form_retired")
    return redirect(url_for("quality.form", form_id=row.id))


@bp.post("/quality/forms/default")
@allow(Deed.QUALITY_FORM_EDIT)
def install_form(actor: Actor) -> ResponseReturnValue:
    """The packaged form as the first version; harmless where it is there."""
    row = form_versions.install_default(now(), actor.person_id)
    return redirect(url_for("quality.form", form_id=row.id))
