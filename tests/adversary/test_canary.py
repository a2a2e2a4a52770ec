"""Markers in a cast, well formed or not, are nowhere afterwards: through a real server, in every file it could write.

A cast carries a marker in its headers, its query, its fields and its values; all that is left of the installation
(databases, logs, what the server printed, mail, temporary files) is searched for it, plain and encoded.
"""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from review.ballots import service as ballots
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import ROOT
from tests.adversary.installation import PASSWORD, Installation, laid_out, opened, reviews_and_seats, workshop
from tests.adversary.life import token_of
from tests.adversary.reading import files_of
from tests.make_cycle import set_dates
from tests.make_peers import ASKED
from tests.postgres import free_port

MARK = "CANARY7f3e9"


@dataclass(frozen=True)
class Server:
    """gunicorn over a small installation, and one rater signed in to it."""

    folder: Path
    port: int
    cookie: str
    token: str
    seat: str

    def send(self, body: bytes, kind: str, *, cookie: bool = True, path: str = "") -> int:
        """Post a body to the rater's seat, marker headers and all; the answer's status."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "Content-Type": kind,
            "User-Agent": f"{MARK}-agent",
            "X-Forwarded-For": f"{MARK}-address",
            "X-Request-Id": f"{MARK}-request",
            "Referer": f"http://{MARK}.example/",
            "Accept-Language": f"{MARK}-language",
        }
        if cookie:
            headers["Cookie"] = f"{self.cookie}; {MARK}=cookie"
        try:
            connection.request("POST", f"/peers/{self.seat}{path}?{MARK}=query", body, headers)
            return connection.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            return 413  # a server that has heard enough hangs up
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with workshop() as shop:
        laid_out(shop / "base", people=10, each=6)
        with opened(shop / "base", shop / "home") as home:
            with home.app.app_context():
                ballots.open_urn(home.cycle_id)
                db.session.commit()
            _reviews, seats = reviews_and_seats(home)
            rater = home.raters[0]
            seat = next(str(seat) for seat, _review, who in seats if who == rater.id)
            _lasts_until_tomorrow(home)
        with _running(shop / "home") as port:
            yield Server(shop / "home", port, *_signed_in(port, rater.employee_no), seat)


def _lasts_until_tomorrow(home: Installation) -> None:
    """The server lives in the real time, not in that of the play."""
    with home.app.app_context():
        moment = now() - home.clock.offset
        later = {"self_due_at": moment + timedelta(hours=1), "closes_at": moment + timedelta(days=1)}
        set_dates(home.cycle_id, opens_at=moment - timedelta(days=1), **later, finalise_by=moment + timedelta(days=2))
        db.session.commit()


@contextmanager
def _running(folder: Path) -> Iterator[int]:
    """The web server as `review serve` starts it; what it prints goes into a file."""
    port, temporary = free_port(), folder / "tmp"
    temporary.mkdir()
    places = {"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": f"http://127.0.0.1:{port}"}
    environ = {**os.environ, **places, "TMPDIR": str(temporary)}
    with (folder / "printed.log").open("wb") as printed:
        command = [sys.executable, "-m", "review", "serve", "--port", str(port), "--threads", "2"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=printed, stderr=subprocess.STDOUT)
        try:
            _wait_for(port, process, folder / "printed.log")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", printed: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            assert _get(port, "/health")[0] < 500
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(printed.read_text())


def _get(port: int, path: str, cookie: str = "") -> tuple[int, str, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheader("Set-Cookie", "").partition(";")[0]
    connection.close()
    return found


def _signed_in(port: int, number: str) -> tuple[str, str]:
    """Cookie and form token of a session."""
    _status, page, cookie = _get(port, "/sign-in")
    form = urlencode({"csrf_token": token_of(page), "who": number, "password": PASSWORD})
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    kind = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", form, kind)
    answer = connection.getresponse()
    assert answer.status == 302
    cookies = [line.partition(";")[0] for name, line in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    cookie = next(one for one in cookies if one.startswith("review="))
    _status, page, renewed = _get(port, "/peers", cookie)
    return renewed or cookie, token_of(page)


FORM = "application/x-www-form-urlencoded"


def whole(server: Server, **more: str) -> bytes:
    return urlencode({"csrf_token": server.token, **{f"c-{key}": "good" for key in ASKED}, **more}).encode()


def parts(server: Server, end: bytes) -> bytes:
    line = b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    return line % (b"csrf_token", server.token.encode()) + line % (f"c-{ASKED[0]}".encode(), MARK.encode()) + end


def test_markers_of_a_cast_are_nowhere(server: Server) -> None:
    multipart = "multipart/form-data; boundary=cut"
    sent = {
        "well formed": (server.send(whole(server), FORM), {302}),
        "unknown fields": (server.send(whole(server, **{f"x-{MARK}": MARK}), FORM), {302, 422}),
        "no level": (server.send(whole(server, **{f"c-{ASKED[0]}": MARK}), FORM), {422}),
        "a wrong token": (server.send(urlencode({"csrf_token": MARK, "c-x": MARK}).encode(), FORM), {400}),
        "no session": (server.send(whole(server, comment=MARK), FORM, cookie=False), {302, 400}),
        "broken multipart": (server.send(parts(server, b"--cu"), multipart), {400, 422}),
        "cut off": (server.send(parts(server, b""), multipart), {400, 422}),
        "no boundary": (server.send(MARK.encode(), "multipart/form-data"), {400, 422}),
        "bytes of no encoding": (server.send(b"c-x=%ff%fe" + MARK.encode() + b"\xff\x00", FORM), {400, 422}),
        "a file": (server.send(parts(server, _file()), multipart), {400, 422}),
        "too large": (server.send(MARK.encode() * 900_000, FORM), {413, 400}),
        "no such seat": (server.send(whole(server, x=MARK), FORM, path=f"/{MARK}"), {404, 405, 400}),
    }
    wrong = {what: status for what, (status, allowed) in sent.items() if status not in allowed}
    assert not wrong, f"{wrong}: a cast got another answer than the one it should get"
    time.sleep(0.3)  # whatever is written after the answer
    assert traces(server.folder) == []


def _file() -> bytes:
    head = f'--cut\r\nContent-Disposition: form-data; name="f"; filename="{MARK}.txt"\r\n\r\n'
    return head.encode() + MARK.encode() * 60_000 + b"\r\n--cut--\r\n"


def test_the_search_for_markers_finds_them_in_every_dress(tmp_path: Path) -> None:
    for name, content in enumerate(dresses()):
        (tmp_path / f"{name}.log").write_bytes(b"something before " + content + b" and behind")
    assert len(traces(tmp_path)) == len(dresses())


def dresses() -> list[bytes]:
    """The marker as it is, in capitals, in hex, in base64 at each place in a group, and as an address writes it."""
    plain = MARK.encode()
    coded = [base64.b64encode(b"\0" * shift + plain)[4 * bool(shift) : -4].rstrip(b"=") for shift in range(3)]
    return [plain, plain.lower(), plain.hex().encode(), plain.hex().upper().encode(), *coded, quote(MARK).encode()]


def traces(folder: Path) -> list[str]:
    found = []
    for path in files_of(folder):
        data = path.read_bytes()
        found += [f"{path.relative_to(folder)}: {dress!r}" for dress in set(dresses()) if dress in data][:1]
    return found
