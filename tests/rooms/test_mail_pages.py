"""HR's and the administrator's pages of the mail: how far it is, holding back, stopped addresses, limits, a test."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from flask import Flask
from sqlalchemy import select, update

from review.app import create_app
from review.infra import bounces, mail_check, mail_progress, outbox, pacing, suppression
from review.infra.audit import AuditRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.mail_catcher import Catcher
from review.infra.outbox import LetterRow, LetterState
from review.infra.settings import Settings
from review.infra.suppression import Stopped
from tests.browse import Browser
from tests.imap import imap_server
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle
from tests.postgres import free_port
from tests.smtp import moody

Browse = Callable[..., Browser]


def audited(app: Flask, action: str) -> list[AuditRow]:
    with app.app_context():
        return list(db.session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


@pytest.fixture
def hr(browse: Browse, cast: Cast) -> Browser:
    return browse(cast["hana"], "en")


@pytest.fixture
def admin(browse: Browse, cast: Cast) -> Browser:
    return browse(cast["max"], "en")


@pytest.fixture
def letters(app: Flask, cast: Cast) -> int:
    """Ten letters of one cycle: five sent in the last minutes, two failed, one came back, two wait; its number."""
    with app.app_context():
        cycle_id, at = make_cycle(cast), now()
        for number in range(10):
            outbox.put("workflow:opening", f"cycle:{cycle_id}", f"p{number}@example.com", "en", {}, now=at)
        rows = list(db.session.scalars(select(LetterRow).order_by(LetterRow.id)))
        for number, row in enumerate(rows[:5]):
            row.state, row.sent_at = LetterState.SENT, at - timedelta(seconds=60 * number)
        for row in rows[5:7]:
            row.state, row.reason, row.error = LetterState.FAILED, "mail:refused", "550 no"
        rows[7].state, rows[7].reason = LetterState.BOUNCED, "mail:no_such_address"
        db.session.commit()
    return cycle_id


def test_progress_is_told_by_kind_and_cycle_with_rate_and_end(app: Flask, letters: int) -> None:
    with app.app_context():
        [line] = mail_progress.lines()
        assert (line.kind, line.batch) == ("workflow:opening", f"cycle:{letters}")
        assert (line.waiting, line.sent, line.failed, line.bounced, line.total) == (2, 5, 2, 1, 10)
        assert line.done_percent == 80
        at = now()
        pace = mail_progress.pace(120, at)
        assert pace.per_minute == 1
        assert pace.done_at == at + timedelta(minutes=120)
        assert mail_progress.pace(0, at).done_at is None
        assert mail_progress.pace(120, at + timedelta(hours=1)) == mail_progress.Pace(0, None)
        assert mail_progress.reasons() == [("mail:refused", 2), ("mail:no_such_address", 1)]


def test_the_page_says_how_far_it_is_and_why_letters_do_not_arrive(hr: Browser, letters: int) -> None:
    words = hr.get("/admin/mail").words
    assert "2 letters wait. Lately 1 a minute left: at this rate all is through at about" in words
    assert "2 letters: The server refused this letter for good." in words
    assert "1 letter: There is no such address." in words
    assert "80%" in words


def test_failed_and_returned_letters_are_sent_again_and_that_is_noted(app: Flask, hr: Browser, letters: int) -> None:
    hr.submit(hr.get("/admin/mail"), {"all": "1"}, "/admin/mail")
    with app.app_context():
        [line] = mail_progress.lines()
        assert (line.waiting, line.failed, line.bounced) == (5, 0, 0)
    [row] = audited(app, "workflow:mail:sent_again")
    assert row.details == {"letters": 3}


def test_mail_is_held_back_and_let_go_on_by_kind_and_altogether(
    app: Flask, hr: Browser, admin: Browser, letters: int
) -> None:
    hr.post("/admin/mail/pause", {"kind": "workflow:opening", "act": "pause"})
    hr.post("/admin/mail/pause", {"kind": "workflow:opening", "act": "pause"})  # twice is once
    admin.post("/admin/mail/pause", {"kind": "*", "act": "pause"})
    words = hr.get("/admin/mail").words
    assert "All mail is held back." in words
    assert "held back" in words
    with app.app_context():
        assert set(pacing.paused()) == {"*", "workflow:opening"}
    hr.post("/admin/mail/pause", {"kind": "*", "act": "resume"})
    hr.post("/admin/mail/pause", {"kind": "*", "act": "resume"})
    with app.app_context():
        assert set(pacing.paused()) == {"workflow:opening"}
    assert [row.about for row in audited(app, "workflow:mail:paused")] == ["mail:workflow:opening", "mail:*"]
    assert [row.about for row in audited(app, "workflow:mail:resumed")] == ["mail:*"]
    hr.post("/admin/mail/pause", {"kind": "no:such:letter"}, status=404)


def test_stopped_addresses_are_listed_found_and_lifted_by_hr_alone(app: Flask, hr: Browser, admin: Browser) -> None:
    with app.app_context():
        for name in ("ada", "bo", "100%"):
            suppression.stop(f"{name}@x.example", Stopped.HARD, "mail:no_such_address", "550", letter_id=None, now=NOW)
        db.session.commit()
    assert "ada@x.example" in hr.get("/admin/mail/stopped").words
    found = hr.get("/admin/mail/stopped?q=%25").words
    assert "100%@x.example" in found
    assert "ada@x.example" not in found
    assert "Write to it again" not in admin.get("/admin/mail/stopped").words
    admin.post("/admin/mail/stopped", {"address": "ada@x.example"}, status=404)
    hr.post("/admin/mail/stopped", {"address": "ada@x.example"})
    hr.post("/admin/mail/stopped", {"address": "ada@x.example"})
    assert "ada@x.example" not in hr.get("/admin/mail/stopped").soup.find("table").get_text()  # type: ignore[union-attr]
    assert len(audited(app, "workflow:mail:lifted")) == 1


def test_limits_are_typed_one_a_line_and_kept_for_all_workers(app: Flask, admin: Browser, hr: Browser) -> None:
    page = admin.get("/admin/mail/setup")
    admin.submit(page, {"limits": "qq.com 60\n\n @163.com 30 \n* 200"}, "/admin/mail/setup")
    with app.app_context():
        assert pacing.limits() == {"qq.com": 60, "163.com": 30, "*": 200}
    shown = admin.get("/admin/mail/setup")
    assert "qq.com 60" in shown.text
    admin.submit(shown, {}, "/admin/mail/setup")
    assert len(audited(app, "workflow:mail:limited")) == 1, "what did not change is not noted"
    hr.get("/admin/mail/setup", status=404)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("qq.com", "Line 1: write a domain and a number"),
        ("qq.com 0", "Line 1: write a domain"),
        ("a.com 1\nqq.com -5", "Line 2: write a domain"),
        ("qq.com 1.5", "Line 1"),
        ("qq.com ٣", "Line 1"),
        ("qq com 5", "Line 1"),
        ("qq.com 5\nQQ.com 6", "Line 2: qq.com stands here a second time"),
        ("qq.com 100001", "Line 1: at most 100,000"),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_their_line(app: Flask, admin: Browser, typed: str, told: str) -> None:
    page = admin.submit(admin.get("/admin/mail/setup"), {"limits": typed}, "/admin/mail/setup", status=422)
    assert told in page.words
    assert typed.split("\n", maxsplit=1)[0] in page.text
    with app.app_context():
        assert pacing.limits() == {}


def test_the_settings_show_no_password(settings: Settings, cast: Cast) -> None:
    made = replace(
        settings,
        smtp_url="smtps://mailer:hunter2@smtp.example.com:465",
        bounce_address="bounce@example.com",
        bounce_imap="imaps://box:hunter3@imap.example.com/INBOX",
    )
    app = create_app(made)
    page = Browser(app, cast["max"], "en").get("/admin/mail/setup")
    assert "smtps://smtp.example.com:465" in page.words
    assert "bounce@example.com" in page.words
    assert "hunter" not in page.text
    with app.app_context():
        db.engine.dispose()


class Locked:
    """A server that asks for a password first, and for another one than is given."""

    def __call__(self, *_said: object) -> AuthResult:
        return AuthResult(success=False, handled=False)


def tried(url: str, sender: str = "hr@example.com") -> str:
    return mail_check.try_server(url, sender).code


def test_the_test_says_what_failed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_check, "PATIENCE", 0.5)
    assert tried(f"smtp://127.0.0.1:{free_port()}") == "mail:unreachable"
    with moody(["250 ok"]) as server:
        assert tried(server.url) == "mail:server_ok"
        assert tried(server.url.replace("smtp:", "smtps:")) in {"mail:tls", "mail:stalled", "mail:hung_up"}
        assert tried(server.url.replace("//", "//user:wrong@")) == "mail:not_supported"

    class Strict:
        async def handle_MAIL(self, *_said: object) -> str:  # noqa: N802  aiosmtpd's name
            return "553 not from you"

    with Catcher(Strict()) as running:
        found = mail_check.try_server(running.url, "hr@example.com")
        assert (found.code, found.is_ok) == ("mail:sender_refused", False)
        assert "553 not from you" in found.said


def test_a_wrong_password_of_the_mail_server_is_told_apart() -> None:
    class Guarded(Catcher):
        def factory(self) -> SMTP:
            return SMTP(self.handler, authenticator=Locked(), auth_require_tls=False)

    with Guarded(object()) as running:
        assert tried(running.url.replace("//", "//user:wrong@")) == "mail:sign_in"


def test_a_mailbox_is_tried_as_well() -> None:
    with imap_server() as box:
        assert mail_check.try_mailbox(box.url).code == "mail:mailbox_ok"
        assert mail_check.try_mailbox(box.url.replace(box.password, "x")).code == "mail:mailbox_sign_in"
        assert mail_check.try_mailbox(f"{box.url}/Elsewhere").code == "mail:mailbox_folder"
    assert mail_check.try_mailbox(box.url).code == "mail:unreachable"


def test_the_button_tries_and_tells(settings: Settings, cast: Cast) -> None:
    with imap_server() as box, moody(["250 ok"]) as server:
        app = create_app(replace(settings, smtp_url=server.url, bounce_imap=box.url))
        browser = Browser(app, cast["max"], "en")
        page = browser.follow(browser.submit(browser.get("/admin/mail/setup"), {}, "/setup/test"))
        assert "The mail server takes letters from us." in page.words
        assert "The mailbox can be read." in page.words
        assert server.received == []
        assert audited(app, "workflow:mail:tried")[0].details == {"found": ["mail:server_ok", "mail:mailbox_ok"]}
        with app.app_context():
            db.engine.dispose()


def test_every_reason_has_words_in_both_languages(app: Flask) -> None:
    import re
    from pathlib import Path

    from review.domain.refusals import Problem
    from review.infra.words import say

    infra = Path(bounces.__file__).parent
    codes = {code for path in infra.glob("*.py") for code in re.findall(r'"(mail:[a-z_]+)"', path.read_text())}
    assert len(codes) > 25
    params = {"name": "{x}", "allowed": "{y}"}
    for code in codes:
        for locale in ("en", "zh"):
            assert say(Problem(code, None, params), locale) != code, f"{code} has no words in {locale}"


def test_a_letter_that_came_back_blocks_the_board_like_one_that_failed(app: Flask, hr: Browser, letters: int) -> None:
    with app.app_context():
        db.session.execute(update(LetterRow).where(LetterRow.state == LetterState.FAILED).values(state="sent"))
        db.session.commit()
        from review.cycles.tables import CycleRow
        from review.workflow.board import _peers_and_failed_letters

        assert _peers_and_failed_letters(db.session.get_one(CycleRow, letters))[1] == 1
        db.session.rollback()


def test_ssl_is_asked_for_by_the_name_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of somebody else must not pass: the name that is checked is the one in SMTP_URL."""
    asked: list[str | None] = []
    real = ssl.SSLContext.wrap_socket

    def watching(context: ssl.SSLContext, sock: object, **options: object) -> object:
        asked.append(options.get("server_hostname"))  # type: ignore[arg-type]
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        return real(context, sock, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", watching)
    monkeypatch.setattr(mail_check, "PATIENCE", 0.3)
    with moody(["250 ok"]) as server:
        tried(server.url.replace("smtp://127.0.0.1", "smtps://localhost"))
    assert asked == ["localhost"]
