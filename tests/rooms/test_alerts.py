"""Alerts: raised once by the clock, told in one letter a day, seen by who leads, closed with a note."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow
from review.domain.access import Role
from review.domain.alerts import AlertKind
from review.domain.cycle import Stage
from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.mail import render
from review.infra.organisation import Organisation
from review.infra.outbox import LetterRow
from review.kpi.alert_tables import AlertDayRow, AlertRow
from review.kpi.alerts import LETTER
from review.people.tables import PersonRow, RoleRow
from review.workflow import alerting
from review.workflow.tick import tick
from tests.browse import Browser
from tests.make import Cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_kpi import every_rule, open_sheets, plan_cycle, row, text

Browse = Callable[..., Browser]
MAY = datetime(2026, 5, 4, 1, 0, tzinfo=UTC)  # 9:00 in Shanghai; the last whole month is April


def tickets(agent: int, month: int, good: int, bad: int, **other: Any) -> None:
    for number in range(good + bad):
        columns: dict[str, Any] = {
            "system": TicketSystem.ZENDESK,
            "reference": f"{agent}-{month}-{number}-{uuid4().hex[:6]}",
            "agent_id": agent,
            "status": TicketStatus.SOLVED,
            "closed_on": date(2026, month, 1 + number % 28),
            "channel": "phone",
            "kind": "exchange",
            "csat": Csat.GOOD if number < good else Csat.BAD,
        }
        db.session.add(TicketRow(**(columns | other)))


def falling(agent: int) -> None:
    for month, good in ((1, 38), (2, 34), (3, 30), (4, 24)):
        tickets(agent, month, good, 40 - good)


def raised() -> list[tuple[AlertKind, str]]:
    rows = db.session.execute(
        select(AlertRow.kind, PersonRow.name).join(PersonRow, PersonRow.id == AlertRow.person_id).order_by(AlertRow.id)
    )
    return [(kind, name) for kind, name in rows]


def letters() -> dict[str, list[dict[str, str]]]:
    rows = db.session.scalars(select(LetterRow).where(LetterRow.kind == LETTER))
    return {row.to: row.params["lines"] for row in rows}


@pytest.fixture
def fallen(app: Flask, cast: Cast) -> Cast:
    """Ada's satisfaction fell from 95 to 60 in four months, and the clock has seen it."""
    with app.app_context():
        falling(cast["ada"].id)
        tickets(cast["rae"].id, 4, 38, 2)
        db.session.commit()
        assert tick(MAY).alerts == 1
    return cast


def test_a_fall_is_raised_once_and_told_to_who_leads_and_to_hr(app: Flask, fallen: Cast) -> None:
    with app.app_context():
        assert raised() == [(AlertKind.FALLING_SATISFACTION, "Ada")]
        assert set(letters()) == {"sam@example.com", "hana@example.com"}
        assert letters()["sam@example.com"] == [{"kind": "falling_satisfaction", "name": "Ada"}]
        for later in (timedelta(hours=1), timedelta(days=1), timedelta(days=2)):
            assert tick(MAY + later).alerts == 0
        assert len(raised()) == 1
        assert len(letters()) == 2


def test_the_letter_is_readable_in_both_languages_and_holds_no_figure(app: Flask, fallen: Cast) -> None:
    with app.app_context():
        mine = select(LetterRow).where(LetterRow.to == "sam@example.com", LetterRow.kind == LETTER)
        row = db.session.scalars(mine).one()
        for locale, words in (("en", "Ada: satisfaction has fallen"), ("zh", "Ada：满意度连续几个月下降")):
            row.locale = locale
            body = render(row, MAY).get_body(("plain",))
            assert body is not None
            assert words in body.get_content()
            assert "%" not in body.get_content()


def test_it_looks_from_seven_on_and_once_a_day(app: Flask, cast: Cast) -> None:
    with app.app_context():
        falling(cast["ada"].id)
        db.session.commit()
        early = datetime(2026, 5, 3, 22, 59, tzinfo=UTC)
        assert not alerting.is_due(early, Organisation())
        assert tick(early).alerts == 0
        assert tick(early + timedelta(minutes=1)).alerts == 1
        assert not alerting.is_due(early + timedelta(hours=2), Organisation())
        assert alerting.is_due(early + timedelta(days=1, minutes=1), Organisation())


