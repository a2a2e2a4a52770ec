"""No letter is lost to a server that stalls, hangs up or says 421, nor to a killed worker; none comes twice in vain.

A letter may come twice only where nobody could know whether it had arrived: at most once more for each such event,
under the same Message-ID and with the same link.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from sqlalchemy import select

from review.app import create_app
from review.infra import claims, mail, mail_server, migrate, smtp_client
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.mail_catcher import Catcher
from review.infra.organisation import Organisation
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from tests.hostile import Hostile, dribbling, hostile
from tests.make import NOW
from tests.make_mail import left, make_letters
from tests.smtp import moody

LINK = re.compile(r"http://localhost/\S+")


@pytest.fixture
def at(settings: Settings) -> Iterator[list[Flask]]:
    made: list[Flask] = []
    yield made
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def sending_to(url: str, settings: Settings, made: list[Flask]) -> Flask:
    app = create_app(replace(settings, smtp_url=url))
    made.append(app)
    return app


def send_all(rounds: int = 100_000) -> None:
    """Let the clock run on until nothing waits any more."""
    now = NOW
    for _ in range(rounds):
        if not mail.send_due(now):
            if not left():
                return
            now += timedelta(minutes=3)
        now += timedelta(seconds=2)
    raise AssertionError(f"{left()} letters are still waiting")


def copies(letters: list[EmailMessage]) -> Counter[str]:
    return Counter(str(letter["Message-ID"]) for letter in letters)


def links(letters: list[EmailMessage]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for letter in letters:
        body = letter.get_body(("plain",))
        assert body is not None
        found.setdefault(str(letter["Message-ID"]), set()).update(LINK.findall(body.get_content()))
    return found


@pytest.fixture
def doubts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the sender could not know whether a letter had arrived, by Message-ID: on a busy machine even an
    honest answer may come too late."""
    noted: Counter[str] = Counter()
    real = claims.mark_failed

    def noting(row: LetterRow, now: datetime, reason: str, error: str, *, for_good: bool) -> None:
        if reason in {"mail:stalled", "mail:broke_off"}:
            noted[mail.message_id(row, Organisation().mail_from)] += 1
        real(row, now, reason, error, for_good=for_good)

    monkeypatch.setattr(claims, "mark_failed", noting)
    return noted


def judge(server: Hostile, wanted: int, doubts: Counter[str], *, may_give_up: bool = False) -> None:
    """None lost, and none twice but for its own doubtful events.

    Where most tries end in doubt, a letter may have used up all of them: then it has arrived and is told as failed.
    """
    arrived = copies(server.kept)
    assert len(arrived) == wanted, f"{wanted - len(arrived)} letters are lost"
    needless = {name: count for name, count in arrived.items() if count > 1 + doubts[name]}
    assert not needless
    assert all(doubts[name] >= count for name, count in server.ambiguous.items()), "a doubt that nobody noticed"
    assert all(len(found) == 1 for found in links(server.kept).values())
    assert len({next(iter(found)) for found in links(server.kept).values()}) == wanted
    given_up = [row for row in db.session.scalars(select(LetterRow)) if row.state is not LetterState.SENT]
    assert may_give_up or not given_up
    assert {(row.state, row.attempts) for row in given_up} <= {(LetterState.FAILED, claims.TRIES)}


@pytest.mark.parametrize("seed", [1, 2])
def test_hundreds_of_letters_survive_a_hostile_server(
    settings: Settings, at: list[Flask], monkeypatch: pytest.MonkeyPatch, doubts: Counter[str], seed: int
) -> None:
    monkeypatch.setattr(smtp_client, "TIMEOUT", 0.3)
    with hostile(seed, stall=0.6) as server, sending_to(server.url, settings, at).app_context():
        make_letters(300)
        send_all()
        judge(server, 300, doubts)
        assert sum(server.ambiguous.values()) > 0, "the dice never made a doubtful case: choose another seed"
        assert {"hangs up", "421 closing", "rcpt 421 closing", "451 later"} <= set(server.met)


