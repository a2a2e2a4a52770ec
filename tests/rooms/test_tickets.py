"""Tickets under maximum protection: drawn once and all together, by those who rate, until the close."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from werkzeug.test import TestResponse

from review.app import create_app
from review.ballots import service as ballots
from review.ballots import ticket_keys
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.canonical import canonical_json
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotAllowed, TooLate
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.infra.settings import ROOT, Settings
from review.peer_review import service as peer_review
from review.tables import metadata
from review.tickets import service as tickets
from review.tickets.forms import as_bytes, as_text, read_draw
from review.tickets.tables import WRAPPED_BYTES, TicketDrawRow, TicketRow
from review.workflow import remind, tick
from review.workflow.remind import Deadline
from review.workflow.tables import PeerProgressRow
from tests.browse import Browser
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import CLOSES, make_cycle, review_of, reviews_of, set_stage
from tests.make_peers import GOOD, Seats, seats_by_name
from tests.make_tickets import (
    blindings_of,
    draw_as,
    finished,
    forged,
    letter_of,
    make_maximum,
    post,
)

SMALL = ("ada", "bo", "cy", "di")
SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
WRAPPED = os.urandom(WRAPPED_BYTES)
Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What the views take for the present; a test may turn it."""
    hands = [NOW]
    for room in ("tickets", "peer_review"):
        monkeypatch.setattr(f"review.{room}.views.now", lambda: hands[0])
    return hands


@pytest.fixture
def cycle(app: Flask, cast: Cast, settings: Settings) -> int:
    with app.app_context():
        return make_maximum(cast, settings, SMALL)


@pytest.fixture
def seats(app: Flask, cast: Cast, cycle: int) -> Seats:
    with app.app_context():
        return seats_by_name(cycle, cast)


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def the(cycle_id: int) -> CycleRow:
    return db.session.get_one(CycleRow, cycle_id)


def blinded_for(settings: Settings, cycle_id: int, cast: Cast, who: str, seed: bytes = SEED) -> dict[UUID, bytes]:
    return {seat: made.blinded for seat, (_, made) in blindings_of(settings, cycle_id, cast[who], seed).items()}


def sent(browser: Browser, cycle_id: int, blinded: dict[UUID, bytes], wrapped: bytes = WRAPPED) -> TestResponse:
    """The request that draws, as the page's script sends it."""
    body = {"wrapped": as_text(wrapped), "blinded": {str(seat): as_text(value) for seat, value in blinded.items()}}
    return browser.client.post(f"/peers/{cycle_id}/draw", json=body, headers={"X-CSRFToken": browser.token()})


# -- the draw --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_a_drawn_ticket_is_signed_for_one_review_and_casts_about_it(
    app: Flask, cycle: int, cast: Cast, settings: Settings
) -> None:
    held = draw_as(cycle, cast["bo"], settings)
    assert set(held) == {review_of(cycle, cast[name]) for name in SMALL if name != "bo"}
    for ticket in held.values():
        assert post(app, letter_of(settings, ticket, GOOD)).status_code == 204
    assert ballots.cast_so_far(cycle) == 3


