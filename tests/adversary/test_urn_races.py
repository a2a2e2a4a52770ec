"""Casts that meet each other, a close or a kill: no ballot that was taken is lost, none is there twice, none is late.

The same on both databases. Every process works on the one urn, on PostgreSQL on the one leaf about to split.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from review.ballots.postgres_leaves import LEAF
from review.ballots.postgres_urn import BATCH, PostgresUrn
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.urn import Urn

BODY = b"x" * 1105
CASTER = """
import random, sys
from pathlib import Path
from review.ballots.postgres_urn import PostgresUrn
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.urn import Closed
address, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
urn = PostgresUrn(address, 7) if "://" in address else SqliteUrn(Path(address), 7)
dice = random.Random(seed)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(count):
    token = dice.randbytes(32)
    print("casting", token.hex(), flush=True)
    try:
        urn.put(token, 1, b"x" * 1105)
    except Closed:
        break
    print("taken", token.hex(), flush=True)
"""

Caster = subprocess.Popen[str]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "urns") if request.param == "sqlite" else request.getfixturevalue("urn_url")


@pytest.fixture
def urn(address: str) -> Urn:
    made = PostgresUrn(address, 7) if "://" in address else SqliteUrn(Path(address), 7)
    made.create()
    return made


@contextlib.contextmanager
def casters(address: str, count: int, *seeds: int) -> Iterator[list[Caster]]:
    """Processes that cast `count` ballots each, all begun at the same moment."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [
        subprocess.Popen([sys.executable, "-c", CASTER, address, str(seed), str(count)], **pipes) for seed in seeds
    ]
    for caster in started:
        assert caster.stdout.readline() == "ready\n"
    for caster in started:
        caster.stdin.write("go\n")
        caster.stdin.flush()
    try:
        yield started
    finally:
        for caster in started:
            caster.kill()
            caster.wait(60)
            caster.stdin.close()
            caster.stdout.close()


def said(word: str, lines: list[str]) -> set[bytes]:
    return {bytes.fromhex(line.split()[1]) for line in lines if line.startswith(word)}


def fill(urn: Urn, count: int) -> set[bytes]:
    tokens = {os.urandom(32) for _ in range(count)}
    with urn._casting() as connection:
        connection.execute(urn._insert(), [{"token_hash": each, "version": 1, "sealed": BODY} for each in tokens])
    return tokens


def inside(urn: Urn) -> set[bytes]:
    """What is in the urn, each ballot once and whole."""
    found = list(urn.rows())
    assert len(found) == len({token for token, _, _ in found}), "a ballot is there twice"
    assert {(version, sealed) for _, version, sealed in found} <= {(1, BODY)}
    return {token for token, _, _ in found}


def test_two_processes_that_fill_the_same_leaf_lose_nothing(urn: Urn, address: str) -> None:
    before = fill(urn, LEAF - 1)
    with casters(address, 15, 1, 2) as both:
        lines = [caster.stdout.readlines() for caster in both]
        assert [caster.wait(60) for caster in both] == [0, 0]
    taken = [said("taken", each) for each in lines]
    assert [len(each) for each in taken] == [15, 15]
    assert inside(urn) == before.union(*taken)
    assert urn.holds(taken[0]) == taken[0]


def test_two_processes_that_cast_the_same_ballots_leave_one_of_each(urn: Urn, address: str) -> None:
    with casters(address, 10, 1, 1) as both:
        taken = said("taken", both[0].stdout.readlines()) & said("taken", both[1].stdout.readlines())
    assert len(taken) == 10
    assert inside(urn) == taken


def test_a_close_in_the_middle_of_casts_lets_nothing_in_afterwards(urn: Urn, address: str) -> None:
    before = fill(urn, LEAF - 5)
    with casters(address, 10_000, 3, 4) as both:
        lines = [[caster.stdout.readline() for _ in range(12)] for caster in both]
        urn.close()
        at_close = inside(urn)
        for caster, each in zip(both, lines, strict=True):
            each.extend(caster.stdout.readlines())
    taken = [said("taken", each) for each in lines]
    assert inside(urn) == at_close == before.union(*taken)


def test_what_a_killed_process_was_told_is_taken_is_there(urn: Urn, address: str) -> None:
    before = fill(urn, LEAF - 3)
    for seed in range(5, 8):
        with casters(address, 10_000, seed) as (caster,):
            lines = [caster.stdout.readline() for _ in range(7)]
            time.sleep(0.003 * (seed - 4))  # somewhere inside the next cast or between two
            caster.send_signal(signal.SIGKILL)
            lines += [line for line in caster.stdout if line.endswith("\n")]
        taken, begun = said("taken", lines), said("casting", lines)
        left = inside(urn)
        assert before | taken <= left <= before | begun
        assert len(begun - taken) <= 1
        before = left
    urn.put(os.urandom(32), 1, BODY)
    assert urn.size() == len(before) + 1


@pytest.mark.postgres
def test_an_urn_of_many_leaves_is_dropped_bit_by_bit_and_the_rest_after_a_stop(urn_url: str) -> None:
    class Stopped(Exception):  # noqa: N818
        pass

    urn = PostgresUrn(urn_url, 7)
    urn.create()
    fill(urn, BATCH * LEAF // 2 * 3)
    urn.put(os.urandom(32), 1, BODY)  # splits the one leaf into as many as it takes
    steps: list[str] = []

    def stop(step: str) -> None:
        steps.append(step)
        if step == "leaves_dropped":
            raise Stopped

    with pytest.raises(Stopped):
        urn.drop(stop)
    assert steps == ["urn_renamed", "leaves_dropped"]
    assert not urn.exists()
    assert urn.leaves_traces()
    urn.drop()
    assert not urn.leaves_traces()
