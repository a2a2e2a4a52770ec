"""What HR changes about single reviews while a cycle runs: more time, another supervisor, a leaver."""

from datetime import datetime

from review.cycles import changes
from review.cycles.lookup import ReviewFile
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, OutOfReach
from review.infra.db import db
from review.peer_review import service as peer_review
from review.people import directory
from review.people.tables import PersonRow
from review.results import service as results


def replace_supervisor(file: ReviewFile, employee_no: str, *, by: int, now: datetime) -> PersonRow:
    """The colleague of that number answers for this review from now on.

    If they were asked to rate the person as a peer, that seat is closed without asking the urn: a ballot they have
    cast counts, and nobody learns whether there is one. Raises Invalid for a number nobody has.
    """
    successor = directory.by_number(employee_no)
    if successor is None:
        raise Invalid("workflow:no_such_number", "supervisor", number=employee_no)
    changes.replace_supervisor(file.cycle, file.review, successor, by=by, now=now)
    take_off(file, successor.id)
    if file.cycle.stage is Stage.FINALISING:
        db.session.flush()
        results.rescore(file.review.id, now)  # the rating that counts is that of whoever answers now
    return successor


def take_off(file: ReviewFile, rater_id: int) -> None:
    """Close the seat of this rater for this review, if they have one. Says nothing about which it was."""
    try:
        peer_review.close_seat(file.review.id, rater_id)
    except OutOfReach:
        return


def withdraw(file: ReviewFile, reason: str, *, by: int, now: datetime) -> None:
    """End this review, and take its subject off as a rater of others: they have left or are on leave."""
    changes.withdraw(file.cycle, file.review, reason, by=by, now=now)
    if file.cycle.stage is Stage.COLLECTING:
        for seat in peer_review.seats_of(file.review.subject_id, file.cycle.id):
            peer_review.close_seat(seat.review_id, file.review.subject_id)
