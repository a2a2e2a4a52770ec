"""What the browser loads: vendored files are what their manifest says, and addresses change with content."""

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from flask import Flask

from review.infra.assets import address_maker, init_assets, manifest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDORED = manifest(STATIC)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def bare() -> Flask:
    app = Flask("bare", root_path=str(ROOT), static_folder="static")
    init_assets(app)
    return app


@pytest.mark.parametrize("key", sorted(VENDORED))
def test_a_vendored_file_is_the_one_the_manifest_names(key: str) -> None:
    entry = VENDORED[key]
    digest = hashlib.sha384((STATIC / entry["file"]).read_bytes()).digest()
    assert "sha384-" + base64.b64encode(digest).decode() == entry["sha384"]


@pytest.mark.parametrize("key", sorted(VENDORED))
def test_a_vendored_file_keeps_its_licence_beside_it(key: str) -> None:
    assert VENDORED[key]["licence"] in {"MIT", "0BSD", "OFL-1.1"}
    assert len((STATIC / "vendor" / key / "LICENSE").read_text(encoding="utf-8")) > 300


def test_no_foreign_file_lies_outside_the_manifest() -> None:
    listed = {entry["file"] for entry in VENDORED.values()}
    there = {
        path.relative_to(STATIC).as_posix()
        for path in (STATIC / "vendor").rglob("*")
        if path.is_file() and path.name not in {"LICENSE", "manifest.json"}
    }
    assert there <= listed


def test_an_address_carries_the_hash_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = address_maker(tmp_path)("a.css")
    (tmp_path / "a.css").write_text("b{}")
    assert address_maker(tmp_path)("a.css") != before


def test_a_file_that_is_not_there_fails_on_the_page_not_in_the_browser(bare: Flask) -> None:
    with bare.test_request_context(), pytest.raises(FileNotFoundError):
        bare.jinja_env.globals["asset"]("gone.css")


def test_vendor_tags_carry_the_integrity_of_their_file(bare: Flask) -> None:
    with bare.test_request_context():
        style, script = (bare.jinja_env.globals["vendor_tag"](key) for key in ("tabler", "htmx"))
    assert style.startswith('<link rel="stylesheet" href="/static/vendor/tabler/tabler.min.css?v=')
    assert script.startswith('<script defer src="/static/vendor/htmx/htmx.min.js?v=')
    assert f'integrity="{VENDORED["tabler"]["sha384"]}"' in style
    assert f'integrity="{VENDORED["htmx"]["sha384"]}"' in script


def test_every_icon_that_a_template_or_the_code_names_is_in_the_sprite() -> None:
    symbols = {symbol.get("id") for symbol in ET.parse(STATIC / "icons.svg").iter(f"{SVG}symbol")}
    named = set()
    for page in (ROOT / "templates").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        named |= set(re.findall(r'icon\("([a-z0-9-]+)"', text)) | set(re.findall(r"\}\}#([a-z0-9-]+)\"", text))
    assert named - symbols == set()
    assert {f"pips-{level}" for level in range(5)} <= symbols


def test_customers_load_less_than_fifteen_kilobytes_of_style() -> None:
    assert (STATIC / "survey.css").stat().st_size <= 15_000


@pytest.mark.parametrize("name", ["review360.css", "survey.css", "print.css"])
def test_our_styles_load_nothing_from_anywhere(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8")
    assert "@import" not in text
    assert "url(" not in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("script", sorted((STATIC / "js").glob("*.js")), ids=lambda path: path.name)
def test_our_scripts_hold_no_user_words_and_evaluate_nothing(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"[一-鿿]", text)
    assert not re.search(r"\beval\(|new Function|innerHTML|https?://", text)
