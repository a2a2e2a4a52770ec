"""HR writes the words of customers' letters: checked, filled in without harm, shown before, kept in versions, tried."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from review.app import create_app
from review.customer_survey import letters, service
from review.domain.refusals import Invalid, Taken
from review.helpdesk.tables import CustomerRow
from review.infra import mail, outbox, wording
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.infra.wording import LetterWordingRow, Words
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle
from tests.smtp import caught_mail

Browse = Callable[..., Browser]
KIND = "customer_survey:invitation"
HERE = "/admin/mail/words/invitation/en"
OURS = Words(
    "Was {agent} any help, {name}?",
    "Hello {name},\n\n{agent} dealt with {ticket} on {day}.\nTell us how.",
    "Until {until}; {questions} questions, {minutes} min.",
    "The {organisation} crew",
)


@pytest.fixture
def hr(browse: Browse, cast: Cast) -> Browser:
    return browse(cast["hana"], "en")


def write(words: Words = OURS, locale: str = "en", after: int = 0, by: int = 1) -> int:
    return wording.write(KIND, locale, words, after=after, by=by, now=NOW)


def invite(cast: Cast, name: str = "Cleo") -> int:
    """One invitation to a customer, in the outbox; the letter's number. Inside an application context."""
    from review.cycles.tables import CycleRow
    from tests.rooms.test_customer_survey import make_customer, make_ticket

    cycle = db.session.get_one(CycleRow, make_cycle(cast))
    make_ticket(make_customer(name, email="cleo@customer.example"), cast["ada"].id, "CASE-8213")
    service.queue_invitations(cycle, NOW)
    db.session.commit()
    return db.session.scalars(select(LetterRow.id)).one()


def rendered(letter: int) -> tuple[str, str, str]:
    message = mail.render(db.session.get_one(LetterRow, letter), NOW)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return str(message["Subject"]), text.get_content(), html.get_content()


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("kind", list(letters.WORDED))
def test_the_default_is_itself_what_hr_may_write(app: Flask, kind: str, locale: str) -> None:
    with app.app_context():
        words = wording.default(kind, locale)
        assert wording.check(kind, words) == words
        assert "{name}" in words.opening
        assert "%(" not in "".join((words.subject, words.opening, words.closing, words.signature))
        assert wording.current(kind, locale) == (words, 0)


def test_letters_leave_with_the_words_that_stand(app: Flask, cast: Cast) -> None:
    with app.app_context():
        letter = invite(cast)
        assert rendered(letter)[0].startswith("How was our service on ")
        assert write(by=cast["hana"].id) == 1
        subject, text, html = rendered(letter)
        assert subject == "Was Ada any help, Cleo?"
        assert "Hello Cleo,\n\nAda dealt with " in text
        assert "ticket ending in 8213 on " in text
        assert "questions, 1 min." in text
        assert "{" not in text
        assert "Tell us how." in html
        for word in ("unsubscribe", "never who answered what", "?r=5"):
            assert word in html, "what is ours to say stays"
        assert wording.write(KIND, "en", None, after=1, by=cast["hana"].id, now=NOW) == 2
        assert rendered(letter)[0].startswith("How was our service on ")
        kept = select(LetterWordingRow.locale, LetterWordingRow.version)
        rows = db.session.execute(kept.order_by(LetterWordingRow.version))
        assert [tuple(row) for row in rows] == [("en", 1), ("en", 2)]


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("opening", "Hello {nmae}, {agent} here.", "mail:unknown_placeholder"),
        ("opening", "Hello {agent.__class__}, {agent}", "mail:unknown_placeholder"),
        ("opening", "Hello {}, {agent}", "mail:unknown_placeholder"),
        ("opening", "Hello {name}.", "mail:placeholder_missing"),
        ("closing", "Soon.", "mail:placeholder_missing"),
        ("closing", "", "mail:placeholder_missing"),
        ("opening", "{agent} {", "mail:brace"),
        ("opening", "{agent} }}", "mail:brace"),
        ("subject", "", "form:required"),
        ("subject", "One\nBcc: everybody@example.com", "mail:one_line"),
        ("subject", "x" * 151, "form:too_long"),
        ("signature", "y" * 501, "form:too_long"),
        ("opening", "{agent} \u202eyou", "mail:invisible"),
        ("opening", "{agent} \x00", "mail:invisible"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_at_their_field(
    app: Flask, cast: Cast, field: str, text: str, code: str
) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refusal:
            write(replace(OURS, **{field: text}), by=cast["hana"].id)
        assert [(problem.code, problem.where) for problem in refusal.value.problems] == [(code, field)]
        assert db.session.scalar(select(func.count()).select_from(LetterWordingRow)) == 0


def test_nothing_in_words_or_names_becomes_html_or_a_placeholder(app: Flask, cast: Cast) -> None:
    with app.app_context():
        letter = invite(cast, "<b>{agent}</b> {until}")
        nasty = "<script>alert(1)</script> & {name} <img src=x> {agent}"
        write(Words("<i>{name}", nasty, nasty + " {until}", "</td></table>"), by=cast["hana"].id)
        subject, text, html = rendered(letter)
        assert subject == "<i><b>{agent}</b> {until}"
        assert "<b>{agent}</b> {until}" in text, "what stands in a name is never filled in"
        soup = BeautifulSoup(html, "html5lib")
        assert not soup.find_all(["script", "img", "i"])
        assert "<script>alert(1)</script> & <b>{agent}</b> {until} <img src=x> Ada" in soup.get_text()


def test_two_who_write_at_once_do_not_overwrite_each_other(app: Flask, cast: Cast) -> None:
    with app.app_context():
        write(by=cast["hana"].id)
        with pytest.raises(Taken):
            write(replace(OURS, subject="Mine"), after=0, by=cast["max"].id)
        for wrong in (-1, 2, 99):
            with pytest.raises(Taken):
                write(after=wrong, by=cast["max"].id)
        assert wording.current(KIND, "en")[0].subject == OURS.subject


def test_the_page_refuses_beside_the_field_and_keeps_what_was_typed(app: Flask, hr: Browser) -> None:
    page = hr.get(HERE)
    refused = hr.submit(page, {"opening": "Hello {nmae}", "act": "keep"}, HERE, status=422)
    error = refused.soup.find(id="opening-e")
    assert error is not None
    assert "{nmae} is no placeholder. These are: {agent}" in error.get_text()
    assert "{agent} must stand here" in error.get_text()
    assert "Hello {nmae}</textarea>" in refused.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LetterWordingRow)) == 0


