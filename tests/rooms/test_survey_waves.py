"""Waves of surveys: planned until they run, drawn by lot, sent once, taken back when a ticket is open again."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from review.app import create_app
from review.customer_survey import (
    answering,
    comments,
    exclusions,
    jobs,
    plans,
    reading,
    service,
    stops,
    waves,
    withdrawing,
)
from review.customer_survey.candidates import field_of
from review.customer_survey.tables import ExclusionRow, InvitationRow, StopRow, SurveyPlanRow, WaveRow
from review.customer_survey.waves import Short
from review.domain.cycle import Stage
from review.domain.records import TicketStatus, TicketSystem
from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, Taken, TooLate
from review.domain.responses import CustomerAnswer
from review.domain.strata import Stratum
from review.domain.survey_plan import Mode, Suppressed, SurveyPlan, Withdrawn
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import jobs as work
from review.infra import suppression
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.infra.suppression import Stopped
from review.tables import metadata
from review.workflow import tick
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import make_cycle, set_dates, set_stage
from tests.make_surveys import cycle_of, make_customer, make_plan, make_ticket, make_tickets

# NOW is 2026-04-01 16:00 in Shanghai; the cycle is the first quarter and collects until 13 April.
JANUARY, FEBRUARY, MARCH = date(2026, 1, 20), date(2026, 2, 20), date(2026, 3, 20)


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> Iterator[int]:
    """A quarter that has collected since its first day, so that its waves fall into it."""
    with app.app_context():
        made = make_cycle(cast)
        set_dates(made, opens_at=datetime(2026, 1, 1, 1, tzinfo=NOW.tzinfo))
        db.session.commit()
        yield made


def asked_about(cycle_id: int) -> Counter[int]:
    tickets = select(TicketRow.agent_id).join(InvitationRow, InvitationRow.ticket_id == TicketRow.id)
    return Counter(db.session.scalars(tickets.where(InvitationRow.cycle_id == cycle_id)))


def at(day: date, hour: int = 3) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NOW.tzinfo)


# ---- the plan ----


def test_without_a_plan_a_list_asks_everybody_as_ever(cycle: int, cast: Cast) -> None:
    make_tickets(3, cast["ada"].id)
    assert plans.plan_of(cycle) == SurveyPlan(mode=Mode.LIST, everybody=True)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 3
    [wave] = db.session.scalars(select(WaveRow))
    assert (wave.key, wave.candidates, wave.asked) == ("list-1", 3, 3)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 0
    assert len(db.session.scalars(select(WaveRow)).all()) == 1  # a button pressed once more is no sending


def test_hr_changes_the_plan_until_it_runs(cycle: int, cast: Cast) -> None:
    hana, row = cast["hana"].id, cycle_of(cycle)
    assert plans.set_plan(row, SurveyPlan(mode=Mode.MONTHLY, everybody=False), by=hana, now=NOW)
    assert not plans.set_plan(row, SurveyPlan(mode=Mode.MONTHLY, everybody=False), by=hana, now=NOW)
    seed = plans.seed_of(cycle)
    assert plans.set_plan(row, SurveyPlan(mode=Mode.LIST, expected_percent=60), by=hana, now=NOW)
    assert plans.seed_of(cycle) == seed is not None  # drawn once
    lines = db.session.scalars(select(AuditRow).where(AuditRow.action == "customer_survey:plan:set")).all()
    assert [line.details.get("mode") for line in lines] == ["monthly", "list"]
    make_tickets(1, cast["ada"].id)
    service.queue_invitations(row, NOW)
    with pytest.raises(TooLate):
        plans.set_plan(row, SurveyPlan(expected_percent=50), by=hana, now=NOW)


def test_a_plan_without_sense_changes_nothing(cycle: int, cast: Cast) -> None:
    with pytest.raises(Invalid):
        plans.set_plan(cycle_of(cycle), SurveyPlan(per_person=3), by=cast["hana"].id, now=NOW)
    assert plans.plan_of(cycle) == SurveyPlan()


def test_the_plan_of_a_cycle_that_is_over_stays(cycle: int, cast: Cast) -> None:
    set_stage(cycle, Stage.FINALISING)
    db.session.expire_all()
    with pytest.raises(TooLate):
        plans.set_plan(cycle_of(cycle), SurveyPlan(expected_percent=50), by=cast["hana"].id, now=NOW)


# ---- waves ----


def test_monthly_waves_share_the_quota_and_go_out_once(cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=False, expected_percent=50)  # 30 in the quarter
    for day in (JANUARY, FEBRUARY, MARCH):
        make_tickets(40, cast["ada"].id, f"{day}", closed_on=day)
    row = cycle_of(cycle)
    assert waves.run(row, "monthly-1", at(date(2026, 1, 31))) == 0  # not due before the first of February
    totals = []
    for number, day in enumerate((date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)), start=1):
        assert waves.run(row, f"monthly-{number}", at(day)) > 0
        assert waves.run(row, f"monthly-{number}", at(day)) == 0
        totals.append(asked_about(cycle)[cast["ada"].id])
    assert totals == [11, 20, 30]
    months = select(TicketRow.closed_on).join(InvitationRow, InvitationRow.ticket_id == TicketRow.id)
    assert Counter(db.session.scalars(months)) == {JANUARY: 11, FEBRUARY: 9, MARCH: 10}


def test_a_sample_keeps_the_strata_in_proportion(cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, everybody=False, per_person=20)
    for channel, kind, count in (("phone", "return", 50), ("chat", "return", 30), ("chat", "invoice", 20)):
        make_tickets(count, cast["ada"].id, f"{channel}{kind}", channel=channel, kind=kind)
    service.queue_invitations(cycle_of(cycle), NOW)
    drawn = select(TicketRow.channel, TicketRow.kind).join(InvitationRow, InvitationRow.ticket_id == TicketRow.id)
    counts = Counter(tuple(row) for row in db.session.execute(drawn))
    assert counts == {("phone", "return"): 10, ("chat", "return"): 6, ("chat", "invoice"): 4}


def test_every_system_with_a_customer_is_drawn_from(cycle: int, cast: Cast) -> None:
    make_tickets(1, cast["ada"].id, "Z", system=TicketSystem.ZENDESK)
    make_tickets(1, cast["ada"].id, "S", system=TicketSystem.SOBOT)
    nobody = TicketRow(agent_id=cast["ada"].id, reference="no-1", channel="", kind="", closed_on=MARCH)
    nobody.system = TicketSystem.ZENDESK
    db.session.add(nobody)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 2


def test_two_cycles_of_life_draw_the_same_whatever_the_order_of_the_rows(app: Flask, cast: Cast, cycle: int) -> None:
    make_plan(cycle, cast["hana"].id, everybody=False, per_person=15)
    make_tickets(40, cast["ada"].id)
    row, plan = cycle_of(cycle), plans.plan_of(cycle)
    one = waves.preview(row, plan, 7, NOW)
    assert one is not None
    service.queue_invitations(row, NOW)
    sent = set(db.session.scalars(select(InvitationRow.ticket_id)))
    assert sent == {each.ticket_id for each in one.drawn}  # the preview shows what then goes out


def test_after_closed_tickets_a_day_waits_for_the_delay_and_the_window(cycle: int, cast: Cast) -> None:
    wanted = {"mode": Mode.TICKET, "everybody": True, "delay_hours": 48, "window_days": 5}
    plan, row = make_plan(cycle, cast["hana"].id, **wanted), cycle_of(cycle)
    now = at(date(2026, 3, 10))
    for name, closed in (("old", now - timedelta(days=6)), ("due", now - timedelta(hours=48)), ("new", now)):
        make_ticket(make_customer(name), cast["ada"].id, name, closed_on=closed.date(), closed_at=closed)
    make_ticket(make_customer("day"), cast["ada"].id, "day only", closed_on=date(2026, 3, 8))  # its day ends too late
    [wave] = plans.due_waves(row, plan, now)
    found = field_of(row, plan, wave, now)
    assert {each.reference for each in found.candidates} == {"due"}
    assert found.suppressed == {Suppressed.TOO_SOON: 2}
    assert waves.run(row, wave.key, now) == 1
    assert plans.due_waves(row, plan, now) == []
    [following] = plans.due_waves(row, plan, now + timedelta(days=1))
    assert waves.run(row, following.key, now + timedelta(days=1)) == 1  # only the one whose delay is over by then
    assert asked_about(cycle) == {cast["ada"].id: 2}


def test_after_closed_tickets_the_quota_is_spread_over_the_period(cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, mode=Mode.TICKET, everybody=False, per_person=90, delay_hours=1)
    row, day = cycle_of(cycle), date(2026, 1, 10)
    make_tickets(60, cast["ada"].id, closed_on=date(2026, 1, 8))
    assert waves.run(row, f"day-{day}", at(day)) == 10
    assert waves.run(row, f"day-{day + timedelta(days=1)}", at(day + timedelta(days=1))) == 1


def test_the_clock_sends_due_waves_as_jobs_once(app: Flask, cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, mode=Mode.BIMONTHLY, everybody=True)
    make_tickets(4, cast["ada"].id, closed_on=JANUARY)
    db.session.commit()
    before, due = at(date(2026, 3, 1), 1), at(date(2026, 3, 1), 2)  # 10:00 in Shanghai is 02:00
    assert tick.tick(before).waves == 0
    assert tick.tick(due).waves == 1
    assert tick.tick(due).waves == 0
    house = app.extensions["review"]
    work.work_all(house.handlers, house.progress, "test", due)
    assert asked_about(cycle) == {cast["ada"].id: 4}
    assert tick.tick(due + timedelta(days=1)).waves == 0


def test_a_wave_after_the_close_is_missed_and_said_so(cycle: int, cast: Cast) -> None:
    plan = make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=True)
    set_dates(cycle, closes_at=at(date(2026, 3, 15)))
    db.session.expire_all()
    assert [one.missed for one in plans.planned(cycle_of(cycle), plan)] == [False, False, True]
    with pytest.raises(TooLate):
        waves.run(cycle_of(cycle), "monthly-3", at(date(2026, 4, 1)))


def test_no_wave_goes_out_before_the_launch(cycle: int, cast: Cast) -> None:
    plan = make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=True)
    set_stage(cycle, Stage.DRAFT)
    db.session.expire_all()
    assert plans.due_waves(cycle_of(cycle), plan, NOW) == []
    with pytest.raises(NotYet):
        waves.run(cycle_of(cycle), "monthly-1", NOW)


def test_the_button_of_lists_asks_nobody_where_waves_are_planned(app: Flask, cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=True)
    make_tickets(2, cast["ada"].id)
    jobs.do_invite(work.Job("k", {"cycle_id": cycle}, NOW))
    assert not asked_about(cycle)


def test_two_workers_send_a_wave_once(app: Flask, cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, mode=Mode.MONTHLY, everybody=True)
    make_tickets(30, cast["ada"].id, closed_on=JANUARY)
    db.session.commit()
    start, counts = threading.Barrier(3), []

    def work_it() -> None:
        with app.app_context():
            start.wait()
            counts.append(waves.run(cycle_of(cycle), "monthly-1", NOW))
            db.session.commit()

    threads = [threading.Thread(target=work_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 30]
    db.session.rollback()
    assert len(db.session.scalars(select(WaveRow)).all()) == 1


# ---- who is not asked ----


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        ({"customer_opened": False}, Suppressed.NOT_OPENED),
        ({"agent_answered": False}, Suppressed.NOT_ANSWERED),
        ({"status": TicketStatus.OPEN}, Suppressed.REOPENED),
    ],
)
def test_some_tickets_ask_nobody_and_are_counted(
    cycle: int, cast: Cast, ticket: dict[str, Any], reason: Suppressed
) -> None:
    make_ticket(make_customer(), cast["ada"].id, **ticket)
    make_ticket(make_customer("B"), cast["ada"].id, customer_opened=True, agent_answered=True)
    make_ticket(make_customer("C"), cast["ada"].id)  # the system does not say: that keeps nobody out
    ready = waves.preview(cycle_of(cycle), SurveyPlan(), 7, NOW)
    assert ready is not None
    assert ready.suppressed == {reason: 1}
    assert service.queue_invitations(cycle_of(cycle), NOW) == 2
    wave = db.session.scalars(select(WaveRow)).one()
    assert wave.suppressed == {reason.value: 1}


def test_a_new_number_of_an_owner_who_unsubscribed_is_not_asked(cycle: int, cast: Cast) -> None:
    make_customer("Old", email="li@customer.example", unsubscribed_at=NOW)
    make_ticket(make_customer("New", email="li@customer.example"), cast["ada"].id)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 0


def test_an_address_where_letters_come_back_is_not_asked_until_hr_lifts_it(cycle: int, cast: Cast) -> None:
    gone = make_ticket(make_customer("Gone", email="Gone@customer.example"), cast["ada"].id)
    make_ticket(make_customer("Here"), cast["ada"].id)
    make_ticket(make_customer("Silent", email=None), cast["ada"].id)  # reached by the link alone, not by mail
    suppression.stop("gone@customer.example", Stopped.HARD, "mail:no_such_address", "550", letter_id=None, now=NOW)
    ready = waves.preview(cycle_of(cycle), SurveyPlan(), 7, NOW)
    assert ready is not None
    assert ready.suppressed == {Suppressed.UNREACHABLE: 1}
    assert service.queue_invitations(cycle_of(cycle), NOW) == 2
    assert gone not in db.session.scalars(select(InvitationRow.ticket_id)).all()
    assert suppression.lift("gone@customer.example") is not None
    assert service.queue_invitations(cycle_of(cycle), NOW) == 1


def test_nobody_is_reminded_at_an_address_where_the_invitation_came_back(cycle: int, cast: Cast) -> None:
    make_ticket(make_customer("Gone", email="Gone@customer.example"), cast["ada"].id)
    make_ticket(make_customer("Here"), cast["ada"].id)
    row, later = cycle_of(cycle), NOW + timedelta(days=4)
    assert service.queue_invitations(row, NOW) == 2
    suppression.stop("gone@customer.example", Stopped.HARD, "mail:no_such_address", "550", letter_id=None, now=NOW)
    assert service.remindable(cycle, later) == 1
    assert service.queue_reminders(row, later) == 1
    reminded = select(CustomerRow.name).join(InvitationRow, InvitationRow.customer_id == CustomerRow.id)
    assert db.session.scalars(reminded.where(InvitationRow.reminded_at.is_not(None))).all() == ["Here"]


def test_the_preview_says_who_will_not_reach_the_minimum_and_why(cycle: int, cast: Cast) -> None:
    make_plan(cycle, cast["hana"].id, everybody=False, expected_percent=50)  # 30 each
    make_tickets(40, cast["ada"].id)
    make_tickets(12, cast["bo"].id)
    make_tickets(25, cast["cy"].id)
    make_tickets(25, cast["cy"].id, "quiet", agent_answered=False)
    ready = waves.preview(cycle_of(cycle), plans.plan_of(cycle), 7, NOW)
    assert ready is not None
    needs = {need.name: (need.tickets, need.asked, need.wanted, need.short) for need in ready.needs}
    assert needs["Ada"] == (40, 30, 30, None)
    assert needs["Bo"] == (12, 12, 30, Short.FEW_TICKETS)
    assert needs["Cy"] == (50, 25, 30, Short.SUPPRESSED)
    assert needs["Di"] == (0, 0, 30, Short.NO_TICKETS)
    assert ready.cells[0].stratum == Stratum("phone", "exchange")
    assert (ready.tickets, ready.cells[0].candidates, ready.cells[0].drawn) == (102, 77, 67)
    assert not asked_about(cycle)  # looking asks nobody


def test_whoever_was_asked_already_is_not_counted_as_a_ticket_that_may_not_be_asked_about(
    cycle: int, cast: Cast
) -> None:
    make_plan(cycle, cast["hana"].id, everybody=False, expected_percent=50)  # 30 each
    make_tickets(20, cast["ada"].id)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 20
    make_tickets(4, cast["ada"].id, "later")
    for quiet, short in (
        (5, Short.FEW_TICKETS),
        (1, Short.SUPPRESSED),
    ):  # 20 asked, 4 more, then 5, then 6 that may not
        make_tickets(quiet, cast["ada"].id, f"quiet{quiet}", agent_answered=False)
        ready = waves.preview(cycle_of(cycle), plans.plan_of(cycle), 7, NOW)
        assert ready is not None
        [ada] = [need for need in ready.needs if need.name == "Ada"]
        assert (ada.already, ada.asked, ada.short) == (20, 4, short)


# ---- re-opened tickets ----


def invited(cycle: int, cast: Cast, **ticket: Any) -> tuple[str, int]:
    """The link of one customer who was asked half an hour ago, and the ticket."""
    customer = make_customer()
    made = make_ticket(customer, cast["ada"].id, **ticket)
    service.queue_invitations(cycle_of(cycle), NOW - timedelta(minutes=30))
    return service.link_token(cycle, customer, 1), made


SAID = CustomerAnswer({}, 5)


@pytest.mark.parametrize("change", [{"status": TicketStatus.OPEN}, {"reopens": 2}])
def test_a_ticket_that_is_open_again_takes_its_survey_back(cycle: int, cast: Cast, change: dict[str, Any]) -> None:
    token, ticket = invited(cycle, cast, reopens=1)
    assert answering.survey_of(token, NOW) is not None
    db.session.execute(update(TicketRow).where(TicketRow.id == ticket).values(**change))
    db.session.expire_all()
    assert answering.survey_of(token, NOW) is None  # at once, before any clock has ticked
    assert not answering.answer(token, "form", SAID, NOW)
    assert jobs.send_due(cycle_of(cycle), NOW) == 1
    assert jobs.send_due(cycle_of(cycle), NOW) == 0
    row = db.session.scalars(select(InvitationRow)).one()
    assert (row.withdrawn_at, row.withdrawn_why) == (NOW, Withdrawn.REOPENED)
    assert db.session.scalars(select(LetterRow)).all() == []
    db.session.execute(update(TicketRow).values(status=TicketStatus.SOLVED))
    db.session.expire_all()
    assert answering.survey_of(token, NOW) is None  # what was taken back stays so
    assert service.response_rate(cycle).all.offered == 0


def test_an_answer_given_before_stays(cycle: int, cast: Cast) -> None:
    token, _ticket = invited(cycle, cast)
    assert answering.answer(token, "form", SAID, NOW)
    db.session.execute(update(TicketRow).values(status=TicketStatus.OPEN))
    db.session.expire_all()
    assert withdrawing.reopened(cycle) == []
    assert service.response_rate(cycle).all.answered == 1


def test_who_was_taken_back_is_not_asked_again_in_this_cycle(cycle: int, cast: Cast) -> None:
    _token, ticket = invited(cycle, cast)
    withdrawing.withdraw([db.session.scalar(select(InvitationRow.id))], Withdrawn.REOPENED, NOW)
    make_ticket(db.session.get_one(TicketRow, ticket).customer_id or 0, cast["ada"].id)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 0


# ---- left out on request ----


def test_a_request_is_decided_by_somebody_else_and_leaves_the_ticket_out(cycle: int, cast: Cast) -> None:
    make_ticket(make_customer(), cast["ada"].id, "CASE-1")
    exclusions.ask("CASE-1", "The whole network was down", by=cast["sam"].id, now=NOW)
    row = db.session.scalars(select(ExclusionRow)).one()
    assert exclusions.counts(cycle_of(cycle)) == exclusions.Counted(1, 0, 0)
    assert len(waves.preview(cycle_of(cycle), SurveyPlan(), 7, NOW).drawn) == 1  # type: ignore[union-attr]
    for who in ("sam", "ada"):
        with pytest.raises(NotAllowed):
            exclusions.decide(row.id, approve=True, answer="", by=cast[who].id, now=NOW)
    exclusions.decide(row.id, approve=True, answer="", by=cast["hana"].id, now=NOW)
    exclusions.decide(row.id, approve=True, answer="", by=cast["hana"].id, now=NOW)  # pressed twice
    assert exclusions.counts(cycle_of(cycle)) == exclusions.Counted(0, 1, 0)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 0
    with pytest.raises(Taken):
        exclusions.decide(row.id, approve=False, answer="On second thought", by=cast["hana"].id, now=NOW)
    actions = [line.action for line in db.session.scalars(select(AuditRow).order_by(AuditRow.id))]
    assert actions.count("customer_survey:exclusion:decided") == 1
    assert actions.count("customer_survey:exclusion:asked") == 1


def test_what_is_refused_is_asked_about(cycle: int, cast: Cast) -> None:
    make_ticket(make_customer(), cast["ada"].id, "CASE-1")
    exclusions.ask("CASE-1", "The customer was unfriendly", by=cast["ada"].id, now=NOW)
    number = db.session.scalar(select(ExclusionRow.id)) or 0
    with pytest.raises(Invalid):
        exclusions.decide(number, approve=False, answer="", by=cast["hana"].id, now=NOW)
    exclusions.decide(number, approve=False, answer="That is no reason", by=cast["hana"].id, now=NOW)
    assert service.queue_invitations(cycle_of(cycle), NOW) == 1


def test_hr_does_not_decide_about_own_tickets(cycle: int, cast: Cast) -> None:
    make_ticket(make_customer(), cast["hana"].id, "CASE-1")
    exclusions.ask("CASE-1", "A policy nobody likes", by=cast["lou"].id, now=NOW)
    with pytest.raises(NotAllowed):
        exclusions.decide(
            db.session.scalar(select(ExclusionRow.id)) or 0, approve=True, answer="", by=cast["hana"].id, now=NOW
        )
    with pytest.raises(OutOfReach):
        exclusions.decide(999, approve=True, answer="", by=cast["hana"].id, now=NOW)


@pytest.mark.parametrize(
    ("who", "reference", "reason", "code"),
    [
        ("bo", "CASE-1", "The network was down", "customer_survey:no_such_ticket"),
        ("quinn", "CASE-1", "The network was down", "customer_survey:no_such_ticket"),
        ("ada", "CASE-9", "The network was down", "customer_survey:no_such_ticket"),
        ("ada", "CASE-1", "no", "customer_survey:say_why"),
        ("ada", "TWICE", "The network was down", "customer_survey:several_tickets"),
    ],
)
def test_only_own_tickets_can_be_asked_for(
    cycle: int, cast: Cast, who: str, reference: str, reason: str, code: str
) -> None:
    make_ticket(make_customer(), cast["ada"].id, "CASE-1")
    for number, system in enumerate((TicketSystem.ZENDESK, TicketSystem.SOBOT)):
        make_ticket(make_customer(f"B{number}"), cast["ada"].id, "TWICE", system=system)
    with pytest.raises(Invalid) as refused:
        exclusions.ask(reference, reason, by=cast[who].id, now=NOW)
    assert refused.value.code == code
    assert db.session.scalars(select(ExclusionRow)).all() == []


def test_a_ticket_is_asked_for_once_and_by_its_system(cycle: int, cast: Cast) -> None:
    make_ticket(make_customer(), cast["ada"].id, "TWICE", system=TicketSystem.ZENDESK)
    make_ticket(make_customer("B"), cast["ada"].id, "TWICE", system=TicketSystem.SOBOT)
    exclusions.ask("Sobot: TWICE", "The network was down", by=cast["ada"].id, now=NOW)
    with pytest.raises(Invalid) as refused:
        exclusions.ask("sobot:TWICE", "The network was down", by=cast["sam"].id, now=NOW)
    assert refused.value.code == "customer_survey:asked_before"
    assert len(db.session.scalars(select(ExclusionRow)).all()) == 1


def test_leaving_out_takes_back_what_waits_and_never_an_answer(cycle: int, cast: Cast) -> None:
    token, ticket = invited(cycle, cast, reference="CASE-1")
    exclusions.ask("CASE-1", "The network was down", by=cast["ada"].id, now=NOW)
    number = db.session.scalar(select(ExclusionRow.id)) or 0
    with db.session.begin_nested() as undone:
        exclusions.decide(number, approve=True, answer="", by=cast["hana"].id, now=NOW)
        assert answering.survey_of(token, NOW) is None
        undone.rollback()
    db.session.expire_all()
    assert answering.answer(token, "form", SAID, NOW)
    with pytest.raises(Taken) as refused:  # who could remove answers afterwards would choose their customers
        exclusions.decide(number, approve=True, answer="", by=cast["hana"].id, now=NOW)
    assert refused.value.code == "customer_survey:answered_already"
    assert ticket == db.session.scalar(select(ExclusionRow.ticket_id))


# ---- those who want no more letters ----


def stopped() -> int:
    return db.session.scalar(select(func.count()).where(CustomerRow.unsubscribed_at.is_not(None))) or 0


def test_hr_stops_and_lifts_by_address_with_a_reason(cycle: int, cast: Cast) -> None:
    hana = cast["hana"].id
    numbers = [make_customer(f"N{n}", email="li@customer.example", external_id=f"C{n}") for n in (1, 2)]
    for customer in numbers:
        make_ticket(customer, cast["ada"].id)
    assert stops.add("LI@customer.example", "Asked by phone", by=hana, now=NOW) == 2
    assert stopped() == 2
    assert service.queue_invitations(cycle_of(cycle), NOW) == 0
    with pytest.raises(Invalid):
        stops.add("C1", "Asked by phone", by=hana, now=NOW)
    stops.lift(numbers[0], "Wants them again", by=hana, now=NOW)
    assert stopped() == 0
    assert service.queue_invitations(cycle_of(cycle), NOW) == 1
    with pytest.raises(Taken):
        stops.lift(numbers[0], "Wants them again", by=hana, now=NOW)
    lines = db.session.execute(select(StopRow.is_lifted, StopRow.by, StopRow.reason).order_by(StopRow.id)).all()
    assert [tuple(line) for line in lines] == [(False, hana, "Asked by phone")] * 2 + [
        (True, hana, "Wants them again")
    ] * 2


@pytest.mark.parametrize(("who", "reason", "where"), [("nobody", "Asked by phone", "who"), ("C1", " ", "reason")])
def test_stopping_nobody_or_without_a_reason_is_refused(
    cycle: int, cast: Cast, who: str, reason: str, where: str
) -> None:
    make_customer(external_id="C1")
    with pytest.raises(Invalid) as refused:
        stops.add(who, reason.strip(), by=cast["hana"].id, now=NOW)
    assert refused.value.problems[0].where == where
    assert stopped() == 0


def test_a_customer_who_unsubscribes_stands_in_the_ledger_without_a_name_of_staff(cycle: int, cast: Cast) -> None:
    token, _ticket = invited(cycle, cast)
    answering.unsubscribe(token, NOW)
    answering.unsubscribe(token, NOW)
    line = db.session.scalars(select(StopRow)).one()
    assert (line.by, line.is_lifted) == (None, False)
    [found] = stops.stopped(1).rows
    assert found.by is None
    assert stops.stopped(1, "nobody at all").total == 0
    assert db.session.scalars(select(CustomerRow.unsubscribed_at)).one() == NOW


def test_links_taken_along_are_counted_as_offered_over_a_gateway(cycle: int, cast: Cast) -> None:
    from review.customer_survey import links

    make_ticket(make_customer("A", email=None), cast["ada"].id)
    make_ticket(make_customer("B"), cast["ada"].id)
    service.queue_invitations(cycle_of(cycle), NOW)
    assert links.note_taken_along(cycle, NOW, everybody=False) == 1
    assert links.note_taken_along(cycle, NOW + timedelta(hours=1), everybody=True) == 1
    assert links.note_taken_along(cycle, NOW + timedelta(hours=2), everybody=True) == 0
    assert Counter(db.session.scalars(select(InvitationRow.gateway_at))) == {NOW: 1, NOW + timedelta(hours=1): 1}
    lines = list(service.links_csv(cycle, NOW, everybody=True))
    assert ",list-1," in lines[1]


@pytest.mark.postgres
def test_on_postgresql_waves_and_readings_go_the_same_way(tmp_path: Path, postgres_url: str, urn_url: str) -> None:
    environ = {"REVIEW_DATA": str(tmp_path / "instance"), "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    app = create_app(Settings.from_env(environ | {"REVIEW_BASE_URL": "http://localhost"}))
    with app.app_context():
        metadata.create_all(db.engine)
        people = make_cast()
        made = make_cycle(people)
        set_dates(made, opens_at=at(date(2026, 1, 1)))
        make_plan(made, people["hana"].id, mode=Mode.MONTHLY, everybody=False, expected_percent=50)
        make_tickets(40, people["ada"].id, closed_on=JANUARY)
        make_ticket(make_customer("Out"), people["bo"].id, "CASE-1", closed_on=JANUARY)
        exclusions.ask("CASE-1", "The network was down", by=people["sam"].id, now=NOW)
        number = db.session.scalar(select(ExclusionRow.id)) or 0
        exclusions.decide(number, approve=True, answer="", by=people["hana"].id, now=NOW)
        db.session.commit()
    start, counts = threading.Barrier(3), []

    def work_it() -> None:
        with app.app_context():
            start.wait()
            counts.append(waves.run(cycle_of(made), "monthly-1", NOW - timedelta(hours=1)))
            db.session.commit()

    threads = [threading.Thread(target=work_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 11]
    with app.app_context():
        asked = db.session.scalars(select(InvitationRow.customer_id).order_by(InvitationRow.id)).all()
        for place, customer in enumerate(asked[:6]):
            said = CustomerAnswer({}, 5 if place else 1, "The reply was slow")
            assert answering.answer(service.link_token(made, customer, 1), "f", said, NOW)
        db.session.execute(update(TicketRow).values(status=TicketStatus.OPEN))
        db.session.expire_all()
        assert jobs.send_due(cycle_of(made), NOW) == 5 + 2  # the rest is taken back, two waves are due
        found = reading.reading_of(cycle_of(made))
        assert (found.all.offered, found.all.answered, found.all.satisfied, found.withdrawn) == (6, 6, 5, 5)
        assert found.months == {date(2026, 1, 1): found.all}
        assert [theme.key for theme in comments.told_in(made).themes] == ["reply", "slow"]
        assert stops.add("out@customer.example", "Asked by phone", by=people["hana"].id, now=NOW) == 1
        assert exclusions.counts(cycle_of(made)) == exclusions.Counted(0, 1, 0, 5, 1)
        assert stops.stopped(1, "OUT").total == 1
        assert jobs.under_way(made) == {jobs.WAVE}
        db.session.remove()
        db.engine.dispose()


def test_one_plan_row_a_cycle(cycle: int, cast: Cast) -> None:
    assert plans.lock(cycle, NOW).seed == plans.lock(cycle, NOW + timedelta(days=1)).seed
    assert len(db.session.scalars(select(SurveyPlanRow)).all()) == 1
