"""One unhappy customer, from a ticket system's export to the closed case: over SMTP, on a phone, through four hands.

A real web server, worker and mail server stand behind it, and the export comes in through the command line of a process
of its own. What the browser does not do itself are ratings, ballots and sign-offs: they go through the same services.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from review.ballots import service as ballots
from review.domain.cycle import Stage
from review.domain.vocabulary import Level
from review.infra import suppression
from review.infra.clock import now
from review.infra.db import db
from review.infra.suppression import Stopped
from review.peer_review import service as peer_review
from review.people import accounts, directory
from review.results import service as results
from review.workflow.tick import tick
from tests.chromium import chromium
from tests.house import PATIENCE, Home, lived_in, text_of
from tests.make import Cast, make_cast
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.make_peers import TEAM
from tests.make_results import Told, publish, rate, sign_off, vote

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-quiet-river-of-tea-42"
PHONE = {"width": 390, "height": 844}
WORDS = "I waited two hours for a call that never came."
TOLD = "A customer waited two hours for a call that was promised. What held it up?"

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


class Scene:
    """The house, the people in it, and the cycle they are in the middle of."""

    def __init__(self, home: Home, browser: object, folder: Path) -> None:
        self.home, self._browser, self.folder = home, browser, folder
        with home.app.app_context():
            self.cast: Cast = make_cast()
            for name in ("hana", "sam", "quinn", "ada"):
                accounts.set_password(directory.person(self.cast[name].id), PASSWORD, now(), by=None)
            self.cycle_id = make_cycle(self.cast, who=[self.cast[name] for name in TEAM])
            soon = {"self_due_at": now() + timedelta(days=4), "closes_at": now() + timedelta(days=5)}
            later = {"finalise_by": now() + timedelta(days=9), "publish_on": now().date() + timedelta(days=12)}
            set_dates(self.cycle_id, opens_at=now() - timedelta(days=1), **soon, **later)
            self.told = Told(self.cycle_id, {name: review_of(self.cycle_id, self.cast[name]) for name in TEAM})
            db.session.commit()

    @contextmanager
    def window(self, **options: object) -> Iterator[object]:
        context = self._browser.new_context(base_url=self.home.address, locale="en-GB", **options)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        yield page
        context.close()
        assert [line for line in wrong if "422" not in line] == []  # a refused form is an answer like any other

    @contextmanager
    def signed_in(self, who: str) -> Iterator[object]:
        with self.window() as page:
            page.goto("/")
            page.fill("input[name=who]", self.cast[who].employee_no)
            page.fill("input[name=password]", PASSWORD)
            page.press("input[name=password]", "Enter")
            page.wait_for_selector("form[action$='/sign-out']", state="attached")
            yield page

    def status(self, page: object, path: str) -> int:
        """What the address answers to whoever is signed in there."""
        return int(page.context.request.get(path).status)


def link_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+\S+", text)
    assert found, text
    return found[0]


def words(page: object) -> str:
    return " ".join(page.inner_text("main").split())


def send(page: object, action: str, button: str = "button:not([type=button])") -> None:
    """Press a button of the form that posts to an address ending so."""
    with page.expect_navigation():
        page.click(f"form[action$='{action}'] {button}")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with chromium() as browser, lived_in(tmp_path / "home") as home:
        yield Scene(home, browser, tmp_path)


def test_from_an_exported_ticket_to_a_counted_answer_and_a_closed_case(scene: Scene) -> None:
    the_export_comes_in_by_command(scene)
    hr_plans_and_sends_a_wave(scene)
    letter = the_letter_arrives(scene)
    a_customer_answers_on_a_phone(scene, letter)
    hr_reads_the_counted_answer(scene)
    case = the_clock_opens_a_case_that_hr_gives_to_quinn(scene)
    until_it_is_brought_to_a_talk_nobody_else_sees_it(scene, case)
    quinn_works_on_it_and_brings_it_to_a_talk(scene, case)
    ada_reads_what_was_told_and_no_more(scene, case)
    quinn_closes_it(scene, case)
    hr_calls_the_customer_back(scene)
    the_team_report_counts_the_case(scene)


def the_export_comes_in_by_command(scene: Scene) -> None:
    rows = [
        "Ticket ID,Assignee,Requester,Requester email,Requester locale,Status,Channel,Type,Created at,Solved at",
        "Z-1001,Ada,Ms Lee,lee@customer.example.com,en,Solved,Email,refund,2026-03-19 09:00,2026-03-20 10:30",
        "Z-1002,Ada,Ms Lee,lee@customer.example.com,en,Solved,Email,refund,2026-03-20 09:00,2026-03-21 10:30",
        "Z-1003,Bo,Mr Zhou,zhou@customer.example.com,zh-cn,Solved,Chat,exchange,2026-03-19 09:00,2026-03-20 10:30",
        "Z-1004,Ada,Mr Wu,wu@customer.example.com,en,Solved,Chat,refund,2026-03-19 09:00,2026-03-20 10:30",
    ]
    file = scene.folder / "zendesk.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    environ = {**os.environ, "REVIEW_DATA": str(scene.folder / "home" / "instance"), "LANG": "en_GB.UTF-8"}
    command = [sys.executable, "-c", "from review.cli import main; main()", "import", "kpi", "--cycle", "Q1 2026"]
    done = subprocess.run(
        [*command, "--from", "zendesk", str(file)], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with scene.home.app.app_context():  # Mr Wu's address has sent letters back before
        why = (Stopped.HARD, "mail:no_such_address", "550 no such user")
        suppression.stop("wu@customer.example.com", *why, letter_id=None, now=now())
        db.session.commit()


def hr_plans_and_sends_a_wave(scene: Scene) -> None:
    with scene.signed_in("hana") as page:
        page.goto(f"/cycles/{scene.cycle_id}/surveys/plan")
        page.check("input[name=mode][value=list]")
        page.check("input[name=who][value=sample]")
        page.fill("input[name=valid_days]", "14")
        page.click("text=Save and preview")
        page.wait_for_url("**/surveys/preview")
        assert "2 customers would be asked now, out of 4 tickets" in words(page)
        assert "Letters to the customer's address come back 1" in words(page)
        page.goto(f"/cycles/{scene.cycle_id}/surveys")
        send(page, "/surveys/invite")


def the_letter_arrives(scene: Scene) -> EmailMessage:
    letter = scene.home.letter("lee@customer.example.com", "/s/")
    scene.home.letter("zhou@customer.example.com", "/s/")
    assert len(scene.home.mail.letters("lee@customer.example.com")) == 1  # two tickets, one letter
    assert scene.home.mail.letters("wu@customer.example.com") == []
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    html = str(letter.get_body(("html",)).get_content())
    assert "<img" not in html
    assert f"{link_in(text_of(letter))}?r=2" in html
    return letter


def a_customer_answers_on_a_phone(scene: Scene, letter: EmailMessage) -> None:
    link = link_in(text_of(letter))
    with scene.window(viewport=PHONE, is_mobile=True, has_touch=True) as page:
        page.goto(link)
        assert "Ada" in words(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        groups = page.locator("fieldset").evaluate_all("all => all.map((one) => one.querySelector('input').name)")
        for name in groups:
            page.locator(f"input[name='{name}'][value='{1 if name == 'overall' else 2}']").press("Space")
        page.fill("textarea[name=comment]", WORDS)
        page.get_by_label("Contact me about this").check()
        page.fill("input[name=contact]", "138 0013 8000")
        page.click("text=Send my answer")
        page.wait_for_url("**/s/thanks**")
        used = page.context.request.get(link)
        guessed = page.context.request.get(link[:-4] + "zzzz")
        assert (used.status, guessed.status) == (404, 404)
        assert used.text() == guessed.text()


def hr_reads_the_counted_answer(scene: Scene) -> None:
    with scene.signed_in("hana") as page:
        page.goto(f"/cycles/{scene.cycle_id}/surveys")
        assert "1 of 2 customers have answered: 50.0%, goal 70%." in words(page)
        page.goto(f"/cycles/{scene.cycle_id}/surveys/reading")
        assert "0 of 1 customers who answered are satisfied: 0.0%." in words(page)


def the_clock_opens_a_case_that_hr_gives_to_quinn(scene: Scene) -> str:
    with scene.home.app.app_context():
        tick(now())  # the worker's own may have come first
    with scene.signed_in("hana") as page:
        page.goto(f"/cycles/{scene.cycle_id}/cases")
        assert "1 open, 0 overdue, 0 closed" in words(page)
        assert "1 of 5 stars" in words(page)
        page.check("input[name=cases]")
        page.fill("input[name=owner]", scene.cast["quinn"].employee_no)
        page.fill("input[name=due_on]", f"{now().date() + timedelta(days=5)}")
        page.click("text=Assign")
        page.wait_for_selector("td:has-text('Quinn')")
    letter = text_of(scene.home.letter("quinn@example.com", "/cases/"))
    assert "Ada" not in letter
    assert WORDS not in letter
    return link_in(letter).removeprefix(scene.home.address)


def until_it_is_brought_to_a_talk_nobody_else_sees_it(scene: Scene, case: str) -> None:
    with scene.signed_in("ada") as page:
        assert scene.status(page, case) == 404
        page.goto("/cases")
        assert "What single customers said reaches you only when somebody talks it over" in words(page)
    with scene.signed_in("sam") as page:  # her supervisor has still to rate her
        assert scene.status(page, case) == 404
        assert scene.status(page, f"/cycles/{scene.cycle_id}/contacts") in {403, 404}


def quinn_works_on_it_and_brings_it_to_a_talk(scene: Scene, case: str) -> None:
    with scene.signed_in("quinn") as page:
        page.goto(case)
        assert WORDS in words(page)
        assert "138 0013 8000" in words(page)
        page.check("input[name=cause][value=delay]")
        page.fill("textarea[name=measure]", "Promised calls stand in the calendar of the whole shift.")
        page.fill("textarea[name=talk]", TOLD)
        with page.expect_navigation():
            page.click("button[name=act][value=talk]")
        assert page.input_value("textarea[name=measure]").startswith("Promised calls")


def ada_reads_what_was_told_and_no_more(scene: Scene, case: str) -> None:
    with scene.signed_in("ada") as page:
        page.goto("/cases")
        said = words(page)
        assert TOLD in said
        assert "Promised calls stand in the calendar" in said
        assert [one for one in ("Lee", WORDS, "138 0013 8000", "Z-100", "stars") if one in said] == []
        assert scene.status(page, case) == 404


def quinn_closes_it(scene: Scene, case: str) -> None:
    with scene.signed_in("quinn") as page:
        page.goto(case)
        with page.expect_navigation():
            page.click("button[name=act][value=close]")  # without a closing note it stays open, and nothing is lost
        assert page.input_value("textarea[name=measure]").startswith("Promised calls")
        page.fill("textarea[name=note]", "No promised call was missed for two weeks.")
        with page.expect_navigation():
            page.click("button[name=act][value=close]")
        assert "Take it up again" in words(page)


def hr_calls_the_customer_back(scene: Scene) -> None:
    with scene.signed_in("hana") as page:
        page.goto(f"/cycles/{scene.cycle_id}/contacts")
        assert "1 customer asked for it and waits." in words(page)
        assert "Ms Lee" in words(page)
        page.fill("textarea[name=note]", "Called on Monday; she got her refund.")
        page.click("main form button:has-text('Contacted')")
        page.wait_for_selector("text=Nobody waits.")
        page.goto(f"/cycles/{scene.cycle_id}/cases?only=closed")
        assert "0 open, 0 overdue, 1 closed" in words(page)


def the_team_report_counts_the_case(scene: Scene) -> None:
    told, cast = scene.told, scene.cast
    with scene.home.app.app_context():
        for name in told.reviews:
            rate(told, cast, name, at=now())
        vote(told, cast, {}, Level.GOOD)
        ballots.count(told.cycle_id, peer_review.seats_for_count(told.cycle_id), now=now())
        set_stage(told.cycle_id, Stage.FINALISING)
        results.score_cycle(told.cycle_id, now())
        sign_off(told, at=now())
        publish(told, cast, now())
    with scene.signed_in("sam") as page:
        page.goto(f"/team/{told.cycle_id}/report")
        said = "1 closed, 0 open, 0 of them overdue; 0 were complaints, 1 were talked over with the employee."
        assert said in words(page)
        assert "Answered or solved too late 1" in words(page)
