"""Pages of plans, previews, requests and readings: who sees what, and what typed text survives."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select, update

from review.customer_survey import answering, comments, exclusions, plans, reading, service
from review.customer_survey.tables import ExclusionRow, InvitationRow, SurveyPlanRow
from review.domain.access import Role
from review.domain.cycle import Stage
from review.domain.records import TicketStatus
from review.domain.refusals import OutOfReach
from review.domain.responses import CustomerAnswer, SupervisorRating
from review.domain.strata import Stratum
from review.domain.survey_figures import Counts, Signal, signals
from review.domain.survey_plan import Mode
from review.domain.themes import Theme, themes
from review.domain.vocabulary import Level
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import suppression
from review.infra.db import db
from review.infra.suppression import Stopped
from review.people.tables import PersonRow, RoleRow
from review.responses.service import file_rating
from review.schemes.library import builtin
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.make_surveys import cycle_of, make_customer, make_plan, make_ticket, make_tickets

Browse = Callable[..., Browser]
SAID = {"mode": "monthly", "who": "sample", "expected_percent": "50", "per_person": "", "delay_hours": "24"} | {
    "window_days": "14",
    "valid_days": "20",
}


@pytest.fixture(autouse=True)
def the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views stand in the week of the cast."""
    for module in ("public", "desk", "plan_views", "leaving_out_views"):
        monkeypatch.setattr(f"review.customer_survey.{module}.now", lambda: NOW)


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> int:
    with app.app_context():
        made = make_cycle(cast)
        make_tickets(20, cast["ada"].id)
        make_tickets(12, cast["bo"].id, channel="chat", kind="")
        db.session.commit()
        return made


# ---- plan and preview ----


