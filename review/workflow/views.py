"""HR's desk: the list of cycles, the form of a cycle, who is in it, and its live board."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from review.custody import service as custody
from review.cycles import service
from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.vocabulary import Custody
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import allow
from review.infra.house import house
from review.infra.i18n import request_locale
from review.infra.ids import row_id
from review.infra.lists import page_of, slice_of
from review.infra.pages import ours, tell
from review.kpi import plans as kpi_plans
from review.people import directory
from review.results import service as results
from review.schemes import service as schemes
from review.schemes.tables import SchemeRow
from review.tickets import jobs as ticket_jobs
from review.workflow import asking, choosing, close, kpi_part, launch, plan, proposal, remind
from review.workflow.board import board_of, working_days
from review.workflow.doors import desk as bp
from review.workflow.forms import NO_PLAN, CycleForm, PeopleForm, Who, stand_of, start_from
from review.workflow.tables import ScheduleRow
from review.workflow.timeline import steps_of


@bp.get("/cycles")
@allow(Deed.CYCLE_SEE)
def cycles(_actor: Actor) -> ResponseReturnValue:
    reviewed = (
        select(func.count())
        .where(ReviewRow.cycle_id == CycleRow.id, ReviewRow.withdrawn_at.is_(None))
        .correlate(CycleRow)
        .scalar_subquery()
    )
    query = select(CycleRow, reviewed).order_by(CycleRow.period_end.desc(), CycleRow.id.desc())
    listing = page_of(query, request.args.get("page", 1, type=int))
    return render_template("workflow/cycles.html", listing=listing, today=local_day(now(), ours().zone))


def _scheme_label(row: SchemeRow) -> str:
    return f"{schemes.scheme_of(row.id).name.of(request_locale())} · {row.key} v{row.version}"


def _cycle_form(cycle_id: int | None = None, **values: Any) -> CycleForm:
    stored = schemes.open_schemes()
    return CycleForm(
        schemes=[(row.id, _scheme_label(row)) for row in stored],
        kpi_plans=[(row.id, kpi_part.label_of(row, request_locale())) for row in kpi_part.offered(cycle_id)],
        departments=directory.department_paths(),
        **values,
    )


@bp.get("/cycles/new")
@allow(Deed.CYCLE_CREATE)
def new(_actor: Actor) -> ResponseReturnValue:
    started = start_from(proposal.propose(now(), ours()), ours().zone) | {"kpi_plan_id": kpi_part.proposed()}
    return render_template("workflow/cycle_form.html", form=_cycle_form(data=started), cycle=None)


@bp.post("/cycles/new")
@allow(Deed.CYCLE_CREATE)
def create(actor: Actor) -> ResponseReturnValue:
    form, at, made = _cycle_form(), now(), []

    def act() -> None:
        departments = form.chosen_departments()
        cycle = service.create(form.to_plan(ours().zone), ours().zone, by=actor.person_id, now=at)
        kpi_plans.use(cycle, form.chosen_kpi_plan(), by=actor.person_id, now=at)
        if form.who.data != Who.LATER:
            choosing.choose(cycle, departments)
        ticket_jobs.ask(cycle, at)
        made.append(cycle.id)

    if not form.accept(act):
        return render_template("workflow/cycle_form.html", form=form, cycle=None), 422
    tell("workflow:cycle_created", name=form.name.data)
    here = "desk.people" if form.who.data == Who.LATER else "desk.peers"
    return redirect(url_for(here, cycle_id=made[0]))


@bp.get("/cycles/<int:cycle_id>/edit")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def edit(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    chosen = kpi_plans.choice_of(cycle.id)
    stand = stand_of(cycle, ours().zone) | {"kpi_plan_id": chosen.plan_id if chosen else NO_PLAN}
    form = _cycle_form(cycle.id, data=stand)
    return render_template("workflow/cycle_form.html", form=form, cycle=cycle)


@bp.post("/cycles/<int:cycle_id>/edit")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def change(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, at = _cycle_form(cycle.id), now()

    def act() -> None:
        service.change(cycle, form.to_plan(ours().zone), ours().zone, by=actor.person_id, now=at)
        kpi_plans.use(cycle, form.chosen_kpi_plan(), by=actor.person_id, now=at)
        custody.follow(cycle)
        plan.forget(cycle)
        ticket_jobs.ask(cycle, at)

    if not form.accept(act):
        return render_template("workflow/cycle_form.html", form=form, cycle=cycle), 422
    tell("workflow:cycle_changed", name=form.name.data)
    return redirect(url_for("desk.cycle", cycle_id=cycle.id))


@bp.get("/cycles/<int:cycle_id>/people")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def people(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    text = request.args.get("q", "").strip()
    return render_template(
        "workflow/people.html",
        cycle=cycle,
        text=text,
        found=choosing.search(cycle, text, 20) if text else [],
        listing=page_of(choosing.chosen(cycle), request.args.get("page", 1, type=int)),
        form=PeopleForm(departments=directory.department_paths()),
        is_open=cycle.stage is Stage.DRAFT,
    )


@bp.post("/cycles/<int:cycle_id>/people")
@allow(Deed.CYCLE_RUN, find=find_cycle)
def choose(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form = PeopleForm(departments=directory.department_paths())
    if form.who.data == Who.EVERYONE:
        count = choosing.choose(cycle, None)
    elif form.who.data == Who.DEPARTMENTS:
        count = choosing.choose(cycle, form.departments.data or [])
    else:
        added = request.form.getlist("add", type=row_id)
        count = choosing.add_and_remove(cycle, added, request.form.getlist("remove", type=row_id))
    ticket_jobs.ask(cycle, now())
    tell("workflow:people_chosen", count=count)
    return redirect(url_for("desk.people", cycle_id=cycle.id, q=request.form.get("q") or None))


@bp.get("/cycles/<int:cycle_id>")
@allow(Deed.CYCLE_SEE, find=find_cycle)
def cycle(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    at, scheme = now(), schemes.scheme_of(cycle.scheme_id)
    context = {"cycle": cycle, "steps": steps_of(cycle, ours()), "at": at, "scheme": scheme}
    context["moves"] = service.ledger_of(cycle.id)
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING}:
        facts = launch.facts_of(cycle, at)
        launching, making = asking.stand_of_each(launch.key_of(cycle.id), ticket_jobs.key_of(cycle.id))
        return render_template(
            "workflow/draft.html",
            **context,
            busy=making.busy,
            progress=house().progress.read(making.busy) if making.busy else None,
            broken=making.refused,
            trustees=custody.trustees_of(cycle.id) if cycle.custody is Custody.TRUSTEES else [],
            facts=facts,
            needs=launch.needs(cycle, facts),
            date_problems=launch.problems_of_dates(cycle, at),
            lost=launch.without_supervisor(cycle, at, 20) if facts.people_without_supervisor else [],
            scheduled=db.session.get(ScheduleRow, cycle.id),
            refused=launching.refused,
            kpi=kpi_part.kpi_of(cycle, ours().zone),
        )
    if cycle.stage is Stage.COLLECTING:
        board, ahead = board_of(cycle), remind.ahead(cycle, at, ours())
        return render_template(
            "workflow/board.html",
            **context,
            board=board,
            groups=slice_of(board.groups, request.args.get("page", 1, type=int), 20),
            day=working_days(cycle, at, ours()),
            next_reminder=next((when for when, key in ahead if key == "reminder"), None),
            ahead=ahead,
        )
    if cycle.stage is Stage.COUNTING:
        refused = asking.stand_of(close.count_key(cycle.id)).refused
        return render_template(
            "workflow/counting.html",
            **context,
            refused=refused,
            job=close.count_key(cycle.id),
            trustees=custody.trustees_of(cycle.id) if custody.is_waiting(cycle) else [],
            is_stuck=close.is_stuck(cycle),
        )
    return render_template("workflow/after.html", **context, standing=results.standing(cycle.id))
