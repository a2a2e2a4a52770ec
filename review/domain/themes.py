"""Themes of comments: words and pairs of neighbouring words, each counted once a comment. Nothing is guessed."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

FEWEST = 2  # comments that make a theme
SWALLOWED = 80  # percent: a word that nearly always stands in one pair is told by the pair alone


@dataclass(frozen=True, slots=True)
class Theme:
    """A word, or two words that follow each other, and the places of the comments in which it occurs."""

    words: tuple[str, ...]
    comments: tuple[int, ...]

    @property
    def key(self) -> str:
        return " ".join(self.words)

    @property
    def text(self) -> str:
        """As people write it: Chinese words without a space between them."""
        return ("" if all(not word.isascii() for word in self.words) else " ").join(self.words)

    @property
    def count(self) -> int:
        return len(self.comments)


def themes(comments: Sequence[Sequence[Sequence[str]]], stops: Collection[str]) -> list[Theme]:
    """The themes of comments that were cut into runs of words, most frequent first; runs end at punctuation.

    Stop words make no theme and stand in no pair. Words in fewer than two comments are left out.
    """
    places: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for place, runs in enumerate(comments):
        for run in runs:
            for at, word in enumerate(run):
                if word in stops:
                    continue
                places[(word,)].add(place)
                if at + 1 < len(run) and run[at + 1] not in stops and run[at + 1] != word:
                    places[word, run[at + 1]].add(place)
    kept = {words: found for words, found in places.items() if len(found) >= FEWEST}
    pairs = {words: found for words, found in kept.items() if len(words) > 1}
    swallowed = {
        (word,)
        for words, found in pairs.items()
        for word in words
        if (word,) in kept and 100 * len(found) >= SWALLOWED * len(kept[(word,)])
    }
    made = [Theme(words, tuple(sorted(found))) for words, found in kept.items() if words not in swallowed]
    return sorted(made, key=lambda theme: (-theme.count, -len(theme.words), theme.words))
