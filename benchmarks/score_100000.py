"""Official scores of 100,000 people out of the database, beside the time it takes only to read what they are made of.

    python -m benchmarks.score_100000 [people] [--full]

One supervisor, seventeen customers and peers' figures about each, five criteria: 1.8 million wide rows. Both are done
in turn, three times each, in one run on the cores this process has; the quickest of each counts. Goal: at most twice
the floor (benchmarks/floor_of_scores.py), on SQLite and on PostgreSQL (a private cluster, skipped where there is none).
A thousand scores are held against the method that explains its working. `--full` also times all of that working.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.floor_of_scores import read
from benchmarks.large_cycle import fill
from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.scoring import score
from review.infra.db import db
from review.infra.settings import Settings
from review.results import evidence
from review.results.official import official_scores
from review.schemes.service import scheme_of
from review.tables import metadata
from tests.postgres import binaries, cluster, new_database

ROUNDS, GOAL, HELD = 3, 2.0, 1000


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    outcome = act()
    return time.perf_counter() - start, outcome


def measure(name: str, more: dict[str, str], people: int, *, full: bool) -> bool:
    """Whether the goal was met on this database."""
    with tempfile.TemporaryDirectory() as folder:
        data = {"REVIEW_DATA": f"{folder}/instance", "REVIEW_BASE_URL": "http://localhost"}
        app = create_app(Settings.from_env({**data, **more}))
        with app.app_context():
            metadata.create_all(db.engine)
            took, cycle_id = timed(lambda: fill(people))
            print(f"{name}: {people} people filled in {took:.1f} s, {len(os.sched_getaffinity(0))} cores", flush=True)
            url = db.engine.url.render_as_string(hide_password=False)
            floors, products, scores = [], [], {}
            for _ in range(ROUNDS):
                floors.append(timed(lambda: read(url))[0])
                took, scores = timed(lambda: official_scores(db.session.get_one(CycleRow, cycle_id)))
                products.append(took)
                db.session.rollback()
            ratio = min(products) / min(floors)
            print(f"  floor, reading alone   {min(floors):7.2f} s   (all: {_all(floors)})")
            print(f"  official scores        {min(products):7.2f} s   (all: {_all(products)})")
            print(f"  ratio                  {ratio:7.2f}     goal {GOAL}: {'met' if ratio <= GOAL else 'MISSED'}")
            _hold(cycle_id, scores, full=full)
            db.session.remove()
            db.engine.dispose()
    return ratio <= GOAL


def _all(figures: list[float]) -> str:
    return ", ".join(f"{figure:.2f}" for figure in figures)


def _hold(cycle_id: int, scores: dict[int, int | None], *, full: bool) -> None:
    """Against the method that shows its working; all of it with `full`, and timed."""
    scheme = scheme_of(db.session.get_one(CycleRow, cycle_id).scheme_id)
    ids = sorted(scores)[: None if full else HELD]

    def explained() -> dict[int, int | None]:
        found = evidence.of_cycle(cycle_id) if full else evidence.among(cycle_id, ids, scheme)
        return {key: score(scheme, found[key]).score for key in ids}

    took, cards = timed(explained)
    wrong = [key for key in ids if cards[key] != scores[key]]
    assert not wrong, f"{len(wrong)} scores differ, first {wrong[:3]}"
    print(f"  {len(ids)} of them, with their working, are the same ({took:.1f} s)", flush=True)


def main() -> None:
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    people, full = numbers[0] if numbers else 100_000, "--full" in sys.argv
    met = [measure("SQLite", {}, people, full=full)]
    with ExitStack() as stack:
        if binaries() is None:
            print("PostgreSQL: not installed here")
        else:
            server = stack.enter_context(cluster())
            urls = {"DATABASE_URL": new_database(server), "URN_URL": new_database(server)}
            met.append(measure("PostgreSQL", urls, people, full=full))
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    assert Path("benchmarks").is_dir(), "run it from the root of the repository"
    main()
