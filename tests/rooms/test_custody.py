"""Trustees, from being named to the count: who sees a share and how often, what opens the ballots, what never does."""

import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from sqlalchemy import func, select

from review.ballots import seal_keys, sealing
from review.ballots import service as ballots
from review.ballots.seal_keys import Share
from review.ballots.service import urn_at
from review.custody import paper
from review.custody import service as custody
from review.cycles.tables import CycleRow, MoveRow
from review.domain.access import Role
from review.domain.cycle import Move, Stage
from review.domain.disclosure import Withheld
from review.domain.refusals import Invalid, NotYet, Taken
from review.domain.responses import Ballot
from review.domain.vocabulary import Custody, Level
from review.infra import jobs
from review.infra.audit import AuditRow
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.people.tables import PersonRow, RoleRow
from review.workflow import close, launch, publish
from review.workflow.tick import tick
from tests.browse import Browser, Page
from tests.make import NOW, Cast
from tests.make_cycle import review_of
from tests.rooms.test_close import LATER, drain
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company"]

THREE = ("north 1", "south 1", "head")
Browse = Callable[..., Browser]


@pytest.fixture
def hr(app: Flask, company: Cast) -> None:
    """The lead of the south works for HR as well."""
    with app.app_context():
        db.session.add(RoleRow(person_id=company["south"].id, role=Role.HR))
        db.session.commit()


@pytest.fixture
def cycle_id(app: Flask, company: Cast, hr: None) -> int:
    """A cycle in draft that wants trustees and has none."""
    with app.app_context():
        cycle = draft(company)
        cycle.custody = Custody.TRUSTEES
        db.session.commit()
        return cycle.id


def numbers(company: Cast, who: tuple[str, ...] = THREE) -> list[str]:
    return [company[name].employee_no for name in who]


def name_them(app: Flask, company: Cast, cycle_id: int, who: tuple[str, ...] = THREE, **how: bool) -> None:
    with app.app_context():
        custody.name(db.session.get_one(CycleRow, cycle_id), numbers(company, who), by=None, now=NOW, **how)
        db.session.commit()


