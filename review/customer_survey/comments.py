"""What customers wrote, for HR: cut into words by a dictionary, counted as themes, with names and numbers masked.

The segmenter (rjieba) and the lists in synonyms.py are all there is to it: no model, no score of moods.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rjieba
from sqlalchemy import select

from review.customer_survey.synonyms import DEGREES, PARTICLES, STOPS, TELLING
from review.cycles.tables import ReviewRow
from review.domain.themes import Theme, themes
from review.helpdesk.tables import CustomerRow
from review.infra.db import db
from review.people.tables import PersonRow
from review.responses.customers import words_in

MOST_THEMES = 40
CHUNK = 5000
_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+(?:'[a-z]+)?|[^\s\u4e00-\u9fffa-z]+")
_REACHABLE = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<!\d)\+?\d(?:[\s()-]?\d){5,}(?!\d)"),  # telephone, order, card and identity numbers
    re.compile(r"(?i)\b(?:wechat|weixin|qq|vx)[\s::]*[a-z0-9_-]{5,}"),
)
MASK = "＊＊"
SHORTEST_NAME = 2
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = 0x4E00, 0x9FFF


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as HR reads it: words with names and numbers masked, and the overall stars."""

    words: str
    stars: int


@dataclass(frozen=True, slots=True)
class Told:
    """The themes of a cycle and the comments they point into."""

    comments: tuple[Comment, ...]
    themes: tuple[Theme, ...]

    def theme(self, key: str) -> Theme | None:
        return next((theme for theme in self.themes if theme.key == key), None)

    def of(self, theme: Theme) -> list[Comment]:
        return [self.comments[place] for place in theme.comments]

    def split(self, theme: Theme) -> tuple[int, int, int]:
        """How many of its comments come with 4-5 stars, 3, and 1-2."""
        stars = [comment.stars for comment in self.of(theme)]
        return sum(n >= 4 for n in stars), stars.count(3), sum(n <= 2 for n in stars)


def told_in(cycle_id: int) -> Told:
    """Everything customers wrote in a cycle, masked, and its themes. Three queries."""
    words = words_in(cycle_id)
    names = _names(cycle_id, {word.customer_key for _review, word in words})
    comments = tuple(Comment(mask(word.comment, names), word.overall) for _review, word in words)
    return Told(comments, tuple(themes([cut(one.words) for one in comments], STOPS)[:MOST_THEMES]))


def _names(cycle_id: int, keys: Iterable[str]) -> list[str]:
    """Names of those who wrote and of those who are reviewed, the longest first."""
    people = select(PersonRow.name).join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
    found = set(db.session.scalars(people.where(ReviewRow.cycle_id == cycle_id)))
    ids = sorted(int(key.partition(":")[2]) for key in keys)
    for start in range(0, len(ids), CHUNK):
        customers = select(CustomerRow.name).where(CustomerRow.id.in_(ids[start : start + CHUNK]))
        found.update(db.session.scalars(customers))
    return sorted((name for name in found if len(name) >= SHORTEST_NAME), key=lambda name: (-len(name), name))


def mask(text: str, names: Sequence[str]) -> str:
    """The text with addresses, long numbers and these names (the longest first) replaced."""
    for pattern in _REACHABLE:
        text = pattern.sub(MASK, text)
    if names:
        ours = "|".join(_name(name) for name in names)
        text = re.sub(ours, MASK, text, flags=re.IGNORECASE)
    return text


def _name(name: str) -> str:
    """Latin names stand as words of their own: Ed must not be found in "needed"."""
    return rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name)


def cut(text: str) -> list[list[str]]:
    """A comment as runs of words; punctuation and numbers end a run."""
    runs: list[list[str]] = [[]]
    for part in _RUN.findall(text.lower().replace("’", "'")):
        if FIRST_IDEOGRAPH <= ord(part[0]) <= LAST_IDEOGRAPH:
            _add(runs, map(_plain, rjieba.cut(part)))
        elif part[0].isalpha():
            runs[-1].append(part.removesuffix("'s"))
        else:
            runs.append([])
    return [run for run in runs if run]


def _add(runs: list[list[str]], words: Iterable[str]) -> None:
    """Particles are skipped; any other single character that tells nothing ends the run, so that no pair leaps it."""
    for word in words:
        if len(word) > 1 or word in TELLING:
            runs[-1].append(word)
        elif word not in PARTICLES:
            runs.append([])


def _plain(word: str) -> str:
    return word[1:] if len(word) == 2 and word[0] in DEGREES and word[1] in TELLING else word
