"""The scheme as everybody may read it at any time: weights, anchors, minimums, cuts, and what follows from a grade."""

from fractions import Fraction

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.domain.enumeration import price_of
from review.domain.refusals import OutOfReach
from review.domain.rounding import decimal_text, exact_text
from review.domain.vocabulary import COUNTING, GRADES, LEVELS, Source
from review.infra.gate import allow
from review.schemes import service
from review.schemes.library import builtin

bp = Blueprint("schemes", __name__)

ENUMERABLE = 12  # above this many ballots nobody becomes certain, and enumerating all answers would take long


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
    minimum = scheme.minimums[Source.PEERS]
    return render_template(
        "schemes/read.html",
        scheme=scheme,
        row=row,
        versions=versions,
        sources=COUNTING,
        levels=LEVELS,
        overall={source: scheme.overall_weight(source) for source in COUNTING},
        price=price_of(minimum, scheme.peer_step) if minimum <= ENUMERABLE else None,
        grades=GRADES,
        text=exact_text,
        percent=percent_text,
    )


def percent_text(share: Fraction) -> str:
    """A share in percent with two decimals, rounded up: a risk is never told smaller than it is."""
    return decimal_text(-(-share.numerator * 10_000 // share.denominator))
