"""Runs the play with and without a leak, and has the one adversary look at what is left of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adversary.adversary import Adversary
from tests.adversary.installation import EACH, PEOPLE, SEED, laid_out, opened
from tests.adversary.life import Life
from tests.adversary.told import Lived
from tests.adversary.verdict import Verdict, judge

Leak = Callable[[pytest.MonkeyPatch], None]


class Stage:
    """The installation before its first ballot, laid out once, and the same on the evening before the close."""

    def __init__(
        self, folder: Path, *, people: int = PEOPLE, each: int = EACH, life: type[Life] = Life, maximum: bool = False
    ) -> None:
        self.folder, self._life = folder, life
        self._base = laid_out(folder / "base", people=people, each=each, maximum=maximum)
        self._evening: tuple[Life, Path] | None = None
        self._runs = 0

    def clean(self) -> Lived:
        """The product as it is, lived through once for all that look at it."""
        life, copy = self._collected()
        return self._end(life, copy, lambda _patch: None)

    def while_collecting(self, leak: Leak) -> Lived:
        """A whole life with a leak in it."""
        with pytest.MonkeyPatch.context() as patch:
            leak(patch)
            with opened(self._base, self._fresh()) as home:
                return self._life(home, self._fresh()).live()

    def at_the_count(self, leak: Leak) -> Lived:
        """A leak that comes into play after the close: the days before are those of the clean product."""
        life, copy = self._collected()
        return self._end(life, copy, leak)

    def _collected(self) -> tuple[Life, Path]:
        if self._evening is None:
            with opened(self._base, self._fresh()) as home:
                life = self._life(home, self._fresh())
                life.collect()
                home.let_go()
                kept = self._fresh()
                shutil.copytree(home.folder, kept)
            self._evening = (life, kept)
        return self._evening

    def _end(self, before: Life, copy: Path, leak: Leak) -> Lived:
        with pytest.MonkeyPatch.context() as patch:
            leak(patch)
            with opened(copy, self._fresh()) as home:
                home.clock.offset = before.home.clock.offset
                life = self._life(home, self._fresh())
                life.resume(before)
                return life.end()

    def _fresh(self) -> Path:
        self._runs += 1
        return self.folder / f"run-{self._runs}"


def lived_through(folder: Path, *, people: int = PEOPLE, each: int = EACH, seed: int = SEED, **environ: str) -> Lived:
    """A whole clean life in an installation of its own."""
    laid_out(folder / "base", people=people, each=each, seed=seed, **environ)
    with opened(folder / "base", folder / "home", **environ) as home:
        return Life(home, folder / "copies", seed=seed).live()


def found_in(lived: Lived) -> set[str]:
    """The codes of what the adversary finds."""
    return {finding.code for finding in attacked(lived).findings}


def attacked(lived: Lived) -> Verdict:
    """The adversary is told nothing but where the copies are; in a second pass it holds the private key as well."""
    return judge(Adversary(lived.snapshots, lived.truth.seal_key).investigate(), lived.truth)
