"""HR's pages about a cycle's measurement: how well it measured, what other rules would have come to. They only read."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from review.cycles.lookup import find_cycle
from review.cycles.tables import CycleRow
from review.diagnostics.forms import what_if_form
from review.diagnostics.method import method_page
from review.diagnostics.what_if import Trial, tried
from review.domain.access import Actor, Deed
from review.domain.double_ratings import FEWEST_IN_COMMON
from review.domain.measurement import DIAGNOSTICS_VERSION, FEWEST_PEOPLE, SMALLEST_GROUP
from review.domain.supposition import supposed
from review.domain.vocabulary import COUNTING, GRADES, Source
from review.infra.gate import allow
from review.infra.lists import slice_of
from review.schemes.service import scheme_of

bp = Blueprint("diagnostics", __name__)


@bp.get("/cycles/<int:cycle_id>/what-if")
@allow(Deed.WHAT_IF_TRY, find=find_cycle)
def what_if(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    scheme, typed = scheme_of(cycle.scheme_id), request.args.to_dict()
    form, found = what_if_form(scheme, typed), list[Trial]()
    is_told = form.accept(lambda: found.append(tried(cycle, supposed(scheme, form.to_supposition()))))
    trial = found[0] if found else None
    movers = slice_of(trial.movers if trial else (), request.args.get("page", 1, type=int))
    asks_peers = bool(scheme.asked_of(Source.PEERS))
    shown = {"form": form, "trial": trial, "movers": movers, "sources": COUNTING, "grades": GRADES[:-1]}
    address = {key: value for key, value in typed.items() if key in form} | {"cycle_id": cycle.id}
    page = render_template(
        "diagnostics/what_if.html", cycle=cycle, scheme=scheme, asks_peers=asks_peers, address=address, **shown
    )
    return page, 200 if is_told else 422


@bp.get("/cycles/<int:cycle_id>/method")
@allow(Deed.METHOD_SEE, find=find_cycle)
def method(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    scheme = scheme_of(cycle.scheme_id)
    names = {criterion.key: criterion.name for criterion in scheme.criteria}
    limits = {"version": DIAGNOSTICS_VERSION, "fewest": FEWEST_PEOPLE, "smallest": SMALLEST_GROUP}
    limits["in_common"] = FEWEST_IN_COMMON
    shown = {"page": method_page(cycle, scheme), "names": names, "sources": COUNTING, **limits}
    return render_template("diagnostics/method.html", cycle=cycle, scheme=scheme, **shown)
