"""The door: signing in and out, waiting after too many tries, never being led out of the house."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from review.domain.refusals import Invalid
from review.infra.db import db
from review.people import accounts, directory, passwords
from review.people.tables import AttemptRow, PersonRow
from review.people.way_back import safe_way
from tests.make import NOW, Cast

GOOD = "four quiet blue kettles"


def give_password(app: Flask, cast: Cast, name: str = "ada") -> None:
    with app.app_context():
        accounts.set_password(directory.person(cast[name].id), GOOD, NOW, by=None)
        db.session.commit()


def sign_in(browser, who: str, password: str = GOOD, status: int = 302, **more):
    page = browser.get("/sign-in")
    return browser.submit(page, {"who": who, "password": password, **more}, form="/sign-in", status=status)


@pytest.mark.parametrize("typed", ["number", "e-mail", "E-MAIL", "number with blanks"])
def test_somebody_signs_in_by_number_or_address(app, cast, browse, typed):
    give_password(app, cast)
    number = cast["ada"].employee_no
    who = {
        "number": number,
        "e-mail": "ada@example.com",
        "E-MAIL": " ADA@example.com",
        "number with blanks": f" {number.lower()} ",
    }
    browser = browse()
    assert sign_in(browser, who[typed]).location == "/"
    assert cast["ada"].employee_no in browser.get("/account").words


def test_a_wrong_password_and_an_unknown_account_read_alike(app, cast, browse):
    give_password(app, cast)
    wrong = sign_in(browse(locale="en"), cast["ada"].employee_no, "not the password", status=422)
    unknown = sign_in(browse(locale="en"), "E999999", "not the password", status=422)
    assert "You are not signed in" in wrong.words
    assert wrong.words == unknown.words
    assert 'value="E999999"' in unknown.text, "what was typed stays"
    assert "not the password" not in unknown.text, "but never the password"


def test_every_refusal_costs_the_work_of_one_check_so_that_no_clock_tells_them_apart(app, cast, browse, monkeypatch):
    give_password(app, cast)
    give_password(app, cast, "bo")
    with app.app_context():
        directory.person(cast["bo"].id).left_on = NOW.date() - timedelta(days=3)
        directory.person(cast["cy"].id).password_hash = None
        db.session.commit()
    checked = []
    real = passwords.PasswordHasher.verify
    monkeypatch.setattr(passwords.PasswordHasher, "verify", lambda *given: checked.append(given[1]) or real(*given))
    work = {}
    for who in (cast["ada"].employee_no, cast["bo"].employee_no, cast["cy"].employee_no, "E999999"):
        checked.clear()
        sign_in(browse(), who, "not the password", status=422)
        work[who] = [kept.rpartition("$")[0].rpartition("$")[0] for kept in checked]  # the parameters, not the hash
    assert len(work) == 4
    assert all(each == work[cast["ada"].employee_no] and len(each) == 1 for each in work.values()), work


def test_an_account_that_is_not_activated_does_not_open(app, cast, browse):
    with app.app_context():
        directory.person(cast["ada"].id).password_hash = None
        db.session.commit()
    sign_in(browse(), cast["ada"].employee_no, "", status=422)
    sign_in(browse(), cast["ada"].employee_no, "the password of nobody", status=422)


def test_who_has_left_neither_signs_in_nor_stays_signed_in(app, cast, browse):
    give_password(app, cast)
    browser = browse()
    sign_in(browser, "ada@example.com")
    browser.get("/account")
    with app.app_context():
        directory.person(cast["ada"].id).left_on = NOW.date() - timedelta(days=3)
        db.session.commit()
    assert browser.get("/account", status=302).location.startswith("/sign-in")
    sign_in(browse(), "ada@example.com", status=422)


def test_signing_out_ends_the_session_even_for_a_copied_cookie(app, cast, browse):
    give_password(app, cast)
    browser = browse()
    sign_in(browser, "ada@example.com")
    copied = browser.client.get_cookie("review").value
    browser.post("/sign-out")
    browser.get("/account", status=302)
    thief = browse()
    thief.client.set_cookie("review", copied)
    thief.get("/account", status=302)


def test_a_session_of_before_is_not_carried_into_the_new_one(app, cast, browse):
    give_password(app, cast)
    browser = browse()
    with browser.client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["locale"] = "en"
    sign_in(browser, "ada@example.com")
    with browser.client.session_transaction() as session:
        assert "planted" not in session
        assert session["locale"] == "en"


def test_tries_without_a_token_are_refused(app, cast):
    give_password(app, cast)
    answer = app.test_client().post("/sign-in", data={"who": "ada@example.com", "password": GOOD})
    assert answer.status_code == 400
    with app.app_context():
        assert db.session.scalar(select(AttemptRow.id)) is None


def tried(who: str, source: str, at=NOW, password: str = "wrong", **more) -> str:
    try:
        accounts.authenticate(who, password, at, source=source, **more)
    except Invalid as refusal:
        return refusal.code
    return "in"


def test_a_thousand_guesses_from_one_place_are_judged_five_times(app, cast):
    with app.app_context():
        answers = [tried("ada@example.com", "203.0.113.9") for _ in range(1000)]
    assert answers.count("people:wrong_sign_in") == 5
    assert answers.count("people:wait") == 995


def test_a_thousand_guesses_from_a_thousand_places_are_judged_twenty_times(app, cast):
    with app.app_context():
        answers = [tried("ada@example.com", f"203.0.{n // 250}.{n % 250}") for n in range(1000)]
    assert answers.count("people:wrong_sign_in") == 20


def test_an_unknown_account_is_slowed_down_just_the_same(app, cast):
    with app.app_context():
        assert [tried("nobody", "203.0.113.9") for _ in range(7)].count("people:wait") == 2


def test_number_and_address_are_one_account_to_the_counter(app, cast):
    with app.app_context():
        for who in ("ada@example.com", cast["ada"].employee_no) * 2:
            tried(who, "203.0.113.9")
        assert tried("ada@example.com", "203.0.113.9") == "people:wrong_sign_in"
        assert tried(cast["ada"].employee_no, "203.0.113.9") == "people:wait"


def test_the_wait_doubles_and_ends(app, cast):
    give_password(app, cast)
    with app.app_context():
        for _ in range(5):
            tried("ada@example.com", "203.0.113.9")
        assert tried("ada@example.com", "203.0.113.9", NOW + timedelta(seconds=14)) == "people:wait"
        assert tried("ada@example.com", "203.0.113.9", NOW + timedelta(seconds=15)) == "people:wrong_sign_in"
        assert tried("ada@example.com", "203.0.113.9", NOW + timedelta(seconds=44)) == "people:wait"
        assert tried("ada@example.com", "203.0.113.9", NOW + timedelta(seconds=45), GOOD) == "in"
        db.session.commit()
        assert tried("ada@example.com", "203.0.113.9", NOW + timedelta(seconds=46)) == "people:wrong_sign_in"


def test_nobody_can_keep_somebody_else_out(app, cast):
    """An attacker who never stops costs Ada half a minute on a new browser, and nothing on her own."""
    give_password(app, cast)
    with app.app_context():
        for n in range(500):
            tried("ada@example.com", f"198.51.{n // 250}.{n % 250}")
        assert tried("ada@example.com", "192.0.2.1", NOW, GOOD, known_browser=cast["ada"].id) == "in"
        db.session.commit()
        assert tried("ada@example.com", "192.0.2.1", NOW, GOOD, known_browser=cast["bo"].id) == "people:wait"
        assert tried("ada@example.com", "192.0.2.1", NOW + timedelta(seconds=30), GOOD) == "in"


def test_too_many_tries_answer_429_and_say_how_long(app, cast, browse):
    browser = browse(locale="en")
    for _ in range(5):
        sign_in(browser, "ada@example.com", "wrong", status=422)
    page = sign_in(browser, "ada@example.com", "wrong", status=429)
    assert "Too many tries" in page.words
    assert 0 < int(page.response.headers["Retry-After"]) <= 15


def test_a_browser_is_known_only_by_a_genuine_mark(app, cast, browse):
    give_password(app, cast)
    browser = browse()
    sign_in(browser, "ada@example.com")
    mark = browser.client.get_cookie("known").value
    assert mark.startswith(f"{cast['ada'].id}.")
    stranger = browse()
    stranger.client.set_cookie("known", f"{cast['ada'].id}.{'A' * 43}")
    for _ in range(5):
        sign_in(stranger, "ada@example.com", "wrong", status=422)
    sign_in(stranger, "ada@example.com", status=429)
    stranger.client.set_cookie("known", mark)
    sign_in(stranger, "ada@example.com")


def test_a_hash_of_other_parameters_is_renewed_at_sign_in(app, cast):
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(GOOD)
    with app.app_context():
        directory.person(cast["ada"].id).password_hash = old
        db.session.commit()
        accounts.authenticate("ada@example.com", GOOD, NOW)
        db.session.commit()
        renewed = directory.person(cast["ada"].id).password_hash
        assert renewed != old
        assert passwords.matches(renewed, GOOD)
        assert not passwords.matches(renewed, GOOD + "!")


def test_real_houses_use_the_strong_parameters(app):
    with app.app_context():
        strong = passwords._hasher(cheap=False)
    assert (strong.memory_cost, strong.time_cost) == (65536, 3)


WAYS_OUT = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%5cevil.example",
    "/\tevil.example",
    "/\n/evil.example",
    "/ /evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "/people\r\nSet-Cookie: a=b",
    "people",
    "",
    "/static/review360.css",
    "/no/such/page",
    "/sign-out",
    "/people#//evil.example",
    "/%2f%2fevil.example",
    "/.evil.example",
    "/@evil.example",
]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_signing_in_never_leads_out_of_the_house(app, cast, browse, way):
    give_password(app, cast)
    browser = browse()
    assert sign_in(browser, "ada@example.com", next=way).location == "/"


def test_signing_in_leads_back_to_where_somebody_wanted_to_go(app, cast, browse):
    give_password(app, cast)
    browser = browse()
    asked = browser.get("/account?from=letter", status=302)
    page = browser.follow(asked)
    done = browser.submit(page, {"who": "ada@example.com", "password": GOOD}, form="/sign-in")
    assert done.location == "/account?from=letter"
    assert browser.get("/sign-in?next=/account", status=302).location == "/account", "who is in need not sign in again"


def test_only_known_pages_are_ways(app):
    with app.test_request_context():
        assert safe_way("/people?page=2") == "/people?page=2"
        assert safe_way("/people/letters") == "/", "this is an act, not a page"
        assert safe_way(None) == "/"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_door_reads_in_both_languages(browse, locale):
    browser = browse(locale=locale)
    heading = browser.get("/sign-in").h1
    assert heading == {"zh": "登录", "en": "Sign in"}[locale]
    for url in ("/activate", "/forgotten-password"):
        assert browser.get(url).h1.isascii() == (locale == "en")


def test_the_language_switches_before_signing_in(browse):
    browser = browse(locale="zh")
    page = browser.get("/sign-in?next=/people")
    done = browser.submit(page, {}, form="/language")
    assert done.location == "/sign-in?next=/people"
    assert browser.follow(done).h1 == "Sign in"


def test_the_language_of_somebody_signed_in_is_kept_with_them(app, cast, browse):
    browser = browse(cast["ada"])
    browser.post("/language", {"locale": "zh", "next": "/account"})
    assert browser.get("/account").h1 == "我的账号"
    with app.app_context():
        assert db.session.get(PersonRow, cast["ada"].id).locale == "zh"


def test_an_unknown_language_changes_nothing(app, cast, browse):
    browser = browse(cast["ada"])
    browser.post("/language", {"locale": "xx", "next": "//evil.example"})
    assert browser.get("/account").h1 == "My account"


def test_a_language_cannot_be_switched_by_another_site(app, cast, browse):
    assert browse(cast["ada"]).client.post("/language", data={"locale": "zh"}).status_code == 400
