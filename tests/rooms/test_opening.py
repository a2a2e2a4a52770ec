"""The count waits for two trustees: what opens the ballots, what never does, and how a cycle goes on without them."""

import itertools
import json
import os
import signal
import subprocess
import sys
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
from review.domain.cycle import Move, Stage
from review.domain.disclosure import Withheld
from review.domain.refusals import Invalid
from review.infra import jobs
from review.infra.audit import AuditRow
from review.infra.clock import now as clock_now
from review.infra.db import db
from review.infra.jobs import JobRow, JobState
from review.infra.outbox import LetterRow
from review.infra.settings import ROOT, Settings
from review.workflow import close, launch, publish
from review.workflow.tick import tick
from tests.browse import Browser, Page
from tests.make import NOW, Cast
from tests.make_custody import (
    assert_nowhere,
    closed,
    cycle_id,
    hr,
    keys_of,
    launched,
    name_them,
    stage,
    typed,
)
from tests.make_cycle import review_of
from tests.rooms.test_close import LATER, drain
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company", "cycle_id", "hr"]

Browse = Callable[..., Browser]


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


def test_where_the_key_is_lost_nobody_is_told_that_the_ballots_are_open(
    app: Flask, company: Cast, cycle_id: int, browse: Browse, settings: Settings
) -> None:
    papers = closed(app, company, cycle_id)
    (settings.keys_dir / f"seal-{cycle_id}.wrapped").unlink()
    browse(company["south"]).post(f"/cycles/{cycle_id}/open", typed(papers[1], papers[2]), 409)
    with app.app_context():
        assert jobs.find(close.count_key(cycle_id)).state is not JobState.WAITING


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


DIES = """
import json, os, signal, sys
from datetime import datetime
from review.app import create_app
from review.ballots.seal_keys import Share
from review.cycles.tables import CycleRow
from review.infra.db import db
from review.workflow import close
cycle_id, shares = json.loads(sys.argv[1])
with create_app().app_context():
    papers = [Share(number, bytes.fromhex(value)) for number, value in shares]
    close.unlock(db.session.get_one(CycleRow, cycle_id), papers, by=None, now=datetime.fromisoformat(sys.argv[2]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_death_between_opening_and_counting_is_mended_by_the_clock(
    app: Flask, company: Cast, cycle_id: int, settings: Settings
) -> None:
    papers = closed(app, company, cycle_id)
    pair = json.dumps([cycle_id, [[share.number, share.value.hex()] for share in (papers[1], papers[3])]])
    environ = {"REVIEW_DATA": str(settings.data_dir), "REVIEW_KEYS": str(settings.keys_dir)}
    killed = subprocess.run(
        [sys.executable, "-c", DIES, pair, LATER.isoformat()],
        check=False,
        cwd=ROOT,
        env={**os.environ, **environ},
        stderr=subprocess.DEVNULL,
    )
    assert killed.returncode == -signal.SIGKILL
    with app.app_context():
        # The key lies open on the disk; nothing of it has reached the database.
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
