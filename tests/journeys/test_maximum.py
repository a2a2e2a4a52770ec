"""A rater under maximum protection, in a real browser over a real server: what is drawn, sealed and really sent."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from review.app import create_app
from review.ballots import service as ballots
from review.domain.cycle import Stage
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review.tables import SeatRow
from review.tickets import service as tickets
from review.tickets.endpoint import create_endpoint
from review.tickets.tables import TicketDrawRow, TicketRow
from tests.chromium import chromium
from tests.make import Cast, Somebody, make_cast
from tests.make_cycle import set_dates, set_stage
from tests.make_peers import ASKED, open_ballots
from tests.make_tickets import make_maximum
from tests.postgres import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSPHRASE = "seven quiet rivers"
TEAM = ("ada", "bo", "cy", "di")
TELLS_WHO = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_REFERER")
STORED = """async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
    (await caches.keys()).length]"""

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Wsgi = Callable[..., Any]


@dataclass
class Place:
    """A web server with a rater's cycle, and everything that reached the slot for ballots."""

    app: Flask
    settings: Settings
    address: str
    cycle: int
    cast: Cast
    browser: "Browser"
    arrived: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def window(self, who: Somebody, width: int = 1280, asked: tuple[str, ...] = ()) -> Iterator["Page"]:
        """A page signed in as `who`; fails on any word in the console, any breach of the policy, any other question."""
        context = self.browser.new_context(base_url=self.address, viewport={"width": width, "height": 900})
        context.add_cookies(
            [{"name": self.app.config["SESSION_COOKIE_NAME"], "value": self._cookie(who), "url": self.address}]
        )
        complaints: list[str] = []
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        questions: list[str] = []
        page.on("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
        yield page
        context.close()
        assert [told for told in complaints if "Failed to load resource" not in told] == []
        assert tuple(questions) == asked

    def _cookie(self, who: Somebody) -> str:
        made = self.app.session_interface.get_signing_serializer(self.app)
        return str(made.dumps({"_user_id": who.session_id, "_fresh": True}))

    @property
    def page(self) -> str:
        return f"/peers/{self.cycle}/maximum"

    def counted(self) -> int:
        with self.app.app_context():
            return len(open_ballots(self.settings, self.cycle))


@contextmanager
def served(app: Wsgi, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with chromium() as started:
        yield started


@pytest.fixture
def place(settings: Settings, browser: "Browser") -> Iterator[Place]:
    """Pages and slot in one process, as `wsgi:app` offers them."""
    with _place(settings, browser, elsewhere=False) as made:
        yield made


@contextmanager
def _place(settings: Settings, browser: "Browser", *, elsewhere: bool) -> Iterator[Place]:
    port, other = free_port(), free_port()
    address = f"http://127.0.0.1:{port}"
    slot = f"http://127.0.0.1:{other if elsewhere else port}/cast"
    settings = replace(settings, base_url=address, cast_url=slot)
    app = create_app(settings)
    with app.app_context():
        cast = make_cast()
        cycle = make_maximum(cast, settings, TEAM)
        at = now()
        set_dates(cycle, opens_at=at - timedelta(days=2), closes_at=at + timedelta(days=5))
        db.session.commit()
    made = Place(app, settings, address, cycle, cast, browser)

    def listening(inner: Wsgi) -> Wsgi:
        def heard(environ: dict[str, Any], start: Any) -> Any:
            if environ["PATH_INFO"].startswith("/cast") and environ["REQUEST_METHOD"] == "POST":
                made.arrived.append({key: value for key, value in environ.items() if isinstance(value, str)})
            return inner(environ, start)

        return heard

    with served(listening(app), port), served(listening(create_endpoint(settings)), other):
        yield made
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def draw(page: "Page", place: Place) -> None:
    page.goto(place.page)
    ask_for_tickets(page)
    page.get_by_role("heading", name="Your colleagues").wait_for()


def ask_for_tickets(page: "Page", passphrase: str = PASSPHRASE, again: str = PASSPHRASE) -> None:
    page.locator("#first").fill(passphrase)
    page.locator("#second").fill(again)
    page.get_by_role("button", name="Draw my tickets").click()


def unlock(page: "Page", place: Place, passphrase: str = PASSPHRASE) -> None:
    page.goto(place.page)
    page.locator("#once").fill(passphrase)
    page.get_by_role("button", name="Unlock").click()


def choose(page: "Page", level: str) -> None:
    for key in ASKED:
        page.locator(f"label:has(input[name='c-{key}'][value='{level}'])").click()


def send(page: "Page") -> None:
    page.locator("#send").click()


def rows(place: Place) -> set[tuple[str, str]]:
    """(review, level of every answer) of what lies in the urn, opened as only the count can."""
    with place.app.app_context():
        found = open_ballots(place.settings, place.cycle)
    return {(str(each.review_id), "|".join(sorted({level.value for level in each.answers.values()}))) for each in found}


def test_a_rater_draws_once_casts_about_everybody_and_leaves_nothing_behind(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        for name, level in (("Ada", "good"), ("Cy", "excellent"), ("Di", "none")):
            page.get_by_role("heading", level=2, name=f"Rate {name}").wait_for()
            choose(page, level)
            send(page)
        page.get_by_text("You have cast a ballot about everybody on your list.").wait_for()
        assert page.locator("#codes li").count() == 3
        assert page.get_by_text("Ballot cast", exact=True).count() == 3
        assert page.url == place.address + place.page
        assert page.evaluate(STORED) == [0, 0, 0, 0]
        assert page.evaluate("history.length") <= 2
    assert len(place.arrived) == 3
    for environ in place.arrived:
        assert not set(environ) & set(TELLS_WHO)
        assert environ["CONTENT_LENGTH"] == place.arrived[0]["CONTENT_LENGTH"]
    assert sorted(levels for _, levels in rows(place)) == ["", "excellent", "good"]


def test_the_codes_are_the_receipts_of_what_lies_in_the_urn(place: Place, tmp_path: Path) -> None:
    with place.window(place.cast["bo"]) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        choose(page, "good")
        send(page)
        page.get_by_text("The ballot is cast.").wait_for()
        page.get_by_role("button", name="Back to the list").click()
        code = page.locator("#codes li").inner_text().replace(" ", "")
        with page.expect_download() as caught:
            page.get_by_role("button", name="Save as a file").click()
        saved = tmp_path / "codes.txt"
        caught.value.save_as(saved)
    assert code in saved.read_text(encoding="utf-8")
    assert "Bo" not in saved.read_text(encoding="utf-8")
    assert "Ada" not in saved.read_text(encoding="utf-8")
    assert code == receipts_in(place)[0][:32]


def receipts_in(place: Place) -> list[str]:
    from review.ballots import seal_keys, sealing
    from review.ballots.service import urn_at

    with place.app.app_context():
        key = seal_keys.private(place.settings.keys_dir, place.cycle)
        assert key is not None
        opened = [
            sealing.unseal(version, sealed, cycle_id=place.cycle, token_hash=token_hash, private_key=key)
            for token_hash, version, sealed in urn_at(place.settings, place.cycle).rows()
        ]
    return sorted(hashlib.sha256(b"review360 receipt|" + (each.ticket or b"")).hexdigest() for each in opened)


def count(place: Place) -> None:
    with place.app.app_context():
        seats = dict(db.session.execute(select(SeatRow.id, SeatRow.review_id)).all())
        set_stage(place.cycle, Stage.COUNTING)
        db.session.commit()
        ballots.close_urn(place.cycle)
        counted = ballots.count(place.cycle, seats, now=now(), drawn=tickets.drawn(place.cycle, seats))
        assert (counted.ballots, counted.strangers) == (2, 0)


def test_a_rater_finds_every_ballot_in_the_published_list_and_misses_one_that_is_not(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        draw(page, place)
        for name in ("Ada", "Cy"):
            page.get_by_role("button", name=f"Rate {name}").click()
            choose(page, "good")
            send(page)
            page.get_by_text("The ballot is cast.").wait_for()
            page.get_by_role("button", name="Back to the list").click()
        with page.expect_download() as caught:
            page.get_by_role("button", name="Save as a file").click()
        saved = caught.value.path()
        count(place)
        page.goto(f"/peers/{place.cycle}/receipts")
        page.locator("#saved").set_input_files(saved)
        page.get_by_text("2 of your 2 ballots were counted.").wait_for()
        box, go = page.locator("#pasted"), page.get_by_role("button", name="Compare")
        known = [line for line in box.input_value().splitlines() if len(line) == 32]
        foreign, typo = "0123456789abcdef" * 2, known[0][:-1]
        for text, told in (
            (" ".join(known[0][n : n + 4] for n in range(0, 32, 4)).upper(), "Your ballot was counted."),
            ("\n".join([*known, foreign]), "2 of your 3 ballots were counted."),
            (foreign, "Your ballot is not in the list."),
            (f"{known[0]}\n{typo}", "Not readable as receipts: 1 of the lines."),
            ("nothing", "No receipt was found"),
        ):
            box.fill(text)
            go.click()
            page.locator("#compared").get_by_text(told).wait_for()
        assert page.evaluate(STORED) == [0, 0, 0, 0]


def test_whoever_comes_back_with_the_passphrase_changes_the_ballot_they_cast(place: Place) -> None:
    for level in ("good", "poor"):
        with place.window(place.cast["bo"]) as page:
            if level == "good":
                draw(page, place)
            else:
                unlock(page, place, "seven quiet riverS")
                page.get_by_text("This is not the passphrase you chose.").wait_for()
                assert page.locator("#once").get_attribute("aria-invalid") == "true"
                page.locator("#once").fill(PASSPHRASE)
                page.get_by_role("button", name="Unlock").click()
            page.get_by_role("button", name="Rate Ada").click()
            assert page.locator("#ballot input:checked").count() == 0
            choose(page, level)
            send(page)
            page.get_by_text("The ballot is cast.").wait_for()
    assert [level for _, level in rows(place)] == ["poor"]
    with place.app.app_context():
        assert len(db.session.scalars(select(TicketDrawRow)).all()) == 1
        assert len(db.session.scalars(select(TicketRow)).all()) == 3


def test_a_passphrase_too_short_or_typed_differently_draws_nothing(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        page.goto(place.page)
        for typed, again, told in (("seven77", "seven77", "8 characters or more."), (PASSPHRASE, "x", "differ")):
            ask_for_tickets(page, typed, again)
            page.locator("#said").get_by_text(told).wait_for()
    with place.app.app_context():
        assert db.session.scalars(select(TicketDrawRow)).all() == []


def test_without_a_connection_the_choices_stay_and_are_sent_again(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        choose(page, "good")
        page.context.set_offline(True)
        send(page)
        page.get_by_text("Your ballot is not cast yet.").wait_for()
        assert page.locator("#ballot input:checked").count() == len(ASKED)
        page.get_by_role("button", name="Back to the list").click()
        page.get_by_role("button", name="Rate Ada").click()
        assert page.locator("#ballot input:checked").count() == len(ASKED)
        page.context.set_offline(False)
        send(page)
        page.get_by_text("The ballot is cast.").wait_for()
    assert [level for _, level in rows(place)] == ["good"]


def test_a_draw_whose_answer_was_lost_is_made_again_and_gives_the_same_tickets(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        page.goto(place.page)
        lost: list[str] = []

        def lose(route: Any) -> None:
            route.fetch()
            lost.append(route.request.post_data)
            route.abort()

        page.route("**/draw", lose, times=1)
        ask_for_tickets(page)
        page.get_by_text("No connection.").wait_for()
        with page.expect_request("**/draw") as caught:
            page.get_by_role("button", name="Try again").click()
        page.get_by_role("heading", name="Your colleagues").wait_for()
        assert caught.value.post_data == lost[0]


@pytest.mark.parametrize("tampered", ["keys.json", "key", "seal", "digest"])
def test_a_key_that_is_not_in_the_published_index_stops_everything(place: Place, tampered: str) -> None:
    """What a dishonest server would do to one rater: another key marks the ticket it signs."""

    def meddle(route: Any) -> None:
        answer = route.fetch()
        said = answer.json()
        if tampered == "keys.json":
            first = next(iter(said["keys"]))
            said["keys"][first] = "0" * 64
        elif tampered == "key":
            said["colleagues"][0]["key"] = said["colleagues"][1]["key"]
        elif tampered == "seal":
            said["seal_public"] = "B" + said["seal_public"][1:-4] + "AAAA"
        else:
            said["index"]["sha256"] = "0" * 64
        route.fulfill(response=answer, json=said)

    with place.window(place.cast["bo"]) as page:
        page.route("**/keys.json" if tampered == "keys.json" else "**/tickets", meddle)
        page.goto(place.page)
        page.get_by_text("The keys do not match the published index. Nothing was sent.").wait_for()
        assert page.locator("form[data-passphrase]:visible, #part-again:visible").count() == 0
    with place.app.app_context():
        assert db.session.scalars(select(TicketDrawRow)).all() == []


def test_leaving_is_asked_about_only_while_a_ballot_is_not_cast(place: Place) -> None:
    with place.window(place.cast["bo"], asked=("beforeunload",)) as page:
        draw(page, place)
        page.goto("/peers")
        unlock(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        page.locator(f"label:has(input[name='c-{ASKED[0]}'][value='good'])").click()
        page.goto("/peers")


def test_a_ballot_with_an_unanswered_question_is_not_sent_and_the_question_is_marked(place: Place) -> None:
    with place.window(place.cast["bo"], asked=("beforeunload",)) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        page.locator(f"label:has(input[name='c-{ASKED[0]}'][value='good'])").click()
        send(page)
        page.get_by_text("Choose an answer to every question.").wait_for()
        assert page.locator("#ballot .r-err").count() == len(ASKED) - 1
        assert page.evaluate("document.activeElement.name") == f"c-{ASKED[1]}"
        page.reload()
    assert place.arrived == []


def test_after_the_close_nothing_is_taken_and_the_page_says_so(place: Place) -> None:
    with place.window(place.cast["bo"]) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        choose(page, "good")
        with place.app.app_context():
            ballots.close_urn(place.cycle)
        send(page)
        page.get_by_text("Rating has closed.").wait_for()
        page.reload()


def test_ballots_go_to_a_host_of_their_own_without_a_name_too(settings: Settings, browser: "Browser") -> None:
    with _place(settings, browser, elsewhere=True) as place, place.window(place.cast["bo"]) as page:
        draw(page, place)
        page.get_by_role("button", name="Rate Ada").click()
        choose(page, "good")
        send(page)
        page.get_by_text("The ballot is cast.").wait_for()
        assert [set(environ) & set(TELLS_WHO) for environ in place.arrived] == [set()]
        assert place.arrived[0]["HTTP_HOST"] not in place.address
        assert [level for _, level in rows(place)] == ["good"]
