"""Trustees are named, each takes a share, and the launch waits for all three: who sees a share, and how often."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from review.ballots import seal_keys
from review.ballots import service as ballots
from review.ballots.seal_keys import Share
from review.custody import paper
from review.custody import service as custody
from review.cycles.tables import CycleRow
from review.domain.refusals import Invalid, NotYet, Taken
from review.domain.vocabulary import Custody
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.house import house
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.people.tables import PersonRow
from review.workflow import launch
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_custody import THREE, assert_nowhere, cycle_id, hr, keys_of, launched, name_them, numbers, take_all
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company", "cycle_id", "hr"]

Browse = Callable[..., Browser]


def test_naming_three_people_makes_the_key_and_writes_to_each(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    hr = browse(company["south"])
    page = hr.get(f"/cycles/{cycle_id}/trustees")
    assert "works council" in page.words
    fields = {f"trustee_{place}": number for place, number in enumerate(numbers(company), 1)}
    named = hr.follow(hr.submit(page, fields, form="/trustees"))
    assert named.words.count("Has not taken share") == 3
    assert {f"share-{cycle_id}-{number}.once" for number in (1, 2, 3)} <= set(keys_of(settings))
    assert f"seal-{cycle_id}.key" not in keys_of(settings)
    with app.app_context():
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == custody.NAMED)).all()
        assert sorted(letter.to for letter in letters) == sorted(
            f"{name.replace(' ', '.')}@example.com" for name in THREE
        )
        line = db.session.scalar(select(AuditRow).where(AuditRow.action == "custody:trustees:named"))
        assert line.details == {"trustees": [company[name].id for name in THREE]}


@pytest.mark.parametrize(
    ("who", "code", "place"),
    [
        (("north 1", "north 1", "head"), "custody:named_twice", "trustee_2"),
        (("north 1", "nobody", "head"), "custody:no_such_number", "trustee_2"),
        (("north 1", "south 1", "north 9"), "custody:cannot_sign_in", "trustee_3"),
        (("north 8", "south 1", "head"), "custody:cannot_sign_in", "trustee_1"),
    ],
)
def test_whoever_cannot_be_a_trustee_is_named(
    app: Flask, company: Cast, cycle_id: int, settings: Settings, who: tuple[str, ...], code: str, place: str
) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, company["north 9"].id).password_hash = None
        db.session.get_one(PersonRow, company["north 8"].id).left_on = NOW.date() - timedelta(days=1)
        db.session.commit()
        typed_in = [company[name].employee_no if name in company else "E000000" for name in who]
        with pytest.raises(Invalid) as refused:
            custody.name(db.session.get_one(CycleRow, cycle_id), typed_in, by=None, now=NOW)
        assert [(one.code, one.where) for one in refused.value.problems] == [(code, place)]
        db.session.rollback()
        assert custody.trustees_of(cycle_id) == []
    assert not keys_of(settings)


def test_a_refused_name_keeps_what_was_typed(company: Cast, cycle_id: int, browse: Browse) -> None:
    hr = browse(company["south"])
    fields = {"trustee_1": "nonsense", "trustee_2": company["head"].employee_no, "trustee_3": "X"}
    page = hr.submit(hr.get(f"/cycles/{cycle_id}/trustees"), fields, form="/trustees", status=422)
    assert page.soup.find("input", {"name": "trustee_1"})["value"] == "nonsense"
    assert "Nobody has the employee number nonsense" in page.words


def test_the_same_three_again_change_nothing_and_others_make_a_new_key(
    app: Flask, company: Cast, cycle_id: int, settings: Settings
) -> None:
    name_them(app, company, cycle_id)
    before = keys_of(settings)
    name_them(app, company, cycle_id)
    assert keys_of(settings) == before
    take_all(app, company, cycle_id)
    name_them(app, company, cycle_id, anew=True)
    after = keys_of(settings)
    assert not set(before.values()) & set(after.values())
    with app.app_context():
        assert custody.taken(cycle_id) == 0
        assert custody.untaken(db.session.get_one(CycleRow, cycle_id)) == 3
    name_them(app, company, cycle_id, ("north 2", "south 1", "head"))
    assert not set(after.values()) & set(keys_of(settings).values())
    with app.app_context():
        waiting = db.session.scalars(select(LetterRow).where(LetterRow.kind == custody.NAMED)).all()
        assert len(waiting) == 3, "letters about a key that is gone are taken back"


def test_two_who_name_at_once_leave_one_whole_key(app: Flask, company: Cast, cycle_id: int) -> None:
    others = ("north 2", "south 2", "head")
    threads = [Thread(target=name_them, args=(app, company, cycle_id, who)) for who in (THREE, others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        who = [one.person_id for one in custody.trustees_of(cycle_id)]
        assert who in ([company[name].id for name in THREE], [company[name].id for name in others])
        shares = [custody.show(custody.post_of(cycle_id, person)) for person in who]
        seal_keys.unlock(house().settings.keys_dir, cycle_id, shares[:2])


def test_after_the_launch_nobody_is_named(app: Flask, company: Cast, cycle_id: int) -> None:
    launched(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        with pytest.raises(Taken):
            custody.name(cycle, numbers(company, ("north 2", "south 2", "head")), by=None, now=NOW)


def test_a_managed_cycle_has_no_trustees(app: Flask, company: Cast, hr: None, browse: Browse) -> None:
    with app.app_context():
        cycle = draft(company)
        db.session.commit()
        assert custody.untaken(cycle) is None
        needs = launch.needs(cycle, launch.facts_of(cycle, NOW))
        assert "cycle:trustees_missing" not in {need.code for need, _met in needs}
        with pytest.raises(Invalid, match="custody:managed"):
            custody.name(cycle, numbers(company), by=None, now=NOW)
        address = f"/cycles/{cycle.id}/trustees"
    assert "This cycle has no trustees" in browse(company["south"]).get(address).words


def test_a_cycle_that_no_longer_wants_trustees_gets_a_key_of_its_own(
    app: Flask, company: Cast, cycle_id: int, settings: Settings
) -> None:
    name_them(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        cycle.custody = Custody.MANAGED
        custody.follow(cycle)
        db.session.commit()
        assert custody.trustees_of(cycle_id) == []
        assert not keys_of(settings)
        seal_keys.make_split(settings.keys_dir, cycle_id)  # as a power cut between disk and database would leave it
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        db.session.commit()
        key = seal_keys.private(settings.keys_dir, cycle_id)
        assert key.public_key().public_numbers().x == int.from_bytes(ballots.seal_key(cycle_id)[1:33], "big")


def test_the_launch_waits_for_all_three_and_says_how_many_are_missing(
    app: Flask, company: Cast, cycle_id: int, browse: Browse
) -> None:
    hr = browse(company["south"])
    assert "3 of three shares of the key still wait" in hr.get(f"/cycles/{cycle_id}").words
    name_them(app, company, cycle_id)
    with app.app_context():
        post = custody.post_of(cycle_id, company["head"].id)
        custody.keep(post, custody.mark_of(cycle_id), now=NOW)
        db.session.commit()
    assert "2 of three shares of the key still wait" in hr.get(f"/cycles/{cycle_id}").words
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        looked_at(cycle)
        with pytest.raises(NotYet) as refused:
            launch.run(cycle, by=None, now=NOW)
        assert ("cycle:trustees_missing", {"count": 2}) in [
            (one.code, dict(one.params)) for one in refused.value.problems
        ]
    name_them(app, company, cycle_id, anew=True)
    take_all(app, company, cycle_id)
    assert "wait for their trustees" not in hr.get(f"/cycles/{cycle_id}").words


# --- taking a share ---


def test_a_trustee_sees_the_share_until_they_have_kept_it_and_never_again(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    name_them(app, company, cycle_id)
    secret = keys_of(settings)[f"share-{cycle_id}-1.once"]
    words = paper.words_of(Share(1, secret), "en")
    address = f"/cycles/{cycle_id}/share"
    caplog.set_level(logging.DEBUG)
    trustee = browse(company["north 1"])
    page = trustee.get(address)
    assert not any(f" {word} " in page.words for word in words if len(word) > 6)
    for _again in range(2):
        shown = trustee.submit(page, {}, form="/share", status=200)
        assert words == [item.get_text() for item in shown.soup.select(".r-words li")]
        assert shown.soup.select_one(".r-sheet-no").get_text() == "1"
        assert shown.soup.select_one("img.r-qr")["src"].startswith("data:image/svg+xml")
        assert shown.response.headers["Cache-Control"] == "no-store"
    done = trustee.follow(trustee.submit(shown, {}, form="/kept"))
    assert "You keep share 1" in done.words
    assert f"share-{cycle_id}-1.once" not in keys_of(settings)
    token = trustee.token()
    gone = trustee.client.post(address, data={"csrf_token": token})
    assert gone.status_code == 409
    assert trustee.submit(shown, {}, form="/kept").status == 302  # twice does no harm
    with app.app_context():
        lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "custody:share:taken")).all()
        assert [line.details for line in lines] == [{"number": 1}]
    assert_nowhere(settings, secret, words, caplog.text)


def test_the_words_come_in_the_trustees_language(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    name_them(app, company, cycle_id)
    with app.app_context():
        db.session.get_one(PersonRow, company["head"].id).locale = "zh"
        db.session.commit()
        share = custody.show(custody.post_of(cycle_id, company["head"].id))
    trustee = browse(company["head"])
    shown = trustee.submit(trustee.get(f"/cycles/{cycle_id}/share"), {}, form="/share", status=200)
    assert [item.get_text() for item in shown.soup.select(".r-words li")] == paper.words_of(share, "zh")


@pytest.mark.parametrize("who", ["north 2", "south", None])
def test_a_share_is_for_its_trustee_alone(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings, who: str | None
) -> None:
    """Neither a colleague nor HR nor a stranger gets at it, or can confirm it away."""
    name_them(app, company, cycle_id)
    before = keys_of(settings)
    other = browse(company[who] if who else None)
    token = other.token()
    with app.app_context():
        mark = custody.mark_of(cycle_id)
    assert other.client.get(f"/cycles/{cycle_id}/share").status_code == (404 if who else 302)
    for address in (f"/cycles/{cycle_id}/share", f"/cycles/{cycle_id}/share/kept"):
        answer = other.client.post(address, data={"csrf_token": token, "mark": mark})
        assert answer.status_code == (404 if who else 401)
        assert "r-words" not in answer.text
    assert keys_of(settings) == before


def test_a_confirmation_of_an_earlier_key_erases_nothing(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    name_them(app, company, cycle_id)
    trustee = browse(company["north 1"])
    shown = trustee.submit(trustee.get(f"/cycles/{cycle_id}/share"), {}, form="/share", status=200)
    name_them(app, company, cycle_id, anew=True)
    trustee.submit(shown, {}, form="/kept", status=409)
    assert f"share-{cycle_id}-1.once" in keys_of(settings)
    with app.app_context():
        assert custody.taken(cycle_id) == 0


def test_a_confirmation_cut_off_can_be_given_again(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    name_them(app, company, cycle_id)
    with app.app_context():
        custody.keep(custody.post_of(cycle_id, company["head"].id), custody.mark_of(cycle_id), now=NOW)
        db.session.rollback()  # the power went after the file was erased
        assert custody.taken(cycle_id) == 0
    trustee = browse(company["head"])
    page = trustee.get(f"/cycles/{cycle_id}/share")
    assert "One confirmation is missing" in page.words
    trustee.submit(page, {}, form="/kept")
    with app.app_context():
        assert custody.taken(cycle_id) == 1


def test_trustees_of_a_key_that_is_not_here_hold_nothing(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    """As after a restore: the rows speak of an earlier key, whose trustees had all taken their shares."""
    name_them(app, company, cycle_id)
    take_all(app, company, cycle_id)
    seal_keys.destroy(settings.keys_dir, cycle_id)
    seal_keys.make_split(settings.keys_dir, cycle_id)
    for number in (1, 2, 3):
        seal_keys.erase_share(settings.keys_dir, cycle_id, number)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        assert custody.taken(cycle_id) == 0
        assert custody.untaken(cycle) == 3
    assert "There is no share for you" in browse(company["head"]).get(f"/cycles/{cycle_id}/share").words
    name_them(app, company, cycle_id)
    assert len(take_all(app, company, cycle_id)) == 3
    with app.app_context():
        assert custody.untaken(db.session.get_one(CycleRow, cycle_id)) == 0


def test_what_is_asked_of_trustees_stands_on_their_start_page(
    app: Flask, company: Cast, cycle_id: int, browse: Browse
) -> None:
    name_them(app, company, cycle_id)
    assert "Take your share" in browse(company["head"]).get("/").words
    take_all(app, company, cycle_id)
    assert "Take your share" not in browse(company["head"]).get("/").words
