"""The slot for sealed ballots: takes what a ticket entitles to, answers all alike, keeps no trace of a cast."""

import base64
import io
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import Client

from review.app import create_app
from review.ballots import letterbox, ticket_keys
from review.ballots import service as ballots
from review.ballots.service import urn_at
from review.infra.db import db
from review.infra.settings import ROOT, Settings
from review.tickets.endpoint import create_endpoint
from tests.make import Cast
from tests.make_cycle import make_cycle, review_of
from tests.make_peers import EXCELLENT, GOOD, seat_team
from tests.make_tickets import Held, draw_as, letter, letter_of, make_maximum, post
from tests.postgres import free_port

SMALL = ("ada", "bo", "cy")
REFUSED = 400


@pytest.fixture
def cycle(app: Flask, cast: Cast, settings: Settings) -> int:
    with app.app_context():
        return make_maximum(cast, settings, SMALL)


@pytest.fixture
def held(app: Flask, cast: Cast, settings: Settings, cycle: int) -> Held:
    """Bo's ticket for rating Ada."""
    with app.app_context():
        return draw_as(cycle, cast["bo"], settings)[review_of(cycle, cast["ada"])]


@pytest.fixture
def body(settings: Settings, held: Held) -> bytes:
    return letter_of(settings, held, GOOD)


def urn_rows(settings: Settings, cycle_id: int) -> list[tuple[bytes, int, bytes]]:
    return sorted(urn_at(settings, cycle_id).rows())


# -- what is taken ---------------------------------------------------------------------------------------------------


def test_a_ballot_is_taken_and_replaced_by_the_same_ticket(
    app: Flask, cycle: int, settings: Settings, held: Held, body: bytes
) -> None:
    assert post(app, body).status_code == 204
    first = urn_rows(settings, cycle)
    assert post(app, letter_of(settings, held, EXCELLENT)).status_code == 204
    second = urn_rows(settings, cycle)
    assert [row[0] for row in first] == [row[0] for row in second]
    assert first != second


def test_every_letter_of_a_cycle_has_one_size(settings: Settings, held: Held, body: bytes) -> None:
    assert {len(body), len(letter_of(settings, held, {}))} == {len(body)}
    assert len(body) in letterbox.SIZES


def spoiled(body: bytes, held: Held) -> dict[str, bytes]:
    """Everything that is not a ballot with a genuine ticket for a review of a running cycle."""
    sealed = body[letterbox.HEAD.size :]
    return {
        "nothing": b"",
        "garbage": os.urandom(len(body)),
        "one byte more": body + b"\0",
        "one byte less": body[:-1],
        "another size of ballot": body + bytes(1536),
        "another version": letter(held, sealed, version=0),
        "another cycle": letter(replace(held, cycle=held.cycle + 1), sealed),
        "another review": letter(replace(held, review=held.review + 1), sealed),
        "no review": letter(replace(held, review=2**32 - 1), sealed),
        "another prefix": letter(replace(held, prefix=bytes(32)), sealed),
        "another signature": letter(replace(held, signature=os.urandom(256)), sealed),
        "a signature of nothing": letter(replace(held, signature=bytes(256)), sealed),
    }


def test_what_nobody_signed_is_refused_and_leaves_the_urn_alone(
    app: Flask, cycle: int, settings: Settings, held: Held, body: bytes
) -> None:
    for name, wrong in spoiled(body, held).items():
        assert post(app, wrong).status_code == REFUSED, name
    assert urn_rows(settings, cycle) == []
    assert post(app, body).status_code == 204


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_only_posts_are_taken(app: Flask, body: bytes, method: str) -> None:
    assert app.test_client().open("/cast", method=method, data=body).status_code == REFUSED


@pytest.mark.parametrize("header", ["Cookie", "Authorization"])
def test_whoever_says_who_they_are_is_refused(
    app: Flask, cycle: int, settings: Settings, body: bytes, header: str
) -> None:
    for value in ("review=abc", ""):
        assert post(app, body, {header: value}).status_code == REFUSED
    assert urn_rows(settings, cycle) == []


def test_a_signed_in_browser_that_sends_its_cookie_is_refused(app: Flask, cast: Cast, body: bytes) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = cast["bo"].session_id
    assert client.post("/cast", data=body).status_code == REFUSED


