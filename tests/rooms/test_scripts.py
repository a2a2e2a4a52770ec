"""What the small scripts do in a real browser, under the strict policy: drafts are saved, sealed answers stay."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from review.infra.assets import init_assets
from review.infra.headers import init_headers
from tests.chromium import chromium

ROOT = Path(__file__).resolve().parents[2]
PAGE = """<!doctype html><html lang="en"><head><meta name="csrf-token" content="the-token">
<meta name="htmx-config" content='{"includeIndicatorCSS": false, "history": false}'>
<link rel="icon" href="{{ asset('favicon.svg') }}">
{{ vendor_tag("htmx") }}
<script type="module" src="{{ asset('js/page.js') }}"></script>
<script type="module" src="{{ asset('js/autosave.js') }}"></script>
<script type="module" src="{{ asset('js/insert.js') }}"></script></head>
<body hx-headers:inherited='{"X-CSRFToken": "the-token"}'>
<form data-autosave="/draft" data-status="told"><textarea id="box" name="box">ab</textarea></form>
<p id="told" role="status" data-saving="…" data-saved="Saved {time}" data-failed="failed" data-refused="refused"></p>
<span id="count" data-count-of="box" data-words="{n} characters"></span>
<button class="r-insert" data-into="box" data-text=" 36 s">36 s</button>
<form data-autosave="/draft" data-sealed><textarea id="secret" name="secret"></textarea></form>
<div id="block"><button id="swap" hx-post="/swap" hx-target="#block">x</button></div>
</body></html>"""


@pytest.fixture
def place() -> Iterator[tuple[str, list[tuple[str, str | None, dict[str, str]]]]]:
    """The page on a server of its own, and what was posted to it."""
    posted: list[tuple[str, str | None, dict[str, str]]] = []
    app = Flask("bare", root_path=str(ROOT), static_folder="static")
    init_assets(app)
    init_headers(app)
    app.add_url_rule("/", "page", lambda: app.jinja_env.from_string(PAGE).render())

    def take() -> str:
        posted.append((request.path, request.headers.get("X-CSRFToken"), request.form.to_dict()))
        return "<b id=swapped>swapped</b>"

    for path in ("/draft", "/swap"):
        app.add_url_rule(path, path, take, methods=["POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", posted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
def test_a_draft_is_saved_by_itself_and_a_sealed_form_never(
    place: tuple[str, list[tuple[str, str | None, dict[str, str]]]],
) -> None:
    url, posted = place
    with chromium() as browser:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        page.locator("#secret").fill("a sealed answer")
        page.locator("#box").press("End")
        page.locator(".r-insert").click()
        page.get_by_text("Saved ").wait_for()
        page.locator("#swap").click()
        page.locator("#swapped").wait_for()
        assert page.locator("#count").inner_text() == "7 characters"
    assert complaints == []
    assert [(path, token) for path, token, _ in posted] == [("/draft", "the-token"), ("/swap", "the-token")]
    assert posted[0][2] == {"box": "ab 36 s"}
