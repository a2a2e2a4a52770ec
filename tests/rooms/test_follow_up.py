"""Case reviews: what opens one, who may work on it, what the employee sees, and customers who asked to be contacted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from review.customer_survey import service as surveys
from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.access import Role
from review.domain.case_review import Cause, Origin
from review.domain.cycle import Stage
from review.domain.records import TicketSystem
from review.domain.responses import CustomerAnswer, SupervisorRating
from review.domain.vocabulary import Level
from review.follow_up import lists, opening, overdue
from review.follow_up.tables import CaseRow, ContactRow
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.people.tables import RoleRow
from review.responses import service as responses
from review.schemes.library import builtin
from review.workflow.tick import tick
from tests.browse import Browser, Page
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of

Browse = Callable[..., "Visitor"]
DUE = (NOW + timedelta(days=5)).date()
RATING = SupervisorRating({criterion.key: Level.GOOD for criterion in builtin().criteria}, {})
FOUND = {"cause": "delay", "explanation": "Nobody took the call.", "measure": "Two more at noon.", "note": "Works."}


@pytest.fixture(autouse=True)
def the_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    at = [NOW]
    monkeypatch.setattr("review.follow_up.views.now", lambda: at[0])
    return lambda moment: at.__setitem__(0, moment)


class Visitor:
    """A Browser for tests that ask what the answer was."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def get(self, url: str) -> Page:
        return self.browser.get(url, self.browser.client.get(url).status_code)

    def post(self, url: str, data: dict[str, Any]) -> Page:
        answer = self.browser.client.post(url, data={"csrf_token": self.browser.token(), **data})
        return self.browser._page(answer, answer.status_code)


@pytest.fixture
def visit(browse: Callable[..., Browser]) -> Browse:
    return lambda person, locale=None: Visitor(browse(person, locale))


class Play:
    """A cycle with customers of Ada's: Li (5 stars), Wu (2), Xu (1, withholds the ticket), Ye (complained only)."""

    def __init__(self, cast: Cast) -> None:
        self.cycle_id = make_cycle(cast)
        self.review = review_of(self.cycle_id, cast["ada"])
        day = NOW.date() - timedelta(days=20)
        names = ("Li", "Wu", "Xu", "Ye")
        self.customers = {name: self._customer(name) for name in names}
        self.tickets = {name: self._ticket(name, cast["ada"].id, day) for name in names}
        surveys.queue_invitations(db.session.get_one(CycleRow, self.cycle_id), NOW - timedelta(hours=1))
        self.say("Li", 5)
        self.say("Wu", 2, comment="Two hours on hold", wants_contact=True, contact="138 0000 0000")
        self.say("Xu", 1, withhold_ticket=True, wants_contact=True)
        ye = update(TicketRow).where(TicketRow.id == self.tickets["Ye"])
        db.session.execute(ye.values(is_complaint=True, subject="Rude on the phone"))
        db.session.commit()

    def _customer(self, name: str) -> int:
        row = CustomerRow(name=name, email=f"{name.lower()}@customer.example", locale="en")
        db.session.add(row)
        db.session.flush()
        return row.id

    def _ticket(self, name: str, agent: int, day: Any) -> int:
        row = TicketRow(system=TicketSystem.SHEET, reference=f"T-{name}", customer_id=self.customers[name])
        row.agent_id, row.closed_on, row.channel, row.kind = agent, day, "phone", "refund"
        db.session.add(row)
        db.session.flush()
        return row.id

    def say(self, name: str, stars: int, **wishes: Any) -> None:
        said = CustomerAnswer({}, stars, **wishes)
        responses.file_customer(self.review, f"customer:{self.customers[name]}", said, NOW)


@pytest.fixture
def play(app: Flask, cast: Cast) -> Play:
    with app.app_context():
        return Play(cast)


@pytest.fixture
def opened(app: Flask, play: Play) -> dict[str, int]:
    """The cases after the clock has run, by what they are about."""
    with app.app_context():
        tick(NOW)
        rows = db.session.scalars(select(CaseRow).order_by(CaseRow.id)).all()
        wu, ye = play.tickets["Wu"], play.tickets["Ye"]
        names = {wu: "wu", ye: "ye", None: "xu"}
        return {names[row.ticket_id]: row.id for row in rows}


