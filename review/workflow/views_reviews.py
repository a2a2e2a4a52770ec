"""HR's desk for single reviews of a running cycle: find one, give more time, change who answers, withdraw."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from review.cycles import changes
from review.cycles.lookup import ReviewFile, find_cycle, find_review
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Deed
from review.domain.refusals import Invalid
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.lists import page_of
from review.infra.pages import ours, tell
from review.people import directory
from review.people.tables import DepartmentRow, PersonRow
from review.workflow import movements, second_raters
from review.workflow.doors import desk as bp
from review.workflow.forms import MovementForm


@bp.get("/cycles/<int:cycle_id>/reviews")
@allow(Deed.CYCLE_SEE, find=find_cycle)
def reviews(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    text = request.args.get("q", "").strip()
    boss = aliased(PersonRow)
    query: Any = (
        select(
            ReviewRow,
            PersonRow.name,
            PersonRow.employee_no,
            DepartmentRow.name.label("department"),
            boss.name.label("supervisor"),
        )
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .where(ReviewRow.cycle_id == cycle.id)
        .order_by(PersonRow.employee_no)
    )
    if text:
        holds = [column.contains(text, autoescape=True) for column in (PersonRow.name, PersonRow.employee_no)]
        query = query.where(or_(*holds))
    if request.args.get("only") == "no_supervisor":
        query = query.where(ReviewRow.supervisor_id.is_(None), ReviewRow.withdrawn_at.is_(None))
    listing = page_of(query, request.args.get("page", 1, type=int))
    has_second = second_raters.are_asked(cycle)
    return render_template("workflow/reviews.html", cycle=cycle, listing=listing, text=text, has_second=has_second)


@bp.get("/reviews/<int:review_id>")
@allow(Deed.CYCLE_RUN, find=find_review)
def review(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    return _page(file, MovementForm(formdata=None), actor)


def _page(file: ReviewFile, form: MovementForm, actor: Actor) -> str:
    supervisor = directory.person(file.review.supervisor_id) if file.review.supervisor_id else None
    is_open = file.cycle.stage in changes.CHANGEABLE
    is_own = file.subject.id == actor.person_id
    return render_template(
        "workflow/review.html", file=file, form=form, supervisor=supervisor, is_open=is_open, is_own=is_own
    )


@bp.post("/reviews/<int:review_id>")
@allow(Deed.CYCLE_RUN, find=find_review)
def move(actor: Actor, file: ReviewFile) -> ResponseReturnValue:
    form = MovementForm()
    if not form.accept(lambda: _act(form, file, actor)):
        return _page(file, form, actor), 422
    tell(f"workflow:{form.act.data}_done", name=file.subject.name)
    if form.act.data == "withdraw":
        return redirect(url_for("desk.reviews", cycle_id=file.cycle.id))
    return redirect(url_for("desk.review", review_id=file.review.id))


def _act(form: MovementForm, file: ReviewFile, actor: Actor) -> None:
    at, zone, by = now(), ours().zone, actor.person_id
    match form.act.data:
        case "self":
            changes.extend_self(file.cycle, file.review, form.moment("self_until", zone), by=by, now=at)
        case "rating":
            changes.extend_rating(file.cycle, file.review, form.moment("rating_until", zone), by=by, now=at)
        case "supervisor":
            movements.replace_supervisor(file, form.supervisor.data or "", by=by, now=at)
        case "withdraw":
            movements.withdraw(file, form.reason.data or "", by=by, now=at)
        case _:
            raise Invalid("form:choose_one")
