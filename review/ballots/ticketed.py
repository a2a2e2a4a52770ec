"""Who may be counted under maximum protection: whoever held a ticket for the review that the ballot names.

The tickets also yield the receipts, and show when somebody with the signing keys has made tickets of their own.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from review.ballots import ticket, ticket_keys
from review.ballots.sealing import Opened
from review.domain.refusals import Taken


class Tickets:
    """Recognises the rows of one cycle's urn; `reviews` are those that are counted. Use it for one count only."""

    def __init__(self, folder: Path, cycle_id: int, reviews: Collection[int]) -> None:
        self._cycle_id = cycle_id
        self._counted = frozenset(reviews)
        self._folder = folder
        self._keys: dict[int, RSAPublicKey | None] = {}
        self._receipts: list[bytes] = []
        self._genuine: Counter[int] = Counter()

    def __call__(self, found: bytes, opened: Opened) -> bool:
        review, held, signature = opened.ballot.review_id, opened.ticket, opened.signature
        if held is None or signature is None or ticket.hash_of(held) != found:
            return False
        if not ticket.is_about(held, self._cycle_id, review):  # before a number of any length becomes a file's name
            return False
        key = self._key(review)
        if key is None or not ticket.is_genuine(key, self._cycle_id, review, held, signature):
            return False
        self._genuine[review] += 1
        if review in self._counted:
            self._receipts.append(ticket.receipt_of(held))
        return True

    def receipts(self, drawn: Mapping[int, int]) -> tuple[bytes, ...]:
        """The receipts of all counted ballots, in an order that says nothing.

        Raises Taken when a review got more ballots than tickets were `drawn` for it: some of them are forged, and
        nobody can tell which.
        """
        if any(count > drawn.get(review, 0) for review, count in self._genuine.items()):
            raise Taken("ballots:more_ballots_than_tickets")
        return tuple(sorted(self._receipts))

    def _key(self, review: int) -> RSAPublicKey | None:
        if review not in self._keys:
            self._keys[review] = ticket_keys.public_key(self._folder, self._cycle_id, review)
        return self._keys[review]
