"""Blind signatures: the published vectors, what holds for every ticket, and what is refused."""

import secrets
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers
from hypothesis import given, settings
from hypothesis import strategies as some

from review.ballots import blind_rsa
from tests.vectors import Vector, rfc9474, rsa_keys

VECTORS = {vector["name"]: vector for vector in rfc9474()[1]}
PRIVATE, OTHER = rsa_keys()
PUBLIC = PRIVATE.public_key()
N = PUBLIC.public_numbers().n


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_each_variant_of_the_standard_gives_the_published_bytes(vector: Vector) -> None:
    key, _ = rfc9474()
    raw = {name: bytes.fromhex(text) for name, text in vector.items() if name != "name"}
    n = key.public_key().public_numbers().n
    factor = pow(int.from_bytes(raw["inv"]), -1, n)
    prepared = blind_rsa.prepare(raw["msg"], raw["msg_prefix"])
    blinded, inverse = blind_rsa.blind(key.public_key(), prepared, salt=raw["salt"], factor=factor)
    signed = blind_rsa.blind_sign(key, blinded)
    signature = blind_rsa.finalize(key.public_key(), prepared, signed, inverse, salt_length=len(raw["salt"]))
    assert prepared == raw["prepared_msg"]
    assert (blinded, inverse) == (raw["blinded_msg"], raw["inv"])
    assert (signed, signature) == (raw["blind_sig"], raw["sig"])


def test_all_four_variants_are_there() -> None:
    assert len(VECTORS) == 4


@settings(max_examples=25, deadline=None)
@given(message=some.binary(max_size=80))
def test_whoever_asks_for_a_ticket_gets_an_ordinary_signature_that_the_signer_never_saw(message: bytes) -> None:
    prepared = blind_rsa.prepare(message)
    blinded, inverse = blind_rsa.blind(PUBLIC, prepared)
    signed = blind_rsa.blind_sign(PRIVATE, blinded)
    signature = blind_rsa.finalize(PUBLIC, prepared, signed, inverse)
    assert blind_rsa.verify(PUBLIC, prepared, signature)
    assert not {signature, prepared} & {blinded, signed}
    assert blind_rsa.blind_sign(PRIVATE, blinded) == signed


@settings(max_examples=25, deadline=None)
@given(at=some.integers(0, 255), bit=some.integers(0, 7), message=some.binary(min_size=1, max_size=40))
def test_one_bit_changed_is_a_forgery(at: int, bit: int, message: bytes) -> None:
    prepared = blind_rsa.prepare(message)
    blinded, inverse = blind_rsa.blind(PUBLIC, prepared)
    signed = bytearray(blind_rsa.blind_sign(PRIVATE, blinded))
    signature = bytearray(blind_rsa.finalize(PUBLIC, prepared, bytes(signed), inverse))
    signed[at] ^= 1 << bit
    signature[at] ^= 1 << bit
    assert not blind_rsa.verify(PUBLIC, prepared, bytes(signature))
    with pytest.raises(ValueError, match="not a"):
        blind_rsa.finalize(PUBLIC, prepared, bytes(signed), inverse)


def test_the_same_message_is_blinded_differently_each_time() -> None:
    prepared = blind_rsa.prepare(b"the same")
    assert len({blind_rsa.blind(PUBLIC, prepared) for _ in range(5)}) == 5
    assert blind_rsa.prepare(b"the same") != prepared


def test_a_signature_of_another_key_or_on_another_ticket_does_not_verify() -> None:
    prepared = blind_rsa.prepare(b"for one colleague")
    blinded, inverse = blind_rsa.blind(PUBLIC, prepared)
    signature = blind_rsa.finalize(PUBLIC, prepared, blind_rsa.blind_sign(PRIVATE, blinded), inverse)
    assert not blind_rsa.verify(OTHER.public_key(), prepared, signature)
    assert not blind_rsa.verify(PUBLIC, prepared + b"!", signature)
    assert not blind_rsa.verify(PUBLIC, prepared, signature, salt_length=0)


@pytest.mark.parametrize("garbled", [b"", bytes(256 - 1), bytes(257), N.to_bytes(256), b"\xff" * 256])
def test_what_is_not_a_number_below_the_modulus_is_neither_signed_nor_unblinded(garbled: bytes) -> None:
    with pytest.raises(ValueError, match="below the modulus"):
        blind_rsa.blind_sign(PRIVATE, garbled)
    for pair in ((garbled, bytes(256)), (bytes(256), garbled)):
        with pytest.raises(ValueError, match="below the modulus"):
            blind_rsa.finalize(PUBLIC, b"ticket", *pair)


@pytest.mark.parametrize("signature", [b"", b"\x01" * 255, b"\x01" * 257, b"\xff" * 256, bytes(256)])
def test_no_garbled_signature_verifies(signature: bytes) -> None:
    assert not blind_rsa.verify(PUBLIC, b"ticket", signature)


@pytest.mark.parametrize("factor", [0, N, N + 1, PRIVATE.private_numbers().p], ids=["0", "n", "n + 1", "p"])
def test_a_factor_that_has_no_inverse_is_refused(factor: int) -> None:
    with pytest.raises(ValueError, match="cannot be blinded"):
        blind_rsa.blind(PUBLIC, b"ticket", factor=factor)


def test_a_salt_longer_than_the_key_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        blind_rsa.blind(PUBLIC, b"ticket", salt=bytes(207))


def test_a_faulty_half_of_the_private_operation_never_leaves() -> None:
    right = PRIVATE.private_numbers()
    faulty = RSAPrivateNumbers(right.p, right.q, right.d, right.dmp1 ^ 2, right.dmq1, right.iqmp, right.public_numbers)
    broken = SimpleNamespace(key_size=2048, private_numbers=lambda: faulty)
    with pytest.raises(ValueError, match="failed its check"):
        blind_rsa.blind_sign(broken, (5).to_bytes(256))


def test_the_private_operation_works_on_a_fresh_number_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    covers: list[int] = []
    drawn = secrets.randbelow

    def note(limit: int) -> int:
        covers.append(drawn(limit))
        return covers[-1]

    monkeypatch.setattr(secrets, "randbelow", note)
    assert blind_rsa.blind_sign(PRIVATE, (7).to_bytes(256)) == blind_rsa.blind_sign(PRIVATE, (7).to_bytes(256))
    assert len(covers) == len(set(covers)) == 2