@pytest.mark.full
def test_ten_thousand_letters_survive_a_hostile_server(
    settings: Settings, at: list[Flask], monkeypatch: pytest.MonkeyPatch, doubts: Counter[str]
) -> None:
    monkeypatch.setattr(smtp_client, "TIMEOUT", 0.5)
    with hostile(3, stall=1.0) as server, sending_to(server.url, settings, at).app_context():
        make_letters(10_000)
        began = time.monotonic()
        send_all()
        judge(server, 10_000, doubts)
        twice = sum(copies(server.kept).values()) - 10_000
        seconds = time.monotonic() - began
        doubtful = sum(doubts.values())
        sys.stdout.write(
            f"\n10000 letters, 0 lost, {twice} twice ({doubtful} doubtful), {seconds:.0f} s: {server.met}\n"
        )


@pytest.mark.full
def test_a_server_that_only_ever_stalls_and_breaks_loses_nothing_either(
    settings: Settings, at: list[Flask], monkeypatch: pytest.MonkeyPatch, doubts: Counter[str]
) -> None:
    monkeypatch.setattr(smtp_client, "TIMEOUT", 0.2)
    bad = {"kept, then hangs up": 100, "hangs up": 200, "421 closing": 200, "kept, then stalls": 30, "stalls": 70}
    with hostile(4, 0.4, bad) as server, sending_to(server.url, settings, at).app_context():
        make_letters(100)
        send_all()
        judge(server, 100, doubts, may_give_up=True)  # six tries of ten break: twelve in a row do so now and then


def test_a_server_that_dribbles_does_not_hold_the_worker(
    settings: Settings, at: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_client, "TIMEOUT", 1.0)
    monkeypatch.setattr(smtp_client, "PATIENCE", 0.8)
    with dribbling(every=0.1) as url, sending_to(url, settings, at).app_context():
        make_letters(1)
        began = time.monotonic()
        assert mail.send_due(NOW) == 1
        assert time.monotonic() - began < 8
        row = db.session.scalars(select(LetterRow)).one()
        assert (row.state, row.attempts) == (LetterState.WAITING, 0)


def test_a_server_in_trouble_is_left_alone_for_longer_each_time_and_forgiven_at_once(
    settings: Settings, at: list[Flask]
) -> None:
    with moody(["421 go away"]) as server, sending_to(server.url, settings, at).app_context():
        make_letters(40)
        now, rests = NOW, []
        for _ in range(8):
            assert mail.send_due(now) > 0
            assert mail.send_due(now + timedelta(seconds=1)) == 0
            row = mail_server.trouble()
            assert row is not None
            rests.append((row.retry_at - row.broke_at).total_seconds())
            now = row.retry_at + timedelta(seconds=1)
            db.session.rollback()
        for number, rest in enumerate(rests):
            plain = min(mail_server.LONGEST_REST, mail_server.FIRST_REST * 2**number).total_seconds()
            assert plain <= rest <= 1.5 * plain, "doubled each time up to a quarter of an hour, with some jitter"
        server.answers = ["250 ok"]
        assert mail.send_due(now) > 0
        assert mail_server.trouble() is None


def test_letters_that_failed_together_do_not_come_back_together(settings: Settings, at: list[Flask]) -> None:
    with moody(["451 later"]) as server, sending_to(server.url, settings, at).app_context():
        make_letters(9)
        mail.send_due(NOW)
        again = list(db.session.scalars(select(LetterRow.send_after)))
        assert max(again) - min(again) > timedelta(seconds=5), "a minute of jitter, thrown nine times"
        assert all(timedelta(minutes=2) <= when - NOW <= timedelta(minutes=3, seconds=5) for when in again)


def test_a_server_that_takes_nothing_does_not_use_up_every_letter(settings: Settings, at: list[Flask]) -> None:
    with moody(["rcpt 554 relay access denied"]) as server, sending_to(server.url, settings, at).app_context():
        make_letters(40)
        mail.send_due(NOW)
        states = Counter(db.session.scalars(select(LetterRow.state)))
        assert states == {LetterState.FAILED: mail.REFUSED_IN_A_ROW, LetterState.WAITING: 40 - mail.REFUSED_IN_A_ROW}
        assert mail_server.trouble() is not None


