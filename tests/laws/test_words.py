"""People's words stand in templates, in both languages, with the same placeholders."""

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from review.infra.i18n import CATALOGUES
from tests.laws.imports import ROOT, modules

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
OPTIONS = {
    "extensions": "jinja2.ext.i18n,jinja2.ext.do",
    "trimmed": "true",
    "newstyle_gettext": "true",
    "silent": "false",
}

# Data that is read in, not shown: headings of spreadsheets people upload, names of the demo's company.
MAY_HOLD_CHINESE = (
    "review/infra/sheets.py",
    "review/demo/",
    "synonyms.py",
    "review/people/headings.py",
    "review/customer_survey/headings.py",
)


def _docstrings(tree: ast.AST) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def test_no_chinese_words_are_typed_out_in_python() -> None:
    wrong = []
    for _name, path in modules():
        here = str(path.relative_to(ROOT))
        if any(part in here for part in MAY_HOLD_CHINESE):
            continue
        tree = ast.parse(path.read_text())
        skip = _docstrings(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in skip:
                continue
            if CHINESE.search(node.value.replace("环评 Review360", "")):
                wrong.append(f"{here}:{node.lineno} {node.value[:20]!r}")
    assert not wrong, "\n".join([*wrong, "Raise a code and put the words into templates/<room>/_words.html."])


def _messages() -> dict[str | tuple[str, ...], set[str]]:
    """Every message of every template, with the files it stands in."""
    found: dict[str | tuple[str, ...], set[str]] = {}
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in {".html", ".txt"}:
            continue
        with path.open("rb") as source:
            for _line, message, _comments, _context in extract("jinja2.ext:babel_extract", source, options=OPTIONS):
                key = message if isinstance(message, str) else tuple(m for m in message if m)
                found.setdefault(key, set()).add(str(path.relative_to(ROOT)))
    return found


def _catalogues() -> dict[str, tuple[str | tuple[str, ...], Path, bool]]:
    merged = {}
    for path in sorted(CATALOGUES.glob("*/zh/LC_MESSAGES/messages.po")):
        for message in read_po(BytesIO(path.read_bytes()), locale="zh"):
            if message.id:
                key = message.id if isinstance(message.id, str) else message.id[0]
                merged[key] = (message.string, path, message.fuzzy)
    return merged


def test_every_message_is_said_in_chinese() -> None:
    catalogue = _catalogues()
    missing = []
    for message, files in _messages().items():
        key = message if isinstance(message, str) else message[0]
        if not key.strip() or not re.search(r"[A-Za-z]{2}", PLACEHOLDER.sub("", key)):
            continue
        string, _path, fuzzy = catalogue.get(key, ("", None, False))
        said = string if isinstance(string, str) else "".join(string)
        if not said or fuzzy:
            missing.append(f"{sorted(files)[0]}: {key!r}")
    assert not missing, "\n".join(
        [*missing[:60], f"{len(missing)} messages have no Chinese: add them to the room's .po"]
    )


def test_no_catalogue_keeps_words_nobody_says() -> None:
    said = {message if isinstance(message, str) else message[0] for message in _messages()}
    stale = [f"{path.parents[2].name}: {key!r}" for key, (_s, path, _f) in _catalogues().items() if key not in said]
    assert not stale, "\n".join([*stale[:40], "Remove them from the catalogue."])


@pytest.mark.parametrize(
    "path", sorted(CATALOGUES.glob("*/zh/LC_MESSAGES/messages.po")), ids=lambda p: p.parents[2].name
)
def test_placeholders_survive_translation(path: Path) -> None:
    for message in read_po(BytesIO(path.read_bytes()), locale="zh"):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        asked = set().union(*(PLACEHOLDER.findall(text) for text in ids))
        for string in strings:
            given = set(PLACEHOLDER.findall(string))
            assert given <= asked, f"{message.id!r}: {given - asked} is nowhere in the original"
            if len(ids) == 1:
                assert given == asked, f"{message.id!r}: {asked - given} got lost"
