"""The pages of a rater: whom they are asked about, the ballot, conflicts of interest."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Standing
from review.domain.peer_words import LONGEST, least_ballots
from review.domain.vocabulary import Protection, Source
from review.infra.clock import now
from review.infra.gate import Found, allow, open_to_all
from review.infra.pages import tell
from review.peer_review import conflicts, service
from review.peer_review.forms import SENT_AS, BallotForm, ConflictForm, ballot_form
from review.peer_review.service import SeatFile
from review.schemes.service import scheme_of

bp = Blueprint("peer_review", __name__)


def find_seat(actor: Actor, seat_id: UUID) -> Found:
    """A SeatFile; only whoever holds the seat is anything to it."""
    file = service.seat_file(seat_id)
    return Found(file, frozenset({Standing.RATER} if file.seat.rater_id == actor.person_id else ()))


@bp.get("/peers")
@allow(Deed.SEATS_SEE_OWN)
def mine(actor: Actor) -> ResponseReturnValue:
    return _mine(actor, ConflictForm(), now())


@bp.get("/peers/protection")
@open_to_all("how raters are protected is for everybody to read and to check")
def protection() -> ResponseReturnValue:
    return render_template("peer_review/protection.html")


def _mine(actor: Actor, form: ConflictForm, moment: datetime, status: int = 200) -> ResponseReturnValue:
    lists = service.lists_of(actor.person_id, moment)
    minimums = {each.cycle.id: scheme_of(each.cycle.scheme_id).minimums[Source.PEERS] for each in lists}
    declared = conflicts.declared_by(actor.person_id)
    by_page = (each for each in lists if not each.is_blind)
    following = next((seat.id for each in by_page for seat in each.seats if seat.id not in each.done), None)
    shown = {"lists": lists, "minimums": minimums, "following": following, "declared": declared}
    shown["counted"] = service.with_receipts(actor.person_id)
    return render_template("peer_review/mine.html", form=form, **shown), status


@bp.get("/peers/<uuid:seat_id>")
@allow(Deed.BALLOT_CAST, find_seat)
def ballot(actor: Actor, file: SeatFile) -> ResponseReturnValue:
    moment = now()
    service.require_open(file, moment)
    if file.cycle.protection is Protection.MAXIMUM:
        return redirect(url_for("tickets.rate", cycle_id=file.cycle.id))
    return _ballot(actor, file, ballot_form(scheme_of(file.cycle.scheme_id)), moment)


@bp.post("/peers/<uuid:seat_id>")
@allow(Deed.BALLOT_CAST, find_seat)
def cast(actor: Actor, file: SeatFile) -> ResponseReturnValue:
    moment, form = now(), ballot_form(scheme_of(file.cycle.scheme_id))
    service.require_open(file, moment)
    service.require_server_side(file)
    if not form.accept(lambda: service.cast(file, form.answers(), moment, form.words())):
        return _ballot(actor, file, form, moment), 422
    # No message is shown: it would travel in the session cookie. The next page shows the mark instead.
    following = service.next_after(file.seat.id, actor.person_id, moment)
    if following is None:
        return redirect(url_for("peer_review.mine"))
    return redirect(url_for("peer_review.ballot", seat_id=following))


def _ballot(actor: Actor, file: SeatFile, form: BallotForm, moment: datetime) -> str:
    whole = service.list_with(file.seat.id, actor.person_id, moment)
    shown = {"scheme": form.scheme, "longest": LONGEST, "least": least_ballots(form.scheme), "sent_as": SENT_AS}
    return render_template("peer_review/ballot.html", file=file, form=form, whole=whole, **shown)


@bp.post("/peers/conflicts")
@allow(Deed.CONFLICT_DECLARE)
def declare_conflict(actor: Actor) -> ResponseReturnValue:
    moment, form, about = now(), ConflictForm(), []
    number = form.employee_no
    if not form.accept(lambda: about.append(conflicts.declare_conflict(actor.person_id, number.data, moment))):
        return _mine(actor, form, moment, 422)
    was_asked = service.step_down(actor.person_id, about[0], moment)
    tell("peer_review:conflict_off_list" if was_asked else "peer_review:conflict_noted")
    return redirect(url_for("peer_review.mine", _anchor="conflicts"))


@bp.post("/peers/conflicts/<int:other_id>/withdraw")
@allow(Deed.CONFLICT_DECLARE)
def withdraw_conflict(actor: Actor, other_id: int) -> ResponseReturnValue:
    conflicts.withdraw_conflict(actor.person_id, other_id, now())
    tell("peer_review:conflict_withdrawn")
    return redirect(url_for("peer_review.mine", _anchor="conflicts"))