def case_of(app: Flask, case_id: int) -> CaseRow:
    with app.app_context():
        row = db.session.get_one(CaseRow, case_id)
        db.session.expunge(row)
        return row


def assign(visit: Browse, hana: Any, play: Play, cases: list[int], number: str, due: Any = DUE) -> Page:
    form = {"cases": [str(one) for one in cases], "owner": number, "due_on": due.isoformat() if due else ""}
    return visit(hana, "en").post(f"/cycles/{play.cycle_id}/cases", form)


def test_low_scores_and_complaints_open_cases_once(app: Flask, play: Play, opened: dict[str, int]) -> None:
    assert set(opened) == {"wu", "xu", "ye"}
    assert case_of(app, opened["wu"]).origin is Origin.LOW_SCORE
    assert case_of(app, opened["ye"]).origin is Origin.COMPLAINT
    with app.app_context():
        assert tick(NOW + timedelta(minutes=1)).cases == 0
        assert db.session.scalar(select(func.count()).select_from(CaseRow)) == 3


def test_three_stars_open_nothing_and_a_later_low_answer_does(app: Flask, play: Play, opened: dict[str, int]) -> None:
    with app.app_context():
        play.say("Ye", 3)
        db.session.commit()
        assert tick(NOW).cases == 0


def test_two_clocks_at_once_open_one_case_each(app: Flask, play: Play) -> None:
    with app.app_context():
        cycle = db.session.get_one(CycleRow, play.cycle_id)
        first, second = opening.missing_in(cycle), opening.missing_in(cycle)
        assert opening.open_all(first, NOW) == 3
        assert opening.open_all(second, NOW) == 0


def test_a_withheld_ticket_is_in_no_case(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    assert case_of(app, opened["xu"]).ticket_id is None
    page = visit(cast["hana"], "en").get(f"/cases/{opened['xu']}")
    assert "T-Xu" not in page.text
    assert "asked not to pass on the ticket" in page.text
    assert "T-Wu" in visit(cast["hana"], "en").get(f"/cases/{opened['wu']}").text


def test_a_draft_or_published_cycle_opens_nothing(app: Flask, play: Play) -> None:
    for stage in (Stage.DRAFT, Stage.PUBLISHED, Stage.CANCELLED):
        with app.app_context():
            db.session.execute(update(CycleRow).values(stage=stage))
            db.session.commit()
            assert tick(NOW).cases == 0


def test_hr_gives_cases_to_an_owner_who_gets_one_letter_each(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    for _twice in range(2):
        page = assign(visit, cast["hana"], play, [opened["wu"], opened["ye"]], cast["quinn"].employee_no)
        assert page.status == 302
    with app.app_context():
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == "follow_up:assigned")).all()
        assert [letter.to for letter in letters] == ["quinn@example.com"] * 2
        actions = db.session.scalars(select(AuditRow.action).where(AuditRow.action.like("follow_up:%"))).all()
        assert actions == ["follow_up:case:assigned"] * 2
    assert "2 case reviews are yours" in visit(cast["quinn"], "en").get("/").text


@pytest.mark.parametrize(("who", "due", "said"), [
    ("ada", DUE, "cannot own a case about themselves"),
    ("sam", DUE, "has still to rate"),
    ("gone", DUE, "Nobody who works here"),
    ("quinn", NOW.date() - timedelta(days=1), "This day has passed"),
])  # fmt: skip
def test_a_case_is_not_given_to_the_wrong_person_or_day(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int], who: str, due: Any, said: str
) -> None:
    number = cast[who].employee_no if who in cast else "E000000"
    page = assign(visit, cast["hana"], play, [opened["wu"]], number, due)
    assert page.status == 422
    assert said in page.text
    assert number in page.text  # what was typed survives
    assert case_of(app, opened["wu"]).owner_id is None


def test_nothing_chosen_is_said(cast: Cast, visit: Browse, play: Play, opened: dict[str, int]) -> None:
    page = assign(visit, cast["hana"], play, [], cast["quinn"].employee_no)
    assert page.status == 422
    assert "Tick at least one open case" in page.text