def take_all(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """Every trustee takes and confirms; what they have on paper."""
    kept = {}
    with app.app_context():
        for name in THREE:
            post = custody.post_of(cycle_id, company[name].id)
            share = custody.show(post)
            kept[share.number] = share
            custody.keep(post, custody.mark_of(cycle_id), now=NOW)
        db.session.commit()
    return kept


def launched(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """Named, taken, launched, and all seats about the first two people cast; the papers."""
    name_them(app, company, cycle_id)
    papers = take_all(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        db.session.commit()
        some = [review_of(cycle_id, company[name]) for name in ("north 1", "north 2")]
        seats = select(SeatRow.id, SeatRow.review_id).where(SeatRow.review_id.in_(some))
        for seat, review in db.session.execute(seats).all():
            answers = dict.fromkeys(("interpersonal_coordination", "feedback_learning"), Level.GOOD)
            ballots.cast(cycle_id, seat, Ballot(review, answers))
        db.session.rollback()
    return papers


def closed(app: Flask, company: Cast, cycle_id: int) -> dict[int, Share]:
    """The same, closed: the count has found the key locked."""
    papers = launched(app, company, cycle_id)
    with app.app_context():
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=LATER)
        drain()
    return papers


def stage(app: Flask, cycle_id: int) -> Stage:
    with app.app_context():
        return db.session.get_one(CycleRow, cycle_id).stage


def typed(first: Share, second: Share, locale: str = "en") -> dict[str, str]:
    fields = {}
    for place, share in enumerate((first, second), 1):
        fields[f"number_{place}"] = str(share.number)
        fields[f"words_{place}"] = " ".join(paper.words_of(share, locale))
    return fields


def keys_of(settings: Settings) -> dict[str, bytes]:
    ours = ("seal", "share", "urn")
    return {path.name: path.read_bytes() for path in settings.keys_dir.iterdir() if path.name.startswith(ours)}


# --- naming ---


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
        assert not custody.is_ready(db.session.get_one(CycleRow, cycle_id))
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
        assert custody.is_ready(cycle)
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


def assert_nowhere(settings: Settings, secret: bytes, words: list[str], log: str) -> None:
    """Neither the bytes of the share nor two of its words in a row, in the database, its log, the logs or the keys."""
    assert secret.hex() not in log.lower()
    assert f"{words[0]} {words[1]}" not in log
    for folder in (settings.data_dir, settings.keys_dir):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert secret not in content, path
            assert secret.hex().encode() not in content.lower(), path
            assert " ".join(words[:2]).encode() not in content, path


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


def test_what_is_asked_of_trustees_stands_on_their_start_page(
    app: Flask, company: Cast, cycle_id: int, browse: Browse
) -> None:
    name_them(app, company, cycle_id)
    assert "Take your share" in browse(company["head"]).get("/").words
    take_all(app, company, cycle_id)
    assert "Take your share" not in browse(company["head"]).get("/").words


# --- opening ---


def test_the_count_waits_for_two_trustees_and_writes_to_them_once(
    app: Flask, company: Cast, cycle_id: int, browse: Browse
) -> None:
    closed(app, company, cycle_id)
    assert stage(app, cycle_id) is Stage.COUNTING
    with app.app_context():
        assert ballots.is_locked(cycle_id)
        assert jobs.find(close.count_key(cycle_id)).state is JobState.DONE
        close.ask_count(cycle_id, LATER)
        drain()
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == custody.OPEN)).all()
        assert sorted(letter.params["number"] for letter in letters) == [1, 2, 3]
        tick(LATER)
        assert jobs.find(close.count_key(cycle_id)).state is JobState.DONE, "nothing to do before they have opened it"
    page = browse(company["south"]).get(f"/cycles/{cycle_id}")
    assert "Waiting for two of these three" in page.words
    assert all(name in page.words for name in ("North 1", "South 1", "Head"))
    assert "Open the ballots" in browse(company["head"]).get("/").words
    assert "waits for two trustees" in browse(company["south"]).get("/").words


def test_two_shares_open_the_ballots_and_the_count_goes_on(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    papers = launched(app, company, cycle_id)
    with app.app_context():
        sealed = list(urn_at(settings, cycle_id).rows())
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=LATER)
        drain()
    trustee = browse(company["south 1"])
    done = trustee.follow(
        trustee.submit(trustee.get(f"/cycles/{cycle_id}/open"), typed(papers[3], papers[1], "zh"), form="/open")
    )
    assert "being counted" in done.words
    with app.app_context():
        line = db.session.scalar(select(AuditRow).where(AuditRow.action == "custody:ballots:opened"))
        assert line.details == {"shares": [1, 3]}
        payloads = [row.payload for row in db.session.scalars(select(JobRow))]
        drain(clock_now() + timedelta(minutes=1))
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        cells = ballots.cells_of(cycle_id)[review_of(cycle_id, company["north 1"])]
        assert not any(isinstance(cell.figure, Withheld) for cell in cells if cell.criterion == "feedback_learning")
        assert ballots.is_destroyed(cycle_id)
    for share in papers.values():
        assert share.value.hex() not in str(payloads)
        assert_nowhere(settings, share.value, paper.words_of(share, "zh"), "")
    left = keys_of(settings)
    assert not [name for name in left if name.startswith(("seal", "share"))]
    assert sealed
    secrets = [*left.values(), *(share.value for share in papers.values())]
    assert not opens(secrets, sealed[0], cycle_id)


def opens(secrets: list[bytes], row: tuple[bytes, int, bytes], cycle_id: int) -> bool:
    """Whether any 32 bytes in a row of these secrets are the private key of this sealed row."""
    found, version, body = row
    for window in windows(secrets, 32):
        try:
            key = derive_private_key(int.from_bytes(window, "big"), SECP256R1())
            sealing.unseal(version, body, cycle_id=cycle_id, token_hash=found, private_key=key)
        except ValueError:
            continue
        return True
    return False


