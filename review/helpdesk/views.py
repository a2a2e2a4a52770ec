"""HR's pages: bring an export of a ticket system, see how it is understood, correct that, import it."""

from datetime import datetime
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.records import ImportState, TicketSystem
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.helpdesk import forms, importing, jobs, settling, uploads
from review.helpdesk.blueprint import bp
from review.helpdesk.tables import ImportRow
from review.infra import audit, organisation
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import Found, allow
from review.infra.house import house
from review.infra.lists import page_of
from review.infra.pages import tell
from review.people.tables import PersonRow

MOST_LABELS = 60
MOST_NAMES = 3_000  # offered while typing; any employee number can be typed
OVER = frozenset({ImportState.DONE, ImportState.REFUSED})

__all__ = ["bp"]


def find_import(actor: Actor, import_id: int) -> Found:
    """An import: while it waits it is its owner's alone, later it belongs to the history that all of HR sees."""
    row = db.session.get(ImportRow, import_id)
    if row is None or (row.state is ImportState.WAITING and row.brought_by != actor.person_id):
        raise OutOfReach("helpdesk:no_such_import")
    return Found(row)


@bp.get("/records/import")
@allow(Deed.RECORDS_IMPORT)
def imports(actor: Actor) -> ResponseReturnValue:
    return _imports(actor, _upload_form())


def _imports(actor: Actor, form: forms.UploadForm) -> str:
    visible = (ImportRow.state != ImportState.WAITING) | (ImportRow.brought_by == actor.person_id)
    query: Any = select(ImportRow, PersonRow.name).outerjoin(PersonRow, PersonRow.id == ImportRow.brought_by)
    rows = page_of(query.where(visible).order_by(ImportRow.id.desc()), request.args.get("page", 1, type=int), 20)
    return render_template("helpdesk/imports.html", form=form, rows=rows, systems=jobs.SYSTEMS)


def _upload_form() -> forms.UploadForm:
    """The form, with the newest cycle whose period has begun chosen: files tell what was, not what will be."""
    query = select(CycleRow.id, CycleRow.name, CycleRow.period_start).where(CycleRow.stage != Stage.CANCELLED)
    rows = db.session.execute(query.order_by(CycleRow.period_end.desc(), CycleRow.id.desc()).limit(30)).all()
    form = forms.UploadForm([(row.id, row.name) for row in rows])
    if request.method == "GET":
        today = local_day(now(), organisation.current().zone)
        form.cycle_id.data = next((row.id for row in rows if row.period_start <= today), 0)
    return form


@bp.post("/records/import")
@allow(Deed.RECORDS_IMPORT)
def upload(actor: Actor) -> ResponseReturnValue:
    """Keep the file and put it in line to be looked at."""
    form, moment = _upload_form(), now()
    made: list[int] = []
    if not form.accept(lambda: made.append(_take(form, actor, moment))):
        return _imports(actor, form), 422
    return redirect(url_for("helpdesk.show", import_id=made[0]), 303)


def _take(form: forms.UploadForm, actor: Actor, moment: datetime) -> int:
    uploads.clear_old(moment)
    try:
        stored, digest = uploads.keep(form.file.data)
    except Invalid as refusal:
        raise Invalid(refusal.code, "file", **dict(refusal.problems[0].params)) from None
    system = None if form.system.data == forms.AUTOMATIC else TicketSystem(form.system.data)
    filename, cycle_id = form.file.data.filename or "-", form.cycle_id.data or None
    brought = importing.Brought(filename, digest, actor.person_id, moment, cycle_id)
    return jobs.bring(system, stored, brought)


@bp.get("/records/import/<int:import_id>")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def show(_actor: Actor, row: ImportRow) -> ResponseReturnValue:
    return _page(row)


def _page(row: ImportRow, refusal: Invalid | None = None) -> str:
    """What the import looks like now; the counts of one that is over stand in the row itself."""
    look, is_over = row.look or {}, row.state in OVER
    counts = row.counts if is_over else look.get("counts", {})
    unknown = sorted(counts.get("unknown", {}).items(), key=lambda each: (-each[1], each[0]))
    cycle = db.session.get(CycleRow, row.cycle_id) if row.cycle_id else None
    return render_template(
        "helpdesk/import.html",
        row=row,
        look=look,
        counts=counts,
        cycle=cycle,
        busy=jobs.busy(row.id),
        progress=None,
        unknown=_open_labels(row, unknown)[:MOST_LABELS],
        people=_people() if unknown else (),
        fields=forms.FIELDS.get(look.get("kind", ""), ()),
        with_unit=forms.WITH_UNIT,
        refusal=refusal,
        typed=request.form if refusal else {},
    )


