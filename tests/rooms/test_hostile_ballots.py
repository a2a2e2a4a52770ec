"""Under maximum protection raters seal what they like: no single ballot stops the count of all the others."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from flask import Flask
from sqlalchemy import select

from review.ballots import seal_keys, sealing, ticket_keys
from review.ballots import service as ballots
from review.domain.cycle import Stage
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.tickets import service as tickets
from tests.make import NOW, Cast
from tests.make_cycle import set_stage
from tests.make_peers import ASKED, GOOD
from tests.make_tickets import Held, draw_as, letter, letter_of, make_maximum, post


def ballot_of(held: Held, **said: Any) -> bytes:
    """A ballot with a good ticket; `said` replaces parts of what it says."""
    whole: dict[str, Any] = {"answers": {ASKED[0]: "good"}, "review": held.review}
    whole |= {"ticket": sealing.as_text(held.ticket), "signature": sealing.as_text(held.signature)}
    return json.dumps(whole | said).encode()


# What is sealed, and whether its rater is still heard: a ticket is worth one ballot, well formed or not.
HOSTILE: dict[str, tuple[Callable[[Held], bytes], bool]] = {
    "no text": (lambda held: b"\xff\xfe", False),
    "deeper than any stack": (lambda held: b"[" * 1400, False),
    "an endless number": (lambda held: ballot_of(held, review=float("inf")), False),
    "no number": (lambda held: ballot_of(held, review=float("nan")), False),
    "a number too long for the name of a file": (lambda held: ballot_of(held, review=10**400), False),
    "nothing": (lambda held: ballot_of(held, answers=None, review=None), False),
    "another kind of ticket": (lambda held: ballot_of(held, ticket=5, signature=[]), False),
    "an unknown level": (lambda held: ballot_of(held, answers={ASKED[0]: ["good"]}), False),
    "half a character": (lambda held: ballot_of(held, comment="\ud800 half"), True),
    "half a character for a question": (lambda held: ballot_of(held, answers={"\ud800": "good"}), True),
    "a question that was not asked": (lambda held: ballot_of(held, answers={"nobody_asked": "poor"}), True),
    "more words than allowed": (lambda held: ballot_of(held, comment="x" * 500), True),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_one_rater_seals_the_others_are_counted(app: Flask, settings: Settings, cast: Cast, kind: str) -> None:
    make, is_heard = HOSTILE[kind]
    with app.app_context():
        cycle_id = make_maximum(cast, settings, ("ada", "bo", "cy"))
        bo, cy = (draw_as(cycle_id, cast[name], settings) for name in ("bo", "cy"))
        hostile = next(iter(bo.values()))
        bodies = [letter(hostile, sealed_by_hand(settings, hostile, make(hostile)))]
        bodies += [letter_of(settings, held, GOOD) for held in cy.values()]
    assert [post(app, body).status_code for body in bodies] == [204, 204, 204]
    with app.app_context():
        seats = dict(db.session.execute(select(SeatRow.id, SeatRow.review_id)).all())
        set_stage(cycle_id, Stage.COUNTING)
        db.session.commit()
        ballots.close_urn(cycle_id)
        counted = ballots.count(cycle_id, seats, now=NOW, drawn=tickets.drawn(cycle_id, seats))
        assert (counted.ballots, counted.strangers) == ((3, 0) if is_heard else (2, 1))
        assert ballots.is_destroyed(cycle_id)


def sealed_by_hand(settings: Settings, held: Held, plain: bytes) -> bytes:
    """Any bytes, sealed as a ballot is."""
    public, size = seal_keys.public(settings.keys_dir, held.cycle), ticket_keys.size(settings.keys_dir, held.cycle)
    assert public is not None
    assert size is not None
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
    info = b"review360 ballot|%d|%d|" % (held.cycle, sealing.VERSION) + hashlib.sha256(held.ticket).digest()
    body = plain.ljust(size)
    assert len(body) == size
    return sealing.SUITE.encrypt(body, key, info=info)