def windows(secrets: list[bytes], size: int) -> Iterator[bytes]:
    for secret in secrets:
        for start in range(len(secret) - size + 1):
            yield secret[start : start + size]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_share_with_every_file_of_the_key_directory_opens_nothing(
    app: Flask, company: Cast, cycle_id: int, settings: Settings, number: int
) -> None:
    papers = closed(app, company, cycle_id)
    files = keys_of(settings)
    assert not [name for name in files if name.startswith("share")]
    with app.app_context():
        row = next(iter(urn_at(settings, cycle_id).rows()))
    wrapped = files[f"seal-{cycle_id}.wrapped"]
    mine = papers[number].value
    pieces = list(windows([*files.values(), mine, mine + mine, mine[::-1]], 16))
    mixed = [bytes(a ^ b for a, b in zip(piece, mine, strict=True)) for piece in pieces]
    for guess in {*pieces, *mixed}:
        with pytest.raises(InvalidTag):
            AESGCM(guess).decrypt(wrapped[:12], wrapped[12:], b"review360 seal|%d" % cycle_id)
    assert not opens([*files.values(), mine * 2], row, cycle_id)
    others = [Share(other, piece) for other in {1, 2, 3} - {number} for piece in [mine, bytes(16), *pieces[:60]]]
    for other in others:
        with pytest.raises(Invalid):
            seal_keys.unlock(settings.keys_dir, cycle_id, [papers[number], other])
    with pytest.raises(Invalid):
        seal_keys.unlock(settings.keys_dir, cycle_id, [papers[number]])
    assert f"seal-{cycle_id}.key" not in keys_of(settings)


def test_every_pair_opens(app: Flask, company: Cast, cycle_id: int, settings: Settings) -> None:
    papers = closed(app, company, cycle_id)
    for pair in itertools.permutations(papers.values(), 2):
        seal_keys.unlock(settings.keys_dir, cycle_id, pair)
        (settings.keys_dir / f"seal-{cycle_id}.key").unlink()


