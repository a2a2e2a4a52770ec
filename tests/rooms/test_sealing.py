"""What a ballot looks like in the urn, and who can open it: the count's key, in its own cycle, under its own hash."""

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from hypothesis import given
from hypothesis import strategies as st

from review.ballots import disk, keys, seal_keys, sealing
from review.ballots.seal_keys import Share
from review.ballots.sealing import Opened, size_of
from review.domain.refusals import Invalid
from review.domain.responses import Ballot
from review.domain.vocabulary import Level

CYCLE, HASH, SIZE = 7, bytes(range(32)), size_of(comments=False, maximum=False)
LONGEST = Ballot(10**9, {f"{n:02}{'k' * 38}": Level.EXCELLENT for n in range(12)})
Pair = tuple[bytes, EllipticCurvePrivateKey]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("keys")
    seal_keys.make_managed(folder, CYCLE)
    return both(folder)


def both(folder: Path, cycle_id: int = CYCLE) -> Pair:
    public, private = seal_keys.public(folder, cycle_id), seal_keys.private(folder, cycle_id)
    assert public is not None
    assert private is not None
    return public, private


def sealed(pair: Pair, ballot: Ballot, size: int = SIZE, **ticket: bytes) -> tuple[int, bytes]:
    return sealing.seal(ballot, cycle_id=CYCLE, token_hash=HASH, public_key=pair[0], size=size, **ticket)


def opened(pair: Pair, version: int, body: bytes, **other: Any) -> Opened:
    return sealing.unseal(version, body, **{"cycle_id": CYCLE, "token_hash": HASH, "private_key": pair[1]} | other)


def test_all_ballots_have_one_size_and_open_to_what_was_said(pair: Pair) -> None:
    ballots = (Ballot(1, {}), Ballot(1, {"service": Level.POOR}), LONGEST)
    bodies = [sealed(pair, ballot) for ballot in ballots]
    assert {len(body) for _, body in bodies} == {sealing.sealed_size(SIZE)}
    assert [opened(pair, *body).ballot for body in bodies] == list(ballots)


def test_the_longest_comment_and_ticket_still_need_no_overflow_page(pair: Pair) -> None:
    size = size_of(comments=True, maximum=True)
    ballot = Ballot(10**9, LONGEST.answers, '"' * 140 + "💬" * 140)
    version, body = sealed(pair, ballot, size, ticket=os.urandom(70), signature=os.urandom(256))
    assert len(body) == sealing.sealed_size(size) <= 3_900
    assert opened(pair, version, body).ballot == ballot


def test_a_ticket_travels_inside_the_seal(pair: Pair) -> None:
    ticket, signature = os.urandom(61), os.urandom(256)
    size = size_of(comments=False, maximum=True)
    assert opened(pair, *sealed(pair, Ballot(1, {}), size, ticket=ticket, signature=signature)) == Opened(
        Ballot(1, {}), ticket, signature
    )


def test_a_ballot_that_would_stand_out_by_its_size_is_not_sealed(pair: Pair) -> None:
    with pytest.raises(ValueError, match="one size"):
        sealed(pair, Ballot(1, {f"{n:02}{'k' * 98}": Level.GOOD for n in range(12)}))


def test_the_same_ballot_never_looks_the_same_twice(pair: Pair) -> None:
    one, other = sealed(pair, Ballot(1, {})), sealed(pair, Ballot(1, {}))
    assert one != other
    shared = sum(a == b for a, b in zip(one[1], other[1], strict=True))
    assert shared < len(one[1]) / 16, "bytes in common"


@pytest.mark.parametrize("other", [{"cycle_id": CYCLE + 1}, {"token_hash": bytes(32)}])
def test_a_ballot_opens_only_in_its_own_cycle_and_under_its_own_hash(pair: Pair, other: dict[str, Any]) -> None:
    version, body = sealed(pair, Ballot(1, {}))
    with pytest.raises(ValueError, match="not sealed for this urn"):
        opened(pair, version, body, **other)


def test_no_other_key_opens_it(pair: Pair, tmp_path: Path) -> None:
    seal_keys.make_managed(tmp_path, CYCLE)
    with pytest.raises(ValueError, match="not sealed for this urn"):
        opened(pair, *sealed(pair, Ballot(1, {})), private_key=both(tmp_path)[1])


@given(st.integers(0, sealing.sealed_size(SIZE) * 8 - 1))
def test_a_flipped_bit_is_noticed(pair: Pair, bit: int) -> None:
    version, body = sealed(pair, Ballot(1, {}))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="not sealed for this urn"):
        opened(pair, version, bytes(flipped))


def test_a_version_nobody_knows_is_no_ballot(pair: Pair) -> None:
    with pytest.raises(ValueError, match="version"):
        opened(pair, 0, sealed(pair, Ballot(1, {}))[1])


@pytest.mark.parametrize("inside", [b"[]", b"{}", b"nonsense", b'{"answers":{"a":"superb"},"review":1}', b"\xff"])
def test_what_was_sealed_but_is_no_ballot_is_refused(pair: Pair, inside: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), pair[0])
    body = sealing.SUITE.encrypt(inside.ljust(SIZE), key, info=b"review360 ballot|7|1|" + HASH)
    with pytest.raises(ValueError):  # noqa: PT011  several kinds of nonsense
        opened(pair, 1, body)


def test_cannot_judge_and_no_answer_look_the_same(pair: Pair) -> None:
    one = opened(pair, *sealed(pair, Ballot(1, {"service": None})))
    assert one == opened(pair, *sealed(pair, Ballot(1, {})))


