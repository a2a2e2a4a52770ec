"""Pages and data of raters under maximum protection: the page that rates, the draw, the index of keys, receipts."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.ballots import letterbox
from review.ballots import service as ballots
from review.cycles.tables import CycleRow
from review.domain.access import Actor, Deed, Standing
from review.domain.peer_words import LONGEST, least_ballots
from review.domain.refusals import OutOfReach
from review.domain.scheme_shape import Criterion, Scheme
from review.domain.vocabulary import Protection, Source
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import Found, allow, open_to_all
from review.infra.house import house
from review.infra.i18n import request_locale
from review.peer_review import service as peer_review
from review.schemes.service import scheme_of
from review.tickets import service
from review.tickets.forms import as_text, read_draw

bp = Blueprint("tickets", __name__)


def find_cycle(_actor: Actor, cycle_id: int) -> Found:
    """A cycle under maximum protection, for everybody who is signed in: what is public about it is public to all."""
    return Found(_cycle(cycle_id))


def find_rating(actor: Actor, cycle_id: int) -> Found:
    """The same, for whoever is asked to rate somebody in it."""
    cycle = _cycle(cycle_id)
    is_asked = bool(peer_review.seats_of(actor.person_id, cycle.id))
    return Found(cycle, frozenset({Standing.RATER} if is_asked else ()))


def _cycle(cycle_id: int) -> CycleRow:
    cycle = db.session.get(CycleRow, cycle_id)
    if cycle is None or cycle.protection is Protection.STANDARD:
        raise OutOfReach("tickets:no_such_cycle")
    return cycle


@bp.get("/peers/<int:cycle_id>/maximum")
@allow(Deed.BALLOT_CAST, find_rating)
def rate(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """One page for all colleagues: its address never says whom somebody rates."""
    service.colleagues(cycle, actor.person_id, now())  # says why, when there is nothing to rate with
    scheme = scheme_of(cycle.scheme_id)
    return render_template(
        "tickets/rate.html",
        cycle=cycle,
        scheme=scheme,
        criteria=scheme.asked_of(Source.PEERS),
        comments=scheme.comments.peers_from is not None,
        longest=LONGEST,
        least=least_ballots(scheme),
        digest=service.digest_of(cycle.id),
    )


@bp.get("/peers/<int:cycle_id>/tickets")
@allow(Deed.BALLOT_CAST, find_rating)
def tickets(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """Everything the browser needs to draw, to seal and to cast."""
    asked = service.colleagues(cycle, actor.person_id, now())
    scheme, wrapped = scheme_of(cycle.scheme_id), service.wrapped_of(cycle.id, actor.person_id)
    return jsonify(
        cycle=cycle.id,
        seal_public=as_text(ballots.seal_key(cycle.id)),
        size=ballots.ballot_size(cycle.id),
        version=letterbox.FORMAT,
        comments=scheme.comments.peers_from is not None,
        endpoint=house().settings.cast_url,
        index={"sha256": service.digest_of(cycle.id), "url": url_for("tickets.keys", cycle_id=cycle.id)},
        wrapped=None if wrapped is None else as_text(wrapped),
        colleagues=[
            {
                "seat": str(one.seat.id),
                "review": one.seat.review_id,
                "name": one.seat.name,
                "department": one.seat.department,
                "key": as_text(one.key),
            }
            for one in asked
        ],
        criteria=[_criterion(scheme, one) for one in scheme.asked_of(Source.PEERS)],
    )


def _criterion(scheme: Scheme, criterion: Criterion) -> dict[str, Any]:
    locale = request_locale()
    return {
        "key": criterion.key,
        "name": criterion.name.of(locale),
        "description": criterion.description.of(locale),
        "levels": [
            {"value": rule.level.value, "name": rule.name.of(locale), "text": criterion.anchors[rule.level].of(locale)}
            for rule in scheme.levels
        ],
    }


@bp.post("/peers/<int:cycle_id>/draw")
@allow(Deed.BALLOT_CAST, find_rating)
def draw(actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    wrapped, blinded = read_draw(_sent())
    reviews = service.draw(cycle, actor.person_id, wrapped, blinded, now())
    cycle_id = cycle.id
    # What is noted stays noted, come what may; and nobody else's writing has to wait while this is signed.
    db.session.commit()
    signed = service.sign(cycle_id, blinded, reviews)
    return jsonify(signatures={str(seat): as_text(signature) for seat, signature in signed.items()})


def _sent() -> Any:
    """The JSON of the request; None for what is none, and for what is nested deeper than any stack."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


@bp.get("/peers/<int:cycle_id>/keys.json")
@open_to_all("everybody must be able to see that everybody gets the same keys")
def keys(cycle_id: int) -> ResponseReturnValue:
    """The index, the same bytes for all: who asks is neither known nor looked at."""
    found = service.index_of(cycle_id)
    if found is None:
        abort(404)
    return Response(found.body, mimetype="application/json")


@bp.get("/peers/<int:cycle_id>/receipts")
@allow(Deed.SEATS_SEE_OWN, find_cycle)
def receipts(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    is_counted = ballots.is_counted(cycle.id)
    count = len(ballots.receipts_of(cycle.id)) if is_counted else 0
    digest = service.digest_of(cycle.id)
    return render_template("tickets/receipts.html", cycle=cycle, is_counted=is_counted, count=count, digest=digest)


@bp.get("/peers/<int:cycle_id>/receipts.json")
@allow(Deed.SEATS_SEE_OWN, find_cycle)
def receipts_list(_actor: Actor, cycle: CycleRow) -> ResponseReturnValue:
    """The receipts of all counted ballots, sorted; the same for everybody, and empty before the count."""
    return jsonify(cycle=cycle.id, counted=ballots.is_counted(cycle.id), receipts=ballots.receipts_of(cycle.id))
