"""KPI sheets in the official score, through the real database, against totals worked out by hand."""

from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet
from review.domain.vocabulary import Grade
from review.infra.db import db
from review.kpi import evidence as kpi
from review.kpi import lines
from review.kpi.changing import Hand
from review.kpi.lines import Proposal
from review.kpi.sheets import sheet_of
from review.kpi.tables import Direction
from review.results import recomputing, service
from review.results.publication import publication_of
from review.workflow import publish as publishing
from tests.make import Cast
from tests.make_cycle import set_stage
from tests.make_kpi import every_rule, open_sheets, plan_cycle, put, somebody_of_hr
from tests.make_results import COUNTED, PUBLISHED, SIGNED, Told, make_scored, publish, sign_off

TEAM = ("ada", "bo", "cy", "di", "ed", "fay", "gus")
# volume 440/400 = 110; speed (180-90)/(180-60) = 75; smile 81/90 = 90; two lapses of 2 out of 10 leave 60;
# help 85 points; training 5 is in the bracket from 4: 80 points.
FIGURES = {"volume": "440", "speed": "1:30", "smile": "81%", "errors": "2", "help": "85", "training": "5"}
# K = (20*110 + 15*75 + 30*90 + 10*60 + 15*85 + 10*80) / 100 = 8700 / 100
K = Fraction(87)


@pytest.fixture
def told(app: Flask, cast: Cast) -> Told:
    """Ada's team after the count, everybody rated good by everybody, with a sheet for each of them."""
    with app.app_context():
        made = make_scored(cast)
        plan_cycle(made.cycle_id, every_rule())
        open_sheets(made.cycle_id, COUNTED)
        for review_id in made.reviews.values():
            put(made.cycle_id, review_id, COUNTED, **FIGURES)
        service.score_cycle(made.cycle_id, COUNTED + timedelta(minutes=1))
        db.session.commit()
        return made


def add(told: Told, cast: Cast, direction: Direction, points: str, reason: str, who: str = "ada") -> None:
    """Sam proposes a line, HR approves it."""
    sam, at = Hand(cast["sam"].id, is_hr=False), COUNTED + timedelta(hours=1)
    review_id = told.reviews[who]
    assert lines.propose(told.cycle_id, review_id, Proposal(direction, points, reason), sam, at)
    line = sheet_of(review_id).lines[-1]
    lines.decide(told.cycle_id, line.id, approve=True, hand=somebody_of_hr(), now=at)


