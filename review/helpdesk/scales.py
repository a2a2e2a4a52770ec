"""Reads what customers answered: stars, ten points, percent, good and bad, and words; one scale holds for a column.

Points are 0 to 100: a star counts 20, a point of ten 10; of three words the ends count 100 and 0. From 80 points (four
stars) an answer is good, from 60 (three) neutral. Whoever did not answer was offered.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from review.domain.records import Csat
from review.domain.rounding import half_up
from review.helpdesk.value_synonyms import CSAT, FIVE_ENDED, POINT_MARKS, SCALE_IN_HEADING, STARS, TWO_ENDED
from review.infra.sheets import plain

GOOD_FROM, NEUTRAL_FROM = 80, 60
_NUMBER = r"-?\d{1,6}(?:\.\d{1,9})?"
_NUMBERED = re.compile(rf"({_NUMBER})\s*{POINT_MARKS}?")
_OF = re.compile(rf"({_NUMBER})\s*{POINT_MARKS}?\s*(?:/|out of|of)\s*(\d{{1,3}})\s*{POINT_MARKS}?")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_WORD_AND_NUMBER = re.compile(rf"[\s\d.,:;()\[\]<>/_|-]+|{POINT_MARKS}(?=[\d)]|$)")
_STARS = re.compile(r"[★☆⭐]{1,10}")
_HEADINGS = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in SCALE_IN_HEADING)


class Scale(StrEnum):
    """What the numbers of a column count up to."""

    FIVE = "five"
    TEN = "ten"
    HUNDRED = "hundred"


POINTS_EACH = {Scale.FIVE: Fraction(20), Scale.TEN: Fraction(10), Scale.HUNDRED: Fraction(1)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the question, and the points where it was answered."""

    csat: Csat
    points: int | None


def scale_in(heading: str) -> Scale | None:
    """The scale that a heading names, `满意度(5分制)`."""
    told = unicodedata.normalize("NFKC", heading)
    return next((Scale(name) for pattern, name in _HEADINGS if pattern.search(told)), None)


@dataclass(slots=True)
class Seen:
    """What a column of answers was seen to hold."""

    numbers: int = 0
    largest: Fraction = Fraction(0)
    five_ended: bool = False  # a word such as 非常满意: 满意 is then one step below the end
    words: Counter[str] = field(default_factory=Counter)

    def take(self, text: str) -> None:
        number = number_of(text)
        if number is not None:
            self.numbers += 1
            self.largest = max(self.largest, number)
        else:
            self.five_ended = self.five_ended or plain(_WORD_AND_NUMBER.sub("", text)) in FIVE_ENDED

    def scale(self, heading: str) -> tuple[Scale, bool]:
        """The scale, and whether it is a guess: nothing over five, and the heading names no scale."""
        told = scale_in(heading)
        if self.largest > 10:
            return Scale.HUNDRED, False
        if self.largest > 5:
            return (told if told is Scale.HUNDRED else Scale.TEN), False
        return told or Scale.FIVE, told is None and self.numbers > 0


def number_of(text: str) -> Fraction | None:
    """The number in `4`, `4.5`, `5星`, `8分`, ★★★; None for words and for what names its own scale."""
    told = unicodedata.normalize("NFKC", text).strip()
    if _STARS.fullmatch(told):
        return Fraction(told.count(STARS) + told.count("⭐"))
    found = _NUMBERED.fullmatch(told)
    return Fraction(found[1]) if found else None


def answer(text: str, scale: Scale, *, five_ended: bool = False) -> Answer:
    """What one cell says on its column's scale. Raises ValueError for what is no answer."""
    word = CSAT.get(plain(text))
    if word is None and not text.strip().replace(".", "").lstrip("-").isdigit():
        word = CSAT.get(plain(_WORD_AND_NUMBER.sub("", text)))
    if isinstance(word, tuple):
        return _worded(plain(_WORD_AND_NUMBER.sub("", text)), *word, five_ended=five_ended)
    told = unicodedata.normalize("NFKC", text).strip().casefold()
    if found := _PERCENT.fullmatch(told):
        return _rated(Fraction(found[1]))
    if found := _OF.fullmatch(told):
        return _rated(Fraction(found[1]) * 100 / int(found[2] or 0)) if int(found[2]) else _refuse(text)
    number = number_of(text)
    if number is None:
        return _refuse(text)
    if number in {-1, -2} or (number == 0 and scale is Scale.FIVE):
        return Answer(Csat.OFFERED, None)
    return _rated(number * POINTS_EACH[scale])


def _worded(word: str, csat: Csat, points: int | None, *, five_ended: bool) -> Answer:
    if points is None or five_ended:
        return Answer(csat, points)
    if word in TWO_ENDED:
        return Answer(csat, 100 if csat is Csat.GOOD else 0)
    return Answer(csat, 50 if csat is Csat.NEUTRAL else points)


def _rated(points: Fraction) -> Answer:
    if not 0 <= points <= 100:
        raise ValueError("outside the scale")
    csat = Csat.GOOD if points >= GOOD_FROM else Csat.NEUTRAL if points >= NEUTRAL_FROM else Csat.BAD
    return Answer(csat, half_up(points.numerator, points.denominator, 0))


def _refuse(text: str) -> Answer:
    raise ValueError(text)
