"""Survey links in the wild: mail scanners with a real browser answer for nobody, people answer by keyboard alone,
without scripts, on a phone; two servers take one answer.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.serving import make_server

from review.customer_survey import service
from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.settings import Settings
from review.responses.tables import ResponseRow
from tests.chromium import chromium
from tests.make import Cast
from tests.make_cycle import make_cycle
from tests.make_surveys import cycle_of, make_tickets

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}


def asked(app: Flask, cast: Cast, count: int) -> list[str]:
    """As many customers asked an hour ago in a cycle that is open today; their links without the host."""
    with app.app_context():
        cycle_id, moment = make_cycle(cast), now()
        dates = {"opens_at": moment - timedelta(days=1), "closes_at": moment + timedelta(days=5)}
        db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(**dates))
        make_tickets(count, cast["ada"].id)
        db.session.expire_all()
        assert service.queue_invitations(cycle_of(cycle_id), moment - timedelta(hours=1)) == count
        db.session.commit()
        customers = db.session.scalars(select(InvitationRow.customer_id).order_by(InvitationRow.id)).all()
        return [f"/s/{service.link_token(cycle_id, customer, 1)}" for customer in customers]


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    """The application on a port of this machine; its address."""
    made = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def state(app: Flask) -> list[object]:
    """Answers, and every row about who was asked."""
    with app.app_context():
        answers = db.session.scalar(select(func.count()).select_from(ResponseRow))
        return [answers, *map(tuple, db.session.execute(select(InvitationRow.__table__)))]


SUFFIXES = ("", *(f"?r={star}" for star in range(1, 6)), "/unsubscribe?lang=zh")  # the links of one letter


def scan(context: "BrowserContext", page: "Page", address: str, opened: Sequence[str]) -> None:
    """What a mail filter does with a letter: HEAD and GET of every link, and a browser with scripts that opens some,
    scrolls, focuses everything, and follows what the page links to."""
    for suffix in SUFFIXES:
        assert context.request.head(address + suffix).status == 200
        assert context.request.get(address + suffix).status == 200
    for suffix in opened:
        page.goto(address + suffix, wait_until="load")
        page.mouse.wheel(0, 2000)
        page.evaluate("document.querySelectorAll('input, button, a').forEach((one) => one.focus())")
        for link in page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)"):
            if "#" not in link and link not in (address + one for one in SUFFIXES):
                context.request.get(link)


def scanned(app: Flask, server: str, links: list[str], browser: "Browser") -> None:
    """A few links are opened in full, of many each is opened once, with a star chosen."""
    before = state(app)
    context = browser.new_context()
    page = context.new_page()
    for number, link in enumerate(links):
        scan(context, page, server + link, SUFFIXES if len(links) < 10 else SUFFIXES[1 + number % 5 :][:1])
    context.close()
    assert state(app) == before
    assert before[0] == 0


def test_a_scanner_with_a_real_browser_answers_for_nobody(app: Flask, cast: Cast, server: str) -> None:
    links = asked(app, cast, 2)
    with chromium() as browser:
        scanned(app, server, links, browser)


@pytest.mark.full
def test_a_thousand_scanned_links_record_no_answer(app: Flask, cast: Cast, server: str) -> None:
    links = asked(app, cast, 1000)
    with chromium() as browser:
        scanned(app, server, links, browser)


def tab_to(page: "Page", name: str) -> None:
    """Press Tab until the focus stands on an input of that name."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name || document.activeElement.type") == name:
            return
    raise AssertionError(f"Tab never reached {name}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_customer_answers_by_keyboard_on_a_phone_with_and_without_scripts(
    app: Flask, cast: Cast, server: str, scripts: bool
) -> None:
    [link] = asked(app, cast, 1)
    with chromium() as browser:
        context = browser.new_context(viewport=PHONE, java_script_enabled=scripts, locale="en")  # type: ignore[arg-type]
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{server}{link}?lang=en")
        names = page.locator("fieldset").evaluate_all("all => all.map((one) => one.querySelector('input').name)")
        if scripts:
            for name in names[:-1]:
                tab_to(page, name)
                page.keyboard.press("Space")
                for _ in range(3):
                    page.keyboard.press("ArrowRight")
        else:  # without scripts Chromium cannot tell us where the focus stands: tap instead
            for name in names[:-1]:
                page.locator(f"input[name='{name}'][value='4']").check(force=True)
        page.locator("textarea").fill("It took two calls.")
        page.locator("button[type=submit]").press("Enter")
        alert = page.get_by_role("alert")  # the overall star is still open: nothing typed is lost
        assert "1 question is still open" in alert.inner_text()
        assert page.locator("textarea").input_value() == "It took two calls."
        assert page.locator("input[value='4']:checked").count() == len(names) - 1
        page.locator("input[name='overall'][value='5']").check(force=True)
        assert page.locator(".r-reach").is_hidden()
        page.get_by_label("Contact me about this").check()
        page.locator("input[name='contact']").fill("138 0013 8000")
        page.locator("button[type=submit]").press("Enter")
        page.wait_for_url("**/s/thanks**")
        assert page.locator("h1").inner_text() == "Received, thank you"
        assert [text for text in complaints if "422" not in text] == []
        context.close()
    with app.app_context():
        row = db.session.scalars(select(ResponseRow)).one()
        assert (row.overall, row.texts["contact"], row.texts["comment"]) == (5, "138 0013 8000", "It took two calls.")
        assert [value for value in (row.c1, row.c2, row.c3, row.c4, row.c5) if value is not None] == [4, 4, 4]


def test_stars_have_names_for_a_screen_reader(app: Flask, cast: Cast, server: str) -> None:
    [link] = asked(app, cast, 1)
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        page.goto(f"{server}{link}?lang=en")
        group = page.get_by_role("group", name="Overall, how satisfied were you with this service?")
        assert group.get_by_role("radio").count() == 5
        assert group.get_by_role("radio", name="4 stars, Satisfied").count() == 1
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


POST = """
import sys, threading
from pathlib import Path
from review.app import create_app
from review.infra.settings import Settings

app = create_app(Settings.from_env({"REVIEW_DATA": sys.argv[1], "REVIEW_BASE_URL": "http://localhost"}))
stars = {f"stars-{key}": "4" for key in ("business_knowledge", "communication", "problem_solving")} | {"overall": "5"}
start, codes = threading.Barrier(4), []

def press(number):
    client = app.test_client()
    start.wait()
    codes.append(client.post(sys.argv[2], data=stars | {"form": f"{sys.argv[3]}-{number}"}).status_code)

print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*codes)
"""


def test_one_link_in_two_processes_gives_one_answer(app: Flask, cast: Cast, settings: Settings) -> None:
    [link] = asked(app, cast, 1)
    command = [sys.executable, "-c", POST, str(settings.data_dir), link]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    runs = [subprocess.Popen([*command, name], **pipes) for name in ("one", "two")]  # type: ignore[call-overload]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    codes = [code for run in runs for code in run.communicate(timeout=60)[0].split()]
    assert sorted(codes) == ["303", *["404"] * 7]
    assert state(app)[0] == 1
