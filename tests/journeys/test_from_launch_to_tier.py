"""The first file to read: one review from the import of a roster to the acknowledged result, in a real browser.

A real server, a real worker and a real mail server stand behind it. What the browser does not do itself are the other
colleagues' ballots and the other people's sign-offs; those go through the same services.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select

from review.ballots import service as ballots
from review.cycles import service as cycles
from review.cycles.tables import ReviewRow
from review.domain.access import Role
from review.domain.calendar import local_day
from review.domain.cycle import Stage
from review.domain.period import PeriodKind
from review.domain.responses import Ballot
from review.domain.rounding import decimal_text
from review.domain.vocabulary import Level, Source
from review.infra import organisation
from review.infra.clock import now
from review.infra.db import db, only_reading
from review.peer_review.tables import SeatRow
from review.people import accounts
from review.people.draft import PersonDraft
from review.people.tables import PersonRow
from review.responses import service as responses
from review.results import publication
from review.results import service as results
from review.schemes import service as schemes
from review.schemes.library import builtin
from review.workflow import proposal
from tests.chromium import chromium
from tests.house import PATIENCE, Home, lived_in, text_of

PASSWORD = "a-quiet-river-of-tea-42"
NAME = "The quarter of the journey"
COLLEAGUES = ("Bo", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ivy", "Jo")
ASKED = [criterion.key for criterion in builtin().asked_of(Source.PEERS)]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def roster() -> str:
    lines = ["Employee no,Name,E-mail,Department,Supervisor no,Joined,Roles,Language"]
    lines += ["E100,Sam,sam@example.com,Service,,2020-01-01,agent,en"]
    lines += ["E101,Hana,hana@example.com,Service,E100,2020-01-01,agent|hr,en"]
    lines += ["E102,Ada,ada@example.com,Service,E100,2020-01-01,agent,en"]
    for number, name in enumerate(COLLEAGUES, start=103):
        lines.append(f"E{number},{name},{name.lower()}@example.com,Service,E100,2020-01-01,agent,en")
    return "\n".join(lines) + "\n"


def tickets() -> str:
    day = proposal.last_period(PeriodKind.QUARTERLY, local_day(now(), organisation.Organisation().zone)).end
    heads = "Ticket,Agent,Closed on,Customer number,Customer,E-mail,Language"
    return f"{heads}\nT1,E102,{min(day, now().date())},C1,Ms Lee,lee@customer.example.com,en\n"


class Journey:
    """One person at a time in a window of their own."""

    def __init__(self, home: Home, browser: object, folder: Path) -> None:
        self.home, self._browser, self.folder = home, browser, folder
        self.windows: dict[str, object] = {}

    @contextmanager
    def window(self) -> Iterator[object]:
        context = self._browser.new_context(base_url=self.home.address, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("response", lambda answer: wrong.append(f"{answer.url} {answer.status}") if answer.status > 499 else 0)
        yield page
        context.close()
        assert not wrong, wrong

    @contextmanager
    def as_new(self, address: str) -> Iterator[object]:
        """Somebody who opens the link of their activation letter and chooses a password."""
        link = link_in(text_of(self.home.letter(address, "/activate/")))
        with self.window() as page:
            page.goto(link)
            page.fill("input[name=password]", PASSWORD)
            page.fill("input[name=again]", PASSWORD)
            page.click("main form button.btn-primary")
            page.wait_for_selector("form[action$='/sign-out']", state="attached")
            yield page

    @contextmanager
    def signed_in(self, who: str) -> Iterator[object]:
        with self.window() as page:
            page.goto("/")
            page.fill("input[name=who]", who)
            page.fill("input[name=password]", PASSWORD)
            page.click("form[action='/sign-in'] button:not([type=button])")
            page.wait_for_selector("form[action$='/sign-out']", state="attached")
            yield page

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """The database as it is now, without its one lock for writing, which server and worker need."""
        with self.home.app.app_context(), only_reading():
            yield
            db.session.rollback()

    @property
    def cycle_id(self) -> int:
        with self.looking():
            return cycles.by_name(NAME).id

    def wait_for(self, stage: Stage) -> None:
        until = monotonic() + PATIENCE
        found = None
        while found is not stage:
            assert monotonic() < until, f"still {found}, not {stage}"
            sleep(0.1)
            with self.looking():
                found = cycles.by_name(NAME).stage

    def review_of(self, name: str) -> int:
        query = select(ReviewRow.id).join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        with self.looking():
            return int(db.session.scalars(query.where(PersonRow.name == name)).one())


def link_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+\S+", text)
    assert found, text
    return found[0]


def arrive(page: object, where: str) -> None:
    """Wait until the browser is there; what the page says instead is the best explanation when it is not."""
    from playwright.sync_api import Error

    try:
        page.wait_for_url(where)
    except Error:
        raise AssertionError(f"at {page.url} instead of {where}:\n{page.inner_text('body')[:3000]}") from None


def choose(page: object, prefix: str, value: str) -> None:
    """Tick the radio button of this value in every group whose name begins with `prefix`."""
    names = page.eval_on_selector_all(
        f"input[type=radio][name^='{prefix}']", "all => [...new Set(all.map(one => one.name))]"
    )
    assert names, f"no question {prefix}… on {page.url}"
    for name in names:
        by_keyboard(page, f"input[name='{name}'][value='{value}']")


def by_keyboard(page: object, box: str) -> None:
    """Tick a box with the space bar, as whoever uses no mouse does."""
    page.locator(box).press("Space")
    assert page.locator(box).is_checked(), box


def press(page: object, action: str) -> None:
    """The button of the form that posts to an address ending so."""
    with page.expect_navigation():
        page.click(f"form[action$='{action}'] button:not([type=button])")


@pytest.fixture
def journey(tmp_path: Path) -> Iterator[Journey]:
    with chromium() as browser, lived_in(tmp_path / "home") as home:
        with home.app.app_context():
            schemes.install_default(now())
            draft = PersonDraft(employee_no="A1", name="Max", roles=frozenset({Role.ADMINISTRATOR}), locale="en")
            accounts.set_password(accounts.create(draft, None, now()), PASSWORD, now(), by=None)
            db.session.commit()
        yield Journey(home, browser, tmp_path)


def test_from_a_roster_file_to_an_acknowledged_result(journey: Journey) -> None:
    the_administrator_brings_the_roster(journey)
    hr_launches_a_cycle(journey)
    ada_writes_about_herself(journey)
    her_peers_rate_her(journey)
    her_supervisor_rates_her(journey)
    a_customer_answers_the_letter(journey)
    hr_closes_and_the_worker_counts(journey)
    the_supervisor_finalises(journey)
    hr_publishes(journey)
    ada_reads_and_signs(journey)


def the_administrator_brings_the_roster(journey: Journey) -> None:
    with journey.signed_in("A1") as page:
        page.goto("/people/import")
        page.set_input_files("input[name=file]", journey.file("roster.csv", roster()))
        page.click("main form button:not([type=button])")
        arrive(page, "**/people/import/*")
        assert page.query_selector("input[name=fingerprint]"), page.inner_text("main")
        page.click("form:has(input[name=fingerprint]) button:not([type=button])")
        arrive(page, "**/people")
        assert "Fay" in page.inner_text("main")
        press(page, "/people/letters")


def hr_launches_a_cycle(journey: Journey) -> None:
    with journey.as_new("hana@example.com") as page:
        page.goto("/customers/import")
        page.set_input_files("input[name=file]", journey.file("tickets.csv", tickets()))
        press(page, "/customers/import")
        page.click("main form button.btn-primary")
        page.goto("/cycles/new")
        page.fill("input[name=name]", NAME)
        page.click("main form button.btn-primary")
        arrive(page, "**/peers")
        page.wait_for_selector("form[action$='/peers/confirm'] button, form[action$='/peers/plan'] button")
        if not page.query_selector("form[action$='/peers/confirm']"):
            press(page, "/peers/plan")
            page.wait_for_selector("form[action$='/peers/confirm'] button")
        if page.query_selector("input[name=accept_all]"):
            by_keyboard(page, "input[name=accept_all]")
        press(page, "/peers/confirm")
        press(page, "/launch")
        journey.wait_for(Stage.COLLECTING)
        page.goto(f"/cycles/{journey.cycle_id}")
        assert NAME in page.inner_text("h1")


def ada_writes_about_herself(journey: Journey) -> None:
    review_id = journey.review_of("Ada")
    with journey.as_new("ada@example.com") as page:
        page.goto(f"/self-review/{review_id}")
        for area in page.query_selector_all("form#f textarea"):
            area.fill("Solved 84 of 100 at first contact; one article a month for the others.")
        choose(page, "level_", "good")
        with page.expect_navigation():
            page.click("button[name=act][value=submit]")
    with journey.looking():
        assert responses.self_of(review_id) is not None


def her_peers_rate_her(journey: Journey) -> None:
    """One in the browser, the others by the same service."""
    cycle_id, review_id = journey.cycle_id, journey.review_of("Ada")
    with journey.looking():
        query = select(SeatRow.id, PersonRow.email).join(PersonRow, PersonRow.id == SeatRow.rater_id)
        seats = db.session.execute(query.where(SeatRow.review_id == review_id)).all()
        (mine, address), *others = [(seat, email) for seat, email in seats if email != "hana@example.com"]
        assert len(others) >= 5
        for seat, _email in others[:6]:
            ballots.cast(cycle_id, seat, Ballot(review_id, dict.fromkeys(ASKED, Level.GOOD)))
    with journey.as_new(address) as page:
        page.goto("/peers")
        page.click(f"a[href='/peers/{mine}']")
        choose(page, "c-", "best")
        with page.expect_navigation():
            page.click("button[form=ballot]")
        page.goto("/peers")
        assert "Ada" in page.inner_text("main")


def her_supervisor_rates_her(journey: Journey) -> None:
    review_id = journey.review_of("Ada")
    with journey.as_new("sam@example.com") as page:
        page.goto(f"/ratings/{review_id}")
        choose(page, "level_", "good")
        with page.expect_navigation():
            page.click("button[name=act][value=submit]")
        assert not page.query_selector("form#f button[value=submit]"), page.inner_text("main")
    with journey.looking():
        assert responses.rating_of(review_id) is not None


def a_customer_answers_the_letter(journey: Journey) -> None:
    link = link_in(text_of(journey.home.letter("lee@customer.example.com", "/s/")))
    with journey.window() as page:
        page.goto(link)
        choose(page, "stars-", "5")
        by_keyboard(page, "input[name=overall][value='5']")
        page.fill("textarea[name=comment]", "Quick and kind.")
        with page.expect_navigation():
            page.click("main form button:not([type=button])")
        assert page.url.startswith(f"{journey.home.address}/s/thanks")


def hr_closes_and_the_worker_counts(journey: Journey) -> None:
    cycle_id = journey.cycle_id
    with journey.signed_in("hana@example.com") as page:
        page.goto(f"/cycles/{cycle_id}/close")
        press(page, "/close")
    journey.wait_for(Stage.FINALISING)


def the_supervisor_finalises(journey: Journey) -> None:
    with journey.signed_in("sam@example.com") as page:
        page.goto(f"/team/results/{journey.review_of('Ada')}/finalise")
        assert page.query_selector("textarea[name=summary]"), page.inner_text("main")
        page.fill("textarea[name=summary]", "A steady quarter, and new colleagues learn from you.")
        with page.expect_navigation():
            page.click("form[action$='/finalise'] button:not([type=button])")
        assert "/results" in page.url
    cycle_id, ada = journey.cycle_id, journey.review_of("Ada")
    with journey.home.app.app_context():
        for review in cycles.living_reviews(cycle_id):
            if review.id != ada:
                said = results.SignOff("Nobody rated you this time.", None, "The rating was not handed in.")
                results.finalise(review.id, said, by=review.supervisor_id, now=now())
        db.session.commit()


def hr_publishes(journey: Journey) -> None:
    cycle_id = journey.cycle_id
    with journey.signed_in("hana@example.com") as page:
        page.goto(f"/cycles/{cycle_id}/publish")
        page.fill("main input[name=name]", NAME)
        with page.expect_navigation():
            page.click("form:has(input[name=name]) button:not([type=button])")
    journey.wait_for(Stage.PUBLISHED)


def ada_reads_and_signs(journey: Journey) -> None:
    review_id = journey.review_of("Ada")
    letter = journey.home.letter("ada@example.com", f"/results/{review_id}")
    with journey.looking():
        shown = publication.publication_of(review_id)
        score, tier = decimal_text(shown.score), shown.body["reward"]
        assert shown.grade is not None
        assert publication.acknowledgement_of(shown.id) is None
    with journey.signed_in("ada@example.com") as page:
        page.goto(link_in(text_of(letter)))
        text = page.inner_text("main")
        for said in (score, tier["name"]["en"], tier["coefficient"], "A steady quarter, and new colleagues learn"):
            assert said in text, said
        assert page.query_selector("svg"), "the radar"
        press(page, "/acknowledge")
    with journey.looking():
        signed = publication.acknowledgement_of(publication.publication_of(review_id).id)
        assert signed is not None
        assert now() - signed.at < timedelta(minutes=1)
        assert publication.reward_of(review_id) is not None
