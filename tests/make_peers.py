"""Seats peers and casts ballots for tests, through the services.

seats = seat_team(cycle_id, cast)         # everybody of Ada's team is asked about everybody else of it; urn opened
cast_for(cycle_id, seats[bo, ada], GOOD)  # as Bo about Ada; names as in the cast
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from review.ballots import seal_keys, sealing
from review.ballots import service as ballots
from review.ballots.service import urn_at
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.plan import Plan
from review.domain.responses import Answers, Ballot
from review.domain.vocabulary import Level, Source
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import service
from review.peer_review.tables import SeatRow
from review.schemes.library import builtin
from tests.make import Cast

TEAM = ("ada", "bo", "cy", "di", "ed", "fay", "gus")
ASKED = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]
GOOD: Answers = dict.fromkeys(ASKED, Level.GOOD)
EXCELLENT: Answers = dict.fromkeys(ASKED, Level.EXCELLENT)
POOR: Answers = dict.fromkeys(ASKED, Level.POOR)

Seats = dict[tuple[str, str], UUID]  # (rater, subject) -> seat


def plan_of(pairs: Iterable[tuple[int, int]]) -> Plan:
    """A plan that seats exactly these (rater, subject) pairs."""
    seats = tuple(sorted(pairs))
    return Plan(seats=seats, loads={}, shortages=(), dropped=(), reciprocal_pairs=0, ties={}, seed=1, digest="by hand")


def seat_team(cycle_id: int, cast: Cast, team: Iterable[str] = TEAM) -> Seats:
    """Seat everybody of `team` for everybody else of it, and open the urn; commits."""
    team = tuple(team)
    pairs = [(cast[rater].id, cast[subject].id) for rater in team for subject in team if rater != subject]
    service.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs))
    ballots.open_urn(cycle_id)
    db.session.commit()
    return seats_by_name(cycle_id, cast)


def seats_by_name(cycle_id: int, cast: Cast) -> Seats:
    name = {person.id: key for key, person in cast.items()}
    query = select(SeatRow.rater_id, ReviewRow.subject_id, SeatRow.id).join(
        ReviewRow, ReviewRow.id == SeatRow.review_id
    )
    found = db.session.execute(query.where(ReviewRow.cycle_id == cycle_id))
    return {(name[rater], name[subject]): seat for rater, subject, seat in found}


def cast_for(cycle_id: int, seat_id: UUID, answers: Answers) -> None:
    """Cast from a seat, about the review it belongs to."""
    review_id = db.session.get_one(SeatRow, seat_id).review_id
    ballots.cast(cycle_id, seat_id, Ballot(review_id, answers))


def sealed_ballot(settings: Settings, cycle_id: int, token_hash: bytes, ballot: Ballot) -> tuple[int, bytes]:
    """Version and body as a cast would put them into the urn."""
    key = seal_keys.public(settings.keys_dir, cycle_id)
    assert key is not None
    size = sealing.size_of(comments=False, maximum=False)
    return sealing.seal(ballot, cycle_id=cycle_id, token_hash=token_hash, public_key=key, size=size)


def open_ballots(settings: Settings, cycle_id: int) -> list[Ballot]:
    """What lies in the urn, opened as only the count can."""
    key = seal_keys.private(settings.keys_dir, cycle_id)
    assert key is not None
    return [
        sealing.unseal(version, sealed, cycle_id=cycle_id, token_hash=token_hash, private_key=key).ballot
        for token_hash, version, sealed in urn_at(settings, cycle_id).rows()
    ]
