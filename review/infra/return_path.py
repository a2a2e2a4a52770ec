"""Where a letter comes back to: an address of its own for each letter, which nobody can make up.

`bounce+<letter>-<seal>@…`: the seal is derived from the links key, so that a forged report of a bounce stops no mail.
Small letters and digits only: some servers write addresses in small letters.
"""

import base64
import hmac
import re

from review.infra.house import house
from review.infra.outbox import LetterRow

PURPOSE = "bounce"
SEAL = 26  # letters of base 32, five bits each: 130 bits
SHAPE = re.compile(rf"\+(\d{{1,10}})-([a-z2-7]{{{SEAL}}})@", re.IGNORECASE)


def _seal(letter_id: int, to: str) -> str:
    token = house().links.token(PURPOSE, letter_id, to)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return base64.b32encode(raw).decode().lower()[:SEAL]


def address_for(row: LetterRow) -> str | None:
    """The envelope sender of a letter; None where no bounce address is set up."""
    configured = house().settings.bounce_address
    if configured is None:
        return None
    local, _, domain = configured.rpartition("@")
    return f"{local}+{row.id}-{_seal(row.id, row.to)}@{domain}"


def letters_in(text: str) -> list[tuple[int, str]]:
    """Every address of that shape in a text, as (letter, seal); whether a seal is genuine shows `is_genuine`."""
    return [(int(number), seal.lower()) for number, seal in SHAPE.findall(text) if int(number) < 2**31]


def is_genuine(row: LetterRow, seal: str) -> bool:
    return hmac.compare_digest(_seal(row.id, row.to), seal)