def test_drawing_over_the_page_gives_the_signatures(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        made = blindings_of(settings, cycle, cast["bo"], SEED)
    answer = sent(browse(cast["bo"]), cycle, {seat: each.blinded for seat, (_, each) in made.items()})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    signatures = answer.get_json()["signatures"]
    for seat, (review, each) in made.items():
        finished(settings, cycle, review, each, as_bytes(signatures[str(seat)]))  # raises unless it verifies


def test_the_same_draw_gives_the_same_answer_again(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        blinded = blinded_for(settings, cycle, cast, "bo")
    browser = browse(cast["bo"])
    first, again = sent(browser, cycle, blinded), sent(browser, cycle, blinded, os.urandom(WRAPPED_BYTES))
    assert first.get_json() == again.get_json()
    with app.app_context():
        assert tickets.wrapped_of(cycle, cast["bo"].id) == WRAPPED  # what came first is kept


def test_another_draw_is_refused_and_stores_nothing(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        first, other = (blinded_for(settings, cycle, cast, "bo", seed) for seed in (SEED, OTHER))
    browser = browse(cast["bo"])
    assert sent(browser, cycle, first).status_code == 200
    before = rows(app)
    assert sent(browser, cycle, other, os.urandom(WRAPPED_BYTES)).status_code == 409
    one = dict(list(other.items())[:1])
    assert sent(browser, cycle, {**first, **one}).status_code == 409
    assert rows(app) == before


def rows(app: Flask) -> list[object]:
    with app.app_context():
        found = [*db.session.execute(select(TicketRow.seat_id, TicketRow.blinded_hash).order_by(TicketRow.seat_id))]
        found += [*db.session.execute(select(TicketDrawRow.rater_id, TicketDrawRow.wrapped))]
        return [tuple(row) for row in found]


def test_all_tickets_are_drawn_at_once_or_none(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        blinded = blinded_for(settings, cycle, cast, "bo")
    some = dict(list(blinded.items())[:2])
    assert sent(browse(cast["bo"]), cycle, some).status_code == 422
    assert rows(app) == []
    assert sent(browse(cast["bo"]), cycle, blinded).status_code == 200


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 50_000, b'{"wrapped":' * 50_000, b'{"blinded": {}'])
def test_a_draw_that_is_no_json_is_refused(app: Flask, cycle: int, cast: Cast, browse: Browse, body: bytes) -> None:
    browser = browse(cast["bo"])
    headers = {"X-CSRFToken": browser.token(), "Content-Type": "application/json"}
    assert browser.client.post(f"/peers/{cycle}/draw", data=body, headers=headers).status_code == 422
    assert rows(app) == []


def test_nobody_draws_for_the_seat_of_another(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        mine, theirs = blinded_for(settings, cycle, cast, "bo"), blinded_for(settings, cycle, cast, "cy")
    for wrong in (theirs, {**mine, **theirs}, {**mine, uuid4(): next(iter(mine.values()))}):
        assert sent(browse(cast["bo"]), cycle, wrong).status_code == 422
    assert rows(app) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-1],
        lambda value: value + b"\0",
        lambda _: b"",
        lambda _: b"\xff" * 256,  # not below the modulus
    ],
)
@pytest.mark.usefixtures("inside")
def test_what_cannot_be_signed_is_refused_before_it_is_noted(
    cycle: int, cast: Cast, settings: Settings, spoil: Callable[[bytes], bytes]
) -> None:
    blinded = blinded_for(settings, cycle, cast, "bo")
    seat, value = next(iter(blinded.items()))
    with pytest.raises(Invalid, match="tickets:not_a_draw"):
        tickets.draw(the(cycle), cast["bo"].id, WRAPPED, {**blinded, seat: spoil(value)}, NOW)
    with pytest.raises(Invalid, match="tickets:not_a_draw"):
        tickets.draw(the(cycle), cast["bo"].id, WRAPPED[1:], blinded, NOW)
    assert tickets.draw(the(cycle), cast["bo"].id, WRAPPED, blinded, NOW).keys() == blinded.keys()


@pytest.mark.parametrize(
    "sent_data",
    [
        None,
        [],
        {},
        {"wrapped": "AA", "blinded": None},
        {"wrapped": 7, "blinded": {}},
        {"wrapped": "AA", "blinded": {"no-uuid": "AA"}},
        {"wrapped": "AA==", "blinded": {}},
        {"wrapped": "A+", "blinded": {}},
        {"wrapped": "AB", "blinded": {}},  # bits that say nothing: two spellings of one value
        {"wrapped": "A", "blinded": {}},
    ],
)
def test_what_is_no_draw_is_refused(sent_data: object) -> None:
    with pytest.raises(Invalid, match="tickets:not_a_draw"):
        read_draw(sent_data)


@pytest.mark.usefixtures("inside")
def test_closed_seats_and_withdrawn_reviews_are_left_out(
    cycle: int, cast: Cast, settings: Settings, seats: Seats
) -> None:
    full = blinded_for(settings, cycle, cast, "bo")
    peer_review.close_seat(review_of(cycle, cast["cy"]), cast["bo"].id)
    gone = update(ReviewRow).where(ReviewRow.id == review_of(cycle, cast["di"]))
    db.session.execute(gone.values(withdrawn_at=NOW))
    assert [one.seat.id for one in tickets.colleagues(the(cycle), cast["bo"].id, NOW)] == [seats["bo", "ada"]]
    with pytest.raises(Invalid):
        tickets.draw(the(cycle), cast["bo"].id, WRAPPED, full, NOW)
    db.session.rollback()


