"""`review recompute CYCLE --check` over a cycle of 2,500 and one of 10,000 published results: time and peak memory.

    python -m benchmarks.recompute_10000 [people]

Each cycle is scored and frozen by the product and recomputed by the command in a process of its own. Goals: time per
result grows by less than half, and four times the results take less than 40 MB more memory: nothing is kept.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from benchmarks.large_cycle import fill
from review.app import create_app
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.results import publication
from review.results.service import score_cycle
from review.tables import metadata
from tests.postgres import binaries, cluster, new_database

MORE_MEMORY, MORE_TIME = 40.0, 1.5
SIGNED = """INSERT INTO sign_off
    (review_id, computed_grade, final_grade, reason, summary, input_hash, signed_by, signed_at)
    SELECT review_id, grade, grade, '', 'Steady.', input_hash, 1, scored_at FROM scorecard"""
LOOKED_AT = """INSERT INTO second_look
    (review_id, person_id, named_by, named_at, outcome, input_hash, score, final_grade, reason, decided_at)
    SELECT review_id, 2, 2, scored_at, 'confirmed', input_hash, score, grade, 'Seen.', scored_at
    FROM scorecard WHERE near_cut"""


def publish(people: int) -> None:
    """A published cycle of so many; nobody typed anything, the rest is the product's."""
    metadata.create_all(db.engine)
    cycle_id, at = fill(people), now()
    score_cycle(cycle_id, at)
    for statement in (SIGNED, LOOKED_AT):
        db.session.execute(text(statement))
    db.session.get_one(CycleRow, cycle_id).stage = Stage.PUBLISHED
    publication.freeze_cycle(cycle_id, by=1, now=at)
    db.session.commit()


def recomputed(environ: dict[str, str]) -> tuple[float, float]:
    """Seconds, and megabytes at the peak, of the command in a process of its own.

    The peak is what the kernel notes for that memory alone: `ru_maxrss` also counts the parent at the fork.
    """
    program = (
        "import re, sys; from review.cli import main\n"
        "sys.argv = ['review', 'recompute', 'Benchmark', '--check']\n"
        "try: main()\n"
        "finally: print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - start
    assert done.returncode == 0, done.stdout + done.stderr
    return took, int(done.stdout.split()[-1]) / 1024


def measure(name: str, sizes: tuple[int, int], urls: list[dict[str, str]]) -> bool:
    found = []
    for people, more in zip(sizes, urls, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            environ = {"REVIEW_DATA": f"{folder}/instance", "REVIEW_BASE_URL": "http://localhost", **more}
            app = create_app(Settings.from_env(environ))
            with app.app_context():
                publish(people)
                db.session.remove()
                db.engine.dispose()
            took, peak = recomputed(environ)
            found.append((took, peak))
            print(f"{name}: {people} results recomputed in {took:.1f} s, peak {peak:.0f} MB", flush=True)
    (few_s, few_mb), (many_s, many_mb) = found
    times = (many_s / sizes[1]) / (few_s / sizes[0])
    is_met = times < MORE_TIME and many_mb - few_mb < MORE_MEMORY
    print(f"  per result {times:.2f} times, {many_mb - few_mb:+.0f} MB: {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sizes = (most // 4, most)
    met = [measure("SQLite", sizes, [{}, {}])]
    with ExitStack() as stack:
        if binaries() is not None:
            server = stack.enter_context(cluster())
            urls = [{"DATABASE_URL": new_database(server), "URN_URL": new_database(server)} for _ in sizes]
            met.append(measure("PostgreSQL", sizes, urls))
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    assert Path("benchmarks").is_dir(), "run it from the root of the repository"
    main()
