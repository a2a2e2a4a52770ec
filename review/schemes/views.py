"""The scheme as everybody may read it at any time, and the page on which HR chooses its minimums."""

from fractions import Fraction

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.domain.peer_words import SUGGESTED_FROM
from review.domain.refusals import OutOfReach
from review.domain.rounding import decimal_text, exact_text
from review.domain.turnout import ASKED
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, Source
from review.infra.clock import now
from review.infra.gate import Found, allow
from review.infra.pages import tell
from review.schemes import minimums, service
from review.schemes.forms import MinimumsForm
from review.schemes.library import builtin
from review.schemes.tables import SchemeRow, SchemeState

bp = Blueprint("schemes", __name__)


def find_scheme(_actor: Actor, scheme_id: int) -> Found:
    """A stored version that cycles may use."""
    row = service.stored(scheme_id)
    if row is None or row.state is not SchemeState.OPEN:
        raise OutOfReach("schemes:no_such_scheme")
    return Found(row)


@bp.get("/scheme", defaults={"scheme_id": None})
@bp.get("/scheme/<int:scheme_id>")
@allow(Deed.SCHEME_READ)
def read(_actor: Actor, scheme_id: int | None) -> ResponseReturnValue:
    versions = service.open_schemes()
    row = max(versions, key=lambda each: (each.created_at, each.id), default=None)
    if scheme_id is not None:
        row = next((each for each in versions if each.id == scheme_id), None)
        if row is None:
            raise OutOfReach("schemes:no_such_scheme")
    scheme = builtin() if row is None else service.scheme_of(row.id)
    return render_template(
        "schemes/read.html",
        scheme=scheme,
        row=row,
        versions=versions,
        sources=COUNTING,
        levels=LEVELS,
        overall={source: scheme.overall_weight(source) for source in COUNTING},
        price=minimums.price_for(scheme.minimums[Source.PEERS], scheme.peer_step),
        grades=GRADES,
        text=exact_text,
        percent=percent_text,
    )


@bp.get("/scheme/<int:scheme_id>/minimums")
@allow(Deed.SCHEME_EDIT, find=find_scheme)
def minimums_page(_actor: Actor, row: SchemeRow) -> ResponseReturnValue:
    scheme = service.scheme_of(row.id)
    wanted = minimums.minimums_of(scheme)
    stands = {
        "peers": wanted.peers,
        "customers": wanted.customers,
        "comments": wanted.comments_from is not None,
        "supervisors": wanted.supervisors,
        "comments_from": wanted.comments_from or SUGGESTED_FROM,
    }
    return _minimums(row, MinimumsForm(data=stands))


@bp.post("/scheme/<int:scheme_id>/minimums")
@allow(Deed.SCHEME_EDIT, find=find_scheme)
def change_minimums(actor: Actor, row: SchemeRow) -> ResponseReturnValue:
    form, made = MinimumsForm(), [row]
    form.offer(minimums.choices_for(service.scheme_of(row.id)))
    if not form.accept(lambda: made.append(minimums.change(row, form.to_minimums(), by=actor.person_id, now=now()))):
        return _minimums(row, form), 422
    tell("schemes:minimums_kept" if made[-1].id != row.id else "schemes:minimums_unchanged", version=made[-1].version)
    return redirect(url_for("schemes.read", scheme_id=made[-1].id))


def _minimums(row: SchemeRow, form: MinimumsForm) -> str:
    choices = minimums.choices_for(service.scheme_of(row.id))
    return render_template(
        "schemes/minimums.html",
        row=row,
        scheme=service.scheme_of(row.id),
        form=form.offer(choices),
        choices=choices,
        safe=minimums.SAFE,
        asked=ASKED,
        percent=percent_text,
        chance=lambda share: decimal_text(share.numerator * 1000 // share.denominator, 1),
    )


def percent_text(share: Fraction) -> str:
    """A share in percent with two decimals, rounded up: a risk is never told smaller than it is."""
    return decimal_text(-(-share.numerator * 10_000 // share.denominator))
