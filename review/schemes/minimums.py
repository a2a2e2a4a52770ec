"""Chooses from how many answers on peers and customers count, peers' words show, and supervisors rate, with prices."""

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.exc import IntegrityError

from review.domain.enumeration import Price, price_of
from review.domain.refusals import Invalid, Taken
from review.domain.scheme import Scheme, dump_scheme, parse_scheme
from review.domain.turnout import chance_of_enough
from review.domain.vocabulary import PeerStep, Source
from review.infra import audit
from review.infra.db import db
from review.schemes.service import latest, scheme_of, store
from review.schemes.tables import SchemeRow

ENUMERABLE = 12  # above this many ballots nobody becomes certain, and enumerating all answers would take long
OFFERED = (3, 4, 5, 6, 8, 10)  # for peers
SAFE = 5  # under that one rater, who knows their own answer, can learn another's: it takes a word to choose it


@dataclass(frozen=True, slots=True)
class Minimums:
    """What HR chooses. `comments_from` None: peers are not asked for words; `understood`: HR has read the price."""

    peers: int
    customers: int
    comments_from: int | None
    understood: bool = False
    supervisors: int = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A minimum for peers with its price (None: too large to be worked out), and how likely so many of eight are."""

    minimum: int
    price: Price | None
    enough: Fraction


def choices_for(scheme: Scheme) -> list[Choice]:
    """The minimums on offer, that of the scheme among them."""
    offered = sorted({*OFFERED, scheme.minimums[Source.PEERS]})
    return [Choice(least, price_for(least, scheme.peer_step), chance_of_enough(least)) for least in offered]


def price_for(minimum: int, step: PeerStep | None) -> Price | None:
    return price_of(minimum, step) if minimum <= ENUMERABLE else None


def minimums_of(scheme: Scheme) -> Minimums:
    peers, customers = scheme.minimums[Source.PEERS], scheme.minimums[Source.CUSTOMERS]
    return Minimums(peers, customers, scheme.comments.peers_from, supervisors=scheme.supervisors_required)


def change(base: SchemeRow, wanted: Minimums, *, by: int, now: datetime) -> SchemeRow:
    """Keep the scheme with these minimums as its next version; cycles that use an earlier one keep that.

    The same choice again changes nothing. Raises Invalid for numbers that make no sense and for fewer than five peers
    without a word that the price is understood, Taken when `base` is not the newest version any more.
    """
    before, newest = scheme_of(base.id), latest(base.key)
    if newest is not None and minimums_of(scheme_of(newest.id)) == _plain(wanted):
        return newest
    if newest is not None and newest.id != base.id:
        raise Taken("schemes:newer_version", None, version=newest.version)
    if wanted.peers < SAFE and not wanted.understood:
        raise Invalid("schemes:price_not_confirmed", "understood")
    row = _stored(_with(before, wanted, base.version + 1), now, by)
    audit.record(
        "schemes:scheme:minimums",
        f"scheme:{row.key}",
        by=by,
        at=now,
        version=row.version,
        before=_spelled(minimums_of(before)),
        after=_spelled(wanted),
    )
    return row


def _plain(wanted: Minimums) -> Minimums:
    return replace(wanted, understood=False)


def _with(scheme: Scheme, wanted: Minimums, version: int) -> Scheme:
    data: dict[str, Any] = dict(dump_scheme(scheme))
    data["version"] = version
    data["minimums"] = {Source.PEERS.value: wanted.peers, Source.CUSTOMERS.value: wanted.customers}
    data["supervisors_required"] = wanted.supervisors
    data["comments"] = {**data["comments"], "peers_from": wanted.comments_from}
    return parse_scheme(data)


def _stored(scheme: Scheme, now: datetime, by: int) -> SchemeRow:
    try:
        return store(scheme, now, by)
    except IntegrityError:
        db.session.rollback()
        raise Taken("schemes:newer_version", None, version=scheme.version) from None


def _spelled(wanted: Minimums) -> dict[str, int | None]:
    return {
        "peers": wanted.peers,
        "customers": wanted.customers,
        "peer_comments_from": wanted.comments_from,
        "supervisors": wanted.supervisors,
    }
