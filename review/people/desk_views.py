"""HR's desk for people: the list, one colleague, activation letters and slips, and the organisation's settings."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.infra import organisation
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.house import absolute
from review.infra.ids import row_id
from review.infra.pages import tell
from review.people import accounts, activation, directory, organisation_settings
from review.people.blueprint import bp
from review.people.directory import find_person
from review.people.draft import PersonDraft
from review.people.forms import GRANTABLE, OrganisationForm, PersonForm
from review.people.listing import State, Wanted, not_yet_in, people
from review.people.roster_plan import known_people
from review.people.tables import PersonRow
from review.people.template_sheet import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COMMON_ZONES = (
    *("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul"),
    *("Asia/Kolkata", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "UTC"),
)


@bp.get("/people")
@allow(Deed.PERSON_SEE)
def listing(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001  the gate hands the actor to every view
    at = now()
    wanted, today = _wanted(), activation.today(at)
    return render_template(
        "people/listing.html",
        rows=people(wanted, request.args.get("page", 1, type=int), today),
        wanted=wanted,
        asked={key: value for key, value in request.args.items() if key != "page" and value},
        states=list(State),
        departments=directory.department_paths(),
        waiting=not_yet_in(today, at - activation.SLIP_LASTS),
        today=today,
    )


def _wanted() -> Wanted:
    state = request.args.get("state", State.HERE.value)
    return Wanted(
        search=request.args.get("q", "")[:80].strip(),
        department=request.args.get("department", type=row_id),
        state=State(state) if state in set(State) else State.HERE,
    )


def _grantable(actor: Actor) -> tuple[Role, ...]:
    is_administrator = Role.ADMINISTRATOR in actor.roles
    return tuple(role for role in GRANTABLE if role is not Role.ADMINISTRATOR or is_administrator)


@bp.get("/people/new")
@allow(Deed.PERSON_EDIT)
def add(actor: Actor) -> ResponseReturnValue:
    blank = PersonForm(may_grant=_grantable(actor), roles=[Role.AGENT.value], locale=organisation.current().locale)
    return _person_page(actor, blank, None)


@bp.post("/people/new")
@allow(Deed.PERSON_EDIT)
def add_now(actor: Actor) -> ResponseReturnValue:
    form = PersonForm(may_grant=_grantable(actor))
    if not form.accept(lambda: accounts.create(form.draft(), actor.person_id, now())):
        return _person_page(actor, form, None), 422
    tell("people:added", name=form.name.data)
    return redirect(url_for("people.listing"))


@bp.get("/people/<int:person_id>")
@allow(Deed.PERSON_EDIT, find_person)
def edit(actor: Actor, person: PersonRow) -> ResponseReturnValue:
    return _person_page(actor, PersonForm(may_grant=_grantable(actor), **_filled(person)), person)


@bp.post("/people/<int:person_id>")
@allow(Deed.PERSON_EDIT, find_person)
def edit_now(actor: Actor, person: PersonRow) -> ResponseReturnValue:
    form, person_id = PersonForm(may_grant=_grantable(actor)), person.id
    if not form.accept(lambda: accounts.edit(person, form.draft(), actor.person_id, now())):
        return _person_page(actor, form, directory.person(person_id)), 422
    tell("people:saved", name=person.name)
    return redirect(url_for("people.listing"))


def _filled(person: PersonRow) -> dict[str, Any]:
    above = directory.by_ids([person.supervisor_id] if person.supervisor_id else [])
    supervisor = above.get(person.supervisor_id or 0)
    plain = ("employee_no", "name", "email", "post", "joined_on", "left_on", "locale")
    return {name: getattr(person, name) for name in plain} | {
        "department": directory.department_paths().get(person.department_id or 0),
        "supervisor_no": supervisor.employee_no if supervisor else None,
        "roles": [role.value for role in sorted(accounts.roles_of(person))],
    }


def _person_page(actor: Actor, form: PersonForm, person: PersonRow | None) -> str:
    locked = person is not None and Role.ADMINISTRATOR in accounts.roles_of(person)
    return render_template(
        "people/person.html",
        form=form,
        person=person,
        departments=list(directory.department_paths().values()),
        locked=locked and Role.ADMINISTRATOR not in actor.roles,
    )


@bp.get("/people/roster.xlsx")
@allow(Deed.PERSON_SEE)
def roster(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001
    drafts = sorted((known.draft for known in known_people().values()), key=lambda draft: draft.employee_no)
    return _sheet(drafts, "roster.xlsx")


@bp.get("/people/template.xlsx")
@allow(Deed.PERSON_IMPORT)
def template(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001
    return _sheet([], "roster-template.xlsx")


def _sheet(drafts: list[PersonDraft], filename: str) -> Response:
    notes = render_template("people/roster_notes.txt").strip().splitlines()
    answer = Response(workbook(drafts, notes), mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


@bp.post("/people/letters")
@allow(Deed.PERSON_EDIT)
def letters(actor: Actor) -> ResponseReturnValue:
    count = activation.send_letters(actor.person_id, now())
    tell("people:letters_written" if count else "people:no_letters_due", count=count)
    return redirect(url_for("people.listing"))


@bp.get("/people/slips")
@allow(Deed.SLIP_PRINT)
def slips(actor: Actor) -> ResponseReturnValue:
    department = request.args.get("department", type=row_id)
    units = directory.below(department, directory.departments()) if department else None
    person_id = request.args.get("person", type=row_id)
    found = activation.slips(actor.person_id, now(), units, person_id)
    return render_template("people/slips.html", slips=found, address=absolute(url_for("people.activate")))


@bp.post("/people/slips")
@allow(Deed.SLIP_PRINT)
def issue_slips(actor: Actor) -> ResponseReturnValue:
    """Issue slips: to the person named in the form, else to everybody not yet activated who has no address."""
    chosen = request.form.get("person", type=row_id)
    count = activation.issue_slips([chosen] if chosen else None, actor.person_id, now())
    if chosen and not count:
        tell("people:no_slip_for_them", kind="warn")
        return redirect(url_for("people.listing"))
    return redirect(url_for("people.slips", person=chosen))


@bp.get("/organisation")
@allow(Deed.ORGANISATION_EDIT)
def organisation_page(actor: Actor) -> ResponseReturnValue:  # noqa: ARG001
    ours = organisation.current()
    days = "\n".join(day.isoformat() for day in sorted(ours.holidays))
    plain = {"name": ours.name, "zone": ours.zone_key, "locale": ours.locale, "mail_from": ours.mail_from}
    return _organisation_page(OrganisationForm(holidays=days, **plain))


@bp.post("/organisation")
@allow(Deed.ORGANISATION_EDIT)
def organisation_page_now(actor: Actor) -> ResponseReturnValue:
    form = OrganisationForm()
    if not form.accept(lambda: organisation_settings.change(form.wishes(), by=actor.person_id, now=now())):
        return _organisation_page(form), 422
    tell("form:saved")
    return redirect(url_for("people.organisation_page"))


def _organisation_page(form: OrganisationForm) -> str:
    return render_template("people/organisation.html", form=form, zones=COMMON_ZONES)
