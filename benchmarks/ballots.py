"""Casts into urns of several sizes and counts 30,000 sealed ballots; prints what each took.

    python -m benchmarks.ballots [ballots]

The urn is filled through one connection instead of one fsync each; the casts that are timed go through
`ballots.cast`, one by one, as a rater's do. Goals: a cast under 50 ms, the count of 30,000 under 10 s.
"""

import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert, select

from benchmarks.cycle_10000 import hire, prepare, vote
from review.app import create_app
from review.ballots import service as ballots
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.responses import Ballot
from review.infra import organisation
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review.service import seats_for_count
from review.peer_review.tables import SeatRow

EACH = 8  # ballots about a person
TIMED = 200
CAST_GOAL, COUNT_GOAL = 0.050, 10.0


def seat(cycle_id: int) -> None:
    """Eight raters for everybody: the next eight people."""
    reviews = db.session.execute(
        select(ReviewRow.id, ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle_id).order_by(ReviewRow.id)
    ).all()
    people = [subject for _, subject in reviews]
    rows = [
        {"review_id": review, "rater_id": people[(n + step) % len(people)]}
        for n, (review, _) in enumerate(reviews)
        for step in range(1, EACH + 1)
    ]
    db.session.execute(insert(SeatRow), [{**row, "id": uuid4()} for row in rows])


def time_casts(cycle_id: int, filled: int, nth: int) -> None:
    """Cast from seats that have not cast yet: the bulk takes them from the front, this from the back."""
    last_first = select(SeatRow.id, SeatRow.review_id).order_by(SeatRow.id.desc())
    free = db.session.execute(last_first.slice(nth * TIMED, (nth + 1) * TIMED)).all()
    took = []
    for seat_id, review in free:
        start = time.perf_counter()
        ballots.cast(cycle_id, seat_id, Ballot(review, {}))
        took.append(time.perf_counter() - start)
    took.sort()
    median, p95 = took[len(took) // 2], took[len(took) * 95 // 100]
    verdict = "met" if median < CAST_GOAL else "MISSED"
    figures = f"median {median * 1000:6.1f} ms, p95 {p95 * 1000:6.1f} ms"
    print(f"cast into an urn of {filled:>6}: {figures}   goal 50: {verdict}")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environ = {"REVIEW_DATA": str(Path(folder) / "data"), "REVIEW_KEYS": str(Path(folder) / "keys")}
        app = create_app(Settings.from_env(environ))
        with app.app_context():
            db.create_all()
            organisation.configure(organisation.Organisation())
            cycle_id = prepare(hire(count // EACH + 2))
            seat(cycle_id)
            ballots.open_urn(cycle_id)
            db.session.get_one(CycleRow, cycle_id).stage = Stage.COLLECTING
            db.session.commit()
            filled = 0
            for nth, size in enumerate((0, 1000, count - 3 * TIMED)):
                if size:
                    vote(cycle_id, filled, size)
                filled = size
                time_casts(cycle_id, filled, nth)
            db.session.get_one(CycleRow, cycle_id).stage = Stage.COUNTING
            start = time.perf_counter()
            counted = ballots.count(cycle_id, seats_for_count(cycle_id), now=now())
            took = time.perf_counter() - start
            verdict = "met" if took < COUNT_GOAL else "MISSED"
            print(f"count of {counted.ballots} ballots: {took:.2f} s   goal 10: {verdict}")
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
