"""The supervisor's pages: the board of their people, the grid over the team, and one person's sheet."""

from datetime import date, datetime

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import ReviewFile, find_review, require_rating_open
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.scheme_shape import Criterion
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.i18n import request_locale
from review.infra.pages import ours, tell
from review.schemes.service import scheme_of
from review.supervisor_review import notes, service, team
from review.supervisor_review.forms import GridForm, NoteForm, RatingForm, note_form, rating_form
from review.supervisor_review.team import Team

bp = Blueprint("supervisor_review", __name__)

OVERVIEW = "all"


@bp.get("/team", endpoint="team")
@allow(Deed.TEAM_BOARD_SEE)
def board(actor: Actor) -> ResponseReturnValue:
    at = now()
    return render_template(
        "supervisor_review/team.html",
        boards=team.boards(actor.person_id, at),
        reports=team.reports_of(actor.person_id, _today(at)),
        published=team.published(actor.person_id),
    )


@bp.get("/team/<int:cycle_id>/rate")
@allow(Deed.RATING_WRITE, team.find_team)
def grid(actor: Actor, found: Team) -> ResponseReturnValue:  # noqa: ARG001
    require_rating_open(found.files[0], now())
    if request.args.get("criterion") == OVERVIEW:
        return _overview(found, GridForm(), 200)
    criterion = team.criterion_of(found, request.args.get("criterion"))
    return _grid(found, criterion, GridForm(), 200)


@bp.post("/team/<int:cycle_id>/rate")
@allow(Deed.RATING_WRITE, team.find_team)
def rate(actor: Actor, found: Team) -> ResponseReturnValue:  # noqa: ARG001
    criterion, form = team.criterion_of(found, request.args.get("criterion")), GridForm()
    if not _save(found, criterion, form):
        return _grid(found, criterion, form, form.status)
    return redirect(_after_saving(found, criterion, request.form.get("go", "")))


@bp.post("/team/<int:cycle_id>/draft")
@allow(Deed.RATING_WRITE, team.find_team)
def autosave_grid(actor: Actor, found: Team) -> ResponseReturnValue:  # noqa: ARG001
    form = GridForm()
    done = _save(found, team.criterion_of(found, request.args.get("criterion")), form)
    return make_response("", 204 if done else form.status)


@bp.post("/team/<int:cycle_id>/file")
@allow(Deed.RATING_WRITE, team.find_team)
def file_ready(actor: Actor, found: Team) -> ResponseReturnValue:  # noqa: ARG001
    form, at, filed = GridForm(), now(), []
    if not form.keep(lambda: filed.append(team.file_ready(found, at))):
        return _overview(found, form, form.status)
    tell("supervisor_review:filed_ready", count=filed[0])
    return redirect(url_for("supervisor_review.grid", cycle_id=found.cycle.id, criterion=OVERVIEW))


