"""The board of indicators: who sees whose figures, what the filters leave, and how a figure is told."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask

from review.domain.cycle import Stage
from review.domain.indicators import Part, Tally
from review.domain.records import Csat, Indicator, Measured, TicketStatus, TicketSystem
from review.domain.series import Point, series
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.kpi import board
from review.kpi.board_figures import cell, cells
from review.kpi.board_targets import aims_of, weights_in_use
from review.people.tables import PersonRow
from tests.browse import Browser
from tests.make import Cast
from tests.make_cycle import make_cycle
from tests.make_kpi import every_rule, open_sheets, plan_cycle

Browse = Callable[..., Browser]
UNTIL = "until=2026-03-31"


@pytest.fixture
def tickets(app: Flask, cast: Cast) -> Cast:
    """Ada solved four in March and Rae of the other team one; Ada's answers came by phone, Rae's by chat."""
    with app.app_context():
        for number in range(4):
            put(cast["ada"].id, f"A{number}", csat=Csat.GOOD if number else Csat.BAD, resolution=7200)
        put(cast["ada"].id, "A-feb", closed_on=date(2026, 2, 3), csat=Csat.BAD)
        put(cast["rae"].id, "R1", csat=Csat.GOOD, channel="chat", kind="refund", resolution=90)
        db.session.commit()
    return cast


def put(agent: int, reference: str, **other: Any) -> None:
    columns: dict[str, Any] = {
        "system": TicketSystem.ZENDESK,
        "reference": reference,
        "agent_id": agent,
        "status": TicketStatus.SOLVED,
        "closed_on": date(2026, 3, 5),
        "channel": "phone",
        "kind": "exchange",
    }
    db.session.add(TicketRow(**(columns | other)))


def test_hr_sees_everybody_and_one_team_at_a_time(tickets: Cast, browse: Browse) -> None:
    hana = browse(tickets["hana"])
    page = hana.get(f"/indicators?{UNTIL}")
    assert "Ada" in page.text
    assert "Rae" in page.text
    assert "80.0%" in page.text  # four good of five
    team = hana.get(f"/indicators?{UNTIL}&team={tickets['quinn'].id}")
    assert "Rae" in team.text
    assert "Ada" not in team.text
    assert "100.0%" in team.text
    assert "1 min 30 s" in team.text  # Rae's 90 seconds are not two minutes
    assert "75.0%" not in team.text


def test_a_supervisor_sees_the_own_team_whatever_the_address_asks_for(tickets: Cast, browse: Browse) -> None:
    sam = browse(tickets["sam"])
    page = sam.get(f"/indicators?{UNTIL}&team={tickets['quinn'].id}")
    assert "75.0%" in page.text
    assert "Rae" not in page.text
    assert "1 min 30 s" not in page.text  # Rae's 90 seconds
    assert "2 h 0 min" in sam.get(f"/indicators/people/{tickets['ada'].id}?{UNTIL}").text
    assert sam.client.get(f"/indicators/people/{tickets['rae'].id}").status_code == 404


def test_an_agent_sees_the_own_figures_and_nobody_elses(tickets: Cast, browse: Browse) -> None:
    ada = browse(tickets["ada"])
    page = ada.get(f"/indicators?{UNTIL}&by=person&team={tickets['quinn'].id}")
    assert "My indicators" in page.text
    assert "75.0%" in page.text
    assert "Rae" not in page.text
    assert ada.client.get(f"/indicators/people/{tickets['bo'].id}").status_code == 404
    assert browse().client.get("/indicators").status_code == 302


def test_filters_leave_only_their_tickets(tickets: Cast, browse: Browse) -> None:
    hana = browse(tickets["hana"])
    assert "100.0%" in hana.get(f"/indicators?{UNTIL}&channel=chat").text
    assert "75.0%" in hana.get(f"/indicators?{UNTIL}&kind=exchange").text
    assert "No figures for these spans" in hana.get(f"/indicators?{UNTIL}&channel=letter").text
    assert "No figures for these spans" in hana.get("/indicators?until=2020-03-31").text


@pytest.mark.parametrize("odd", ["until=soon", "step=years", "team=x", "page=-4", "by=grade", "until=0001-01-01"])
def test_an_address_that_cannot_be_read_shows_the_usual_board(tickets: Cast, browse: Browse, odd: str) -> None:
    assert "How each figure is worked out" in browse(tickets["hana"]).get(f"/indicators?{odd}").text


def test_rows_by_type_and_by_team(app: Flask, tickets: Cast, browse: Browse) -> None:
    hana = browse(tickets["hana"])
    kinds = hana.get(f"/indicators?{UNTIL}&by=kind").text
    assert kinds.index("exchange") < kinds.index("refund")
    teams = hana.get(f"/indicators?{UNTIL}&by=team").text
    assert "Quinn" in teams
    assert "Sam" in teams
    with app.app_context():
        db.session.get_one(PersonRow, tickets["hana"].id).locale = "zh"
        db.session.commit()
    chinese = browse(tickets["hana"]).get(f"/indicators?{UNTIL}&by=team").text
    assert "客户满意度" in chinese
    assert "1小时36分" in chinese
    assert '<option value="chat">在线</option>' in chinese  # no word of the ticket system


def test_the_spans_stand_side_by_side(app: Flask, tickets: Cast) -> None:
    with app.app_context():
        asked = board.Asked(date(2026, 3, 31))
        shown = board.board_of(asked, [tickets["ada"].id], {Indicator.SATISFACTION: Fraction(90)})
        satisfaction = next(one for one in shown.charts if one.indicator is Indicator.SATISFACTION)
        assert (satisfaction.before.text, satisfaction.last.text) == ("0.0", "75.0")
        assert satisfaction.target is not None
        assert satisfaction.target.text == "90.0"
        assert [row.name for row in shown.rows.rows] == ["Ada"]
        weeks = board.board_of(board.Asked(date(2026, 3, 8), board.Step.WEEKS), [tickets["ada"].id])
        assert len(weeks.spans) == board.WEEKS
        assert weeks.charts[0].last.text == "4"


def test_targets_come_from_the_latest_sheet_and_weights_from_the_plan_in_use(
    app: Flask, tickets: Cast, browse: Browse
) -> None:
    with app.app_context():
        cycle_id = make_cycle(tickets, Stage.COLLECTING)
        plan_cycle(cycle_id, every_rule(difficulty={"exchange": "2.5"}))
        open_sheets(cycle_id)
        db.session.commit()
        aims = aims_of([tickets["ada"].id, tickets["rae"].id])[tickets["ada"].id]
        assert aims[Indicator.SATISFACTION] == (Fraction(90), None)
        assert aims[Indicator.FIRST_RESPONSE] == (Fraction(60), Fraction(180))
        assert Indicator.VOLUME not in aims  # a quarter's volume says nothing about a month
        assert weights_in_use() == {"exchange": Fraction(5, 2)}
    page = browse(tickets["sam"]).get(f"/indicators/people/{tickets['ada'].id}?{UNTIL}").text
    assert "target 90.0% (dashed)" in page
    assert ">10<" in page  # four tickets at 2.5
    assert "target" not in browse(tickets["hana"]).get(f"/indicators?{UNTIL}").text.split("</nav>")[-1]


def test_few_answers_are_called_few_and_have_their_interval() -> None:
    few = cell(Indicator.SATISFACTION, Measured(Fraction(75), Fraction(4)))
    assert (few.low, few.high, few.is_small) == ("30.1", "95.4", True)
    assert not cell(Indicator.SATISFACTION, Measured(Fraction(75), Fraction(40))).is_small
    shared = cell(Indicator.SATISFACTION, Measured(Fraction(100), Fraction(1, 3)))
    assert shared.high == "100.0"
    assert cell(Indicator.FIRST_RESPONSE, Measured(Fraction(181, 2), Fraction(2))).seconds == 91
    assert cells(Tally({Indicator.SATISFACTION: Part()})) == {}


def test_a_curve_has_a_gap_where_there_is_no_figure() -> None:
    plan = series([Point(Fraction(80)), Point(None), Point(Fraction(90), 85.0, 93.0)], is_percent=True)
    assert plan.lines == ()
    assert [mark.y is None for mark in plan.marks] == [False, True, False]
    last = plan.marks[-1]
    assert last.high_y is not None
    assert last.low_y is not None
    assert last.y is not None
    assert last.high_y < last.y < last.low_y
    higher, lower = series([Point(Fraction(2)), Point(Fraction(1))], target=Fraction(4)).marks
    assert higher.y is not None
    assert lower.y is not None
    assert higher.y < lower.y
    assert series([]).marks == ()
