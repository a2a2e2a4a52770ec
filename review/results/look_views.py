"""The second look: HR names who takes it for each result near a cut, and that person confirms or sends back."""

from collections.abc import Sequence
from datetime import date

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.domain.refusals import Invalid
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.pages import ours, tell
from review.people import directory
from review.results import looks, second_look
from review.results.forms import LookForm, NamingForm
from review.results.second_look import LookFile, find_look, find_my_looks
from review.results.service import require_finalising
from review.results.tables import LookOutcome
from review.results.views import bp
from review.schemes.service import scheme_of

__all__ = ["bp"]

OPEN, EVERY = "open", "all"


@bp.get("/cycles/<int:cycle_id>/looks")
@allow(Deed.LOOK_ASSIGN, find=find_cycle)
def looks_page(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    require_finalising(cycle)
    return _looks_page(actor, cycle, NamingForm())


def _looks_page(actor: Actor, cycle: CycleRow, form: NamingForm) -> str:
    state = request.args.get("state", OPEN)
    query = looks.listed(cycle.id, only_open=state != EVERY)
    listing = page_of(query, request.args.get("page", 1, type=int))
    today = local_day(now(), ours().zone)
    return render_template(
        "results/looks.html",
        cycle=cycle,
        form=form,
        listing=listing,
        state=state,
        tally=looks.tally(cycle.id),
        proposed=_named_proposals([row[0] for row in listing.rows], today),
        people=second_look.may_look(today),
        scheme=scheme_of(cycle.scheme_id),
        nearest=looks.nearest_cut,
        me=directory.person(actor.person_id).employee_no,
        ticked=set(request.form.getlist("reviews", type=row_id)),
    )


def _named_proposals(reviews: Sequence[ReviewRow], today: date) -> dict[int, str]:
    chosen = second_look.proposals(reviews, today)
    people = directory.by_ids(chosen.values())
    return {review: people[person].name for review, person in chosen.items()}


@bp.post("/cycles/<int:cycle_id>/looks")
@allow(Deed.LOOK_ASSIGN, find=find_cycle)
def assign_looks(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    form, count = NamingForm(), []
    if not form.accept(lambda: count.append(_assign(actor, cycle, form))):
        return _looks_page(actor, cycle, form), 422
    tell("results:looks_named", count=count[0])
    return redirect(url_for("results.looks_page", cycle_id=cycle.id))


def _assign(actor: Actor, cycle: CycleRow, form: NamingForm) -> int:
    at, by = now(), actor.person_id
    chosen = [one for one in request.form.getlist("reviews", type=row_id) if one is not None]
    match request.form.get("act"):
        case "proposed":
            return second_look.name_proposed(cycle, by=by, now=at)
        case "me":
            return second_look.name_one(cycle, chosen, directory.person(by).employee_no, by=by, now=at)
        case "somebody":
            return second_look.name_one(cycle, chosen, form.employee_no.data or "", by=by, now=at)
        case _:
            raise Invalid("form:choose_one")


@bp.get("/team/<int:cycle_id>/looks")
@allow(Deed.LOOK_TAKE, find=find_my_looks)
def my_looks(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    require_finalising(cycle)
    query = looks.listed(cycle.id, person_id=actor.person_id)
    listing = page_of(query, request.args.get("page", 1, type=int))
    scheme = scheme_of(cycle.scheme_id)
    return render_template(
        "results/my_looks.html", cycle=cycle, listing=listing, scheme=scheme, nearest=looks.nearest_cut
    )


@bp.get("/team/results/<int:review_id>/second-look")
@allow(Deed.LOOK_TAKE, find=find_look)
def look(_actor: Actor, found: LookFile) -> ResponseReturnValue:
    form = LookForm(formdata=None)
    if found.row.outcome is LookOutcome.CONFIRMED:
        form.outcome.data, form.reason.data = found.row.outcome.value, found.row.reason
    return _look_page(found, form)


@bp.post("/team/results/<int:review_id>/second-look")
@allow(Deed.LOOK_TAKE, find=find_look)
def decide_look(actor: Actor, found: LookFile) -> ResponseReturnValue:
    at, form, file = now(), LookForm(), found.file
    if not form.accept(lambda: second_look.decide(found, form.to_said(), by=actor.person_id, now=at)):
        return _look_page(found, form), 422
    tell(f"results:look_{form.outcome.data}", name=file.subject.name)
    return redirect(url_for("results.my_looks", cycle_id=file.cycle.id))


def _look_page(found: LookFile, form: LookForm) -> str:
    file = found.file
    draft, scheme = second_look.draft_of(file), scheme_of(file.cycle.scheme_id)
    return render_template(
        "results/look.html",
        file=file,
        draft=draft,
        form=form,
        scheme=scheme,
        nearest=looks.nearest_cut(scheme, draft.card.score or 0),
        said=looks.of([file.review.id])[file.review.id],
    )