def test_a_sender_the_server_does_not_take_fails_no_letter_for_good(settings: Settings, at: list[Flask]) -> None:
    class Strict:
        async def handle_MAIL(self, *_said: object) -> str:  # noqa: N802  aiosmtpd's name
            return "550 not from this sender"

    with Catcher(Strict()) as server, sending_to(server.url, settings, at).app_context():
        make_letters(20)
        mail.send_due(NOW)
        assert {row.state for row in db.session.scalars(select(LetterRow))} == {LetterState.WAITING}
        row = mail_server.trouble()
        assert row is not None
        assert row.reason == "mail:sender_refused"


def test_whoever_lost_a_letter_to_another_worker_does_not_put_it_back(settings: Settings, at: list[Flask]) -> None:
    with sending_to("smtp://127.0.0.1:9", settings, at).app_context():
        make_letters(1)
        [mine] = claims.claim(NOW, 1)
        later = NOW + claims.LEASE + timedelta(seconds=1)
        [theirs] = claims.claim(later, 1)
        claims.mark_sent(theirs, later)
        claims.mark_failed(mine, later, "mail:broke_off", "", for_good=False)
        claims.release([mine], "mail:busy", "")
        assert db.session.scalars(select(LetterRow.state)).one() is LetterState.SENT


class Killing:
    """Takes letters, and kills the worker that hands over the n-th, before or after it says that it has it."""

    def __init__(self, victims: list[int], *, late: bool) -> None:
        self.kept: list[EmailMessage] = []
        self.worker: subprocess.Popen[bytes] | None = None
        self._victims, self._late = victims, late
        self.kills = 0

    def _kill(self) -> None:
        assert self.worker is not None
        os.kill(self.worker.pid, signal.SIGKILL)
        self.kills += 1

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        from email import message_from_bytes, policy

        self.kept.append(message_from_bytes(envelope.original_content or b"", policy=policy.default))  # type: ignore[arg-type]
        if self._victims and len(self.kept) >= self._victims[0]:
            self._victims.pop(0)
            if self._late:
                threading.Timer(0.02, self._kill).start()
            else:
                self._kill()
        return "250 ok"


@pytest.mark.parametrize("late", [False, True], ids=["before it knows", "in the middle of it"])
def test_a_worker_that_is_killed_loses_nothing(settings: Settings, tmp_path: Path, late: bool) -> None:
    """`kill -9` of a real worker, three times, while it hands letters over; the next one goes on at once."""
    wanted, kills = 120, [15, 40, 80]
    migrated = {"REVIEW_DATA": str(tmp_path / "house"), "REVIEW_BASE_URL": "http://localhost"}
    house = Settings.from_env(migrated)
    migrate.upgrade(house.database_url)
    app, handler = create_app(house), Killing(kills, late=late)
    with app.app_context():
        make_letters(wanted, clock_now())
    with Catcher(handler) as server:
        environ = {**os.environ, **migrated, "SMTP_URL": server.url}
        deadline = time.monotonic() + 90
        with app.app_context():
            while left() and time.monotonic() < deadline:
                handler.worker = subprocess.Popen([sys.executable, "-m", "review", "worker"], env=environ)
                while handler.worker.poll() is None and left() and time.monotonic() < deadline:
                    time.sleep(0.1)
                if handler.worker.poll() is None:
                    handler.worker.terminate()
                handler.worker.wait(10)
            states = Counter(db.session.scalars(select(LetterRow.state)))
            db.session.remove()
            db.engine.dispose()
    assert states == {LetterState.SENT: wanted}
    assert handler.kills == 3
    arrived = copies(handler.kept)
    assert len(arrived) == wanted
    assert sum(arrived.values()) <= wanted + handler.kills
    assert max(arrived.values()) <= 2
    assert all(len(found) == 1 for found in links(handler.kept).values())
    with suppress(ProcessLookupError):
        assert handler.worker is not None
        os.kill(handler.worker.pid, 0)
        raise AssertionError("the last worker is still there")