def test_a_cycle_with_standard_protection_takes_nothing_here(
    app: Flask, cast: Cast, settings: Settings, held: Held, body: bytes
) -> None:
    with app.app_context():
        plain = make_cycle(cast, name="plain", quarters_ago=2)
        seat_team(plain, cast, SMALL)
    assert post(app, letter(replace(held, cycle=plain), body[letterbox.HEAD.size :])).status_code == REFUSED
    assert urn_rows(settings, plain) == []


def test_a_ballot_after_the_close_and_after_the_end_is_gone(
    app: Flask, cycle: int, settings: Settings, body: bytes
) -> None:
    with app.app_context():
        ballots.close_urn(cycle)
        assert post(app, body).status_code == 410
        ballots._destroy(cycle, lambda _step: None)
    assert post(app, body).status_code == 410
    ticket_keys.destroy(settings.keys_dir, cycle)
    assert post(app, body).status_code == 410


def test_an_urn_that_is_lost_does_not_pass_for_one_that_is_closed(
    app: Flask, cycle: int, settings: Settings, body: bytes
) -> None:
    (settings.data_dir / "urns" / f"{cycle}.sqlite").unlink()
    assert post(app, body).status_code == REFUSED


def test_before_the_launch_nothing_is_taken(app: Flask, settings: Settings, held: Held, body: bytes) -> None:
    (settings.keys_dir / f"tickets-{held.cycle}" / "size").unlink()
    assert post(app, body).status_code == REFUSED


# -- how it answers --------------------------------------------------------------------------------------------------


def test_all_answers_of_a_kind_are_alike(app: Flask, held: Held, body: bytes) -> None:
    refused = [post(app, wrong) for wrong in spoiled(body, held).values()]
    refused.append(post(app, body, {"Cookie": "a=b"}))
    taken = [post(app, body), post(app, body)]
    for answers in (refused, taken):
        assert len({(answer.status, answer.data, tuple(answer.headers)) for answer in answers}) == 1
    for answer in (*refused, *taken):
        assert answer.data == b""
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost"
        assert "Date" not in answer.headers


