"""What the browser sends when it draws, as values. Only shapes are looked at here."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Any
from uuid import UUID

from review.domain.refusals import Invalid


def as_text(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def as_bytes(text: Any) -> bytes:
    """What `as_text` has written, and nothing that merely resembles it. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("not text")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if as_text(raw) != text:
        raise ValueError("not base64url")
    return raw


def read_draw(sent: Any) -> tuple[bytes, dict[UUID, bytes]]:
    """The wrapped seed, and what was blinded for each seat. Raises Invalid."""
    try:
        blinded = {UUID(seat): as_bytes(value) for seat, value in sent["blinded"].items()}
        return as_bytes(sent["wrapped"]), blinded
    except (AttributeError, KeyError, NotBase64, TypeError, ValueError):
        raise Invalid("tickets:not_a_draw") from None
