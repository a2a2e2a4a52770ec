"""What comes back: a bad address is written to no more, a full mailbox gets three tries, a forged report nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.app import create_app
from review.domain.refusals import Invalid
from review.infra import bounce_mailbox, bounces, mail, outbox, return_path, suppression
from review.infra.bounces import BounceRow, Outcome
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from review.infra.suppression import Stopped, SuppressionRow
from tests.bounced import absence, complaint, dsn, qmail
from tests.imap import Mailbox, imap_server
from tests.make import NOW, make_person
from tests.smtp import Caught, caught_mail

KIND = "people:activation"
READER = "reader@customer.example"
Away = Callable[..., str]


@pytest.fixture
def post(settings: Settings, tmp_path: Path) -> Iterator[tuple[Flask, Caught]]:
    with caught_mail(tmp_path / "mail") as caught:
        app = create_app(replace(settings, smtp_url=caught.url, bounce_address="bounce@example.com"))
        with app.app_context():
            yield app, caught
            db.session.remove()
            db.engine.dispose()


def write(number: int = 1, to: str = READER) -> int:
    somebody = make_person(f"Person {number}")
    until = int((NOW + timedelta(days=7)).timestamp())
    outbox.put(KIND, f"person:{somebody.id}", to, "zh", {"person": somebody.id, "until": until}, now=NOW)
    db.session.commit()
    return db.session.scalars(select(LetterRow.id).order_by(LetterRow.id.desc())).first() or 0


@pytest.fixture
def sent(post: tuple[Flask, Caught]) -> str:
    """The return path of one letter that was sent."""
    write()
    assert mail.send_due(NOW) == 1
    [letter] = post[1].letters()
    return str(letter["X-Envelope-From"])


def state() -> LetterState:
    db.session.expire_all()
    return db.session.scalars(select(LetterRow.state).order_by(LetterRow.id)).one()


def stopped() -> list[str]:
    return list(db.session.scalars(select(SuppressionRow.address)))


def take(raw: bytes, hours: int = 1, to: str | None = None) -> Outcome:
    outcome = bounces.take(raw, NOW + timedelta(hours=hours), to)
    db.session.commit()
    return outcome


def test_each_letter_has_a_return_path_of_its_own_that_fits_and_cannot_be_made_up(post: tuple[Flask, Caught]) -> None:
    for number in range(3):
        write(number, f"p{number}@customer.example")
    mail.send_due(NOW)
    paths = [str(letter["X-Envelope-From"]) for letter in post[1].letters()]
    assert len(set(paths)) == 3
    for path in paths:
        local, _, domain = path.partition("@")
        assert domain == "example.com"
        assert local.startswith("bounce+")
        assert len(local) <= 64
        assert path == path.lower()
    seals = {path.partition("-")[2] for path in paths}
    assert len(seals) == 3, "the seal of one letter opens no other"


def test_without_a_bounce_address_letters_leave_from_the_sender(settings: Settings, tmp_path: Path) -> None:
    with caught_mail(tmp_path / "mail") as caught:
        app = create_app(replace(settings, smtp_url=caught.url))
        with app.app_context():
            write()
            mail.send_due(NOW)
            assert caught.letters()[0]["X-Envelope-From"] == "review360@example.com"
            db.session.remove()
            db.engine.dispose()


def test_a_bad_address_is_written_to_no_more(post: tuple[Flask, Caught], sent: str) -> None:
    assert take(dsn(sent, READER)) is Outcome.STOPPED
    assert state() is LetterState.BOUNCED
    row = db.session.get_one(SuppressionRow, READER)
    assert (row.why, row.reason, row.since) == (Stopped.HARD, "mail:no_such_address", NOW + timedelta(hours=1))
    assert "550 5.1.1 no such user" in row.said
    write(2, READER.title())  # however it is written
    mail.send_due(NOW + timedelta(hours=2))
    assert len(post[1].letters()) == 1
    reasons = db.session.scalars(select(LetterRow.reason).order_by(LetterRow.id)).all()
    assert reasons == ["mail:no_such_address", "mail:suppressed"]


def test_once_lifted_the_address_is_written_to_again(post: tuple[Flask, Caught], sent: str) -> None:
    take(dsn(sent, READER))
    assert suppression.lift(READER.upper()) is not None
    assert suppression.lift(READER) is None
    assert outbox.again(None, NOW + timedelta(hours=2)) == 1
    db.session.commit()
    assert mail.send_due(NOW + timedelta(hours=2)) == 1
    assert state() is LetterState.SENT
    assert len(post[1].letters()) == 2


def test_a_full_mailbox_gets_three_tries_and_then_no_more(post: tuple[Flask, Caught], sent: str) -> None:
    at, outcomes = 0, []
    for number in range(1, 4):
        full = dsn(sent, READER, status="5.2.2", said="smtp; 552 5.2.2 mailbox full", name=f"<full-{number}@mx>")
        outcomes.append(take(full, at + 1))
        assert mail.send_due(NOW + timedelta(hours=at + 2)) == 0  # never at once
        at += 100
        mail.send_due(NOW + timedelta(hours=at))
    assert outcomes == [Outcome.AGAIN, Outcome.AGAIN, Outcome.STOPPED]
    assert state() is LetterState.BOUNCED
    assert db.session.get_one(SuppressionRow, READER).why is Stopped.SOFT
    letters = post[1].letters()
    assert len(letters) == 3
    assert len({letter["Message-ID"] for letter in letters}) == 1


def test_a_report_counts_once_however_often_it_comes(sent: str) -> None:
    full = dsn(sent, READER, status="4.2.2", said="smtp; 452 4.2.2 mailbox full")
    assert take(full) is Outcome.AGAIN
    assert [take(full) for _ in range(5)] == [Outcome.REPEATED] * 5
    assert take(full.replace(b"Subject: Und", b"X-Way: pipe\nSubject: Und")) is Outcome.REPEATED
    assert db.session.scalar(select(func.count()).select_from(BounceRow)) == 1
    assert stopped() == []


def test_a_forged_report_changes_nothing(sent: str) -> None:
    local, _, domain = sent.partition("@")
    seal = local[-26:]
    other = ("b" if seal[0] == "a" else "a") + seal[1:]
    forged = [
        sent.replace(seal, other),
        sent.replace(seal, seal[:-1]),
        sent.replace("+1-", "+2-"),
        sent.replace("+1-", "+99999999999-"),
        f"bounce+1-{'a' * 26}@{domain}",
        "bounce@example.com",
        "",
    ]
    for to in forged:
        assert take(dsn(to, READER, name="<x@y>")) is Outcome.NOT_OURS, to
    assert state() is LetterState.SENT
    assert stopped() == []
    assert db.session.scalar(select(func.count()).select_from(BounceRow)) == 0


def test_the_seal_of_one_letter_does_not_stop_another(post: tuple[Flask, Caught]) -> None:
    for number in (1, 2):
        write(number, f"p{number}@customer.example")
    mail.send_due(NOW)
    first, second = (str(letter["X-Envelope-From"]) for letter in post[1].letters())
    swapped = first.partition("-")[0] + "-" + second.partition("-")[2]
    assert take(dsn(swapped, "p1@customer.example")) is Outcome.NOT_OURS
    assert stopped() == []


def test_a_letter_that_never_left_cannot_bounce(post: tuple[Flask, Caught]) -> None:
    letter = db.session.get_one(LetterRow, write())
    path = return_path.address_for(letter) or ""
    assert take(dsn(path, READER)) is Outcome.NOT_OURS
    assert state() is LetterState.WAITING


@pytest.mark.parametrize("why", ["absence", "delayed", "delivered", "receipt", "person", "empty", "noise"])
def test_what_is_no_bounce_changes_nothing(sent: str, why: str) -> None:
    raw = {
        "absence": absence(sent),
        "delayed": dsn(sent, READER, action="delayed", status="4.4.1", said="smtp; 421 4.4.1 no answer yet"),
        "delivered": dsn(sent, READER, action="delivered", status="2.0.0", said="smtp; 250 ok"),
        "receipt": b"To: %s\nMIME-Version: 1.0\nContent-Type: multipart/report; "
        b"report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: text/plain\n\nread\n--b--\n"
        % sent.encode(),
        "person": b"From: reader@customer.example\nTo: %s\nSubject: Re: survey\n\nThank you, it was fine.\n"
        % sent.encode(),
        "empty": b"",
        "noise": bytes(range(256)) * 20 + sent.encode(),
    }[why]
    assert take(raw) is Outcome.NO_BOUNCE
    assert state() is LetterState.SENT
    assert stopped() == []


@pytest.mark.parametrize(
    ("status", "said", "outcome", "reason"),
    [
        ("5.1.1", "smtp; 550 5.1.1 unknown", Outcome.STOPPED, "mail:no_such_address"),
        ("5.2.1", "smtp; 550 5.2.1 disabled", Outcome.STOPPED, "mail:no_such_address"),
        ("5.0.0", "smtp; 550 Mailbox not found", Outcome.STOPPED, "mail:undelivered"),
        ("5.0.0", "smtp; 550 5.1.1 unknown", Outcome.STOPPED, "mail:no_such_address"),
        ("", "smtp; 550 5.2.2 over quota", Outcome.AGAIN, "mail:mailbox_full"),
        ("5.7.1", "smtp; 554 5.7.1 looks like spam", Outcome.AGAIN, "mail:refused_by_policy"),
        ("4.4.7", "smtp; 421 4.4.7 delivery time expired", Outcome.AGAIN, "mail:undelivered"),
        ("5.4.4", "X-Postfix; Host not found", Outcome.AGAIN, "mail:refused"),
    ],
)
def test_a_report_is_read_by_its_codes(sent: str, status: str, said: str, outcome: Outcome, reason: str) -> None:
    assert take(dsn(sent, READER, status=status, said=said)) is outcome
    assert db.session.scalar(select(BounceRow.reason)) == reason


def test_the_return_path_is_found_wherever_servers_leave_it(sent: str) -> None:
    assert take(dsn("bounce@example.com", READER, returned=sent)) is Outcome.STOPPED
    assert take(dsn("bounce@example.com", READER, name="<2@mx>"), to=sent.upper()) is Outcome.STOPPED
    assert len(stopped()) == 1


def test_a_report_in_a_way_of_its_own_counts_for_the_address_it_names(sent: str) -> None:
    assert take(qmail(sent, "somebody.else@customer.example")) is Outcome.NOT_OURS
    assert stopped() == []
    assert take(qmail(sent, READER)) is Outcome.STOPPED
    assert db.session.get_one(SuppressionRow, READER).reason == "mail:no_such_address"


def test_whoever_calls_it_spam_is_written_to_no_more(sent: str) -> None:
    assert take(complaint("fbl@example.com", sent)) is Outcome.STOPPED
    assert db.session.get_one(SuppressionRow, READER).reason == "mail:complained"


def test_an_address_refused_by_the_server_at_once_is_written_to_no_more(settings: Settings) -> None:
    from tests.smtp import moody

    with moody(["rcpt 550 5.1.1 no such user", "rcpt 550 go away", "250 ok"]) as server:
        app = create_app(replace(settings, smtp_url=server.url))
        with app.app_context():
            for number in (1, 2):
                write(number, f"p{number}@customer.example")
            mail.send_due(NOW)
            assert stopped() == ["p1@customer.example"], "a no that says nothing of the address stops one letter alone"
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def mailbox(settings: Settings, tmp_path: Path) -> Iterator[Mailbox]:
    """A mailbox behind the bounce address; the application's context is open, one letter was sent."""
    with imap_server() as box, caught_mail(tmp_path / "mail") as caught:
        app = create_app(
            replace(settings, smtp_url=caught.url, bounce_address="bounce@example.com", bounce_imap=box.url)
        )
        with app.app_context():
            write()
            mail.send_due(NOW)
            box.sent = str(caught.letters()[0]["X-Envelope-From"])  # type: ignore[attr-defined]
            yield box
            db.session.remove()
            db.engine.dispose()


