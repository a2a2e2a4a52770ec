"""Makes the keys that sign tickets in the background, from the draft on, a slice of work at a time."""

import math
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import select

from review.ballots import ticket_keys
from review.cycles.changes import BEFORE_LAUNCH
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.vocabulary import Protection
from review.infra import jobs
from review.infra.db import db, only_reading
from review.infra.house import house
from review.infra.jobs import Job, Unfinished

KIND = "tickets:keys"
STEP = "ticket_keys"
SLICE = 10.0  # seconds after which whatever else is waiting gets its turn


def key_of(cycle_id: int) -> str:
    return f"tickets:{cycle_id}"


def ask(cycle: CycleRow, now: datetime) -> None:
    """Have the worker bring the keys to what the cycle needs now: people or protection may have changed."""
    is_wanted = cycle.protection is Protection.MAXIMUM and cycle.stage in BEFORE_LAUNCH
    if not is_wanted and not ticket_keys.leaves_traces(house().settings.keys_dir, cycle.id):
        return
    if not jobs.ask_again(key_of(cycle.id), now):
        jobs.enqueue(KIND, key_of(cycle.id), {"cycle_id": cycle.id}, now)


def do_keys(job: Job) -> None:
    """The job: destroy the keys of whoever was taken out, make what is missing. Raises Unfinished after a slice."""
    cycle_id, folder = int(job.payload["cycle_id"]), house().settings.keys_dir
    wanted = _wanted(cycle_id)
    if wanted is None:
        return
    if not wanted:
        ticket_keys.destroy(folder, cycle_id)
        return
    ticket_keys.keep_only(folder, cycle_id, wanted)
    missing = sorted(wanted - ticket_keys.made(folder, cycle_id))
    _make(job, cycle_id, missing, len(wanted), until=time.monotonic() + SLICE)
    if ticket_keys.made(folder, cycle_id) != _wanted(cycle_id):
        raise Unfinished


def make_all(cycle: CycleRow) -> None:
    """Make every key that is missing, here and now; nothing where the cycle draws no tickets."""
    wanted = _needed(cycle) or set()
    missing = sorted(wanted - ticket_keys.made(house().settings.keys_dir, cycle.id))
    _make(Job(key_of(cycle.id), {}, cycle.opens_at), cycle.id, missing, len(wanted), until=math.inf)


def _wanted(cycle_id: int) -> set[int] | None:
    """The reviews that need a key now; None once the cycle is launched: what it has then is fixed.

    Reads without holding on to anything: making keys takes minutes, and nobody should wait for it.
    """
    with only_reading():
        cycle = db.session.get(CycleRow, cycle_id)
        found = set() if cycle is None or cycle.stage is Stage.CANCELLED else _needed(cycle)
        db.session.rollback()
    return found


def _needed(cycle: CycleRow) -> set[int] | None:
    if cycle.stage not in BEFORE_LAUNCH:
        return None
    reviews = select(ReviewRow.id).where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    return set(db.session.scalars(reviews)) if cycle.protection is Protection.MAXIMUM else set()


def _make(job: Job, cycle_id: int, missing: Sequence[int], total: int, *, until: float) -> None:
    """As many as time allows, on every core: drawing primes does not hold the interpreter."""
    folder, cores = house().settings.keys_dir, os.cpu_count() or 1
    done = total - len(missing)
    with ThreadPoolExecutor(cores) as pool:
        for start in range(0, len(missing), 4 * cores):
            some = missing[start : start + 4 * cores]
            list(pool.map(lambda review: ticket_keys.make(folder, cycle_id, review), some))
            done += len(some)
            job.report(done, total, STEP)
            if time.monotonic() > until:
                return


HANDLERS = {KIND: do_keys}
