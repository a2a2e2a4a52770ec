"""How long planning the peers of a large company takes, beside the time just to list who could rate whom.

Seconds are of this process on one core, so that other work on the machine does not count.

Usage: python benchmarks/assignment.py [PEOPLE] [SEED]. Prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from review.domain.assignment import assign
from review.domain.candidates import Candidates, Colleague, Company
from review.domain.plan import Plan, Rules

TEAMS_PER_DEPARTMENT = 8
TEAM_SIZES = (10, 11, 12)


def company(people: int) -> list[Colleague]:
    """A head, departments of eight teams with a head each, teams of 10 to 12 with a lead each."""
    top, whole = 1, -1
    staff = [Colleague(top, whole)]
    team = 0
    while len(staff) < people:
        if team % TEAMS_PER_DEPARTMENT == 0:
            department = -2 - team
            head = len(staff) + 1
            staff.append(Colleague(head, department, frozenset({top}), (whole,)))
        team += 1
        lead = len(staff) + 1
        wider = (department, whole)
        staff.append(Colleague(lead, team, frozenset({head, top}), wider))
        size = TEAM_SIZES[team % len(TEAM_SIZES)]
        line = frozenset({lead, head, top})
        staff += [Colleague(lead + n, team, line, wider) for n in range(1, size)]
    return staff[:people]


def measure(people: int, seed: int) -> dict[str, object]:
    """Plans one company, and lists its candidates alone as the bound below which no plan can be made."""
    staff = company(people)
    started = time.process_time()
    candidates = Candidates(Company(staff, staff, seed), {}, 3 * Rules().asked)
    listed = time.process_time()
    plan = assign(staff, staff, seed=seed)
    planned = time.process_time()
    return {
        "people": people,
        "candidate_pairs": len(candidates.pairs),
        "seconds": round(planned - listed, 3),
        "seconds_listing_candidates": round(listed - started, 3),
        "ratio": round((planned - listed) / (listed - started), 2),
        **_quality(plan),
    }


def _quality(plan: Plan) -> dict[str, object]:
    return {
        "seats": len(plan.seats),
        "reciprocal_pairs": plan.reciprocal_pairs,
        "shortages": len(plan.shortages),
        "max_load": max(plan.loads.values()),
        "ties": dict(plan.ties),
    }


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    print(json.dumps(measure(*(numbers + [10_000, 7][len(numbers) :])), indent=2))