def test_the_supervisor_may_own_it_once_the_own_rating_is_in(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    with app.app_context():
        responses.file_rating(play.review, cast["sam"].id, RATING, NOW)
        db.session.commit()
    assert assign(visit, cast["hana"], play, [opened["wu"]], cast["sam"].employee_no).status == 302
    assert visit(cast["sam"], "en").get(f"/cases/{opened['wu']}").status == 200


def test_only_hr_and_the_owner_get_in(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    assign(visit, cast["hana"], play, [opened["wu"]], cast["quinn"].employee_no)
    allowed = {
        name: visit(cast[name]).get(f"/cases/{opened['wu']}").status for name in ("hana", "quinn", "ada", "sam", "bo")
    }
    assert allowed == {"hana": 200, "quinn": 200, "ada": 404, "sam": 404, "bo": 404}
    assert visit(cast["quinn"]).get(f"/cases/{opened['ye']}").status == 404


def test_hr_cannot_open_a_case_about_themselves(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    with app.app_context():
        db.session.add(RoleRow(person_id=cast["ada"].id, role=Role.HR))
        db.session.commit()
    assert visit(cast["ada"]).get(f"/cases/{opened['wu']}").status == 404
    listed = visit(cast["ada"], "en").get(f"/cycles/{play.cycle_id}/cases")
    assert listed.status == 200
    assert f"/cases/{opened['wu']}" not in listed.text
    assert "0 open, 0 overdue, 0 closed" in listed.words  # nor how many there are
    assert "/cases" not in visit(cast["ada"], "en").get("/").text.replace('href="/cases"', "")
    refused = assign(visit, cast["ada"], play, [opened["wu"]], cast["quinn"].employee_no)
    assert refused.status == 422
    assert case_of(app, opened["wu"]).owner_id is None


def test_hr_who_has_still_to_rate_cannot_look_at_customers_words(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    with app.app_context():
        db.session.add(RoleRow(person_id=cast["sam"].id, role=Role.HR))
        db.session.commit()
    assert visit(cast["sam"]).get(f"/cases/{opened['wu']}").status == 404
    listed = visit(cast["sam"], "en").get(f"/cycles/{play.cycle_id}/cases")
    assert f"/cases/{opened['wu']}" not in listed.text
    assert "138 0000 0000" not in visit(cast["sam"], "en").get(f"/cycles/{play.cycle_id}/contacts").text
    with app.app_context():
        responses.file_rating(play.review, cast["sam"].id, RATING, NOW)
        db.session.commit()
    assert f"/cases/{opened['wu']}" in visit(cast["sam"], "en").get(f"/cycles/{play.cycle_id}/cases").text


def work(visit: Browse, who: Any, case_id: int, act: str, **said: Any) -> Page:
    browser = visit(who, "en")
    seen = browser.get(f"/cases/{case_id}").soup.select_one("input[name=seen]")
    return browser.post(f"/cases/{case_id}", {"act": act, "seen": seen["value"] if seen else "1", **said})


def test_findings_are_kept_and_a_case_closes_only_with_all_of_them(
    app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]
) -> None:
    case_id, hana = opened["wu"], cast["hana"]
    assert work(visit, hana, case_id, "write", explanation="Nobody took the call.").status == 302
    refused = work(visit, hana, case_id, "close", explanation="Nobody took the call.", measure="More people.")
    assert refused.status == 422
    for said in ("Choose a cause", "Say what came of it", "More people."):
        assert said in refused.text
    assert case_of(app, case_id).closed_at is None
    assert work(visit, hana, case_id, "close", **FOUND).status == 302
    row = case_of(app, case_id)
    assert (row.cause, row.measure, row.closed_by) == (Cause.DELAY, "Two more at noon.", hana.id)


def test_a_closed_case_takes_nothing_more_until_hr_takes_it_up_again(
    app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]
) -> None:
    case_id, browser = opened["wu"], visit(cast["hana"], "en")
    work(visit, cast["hana"], case_id, "close", **FOUND)
    late = browser.post(f"/cases/{case_id}", {"act": "write", "seen": "2", "measure": "Something else"})
    assert late.status == 410
    assert "Something else" in late.text
    assert browser.post(f"/cases/{case_id}/reopen", {"reason": " "}).status == 422
    assert browser.post(f"/cases/{case_id}/reopen", {"reason": "Same again"}).status == 302
    assert browser.post(f"/cases/{case_id}/reopen", {"reason": "Same again"}).status == 409
    assert case_of(app, case_id).closed_at is None
    assert case_of(app, case_id).measure == "Two more at noon."


def test_whoever_saves_second_keeps_the_text_and_is_told(
    app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]
) -> None:
    case_id, browser = opened["wu"], visit(cast["hana"], "en")
    seen = browser.get(f"/cases/{case_id}").soup.select_one("input[name=seen]")["value"]
    assert browser.post(f"/cases/{case_id}", {"act": "write", "seen": seen, "measure": "First"}).status == 302
    second = browser.post(f"/cases/{case_id}", {"act": "write", "seen": seen, "measure": "Second"})
    assert second.status == 409
    assert "Second" in second.text
    assert "Somebody else wrote" in second.text
    assert case_of(app, case_id).measure == "First"


def test_the_same_form_sent_twice_is_harmless(app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]) -> None:
    case_id, browser = opened["wu"], visit(cast["hana"], "en")
    for _twice in range(2):
        assert browser.post(f"/cases/{case_id}", {"act": "write", "seen": "1", "measure": "First"}).status == 302
    assert case_of(app, case_id).version == 2


