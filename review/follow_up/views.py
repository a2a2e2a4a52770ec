"""The pages of case reviews: HR's list of a cycle, an owner's own, one case, customers to contact, talks."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.customer_survey.behind import tickets_behind
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.refusals import Invalid
from review.follow_up import contacts, lists, service
from review.follow_up.forms import AssignForm, ContactForm, FindingsForm, OpenForm, ReopenForm, TalkForm
from review.follow_up.service import Case, find_case
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import allow
from review.infra.pages import ours, tell
from review.people import directory
from review.responses import voices

bp = Blueprint("follow_up", __name__)


@bp.get("/cycles/<int:cycle_id>/cases")
@allow(Deed.CASE_ASSIGN, find=find_cycle)
def cases(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _list(actor, cycle, AssignForm(formdata=None), OpenForm(formdata=None)), 200


@bp.post("/cycles/<int:cycle_id>/cases")
@allow(Deed.CASE_ASSIGN, find=find_cycle)
def assign(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = AssignForm(), now()
    changed: list[int] = []

    def act() -> None:
        chosen = lists.rows_of(form.cases.data or [], cycle.id, reader=actor.person_id)
        changed.append(service.assign(chosen, form.owner.data, form.due_on.data, by=actor.person_id, now=at))

    if not form.accept(act):
        return _list(actor, cycle, form, OpenForm(formdata=None)), 422
    tell("follow_up:assigned", count=changed[0])
    return redirect(url_for("follow_up.cases", cycle_id=cycle.id, only=request.args.get("only")))


@bp.post("/cycles/<int:cycle_id>/cases/new")
@allow(Deed.CASE_ASSIGN, find=find_cycle)
def open_case(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at, made = OpenForm(), now(), []

    def act() -> None:
        person = directory.by_number(form.employee_no.data)
        mine = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        review_id = db.session.scalar(mine.where(ReviewRow.subject_id == person.id)) if person else None
        if review_id is None:
            raise Invalid("follow_up:not_reviewed", "employee_no", number=form.employee_no.data)
        made.append(service.open_by_hand(review_id, form.subject.data, by=actor.person_id, now=at).id)

    if not form.accept(act):
        return _list(actor, cycle, AssignForm(formdata=None), form), 422
    return redirect(url_for("follow_up.case", case_id=made[0]))


def _list(actor: Actor, cycle: CycleRow, form: AssignForm, fresh: OpenForm) -> str:
    today = local_day(now(), ours().zone)
    only = request.args.get("only", "open")
    only = only if only in lists.FILTERS else "open"
    page = request.args.get("page", 1, type=int)
    listing = lists.page_of_cases(cycle.id, only, today, page, reader=actor.person_id)
    return render_template(
        "follow_up/cases.html",
        cycle=cycle,
        form=form,
        fresh=fresh,
        only=only,
        filters=lists.FILTERS,
        listing=listing,
        voices=lists.voices_of(listing),
        counts=lists.counts(cycle.id, today, without=actor.person_id),
        today=today,
    )


@bp.get("/cases")
@allow(Deed.CASE_SEE_OWN)
def mine(actor: Actor) -> ResponseReturnValue:
    """Cases somebody owns, and what was brought to a talk with them."""
    return render_template(
        "follow_up/mine.html",
        owned=lists.owned_by(actor.person_id),
        talks=lists.talks_about(actor.person_id),
        today=local_day(now(), ours().zone),
    )


@bp.get("/cases/<int:case_id>")
@allow(Deed.CASE_WORK, find=find_case)
def case(_actor: Actor, found: Case) -> ResponseReturnValue:
    return _case_page(found, None), 200


@bp.post("/cases/<int:case_id>")
@allow(Deed.CASE_WORK, find=find_case)
def write(actor: Actor, found: Case) -> ResponseReturnValue:
    """Keep what was found; end the case with it, or tell the employee besides."""
    form, at = FindingsForm(), now()
    act, name = form.act.data, found.subject.name

    def do() -> None:
        keep = service.close if act == "close" else service.write
        keep(found, form.findings(), form.seen.data, by=actor.person_id, now=at)
        if act == "talk":
            service.bring_to_talk(found, form.talk.data or "", by=actor.person_id, now=at)

    if not form.keep(do):
        return _case_page(found, form), form.status
    tell({"close": "follow_up:closed_now", "talk": "follow_up:told"}.get(act, "follow_up:written"), name=name)
    if form.talk.data and form.talk.data != found.row.talk:  # typed and not told: it stands nowhere but on this page
        tell("follow_up:not_told_yet", kind="warn", name=name)
        return _case_page(found, None, talking=form), 200
    return redirect(url_for("follow_up.case", case_id=found.row.id))


@bp.post("/cases/<int:case_id>/talk")
@allow(Deed.CASE_WORK, find=find_case)
def talk(actor: Actor, found: Case) -> ResponseReturnValue:
    form, at = TalkForm(), now()
    if not form.accept(lambda: service.bring_to_talk(found, form.talk.data or "", by=actor.person_id, now=at)):
        return _case_page(found, None, talking=form), 422
    tell("follow_up:told", name=found.subject.name)
    return redirect(url_for("follow_up.case", case_id=found.row.id))


@bp.post("/cases/<int:case_id>/reopen")
@allow(Deed.CASE_WORK, find=find_case)
def reopen(actor: Actor, found: Case) -> ResponseReturnValue:
    form, at = ReopenForm(), now()
    if not form.accept(lambda: service.reopen(found, form.reason.data, by=actor.person_id, now=at)):
        return _case_page(found, None, reopening=form), 422
    tell("follow_up:reopened")
    return redirect(url_for("follow_up.case", case_id=found.row.id))


def _case_page(
    found: Case,
    form: FindingsForm | None,
    *,
    talking: TalkForm | FindingsForm | None = None,
    reopening: ReopenForm | None = None,
) -> str:
    """The case as it stands, or with what was typed into `form`; `talking` holds the words for the talk."""
    row = found.row
    if form is None:
        data = {name: getattr(row, name) for name in ("explanation", "measure", "note", "talk")}
        form = FindingsForm(formdata=None, seen=row.version, cause=row.cause.value if row.cause else None, **data)
    voice = voices.by_ids([row.response_id]).get(row.response_id) if row.response_id else None
    ticket = db.session.get(TicketRow, row.ticket_id) if row.ticket_id else None
    return render_template(
        "follow_up/case.html",
        case=found,
        row=row,
        form=form,
        talking=talking or form,
        reopening=reopening or ReopenForm(formdata=None),
        voice=voice,
        ticket=ticket,
        customer=db.session.get(CustomerRow, voice.customer_id) if voice and voice.wants_contact else None,
        owner=directory.person(row.owner_id) if row.owner_id else None,
        today=local_day(now(), ours().zone),
    )


@bp.get("/cycles/<int:cycle_id>/contacts")
@allow(Deed.CUSTOMER_CONTACT, find=find_cycle)
def wishes(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _wishes(actor, cycle, ContactForm(formdata=None)), 200


@bp.post("/cycles/<int:cycle_id>/contacts")
@allow(Deed.CUSTOMER_CONTACT, find=find_cycle)
def contacted(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = ContactForm(), now()

    def act() -> None:
        contacts.done(cycle, form.response.data, form.note.data or "", by=actor.person_id, now=at)

    if not form.keep(act):
        return _wishes(actor, cycle, form), form.status
    tell("follow_up:contact_noted")
    return redirect(url_for("follow_up.wishes", cycle_id=cycle.id))


def _wishes(actor: Actor, cycle: CycleRow, form: ContactForm) -> str:
    asked = {voice.customer_id for voice in voices.wishes_in(cycle.id)}
    found = lists.wishes_of(cycle.id, tickets_behind(cycle.id, asked), reader=actor.person_id)
    return render_template("follow_up/contacts.html", cycle=cycle, wishes=found, form=form)
