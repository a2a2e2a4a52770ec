"""Peers' free words: spelled alike whoever wrote them, shown only among many, in an order that means nothing.

The wording itself cannot be made anonymous; the ballot says so. What typing habits add is taken away here.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from review.domain.refusals import Invalid
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Source

LONGEST = 280  # characters, after `normalised`
SUGGESTED_FROM = 10  # ballots from which a scheme that turns comments on shows them, unless it says otherwise

_HAN = r"\u2e80-\u303f\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5e"
_QUOTES = dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f\u301d\u301e\u301f"), '"'
)
_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4`\u02bc"), "'")
_SIGNS = {
    **_QUOTES,
    **_APOSTROPHES,
    ord("\u2033"): '"',
    ord("\u2212"): "-",
    ord("\u2500"): "-",
    ord("\u30fb"): "\u00b7",
}
_WIDE = str.maketrans(",;:!?", "\uff0c\uff1b\uff1a\uff01\uff1f")
# Drawn as nothing although they count as letters or marks: fillers, joiners, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_UNPRINTED = {"Cc", "Cf", "Cs", "Co", "Cn"}  # control, format (zero-width, bidi), surrogates, private, unassigned
_AFTER_HAN = re.compile(f"(?<=[{_HAN}]) ?[,;:!?]+")
_BESIDE_HAN = re.compile(f"(?<=[{_HAN}]) (?=[{_HAN}])|(?<=[\uff0c\uff1b\uff1a\uff01\uff1f]) ")


def normalised(text: str) -> str:
    """One spelling for what looks or reads the same: NFKC, one kind of quote, dash and space, nothing invisible.

    Punctuation after Chinese characters is full-width. Line breaks are spaces: how lines are laid out is a habit too.
    Doing it twice changes nothing more.
    """
    while (once := _once(text)) != text:
        text = once
    return text


def _once(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    plain = "".join(map(_printed, _UNSEEN.sub("", plain)))
    plain = re.sub(r"-{2,}", "-", re.sub(r"\s+", " ", plain)).strip()
    plain = unicodedata.normalize("NFC", plain)
    return _BESIDE_HAN.sub("", _AFTER_HAN.sub(lambda found: found[0].strip().translate(_WIDE), plain))


def _printed(sign: str) -> str:
    """A space for every white space, a hyphen for every dash, nothing for what is not printed."""
    if sign.isspace():
        return " "
    kind = unicodedata.category(sign)
    return "" if kind in _UNPRINTED else "-" if kind == "Pd" else sign


def read_comment(scheme: Scheme, text: str) -> str:
    """What a rater typed, as it is kept; "" where the scheme asks for no words. Raises Invalid where it is too long."""
    if scheme.comments.peers_from is None:
        return ""
    plain = normalised(text)
    if len(plain) > LONGEST:
        raise Invalid("form:too_long", "comment", max=LONGEST)
    return plain


def least_ballots(scheme: Scheme) -> int | None:
    """From how many ballots about a person the words are shown; None: never."""
    chosen = scheme.comments.peers_from
    return None if chosen is None else max(chosen, scheme.minimums[Source.PEERS])


def comments_of(scheme: Scheme, review_id: int, words: Iterable[str], ballots: int, panel_size: int) -> tuple[str, ...]:
    """What peers wrote about one review as it may be shown, from `ballots` ballots; nothing where those are too few.

    The order is that of a hash: it says neither who came first nor which words are kind. `words` come from opened
    ballots, which a browser may have sealed, so they are normalised and cut here once more.
    """
    least = least_ballots(scheme)
    if least is None or ballots < least or panel_size < least:
        return ()
    shown = [plain for plain in (normalised(normalised(text)[:LONGEST]) for text in words) if plain]
    return tuple(sorted(shown, key=lambda text: _place(review_id, text)))


def _place(review_id: int, text: str) -> bytes:
    return hashlib.sha256(f"{review_id}|{text}".encode()).digest()
