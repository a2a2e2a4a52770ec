"""The forensic adversary over two hundred cycles of thirty people, each with its own seed: run by hand.

One cycle leaves chance some room; the mean over many does not. `REVIEW_CYCLES` asks for fewer.
"""

import os
import sys
from collections import defaultdict

import pytest

from tests.adversary.harness import attacked, lived_through
from tests.adversary.installation import workshop
from tests.adversary.verdict import BOUND, POINTS, Verdict

CYCLES = int(os.environ.get("REVIEW_CYCLES") or 200)


def one_cycle(seed: int) -> Verdict:
    with workshop() as folder:
        return attacked(lived_through(folder, seed=seed))


@pytest.mark.full
def test_over_many_cycles_no_order_and_no_way_of_linking_is_better_than_chance() -> None:
    rhos: dict[str, list[float]] = defaultdict(list)
    links: dict[str, list[float]] = defaultdict(list)
    readable, certain = 0, set()
    for seed in range(CYCLES):
        verdict = one_cycle(1000 + seed)
        readable += verdict.readable
        certain |= {one.code for one in verdict.findings} - {"order of casting", "rows are linked to raters"}
        for channel, rho in verdict.rho.items():
            rhos[channel].append(abs(rho))
        for channel, (hits, rows, chance) in verdict.linked.items():
            links[channel].append(hits / rows - chance)
    worst = max((sum(values) / len(values), channel) for channel, values in rhos.items())
    best = max((sum(values) / len(values), channel) for channel, values in links.items() if len(values) == CYCLES)
    sys.stdout.write(
        f"{CYCLES} cycles: readable {readable}, mean |rho| at most {worst[0]:.3f} ({worst[1]}), "
        f"linking at most {100 * best[0]:+.2f} points over chance ({best[1]})\n"
    )
    assert readable == 0
    assert certain == set()
    assert worst[0] <= BOUND
    assert best[0] <= POINTS
