"""What the commands that read one JSON file share: the bytes of the file, and a refusal told in one line."""

import sys
from pathlib import Path

from review.domain.reading import place
from review.domain.refusals import Invalid, Problem, Refusal
from review.infra.words import caller_locale, say
from review.schemes.plain_json import LARGEST_FILE

MOST_NAMED = 5  # problems told in the one line


def read_file(file: str) -> bytes:
    """The bytes of FILE, one more than is allowed at most, so that a huge file is refused and never read whole."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(file).open("rb") as source:
            return source.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Invalid("schemes:unreadable", None, reason=reason) from None


def one_line(refusal: Refusal, file: str) -> str:
    """Every problem as `place: words` in one line; the file's name stands in where a problem has no place in it."""
    locale = caller_locale()
    told = [_told(problem, file, locale) for problem in refusal.problems[:MOST_NAMED]]
    if len(refusal.problems) > MOST_NAMED:
        told.append(say(Problem("schemes:and_more", None, {"count": len(refusal.problems) - MOST_NAMED}), locale))
    return "; ".join(told)


def _told(problem: Problem, file: str, locale: str) -> str:
    return f"{problem.where or place('', file)}: {say(problem, locale)}"