def _open_labels(row: ImportRow, unknown: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those that nobody settled since."""
    settled = settling.labels(row.system)
    return [each for each in unknown if each[0] not in settled]


def _people() -> list[Any]:
    query = select(PersonRow.employee_no, PersonRow.name).order_by(PersonRow.employee_no).limit(MOST_NAMES)
    return list(db.session.execute(query))


@bp.get("/records/import/<int:import_id>/progress")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def progress(_actor: Actor, row: ImportRow) -> ResponseReturnValue:
    """The small part that asks again every second; when the work is over, the whole page is fetched anew."""
    busy = jobs.busy(row.id)
    if busy is None:
        over = Response("", 200)
        over.headers["HX-Refresh"] = "true"
        return over
    told = house().progress.read(busy)
    return make_response(render_template("helpdesk/_progress.html", row=row, progress=told))


@bp.post("/records/import/<int:import_id>/columns")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def map_columns(actor: Actor, row: ImportRow) -> ResponseReturnValue:
    """Remember how columns are read, and look at the file anew."""
    look, moment = _waiting(row), now()
    said = forms.columns_said(request.form, look["columns"], look["kind"])
    if said:
        settling.map_columns(row.system, said, actor.person_id, moment)
        jobs.ask_for(jobs.LOOK, row.id, moment)
        tell("helpdesk:columns_said", count=len(said))
    return redirect(url_for("helpdesk.show", import_id=row.id), 303)


@bp.post("/records/import/<int:import_id>/agents")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def settle_agents(actor: Actor, row: ImportRow) -> ResponseReturnValue:
    """Remember who is meant; tickets that are here already go to them at once."""
    moment = now()
    counts = row.counts if row.state in OVER else _waiting(row).get("counts", {})
    unknown = sorted(counts.get("unknown", {}).items(), key=lambda each: (-each[1], each[0]))
    try:
        said = forms.agents_said(request.form, [label for label, _ in _open_labels(row, unknown)][:MOST_LABELS])
    except Invalid as refusal:
        return _page(row, refusal), 422
    if said:
        given = settling.settle_agents(row.system, said, actor.person_id, moment)
        if row.state is ImportState.WAITING:
            jobs.ask_for(jobs.LOOK, row.id, moment)
        tell("helpdesk:agents_said", count=len(said), tickets=given)
    return redirect(url_for("helpdesk.show", import_id=row.id), 303)


@bp.post("/records/import/<int:import_id>/confirm")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def confirm(_actor: Actor, row: ImportRow) -> ResponseReturnValue:
    """Put the import in line; a second press finds it there and changes nothing."""
    if row.state is ImportState.WAITING and (row.look or {}).get("counts"):
        jobs.ask_for(jobs.WRITE, row.id, now())
    return redirect(url_for("helpdesk.show", import_id=row.id), 303)


@bp.post("/records/import/<int:import_id>/discard")
@allow(Deed.RECORDS_IMPORT, find=find_import)
def discard(actor: Actor, row: ImportRow) -> ResponseReturnValue:
    """Throw the file away without importing it."""
    if row.state is ImportState.WAITING and jobs.busy(row.id) is None:
        moment = now()
        uploads.forget(row.stored)
        row.state, row.finished_at, row.stored = ImportState.REFUSED, moment, None
        row.look = {"refused": [["helpdesk:discarded", {}]]}
        audit.record("helpdesk:records:discarded", f"import:{row.id}", by=actor.person_id, at=moment)
        tell("helpdesk:discarded")
    return redirect(url_for("helpdesk.imports"), 303)


def _waiting(row: ImportRow) -> dict[str, Any]:
    """What was found out about a file that waits; raises Taken when it is imported or looked at right now."""
    if row.state is not ImportState.WAITING or not (row.look or {}).get("columns") or jobs.busy(row.id):
        raise Taken("helpdesk:import_moved_on")
    return dict(row.look or {})
