"""One-time links: derived from a key outside the database, so that nothing at rest opens anything.

A token is HMAC-SHA256(links key, purpose and parts): a crash between commit and SMTP sends the same link again, and a
stolen database holds only digests of 256-bit values.
"""

import base64
import hashlib
import hmac
from functools import cached_property
from pathlib import Path

from review.infra.settings import key_text

KEY_FILE = "links.key"


class Links:
    """Derives link tokens with the installation's links key."""

    def __init__(self, keys_dir: Path) -> None:
        self._key_file = keys_dir / KEY_FILE

    @cached_property
    def _key(self) -> bytes:  # read once: a launch derives a hundred thousand tokens in a row
        return bytes.fromhex(key_text(self._key_file))

    def token(self, purpose: str, *parts: object) -> str:
        """43 URL-safe characters, the same for the same purpose and parts."""
        message = "|".join([purpose, *map(str, parts)]).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, message, "sha256")).rstrip(b"=").decode()


def digest(token: str) -> str:
    """What the database keeps of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
