"""Reads who imports whom from the source of the package, without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "review"


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package with its file, as `review.people.service`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(path: Path, known: frozenset[str]) -> Iterator[tuple[str, int]]:
    """The modules of ours that a file imports, with the line; `from review.ballots import keys` names the inner one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in known else node.module), node.lineno


def graph() -> dict[str, set[tuple[str, int]]]:
    """For each module of ours the modules of ours it imports."""
    known = frozenset(name for name, _ in modules())
    return {name: {edge for edge in imports_of(path, known) if edge[0] in known} for name, path in modules()}
