"""What a share looks like on its trustee's paper, as twelve words or as a QR code, and how it is read back.

The words are BIP-39 in English or simplified Chinese; four of their 132 bits are a checksum. Every word stands for
the same number in both lists, so that a paper can be read in either language, or half in each.
"""

import hashlib
import re
import unicodedata
from functools import cache

import segno
from mnemonic import Mnemonic

from review.ballots.seal_keys import TRUSTEES, Share
from review.domain.refusals import Invalid, Problem

LISTS = {"en": "english", "zh": "chinese_simplified"}
WORDS = 12
NUMBERS = tuple(range(1, TRUSTEES + 1))
WORD = re.compile(r"[a-z]+|[^\W\d_]")  # a Chinese word is one character, with or without space around it
CODE = re.compile(r"REVIEW360-(\d{1,9})-([1-3])-([0-9A-F]{32})-([0-9A-F]{4})")


@cache
def _list(locale: str) -> Mnemonic:
    return Mnemonic(LISTS.get(locale, LISTS["zh"]))


@cache
def _numbers() -> dict[str, int]:
    """What each word of both lists stands for."""
    return {word: number for locale in LISTS for number, word in enumerate(_list(locale).wordlist)}


def words_of(share: Share, locale: str) -> list[str]:
    """The share as twelve words in the reader's language."""
    return str(_list(locale).to_mnemonic(share.value)).split()


def code_of(cycle_id: int, share: Share) -> str:
    """The share as one line of text that names its cycle and number: what the QR code says."""
    plain = f"REVIEW360-{cycle_id}-{share.number}-{share.value.hex().upper()}"
    return f"{plain}-{_check(plain)}"


def picture_of(text: str) -> str:
    """A QR code of `text`, as the address of an image that needs no file."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=4))


def read(typed: str, number: int | None, cycle_id: int) -> Share:
    """A share as somebody typed or scanned it; words need the share's number beside them.

    Raises Invalid with each word that is in neither list, or with what else does not fit.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if text.upper().startswith("REVIEW360"):
        return _from_code(text, number, cycle_id)
    words = WORD.findall(text.lower())
    strange = [
        Problem("custody:strange_word", None, {"place": place, "word": word})
        for place, word in enumerate(words, 1)
        if word not in _numbers()
    ]
    if strange:
        raise Invalid.of(strange[:WORDS])
    if len(words) != WORDS:
        raise Invalid("custody:not_twelve", count=len(words))
    english = _list("en")
    try:
        value = bytes(english.to_entropy([english.wordlist[_numbers()[word]] for word in words]))
    except ValueError:
        raise Invalid("custody:words_do_not_match") from None
    if number is None:
        raise Invalid("custody:number_missing")
    return Share(number, value)


def _from_code(text: str, number: int | None, cycle_id: int) -> Share:
    found = CODE.fullmatch("".join(text.upper().split()))
    if found is None:
        raise Invalid("custody:code_broken")
    cycle, its_number, value, check = found.groups()
    if check != _check(f"REVIEW360-{cycle}-{its_number}-{value}"):
        raise Invalid("custody:code_broken")
    if int(cycle) != cycle_id:
        raise Invalid("custody:other_cycle")
    if number not in {None, int(its_number)}:
        raise Invalid("custody:other_number", number=its_number)
    return Share(int(its_number), bytes.fromhex(value))


def _check(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()[:4].upper()


def numbered(line: str) -> tuple[str, int | None]:
    """A share typed as one line, its number before the words: words and number apart."""
    text = unicodedata.normalize("NFKC", line).strip()
    found = re.match(r"[1-3](?!\d)", text)
    return (text[found.end() :], int(found.group())) if found else (text, None)
