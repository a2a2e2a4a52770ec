"""Getting in for the first time, and again after forgetting: links in letters, codes on slips, each good for once."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from review.domain.access import Role
from review.domain.refusals import Invalid, TooLate
from review.infra import mail
from review.infra.audit import AuditRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.people import activation, directory
from review.people.tables import AttemptRow, PersonRow
from tests.make import NOW, Cast, Somebody, make_person

GOOD = "four quiet blue kettles"


@pytest.fixture
def newcomers(app: Flask, cast: Cast) -> Cast:
    """Nia has an address, Noe has none; neither has a password."""
    with app.app_context():
        made = {"nia": make_person("Nia", locale="en"), "noe": make_person("Noe", email=None, employee_no="0042")}
        for person in made.values():
            db.session.get(PersonRow, person.id).password_hash = None
        db.session.commit()
    return cast | made


def letter_to(app: Flask, kind: str) -> tuple[str, str]:
    """The text of the one letter of a kind, and the path of its link."""
    with app.app_context():
        row = db.session.scalar(select(LetterRow).where(LetterRow.kind == kind))
        message = mail.render(row, NOW)
        text = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
    link = next(word for word in text.split() if word.startswith("http://localhost/activate/"))
    assert link in html
    assert "<style" not in html.split("<body")[1]
    return text, link.removeprefix("http://localhost")


def people(app: Flask, name: str) -> PersonRow:
    return db.session.scalar(select(PersonRow).where(PersonRow.name == name))


def test_a_letter_brings_somebody_in_and_its_link_works_once(app, newcomers, browse):
    browse(newcomers["hana"]).post("/people/letters")
    text, link = letter_to(app, "people:activation")
    assert "Hello Nia" in text
    browser = browse(locale="en")
    page = browser.get(link)
    assert newcomers["nia"].employee_no in page.words
    assert browser.submit(page, {"password": GOOD, "again": GOOD}, form=link).location == "/"
    assert "Nia" in browser.get("/account").words
    late = browse(locale="en").get(link, status=410)
    assert "used" in late.words
    browse(locale="en").post(link, {"password": GOOD, "again": GOOD}, status=410)


@pytest.mark.parametrize(
    ("locale", "subject"), [("zh", "开通你在环评 Review360的环评账号"), ("en", "Set up your account at")]
)
def test_a_letter_is_written_in_its_readers_language(app, newcomers, locale, subject):
    with app.app_context():
        people(app, "Nia").locale = locale
        activation.send_letters(newcomers["hana"].id, NOW)
        db.session.commit()
        row = db.session.scalar(select(LetterRow))
        message = mail.render(row, NOW)
        assert subject in message["Subject"]
        html = message.get_body(("html",)).get_content()
        assert "Nia" in html
        assert ("2026年4月15日" if locale == "zh" else "15 Apr 2026") in html
        assert "token" not in str(row.params)


def test_pressing_the_button_twice_sends_one_letter_and_the_next_day_another(app, newcomers):
    hana = newcomers["hana"].id
    with app.app_context():
        assert [activation.send_letters(hana, NOW) for _ in range(2)] == [1, 0]
        assert activation.send_letters(hana, NOW + timedelta(days=1)) == 1
        lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "people:activation:letters_written"))
        assert [line.details for line in lines] == [{"count": 1}, {"count": 1}]


def test_a_link_runs_out_and_cannot_be_stretched(app, newcomers):
    with app.app_context():
        nia = people(app, "Nia")
        until = int((NOW + timedelta(days=14)).timestamp())
        token = activation.token_of(nia, until)
        assert activation.opened_by(token, NOW + timedelta(days=14)).id == nia.id
        stretched = token.replace(str(until), str(until + 10**6))
        other = f"{newcomers['bo'].id}.{token.partition('.')[2]}"
        for forged in (stretched, other, token[:-1], token + "x", "", ".", "1.2", "１.2.3", f"{nia.id}.-1.x", "9" * 40):
            with pytest.raises(TooLate):
                activation.opened_by(forged, NOW)
        with pytest.raises(TooLate):
            activation.opened_by(token, NOW + timedelta(days=14, seconds=1))


def test_a_weak_password_is_refused_and_the_link_still_works(app, newcomers, browse):
    browse(newcomers["hana"]).post("/people/letters")
    _, link = letter_to(app, "people:activation")
    browser = browse(locale="en")
    page = browser.get(link)
    refused = browser.submit(page, {"password": "password123", "again": "password123"}, form=link, status=422)
    assert "most common" in refused.words
    differing = browser.submit(page, {"password": GOOD, "again": GOOD + "x"}, form=link, status=422)
    assert "differ" in differing.words
    browser.submit(page, {"password": GOOD, "again": GOOD}, form=link)


def test_two_at_once_with_one_link_set_one_password(app, newcomers):
    with app.app_context():
        first = db.session.get(PersonRow, newcomers["nia"].id)
        db.session.execute(select(1))
        stale = first.activation
        activation.choose_password(first, GOOD, GOOD, NOW)
        db.session.expire_all()
        again = db.session.get(PersonRow, newcomers["nia"].id)
        db.session.expunge(again)
        again.activation = stale
        with pytest.raises(Invalid, match="people:link_used"):
            activation.choose_password(again, "five quiet blue kettles", "five quiet blue kettles", NOW)


@pytest.mark.parametrize("who", ["ada@example.com", "ADA@EXAMPLE.COM", "E096382"])
def test_a_forgotten_password_is_answered_by_a_letter(app, newcomers, browse, who):
    browser = browse(locale="en")
    page = browser.get("/forgotten-password")
    for _ in range(3):
        done = browser.submit(page, {"who": who}, form="/forgotten-password")
    with app.app_context():
        assert len(db.session.scalars(select(LetterRow)).all()) == 1, "one letter an hour, however often one asks"
    assert "a letter with a link is on its way" in browser.follow(done).words
    text, link = letter_to(app, "people:password_reset")
    assert "new password" in text
    browser.submit(browser.get(link), {"password": GOOD, "again": GOOD}, form=link)
    browser.get("/account")


@pytest.mark.parametrize("who", ["nobody@example.com", "0042", "E000000"])
def test_asking_tells_nobody_whether_an_account_exists(app, newcomers, browse, who):
    browser = browse(locale="en")
    done = browser.submit(browser.get("/forgotten-password"), {"who": who}, form="/forgotten-password")
    assert "a letter with a link is on its way" in browser.follow(done).words
    with app.app_context():
        assert db.session.scalar(select(LetterRow.id)) is None


def print_slip(browse, newcomers, who: Somebody | None = None, by: str = "hana") -> str:
    """The code on the slip of one person, or of everybody without an address, as HR reads it from the page."""
    browser = browse(newcomers[by])
    page = browser.follow(browser.post("/people/slips", {"person": who.id} if who else {}))
    return page.soup.find(class_="r-slip-code").get_text(strip=True)


def use_slip(browser, number: str, code: str, password: str = GOOD, status: int = 302):
    data = {"number": number, "code": code, "password": password, "again": password}
    return browser.submit(browser.get("/activate"), data, form="/activate", status=status)


@pytest.mark.parametrize(
    "vary", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')} "]
)
def test_a_slip_brings_in_somebody_without_an_address(app, newcomers, browse, vary):
    code = print_slip(browse, newcomers)
    assert len(code.replace("-", "")) == 12
    assert not set(code) & set("01OILU")
    browser = browse(locale="en")
    use_slip(browser, "0042", vary(code))
    assert "Noe" in browser.get("/account").words


def test_a_slip_works_once_and_for_its_owner_only(app, newcomers, browse):
    code = print_slip(browse, newcomers)
    use_slip(browse(locale="en"), newcomers["nia"].employee_no, code, status=422)
    use_slip(browse(locale="en"), "0042", code)
    again = use_slip(browse(locale="en"), "0042", code, "another good password", status=422)
    assert "has been used" in again.words


def test_a_code_that_was_never_issued_opens_nothing(app, newcomers, browse):
    with app.app_context():
        code = activation.slip_code(people(app, "Noe"))
    use_slip(browse(), "0042", code, status=422)


def test_a_new_slip_makes_the_old_one_and_a_mailed_link_worthless(app, newcomers, browse):
    browse(newcomers["hana"]).post("/people/letters")
    _, link = letter_to(app, "people:activation")
    old = print_slip(browse, newcomers, newcomers["nia"])
    fresh = print_slip(browse, newcomers, newcomers["nia"])
    assert old != fresh
    browse().get(link, status=410)
    use_slip(browse(), newcomers["nia"].employee_no, old, status=422)
    use_slip(browse(), newcomers["nia"].employee_no, fresh)


def test_a_slip_runs_out_after_thirty_days(app, newcomers):
    with app.app_context():
        activation.issue_slips(None, newcomers["hana"].id, NOW)
        code = activation.slip_code(people(app, "Noe"))
        late = NOW + timedelta(days=30, seconds=1)
        with pytest.raises(Invalid, match="people:wrong_slip"):
            activation.activate_by_slip("0042", code, GOOD, GOOD, late, source="here")
        assert activation.slips(newcomers["hana"].id, late, None, None) == []


def test_guessing_codes_is_slowed_down(app, newcomers, browse):
    browser = browse(locale="en")
    for _ in range(5):
        use_slip(browser, "0042", "AAAA-BBBB-CCCC", status=422)
    assert "Too many tries" in use_slip(browser, "0042", "AAAA-BBBB-CCCC", status=429).words


def test_hr_prints_no_slip_of_an_administrator(app, newcomers, browse):
    browser = browse(newcomers["hana"])
    done = browser.post("/people/slips", {"person": newcomers["max"].id})
    assert "No slip can be printed" in browser.follow(done).words
    print_slip(browse, newcomers, newcomers["max"], by="max")
    assert "Max" not in browse(newcomers["hana"]).get("/people/slips").words
    assert "Max" in browse(newcomers["max"]).get("/people/slips").words


def test_looking_at_slips_issues_none_and_issuing_is_told(app, newcomers, browse):
    assert "No slip is out" in browse(newcomers["hana"]).get("/people/slips").words
    print_slip(browse, newcomers)
    with app.app_context():
        lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "people:activation:slips_issued")).all()
        assert [line.details["people"] for line in lines] == [[newcomers["noe"].id]]
        assert activation.slip_code(people(app, "Noe")) not in str([line.details for line in lines])


def test_slips_are_for_hr_alone(newcomers, browse):
    for url in ("/people/slips",):
        browse(newcomers["ada"]).get(url, status=404)
        browse(newcomers["sam"]).get(url, status=404)
    browse(newcomers["ada"]).post("/people/slips", status=404)
    browse(newcomers["ada"]).post("/people/letters", status=404)


def test_somebody_changes_their_password_and_stays_in_while_other_devices_do_not(app, newcomers, browse):
    with app.app_context():
        from review.people import accounts

        accounts.set_password(directory.person(newcomers["ada"].id), GOOD, NOW, by=None)
        db.session.commit()
    here, there = browse(locale="en"), browse(locale="en")
    for browser in (here, there):
        browser.submit(browser.get("/sign-in"), {"who": "ada@example.com", "password": GOOD}, form="/sign-in")
    fresh = "five quiet blue kettles"
    typed = {"current": GOOD, "password": fresh, "again": fresh}
    wrong = here.submit(here.get("/account"), typed | {"current": "wrong"}, form="/account", status=422)
    assert "not your present password" in wrong.words
    done = here.submit(here.get("/account"), typed, form="/account")
    assert "has been changed" in here.follow(done).words
    there.get("/account", status=302)


def test_guessing_the_present_password_is_slowed_down(app, newcomers, browse):
    browser = browse(newcomers["ada"])
    typed = {"current": "wrong", "password": GOOD, "again": GOOD}
    for _ in range(5):
        browser.submit(browser.get("/account"), typed, form="/account", status=422)
    browser.submit(browser.get("/account"), typed, form="/account", status=429)
    with app.app_context():
        assert db.session.scalar(select(AttemptRow.about)).isascii()


def test_an_administrator_by_role_may_have_a_letter_like_anybody(app, newcomers):
    with app.app_context():
        boss = make_person("Boss", roles=(Role.ADMINISTRATOR,))
        db.session.get(PersonRow, boss.id).password_hash = None
        assert activation.send_letters(newcomers["hana"].id, now()) == 2