def test_a_preflight_allows_what_the_page_sends_and_nothing_more(app: Flask) -> None:
    answer = app.test_client().options("/cast", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_too_much_is_refused_before_it_is_read(settings: Settings) -> None:
    class Untouched(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    said: list[str] = []
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(10**9), "wsgi.input": Untouched()}
    list(create_endpoint(settings)(environ, lambda status, _headers: said.append(status)))
    environ["CONTENT_LENGTH"] = "²"
    list(create_endpoint(settings)(environ, lambda status, _headers: said.append(status)))
    assert said == ["400 Bad Request"] * 2


def test_an_accident_inside_is_refused_without_a_word(
    app: Flask,
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("what was cast")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(letterbox, "take", fail)
    app.testing = False
    assert post(app, body).status_code == REFUSED
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_the_slot_can_stand_on_a_host_of_its_own(settings: Settings, cycle: int, body: bytes) -> None:
    apart = replace(settings, cast_url="https://ballots.example/in", base_url="https://review.example")
    app = create_app(apart)
    assert app.test_client(use_cookies=False).post("/cast", data=body).status_code == 404
    policy = app.test_client().get("/sign-in").headers["Content-Security-Policy"]
    assert "connect-src 'self' https://ballots.example;" in policy
    answer = Client(create_endpoint(apart)).post("/in", data=body)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://review.example"
    with app.app_context():
        db.engine.dispose()


def test_on_one_host_pages_may_only_talk_to_it(app: Flask) -> None:
    assert "connect-src 'self';" in app.test_client().get("/sign-in").headers["Content-Security-Policy"]


def test_the_slot_needs_no_database(settings: Settings, cycle: int, body: bytes) -> None:
    elsewhere = replace(settings, database_url="sqlite:////nowhere/at/all.sqlite")
    assert Client(create_endpoint(elsewhere)).post("/", data=body).status_code == 204


def test_it_needs_the_public_halves_only(settings: Settings, cycle: int, body: bytes) -> None:
    for path in (settings.keys_dir / f"tickets-{cycle}").glob("*.key"):
        path.unlink()
    assert Client(create_endpoint(settings)).post("/", data=body).status_code == 204


# -- what it leaves behind -------------------------------------------------------------------------------------------

MARK = "canary7f3e91c4"


def spellings(mark: str) -> list[bytes]:
    """How a marker could be found again: plain, in hexadecimal, in base64 at each of its three offsets."""
    raw = mark.encode()
    found = [raw, raw.hex().encode(), raw[::-1]]
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + raw)
        found.append(coded[-(-shift * 4 // 3) + (shift > 0) : -4])
    return found


@contextmanager
def gunicorn(settings: Settings, folder: Path, *command: str) -> Iterator[int]:
    """A real server, its words in a file; its port."""
    port = free_port()
    environ = {
        **os.environ,
        "REVIEW_DATA": str(settings.data_dir),
        "REVIEW_BASE_URL": settings.base_url,
        "REVIEW_NO_VENV": "1",
    }
    arguments = [word.format(port=port) for word in command]
    with (folder / f"words-{port}.log").open("wb") as words:
        child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environ, stdout=words, stderr=words)
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until and child.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(20)


SERVERS = {
    "the web application": ("-m", "review", "serve", "--port", "{port}"),
    "the slot alone": ("-m", "gunicorn", "wsgi:cast", "--bind", "127.0.0.1:{port}", "--log-level", "error"),
}


@pytest.mark.parametrize("which", SERVERS)
def test_nothing_of_a_cast_is_left_anywhere(
    app: Flask, cycle: int, cast: Cast, settings: Settings, held: Held, body: bytes, tmp_path: Path, which: str
) -> None:
    marked = {
        "User-Agent": f"{MARK}-agent",
        "X-Forwarded-For": f"{MARK}.example",
        "Referer": f"http://localhost/{MARK}-referrer",
        "X-Whatever": f"{MARK}-header",
        "Content-Type": f"application/{MARK}",
    }
    sealed = body[letterbox.HEAD.size :]
    bodies: list[tuple[bytes, Mapping[str, str], int]] = [
        (body, marked, 204),
        (f"{MARK}-body".encode().ljust(len(body), b"."), marked, 400),
        (f"{MARK}-malformed".encode(), marked, 400),
        (body, {**marked, "Cookie": f"{MARK}=cookie"}, 400),
        (body, {**marked, "Authorization": f"Bearer {MARK}"}, 400),
        (letter(replace(held, prefix=f"{MARK}-prefix".encode().ljust(32)), sealed), marked, 400),
    ]
    with gunicorn(settings, tmp_path, *SERVERS[which]) as port:
        for sent, headers, status in bodies:
            connection = HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", f"/cast?{MARK}=query", sent, dict(headers))
            assert connection.getresponse().status == status
            connection.close()
        for broken in (
            f"POST /cast HTTP/1.1\r\nHost: x\r\n{MARK}(bad): {MARK}\r\n\r\n",
            f"{MARK} /cast nonsense\r\n\r\n",
            f"POST /cast HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{MARK}",  # and hangs up
            f"POST /cast HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ{MARK}\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port), 5) as raw:
                raw.sendall(broken.encode())
                raw.settimeout(1 if MARK in broken[-20:] and "Length" in broken else 5)
                with suppress(TimeoutError):
                    raw.recv(2000)
    assert len(urn_rows(settings, cycle)) == 1
    traces = [
        f"{path}: {spelling!r}"
        for path in sorted(tmp_path.rglob("*"))
        if path.is_file()
        for spelling in spellings(MARK)
        if spelling in path.read_bytes()
    ]
    assert traces == []
    assert [path.read_text() for path in tmp_path.glob("words-*.log")] == [""]


def test_casting_changes_the_urn_and_nothing_else(app: Flask, cycle: int, settings: Settings, body: bytes) -> None:
    with app.app_context():
        db.engine.dispose()

    def stand() -> dict[Path, tuple[int, int, bytes]]:
        places = [*settings.data_dir.rglob("*"), *settings.keys_dir.rglob("*")]
        kept = [path for path in places if path.is_file() and "urns" not in path.parts]
        return {path: (path.stat().st_mtime_ns, path.stat().st_atime_ns, path.read_bytes()) for path in kept}

    stand()
    before = {path: (changed, content) for path, (changed, _read, content) in stand().items()}
    assert post(app, body).status_code == 204
    assert {path: (changed, content) for path, (changed, _read, content) in stand().items()} == before


def test_reading_a_key_leaves_no_time_behind(settings: Settings, cycle: int, held: Held) -> None:
    """Else the files of the keys would tell on which day somebody was rated."""
    path = settings.keys_dir / f"tickets-{cycle}" / f"{held.review}.der"
    long_ago = (1, 2)
    os.utime(path, long_ago)
    assert ticket_keys.public(settings.keys_dir, cycle, held.review) is not None
    assert path.stat().st_atime == long_ago[0]