def test_hr_keeps_looks_back_and_resets_and_all_is_noted(app: Flask, hr: Browser, cast: Cast) -> None:
    page = hr.get(HERE)
    hr.submit(page, {"subject": "Well, {name}?", "act": "keep"}, HERE)
    again = hr.submit(page, {"subject": "Other", "act": "keep"}, HERE, status=409)  # from the page opened before
    assert "Somebody else changed these words" in again.words
    assert 'value="Other"' in again.text
    shown = hr.get(HERE)
    assert "Well, {name}?" in shown.text
    assert "Hana" in shown.words
    hr.submit(shown, {"act": "reset"}, HERE)
    with app.app_context():
        assert wording.current(KIND, "en") == (wording.default(KIND, "en"), 2)
        rows = db.session.scalars(select(AuditRow).where(AuditRow.action == "workflow:mail:worded")).all()
        assert [(row.about, row.actor_id, row.details["version"]) for row in rows] == [
            (f"letter:{KIND}:en", cast["hana"].id, 1),
            (f"letter:{KIND}:en", cast["hana"].id, 2),
        ]


def test_a_preview_shows_both_languages_as_they_arrive_and_saves_nothing(app: Flask, hr: Browser) -> None:
    page = hr.get(HERE)
    shown = hr.submit(
        page, {"subject": "Typed {agent}", "opening": "<u>{agent}</u>", "act": "preview"}, HERE, status=200
    )
    frames = shown.soup.find_all("iframe")
    assert len(frames) == 2
    assert "as typed, not saved yet" in shown.words
    for frame in frames:
        assert frame.has_attr("sandbox")
        assert not frame["sandbox"], "the frame may do nothing at all"
        inside = BeautifulSoup(str(frame["srcdoc"]), "html5lib")
        policy = inside.find("meta", {"http-equiv": "Content-Security-Policy"})
        assert policy is not None
        assert "default-src 'none'; style-src 'sha256-" in str(policy["content"])
        assert not inside.find_all(["script", "img", "link", "u"])
        assert not inside.find_all(style=True)
    assert "Typed Lin Xiaowen" in str(frames[0]["srcdoc"])
    assert "李女士" in str(frames[1]["srcdoc"])
    policy_of_page = shown.response.headers["Content-Security-Policy"]
    known = re.findall(r"'sha256-[^']+'", str(frames[0]["srcdoc"]))
    assert known[0] in policy_of_page
    assert "unsafe" not in policy_of_page
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LetterWordingRow)) == 0
        assert db.session.scalar(select(func.count()).select_from(AuditRow)) == 0