@pytest.fixture
def refused(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> Callable[[dict[str, str]], Page]:
    """Send shares that are refused; the page that comes back, with what was typed still on it."""

    def send(fields: dict[str, str]) -> Page:
        trustee = browse(company["head"])
        page = trustee.submit(trustee.get(f"/cycles/{cycle_id}/open"), fields, form="/open", status=422)
        for place in ("words_1", "words_2"):
            assert page.soup.find("textarea", {"name": place}).get_text().strip() == fields[place].strip()
        with app.app_context():
            assert ballots.is_locked(cycle_id)
        return page

    return send


def test_a_wrong_share_is_refused_by_what_is_wrong_with_it(
    app: Flask, company: Cast, cycle_id: int, refused: Callable[[dict[str, str]], Page]
) -> None:
    papers = closed(app, company, cycle_id)
    right = typed(papers[1], papers[2])
    words = right["words_1"].split()
    assert (
        "Word 3, “zzz”, is not in the list"
        in refused({**right, "words_1": " ".join([*words[:2], "zzz", *words[3:]])}).words
    )
    assert "a share has twelve" in refused({**right, "words_2": "abandon ability"}).words
    assert "do not belong together" in refused({**right, "words_1": " ".join(["abandon"] * 12)}).words
    assert "Both have the same number" in refused(typed(papers[1], papers[1])).words
    assert "Say which share this is" in refused({**right, "number_2": ""}).words
    foreign = paper.code_of(cycle_id + 1, papers[2])
    assert "belongs to another cycle" in refused({**right, "words_2": foreign}).words
    assert "do not open this cycle" in refused({**right, "number_2": "3"}).words
    stranger = " ".join(paper.words_of(Share(2, b"\x07" * 16), "en"))
    assert "do not open this cycle" in refused({**right, "words_2": stranger}).words


def test_guessing_gets_slow(
    app: Flask, company: Cast, cycle_id: int, refused: Callable[[dict[str, str]], Page]
) -> None:
    papers = closed(app, company, cycle_id)
    fields = typed(papers[1], Share(2, b"\x07" * 16))
    for _try in range(5):
        assert "do not open this cycle" in refused(fields).words
    assert "do not open this cycle" not in refused(typed(papers[1], papers[2])).words


def test_a_qr_code_needs_no_number(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    papers = closed(app, company, cycle_id)
    hr = browse(company["south"])
    fields = {"words_1": paper.code_of(cycle_id, papers[2]), "words_2": paper.code_of(cycle_id, papers[3]).lower()}
    hr.submit(hr.get(f"/cycles/{cycle_id}/open"), fields, form="/open")
    with app.app_context():
        assert not ballots.is_locked(cycle_id)


def test_the_page_is_for_trustees_and_hr(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    papers = closed(app, company, cycle_id)
    stranger = browse(company["north 2"])
    stranger.get(f"/cycles/{cycle_id}/open", status=404)
    answer = stranger.client.post(
        f"/cycles/{cycle_id}/open", data={"csrf_token": stranger.token(), **typed(papers[1], papers[2])}
    )
    assert answer.status_code == 404
    with app.app_context():
        assert ballots.is_locked(cycle_id)


def test_nothing_is_opened_before_the_close(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    papers = launched(app, company, cycle_id)
    trustee = browse(company["head"])
    assert "has not closed yet" in trustee.get(f"/cycles/{cycle_id}/open").words
    answer = trustee.client.post(
        f"/cycles/{cycle_id}/open", data={"csrf_token": trustee.token(), **typed(papers[1], papers[2])}
    )
    assert answer.status_code == 409
    with app.app_context():
        assert ballots.is_locked(cycle_id)


def test_pressed_twice_and_at_once_is_counted_once(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    papers = closed(app, company, cycle_id)
    sent = []

    def press(name: str) -> None:
        somebody = browse(company[name])
        data = {"csrf_token": somebody.token(), **typed(papers[1], papers[2])}
        sent.append(somebody.client.post(f"/cycles/{cycle_id}/open", data=data).status_code)

    threads = [Thread(target=press, args=(name,)) for name in ("head", "north 1", "south")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == [302, 302, 302]
    with app.app_context():
        drain(clock_now() + timedelta(minutes=1))
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        assert db.session.scalar(select(func.count()).where(MoveRow.move == Move.FINISH_COUNT)) == 1


def test_a_death_between_opening_and_counting_is_mended_by_the_clock(app: Flask, company: Cast, cycle_id: int) -> None:
    papers = closed(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        close.unlock(cycle, [papers[1], papers[3]], by=None, now=LATER)
        db.session.rollback()  # the process died: the key is open on the disk, nothing of it is in the database
        assert jobs.find(close.count_key(cycle_id)).state is JobState.DONE
        assert not ballots.is_locked(cycle_id)
        db.session.rollback()
        tick(LATER + timedelta(minutes=1))
        drain(LATER + timedelta(minutes=1))
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        assert ballots.is_destroyed(cycle_id)


def test_a_key_opened_while_it_is_destroyed_is_not_left_behind(settings: Settings) -> None:
    folder = settings.keys_dir
    seal_keys.make_split(folder, 9)
    shares = [seal_keys.take_share(folder, 9, number) for number in (1, 2)]
    wrapped = (folder / "seal-9.wrapped").read_bytes()

    class Vanishing(list[Share]):
        """Between reading the wrapped key and writing the open one, the count ends and destroys everything."""

        def __getitem__(self, key: object) -> list[Share]:  # type: ignore[override]
            seal_keys.destroy(folder, 9)
            return list(self)

    with pytest.raises(Invalid):
        seal_keys.unlock(folder, 9, Vanishing(shares))
    assert wrapped
    assert not seal_keys.leaves_traces(folder, 9)


# --- going on without peers ---


def give_up(browser: Browser, cycle_id: int, status: int = 302, **fields: str) -> Page:
    page = browser.get(f"/cycles/{cycle_id}/without-peers")
    return browser.submit(page, fields, form="/without-peers", status=status)


def test_with_two_shares_lost_hr_goes_on_without_peers(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    closed(app, company, cycle_id)
    hr = browse(company["south"])
    kept = give_up(hr, cycle_id, status=422, reason="both burnt", name="another")
    assert kept.soup.find("textarea", {"name": "reason"}).get_text().strip() == "both burnt"
    assert "That is not the name" in kept.words
    give_up(hr, cycle_id, status=422, reason="", name="Q1 2026")
    give_up(hr, cycle_id, reason="both burnt", name="Q1 2026")
    with app.app_context():
        drain(clock_now() + timedelta(minutes=1))
        cycle = db.session.get_one(CycleRow, cycle_id)
        assert cycle.stage is Stage.FINALISING
        cells = [cell for review in ballots.cells_of(cycle_id).values() for cell in review]
        assert cells
        assert all(isinstance(cell.figure, Withheld) for cell in cells)
        line = db.session.scalar(select(AuditRow).where(AuditRow.action == "workflow:peers:given_up"))
        assert (line.actor_id, line.details) == (company["south"].id, {"reason": "both burnt", "lost": False})
        assert ballots.is_destroyed(cycle_id)
    assert not [name for name in keys_of(settings) if name.startswith("seal")]
    hr.get(f"/cycles/{cycle_id}/without-peers", status=409)


def test_a_cycle_without_its_urn_stops_and_goes_on_by_the_same_page(
    app: Flask, company: Cast, hr: None, browse: Browse, settings: Settings
) -> None:
    """As after a restore: the database says it collects, but its urn and keys were in no backup."""
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        launch.run(cycle, by=None, now=NOW)
        db.session.commit()
        cycle_id = cycle.id
        urn_at(settings, cycle_id).drop()
        close.close(cycle, by=None, now=LATER)
        drain()
        assert jobs.find(close.count_key(cycle_id)).state is JobState.FAILED
    page = browse(company["south"]).get(f"/cycles/{cycle_id}")
    assert "go on without peers" in page.words
    give_up(browse(company["south"]), cycle_id, reason="restored", name="Q1 2026")
    with app.app_context():
        drain(clock_now() + timedelta(minutes=1))
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING


def test_ballots_that_can_be_counted_are_not_given_up(app: Flask, company: Cast, cycle_id: int, browse: Browse) -> None:
    papers = launched(app, company, cycle_id)
    hr = browse(company["south"])
    hr.get(f"/cycles/{cycle_id}/without-peers", status=409)
    with app.app_context():
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=LATER)
        drain()
    page = hr.get(f"/cycles/{cycle_id}/without-peers")
    with app.app_context():
        close.unlock(db.session.get_one(CycleRow, cycle_id), [papers[1], papers[2]], by=None, now=clock_now())
        db.session.commit()
    hr.submit(page, {"reason": "lost", "name": "Q1 2026"}, form="/without-peers", status=409)
    browse(company["north 1"]).get(f"/cycles/{cycle_id}/without-peers", status=404)


def test_ballots_opened_after_they_were_given_up_are_counted_after_all(
    app: Flask, company: Cast, cycle_id: int, settings: Settings
) -> None:
    papers = closed(app, company, cycle_id)
    with app.app_context():
        cycle = db.session.get_one(CycleRow, cycle_id)
        close.go_on_without_peers(cycle, "lost", "Q1 2026", by=company["south"].id, now=LATER)
        db.session.commit()
        seal_keys.unlock(settings.keys_dir, cycle_id, [papers[2], papers[3]])
        drain()
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        cells = ballots.cells_of(cycle_id)[review_of(cycle_id, company["north 1"])]
        assert not all(isinstance(cell.figure, Withheld) for cell in cells)


@pytest.mark.parametrize("when", [Stage.DRAFT, Stage.COLLECTING])
def test_cancelling_destroys_key_and_shares(
    app: Flask, company: Cast, cycle_id: int, settings: Settings, when: Stage
) -> None:
    if when is Stage.DRAFT:
        name_them(app, company, cycle_id)
    else:
        launched(app, company, cycle_id)
    assert [name for name in keys_of(settings) if name.startswith("seal")]
    with app.app_context():
        publish.cancel(db.session.get_one(CycleRow, cycle_id), "not needed", by=company["head"].id, now=NOW)
        drain()
    assert not [name for name in keys_of(settings) if name.startswith(("seal", "share"))]
