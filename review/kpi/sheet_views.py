"""Sheets as lists, and the figures that people bring in: over a team, or for one person."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, Role
from review.domain.kpi_plan import PlanRow
from review.domain.refusals import NotYet, OutOfReach
from review.infra.clock import now
from review.infra.gate import Found, allow
from review.infra.house import house
from review.infra.i18n import request_locale
from review.infra.lists import slice_of
from review.infra.pages import tell
from review.kpi import act_views, entering, filling, overviews
from review.kpi.changing import CHANGEABLE, Hand
from review.kpi.finding import find_sheet
from review.kpi.overviews import Filter, SheetLine
from review.kpi.paper_words import words_in
from review.kpi.plan_of_cycle import plan_in
from review.kpi.sheet_blueprint import bp
from review.kpi.sheet_forms import FiguresForm, seen_of
from review.kpi.sheets import Sheet

__all__ = ["act_views", "bp"]

GRID_PAGE = 40


@bp.get("/kpi")
@allow(Deed.KPI_SHEET_SEE_OWN)
def mine(actor: Actor) -> ResponseReturnValue:
    is_hr = Role.HR in actor.roles
    listed = overviews.cycles_for(actor.person_id, all_of_them=is_hr)
    return render_template("kpi_sheet/mine.html", listed=listed, is_hr=is_hr)


@bp.get("/team/<int:cycle_id>/kpi")
@allow(Deed.KPI_TEAM_SEE, find=find_cycle)
def team(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _list(actor, cycle, led_by=actor.person_id)


@bp.get("/cycles/<int:cycle_id>/kpi")
@allow(Deed.KPI_SHEET_RUN, find=find_cycle)
def sheets(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    return _list(actor, cycle, led_by=None)


def _list(actor: Actor, cycle: CycleRow, led_by: int | None) -> str:
    plan = plan_in(cycle.id)
    if plan is None:
        raise NotYet("kpi_sheet:no_plan", name=cycle.name)
    busy = filling.key_of(cycle.id) if led_by is None and filling.is_under_way(cycle.id) else None
    wanted, text = _wanted(), request.args.get("q", "").strip()
    found = overviews.overview_of(cycle, actor.person_id, led_by=led_by, wanted=wanted, text=text)
    return render_template(
        "kpi_sheet/list.html",
        cycle=cycle,
        plan=plan,
        is_hr=led_by is None,
        listing=slice_of(found.lines, request.args.get("page", 1, type=int)),
        counts=found.counts,
        wanted=wanted,
        text=text,
        filled=filling.last_filling(cycle.id) if led_by is None else None,
        busy=busy,
        progress=house().progress.read(busy) if busy else None,
        hand=Hand.of(actor),
        is_changeable=cycle.stage in CHANGEABLE,
    )


def _wanted() -> Filter:
    text = request.args.get("state", Filter.ALL.value)
    return Filter(text) if text in set(Filter) else Filter.ALL


def find_row(actor: Actor, cycle_id: int, row_key: str) -> Found:
    """One row of a cycle's plan."""
    cycle, plan = find_cycle(actor, cycle_id).thing, plan_in(cycle_id)
    if plan is None or row_key not in {row.key for row in plan.rows}:
        raise OutOfReach("kpi_sheet:no_such_row")
    return Found((cycle, plan.row(row_key)))


@bp.get("/team/<int:cycle_id>/kpi/rows/<row_key>")
@allow(Deed.KPI_GRID_WRITE, find=find_row)
def grid(actor: Actor, found: tuple[CycleRow, PlanRow]) -> ResponseReturnValue:
    return _grid(actor, *found, FiguresForm(), 200)


@bp.post("/team/<int:cycle_id>/kpi/rows/<row_key>")
@allow(Deed.KPI_GRID_WRITE, find=find_row)
def write_grid(actor: Actor, found: tuple[CycleRow, PlanRow]) -> ResponseReturnValue:
    cycle, row = found
    form, hand = FiguresForm(), Hand.of(actor)
    mine = [line.sheet for line in _people(actor, cycle)]
    if not _take(form, cycle.id, mine, hand):
        return _grid(actor, cycle, row, form, form.status)
    return redirect(url_for("kpi_sheets.grid", cycle_id=cycle.id, row_key=row.key, page=request.args.get("page")))


def _people(actor: Actor, cycle: CycleRow) -> list[SheetLine]:
    led_by = None if Role.HR in actor.roles else actor.person_id
    found = overviews.overview_of(cycle, actor.person_id, led_by=led_by, wanted=Filter.ALL)
    return list(found.lines)


def _grid(actor: Actor, cycle: CycleRow, row: PlanRow, form: FiguresForm, status: int) -> ResponseReturnValue:
    hand, plan = Hand.of(actor), plan_in(cycle.id)
    listing = slice_of(_people(actor, cycle), request.args.get("page", 1, type=int), GRID_PAGE)
    page = render_template(
        "kpi_sheet/grid.html",
        cycle=cycle,
        plan=plan,
        row=row,
        listing=listing,
        form=form,
        sent=request.form,
        errors=form.errors_at(),
        hand=hand,
        **_tools(),
    )
    return make_response(page, status)


def _tools() -> dict[str, object]:
    return {
        "may_enter": entering.may_enter,
        "as_typed": entering.as_typed,
        "seen_of": seen_of,
        "word": words_in(request_locale()),
    }


def _take(form: FiguresForm, cycle_id: int, sheets: list[Sheet], hand: Hand) -> bool:
    at, count = now(), list[int]()

    def enter() -> None:
        count.append(entering.enter(cycle_id, form.entries(request.form, sheets), hand, at))

    if not form.keep(enter):
        return False
    tell("kpi_sheet:entered", count=count[0])
    return True


@bp.get("/kpi/sheets/<int:review_id>/figures")
@allow(Deed.KPI_FIGURE_WRITE, find=find_sheet)
def figures(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    return _figures(actor, sheet, FiguresForm(), 200)


@bp.post("/kpi/sheets/<int:review_id>/figures")
@allow(Deed.KPI_FIGURE_WRITE, find=find_sheet)
def write_figures(actor: Actor, sheet: Sheet) -> ResponseReturnValue:
    form = FiguresForm()
    if not _take(form, sheet.cycle.id, [sheet], Hand.of(actor)):
        return _figures(actor, sheet, form, form.status)
    return redirect(url_for("results.kpi_sheet", review_id=sheet.review_id))


def _figures(actor: Actor, sheet: Sheet, form: FiguresForm, status: int) -> ResponseReturnValue:
    page = render_template(
        "kpi_sheet/figures.html",
        sheet=sheet,
        form=form,
        sent=request.form,
        errors=form.errors_at(),
        hand=Hand.of(actor),
        **_tools(),
    )
    return make_response(page, status)
