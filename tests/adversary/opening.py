"""Opens rows with a stolen private key, by the published description of the seal alone (RFC 9180, no product code)."""

import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


class Opener:
    """The private half of one cycle's seal."""

    def __init__(self, scalar: bytes, cycle_id: int) -> None:
        self._key = derive_private_key(int.from_bytes(scalar, "big"), SECP256R1())
        self._cycle_id = cycle_id

    def read(self, token: bytes, version: int, sealed: bytes) -> dict[str, Any] | None:
        """What a row says; None where it does not open."""
        info = f"review360 ballot|{self._cycle_id}|{version}|".encode() + token
        try:
            return dict(json.loads(SUITE.decrypt(sealed, self._key, info=info)))
        except (InvalidTag, ValueError):
            return None