def test_a_full_total_is_what_a_hand_calculation_says(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        card = service.scorecard_of(told.reviews["bo"])
        # Everybody gave good (80) and no customer answered about Bo, so R = 80. T = 0.6 * 80 + 0.4 * 87 = 82.8
        assert (card.working["rating"], card.working["kpi"], card.score) == (80_00, 87_00, 82_80)
        assert card.working["kpi_exact"] == "87/1"
        assert [line["earned"] for line in card.working["kpi_lines"]] == [110_00, 75_00, 90_00, 60_00, 85_00, 80_00]


def test_bonus_and_deduction_count_once_another_person_approves(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        add(told, cast, Direction.BONUS, "7.5", "Mentored two new colleagues.", "bo")
        add(told, cast, Direction.BONUS, "6", "Twelve articles.", "bo")
        add(told, cast, Direction.DEDUCTION, "1.25", "Late hand-over.", "bo")
        card = service.rescore(told.reviews["bo"], SIGNED)
        # Bonus 13.5 is capped at 10. T = 82.8 + 10 - 1.25 = 91.55
        assert (card.score, card.grade) == (91_55, Grade.EXCELLENT)
        assert card.working["bonus"] == "10/1"
        assert card.working["deduction"] == "5/4"


def test_a_veto_caps_the_grade_and_leaves_the_score(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sam, at = Hand(cast["sam"].id, is_hr=False), COUNTED + timedelta(hours=1)
        review_id = told.reviews["bo"]
        assert lines.propose_veto(told.cycle_id, review_id, "poor", "Gave customer data away.", "Case 12", sam, at)
        assert service.rescore(review_id, SIGNED).withheld == "sheet_open"
        lines.decide_veto(told.cycle_id, review_id, approve=True, hand=somebody_of_hr(), now=at)
        card = service.rescore(review_id, SIGNED)
        assert (card.score, card.grade) == (82_80, Grade.POOR)
        assert "sheet_veto" in card.working["flags"]


def test_from_figures_to_a_published_total_that_recomputes(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        add(told, cast, Direction.BONUS, "2", "Helped in the night shift.", "bo")
        sign_off(told)
        assert publish(told, cast) == 7
        shown = publication_of(told.reviews["bo"])
        assert shown.score == 84_80
        sheet = shown.body["kpi_sheet"]
        assert [row["points"] for row in sheet["rows"]] == [110_00, 75_00, 90_00, 60_00, 85_00, 80_00]
        assert [(line["points"], line["reason"]) for line in sheet["lines"]] == [("2", "Helped in the night shift.")]
        cycle = db.session.get_one(CycleRow, told.cycle_id)
        assert [one.differences for one in recomputing.recompute(cycle)] == [()] * 7


def test_an_open_sheet_keeps_its_result_from_being_finalised_and_names_the_rows(
    app: Flask, cast: Cast, told: Told
) -> None:
    with app.app_context():
        put(told.cycle_id, told.reviews["bo"], SIGNED, help="", training="")
        assert kpi.open_sheets(told.cycle_id) == 1
        with pytest.raises(Invalid) as refused:
            sign_off(told, "bo", at=SIGNED + timedelta(minutes=1))
        assert [name.en for name in refused.value.problems[0].params["rows"]] == ["Row help", "Row training"]
        card = service.scorecard_of(told.reviews["bo"])
        assert card.score == 82_80  # what was scored before stays until it is scored anew
        assert service.rescore(told.reviews["bo"], SIGNED).withheld == "sheet_open"


def test_a_sheet_changed_after_the_sign_off_must_be_signed_off_anew(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        assert service.unfinalised(told.cycle_id) == []
        put(told.cycle_id, told.reviews["bo"], SIGNED + timedelta(hours=1), help="90")
        assert service.unfinalised(told.cycle_id) == [told.reviews["bo"]]
        with pytest.raises(NotYet):
            publish(told, cast)
        db.session.rollback()
        sign_off(told, "bo", at=SIGNED + timedelta(hours=2))
        assert service.unfinalised(told.cycle_id) == []


def test_hr_publishes_nothing_while_a_sheet_is_open(app: Flask, cast: Cast, told: Told) -> None:
    with app.app_context():
        sign_off(told)
        put(told.cycle_id, told.reviews["cy"], SIGNED + timedelta(minutes=1), volume="")
        cycle = db.session.get_one(CycleRow, told.cycle_id)
        facts = publishing.facts_of(cycle)
        assert facts.open_sheets == 1
        with pytest.raises(NotYet) as refused:
            publishing.run(cycle, by=cast["hana"].id, now=PUBLISHED)
        assert [one.code for one in refused.value.problems] == ["cycle:sheets_open", "cycle:unfinalised"]


def test_a_cycle_without_a_plan_scores_as_ever(app: Flask, cast: Cast) -> None:
    with app.app_context():
        told = make_scored(cast)
        card = service.scorecard_of(told.reviews["ada"])
        assert (card.working["kpi"], card.working["kpi_lines"], card.working["rating_share"]) == (None, [], "1/1")
        assert kpi.open_sheets(told.cycle_id) == 0
        set_stage(told.cycle_id, Stage.FINALISING)
        sign_off(told)
        publish(told, cast)
        assert "kpi_sheet" not in publication_of(told.reviews["ada"]).body