@bp.get("/ratings/<int:review_id>")
@allow(Deed.RATING_WRITE, find_review)
def sheet(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    own = service.own_of(file, actor.person_id)
    if own.is_filed:
        return _filed(actor, file, own, None, 200)
    require_rating_open(file, now())
    form = rating_form(scheme_of(file.cycle.scheme_id), service.said_on(own.sheet))
    return _sheet(actor, file, form, None, 200)


@bp.post("/ratings/<int:review_id>")
@allow(Deed.RATING_WRITE, find_review)
def write(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    scheme, at, me = scheme_of(file.cycle.scheme_id), now(), actor.person_id
    form = rating_form(scheme, service.NOTHING)
    is_filing = request.form.get("act") == "submit"
    if is_filing:
        done = form.keep(lambda: service.file_rating(file, me, form.value(), scheme, at))
    else:
        done = form.keep(lambda: service.save_draft(file, me, form.value(), at))
    if not done:
        own = service.own_of(file, me)
        if own.is_filed:
            return _filed(actor, file, own, form, form.status)
        return _sheet(actor, file, form, None, form.status)
    tell("supervisor_review:filed" if is_filing else "supervisor_review:draft_saved", name=file.subject.name)
    return redirect(url_for("supervisor_review.sheet", review_id=file.review.id))


@bp.post("/ratings/<int:review_id>/draft")
@allow(Deed.RATING_WRITE, find_review)
def autosave(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    form, at = rating_form(scheme_of(file.cycle.scheme_id), service.NOTHING), now()
    done = form.keep(lambda: service.save_draft(file, actor.person_id, form.value(), at))
    return make_response("", 204 if done else form.status)


@bp.post("/ratings/<int:review_id>/notes")
@allow(Deed.NOTE_WRITE, find_review)
def add_note(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    at, scheme = now(), scheme_of(file.cycle.scheme_id)
    note, typed = note_form(scheme, request_locale(), _today(at)), rating_form(scheme, service.NOTHING)
    # The note's fields stand on the rating's page: what is typed there is saved with it, never lost over it.
    has_rating = typed.overall.name in request.form
    saved = not has_rating or typed.keep(lambda: service.save_draft(file, actor.person_id, typed.value(), at))
    if not saved or not _write_note(note, file.review.subject_id, actor.person_id, at):
        own = service.own_of(file, actor.person_id)
        if own.is_filed:
            return _filed(actor, file, own, typed if has_rating else None, typed.status, note)
        return _sheet(actor, file, typed, note, typed.status)
    tell("supervisor_review:note_written")
    return redirect(url_for("supervisor_review.sheet", review_id=file.review.id, _anchor="notes"))


def _today(at: datetime) -> date:
    return local_day(at, ours().zone)


def _save(found: Team, criterion: Criterion, form: GridForm) -> bool:
    at = now()
    levels, comments = form.typed(request.form, [file.review.id for file in found.files])

    def save() -> None:
        require_rating_open(found.files[0], at)
        team.save_criterion(found, criterion, levels, comments, at)

    return form.keep(save)


def _write_note(note: NoteForm, subject_id: int, author_id: int, at: datetime) -> bool:
    return note.accept(
        lambda: notes.add(
            subject_id, author_id, note.on.data, note.text.data, note.criterion.data, today=_today(at), now=at
        )
    )


def _after_saving(found: Team, criterion: Criterion, go: str) -> str:
    """Where the pressed button leads: the next or previous criterion, a person's evidence, or the same page."""
    keys = [each.key for each in found.scheme.criteria] + [OVERVIEW]
    place = keys.index(criterion.key)
    person: str | None = None
    if go == "next":
        place += 1
    elif go == "previous":
        place = max(0, place - 1)
    elif go.startswith("person-") and go.removeprefix("person-").isdecimal():
        person = go.removeprefix("person-")
    return url_for("supervisor_review.grid", cycle_id=found.cycle.id, criterion=keys[place], person=person)


def _grid(found: Team, criterion: Criterion, form: GridForm, status: int) -> ResponseReturnValue:
    rows = team.rows_of(found)
    typed_levels, typed_comments = form.typed(request.form, [file.review.id for file in found.files])
    person = request.args.get("person", type=int)
    chosen = next((row for row in rows if row.file.review.id == person), rows[0])
    page = render_template(
        "supervisor_review/grid.html",
        team=found,
        rows=rows,
        criterion=criterion,
        form=form,
        typed_levels=typed_levels,
        typed_comments=typed_comments,
        chosen=chosen,
        evidence=notes.notes_about(
            chosen.file.review.subject_id,
            found.supervisor_id,
            since=found.cycle.period_start,
            criterion=criterion.key,
        )
        if chosen.file.review.supervisor_id == found.supervisor_id
        else [],
        overview=OVERVIEW,
    )
    return make_response(page, status)


def _overview(found: Team, form: GridForm, status: int) -> ResponseReturnValue:
    rows = team.rows_of(found)
    page = render_template(
        "supervisor_review/overview.html", team=found, rows=rows, form=form, overview=OVERVIEW, criterion=None
    )
    return make_response(page, status)


def _sheet(actor: Actor, file: ReviewFile, form: RatingForm, note: NoteForm | None, status: int) -> ResponseReturnValue:
    return _render("supervisor_review/sheet.html", actor, file, note, status, form=form)


def _filed(
    actor: Actor, file: ReviewFile, own: service.Own, form: RatingForm | None, status: int, note: NoteForm | None = None
) -> ResponseReturnValue:
    typed = None if form is None else form.value()
    return _render("supervisor_review/filed.html", actor, file, note, status, own=own, typed=typed, form=form)


def _render(
    name: str, actor: Actor, file: ReviewFile, note: NoteForm | None, status: int, **context: object
) -> ResponseReturnValue:
    scheme, is_second = scheme_of(file.cycle.scheme_id), file.review.supervisor_id != actor.person_id
    evidence = (
        [] if is_second else notes.notes_about(file.review.subject_id, actor.person_id, since=file.cycle.period_start)
    )
    page = render_template(
        name,
        file=file,
        is_second=is_second,
        scheme=scheme,
        due=service.due_of(file.review, file.cycle),
        note=note or note_form(scheme, request_locale(), _today(now())),
        evidence=evidence,
        **context,
    )
    return make_response(page, status)
