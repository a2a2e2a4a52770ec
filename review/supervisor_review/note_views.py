"""Notes about people who report to a supervisor, in the months when no cycle runs; and deleting one's own."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.ids import row_id
from review.infra.pages import ours, tell
from review.people.tables import PersonRow
from review.schemes.library import builtin
from review.schemes.service import DEFAULT_KEY, latest, scheme_of
from review.supervisor_review import notes
from review.supervisor_review.forms import NoteForm, note_form
from review.supervisor_review.tables import NoteRow
from review.supervisor_review.views import bp


@bp.get("/team/notes/<int:person_id>")
@allow(Deed.NOTE_WRITE, notes.find_report)
def notes_of(actor: Actor, person: PersonRow) -> ResponseReturnValue:
    return _page(actor, person, _form(), 200)


@bp.post("/team/notes/<int:person_id>")
@allow(Deed.NOTE_WRITE, notes.find_report)
def note_down(actor: Actor, person: PersonRow) -> ResponseReturnValue:
    form, at = _form(), now()
    today = local_day(at, ours().zone)
    if not form.accept(
        lambda: notes.add(
            person.id, actor.person_id, form.on.data, form.text.data, form.criterion.data, today=today, now=at
        )
    ):
        return _page(actor, person, form, 422)
    tell("supervisor_review:note_written")
    return redirect(url_for("supervisor_review.notes_of", person_id=person.id))


@bp.post("/notes/<int:note_id>/delete")
@allow(Deed.NOTE_WRITE, notes.find_note)
def delete_note(actor: Actor, note: NoteRow) -> ResponseReturnValue:
    subject_id, review_id = note.subject_id, request.form.get("review", type=row_id)
    notes.delete(note)
    tell("supervisor_review:note_deleted")
    if review_id is not None:
        return redirect(url_for("supervisor_review.sheet", review_id=review_id, _anchor="notes"))
    if notes.reports_to(subject_id, actor.person_id):
        return redirect(url_for("supervisor_review.notes_of", person_id=subject_id))
    return redirect(url_for("supervisor_review.team"))


def _form() -> NoteForm:
    stored = latest(DEFAULT_KEY)
    scheme = builtin(DEFAULT_KEY) if stored is None else scheme_of(stored.id)
    return note_form(scheme, request_locale(), local_day(now(), ours().zone))


def _page(actor: Actor, person: PersonRow, form: NoteForm, status: int) -> ResponseReturnValue:
    page = render_template(
        "supervisor_review/notes.html",
        person=person,
        note=form,
        evidence=notes.notes_about(person.id, actor.person_id),
        names={choice.value: choice.label for choice in form.criterion.choices if choice.value},
    )
    return make_response(page, status)