def test_a_test_letter_is_marked_goes_to_the_typed_address_and_holds_no_real_link(
    settings: Settings, cast: Cast, tmp_path: Path
) -> None:
    from review.infra.clock import now

    with caught_mail(tmp_path / "mail") as caught:
        app = create_app(replace(settings, smtp_url=caught.url))
        hr = Browser(app, cast["hana"], "en")
        with app.app_context():
            write(by=cast["hana"].id)
            db.session.commit()
        told = hr.follow(hr.submit(hr.get(HERE), {"to": "me@example.com"}, f"{HERE}/test"))
        assert "A test is on its way to me@example.com." in told.words
        with app.app_context():
            assert mail.send_due(now()) == 1
            [row] = db.session.scalars(select(AuditRow).where(AuditRow.action == "workflow:mail:tested"))
            assert row.details == {"to": "me@example.com"}
            db.session.remove()
            db.engine.dispose()
        [letter] = caught.letters("me@example.com")
    assert letter["Subject"] == "[Test] Was Lin Xiaowen any help, Ms Li?"
    body = letter.get_body(("plain",))
    assert body is not None
    assert "only tries the words out" in body.get_content()
    assert set(re.findall(r"/s/(\S+)", body.get_content())) == {"test", "test/unsubscribe?lang=en"}
    assert letter["List-Unsubscribe"] is None


def test_tests_are_few_and_go_to_addresses_only(app: Flask, hr: Browser, browse: Browse, cast: Cast) -> None:
    for wrong in ("", "nobody", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com"):
        hr.submit(hr.get(HERE), {"to": wrong}, f"{HERE}/test", status=422)
    for _ in range(5):
        hr.submit(hr.get(HERE), {"to": "me@example.com"}, f"{HERE}/test")
    sixth = hr.submit(hr.get(HERE), {"to": "me@example.com"}, f"{HERE}/test", status=422)
    assert "5 tests in ten minutes are enough" in sixth.words
    assert 'value="me@example.com"' in sixth.text
    browse(cast["max"], "en").post(f"{HERE}/test", {"to": "me@example.com"}, status=404)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 5
        db.session.execute(
            LetterRow.__table__.delete()
        )  # what was noted is what counts, not what still lies in the outbox
        db.session.commit()
    hr.submit(hr.get(HERE), {"to": "me@example.com"}, f"{HERE}/test", status=422)


@pytest.mark.parametrize("path", ["/admin/mail/words/opening/en", "/admin/mail/words/invitation/fr"])
def test_letters_that_are_not_hrs_to_word_are_nowhere(hr: Browser, path: str) -> None:
    hr.get(path, status=404)


def test_a_customers_letter_is_fit_to_arrive(app: Flask, cast: Cast) -> None:
    with app.app_context():
        letter = invite(cast)
        row = db.session.get_one(LetterRow, letter)
        message = mail.render(row, NOW)
        assert message["Message-ID"] == mail.render(row, NOW + timedelta(days=1))["Message-ID"]
        assert str(letter) != message["Message-ID"].partition("@")[0].strip("<")
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Precedence"] is None
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        soup = BeautifulSoup(message.get_body(("html",)).get_content(), "html5lib")  # type: ignore[union-attr]
        assert not soup.find_all(["img", "script", "link", "iframe", "object"])
        loaded = [tag for tag in soup.find_all(True) for name in ("src", "background", "srcset") if tag.get(name)]
        assert not loaded
        assert "url(" not in str(soup)
        addresses = [str(link["href"]) for link in soup.find_all("a")]
        assert all(address.startswith("http://localhost/s/") for address in addresses)
        stars = [address for address in addresses if "?r=" in address]
        assert [address[-1] for address in stars] == list("12345")
        assert len(soup.find("table", class_="stars").find_all("td")) == 5  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_from_a_mail_program_unsubscribes_without_cookie_or_token(
    settings: Settings, cast: Cast, tmp_path: Path, kind: str
) -> None:
    """The whole way of RFC 8058: the header as it arrived, one POST with its body, no session whatever."""
    with caught_mail(tmp_path / "mail") as caught:
        app = create_app(replace(settings, smtp_url=caught.url))
        with app.app_context():
            invite(cast)
            mail.send_due(NOW + timedelta(days=1))
            db.session.remove()
        [letter] = caught.letters()
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = letter["List-Unsubscribe"].strip("<>").removeprefix("http://localhost")
    client = app.test_client(use_cookies=False)
    assert client.get(address).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(CustomerRow.unsubscribed_at)) is None, "looking unsubscribes nobody"
        db.session.remove()
    answer = client.post(address, data={"List-Unsubscribe": "One-Click"}, content_type=kind)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    with app.app_context():
        assert db.session.scalar(select(CustomerRow.unsubscribed_at)) is not None
        db.session.remove()
        db.engine.dispose()


def test_the_database_itself_refuses_a_second_reminder(app: Flask, cast: Cast) -> None:
    with app.app_context():
        invite(cast)
        row = db.session.scalars(select(LetterRow)).one()
        values: dict[str, Any] = {
            **outbox.letter(service.REMINDER, row.about, row.to, "en", row.params, now=NOW),
        }
        outbox.put_all([values])
        outbox.put_all([values])
        assert db.session.scalar(select(func.count()).where(LetterRow.kind == service.REMINDER)) == 1
        db.session.execute(update(LetterRow).values(state="sent", sent_at=NOW))
        with pytest.raises(IntegrityError):
            db.session.execute(insert(LetterRow), values)