@pytest.mark.usefixtures("inside")
def test_a_seat_closed_after_the_draw_takes_nothing_from_the_others(
    cycle: int, cast: Cast, settings: Settings, seats: Seats
) -> None:
    draw_as(cycle, cast["bo"], settings, SEED)
    peer_review.close_seat(review_of(cycle, cast["cy"]), cast["bo"].id)
    db.session.commit()
    again = draw_as(cycle, cast["bo"], settings, SEED)
    assert set(again) == {review_of(cycle, cast["ada"]), review_of(cycle, cast["di"])}


@pytest.mark.usefixtures("inside")
def test_nobody_draws_before_the_opening_or_after_the_close(
    cycle: int, cast: Cast, settings: Settings, clock: list[datetime]
) -> None:
    blinded = blinded_for(settings, cycle, cast, "bo")
    late = CLOSES.replace(year=CLOSES.year + 1)
    with pytest.raises(TooLate):
        tickets.draw(the(cycle), cast["bo"].id, WRAPPED, blinded, late)
    set_stage(cycle, Stage.COUNTING)
    with pytest.raises(TooLate):
        tickets.draw(the(cycle), cast["bo"].id, WRAPPED, blinded, NOW)
    db.session.rollback()


def test_a_draw_leaves_no_time_no_line_no_letter(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    def told() -> tuple[int, int]:
        with app.app_context():
            counts = [db.session.scalar(select(func.count()).select_from(row)) for row in (AuditRow, LetterRow)]
            return counts[0] or 0, counts[1] or 0

    before = told()
    with app.app_context():
        blinded = blinded_for(settings, cycle, cast, "bo")
    assert sent(browse(cast["bo"]), cycle, blinded).status_code == 200
    assert told() == before
    with app.app_context():
        for table in ("ballot_ticket", "ticket_draw"):
            (made,) = db.session.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table})
            assert "WITHOUT ROWID" in made[0]
            assert "DATE" not in made[0].upper()


RACE = """
import sys
from datetime import datetime
from pathlib import Path
from uuid import UUID
import json, os, time
from review.app import create_app
from review.infra.db import db
from review.cycles.tables import CycleRow
from review.domain.refusals import Taken
from review.tickets import service
cycle, rater, start, now = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), datetime.fromisoformat(sys.argv[4])
blinded = {UUID(seat): bytes.fromhex(value) for seat, value in json.loads(sys.stdin.read()).items()}
app = create_app()
with app.app_context():
    db.session.get_one(CycleRow, cycle)
    db.session.rollback()
    Path(f"{start}.{os.getpid()}").touch()
    while not start.exists():
        time.sleep(0.001)
    try:
        service.draw(db.session.get_one(CycleRow, cycle), rater, os.urandom(76), blinded, now)
        db.session.commit()
        print("drawn")
    except Taken:
        print("refused")
"""


def race(environ: dict[str, str], folder: Path, cycle_id: int, rater: int, draws: list[dict[UUID, bytes]]) -> list[str]:
    """Several processes draw for the same rater in the same moment, each something else; what each of them got."""
    start = folder / "start"
    command = [sys.executable, "-c", RACE, str(cycle_id), str(rater), str(start), NOW.isoformat()]
    children = []
    for draw in draws:
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdin is not None
        child.stdin.write(json.dumps({str(seat): value.hex() for seat, value in draw.items()}))
        child.stdin.close()
        child.stdin = None
        children.append(child)
    while len(list(folder.glob("start.*"))) < len(children) and all(child.poll() is None for child in children):
        pass
    start.touch()
    return sorted(child.communicate(timeout=60)[0].strip() for child in children)


