"""Customers' surveys: who is asked, what a link does and does not do, one answer each, and what HR sees of it."""

import csv
import io
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from review.app import create_app
from review.customer_survey import answering, jobs, letters, service
from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.records import TicketStatus
from review.domain.refusals import NotYet, TooLate
from review.domain.survey_plan import LONGEST_VALID, Withdrawn
from review.domain.survey_sample import Candidate, choose
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import clock, mail, outbox
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.infra.smtp_client import connection
from review.responses.service import tally
from review.responses.tables import ResponseRow
from review.tables import metadata
from tests.browse import Browser, Page
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_surveys import STARS, cycle_of, make_customer, make_ticket
from tests.smtp import caught_mail

Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def the_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Views stand in the week of the cast; `the_clock(moment)` sets it."""
    at = [NOW]
    for module in ("public", "desk"):
        monkeypatch.setattr(f"review.customer_survey.{module}.now", lambda: at[0])
    assert clock.now().tzinfo is not None
    return lambda moment: at.__setitem__(0, moment)


@pytest.fixture
def asked(app: Flask, cast: Cast) -> int:
    """One cycle in which Li Lei was asked about Ada, half an hour ago; the cycle's id."""
    with app.app_context():
        cycle_id = make_cycle(cast)
        make_ticket(make_customer(), cast["ada"].id, "CASE-8213")
        assert service.queue_invitations(cycle_of(cycle_id), NOW - timedelta(minutes=30)) == 1
        db.session.commit()
        return cycle_id


@pytest.fixture
def link(app: Flask, asked: int) -> str:
    with app.app_context():
        customer = db.session.scalar(select(InvitationRow.customer_id))
        return f"/s/{service.link_token(asked, customer, 1)}"


def everything(app: Flask) -> dict[str, list[Any]]:
    """Every row of every table."""
    with app.app_context():
        tables = db.metadata.sorted_tables
        return {table.name: [tuple(row) for row in db.session.execute(select(table))] for table in tables}


def answered(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(ResponseRow)) or 0


# ---- who is asked ----