def test_the_mailbox_is_read_once_and_its_messages_are_marked(mailbox: Any) -> None:
    mailbox.put(absence(mailbox.sent))
    mailbox.put(dsn(mailbox.sent, READER))
    assert bounce_mailbox.poll(NOW) == {Outcome.NO_BOUNCE: 1, Outcome.STOPPED: 1}
    assert mailbox.unseen() == []
    assert bounce_mailbox.poll(NOW) == {}
    assert stopped() == [READER]
    assert not [command for command in mailbox.commands if "EXPUNGE" in command or "Deleted" in command]


def test_a_connection_that_breaks_before_the_mark_counts_nothing_twice(mailbox: Any) -> None:
    mailbox.put(dsn(mailbox.sent, READER, status="5.2.2", said="smtp; 552 5.2.2 full"))
    mailbox.breaks = 3
    for _ in range(3):
        with suppress(*bounce_mailbox.FAILURES):
            bounce_mailbox.poll(NOW)
        assert mailbox.unseen() == [1]
    assert bounce_mailbox.poll(NOW) == {Outcome.REPEATED: 1}
    assert db.session.scalar(select(func.count()).select_from(BounceRow)) == 1
    assert stopped() == []


def test_a_wrong_password_or_folder_is_said_and_marks_nothing(mailbox: Any, settings: Settings) -> None:
    mailbox.put(dsn(mailbox.sent, READER))
    for url in (mailbox.url.replace(mailbox.password, "wrong"), f"{mailbox.url}/Elsewhere"):
        with pytest.raises(bounce_mailbox.FAILURES), bounce_mailbox.opened(url):
            pass
    assert mailbox.unseen() == [1]