def test_the_employee_sees_a_case_only_when_it_is_brought_to_a_talk(
    app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]
) -> None:
    case_id = opened["wu"]
    work(visit, cast["hana"], case_id, "write", **{**FOUND, "note": ""})
    before = visit(cast["ada"], "en").get("/cases").text
    assert "Two more at noon." not in before
    visit(cast["hana"], "en").post(f"/cases/{case_id}/talk", {"talk": "A caller waited long. Let us look at noon."})
    after = visit(cast["ada"], "en").get("/cases").text
    for told in ("A caller waited long.", "Two more at noon.", "Answered or solved too late"):
        assert told in after
    for kept in ("Two hours on hold", "138 0000 0000", "T-Wu", "Wu<", "Nobody took the call"):
        assert kept not in after
    assert "A caller waited long." not in visit(cast["bo"], "en").get("/cases").text
    assert visit(cast["hana"]).post(f"/cases/{case_id}/talk", {"talk": "  "}).status == 422


def test_no_button_of_a_case_loses_what_was_typed_beside_it(
    app: Flask, cast: Cast, visit: Browse, opened: dict[str, int]
) -> None:
    case_id = opened["wu"]
    page = work(visit, cast["hana"], case_id, "write", measure="Two more at noon.", talk="A caller waited long.")
    assert page.status == 200
    assert "A caller waited long." in page.soup.select_one("textarea[name=talk]").text
    assert "Ada has not been told yet" in page.text
    assert case_of(app, case_id).talk == ""
    assert "A caller waited long." not in visit(cast["ada"], "en").get("/cases").text
    refused = work(visit, cast["hana"], case_id, "talk", measure="Three more.", talk="  ")
    assert (refused.status, case_of(app, case_id).measure) == (422, "Two more at noon.")
    assert "Three more." in refused.soup.select_one("textarea[name=measure]").text
    assert work(visit, cast["hana"], case_id, "talk", measure="Three more.", talk="A long wait.").status == 302
    row = case_of(app, case_id)
    assert (row.measure, row.talk, row.closed_at) == ("Three more.", "A long wait.", None)
    told = visit(cast["hana"], "en").get(f"/cases/{case_id}").text
    assert "Ada was told" in told
    assert "sees nothing of this case" not in told
    second = visit(cast["hana"], "en").post(
        f"/cases/{case_id}", {"act": "talk", "seen": "1", "measure": "Other", "talk": "Other words"}
    )
    assert second.status == 409
    assert "Other words" in second.soup.select_one("textarea[name=talk]").text
    assert case_of(app, case_id).talk == "A long wait."


def test_whoever_a_case_is_about_gives_it_to_nobody(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    with app.app_context():
        for name in ("ada", "sam"):  # Sam has still to rate Ada
            db.session.add(RoleRow(person_id=cast[name].id, role=Role.HR))
        db.session.commit()
    for name in ("ada", "sam"):
        assert assign(visit, cast[name], play, [opened["wu"]], cast["bo"].employee_no).status == 422
        wish = {"response": str(case_of(app, opened["wu"]).response_id), "note": "Called."}
        assert visit(cast[name]).post(f"/cycles/{play.cycle_id}/contacts", wish).status == 404
    assert case_of(app, opened["wu"]).owner_id is None


def test_an_overdue_case_is_written_about_once_a_day_it_was_due(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    assign(visit, cast["hana"], play, [opened["wu"]], cast["quinn"].employee_no)
    with app.app_context():
        assert overdue.letters_due(DUE, NOW) == []
        for moment in (NOW + timedelta(days=6), NOW + timedelta(days=6, hours=1), NOW + timedelta(days=7)):
            tick(moment)
        letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == "follow_up:overdue")).all()
        assert [letter.to for letter in letters] == ["quinn@example.com"]


