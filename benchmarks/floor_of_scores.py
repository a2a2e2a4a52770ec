"""The floor under `score_100000`: every row that scores are made of, read by the driver into plain integers.

    python -m benchmarks.floor_of_scores DATABASE_URL

No session, no sums, no rule: whoever takes single answers out of the database cannot be quicker than this.
"""

import sqlite3
import sys
import time
from typing import Any

import psycopg

WIDE = "SELECT review_id, person_id, c1, c2, c3, c4, c5, overall FROM response"
CELLS = 'SELECT review_id, points, "over" FROM peer_cell WHERE points IS NOT NULL'


def read(url: str) -> int:
    """How many integers there were."""
    count = 0
    with _connected(url) as connection:
        for query in (WIDE, CELLS):
            cursor = connection.cursor()
            for row in cursor.execute(query).fetchall():
                count += len(row)
    return count


def _connected(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    return psycopg.connect(url.replace("+psycopg", ""))


if __name__ == "__main__":
    start = time.perf_counter()
    print(f"{read(sys.argv[1])} integers in {time.perf_counter() - start:.2f} s")
