"""Addresses of static files for templates: ours with a hash of their content, foreign ones with their integrity."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flask import Flask, url_for
from markupsafe import Markup

MANIFEST = Path("vendor/manifest.json")
SCRIPT = Markup('<script defer src="{address}" integrity="{sha384}"></script>')
STYLES = Markup('<link rel="stylesheet" href="{address}" integrity="{sha384}">')


def version_of(file: Path) -> str:
    """A short hash of a file's content: the address changes exactly when the content does."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def manifest(static: Path) -> dict[str, dict[str, str]]:
    """The vendored files by key, as the vendoring script wrote them down."""
    entries: list[dict[str, str]] = json.loads((static / MANIFEST).read_text(encoding="utf-8"))
    return {entry["key"]: entry for entry in entries}


def tag(address: str, sha384: str) -> Markup:
    """The element that loads a vendored file; the browser refuses it when its content is not the expected one."""
    element = SCRIPT if ".js?" in address else STYLES
    return element.format(address=address, sha384=sha384)


def address_maker(static: Path) -> Callable[[str], str]:
    """A function from a file name under static/ to its hash, each file read once in the life of the process."""

    @cache
    def version(name: str) -> str:
        return version_of(static / name)

    return version


def init_assets(app: Flask) -> None:
    """Register `asset(name)` (an address) and `vendor_tag(key)` (a whole element) for templates.

    A name that is not there fails while the page is built, not in the reader's browser.
    """
    static = Path(str(app.static_folder))
    version = address_maker(static)
    vendored = manifest(static)

    def asset(name: str) -> str:
        return url_for("static", filename=name, v=version(name))

    def vendor_tag(key: str) -> Markup:
        entry = vendored[key]
        return tag(asset(entry["file"]), entry["sha384"])

    app.jinja_env.globals.update(asset=asset, vendor_tag=vendor_tag)
