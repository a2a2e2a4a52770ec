"""Blind signatures, RFC 9474 (RSABSSA-SHA384): a signature on a ticket that the signer never sees.

The cycle uses the variant PSS-Randomized: a salt of 48 bytes and 32 random bytes before the message. The other three
variants differ by an empty salt or an empty prefix only. Every refusal is a ValueError.
"""

import hashlib
import secrets
from math import gcd

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

PREFIX = 32
SALT = 48
HASH = 48


def prepare(message: bytes, prefix: bytes | None = None) -> bytes:
    """The message as it is signed: random bytes before it, so that a dishonest key learns nothing by guessing."""
    return (secrets.token_bytes(PREFIX) if prefix is None else prefix) + message


def blind(
    key: RSAPublicKey, prepared: bytes, *, salt: bytes | None = None, factor: int | None = None
) -> tuple[bytes, bytes]:
    """The blinded message and the inverse of its blinding factor, both as long as the key's modulus."""
    numbers = key.public_numbers()
    n, length = numbers.n, _length(key)
    encoded = int.from_bytes(_encode(prepared, key.key_size - 1, secrets.token_bytes(SALT) if salt is None else salt))
    factor = _invertible(n) if factor is None else factor
    if gcd(encoded, n) != 1 or not 0 < factor < n or gcd(factor, n) != 1:
        raise ValueError("this cannot be blinded")
    blinded = encoded * pow(factor, numbers.e, n) % n
    return blinded.to_bytes(length), pow(factor, -1, n).to_bytes(length)


def blind_sign(key: RSAPrivateKey, blinded: bytes) -> bytes:
    """A signature on whatever was blinded.

    The private operation works on a number that nobody outside knows (a fresh factor each time), so that its duration
    tells nothing; what it yields is checked before it leaves, since one faulty half would give the key away.
    """
    numbers = key.private_numbers()
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    number = _number(blinded, n, (key.key_size + 7) // 8)
    cover = _invertible(n)
    covered = number * pow(cover, e, n) % n
    upper = pow(covered % numbers.p, numbers.dmp1, numbers.p)
    lower = pow(covered % numbers.q, numbers.dmq1, numbers.q)
    signed = lower + numbers.q * ((upper - lower) * numbers.iqmp % numbers.p)
    signature = signed * pow(cover, -1, n) % n
    if pow(signature, e, n) != number:
        raise ValueError("the signature failed its check")
    return signature.to_bytes(len(blinded))


def finalize(
    key: RSAPublicKey, prepared: bytes, blind_signature: bytes, inverse: bytes, *, salt_length: int = SALT
) -> bytes:
    """The signature on the prepared message, the blinding taken off; refused unless it verifies."""
    n, length = key.public_numbers().n, _length(key)
    signature = (_number(blind_signature, n, length) * _number(inverse, n, length) % n).to_bytes(length)
    if not verify(key, prepared, signature, salt_length=salt_length):
        raise ValueError("not a signature of this key")
    return signature


def verify(key: RSAPublicKey, prepared: bytes, signature: bytes, *, salt_length: int = SALT) -> bool:
    """Whether this is an ordinary RSASSA-PSS signature (SHA-384) of the key on the prepared message."""
    if len(signature) != _length(key):
        return False
    try:
        key.verify(signature, prepared, PSS(MGF1(hashes.SHA384()), salt_length), hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def _length(key: RSAPublicKey) -> int:
    return (key.key_size + 7) // 8


def _number(raw: bytes, n: int, length: int) -> int:
    number = int.from_bytes(raw)
    if len(raw) != length or number >= n:
        raise ValueError("not a number below the modulus, in its length")
    return number


def _invertible(n: int) -> int:
    """A random unit of the ring: what is not one would be a factor of the modulus."""
    while True:
        number = 1 + secrets.randbelow(n - 1)
        if gcd(number, n) == 1:
            return number


def _encode(prepared: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE of RFC 8017 with SHA-384 and MGF1."""
    length = (bits + 7) // 8
    if length < HASH + len(salt) + 2:
        raise ValueError("the key is too short for this encoding")
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(prepared).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(length - HASH - 1, b"\0")
    masked = bytearray(a ^ b for a, b in zip(block, _mask(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"


def _mask(seed: bytes, length: int) -> bytes:
    blocks = (hashlib.sha384(seed + n.to_bytes(4)).digest() for n in range(-(-length // HASH)))
    return b"".join(blocks)[:length]
