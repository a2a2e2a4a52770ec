"""What a ballot looks like inside the urn: one size for all, whatever it says.

Version 0 is plain: canonical JSON, filled up with blanks. It hides nothing from whoever can read the urn.
"""

import json

from review.domain.canonical import canonical_json
from review.domain.responses import Ballot
from review.domain.vocabulary import Level

VERSION = 0
# Twelve criteria with the longest keys need some 750 bytes. A row must stay under 4,086 bytes: beyond that SQLite
# moves its tail to overflow pages, whose numbers tell the order of casting.
SIZE = 1024


def seal(ballot: Ballot) -> tuple[int, bytes]:
    """Version and body, `SIZE` bytes for every ballot."""
    said = {key: level.value for key, level in ballot.answers.items() if level is not None}
    body = canonical_json({"answers": said, "review": ballot.review_id}).ljust(SIZE)
    if len(body) != SIZE:
        raise ValueError("a ballot must fit the one size that all ballots have")
    return VERSION, body


def unseal(version: int, body: bytes) -> Ballot:
    """The ballot in a body. Raises ValueError for what `seal` has not made."""
    if version != VERSION or len(body) != SIZE:
        raise ValueError("not a ballot of this version")
    data = json.loads(body)
    try:
        return Ballot(int(data["review"]), {str(key): Level(value) for key, value in data["answers"].items()})
    except (AttributeError, KeyError, TypeError) as wrong:
        raise ValueError("not a ballot") from wrong