# -- the pair on the disk --------------------------------------------------------------------------------------------


def test_a_managed_pair_stays_and_is_readable_for_this_user_alone(tmp_path: Path) -> None:
    seal_keys.make_managed(tmp_path, 1)
    before = seal_keys.public(tmp_path, 1)
    seal_keys.make_managed(tmp_path, 1)
    assert seal_keys.public(tmp_path, 1) == before
    assert not any(file.stat().st_mode & 0o077 for file in tmp_path.iterdir())


def test_a_pair_whose_making_was_interrupted_is_finished_with_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        seal_keys.make_managed(tmp_path, 1)
    monkeypatch.undo()
    assert not seal_keys.is_made(tmp_path, 1)
    kept = (tmp_path / "seal-1.key").read_bytes()
    seal_keys.make_managed(tmp_path, 1)
    assert (tmp_path / "seal-1.key").read_bytes() == kept


@pytest.mark.parametrize("step", range(1, 6))
def test_a_split_pair_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    stop_at(monkeypatch, step)
    with pytest.raises(KeyboardInterrupt):
        seal_keys.make_split(tmp_path, 1)
    monkeypatch.undo()
    assert not seal_keys.is_made(tmp_path, 1)
    seal_keys.make_split(tmp_path, 1)
    seal_keys.unlock(tmp_path, 1, shares_of(tmp_path)[:2])
    assert seal_keys.private(tmp_path, 1) is not None


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The machine stops before the `step`th secret reaches the disk."""
    calls: list[Path] = []
    write: Callable[[Path, bytes], None] = disk.put_once

    def stopping(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == step:
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(seal_keys, "put_once", stopping)


def shares_of(folder: Path, cycle_id: int = 1) -> list[Share]:
    found = [seal_keys.take_share(folder, cycle_id, number) for number in (1, 2, 3)]
    return [share for share in found if share is not None]


@pytest.mark.parametrize("pick", [(0, 1), (0, 2), (1, 2), (2, 0)])
def test_any_two_shares_open_the_key_and_it_fits_the_public_half(tmp_path: Path, pick: tuple[int, int]) -> None:
    seal_keys.make_split(tmp_path, 1)
    assert seal_keys.is_locked(tmp_path, 1)
    assert seal_keys.private(tmp_path, 1) is None
    shares = shares_of(tmp_path)
    seal_keys.unlock(tmp_path, 1, [shares[n] for n in pick])
    public, private = both(tmp_path, 1)
    version, body = sealing.seal(Ballot(1, {}), cycle_id=1, token_hash=HASH, public_key=public, size=SIZE)
    assert sealing.unseal(version, body, cycle_id=1, token_hash=HASH, private_key=private).ballot == Ballot(1, {})
    assert not seal_keys.is_locked(tmp_path, 1)


def test_one_share_or_the_same_twice_opens_nothing(tmp_path: Path) -> None:
    seal_keys.make_split(tmp_path, 1)
    first, second, _ = shares_of(tmp_path)
    guessed = Share(2, bytes(16))
    for shares, said in [
        ([first], "two_shares_needed"),
        ([first, first], "two_shares_needed"),
        ([first, guessed], "shares_do_not_fit"),
        ([Share(3, second.value), first], "shares_do_not_fit"),
    ]:
        with pytest.raises(Invalid, match=said):
            seal_keys.unlock(tmp_path, 1, shares)
        assert seal_keys.private(tmp_path, 1) is None


def test_shares_of_another_cycle_open_nothing(tmp_path: Path) -> None:
    seal_keys.make_split(tmp_path, 1)
    seal_keys.make_split(tmp_path, 2)
    with pytest.raises(Invalid, match="shares_do_not_fit"):
        seal_keys.unlock(tmp_path, 1, shares_of(tmp_path, 2)[:2])


def test_papers_open_nothing_once_the_key_directory_has_lost_the_wrapped_key(tmp_path: Path) -> None:
    seal_keys.make_split(tmp_path, 1)
    shares = shares_of(tmp_path)
    seal_keys.destroy(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Invalid, match="nothing_to_open"):
        seal_keys.unlock(tmp_path, 1, shares)


def test_a_taken_share_is_gone_from_here(tmp_path: Path) -> None:
    seal_keys.make_split(tmp_path, 1)
    value = seal_keys.take_share(tmp_path, 1, 2)
    assert value is not None
    seal_keys.erase_share(tmp_path, 1, 2)
    assert seal_keys.take_share(tmp_path, 1, 2) is None
    assert seal_keys.untaken(tmp_path, 1) == {1, 3}
    assert all(value.value not in file.read_bytes() for file in tmp_path.iterdir())


def test_the_private_half_lies_nowhere_while_trustees_keep_it(tmp_path: Path) -> None:
    seal_keys.make_split(tmp_path, 1)
    shares = shares_of(tmp_path)
    for number in (1, 2, 3):
        seal_keys.erase_share(tmp_path, 1, number)
    there = {file: file.read_bytes() for file in tmp_path.iterdir()}
    seal_keys.unlock(tmp_path, 1, shares[1:])
    scalar = (tmp_path / "seal-1.key").read_bytes()
    assert all(scalar not in content for content in there.values())
    assert all(one.value != other.value for one, other in pairwise(shares))


def test_a_destroyed_urn_is_remembered_by_its_own_mark(tmp_path: Path) -> None:
    keys.remember(tmp_path, 1, "abc")
    assert keys.is_spent(tmp_path, 1, "abc")
    assert not keys.is_spent(tmp_path, 1, "other")
    assert json.dumps([file.read_text() for file in tmp_path.iterdir()]) == '[""]'
