"""Slows guessing down: every try is noted before it is judged, and after some of them the next has to wait.

Two counters per account. One for the place the tries come from, whose waits double up to 15 minutes. One for all
places together, against guesses spread over many addresses; it never asks for more than 30 seconds, so that nobody
can keep somebody else out. A browser that once signed in to the account is counted alone and is not held up by it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from review.domain.refusals import Invalid
from review.infra.db import db
from review.infra.house import house
from review.people.tables import AttemptRow

WINDOW = timedelta(hours=1)
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counter:
    """Tries that count together: so many are free, then the wait doubles from `first` up to `longest` seconds."""

    about: str
    free: int
    first: int
    longest: int

    def wait(self, tries: int) -> timedelta:
        over = tries - self.free
        return timedelta(seconds=min(self.longest, self.first * 2 ** min(over, 20)) if over >= 0 else 0)


@dataclass(frozen=True, slots=True)
class Try:
    """One try at an account, already noted."""

    counters: tuple[Counter, ...]


def begin(account: str, source: str, now: datetime, *, known_browser: bool = False) -> Try:
    """Note a try and let it go on, or raise Invalid `people:wait` with the seconds left.

    Commits: of a thousand tries at the same instant only the free ones may ever be judged, and judging a password
    takes too long to hold SQLite's one write lock meanwhile.
    """
    counters = _counters(account, source, known_browser)
    seconds = _seconds_left(counters, now)
    if seconds:
        db.session.rollback()
        raise Invalid("people:wait", seconds=seconds, minutes=-(-seconds // 60))
    db.session.add_all(AttemptRow(about=counter.about, at=now) for counter in counters)
    db.session.commit()
    return Try(counters)


def succeeded(tried: Try, now: datetime) -> None:
    """Forget the tries from this place, and this one try among those from everywhere."""
    here, *everywhere = tried.counters
    db.session.execute(delete(AttemptRow).where((AttemptRow.about == here.about) | (AttemptRow.at < now - KEPT)))
    for counter in everywhere:
        newest = select(func.max(AttemptRow.id)).where(AttemptRow.about == counter.about).scalar_subquery()
        db.session.execute(delete(AttemptRow).where(AttemptRow.id == newest))


def _counters(account: str, source: str, known_browser: bool) -> tuple[Counter, ...]:
    if known_browser:
        return (Counter(_about(account, "known browser"), 5, 15, 900),)
    return Counter(_about(account, source), 5, 15, 900), Counter(_about(account, "everywhere"), 20, 1, 30)


def _about(account: str, source: str) -> str:
    # Keyed, because people type their password into the wrong box and a plain digest of it could be guessed.
    return house().links.token("people:attempt", account, source)


def _seconds_left(counters: tuple[Counter, ...], now: datetime) -> int:
    abouts = [counter.about for counter in counters]
    query = select(AttemptRow.about, func.count(), func.max(AttemptRow.at, type_=AttemptRow.at.type))
    found = {
        about: (tries, last)
        for about, tries, last in db.session.execute(
            query.where(AttemptRow.about.in_(abouts), AttemptRow.at > now - WINDOW).group_by(AttemptRow.about)
        )
    }
    left = [
        (found[counter.about][1] + counter.wait(found[counter.about][0]) - now).total_seconds()
        for counter in counters
        if counter.about in found and counter.wait(found[counter.about][0])
    ]
    return max(0, *(-int(-seconds // 1) for seconds in left)) if left else 0
