"""Published figures that an implementation must reproduce, and the keys they belong to."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    generate_private_key,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

Vector = dict[str, str]


@cache
def rfc9474() -> tuple[RSAPrivateKey, list[Vector]]:
    """RFC 9474, appendix A: the one key and the four variants."""
    read: dict[str, Any] = json.loads((Path(__file__).parent / "rfc9474.json").read_text(encoding="utf-8"))
    p, q, n, e, d = (int(read["key"][name], 16) for name in "pqned")
    crt = rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q)
    return RSAPrivateNumbers(p, q, d, *crt, RSAPublicNumbers(e, n)).private_key(), read["vectors"]


@cache
def rsa_keys() -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """Two keys of the product's size, made once: they take a while."""
    return generate_private_key(65537, 2048), generate_private_key(65537, 2048)
