"""The tools that read the code have nothing to say: linter, formatter, types, templates."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.imports import ROOT

TOOLS = {
    "ruff check": ["-m", "ruff", "check", "--no-cache", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "--no-cache", "."],
    "djlint": ["-m", "djlint", "templates", "--lint", "--quiet"],
}


def run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_code_is_clean(tool: str) -> None:
    run(TOOLS[tool])


def test_the_types_hold(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With a cache in the checkout, where there is one: the second run takes a second."""
    cache = ROOT / ".mypy_cache"
    folder = cache if cache.is_dir() else tmp_path_factory.mktemp("mypy")
    run(["-m", "mypy", "--cache-dir", str(folder)])


def test_nothing_that_was_only_tried_out_stays_behind() -> None:
    """Words of a builder's desk: they promise something that nobody has done."""
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "breakpoint" + "()", "print" + '("here')
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for folder, kinds in (("review", ("*.py",)), ("templates", ("*.html", "*.txt")), ("static/js", ("*.js",)))
        for kind in kinds
        for path in Path(ROOT / folder).rglob(kind)
        for word in words
        if word in path.read_text()
    ]
    assert not found, "\n".join(found)
