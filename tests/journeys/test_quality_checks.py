"""A quality check from the lot to the decided dispute: a worker draws, a keyboard marks, mail tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from review.domain.records import TicketStatus, TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra.clock import now
from review.infra.db import db
from review.people import accounts, directory
from review.quality import form_versions
from tests.chromium import chromium
from tests.house import PATIENCE, Home, lived_in, text_of
from tests.make import Somebody, make_cast

PASSWORD = "a-quiet-river-of-tea-42"

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def settle(home: Home) -> dict[str, Somebody]:
    """The cast with passwords, four tickets of Ada's, and the packaged form."""
    with home.app.app_context():
        cast = make_cast()
        at = now()
        for name in ("ada", "quinn", "hana"):
            accounts.set_password(directory.person(cast[name].id), PASSWORD, at, by=None)
        for number in range(4):
            values = {"system": TicketSystem.ZENDESK, "reference": f"Z-{number:05}", "agent_id": cast["ada"].id}
            values |= {"closed_on": at.date() - timedelta(days=2), "channel": "phone", "kind": "refund"}
            db.session.add(TicketRow(**values, status=TicketStatus.SOLVED))
        form_versions.install_default(at, cast["hana"].id)
        db.session.commit()
        return cast


@contextmanager
def signed_in(browser: object, home: Home, who: Somebody) -> Iterator[object]:
    context = browser.new_context(base_url=home.address, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto("/")
    page.fill("input[name=who]", who.employee_no)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_selector("form[action$='/sign-out']", state="attached")
    yield page
    context.close()
    assert not wrong, wrong


def mark_by_keyboard(page: object, key: str, presses: int) -> None:
    """Into the group by Tab's own rule (its first radio), to the mark by arrow keys."""
    page.locator(f"input[name=mark_{key}]").first.focus()
    page.keyboard.press("Space")
    for _ in range(presses):
        page.keyboard.press("ArrowRight")


def test_from_the_lot_to_the_decided_dispute(tmp_path: Path) -> None:
    with lived_in(tmp_path) as home, chromium() as browser:
        cast = settle(home)
        with signed_in(browser, home, cast["hana"]) as page:
            _draws_and_names(page, cast["quinn"])
        assert "was drawn for you" in text_of(home.letter("quinn@example.com", "drawn for you"))
        with signed_in(browser, home, cast["quinn"]) as page:
            _marks(page)
        letter = text_of(home.letter("ada@example.com", "has been checked"))
        with signed_in(browser, home, cast["ada"]) as page:
            _disputes(page, next(word for word in letter.split() if "/checks/" in word))
        letter = text_of(home.letter("hana@example.com", "disputes the check"))
        with signed_in(browser, home, cast["hana"]) as page:
            page.goto(next(word for word in letter.split() if "/disputes/" in word))
            page.check("input[name=verdict][value=accepted]")
            page.fill("textarea[name=reason]", "She said it back at 02:10.")
            page.click("text=Decide for good")
            page.wait_for_selector("text=Points before 85.00, after 100.00.")
        assert "decided" in text_of(home.letter("ada@example.com", "has been decided"))
        assert "decided" in text_of(home.letter("quinn@example.com", "has been decided"))


def _draws_and_names(page: object, checker: Somebody) -> None:
    page.goto("/quality/samples/new")
    page.fill("input[name=name]", "All agents")
    first = (now() - timedelta(days=10)).date()
    page.fill("input[name=first_day]", f"{first}")
    page.fill("input[name=per_agent]", "1")
    page.click("text=Draw the sample")
    page.wait_for_selector("textarea[name=checkers]")  # the page comes anew by itself once the worker is through
    page.fill("textarea[name=checkers]", checker.employee_no)
    page.click("text=Share out and tell them")
    page.wait_for_selector("text=The tickets are shared out")


def _marks(page: object) -> None:
    page.click("text=Check 1 ticket")
    page.goto("/checks")
    page.click("text=Check the first one")
    steps = {"opening": 2, "understanding": 0, "solution": 3, "process": 2, "tone": 4, "record": 2, "privacy": 1}
    for key, presses in steps.items():
        mark_by_keyboard(page, key, presses)
    page.fill("textarea[name=comment_understanding]", "Answered another question.")
    with page.expect_response(lambda answer: answer.url.endswith("/draft") and answer.status == 204):
        page.select_option("select[name=cause_understanding]", index=1)
    page.reload()
    assert page.input_value("textarea[name=comment_understanding]") == "Answered another question."
    assert page.locator("input[name=mark_tone]:checked").input_value() == "5"
    page.click("text=Submit for good")
    page.wait_for_selector("text=The check is submitted.")


def _disputes(page: object, link: str) -> None:
    page.goto(link)
    assert "85.00 of 100 points" in page.inner_text("main")
    page.fill("textarea[name=comment]", "I said it back.")
    page.click("text=Propose other marks")
    page.select_option("select[name=mark_understanding]", "4")
    page.click("main form button:has-text('Dispute it')")
    page.wait_for_selector("text=It does not count while the dispute is open.")