def test_a_message_comes_in_by_a_pipe(settings: Settings, tmp_path: Path) -> None:
    with caught_mail(tmp_path / "mail") as caught:
        app = create_app(replace(settings, smtp_url=caught.url, bounce_address="bounce@example.com"))
        with app.app_context():
            write()
            mail.send_due(NOW)
            path = str(caught.letters()[0]["X-Envelope-From"])
            db.session.remove()
            db.engine.dispose()
    environ = {"REVIEW_DATA": str(settings.data_dir), "REVIEW_KEYS": str(settings.keys_dir), "LANG": "en_US.UTF-8"}

    def pipe(raw: bytes, **more: str) -> str:
        command, environment = [sys.executable, "-m", "review", "bounce"], {"PATH": "/usr/bin", **environ, **more}
        done = subprocess.run(command, input=raw, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert "no report of a bounce" in pipe(b"\xff\x00 what is this")
    assert "no return path" in pipe(dsn("bounce+1-aaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", READER))
    told = pipe(dsn("bounce@example.com", READER), ORIGINAL_RECIPIENT=path)
    assert told == "Nothing is sent to this address any more.\n"
    with app.app_context():
        assert stopped() == [READER]
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOUNCE_ADDRESS", "not an address"),
        ("BOUNCE_ADDRESS", "a+b@example.com"),
        ("BOUNCE_ADDRESS", f"{'x' * 27}@example.com"),
        ("BOUNCE_IMAP", "imaps://host/INBOX"),
        ("BOUNCE_IMAP", "pop3://user:secret@host"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Settings.from_env({"REVIEW_DATA": str(tmp_path / "instance"), name: value})
    assert refusal.value.problems[0].where == name


def test_the_worker_that_leads_looks_into_the_mailbox_and_survives_one_it_cannot_read(
    mailbox: Any, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    from review.workflow.worker import Worker

    mailbox.put(dsn(mailbox.sent, READER))
    Worker(create_app(replace(settings, bounce_imap=mailbox.url)), now=lambda: NOW)._fetch_bounces()
    assert mailbox.unseen() == []
    assert stopped() == [READER]
    wrong = mailbox.url.replace(mailbox.password, "wrong")
    Worker(create_app(replace(settings, bounce_imap=wrong)), now=lambda: NOW)._fetch_bounces()
    assert "the bounce mailbox could not be read" in caplog.text
    assert "wrong" not in caplog.text