def one_winner(app: Flask, settings: Settings, cast: Cast, environ: dict[str, str], folder: Path, cycle: int) -> None:
    with app.app_context():
        draws = [blinded_for(settings, cycle, cast, "bo", seed) for seed in (SEED, OTHER)]
        db.session.rollback()
    assert race(environ, folder, cycle, cast["bo"].id, draws) == ["drawn", "refused"]
    with app.app_context():
        noted = {row.seat_id: row.blinded_hash for row in db.session.scalars(select(TicketRow))}
        wanted = [{seat: hashlib.sha256(value).digest() for seat, value in draw.items()} for draw in draws]
        assert noted in wanted


def test_of_two_draws_at_once_one_wins_whole(
    app: Flask, cycle: int, cast: Cast, settings: Settings, tmp_path: Path
) -> None:
    environ = {"REVIEW_DATA": str(settings.data_dir), "REVIEW_BASE_URL": settings.base_url}
    one_winner(app, settings, cast, environ, tmp_path, cycle)


@pytest.mark.postgres
def test_of_two_draws_at_once_one_wins_whole_on_postgresql(tmp_path: Path, postgres_url: str, urn_url: str) -> None:
    environ = {"REVIEW_DATA": str(tmp_path / "pg"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    settings = Settings.from_env(environ)
    app = create_app(settings)
    with app.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        cycle = make_maximum(cast, settings, SMALL)
    one_winner(app, settings, cast, environ, tmp_path, cycle)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


# -- pages and data --------------------------------------------------------------------------------------------------


def test_the_browser_gets_what_it_needs_and_only_raters_do(
    app: Flask, cycle: int, cast: Cast, settings: Settings, seats: Seats, browse: Browse
) -> None:
    said = browse(cast["bo"]).client.get(f"/peers/{cycle}/tickets").get_json()
    with app.app_context():
        assert as_bytes(said["seal_public"]) == ballots.seal_key(cycle)
        assert (said["size"], said["version"]) == (ballots.ballot_size(cycle), 1)
        assert said["index"]["sha256"] == tickets.digest_of(cycle)
    assert said["endpoint"] == "http://localhost/cast"
    assert said["wrapped"] is None
    assert {UUID(one["seat"]) for one in said["colleagues"]} == {seats["bo", name] for name in SMALL if name != "bo"}
    for one in said["colleagues"]:
        assert as_bytes(one["key"]) == ticket_keys.public(settings.keys_dir, cycle, one["review"])
    for path in ("tickets", "maximum"):
        for stranger in ("sam", "rae", "hana", "max"):
            browse(cast[stranger]).get(f"/peers/{cycle}/{path}", 404)
        assert browse().client.get(f"/peers/{cycle}/{path}").status_code == 302
    assert sent(browse(cast["hana"]), cycle, {uuid4(): b"x"}).status_code == 404


def test_whoever_comes_back_gets_the_seed_they_left(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    with app.app_context():
        blinded = blinded_for(settings, cycle, cast, "bo")
    sent(browse(cast["bo"]), cycle, blinded)
    assert as_bytes(browse(cast["bo"]).client.get(f"/peers/{cycle}/tickets").get_json()["wrapped"]) == WRAPPED
    assert browse(cast["cy"]).client.get(f"/peers/{cycle}/tickets").get_json()["wrapped"] is None


def test_the_page_names_the_fingerprint_of_the_index(app: Flask, cycle: int, cast: Cast, browse: Browse) -> None:
    page = browse(cast["bo"]).get(f"/peers/{cycle}/maximum")
    with app.app_context():
        assert str(tickets.digest_of(cycle)) in page.text


def test_the_ordinary_ballot_leads_to_the_page_of_all_and_takes_nothing(
    app: Flask, cycle: int, cast: Cast, seats: Seats, browse: Browse
) -> None:
    seat, browser = seats["bo", "ada"], browse(cast["bo"])
    assert browser.get(f"/peers/{seat}", 302).location == f"/peers/{cycle}/maximum"
    browser.post(f"/peers/{seat}", {f"c-{key}": level.value for key, level in GOOD.items() if level}, 403)
    with app.app_context():
        assert ballots.cast_so_far(cycle) == 0
        with pytest.raises(NotAllowed, match="sealed_in_browser"):
            peer_review.cast(peer_review.seat_file(seat), GOOD, NOW)


def test_the_list_leads_to_one_page_and_marks_nobody(app: Flask, cycle: int, cast: Cast, browse: Browse) -> None:
    page = browse(cast["bo"]).get("/peers")
    assert page.soup.find("a", href=f"/peers/{cycle}/maximum")
    assert not [link for link in page.soup.find_all("a") if "/peers/" in str(link["href"]) and "-" in str(link["href"])]
    assert "Ballot cast" not in page.words


def test_a_cycle_with_standard_protection_has_no_tickets(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        plain = make_cycle(cast)
        db.session.commit()
    browser = browse(cast["bo"])
    for path in ("maximum", "tickets", "receipts", "receipts.json", "keys.json"):
        browser.get(f"/peers/{plain}/{path}", 404)


# -- the index -------------------------------------------------------------------------------------------------------


def test_the_index_is_the_same_for_all_and_needs_no_session(
    app: Flask, cycle: int, cast: Cast, settings: Settings, browse: Browse
) -> None:
    answers = [browse(cast[who] if who else None).client.get(f"/peers/{cycle}/keys.json") for who in ("bo", "cy", "")]
    assert len({answer.data for answer in answers}) == 1
    assert all(
        "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers.get("Vary", "") for answer in answers
    )
    index = json.loads(answers[0].data)
    assert canonical_json(index) == answers[0].data
    with app.app_context():
        assert hashlib.sha256(answers[0].data).hexdigest() == tickets.digest_of(cycle)
        assert {int(review) for review in index["keys"]} == set(reviews_of(cycle).values())
        assert index["seal"] == hashlib.sha256(ballots.seal_key(cycle)).hexdigest()
        assert index["cycle"] == cycle
    for review, fingerprint in index["keys"].items():
        spki = ticket_keys.public(settings.keys_dir, cycle, int(review))
        assert spki is not None
        assert hashlib.sha256(spki).hexdigest() == fingerprint


def test_the_audit_log_keeps_the_hash_of_the_index(app: Flask, cycle: int) -> None:
    with app.app_context():
        line = db.session.scalars(select(AuditRow).where(AuditRow.action == "tickets:index:fixed")).one()
        assert line.details["sha256"] == tickets.digest_of(cycle)


# -- reminders and progress ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_who_is_reminded_does_not_depend_on_who_has_cast(
    app: Flask, cycle: int, cast: Cast, settings: Settings
) -> None:
    everybody = {cast[name].id: 3 for name in SMALL}
    assert peer_review.owing(cycle) == everybody
    for ticket in draw_as(cycle, cast["bo"], settings).values():
        post(app, letter_of(settings, ticket, GOOD))
    assert peer_review.owing(cycle) == everybody
    (task,) = peer_review.open_tasks(cast["bo"].id, NOW)
    assert (task.asked, task.owed) == (3, 3)
    lines = remind.owing(the(cycle), [(Deadline.CLOSE, the(cycle).closes_at)])[cast["bo"].id].lines
    assert [line["blind"] for line in lines if line["what"] == "peers"] == [True]


@pytest.mark.usefixtures("inside")
def test_the_board_knows_only_how_full_the_urn_is(app: Flask, cycle: int, cast: Cast, settings: Settings) -> None:
    assert peer_review.turnout(cycle) == (0, 12)
    for name in ("bo", "cy"):
        for ticket in draw_as(cycle, cast[name], settings).values():
            post(app, letter_of(settings, ticket, GOOD))
    assert peer_review.turnout(cycle) == (6, 12)
    assert tick.tick(NOW).snapshots == 1
    assert db.session.scalars(select(PeerProgressRow.percent)).all() == [50]


def test_a_forged_ticket_is_only_made_with_the_signing_key(
    app: Flask, cycle: int, cast: Cast, settings: Settings
) -> None:
    """What the tests of the count rely on: the slot itself cannot tell such a ticket from a drawn one."""
    with app.app_context():
        made = forged(settings, cycle, review_of(cycle, cast["ada"]))
    assert post(app, letter_of(settings, made, GOOD)).status_code == 204