def test_hr_sets_a_plan_and_reads_what_it_would_do(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    hana = browse(cast["hana"], "en")
    page = hana.follow(hana.submit(hana.get(f"/cycles/{cycle}/surveys/plan"), SAID | {"mode": "list"}))
    assert page.h1 == "Preview of surveys"
    assert "32 customers would be asked now, out of 32 tickets" in page.words
    assert "Quota a person 30" in page.words
    assert "Ada 20 0 20 30 Too few customers" in page.words
    assert "Hana 0 0 0 30 No tickets in these days" in page.words
    with app.app_context():
        row = db.session.scalars(select(SurveyPlanRow)).one()
        assert (row.mode, row.everybody, row.expected_percent, row.per_person) == (Mode.LIST, False, 50, None)
        assert str(row.seed) in page.words
        assert db.session.scalars(select(InvitationRow)).all() == []


def test_the_preview_names_addresses_where_letters_come_back(
    app: Flask, cast: Cast, browse: Browse, cycle: int
) -> None:
    with app.app_context():
        address = db.session.scalars(select(CustomerRow.email).order_by(CustomerRow.id).limit(1)).one()
        suppression.stop(address, Stopped.SOFT, "mail:full", "452", letter_id=None, now=NOW)
        db.session.commit()
    words = browse(cast["hana"], "en").get(f"/cycles/{cycle}/surveys/preview").words
    assert "31 customers would be asked now, out of 32 tickets" in words
    assert "Letters to the customer's address come back 1" in words


def test_a_refused_plan_keeps_what_was_typed(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    hana = browse(cast["hana"], "en")
    page = hana.get(f"/cycles/{cycle}/surveys/plan")
    wrong = hana.submit(page, SAID | {"expected_percent": "3", "valid_days": "many"}, status=422)
    assert "From 5 to 100" not in wrong.words  # the number that is none comes first
    assert "Type a whole number" in wrong.words
    wrong = hana.submit(page, SAID | {"expected_percent": "3", "per_person": "4"}, status=422)
    assert "From 5 to 100" in wrong.words
    assert "At least 15, the scheme's minimum" in wrong.words
    field = wrong.soup.find("input", {"name": "expected_percent"})
    assert field is not None
    assert field["value"] == "3"
    with app.app_context():
        assert plans.plan_of(cycle).expected_percent == 40


def test_the_plan_is_read_only_once_somebody_was_asked(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    with app.app_context():
        service.queue_invitations(cycle_of(cycle), NOW)
        db.session.commit()
    hana = browse(cast["hana"], "en")
    page = hana.get(f"/cycles/{cycle}/surveys/plan")
    assert "the plan stays as it is" in page.words
    assert "Save and preview" not in page.words
    hana.post(f"/cycles/{cycle}/surveys/plan", SAID, status=410)


def test_the_button_of_lists_is_gone_where_waves_are_planned(
    app: Flask, cast: Cast, browse: Browse, cycle: int
) -> None:
    with app.app_context():
        make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=True)
        db.session.commit()
    hana = browse(cast["hana"], "en")
    page = hana.get(f"/cycles/{cycle}/surveys")
    assert "Every month" in page.words
    assert "Invite customers" not in page.words
    assert hana.post(f"/cycles/{cycle}/surveys/invite", status=409)
    preview = hana.get(f"/cycles/{cycle}/surveys/preview")
    assert "Goes out" in preview.words


@pytest.mark.parametrize("who", ["ada", "sam", "max"])
@pytest.mark.parametrize("page", ["plan", "preview", "reading", "themes"])
def test_plans_and_readings_are_hrs_alone(cast: Cast, browse: Browse, cycle: int, who: str, page: str) -> None:
    browse(cast[who]).get(f"/cycles/{cycle}/surveys/{page}", status=404)


# ---- requests ----


def test_an_agent_asks_and_hr_decides(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    with app.app_context():
        make_ticket(make_customer("Angry"), cast["ada"].id, "CASE-77")
        db.session.commit()
    ada, hana = browse(cast["ada"], "en"), browse(cast["hana"], "en")
    page = ada.get("/surveys/leave-out")
    wrong = ada.submit(page, {"reference": "CASE-78", "reason": "The shop was down"}, status=422)
    assert "No ticket of yours" in wrong.words
    assert "The shop was down" in wrong.words
    done = ada.follow(ada.submit(page, {"reference": "CASE-77", "reason": "The shop was down"}))
    assert "HR has your request" in done.words
    assert "CASE-77" in done.words
    listed = hana.get("/surveys/exclusions")
    assert "Ada asked on" in listed.words
    with app.app_context():
        number = db.session.scalar(select(ExclusionRow.id))
    address = f"/surveys/exclusions/{number}"
    refused = hana.post(address, {"verdict": "no", "answer": ""}, status=422)
    assert "Say why" in refused.words
    ada.post(address, {"verdict": "yes"}, status=404)
    hana.post(address, {"verdict": "yes", "answer": ""})
    assert "Left out" in ada.get("/surveys/leave-out").words
    assert "1 ticket is left out on request" in hana.get(f"/cycles/{cycle}/surveys").words


def test_whoever_asked_has_no_buttons(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    with app.app_context():
        make_ticket(make_customer("Angry"), cast["hana"].id, "CASE-77")
        db.session.commit()
    hana = browse(cast["hana"], "en")
    hana.submit(hana.get("/surveys/leave-out"), {"reference": "CASE-77", "reason": "The shop was down"})
    page = hana.get("/surveys/exclusions")
    assert "a colleague in HR decides" in page.words
    assert not page.soup.select("main form")
    hana.post("/surveys/exclusions/1", {"verdict": "yes"}, status=403)


def test_nobody_learns_on_the_page_of_requests_who_was_asked(
    app: Flask, cast: Cast, browse: Browse, cycle: int
) -> None:
    with app.app_context():
        make_ticket(make_customer("One"), cast["cy"].id, "CASE-1")
        service.queue_invitations(cycle_of(cycle), NOW)
        make_ticket(make_customer("Two"), cast["cy"].id, "CASE-2")
        db.session.commit()
    cy = browse(cast["cy"], "en")
    pages = []
    for reference in ("CASE-1", "CASE-2"):
        sent = cy.submit(cy.get("/surveys/leave-out"), {"reference": reference, "reason": "The shop was down"})
        pages.append((sent.status, sent.location))
    assert pages[0] == pages[1]


def test_hr_puts_customers_on_the_list_and_takes_them_off(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    with app.app_context():
        number = make_customer("Li Lei", external_id="K-1")
        db.session.commit()
    hana = browse(cast["hana"], "en")
    page = hana.get("/surveys/unsubscribed")
    assert "Nobody is on this list" in page.words
    wrong = hana.post("/surveys/unsubscribed", {"who": "K-9", "reason": "By telephone"}, status=422)
    assert "No customer has this address" in wrong.words
    listed = hana.follow(hana.post("/surveys/unsubscribed", {"who": "K-1", "reason": "By telephone"}))
    assert "Li Lei" in listed.words
    assert "Hana By telephone" in listed.words
    kept = hana.post(f"/surveys/unsubscribed/{number}/lift", {"reason": ""}, status=422)
    assert kept.status == 422
    hana.post(f"/surveys/unsubscribed/{number}/lift", {"reason": "Wants them again"})
    with app.app_context():
        assert db.session.get_one(CustomerRow, number).unsubscribed_at is None
    for who in ("ada", "sam", "max"):
        browse(cast[who]).post("/surveys/unsubscribed", {"who": "K-1", "reason": "By telephone"}, status=404)


# ---- reading ----


@pytest.fixture
def answered(app: Flask, cast: Cast, cycle: int) -> int:
    """Ada: 20 asked by phone, 16 answered, 12 satisfied. Bo: 12 asked by chat, 3 answered, 0 satisfied."""
    with app.app_context():
        service.queue_invitations(cycle_of(cycle), NOW - timedelta(hours=1))
        for name, stars in (("ada", [5] * 6 + [4] * 6 + [3] * 2 + [2, 1]), ("bo", [1, 2, 3])):
            mine = select(InvitationRow.customer_id).where(InvitationRow.review_id == review_of(cycle, cast[name]))
            asked = db.session.scalars(mine.order_by(InvitationRow.customer_id)).all()
            for customer, star in zip(asked, stars, strict=False):
                comment = "The reply was slow, call me: 13800138000" if star < 3 else ""
                said = CustomerAnswer({}, star, comment)
                assert answering.answer(service.link_token(cycle, customer, 1), "f", said, NOW)
        db.session.commit()
    return cycle


def test_the_figures_add_up_and_the_reference_weighs_the_strata(app: Flask, answered: int, cast: Cast) -> None:
    with app.app_context():
        found = reading.reading_of(cycle_of(answered))
    assert found.all == Counts(32, 19, 12, 3, 4)
    assert found.channels == {"phone": Counts(20, 16, 12, 2, 2), "chat": Counts(12, 3, 0, 1, 2)}
    assert found.kinds[""].answered == 3
    assert found.ways == {"mail": found.all}
    assert found.waves == {"list-1": found.all}
    assert found.reference.value == Fraction(20, 32) * Fraction(12, 16) + Fraction(12, 32) * 0
    assert found.reference_percent == "46.9"
    assert [(line.stratum, line.of_tickets, line.of_answered) for line in found.strata] == [
        (Stratum("phone", "exchange"), "62.5", "84.2"),
        (Stratum("chat", ""), "37.5", "15.8"),
    ]
    people = {line.name: line.counts for line in found.people}
    assert (people["Ada"].satisfied, people["Bo"].dissatisfied, people["Cy"]) == (12, 2, Counts())
    assert found.signals == ()  # 59 percent of 32 is under 70, but may be chance


def test_an_empty_stratum_is_said(app: Flask, answered: int, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        make_tickets(8, cast["cy"].id, channel="shop")
        db.session.commit()
        found = reading.reading_of(cycle_of(answered))
    assert found.reference.empty == (Stratum("shop", "exchange"),)
    assert found.covered_percent == "80.0"
    page = browse(cast["hana"], "en").get(f"/cycles/{answered}/surveys/reading")
    assert "1 cell of channel and type has tickets and no answer: the value speaks for the other 80.0%" in page.words
    assert "Reference only, never counts" in page.words


def test_hr_reads_rates_with_their_interval_and_small_samples_are_said(
    app: Flask, answered: int, cast: Cast, browse: Browse
) -> None:
    page = browse(cast["hana"], "en").get(f"/cycles/{answered}/surveys/reading")
    assert "12 of 19 customers who answered are satisfied: 63.2%" in page.words
    assert "19 of 32 asked, goal 70%" in page.words
    assert "95% interval 42.3–74.5%" in page.words  # Wilson for 19 of 32
    assert "few" in page.words
    assert page.soup.find_all("svg", {"role": "img"})
    with app.app_context():
        db.session.get_one(PersonRow, cast["hana"].id).locale = "zh"
        db.session.commit()
    chinese = browse(cast["hana"]).get(f"/cycles/{answered}/surveys/reading")
    assert "仅供参考，不计分" in chinese.words
    assert "19位客户回答，其中12位满意：63.2%" in chinese.words


def test_hr_does_not_read_what_is_said_of_themselves_or_of_whom_they_have_still_to_rate(
    app: Flask, answered: int, cast: Cast, browse: Browse
) -> None:
    with app.app_context():
        db.session.add_all(RoleRow(person_id=cast[name].id, role=Role.HR) for name in ("ada", "sam"))
        db.session.commit()
    address = f"/cycles/{answered}/surveys/reading"
    everything = browse(cast["hana"], "en").get(address)
    assert everything.soup.find("th", string="Ada")
    assert "not shown to you" not in everything.words
    own = browse(cast["ada"], "en").get(address)
    assert not own.soup.find("th", string="Ada")
    assert not own.soup.find("th", string="Bo")  # hers alone would follow from the total
    assert "2 people are not shown to you" in own.words
    assert not browse(cast["sam"], "en").get(address).soup.find("th", string="Ada")
    rate(app, answered, cast, "sam", "ada", "bo", "cy", "di", "ed", "fay", "gus")
    assert browse(cast["sam"], "en").get(address).soup.find("th", string="Ada")


def test_nothing_asked_reads_as_nothing(cast: Cast, browse: Browse, cycle: int) -> None:
    page = browse(cast["hana"], "en").get(f"/cycles/{cycle}/surveys/reading")
    assert "Nobody has been asked yet" in page.words


def test_themes_lead_to_their_comments_without_numbers(answered: int, cast: Cast, browse: Browse) -> None:
    hana = browse(cast["hana"], "en")
    page = hana.get(f"/cycles/{answered}/surveys/themes")
    assert "reply" in page.words
    link = page.soup.find("a", string="slow")
    assert link is not None
    chosen = hana.get(str(link["href"]).split("#")[0])
    assert "The reply was slow, call me: ＊＊" in chosen.words
    assert "13800138000" not in chosen.text
    assert hana.get(f"/cycles/{answered}/surveys/themes?theme=nothing+of+the+sort").h1 == "Themes and comments"


def close(app: Flask, cycle: int) -> None:
    with app.app_context():
        set_stage(cycle, Stage.FINALISING)
        db.session.commit()


def rate(app: Flask, cycle: int, cast: Cast, by: str, *names: str) -> None:
    levels = dict.fromkeys((one.key for one in builtin().criteria), Level.GOOD)
    with app.app_context():
        for name in names:
            file_rating(review_of(cycle, cast[name]), cast[by].id, SupervisorRating(levels, {}), NOW)
        db.session.commit()


def test_a_supervisor_reads_sums_after_the_close_and_the_own_ratings(
    app: Flask, answered: int, cast: Cast, browse: Browse
) -> None:
    sam, address = browse(cast["sam"], "en"), f"/team/{answered}/surveys"
    assert "Customers are still being asked" in sam.get(address).words
    close(app, answered)
    assert "Your own ratings come first" in sam.get(address).words
    rate(app, answered, cast, "sam", "ada", "bo", "cy", "di", "ed", "fay", "gus")
    page = sam.get(address)
    assert "75.0%" in page.words  # 12 of Ada's 16: her own figures stand in her result, so Bo's 3 are not in the sum
    assert "63.2%" not in page.words
    assert "1 person is not shown" in page.words
    assert not page.soup.find("th", string="Bo")
    assert page.soup.find("th", string="Ada")
    assert not page.soup.find(string=lambda text: text and "19" in text)
    assert "slow" not in page.text
    for who in ("ada", "hana", "max"):
        browse(cast[who]).get(address, status=404)


def test_a_team_under_the_minimum_is_not_shown(app: Flask, answered: int, cast: Cast, browse: Browse) -> None:
    close(app, answered)
    rate(app, answered, cast, "quinn", "rae")
    page = browse(cast["quinn"], "en").get(f"/team/{answered}/surveys")
    assert "fewer than 15 answers: nothing is shown" in page.words


def test_a_supervisor_without_people_in_the_cycle_finds_no_page(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        alone = make_cycle(cast, who=[cast["ada"]])
        db.session.commit()
    browse(cast["quinn"]).get(f"/team/{alone}/surveys", status=404)
    browse(cast["sam"]).get("/team/999/surveys", status=404)


def test_a_fall_beyond_chance_is_told_on_the_page(app: Flask, cast: Cast, browse: Browse, cycle: int) -> None:
    with app.app_context():
        earlier = make_cycle(cast, name="Q4 2025", quarters_ago=2)
        old = [
            make_ticket(make_customer(f"Old {n}"), cast["ada"].id, closed_on=cycle_of(earlier).period_end)
            for n in range(60)
        ]
        assert len(old) == 60
        before = cycle_of(earlier).opens_at
        service.queue_invitations(cycle_of(earlier), before)
        service.queue_invitations(cycle_of(cycle), NOW - timedelta(hours=1))
        set_dates(earlier, closes_at=NOW + timedelta(days=1))
        db.session.execute(update(InvitationRow).values(expires_at=NOW + timedelta(days=9)))
        db.session.expire_all()
        for one, stars in ((earlier, 5), (cycle, 1)):
            asked = select(InvitationRow.customer_id).where(InvitationRow.cycle_id == one)
            for customer in db.session.scalars(asked).all():
                assert answering.answer(service.link_token(one, customer, 1), "f", CustomerAnswer({}, stars), NOW)
        found = reading.reading_of(cycle_of(cycle))
        assert [period.name for period in found.trend] == ["Q4 2025", "Q1 2026"]
        assert Signal.SATISFACTION_FALLS in found.signals
        db.session.commit()
    page = browse(cast["hana"], "en").get(f"/cycles/{cycle}/surveys/reading")
    assert "Satisfaction has fallen since the last cycle, beyond chance" in page.words


# ---- the pure parts ----


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], []),
        ([Counts(29, 1, 1, 0, 0)], []),
        ([Counts(100, 40, 40, 0, 0)], [Signal.RATE_UNDER_GOAL]),
        ([Counts(100, 69, 69, 0, 0)], []),  # under the goal, but not beyond chance
        ([Counts(100, 90, 90, 0, 0), Counts(100, 72, 72, 0, 0)], [Signal.RATE_FALLS]),
        ([Counts(90, 80, 78, 0, 2), Counts(90, 80, 60, 0, 20)], [Signal.SATISFACTION_FALLS]),
        ([Counts(90, 80, 78, 0, 2), Counts(25, 20, 2, 0, 18)], []),  # too few to tell
        ([Counts(40, 36, good, 0, 0) for good in (34, 33, 32, 31)], [Signal.FALLS_IN_A_ROW]),
        ([Counts(40, 36, good, 0, 0) for good in (34, 33, 33, 31)], []),
    ],
)
def test_signals_tell_falls_from_chance(history: list[Counts], expected: list[Signal]) -> None:
    assert signals(history) == expected


def test_themes_count_a_comment_once_and_fold_words_into_their_pair() -> None:
    said = ("回复太慢，退款流程复杂", "退款流程太复杂了！回复慢", "物流快", "物流很快，物流好")
    cut = [comments.cut(text) for text in said]
    found = {theme.key: theme.count for theme in themes(cut, ())}
    assert found["退款 流程"] == 2
    assert "退款" not in found  # never without its pair
    assert found["物流 快"] == 2
    assert found["回复 慢"] == 2  # "too slow" is slow


def test_pairs_do_not_cross_punctuation_or_stop_words() -> None:
    found = themes([[["slow"], ["reply"]], [["slow"], ["reply"]], [["slow", "the", "reply"]]], {"the"})
    assert [theme.key for theme in found] == ["reply", "slow"]
    assert found[0] == Theme(("reply",), (0, 1, 2))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("李雷帮了我，电话138-0013-8000", "＊＊帮了我，电话＊＊"),
        ("Ed needed 3 days; mail me at a.b@c.example", "＊＊ needed 3 days; mail me at ＊＊"),
        ("订单20260101123456还没到", "订单＊＊还没到"),
        ("等了30分钟", "等了30分钟"),
        ("加我微信 WeChat: lilei_88", "加我微信 ＊＊"),
    ],
)
def test_names_and_ways_to_reach_somebody_are_masked(text: str, shown: str) -> None:
    assert comments.mask(text, ["李雷", "Ed"]) == shown


def test_a_team_of_somebody_else_is_out_of_reach(app: Flask, cast: Cast, cycle: int) -> None:
    from review.customer_survey.reading_views import find_own_team
    from review.domain.access import Actor

    with app.app_context(), pytest.raises(OutOfReach):
        find_own_team(Actor(cast["ada"].id, "Ada", frozenset()), cycle)


def test_an_answer_about_a_ticket_that_is_open_again_stays_in_the_reading(
    app: Flask, cast: Cast, browse: Browse, answered: int
) -> None:
    with app.app_context():
        used = select(InvitationRow.ticket_id).where(InvitationRow.used_at.is_not(None)).limit(1)
        opened = update(TicketRow).where(TicketRow.id.in_(used))
        db.session.execute(opened.values(status=TicketStatus.OPEN, closed_on=None, closed_at=None))
        db.session.commit()
        found = reading.reading_of(cycle_of(answered))
        assert found.all.answered == 19
        assert sum(counts.answered for counts in found.months.values()) == 18  # it belongs to no month
    assert (
        "12 of 19 customers who answered are satisfied"
        in browse(cast["hana"], "en").get(f"/cycles/{answered}/surveys/reading").words
    )


def test_a_request_about_a_ticket_that_is_open_again_can_be_read(
    app: Flask, cast: Cast, browse: Browse, cycle: int
) -> None:
    with app.app_context():
        ticket = make_ticket(make_customer("Open again"), cast["ada"].id, reference="OPEN-1")
        exclusions.ask("OPEN-1", "Spoke to the wrong person.", by=cast["ada"].id, now=NOW)
        opened = update(TicketRow).where(TicketRow.id == ticket)
        db.session.execute(opened.values(status=TicketStatus.OPEN, closed_on=None, closed_at=None))
        db.session.commit()
    assert "OPEN-1" in browse(cast["hana"], "en").get("/surveys/exclusions").words
    assert "OPEN-1" in browse(cast["ada"], "en").get("/surveys/leave-out").words