def test_every_customer_of_the_period_is_asked_once_and_a_letter_is_written(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        make_ticket(make_customer("A"), cast["ada"].id)
        make_ticket(make_customer("B", email=None), cast["bo"].id)
        assert service.queue_invitations(cycle_of(cycle_id), NOW) == 2
        assert list(db.session.scalars(select(LetterRow.to))) == ["a@customer.example"]
        invitation = db.session.scalars(select(InvitationRow)).first()
        assert invitation is not None
        assert invitation.review_id == review_of(cycle_id, cast["ada"])
        assert invitation.expires_at == cycle_of(cycle_id).closes_at
        assert service.queue_invitations(cycle_of(cycle_id), NOW) == 0


def test_tickets_outside_the_period_and_of_people_not_reviewed_ask_nobody(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast, who=[cast["ada"]])
        cycle = cycle_of(cycle_id)
        make_ticket(make_customer("A"), cast["ada"].id, closed_on=cycle.period_start - timedelta(days=1))
        make_ticket(make_customer("B"), cast["ada"].id, closed_on=cycle.period_end + timedelta(days=1))
        make_ticket(make_customer("C"), cast["bo"].id)
        assert service.queue_invitations(cycle, NOW) == 0
        make_ticket(make_customer("D"), cast["ada"].id, closed_on=cycle.period_start)
        make_ticket(make_customer("E"), cast["ada"].id, closed_on=cycle.period_end)
        assert service.queue_invitations(cycle, NOW) == 2


def test_a_withdrawn_review_asks_nobody(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        make_ticket(make_customer(), cast["ada"].id)
        db.session.execute(update(ReviewRow).values(withdrawn_at=NOW))
        assert service.queue_invitations(cycle_of(cycle_id), NOW) == 0


def test_a_customer_is_asked_at_most_once_in_thirty_days_and_by_address(app: Flask, cast: Cast) -> None:
    with app.app_context():
        first = make_cycle(cast, name="Q4 2025", quarters_ago=2)
        second = make_cycle(cast)
        same = [make_customer(f"Li {n}", email="li@customer.example", external_id=f"C{n}") for n in (1, 2)]
        for customer in same:
            make_ticket(customer, cast["ada"].id)
            make_ticket(customer, cast["ada"].id, closed_on=cycle_of(first).period_end)
        earlier = cycle_of(first).opens_at
        assert service.queue_invitations(cycle_of(first), earlier) == 1
        assert service.queue_invitations(cycle_of(first), earlier) == 0
        db.session.execute(update(InvitationRow).values(invited_at=NOW - timedelta(days=29), expires_at=NOW))
        assert service.queue_invitations(cycle_of(second), NOW) == 0
        db.session.execute(update(InvitationRow).values(invited_at=NOW - timedelta(days=31), expires_at=NOW))
        assert service.queue_invitations(cycle_of(second), NOW) == 1


def test_who_unsubscribed_is_not_asked(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        make_ticket(make_customer(unsubscribed_at=NOW), cast["ada"].id)
        assert service.queue_invitations(cycle_of(cycle_id), NOW) == 0


def test_customers_are_asked_from_the_launch_to_the_close(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast, stage=Stage.DRAFT)
        with pytest.raises(NotYet):
            service.queue_invitations(cycle_of(cycle_id), NOW)
        set_stage(cycle_id, Stage.COLLECTING)
        db.session.expire_all()
        with pytest.raises(TooLate):
            service.queue_invitations(cycle_of(cycle_id), cycle_of(cycle_id).closes_at)
        set_stage(cycle_id, Stage.FINALISING)
        db.session.expire_all()
        with pytest.raises(TooLate):
            service.queue_invitations(cycle_of(cycle_id), NOW)


def test_a_cycle_launched_before_it_opens_asks_when_it_opens(app: Flask, cast: Cast) -> None:
    with app.app_context():
        opens = NOW + timedelta(days=3)
        cycle_id = make_cycle(cast, opens_at=opens)
        make_ticket(make_customer(), cast["ada"].id)
        service.queue_invitations(cycle_of(cycle_id), NOW)
        assert db.session.scalar(select(LetterRow.send_after)) == opens
        assert db.session.scalar(select(InvitationRow.invited_at)) == opens


def test_no_link_is_stored_anywhere(app: Flask, link: str) -> None:
    token = link.rpartition("/")[2]
    assert token not in repr(everything(app))


def pick(*tickets: tuple[str, str, int], seed: int = 7, invited: dict[int, int] | None = None) -> dict[str, int]:
    candidates = [Candidate(number, reference, who, agent) for number, (reference, who, agent) in enumerate(tickets)]
    return {candidate.customer: candidate.agent_id for candidate in choose(candidates, seed, invited)}


def test_a_shared_customer_goes_to_the_agent_who_needs_them(app: Flask) -> None:
    own = [(f"own{n}", f"only-1-{n}", 1) for n in range(3)]
    shared = [(f"s{n}-{agent}", f"both-{n}", agent) for n in range(3) for agent in (1, 2)]
    chosen = pick(*own, *shared)
    assert len(chosen) == 6
    assert sorted(agent for who, agent in chosen.items() if who.startswith("both")) == [2, 2, 2]
    assert set(pick(*shared, invited={2: 9}).values()) == {1}


def test_the_lot_depends_on_the_seed_and_not_on_the_order(app: Flask) -> None:
    tickets = [(f"t{n}-{agent}", f"c{n}", agent) for n in range(40) for agent in (1, 2, 3)]
    assert pick(*tickets) == pick(*reversed(tickets))
    assert pick(*tickets) != pick(*tickets, seed=8)
    counts = sorted(list(pick(*tickets).values()).count(agent) for agent in (1, 2, 3))
    assert counts == [13, 13, 14]


# ---- the page behind a link ----


def test_the_page_says_who_helped_when_and_asks_what_the_scheme_asks(browse: Browse, link: str) -> None:
    page = browse().get(link)
    assert page.h1 == "How was our service?"
    assert "Ada" in page.words
    assert "8213" in page.words
    assert "4 questions" in page.words
    assert len(page.soup.find_all("fieldset")) == 4
    assert "noindex" in page.response.headers["X-Robots-Tag"]
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in page.response.headers
    assert not page.soup.find_all("script")


def test_the_page_speaks_the_customers_language_and_switches(app: Flask, browse: Browse, link: str) -> None:
    with app.app_context():
        db.session.execute(update(CustomerRow).values(locale="zh"))
        db.session.commit()
    chinese = browse().get(link, headers={"Accept-Language": "en"})
    assert chinese.h1 == "这次服务怎么样？"
    assert chinese.soup.html is not None
    assert chinese.soup.html["lang"] == "zh-CN"
    assert "您的问题解决得及时、彻底吗？" in chinese.words
    english = browse().get(f"{link}?lang=en")
    assert english.h1 == "How was our service?"
    assert not re.search(r"[\u4e00-\u9fff]", english.words.replace("中文", ""))


def test_a_rating_link_only_preselects(app: Flask, browse: Browse, link: str) -> None:
    before = everything(app)
    page = browse().get(f"{link}?r=2")
    [chosen] = page.soup.select('input[name="overall"][checked]')
    assert chosen["value"] == "2"
    assert not browse().get(f"{link}?r=9").soup.select("input[checked]")
    assert everything(app) == before


def test_scanners_that_open_everything_change_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        customers = [make_customer(f"Customer {n}") for n in range(200)]
        for customer in customers:
            make_ticket(customer, cast["ada"].id)
        service.queue_invitations(cycle_of(cycle_id), NOW - timedelta(hours=1))
        db.session.commit()
        links = [f"/s/{service.link_token(cycle_id, customer, 1)}" for customer in customers]
    before = everything(app)
    client = app.test_client()
    for number, address in enumerate(links):
        assert client.head(address).status_code == 200
        assert client.get(f"{address}?r={number % 5 + 1}").status_code == 200
        assert client.get(f"{address}/unsubscribe").status_code == 200
    assert everything(app) == before


def send(browser: Browser, link: str, data: dict[str, Any] | None = None, status: int = 303) -> Page:
    return browser.submit(browser.get(link), STARS if data is None else data, status=status)


def test_one_answer_counts_for_the_right_review(app: Flask, cast: Cast, browse: Browse, asked: int, link: str) -> None:
    wishes = {"comment": "谢谢", "wants_contact": "y", "stars-problem_solving": "none"}
    browser = browse()
    thanks = browser.follow(send(browser, link, STARS | wishes))
    assert thanks.h1 == "Received, thank you"
    with app.app_context():
        found = tally(review_of(asked, cast["ada"]))
        assert {key: (value.total, value.count) for key, value in found.customers.items()} == {
            "business_knowledge": (80, 1),
            "communication": (80, 1),
        }
        assert (found.customer_overall.total, found.customer_overall.count) == (5, 1)
        row = db.session.scalar(select(ResponseRow))
        assert row is not None
        assert (row.texts["comment"], row.wants_contact, row.withhold_ticket) == ("谢谢", True, False)
        assert row.respondent == f"customer:{db.session.scalar(select(CustomerRow.id))}"


def test_how_to_be_reached_is_kept_only_with_the_wish(app: Flask, browse: Browse, link: str) -> None:
    page = send(browse(), link, STARS | {"contact": "138 0013 8000", "withhold_ticket": "y"})
    assert page.status == 303
    with app.app_context():
        row = db.session.scalars(select(ResponseRow)).one()
        assert row.texts == {"comment": ""}
        assert (row.wants_contact, row.withhold_ticket) == (False, True)


def test_who_wants_to_be_called_says_where(app: Flask, browse: Browse, link: str) -> None:
    browser = browse()
    late = browser.submit(browser.get(link), STARS | {"wants_contact": "y", "contact": "1" * 121}, status=422)
    assert "1" * 121 in late.text  # what was typed is still there
    assert answered(app) == 0
    send(browser, link, STARS | {"wants_contact": "y", "contact": " 138 0013 8000\0 "})  # no database need hold a NUL
    with app.app_context():
        row = db.session.scalars(select(ResponseRow)).one()
        assert (row.wants_contact, row.texts["contact"]) == (True, "138 0013 8000")


def test_the_same_form_sent_twice_says_thanks_twice_and_counts_once(app: Flask, browse: Browse, link: str) -> None:
    browser = browse()
    page = browser.get(link)
    assert browser.submit(page, STARS, status=303).location == browser.submit(page, STARS, status=303).location
    assert browser.submit(page, STARS | {"overall": "1"}, status=303).location.startswith("/s/thanks")
    assert answered(app) == 1
    with app.app_context():
        assert db.session.scalar(select(ResponseRow.overall)) == 5


def test_a_second_form_of_the_same_link_is_refused(app: Flask, browse: Browse, link: str) -> None:
    first, second = browse(), browse()
    late = second.get(link)
    send(first, link)
    refused = second.submit(late, STARS | {"overall": "1"}, status=404)
    assert refused.h1 == "This link does not work now"
    assert answered(app) == 1


def test_two_forms_at_the_same_instant_count_once(app: Flask, link: str) -> None:
    start, statuses = threading.Barrier(4), []

    def press(number: int) -> None:
        client = app.test_client()
        start.wait()
        statuses.append(client.post(link, data=STARS | {"form": f"form-{number}"}).status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 404, 404, 404]
    assert answered(app) == 1


def test_a_missing_star_is_named_and_nothing_typed_is_lost(app: Flask, browse: Browse, link: str) -> None:
    browser = browse()
    typed = {"comment": "It took <b>two</b> calls", "stars-communication": "3", "withhold_ticket": "y"}
    page = browser.submit(browser.get(link), typed, status=422)
    assert "3 questions are still open" in page.words
    assert "It took <b>two</b> calls" in page.words
    assert [tag["value"] for tag in page.soup.select('input[type="radio"][checked]')] == ["3"]
    assert page.soup.select_one("#withhold_ticket[checked]") is not None
    assert answered(app) == 0
    assert browser.submit(page, STARS, status=303).location.startswith("/s/thanks")


@pytest.mark.parametrize(
    "wrong", [{"overall": "6"}, {"overall": "none"}, {"stars-communication": "0"}, {"comment": "x" * 2001}]
)
def test_what_the_form_does_not_offer_is_refused(app: Flask, browse: Browse, link: str, wrong: dict[str, str]) -> None:
    send(browse(), link, STARS | wrong, status=422)
    assert answered(app) == 0


def gone_pages(
    app: Flask, browse: Browse, link: str, the_clock: Callable[[datetime], None]
) -> Iterator[tuple[str, Page]]:
    yield "unknown", browse().get("/s/" + "A" * 43, status=404)
    the_clock(NOW + timedelta(days=40))
    yield "expired", browse().get(link, status=404)
    the_clock(NOW)
    with app.app_context():
        db.session.execute(update(CycleRow).values(stage=Stage.COUNTING))
        db.session.commit()
    yield "closed", browse().get(link, status=404)
    with app.app_context():
        db.session.execute(update(CycleRow).values(stage=Stage.COLLECTING))
        db.session.commit()
    for values in (
        {"withdrawn_at": NOW, "withdrawn_why": Withdrawn.REOPENED},
        {"withdrawn_at": None, "withdrawn_why": None},
    ):
        with app.app_context():
            db.session.execute(update(InvitationRow).values(**values))
            db.session.commit()
        if values["withdrawn_at"]:
            yield "withdrawn", browse().get(link, status=404)
    with app.app_context():
        db.session.execute(update(TicketRow).values(status=TicketStatus.OPEN))
        db.session.commit()
    yield "open again", browse().get(link, status=404)
    yield "open again, posted", Page(browse().client.post(link, data=STARS | {"form": "x"}))
    with app.app_context():
        db.session.execute(update(TicketRow).values(status=TicketStatus.SOLVED))
        db.session.commit()
    send(browse(), link)
    yield "used", browse().get(link, status=404)
    yield "posted", Page(browse().client.post("/s/" + "A" * 43, data=STARS | {"form": "x"}))
    yield "posted again", Page(browse().client.post(link, data=STARS | {"form": "x"}))


def test_unknown_expired_closed_withdrawn_and_used_links_look_alike(
    app: Flask, browse: Browse, link: str, the_clock: Callable[[datetime], None]
) -> None:
    pages = dict(gone_pages(app, browse, link, the_clock))
    assert {page.status for page in pages.values()} == {404}
    assert len({page.text for page in pages.values()}) == 1, pages.keys()
    assert len({str(sorted(page.response.headers)) for page in pages.values()}) == 1


def test_nothing_counts_after_the_deadline_even_before_the_cycle_is_closed(
    app: Flask, browse: Browse, asked: int, link: str, the_clock: Callable[[datetime], None]
) -> None:
    browser = browse()
    page = browser.get(link)
    with app.app_context():
        closes = cycle_of(asked).closes_at
    the_clock(closes)
    browser.submit(page, STARS, status=404)
    assert answered(app) == 0
    the_clock(closes - timedelta(seconds=1))
    browser.submit(page, STARS, status=303)
    assert answered(app) == 1


def test_a_link_dies_by_its_own_date_while_the_cycle_still_collects(
    app: Flask, browse: Browse, asked: int, link: str, the_clock: Callable[[datetime], None]
) -> None:
    browser = browse()
    page = browser.get(link)
    with app.app_context():
        db.session.execute(update(CycleRow).values(closes_at=NOW + timedelta(days=60)))
        expires = cycle_of(asked).opens_at + timedelta(days=LONGEST_VALID)
        db.session.execute(update(InvitationRow).values(expires_at=expires))
        db.session.commit()
    the_clock(expires)
    browser.submit(page, STARS, status=404)
    browse().get(link, status=404)
    assert answered(app) == 0
    the_clock(expires - timedelta(seconds=1))
    browser.submit(page, STARS, status=303)
    assert answered(app) == 1


def test_nobody_answers_about_a_review_that_was_withdrawn(app: Flask, browse: Browse, link: str) -> None:
    browser = browse()
    page = browser.get(link)
    with app.app_context():
        db.session.execute(update(ReviewRow).values(withdrawn_at=NOW))
        db.session.commit()
    browser.submit(page, STARS, status=404)
    browse().get(link, status=404)
    assert answered(app) == 0


def test_a_raised_generation_makes_the_earlier_link_worthless(
    app: Flask, browse: Browse, asked: int, link: str
) -> None:
    with app.app_context():
        customer = db.session.scalar(select(CustomerRow.id))
        fresh = service.link_token(asked, customer, 2)
        hashed = answering.digest(fresh)
        db.session.execute(update(InvitationRow).values(generation=2, token_hash=hashed))
        db.session.commit()
    browse().get(link, status=404)
    browse().get(f"/s/{fresh}")


def test_a_foreign_page_cannot_post_where_no_secret_stands_in_the_address(
    browse: Browse, cast: Cast, asked: int
) -> None:
    answer = browse(cast["hana"]).client.post(f"/cycles/{asked}/surveys/remind")
    assert answer.status_code == 400


# ---- unsubscribing ----


def test_one_click_unsubscribes_and_takes_waiting_letters_back(
    app: Flask, cast: Cast, browse: Browse, link: str
) -> None:
    with app.app_context():
        other = make_customer("Same Owner", email="li.lei@customer.example")
        db.session.commit()
    answer = browse().client.post(f"{link}/unsubscribe", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    with app.app_context():
        assert db.session.get(CustomerRow, other).unsubscribed_at == NOW  # type: ignore[union-attr]
        assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 0


def test_unsubscribing_by_the_page_asks_first(app: Flask, browse: Browse, link: str) -> None:
    browser = browse()
    page = browser.get(f"{link}/unsubscribe?lang=en")
    with app.app_context():
        assert db.session.scalar(select(CustomerRow.unsubscribed_at)) is None
    assert browser.submit(page, {}, status=200).h1 == "You will get no more invitations"
    with app.app_context():
        assert db.session.scalar(select(CustomerRow.unsubscribed_at)) == NOW


def test_unsubscribing_with_an_unknown_link_looks_the_same_and_does_nothing(
    app: Flask, browse: Browse, link: str
) -> None:
    before = everything(app)
    unknown = browse().client.post("/s/" + "A" * 43 + "/unsubscribe")
    assert everything(app) == before
    known = browse().client.post(f"{link}/unsubscribe")
    assert (unknown.status_code, unknown.text) == (known.status_code, known.text)
    assert everything(app) != before


def test_a_used_link_still_unsubscribes(app: Flask, browse: Browse, link: str) -> None:
    send(browse(), link)
    browse().client.post(f"{link}/unsubscribe")
    with app.app_context():
        assert db.session.scalar(select(CustomerRow.unsubscribed_at)) == NOW


# ---- letters ----


@pytest.mark.parametrize(("locale", "subject"), [("en", "How was our service on "), ("zh", "请您评价")])
def test_the_letter_arrives_with_its_link_and_counts_when_answered(
    app: Flask, cast: Cast, browse: Browse, tmp_path: Path, locale: str, subject: str
) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        make_ticket(make_customer(locale=locale), cast["ada"].id, "CASE-8213")
        service.queue_invitations(cycle_of(cycle_id), NOW)
        db.session.commit()
        row = db.session.scalar(select(LetterRow))
        assert row is not None
        message = mail.render(row, NOW)
        db.session.rollback()
    assert message["Subject"].startswith(subject)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    addresses = set(re.findall(r"http://localhost(/s/[A-Za-z0-9_-]{43})(?=\s)", text.get_content()))
    assert len(addresses) == 1
    assert "。 " not in text.get_content() + html.get_content()
    assert ".You" not in text.get_content() + html.get_content()
    link = addresses.pop()
    assert [f"{link}?r={n}" in html.get_content() for n in range(1, 6)] == [True] * 5
    assert "<img" not in html.get_content()
    assert message["List-Unsubscribe"] == f"<http://localhost{link}/unsubscribe?lang={locale}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    send(browse(), link)
    assert answered(app) == 1


def test_long_addresses_survive_the_way_through_a_real_server(app: Flask, link: str, tmp_path: Path) -> None:
    with caught_mail(tmp_path / "mail") as caught, app.app_context(), connection(caught.url) as opened:
        row = db.session.scalar(select(LetterRow))
        assert row is not None
        opened.client.send_message(mail.render(row, NOW))
        db.session.rollback()
    [file] = (tmp_path / "mail" / "new").iterdir()
    head = file.read_bytes().split(b"\r\n\r\n")[0].decode()
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    assert f"\nList-Unsubscribe: <http://localhost{link}/unsubscribe?lang=en>" in unfolded.replace("\r", "")


def test_a_letter_about_what_is_over_is_refused_instead_of_sent(
    app: Flask, asked: int, browse: Browse, link: str
) -> None:
    with app.app_context():
        params = db.session.scalar(select(LetterRow.params))
        assert letters.ask(params)["questions"] == 4
        set_stage(asked, Stage.COUNTING)
        db.session.expire_all()
        with pytest.raises(TooLate):
            letters.ask(params)


def test_answering_takes_the_waiting_letter_back(app: Flask, browse: Browse, link: str) -> None:
    send(browse(), link)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LetterRow)) == 0


def test_one_reminder_goes_to_those_who_have_not_answered_and_never_a_second(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        cycle = cycle_of(cycle_id)
        silent, done, gone = (make_customer(name) for name in ("Silent", "Done", "Gone"))
        for customer in (silent, done, gone, make_customer("No Mail", email=None)):
            make_ticket(customer, cast["ada"].id)
        service.queue_invitations(cycle, NOW)
        assert service.queue_reminders(cycle, NOW + timedelta(days=2)) == 0
        used = update(InvitationRow).where(InvitationRow.customer_id == done)
        db.session.execute(used.values(used_at=NOW, used_form="x"))
        db.session.execute(update(CustomerRow).where(CustomerRow.id == gone).values(unsubscribed_at=NOW))
        later = NOW + timedelta(days=3)
        assert service.remindable(cycle_id, later) == 1
        assert service.queue_reminders(cycle, later) == 1
        assert service.queue_reminders(cycle, later + timedelta(days=5)) == 0
        reminders = select(LetterRow.to).where(LetterRow.kind == service.REMINDER)
        assert list(db.session.scalars(reminders)) == ["silent@customer.example"]


def test_the_reminder_reads_well_in_both_languages(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        for name, locale in (("Li Lei", "zh"), ("Han Mei", "en")):
            make_ticket(make_customer(name, locale=locale), cast["ada"].id)
        service.queue_invitations(cycle_of(cycle_id), NOW)
        service.queue_reminders(cycle_of(cycle_id), NOW + timedelta(days=4))
        rows = db.session.scalars(select(LetterRow).where(LetterRow.kind == service.REMINDER)).all()
        subjects = {row.locale: mail.render(row, NOW)["Subject"] for row in rows}
    assert subjects["zh"].startswith("提醒：")
    assert subjects["en"].startswith("Reminder: ")


# ---- HR's page ----


def test_hr_sees_asked_answered_and_who_has_enough(
    app: Flask, cast: Cast, browse: Browse, asked: int, link: str
) -> None:
    send(browse(), link)
    with app.app_context():
        make_ticket(make_customer("B", email=None), cast["bo"].id, channel="微信群")
        service.queue_invitations(cycle_of(asked), NOW)
        db.session.commit()
        rate = service.response_rate(asked)
        assert (rate.all.offered, rate.all.answered, rate.all.percent) == (2, 1, "50.0")
        assert (rate.by_mail.offered, rate.links_only.offered) == (1, 1)
        assert {name: (part.offered, part.answered) for name, part in rate.by_channel.items()} == {
            "phone": (1, 1),
            "微信群": (1, 0),
        }
        assert (rate.reached, rate.reachable, rate.minimum) == (0, 0, 15)
    page = browse(cast["hana"], "en").get(f"/cycles/{asked}/surveys")
    assert "1 of 2 customers have answered: 50.0%, goal 70%" in page.words
    assert "微信群" in page.words
    assert "Phone" in page.words


def test_a_cycle_nobody_was_asked_in_says_so(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        db.session.commit()
        assert service.response_rate(cycle_id).all.percent is None
    page = browse(cast["hana"]).get(f"/cycles/{cycle_id}/surveys")
    assert "Nobody has been asked yet" in page.words


def test_the_buttons_put_work_in_line_once(app: Flask, cast: Cast, browse: Browse, asked: int) -> None:
    hana = browse(cast["hana"], "en")
    address = f"/cycles/{asked}/surveys"
    with app.app_context():
        make_ticket(make_customer("Late"), cast["bo"].id)
        db.session.commit()
    first = hana.follow(hana.post(f"{address}/invite"))
    assert "The letters are being written now" in first.words
    assert "This is being done already" in hana.follow(hana.post(f"{address}/invite")).words
    with app.app_context():
        house = app.extensions["review"]
        assert work_all(house, NOW) == 1
        assert db.session.scalar(select(func.count()).select_from(InvitationRow)) == 2
    assert "The letters are being written now" in hana.follow(hana.post(f"{address}/invite")).words


def work_all(house: Any, now: datetime) -> int:
    from review.infra.jobs import work_all as work

    return work(house.handlers, house.progress, "test", now)


def test_the_list_of_links_is_a_file_for_a_gateway_and_the_download_is_written_down(
    app: Flask, cast: Cast, browse: Browse, asked: int, link: str
) -> None:
    with app.app_context():
        without = make_customer("=cmd()", email=None, external_id="C9")
        make_ticket(without, cast["bo"].id)
        service.queue_invitations(cycle_of(asked), NOW)
        db.session.commit()
        expected = f"http://localhost/s/{service.link_token(asked, without, 1)}"
    hana = browse(cast["hana"])
    few = hana.post(f"/cycles/{asked}/surveys/links.csv", status=200).response
    rows = list(csv.DictReader(io.StringIO(few.data.decode("utf-8-sig"))))
    assert [(row["customer"], row["customer_no"], row["link"]) for row in rows] == [("'=cmd()", "C9", expected)]
    assert few.headers["Content-Disposition"].startswith("attachment")
    everybody = hana.post(f"/cycles/{asked}/surveys/links.csv", {"who": "everybody"}, status=200).response
    assert everybody.data.decode("utf-8-sig").count("/s/") == 2
    browse().client.post(f"{link}/unsubscribe")
    fewer = hana.post(f"/cycles/{asked}/surveys/links.csv", {"who": "everybody"}, status=200).response
    assert fewer.data.decode("utf-8-sig").count("/s/") == 1
    with app.app_context():
        lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "customer_survey:links:exported")).all()
        assert [(line.actor_id, line.details["everybody"]) for line in lines] == [
            (cast["hana"].id, False),
            (cast["hana"].id, True),
            (cast["hana"].id, True),
        ]
        assert "/s/" not in str([line.details for line in lines])


def test_surveys_are_hrs_business_alone(cast: Cast, browse: Browse, asked: int) -> None:
    for name in ("ada", "sam", "max"):
        browse(cast[name]).get(f"/cycles/{asked}/surveys", status=404)
        browse(cast[name]).post(f"/cycles/{asked}/surveys/links.csv", status=404)
    browse(cast["hana"]).get("/cycles/999/surveys", status=404)


def test_the_page_takes_the_same_few_queries_for_one_and_for_a_hundred(
    app: Flask, cast: Cast, browse: Browse, asked: int
) -> None:
    def queries() -> int:
        seen: list[str] = []
        with app.app_context():
            engine = db.engine
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        browse(cast["hana"]).get(f"/cycles/{asked}/surveys")
        event.remove(engine, "before_cursor_execute", listen)
        return len([statement for statement in seen if statement.startswith(("SELECT", "WITH"))])

    few = queries()
    with app.app_context():
        for number in range(100):
            make_ticket(make_customer(f"Customer {number}"), cast["bo"].id, channel=f"channel {number % 7}")
        service.queue_invitations(cycle_of(asked), NOW)
        db.session.commit()
    assert queries() == few < 15, few


def test_asking_again_after_the_launch_is_harmless_as_a_job(app: Flask, cast: Cast, asked: int) -> None:
    with app.app_context():
        assert jobs.ask_for(jobs.INVITE, asked, NOW) is True
        db.session.commit()
        work_all(app.extensions["review"], NOW)
        assert jobs.ask_for(jobs.INVITE, asked, NOW) is True
        db.session.commit()
        work_all(app.extensions["review"], NOW)
        assert db.session.scalar(select(func.count()).select_from(InvitationRow)) == 1
        assert db.session.scalars(select(LetterRow.state)).all() == [outbox.LetterState.WAITING]


# ---- the same on PostgreSQL ----


@pytest.fixture
def on_postgresql(tmp_path: Path, postgres_url: str, urn_url: str) -> Iterator[Flask]:
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    made = create_app(Settings.from_env(environ | {"REVIEW_BASE_URL": "http://localhost"}))
    with made.app_context():
        metadata.create_all(db.engine)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgres
def test_on_postgresql_a_survey_goes_the_same_way(on_postgresql: Flask) -> None:
    app = on_postgresql
    with app.app_context():
        cast = make_cast()
        cycle_id = make_cycle(cast)
        for number in range(3):
            make_ticket(make_customer(f"Customer {number}"), cast["ada"].id)
        make_ticket(make_customer("No Mail", email=None), cast["bo"].id)
        assert service.queue_invitations(cycle_of(cycle_id), NOW - timedelta(days=4)) == 4
        assert service.queue_invitations(cycle_of(cycle_id), NOW) == 0
        db.session.commit()
        assert service.queue_reminders(cycle_of(cycle_id), NOW + timedelta(days=2)) == 3
        db.session.commit()
        customer = db.session.scalar(select(InvitationRow.customer_id).order_by(InvitationRow.id))
        link = f"/s/{service.link_token(cycle_id, customer, 1)}"
        db.session.rollback()
    start, statuses = threading.Barrier(6), []

    def press(number: int) -> None:
        client = app.test_client()
        start.wait()
        statuses.append(client.post(link, data=STARS | {"form": f"form-{number % 5}"}).status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(303) in {1, 2}  # two browsers sent the very same form: both read thanks if it was theirs
    assert statuses.count(404) == 6 - statuses.count(303)
    assert answered(app) == 1
    with app.app_context():
        rate = service.response_rate(cycle_id)
        assert (rate.all.offered, rate.all.answered, rate.by_mail.offered) == (4, 1, 3)
        assert sum(1 for _ in service.links_csv(cycle_id, NOW, everybody=True)) == 4
        answering.unsubscribe(link.rpartition("/")[2], NOW)
        db.session.commit()
        assert db.session.scalar(select(func.count()).where(CustomerRow.unsubscribed_at.is_not(None))) == 1