def test_two_clocks_at_once_raise_it_once(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process marks the day between looking and writing."""
    real = alerting.look

    def overtaken(now: datetime, ours: Organisation) -> Any:
        found = real(now, ours)
        db.session.rollback()
        db.session.add(AlertDayRow(day=date(2026, 5, 4), looked_at=now))
        db.session.commit()
        return found

    monkeypatch.setattr(alerting, "look", overtaken)
    with app.app_context():
        falling(cast["ada"].id)
        db.session.commit()
        assert tick(MAY).alerts == 0
        assert raised() == []


def test_a_search_that_fails_is_named_and_tried_again(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_now: datetime, _ours: Organisation) -> Any:
        raise RuntimeError("no")

    with app.app_context():
        falling(cast["ada"].id)
        db.session.commit()
        with monkeypatch.context() as patch:
            patch.setattr(alerting, "look", fail)
            assert tick(MAY).failed == ["alerts"]
        assert tick(MAY + timedelta(minutes=5)).alerts == 1


def test_slow_handling_and_a_low_rate_of_response(app: Flask, cast: Cast) -> None:
    with app.app_context():
        tickets(cast["ada"].id, 4, 25, 0, resolution=9000)
        tickets(cast["rae"].id, 4, 200, 0, resolution=1000)
        tickets(cast["bo"].id, 4, 0, 30, csat=Csat.OFFERED)  # 25 of 55 of Sam's customers answered
        db.session.commit()
        assert tick(MAY).alerts == 2
        assert raised() == [(AlertKind.SLOW_HANDLING, "Ada"), (AlertKind.LOW_RESPONSE, "Sam")]
        slow = db.session.scalars(select(AlertRow).where(AlertRow.kind == AlertKind.SLOW_HANDLING)).one()
        assert (slow.facts["seconds"], slow.facts["is_set"], slow.facts["count"]) == (9000, False, "25")
        low = db.session.scalars(select(AlertRow).where(AlertRow.kind == AlertKind.LOW_RESPONSE)).one()
        assert low.facts["percent"] == "45.5"


def test_the_limit_of_the_target_group_comes_before_everybodys_mean(app: Flask, cast: Cast) -> None:
    """Both are slower than the limit and neither is slower than the other: only the limit can tell."""
    with app.app_context():
        cycle_id = make_cycle(cast, Stage.COLLECTING)
        rows = [row("speed", "70", "lower", "resolution_time"), row("smile", "30", "higher", "satisfaction")]
        aims = {"speed": {"target": "60", "limit": "3600"}, "smile": {"target": "90"}}
        everybody = {"key": "all", "name": text("All"), "posts": [], "tenure": "any", "channels": [], "aims": aims}
        plan_cycle(cycle_id, every_rule(rows=rows, groups=[everybody]))
        open_sheets(cycle_id)
        tickets(cast["ada"].id, 4, 25, 0, resolution=4000)
        tickets(cast["rae"].id, 4, 200, 0, resolution=4000)
        db.session.commit()
        slow = [one for one in alerting.look(MAY, Organisation()) if one.kind is AlertKind.SLOW_HANDLING]
        assert [(one.person, one.facts["limit"], one.facts["is_set"]) for one in slow] == [
            (cast[name].id, 3600, True) for name in ("ada", "rae")
        ]


def test_who_left_and_quiet_months_raise_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context():
        falling(cast["ada"].id)
        db.session.get_one(PersonRow, cast["ada"].id).left_on = date(2026, 4, 30)
        tickets(cast["bo"].id, 4, 3, 1, resolution=99999)
        db.session.commit()
        assert tick(MAY).alerts == 0
        assert letters() == {}


# ---- a cycle about to close -----------------------------------------------------------------------------------------


def asked(cycle: CycleRow, review: int, agent: int, count: int, answered: int) -> None:
    for number in range(count):
        customer = CustomerRow(name=f"C{number}", locale="zh")
        db.session.add(customer)
        db.session.flush()
        ticket = TicketRow(
            reference=uuid4().hex,
            customer_id=customer.id,
            agent_id=agent,
            closed_on=cycle.period_start,
            channel="phone",
            kind="exchange",
        )
        db.session.add(ticket)
        db.session.flush()
        db.session.add(
            InvitationRow(
                cycle_id=cycle.id,
                review_id=review,
                ticket_id=ticket.id,
                customer_id=customer.id,
                token_hash=uuid4().hex * 2,
                used_form="f" * 64 if number < answered else None,
                invited_at=cycle.opens_at,
                expires_at=cycle.closes_at,
                used_at=cycle.opens_at if number < answered else None,
            )
        )


def test_few_answers_shortly_before_the_close(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        set_stage(cycle_id, Stage.COLLECTING)
        cycle = db.session.get_one(CycleRow, cycle_id)
        asked(cycle, review_of(cycle_id, cast["ada"]), cast["ada"].id, 40, 4)
        db.session.commit()
        ours = Organisation()
        assert alerting.look(cycle.closes_at - timedelta(days=9), ours) == []
        assert alerting.look(cycle.closes_at, ours) == []
        found = alerting.look(cycle.closes_at - timedelta(days=3), ours)
        ada = next(one for one in found if one.person == cast["ada"].id)
        assert (ada.kind, ada.facts["answered"], ada.facts["offered"]) == (AlertKind.FEW_ANSWERS, 4, 40)
        assert [one.person for one in found if one.kind is AlertKind.LOW_RESPONSE] == [cast["sam"].id]


# ---- seen and closed ------------------------------------------------------------------------------------------------


def alert_id(app: Flask) -> int:
    with app.app_context():
        return db.session.scalars(select(AlertRow.id)).one()


def test_who_leads_closes_it_with_a_note_and_the_audit_log_keeps_it(app: Flask, fallen: Cast, browse: Browse) -> None:
    sam = browse(fallen["sam"])
    assert "has not been looked at" in sam.get("/").text
    page = sam.get("/indicators/alerts")
    assert "2026-01 95.0%" in page.text
    sam.submit(page, {"note": "New product line, training on Friday."}, form="/handled")
    assert "Nothing to look at" in sam.get("/indicators/alerts").text
    closed = sam.get("/indicators/alerts?state=handled").text
    assert "New product line" in closed
    assert "has not been looked at" not in sam.get("/").text
    with app.app_context():
        entry = db.session.scalars(select(AuditRow).where(AuditRow.action == "indicators:alert_handled")).one()
        assert entry.actor_id == fallen["sam"].id


def test_the_first_note_stands(app: Flask, fallen: Cast, browse: Browse) -> None:
    path = f"/indicators/alerts/{alert_id(app)}/handled"
    hana = browse(fallen["hana"])
    browse(fallen["sam"]).post(path, {"note": "Mine"})
    answer = hana.follow(hana.post(path, {"note": "Too late"}))
    assert "Somebody closed this alert before you" in answer.text
    with app.app_context():
        assert db.session.scalars(select(AlertRow.note)).one() == "Mine"


def test_a_blank_note_closes_nothing_and_a_long_one_is_kept_to_be_shortened(
    app: Flask, fallen: Cast, browse: Browse
) -> None:
    path = f"/indicators/alerts/{alert_id(app)}/handled"
    sam = browse(fallen["sam"])
    sam.post(path, {"note": "   "}, status=422)
    assert "x" * 501 in sam.post(path, {"note": "x" * 501}, status=422).text
    with app.app_context():
        assert db.session.scalars(select(AlertRow.handled_at)).one() is None


def test_others_neither_see_nor_close_it(app: Flask, fallen: Cast, browse: Browse) -> None:
    path = f"/indicators/alerts/{alert_id(app)}/handled"
    for name in ("ada", "bo", "max"):
        browse(fallen[name]).get("/indicators/alerts", status=404)
        browse(fallen[name]).post(path, {"note": "x"}, status=404)
    quinn = browse(fallen["quinn"])
    assert "Ada" not in quinn.get("/indicators/alerts").text
    quinn.post(path, {"note": "x"}, status=404)
    with app.app_context():
        assert db.session.scalars(select(AlertRow.handled_at)).one() is None


def test_hr_neither_sees_nor_closes_an_alert_about_themselves(app: Flask, fallen: Cast, browse: Browse) -> None:
    with app.app_context():
        alert = alert_id(app)
        about = db.session.get_one(AlertRow, alert).person_id
        db.session.add(RoleRow(person_id=about, role=Role.HR))
        db.session.commit()
        name = db.session.get_one(PersonRow, about).name.lower()
    own = browse(fallen[name], "en")
    assert "Nothing to look at" in own.get("/indicators/alerts").words
    own.post(f"/indicators/alerts/{alert}/handled", {"note": "All is well."}, status=404)
    assert "Nothing to look at" not in browse(fallen["hana"], "en").get("/indicators/alerts").words
    with app.app_context():
        assert db.session.get_one(AlertRow, alert).handled_at is None