def test_a_case_can_be_opened_by_hand(app: Flask, cast: Cast, visit: Browse, play: Play) -> None:
    browser = visit(cast["hana"], "en")
    form = {"employee_no": cast["bo"].employee_no, "subject": "Heard shouting"}
    page = browser.post(f"/cycles/{play.cycle_id}/cases/new", form)
    assert page.status == 302
    stranger = browser.post(f"/cycles/{play.cycle_id}/cases/new", {"employee_no": "E1", "subject": "Heard shouting"})
    assert stranger.status == 422
    assert "Heard shouting" in stranger.text
    assert visit(cast["sam"]).post(f"/cycles/{play.cycle_id}/cases/new", form).status == 404


def test_customers_to_contact_are_a_list_that_is_worked_off(app: Flask, cast: Cast, visit: Browse, play: Play) -> None:
    address, browser = f"/cycles/{play.cycle_id}/contacts", visit(cast["hana"], "en")
    page = browser.get(address)
    assert "2 customers asked for it and wait." in page.text
    for shown in ("138 0000 0000", "xu@customer.example", "T-Wu"):
        assert shown in page.text
    assert "T-Xu" not in page.text
    response = page.soup.select_one("input[name=response]")["value"]
    assert browser.post(address, {"response": response, "note": ""}).status == 422
    for _twice in range(2):
        assert browser.post(address, {"response": response, "note": "Called, said sorry."}).status == 302
    late = browser.post(address, {"response": response, "note": "Sent a voucher."})
    assert late.status == 409
    assert "You typed: Sent a voucher." in late.text
    assert browser.post(address, {"response": "999999", "note": "x"}).status == 404
    assert "1 customer asked for it and waits." in browser.get(address).text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ContactRow)) == 1
    assert visit(cast["sam"]).get(address).status == 404


def test_the_list_filters_and_counts(app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]) -> None:
    assign(visit, cast["hana"], play, [opened["wu"]], cast["quinn"].employee_no)
    work(visit, cast["hana"], opened["ye"], "close", **FOUND)
    listed = {
        only: len(visit(cast["hana"]).get(f"/cycles/{play.cycle_id}/cases?only={only}").soup.select("tbody a"))
        for only in ("open", "unassigned", "overdue", "closed", "all", "nonsense")
    }
    words = visit(cast["hana"], "en").get(f"/cycles/{play.cycle_id}/cases?only=all").text
    assert "2 of 5 stars" in words
    assert "Two hours on hold" in words
    assert listed == {"open": 2, "unassigned": 1, "overdue": 0, "closed": 1, "all": 3, "nonsense": 2}


def test_a_withdrawn_review_opens_no_case(app: Flask, play: Play) -> None:
    with app.app_context():
        db.session.execute(update(ReviewRow).where(ReviewRow.id == play.review).values(withdrawn_at=NOW))
        db.session.commit()
        assert tick(NOW).cases == 0
        assert db.session.scalar(select(func.count()).select_from(InvitationRow)) == 4


def test_the_report_counts_cases_of_all_and_of_a_team(
    app: Flask, cast: Cast, visit: Browse, play: Play, opened: dict[str, int]
) -> None:
    work(visit, cast["hana"], opened["ye"], "close", **FOUND)
    with app.app_context():
        today = (NOW + timedelta(days=1)).date()
        everybody, mine, others = (
            lists.counts(play.cycle_id, today, who) for who in (None, cast["sam"].id, cast["quinn"].id)
        )
        assert (everybody.opened, everybody.closed, everybody.open, everybody.unassigned) == (3, 1, 2, 2)
        assert (mine.complaints, mine.by_cause) == (1, {Cause.DELAY: 1})
        assert (others.opened, others.by_cause) == (0, {})
