"""Letters over real SMTP: sent once, kept when the server sulks, recognisable when repeated, and nobody's headers."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from review.app import create_app
from review.domain.refusals import TooLate
from review.infra import claims, mail, outbox, smtp_client
from review.infra.db import db
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from tests.make import NOW, make_person
from tests.smtp import caught_mail, moody

KIND = "people:activation"
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def post(settings: Settings) -> Iterator[Any]:
    """`post(url)` is the application sending to that server."""
    made: list[Flask] = []

    def build(url: str | None) -> Flask:
        app = create_app(Settings(**{n: getattr(settings, n) for n in settings.__slots__} | {"smtp_url": url}))
        made.append(app)
        return app

    yield build
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def write(number: int, to: str = "", locale: str = "zh") -> None:
    """One letter to a new colleague, with everything its templates need."""
    somebody = make_person(f"Person {number}", locale=locale)
    until = int((NOW + timedelta(days=7)).timestamp())
    params = {"person": somebody.id, "until": until}
    outbox.put(KIND, f"person:{somebody.id}", to or f"p{number}@example.com", locale, params, now=NOW)


def states() -> list[tuple[str, LetterState, int]]:
    rows = db.session.execute(select(LetterRow.to, LetterRow.state, LetterRow.attempts).order_by(LetterRow.id)).all()
    db.session.rollback()
    return [tuple(row) for row in rows]


def test_letters_arrive_in_the_readers_language_with_text_html_and_honest_headers(post: Any, tmp_path: Path) -> None:
    with caught_mail(tmp_path / "mail") as caught, post(caught.url).app_context():
        write(1, locale="zh")
        write(2, locale="en")
        db.session.commit()
        assert mail.send_due(NOW) == 2
        chinese, english = caught.letters()
        assert mail.send_due(LATER) == 0
        assert [state for _, state, _ in states()] == [LetterState.SENT, LetterState.SENT]
    assert chinese["X-Envelope-To"] == "p1@example.com" == chinese["To"]
    assert "设置" in chinese["Subject"] or "账" in chinese["Subject"]
    assert english["Subject"].startswith("Set up your account")
    assert chinese["Auto-Submitted"] == "auto-generated"
    assert chinese["Message-ID"] != english["Message-ID"]
    for letter in (chinese, english):
        text, html = letter.get_body(("plain",)), letter.get_body(("html",))
        assert text is not None
        assert html is not None
        assert "http://localhost/" in text.get_content()
        assert "<style" not in html.get_content().split("<body")[1]
        assert 'style="' in html.get_content()
        assert "<img" not in html.get_content()


def test_without_a_mail_server_letters_wait(post: Any) -> None:
    with post(None).app_context():
        write(1)
        db.session.commit()
        assert mail.send_due(NOW) == 0
        assert states() == [("p1@example.com", LetterState.WAITING, 0)]


def test_a_server_that_says_later_gets_the_same_letter_again(post: Any) -> None:
    with moody(["451 busy", "rcpt 450 greylisted", "250 ok"]) as server, post(server.url).app_context():
        write(1)
        db.session.commit()
        mail.send_due(NOW)
        assert states() == [("p1@example.com", LetterState.WAITING, 1)]
        assert mail.send_due(NOW) == 0  # not before its time
        mail.send_due(NOW + timedelta(minutes=5))
        mail.send_due(LATER)
        assert states() == [("p1@example.com", LetterState.SENT, 3)]
        assert len(server.received) == 1


@pytest.mark.parametrize("answer", ["550 no such mailbox", "rcpt 550 no such mailbox"])
def test_a_final_no_ends_one_letter_and_no_other(post: Any, answer: str) -> None:
    with moody([answer, "250 ok"]) as server, post(server.url).app_context():
        write(1)
        write(2)
        db.session.commit()
        mail.send_due(NOW)
        assert [state for _, state, _ in states()] == [LetterState.FAILED, LetterState.SENT]
        assert mail.send_due(LATER) == 0
        assert [letter["To"] for letter in server.received] == ["p2@example.com"]


def test_a_letter_that_never_gets_through_is_given_up_after_twelve_attempts(post: Any) -> None:
    with moody(["451 later"]) as server, post(server.url).app_context():
        write(1)
        db.session.commit()
        for day in range(claims.TRIES + 3):
            mail.send_due(NOW + timedelta(days=day))
        assert states() == [("p1@example.com", LetterState.FAILED, claims.TRIES)]


@pytest.mark.parametrize("answer", ["drop", "421 closing", "rcpt 421 closing"])
def test_a_connection_that_breaks_costs_only_the_letter_on_the_wire_an_attempt(post: Any, answer: str) -> None:
    with moody(["250 ok", answer, "250 ok"]) as server, post(server.url).app_context():
        for number in (1, 2, 3, 4):
            write(number)
        db.session.commit()
        mail.send_due(NOW)
        assert states() == [
            ("p1@example.com", LetterState.SENT, 1),
            ("p2@example.com", LetterState.WAITING, 1),
            ("p3@example.com", LetterState.WAITING, 0),
            ("p4@example.com", LetterState.WAITING, 0),
        ]
        mail.send_due(NOW + timedelta(minutes=1))
        assert [state for _, state, _ in states()][2:] == [LetterState.SENT, LetterState.SENT]
        mail.send_due(LATER)
        assert {state for _, state, _ in states()} == {LetterState.SENT}


def test_a_repeat_after_a_lost_answer_is_the_same_letter_with_the_same_link(post: Any) -> None:
    with moody(["drop", "250 ok"]) as server, post(server.url).app_context():
        write(1)
        db.session.commit()
        mail.send_due(NOW)
        mail.send_due(LATER)
        first, second = server.received
        assert first["Message-ID"] == second["Message-ID"]
        bodies = [letter.get_body(("plain",)) for letter in (first, second)]
        assert bodies[0] is not None
        assert bodies[1] is not None
        assert bodies[0].get_content() == bodies[1].get_content()


def test_a_server_that_is_down_for_days_costs_no_letter_an_attempt(post: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with post(f"smtp://127.0.0.1:{port}").app_context():
        write(1)
        db.session.commit()
        for day in range(10):
            assert mail.send_due(NOW + timedelta(days=day)) == 1
        assert states() == [("p1@example.com", LetterState.WAITING, 0)]


@pytest.mark.parametrize(
    "to",
    [
        "a@example.com\r\nBcc: everybody@example.com",
        "a@example.com\nX: y",
        "a@example.com, b@example.com",
        "not an address",
        "",
    ],
)
def test_no_header_and_no_second_reader_gets_in_by_an_address(post: Any, tmp_path: Path, to: str) -> None:
    with caught_mail(tmp_path / "mail") as caught, post(caught.url).app_context():
        write(1, to or "@")
        write(2)
        db.session.commit()
        mail.send_due(NOW)
        assert [letter["X-Envelope-To"] for letter in caught.letters()] == ["p2@example.com"]
        assert [state for _, state, _ in states()] == [LetterState.WAITING, LetterState.SENT]


def test_a_name_with_line_breaks_cannot_write_headers(post: Any, tmp_path: Path) -> None:
    app = post(None)
    with app.app_context():
        write(1)
        db.session.commit()
        row = db.session.scalar(select(LetterRow))
        assert row is not None
        app.extensions["review"].letters[KIND] = lambda _params: {
            "name": "Ada\r\nBcc: x@example.com",
            "employee_no": "1",
            "link": "http://localhost/",
            "until": {"zh": "", "en": ""},
            "headers": {"List-Unsubscribe": "<http://localhost/>\r\nBcc: x@example.com"},
        }
        with pytest.raises(ValueError, match=r"linefeed|newline|Header"):
            mail.render(row, NOW)


def test_a_letter_whose_matter_is_over_is_not_sent_and_not_tried_again(post: Any, tmp_path: Path) -> None:
    def over(_params: Any) -> dict[str, Any]:
        raise TooLate("cycles:closed")

    with caught_mail(tmp_path / "mail") as caught:
        app = post(caught.url)
        app.extensions["review"].letters[KIND] = over
        with app.app_context():
            write(1)
            db.session.commit()
            mail.send_due(NOW)
            assert states() == [("p1@example.com", LetterState.FAILED, 1)]
            assert caught.letters() == []


def test_a_killed_worker_leaves_its_letters_to_the_next(post: Any, tmp_path: Path) -> None:
    with caught_mail(tmp_path / "mail") as caught, post(caught.url).app_context():
        write(1)
        db.session.commit()
        assert len(claims.claim(NOW, 10)) == 1  # claimed, and then the worker is gone
        assert mail.send_due(NOW + timedelta(minutes=5)) == 0
        assert mail.send_due(NOW + claims.LEASE + timedelta(seconds=1)) == 1
        assert len(caught.letters()) == 1


def test_nothing_is_locked_while_a_slow_server_is_talked_to(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with moody(["250 ok"]) as server, post(server.url).app_context():
        write(1)
        db.session.commit()
        held: list[bool] = []
        real = smtp_client.smtplib.SMTP.send_message

        def watching(client: Any, message: Any, **options: Any) -> Any:
            held.append(db.session().in_transaction())
            return real(client, message, **options)

        monkeypatch.setattr(smtp_client.smtplib.SMTP, "send_message", watching)
        mail.send_due(NOW)
        assert held == [False]


def test_the_catcher_runs_as_a_program_of_its_own(tmp_path: Path, post: Any) -> None:
    command = [sys.executable, "-m", "review.infra.mail_catcher", str(tmp_path / "box")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        assert url.startswith("smtp://127.0.0.1:")
        with post(url).app_context():
            write(1)
            db.session.commit()
            assert mail.send_due(NOW) == 1
        running.terminate()
        assert running.wait(10) == 0
    assert len(list((tmp_path / "box" / "new").iterdir())) == 1


def test_a_slow_batch_holds_on_to_its_letters_and_lets_go_of_lost_ones(app: Flask) -> None:
    with app.app_context():
        for number in range(2):
            outbox.put("people:activation", f"person:{number}", f"p{number}@example.com", "zh", {}, now=NOW)
        db.session.commit()
        mine = claims.claim(NOW, 2)
        assert len(mine) == 2
        db.session.execute(
            update(LetterRow).where(LetterRow.id == mine[0].id).values(attempts=LetterRow.attempts + 1)
        )  # another worker claimed it after a lease that ran out
        db.session.commit()
        assert [row.id for row in claims.renew(mine, NOW + claims.LEASE / 2)] == [mine[1].id]
        assert [row.id for row in claims.claim(NOW + claims.LEASE + timedelta(seconds=1), 2)] == [mine[0].id]
