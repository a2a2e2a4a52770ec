"""Sheets: opened at the launch with frozen targets, filled from records and by hand, decided on, signed."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import delete, select

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.records import Csat, TicketSystem
from review.domain.refusals import Invalid, NotAllowed, NotYet, OutOfReach, Taken, TooLate
from review.domain.responses import CustomerAnswer
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.audit import AuditRow
from review.infra.db import db
from review.kpi import duties, entering, filling, groups, lines, signing
from review.kpi.changing import Hand
from review.kpi.entering import Entry
from review.kpi.lines import Proposal
from review.kpi.sheets import Sheet, sheet_of
from review.kpi.tables import Direction, FigureRow, Origin, Part, SheetRow, Step
from review.people.tables import PersonRow
from review.responses import service as responses
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_kpi import every_rule, open_sheets, plan_cycle, put, row, shipped, text

Browse = Callable[..., Browser]
FIGURES = {"volume": "440", "speed": "1:30", "smile": "81%", "errors": "2", "help": "85", "training": "5"}
LATER = NOW + timedelta(hours=1)


class Told:
    """A collecting cycle with a sheet for everybody, and who the people are."""

    def __init__(self, cast: Cast, plan: dict[str, object] | None = None) -> None:
        self.cast, self.cycle_id = cast, make_cycle(cast)
        plan_cycle(self.cycle_id, plan or every_rule())
        open_sheets(self.cycle_id)
        self.ada = review_of(self.cycle_id, cast["ada"])
        self.bo = review_of(self.cycle_id, cast["bo"])
        self.sam, self.hana = Hand(cast["sam"].id, is_hr=False), Hand(cast["hana"].id, is_hr=True)
        self.lou = Hand(cast["lou"].id, is_hr=False)
        db.session.commit()

    @property
    def cycle(self) -> CycleRow:
        return db.session.get_one(CycleRow, self.cycle_id)

    def sheet(self, review_id: int | None = None) -> Sheet:
        return sheet_of(review_id or self.ada)

    def complete(self) -> None:
        """Ada's sheet has all its figures, and the cycle has closed."""
        put(self.cycle_id, self.ada, **FIGURES)
        self.close()

    def close(self) -> None:
        set_stage(self.cycle_id, Stage.FINALISING)
        db.session.commit()

    def sign(self, who: str, remark: str = "", at: object = LATER) -> Step:
        step = signing.sign(self.ada, self.cast[who].id, self.sheet().digest, remark, at)  # type: ignore[arg-type]
        db.session.commit()
        return step


@pytest.fixture
def told(app: Flask, cast: Cast) -> Told:
    with app.app_context():
        return Told(cast)


def cell(sheet: Sheet, key: str) -> object:
    return next(one for one in sheet.rows if one.key == key)


# ---- opening ---------------------------------------------------------------------------------------------------------


def grouped() -> dict[str, object]:
    """Two rows, three groups: new people, people who mainly chat, everybody."""
    rows = [row("volume", "70", "higher", "volume"), row("smile", "30", "higher", "satisfaction")]

    def group(key: str, target: str, tenure: str = "any", channels: tuple[str, ...] = ()) -> dict[str, object]:
        aims = {"volume": {"target": target}, "smile": {"target": "90"}}
        told = {"key": key, "name": text(key), "posts": [], "tenure": tenure, "channels": list(channels)}
        return {**told, "aims": aims}

    groups_ = [group("fresh", "100", "new"), group("chat", "250", channels=("chat",)), group("all", "200")]
    return every_rule(rows=rows, groups=groups_)


def ticket(
    number: int, agent_id: int, channel: str = "chat", kind: str = "refund", wait: int | None = 60, **more: object
) -> TicketRow:
    customer = db.session.scalar(select(CustomerRow).where(CustomerRow.external_id == "C1"))
    if customer is None:
        customer = CustomerRow(external_id="C1", name="Ann", locale="en")
        db.session.add(customer)
        db.session.flush()
    made = TicketRow(
        system=TicketSystem.ZENDESK,
        reference=f"Z{number}",
        customer_id=customer.id,
        agent_id=agent_id,
        closed_on=date(2026, 2, 10),
        channel=channel,
        kind=kind,
        first_response=wait,
        **more,
    )
    db.session.add(made)
    db.session.flush()
    return made


def test_sheets_open_with_the_targets_of_each_persons_group(app: Flask, cast: Cast) -> None:
    with app.app_context():
        db.session.get_one(PersonRow, cast["bo"].id).joined_on = date(2025, 12, 1)
        ticket(1, cast["cy"].id, "chat")
        made = Told(cast, grouped())
        found = {who: made.sheet(review_of(made.cycle_id, cast[who])) for who in ("ada", "bo", "cy")}
        assert {who: (one.group.key, one.channel) for who, one in found.items()} == {
            "ada": ("all", None),
            "bo": ("fresh", None),
            "cy": ("chat", "chat"),
        }
        assert [cell(found[who], "volume").figure.target for who in ("ada", "bo", "cy")] == [200, 100, 250]
        assert open_sheets(made.cycle_id) == 0  # a second time changes nothing


def test_hr_moves_somebody_to_another_group_with_a_reason_until_it_is_signed(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, grouped())
        with pytest.raises(Invalid):
            groups.move_to_group(made.cycle_id, made.ada, "fresh", " ", made.hana, LATER)
        with pytest.raises(NotAllowed):
            groups.move_to_group(made.cycle_id, made.ada, "fresh", "Came back.", made.sam, LATER)
        groups.move_to_group(made.cycle_id, made.ada, "fresh", "Came back after a year.", made.hana, LATER)
        assert (made.sheet().group.key, made.sheet().group_why) == ("fresh", "Came back after a year.")
        assert cell(made.sheet(), "volume").figure.target == 100
        put(made.cycle_id, made.ada, volume="90", smile="80")
        made.close()
        made.sign("ada")
        with pytest.raises(Taken):
            groups.move_to_group(made.cycle_id, made.ada, "all", "After all.", made.hana, LATER)


# ---- filling ---------------------------------------------------------------------------------------------------------


def from_tickets() -> dict[str, object]:
    """Volume weighed by difficulty, and first response with targets by problem type."""
    system = {"obtained": "system", "record": "tickets"}
    rows = [
        row("volume", "40", "higher", "volume", **system),
        row("speed", "30", "lower", "first_response", **system),
        row("smile", "30", "higher", "satisfaction", record="surveys", obtained="system"),
    ]
    kinds = [{"kind": "refund", "target": "60", "limit": "180"}, {"kind": "outage", "target": "120", "limit": "360"}]
    aims = {
        "volume": {"target": "10"},
        "speed": {"target": "90", "limit": "300", "by_kind": kinds},
        "smile": {"target": "90"},
    }
    everybody = {"key": "all", "name": text("All"), "posts": [], "tenure": "any", "channels": [], "aims": aims}
    return every_rule(rows=rows, groups=[everybody], difficulty={"outage": "2.5"})


def test_figures_come_from_the_tickets_with_count_and_weights(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, from_tickets())
        for number, (kind, wait) in enumerate([("refund", 50), ("refund", 70), ("outage", 130)]):
            ticket(number, cast["ada"].id, kind=kind, wait=wait)
        done = filling.fill(made.cycle, by=cast["hana"].id, now=LATER)
        sheet = made.sheet()
        volume, speed = cell(sheet, "volume"), cell(sheet, "speed")
        # Two refunds and one outage that weighs 2.5; waits of 50, 70 and 130 seconds.
        assert (volume.figure.actual, volume.figure.count, volume.origin) == (Fraction(9, 2), 3, Origin.SYSTEM)
        assert (speed.figure.actual, speed.figure.count) == (Fraction(250, 3), 3)
        # The targets of her own mix: (2 * 60 + 120) / 3 and (2 * 180 + 360) / 3.
        assert (speed.figure.target, speed.figure.limit) == (80, 240)
        assert speed.exact == Fraction(100 * (240 - Fraction(250, 3)), 160)
        assert done.figures == 2
        again = filling.fill(made.cycle, by=cast["hana"].id, now=LATER + timedelta(hours=1))
        assert (again.figures, again.changed, again.opened) == (0, set(), 0)
        assert cell(made.sheet(), "volume").supplied_at == LATER


def test_the_cycles_own_surveys_speak_once_they_are_closed(app: Flask, cast: Cast) -> None:
    """Two fillings with one answer more between them would tell the employee what that customer said."""
    with app.app_context():
        made = Told(cast, from_tickets())
        for number in range(16):
            responses.file_customer(made.ada, f"customer:{number}", CustomerAnswer({}, 5 if number else 1), LATER)
        filling.fill(made.cycle, by=cast["hana"].id, now=LATER)
        assert cell(made.sheet(), "smile").figure.actual is None
        with pytest.raises(Invalid, match="customers_still_asked"):
            entering.leave_out(made.cycle_id, made.ada, "smile", "Nobody answered.", made.hana, LATER)
        made.cycle.stage = Stage.COUNTING
        db.session.flush()
        filling.fill(made.cycle, by=None, now=LATER)
        assert (cell(made.sheet(), "smile").figure.actual, cell(made.sheet(), "smile").figure.count) == (
            Fraction(1500, 16),
            16,
        )
        with pytest.raises(Invalid, match="satisfaction_has_answers"):
            entering.leave_out(made.cycle_id, made.ada, "smile", "Nobody answered.", made.hana, LATER)


def test_a_figure_entered_by_hand_stays_and_the_difference_is_told(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, from_tickets())
        put(made.cycle_id, made.ada, volume="7")
        ticket(1, cast["ada"].id)
        done = filling.fill(made.cycle, by=None, now=LATER)
        assert cell(made.sheet(), "volume").figure.actual == 7
        assert done.kept == [("Ada", "volume", "7", "1")]
        line = filling.last_filling(made.cycle_id)
        assert line is not None
        assert (line.details["kept"], line.details["examples"]) == (1, [["Ada", "volume", "7", "1"]])


def test_signed_sheets_are_not_filled_any_more(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, from_tickets())
        put(made.cycle_id, made.ada, volume="7", speed="60", smile="90")
        made.close()
        made.sign("ada")
        ticket(1, cast["ada"].id)
        before = made.sheet().digest
        assert filling.fill(made.cycle, by=None, now=LATER + timedelta(hours=1)).signed == 1
        assert made.sheet().digest == before


def test_whoever_joined_late_gets_a_sheet_at_the_next_filling(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast)
        db.session.execute(delete(FigureRow).where(FigureRow.review_id == made.bo))
        db.session.execute(delete(SheetRow).where(SheetRow.review_id == made.bo))
        with pytest.raises(OutOfReach):
            made.sheet(made.bo)
        assert filling.fill(made.cycle, by=None, now=LATER).opened == 1
        assert made.sheet(made.bo).group.key == "all"


def test_nothing_is_filled_before_the_launch_or_after_the_publication(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast)
        set_stage(made.cycle_id, Stage.PUBLISHED)
        db.session.expire_all()
        with pytest.raises(TooLate):
            filling.fill(made.cycle, by=None, now=LATER)
        with pytest.raises(TooLate):
            put(made.cycle_id, made.ada, help="80")
        set_stage(made.cycle_id, Stage.DRAFT)
        db.session.expire_all()
        with pytest.raises(NotYet):
            filling.fill(made.cycle, by=None, now=LATER)


# ---- by hand ---------------------------------------------------------------------------------------------------------


def enter(made: Told, hand: Hand, review_id: int | None = None, **values: str) -> int:
    entries = {key: Entry(value) for key, value in values.items()}
    return entering.enter(made.cycle_id, {review_id or made.ada: entries}, hand, LATER)


def test_the_supervisor_enters_hand_rows_and_hr_every_row(app: Flask, told: Told) -> None:
    with app.app_context():
        assert enter(told, told.sam, help="85") == 1
        assert enter(told, told.sam, help="85") == 0  # the same once more changes nothing
        help_ = cell(told.sheet(), "help")
        assert (help_.figure.points, help_.origin, help_.supplied_by) == (85, Origin.HAND, "Sam")
        assert enter(told, told.sam, help="") == 1
        assert cell(told.sheet(), "help").is_open
        logged = db.session.scalars(select(AuditRow.action).where(AuditRow.about == f"review:{told.ada}")).all()
        assert logged == ["kpi:figure:entered", "kpi:figure:entered"]


@pytest.mark.parametrize("who", ["quinn", "bo", "ada", "lou"])
def test_nobody_else_enters_anything(app: Flask, told: Told, who: str) -> None:
    with app.app_context(), pytest.raises(NotAllowed):
        enter(told, Hand(told.cast[who].id, is_hr=False), help="85")


def test_hr_does_not_enter_their_own_figures(app: Flask, told: Told) -> None:
    with app.app_context(), pytest.raises(NotAllowed):
        enter(told, told.hana, review_of(told.cycle_id, told.cast["hana"]), help="85")


def test_system_rows_are_hrs_and_need_a_remark(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, from_tickets())
        with pytest.raises(NotAllowed):
            enter(made, made.sam, volume="12")
        with pytest.raises(Invalid) as refused:
            enter(made, made.hana, volume="12")
        assert [(one.code, one.where) for one in refused.value.problems] == [
            ("kpi_sheet:why_by_hand", f"remark-{made.ada}-volume")
        ]


@pytest.mark.parametrize(
    ("key", "typed", "code"),
    [
        ("volume", "many", "not_a_number"),
        ("volume", "-1", "out_of_range"),
        ("smile", "101", "out_of_range"),
        ("speed", "1:3", "not_a_duration"),
        ("errors", "1.5", "not_whole"),
        ("help", "100.01", "out_of_range"),
        ("volume", "1e5", "not_a_number"),
    ],
)
def test_figures_that_make_no_sense_are_refused_where_they_stand(
    app: Flask, told: Told, key: str, typed: str, code: str
) -> None:
    with app.app_context():
        with pytest.raises(Invalid) as refused:
            enter(told, told.hana, **{key: typed})
        assert [(one.code, one.where) for one in refused.value.problems] == [
            (f"kpi_sheet:{code}", f"value-{told.ada}-{key}")
        ]


@pytest.mark.parametrize("typed", ["many", "1e5", "1e999999999", "3/7", "-1", "1000000001"])
def test_a_count_that_makes_no_sense_is_refused_at_once(app: Flask, told: Told, typed: str) -> None:
    """1e999999999 as an exact number would fill the memory."""
    with app.app_context():
        entry = {told.ada: {"smile": Entry("90", count=typed, remark="By telephone.")}}
        with pytest.raises(Invalid) as refused:
            entering.enter(told.cycle_id, entry, told.hana, LATER)
        assert [one.where for one in refused.value.problems] == [f"count-{told.ada}-smile"]
        entering.enter(told.cycle_id, {told.ada: {"smile": Entry("90", count="1,200")}}, told.hana, LATER)
        assert cell(told.sheet(), "smile").figure.count == 1200


@pytest.mark.parametrize(
    ("key", "typed", "code"), [("volume", "1,5", "not_a_number"), ("smile", "8,15%", "not_a_number")]
)
def test_a_comma_that_could_be_a_point_is_not_guessed_at(
    app: Flask, told: Told, key: str, typed: str, code: str
) -> None:
    with app.app_context():
        with pytest.raises(Invalid, match=code):
            enter(told, told.hana, **{key: typed})
        enter(told, told.hana, volume="1,200")
        assert cell(told.sheet(), "volume").figure.actual == 1200


@pytest.mark.parametrize("typed", ["1分30秒", "1 min 30 s", "1.5 min", "1:30", "0:01:30", "90s", "90", "９０秒"])
def test_a_duration_is_read_in_the_words_its_target_is_told_in(app: Flask, told: Told, typed: str) -> None:
    with app.app_context():
        enter(told, told.hana, speed=typed)
        assert cell(told.sheet(), "speed").figure.actual == 90


def test_satisfaction_is_not_left_out_by_taking_its_figure_away_first(app: Flask, cast: Cast) -> None:
    with app.app_context():
        plan = from_tickets()
        plan["rows"] = [{**one, "record": "tickets"} for one in plan["rows"]]  # type: ignore[attr-defined]
        made = Told(cast, plan)
        entering.leave_out(made.cycle_id, made.ada, "smile", "Nobody answered.", made.hana, LATER)
        entering.leave_out(made.cycle_id, made.ada, "smile", "", made.hana, LATER)
        ticket(1, cast["ada"].id, csat=Csat.BAD)
        filling.fill(made.cycle, by=None, now=LATER)
        assert enter(made, made.hana, smile="") == 1
        with pytest.raises(Invalid, match="satisfaction_has_answers"):
            entering.leave_out(made.cycle_id, made.ada, "smile", "Nobody answered.", made.hana, LATER)


def test_a_row_left_out_passes_its_weight_on_but_satisfaction_stays(app: Flask, told: Told) -> None:
    with app.app_context():
        told.complete()
        with pytest.raises(Invalid):
            entering.leave_out(told.cycle_id, told.ada, "smile", "No time.", told.hana, LATER)
        entering.leave_out(told.cycle_id, told.ada, "errors", "No checks in this team.", told.hana, LATER)
        # Without the 10 x 60 of the errors: 8100 of 90.
        assert told.sheet().part.points == Fraction(8100, 90)
        entering.leave_out(told.cycle_id, told.ada, "errors", "", told.hana, LATER)
        assert told.sheet().part.points == 87
        with pytest.raises(NotAllowed):
            entering.leave_out(told.cycle_id, told.ada, "errors", "Hm.", told.sam, LATER)


# ---- lines -----------------------------------------------------------------------------------------------------------


def propose(made: Told, hand: Hand, points: str = "3", reason: str = "Night shift.") -> int:
    lines.propose(made.cycle_id, made.ada, Proposal(Direction.BONUS, points, reason), hand, LATER)
    return made.sheet().lines[-1].id


def test_a_line_counts_once_somebody_else_approves_it(app: Flask, told: Told) -> None:
    with app.app_context():
        line = propose(told, told.sam)
        assert (told.sheet().part.bonus, told.sheet().part.undecided) == ((), 1)
        for hand in (told.sam, Hand(told.cast["ada"].id, is_hr=True), Hand(told.cast["quinn"].id, is_hr=False)):
            with pytest.raises(NotAllowed):
                lines.decide(told.cycle_id, line, approve=True, hand=hand, now=LATER)
        lines.decide(told.cycle_id, line, approve=True, hand=told.lou, now=LATER)
        assert [one.points for one in told.sheet().part.bonus] == [3]
        lines.decide(told.cycle_id, line, approve=True, hand=told.lou, now=LATER)  # twice is once
        with pytest.raises(Taken):
            lines.decide(told.cycle_id, line, approve=False, hand=told.hana, now=LATER)


def test_hr_does_not_approve_what_hr_proposed(app: Flask, told: Told) -> None:
    with app.app_context():
        line = propose(told, told.hana)
        with pytest.raises(NotAllowed):
            lines.decide(told.cycle_id, line, approve=True, hand=told.hana, now=LATER)
        assert lines.decide_many(told.cycle_id, [line], approve=True, hand=told.hana, now=LATER) == 0
        lines.decide(told.cycle_id, line, approve=False, hand=told.lou, now=LATER)
        assert (told.sheet().part.bonus, told.sheet().part.undecided) == ((), 0)


def test_the_same_line_sent_twice_stands_there_once(app: Flask, told: Told) -> None:
    with app.app_context():
        assert propose(told, told.sam) == propose(told, told.sam)
        with pytest.raises(Invalid):
            propose(told, told.sam, points="0")
        with pytest.raises(Invalid):
            propose(told, told.sam, reason=" ")
        with pytest.raises(NotAllowed):
            propose(told, Hand(told.cast["ada"].id, is_hr=False))


def test_a_veto_needs_a_plan_that_knows_it_and_a_second_person(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, every_rule(sheet_veto=False, key="calm"))
        with pytest.raises(Invalid):
            lines.propose_veto(made.cycle_id, made.ada, "poor", "Lied.", "", made.sam, LATER)


def test_a_veto_that_was_refused_may_be_proposed_anew(app: Flask, told: Told) -> None:
    with app.app_context():
        assert lines.propose_veto(told.cycle_id, told.ada, "poor", "Lied.", "", told.sam, LATER)
        assert not lines.propose_veto(told.cycle_id, told.ada, "poor", "Lied.", "", told.sam, LATER)
        with pytest.raises(NotAllowed):
            lines.decide_veto(told.cycle_id, told.ada, approve=True, hand=told.sam, now=LATER)
        lines.decide_veto(told.cycle_id, told.ada, approve=False, hand=told.hana, now=LATER)
        assert told.sheet().part.veto is None
        assert lines.propose_veto(told.cycle_id, told.ada, "fair", "Lied again.", "", told.sam, LATER)
        with pytest.raises(Invalid):
            lines.propose_veto(told.cycle_id, told.bo, "excellent", "Lied.", "", told.sam, LATER)


# ---- words and names -------------------------------------------------------------------------------------------------


def test_the_chain_signs_in_its_order_and_only_a_complete_sheet(app: Flask, told: Told) -> None:
    with app.app_context():
        with pytest.raises(NotYet):
            told.sign("ada")
        told.complete()
        with pytest.raises(NotYet):
            told.sign("sam")
        with pytest.raises(OutOfReach):
            told.sign("quinn")
        assert told.sign("ada", "The system was down for a week.") is Step.EMPLOYEE
        assert told.sign("ada") is Step.EMPLOYEE  # twice is once
        assert (told.sign("sam"), told.sign("lou")) == (Step.SUPERIOR, Step.HEAD)
        assert signing.next_step(told.sheet()) is None
        assert [one.remark for one in told.sheet().standing] == ["The system was down for a week.", "", ""]


def test_nobody_keeps_the_figures_of_a_good_day_by_signing_while_answers_come_in(
    app: Flask, told: Told, browse: Browse
) -> None:
    with app.app_context():
        put(told.cycle_id, told.ada, **FIGURES)
        db.session.commit()
        for stage in (Stage.COLLECTING, Stage.COUNTING):
            set_stage(told.cycle_id, stage)
            db.session.commit()
            with pytest.raises(NotYet, match="signed_after_close"):
                told.sign("ada")
        assert duties.duties_of(told.cast["ada"].id) == []
    page = browse(told.cast["ada"], "en").get(f"/kpi/sheets/{told.ada}")
    assert "It is signed once the cycle has closed" in page.words
    assert "Read and sign" not in page.words
    listed = browse(told.cast["hana"], "en").get(f"/cycles/{told.cycle_id}/kpi")
    assert "complete so far" in listed.words
    with app.app_context():
        told.close()
        assert [duty.is_signing for duty in duties.duties_of(told.cast["ada"].id)] == [True]
        assert told.sign("ada") is Step.EMPLOYEE


def test_a_name_is_bound_to_what_was_seen(app: Flask, told: Told) -> None:
    with app.app_context():
        told.complete()
        seen = told.sheet().digest
        put(told.cycle_id, told.ada, help="90")
        with pytest.raises(Taken):
            signing.sign(told.ada, told.cast["ada"].id, seen, "", LATER)


def test_after_the_first_name_everything_is_locked_until_hr_opens_it_again(app: Flask, told: Told) -> None:
    with app.app_context():
        told.complete()
        told.sign("ada")
        for act in (
            lambda: enter(told, told.sam, help="90"),
            lambda: propose(told, told.sam),
            lambda: signing.write(told.cycle_id, told.ada, Part.SELF, "More.", told.cast["ada"].id, LATER),
            lambda: entering.leave_out(told.cycle_id, told.ada, "errors", "Why.", told.hana, LATER),
        ):
            with pytest.raises(Taken):
                act()
        with pytest.raises(Invalid):
            groups.reopen(told.cycle_id, told.ada, "", told.hana, LATER)
        groups.reopen(told.cycle_id, told.ada, "A week of figures was missing.", told.hana, LATER)
        assert [one.by for one in told.sheet().void] == ["Ada"]
        assert not told.sheet().is_locked
        assert enter(told, told.sam, help="90") == 1
        assert told.sign("ada", at=LATER + timedelta(hours=1)) is Step.EMPLOYEE
        assert told.sheet().void == ()


def test_each_writes_their_own_words(app: Flask, told: Told) -> None:
    with app.app_context():
        signing.write(told.cycle_id, told.ada, Part.SELF, "A good quarter.", told.cast["ada"].id, LATER)
        signing.write(told.cycle_id, told.ada, Part.LEADER, "Agreed.", told.cast["sam"].id, LATER)
        assert {part: word.text for part, word in told.sheet().words.items()} == {
            Part.SELF: "A good quarter.",
            Part.LEADER: "Agreed.",
        }
        for part, who in ((Part.SELF, "sam"), (Part.LEADER, "ada"), (Part.LEADER, "hana")):
            with pytest.raises(NotAllowed):
                signing.write(told.cycle_id, told.ada, part, "Not mine.", told.cast[who].id, LATER)
        signing.write(told.cycle_id, told.ada, Part.SELF, " ", told.cast["ada"].id, LATER)
        assert Part.SELF not in told.sheet().words


# ---- pages -----------------------------------------------------------------------------------------------------------


def test_the_employee_reads_the_sheet_and_signs_it_with_a_remark(app: Flask, told: Told, browse: Browse) -> None:
    with app.app_context():
        told.complete()
    browser = browse(told.cast["ada"], "en")
    page = browser.get(f"/kpi/sheets/{told.ada}")
    assert "110.00" in page.words
    assert "Complete. It can be signed." in page.words
    signing_page = browser.get(f"/kpi/sheets/{told.ada}/sign")
    signed = browser.follow(browser.submit(signing_page, {"remark": "Not my fault."}))
    assert "Not my fault." in signed.words
    assert browse(told.cast["bo"]).get(f"/kpi/sheets/{told.ada}", 404)
    again = browser.get(f"/kpi/sheets/{told.ada}/sign", 302)
    assert again.location.endswith(f"/kpi/sheets/{told.ada}")


def test_a_page_that_is_out_of_date_is_not_signed_and_keeps_the_remark(app: Flask, told: Told, browse: Browse) -> None:
    with app.app_context():
        told.complete()
    browser = browse(told.cast["ada"], "en")
    page = browser.get(f"/kpi/sheets/{told.ada}/sign")
    with app.app_context():
        put(told.cycle_id, told.ada, help="10")
        db.session.commit()
    refused = browser.submit(page, {"remark": "Fine with me."}, status=409)
    assert "has changed since you opened this page" in refused.words
    assert "Fine with me." in refused.text
    assert browser.submit(refused, {}).status == 302


def test_a_whole_team_is_entered_row_by_row_and_a_wrong_figure_loses_nothing(
    app: Flask, told: Told, browse: Browse
) -> None:
    browser = browse(told.cast["sam"], "en")
    page = browser.get(f"/team/{told.cycle_id}/kpi/rows/help")
    spots = [f"value-{told.ada}-help", f"value-{told.bo}-help"]
    refused = browser.submit(page, {spots[0]: "85", spots[1]: "850"}, form=page.form()["action"], status=422)
    assert "Type a number from 0 to 100." in refused.words
    assert 'value="85"' in refused.text
    browser.submit(refused, {spots[1]: "85"}, form=refused.form()["action"])
    with app.app_context():
        assert [cell(told.sheet(one), "help").figure.points for one in (told.ada, told.bo)] == [85, 85]


def test_what_somebody_else_entered_meanwhile_is_not_overwritten_unseen(app: Flask, told: Told, browse: Browse) -> None:
    browser = browse(told.cast["sam"], "en")
    page = browser.get(f"/kpi/sheets/{told.ada}/figures")
    with app.app_context():
        put(told.cycle_id, told.ada, help="60")
        db.session.commit()
    refused = browser.submit(page, {f"value-{told.ada}-help": "85"}, status=422)
    assert "Somebody changed this row" in refused.words
    assert browser.submit(refused, {}).status == 302
    with app.app_context():
        assert cell(told.sheet(), "help").figure.points == 85


@pytest.mark.parametrize(("page", "more"), [("lines", {"points": "2"}), ("veto", {"cap": "fair"})])
def test_what_was_typed_on_a_sheet_that_somebody_signed_meanwhile_is_still_there(
    app: Flask, told: Told, browse: Browse, page: str, more: dict[str, str]
) -> None:
    browser = browse(told.cast["sam"], "en")
    with app.app_context():
        told.complete()
        told.sign("ada")
    said = {"reason": "Trained two people.", "direction": "bonus", **more}
    refused = browser.post(f"/kpi/sheets/{told.ada}/{page}", said, 409)
    assert "Trained two people." in refused.text
    assert "is signed, so it stays as it is" in refused.words
    with app.app_context():
        assert (told.sheet().lines, told.sheet().veto) == ((), None)


def test_whoever_may_decide_a_line_is_told_that_it_waits(app: Flask, told: Told, browse: Browse) -> None:
    with app.app_context():
        line = propose(told, told.sam)
        db.session.commit()
        people = {who: told.cast[who].id for who in ("hana", "lou", "sam", "ada", "quinn")}
        waiting = {
            who: [count for _, count in duties.decisions_of(person, is_hr=who == "hana")]
            for who, person in people.items()
        }
        assert waiting == {"hana": [1], "lou": [1], "sam": [], "ada": [], "quinn": []}
        assert duties.decisions_of(people["sam"], is_hr=True) == []  # nobody decides what they proposed
        assert duties.decisions_of(people["ada"], is_hr=True) == []  # nor about themselves
    start = browse(told.cast["hana"], "en").get("/")
    assert "Decide on bonus or deduction on 1 KPI sheet" in start.words
    assert start.soup.find("a", {"href": f"/cycles/{told.cycle_id}/kpi?state=pending"}) is not None
    with app.app_context():
        lines.decide(told.cycle_id, line, approve=True, hand=told.hana, now=LATER)
        db.session.commit()
        assert duties.decisions_of(people["hana"], is_hr=True) == []


def test_hr_sees_every_sheet_with_its_state_and_approves_ticked_lines(app: Flask, told: Told, browse: Browse) -> None:
    with app.app_context():
        line = propose(told, told.sam)
        told.complete()
    browser = browse(told.cast["hana"], "en")
    page = browser.get(f"/cycles/{told.cycle_id}/kpi")
    assert "figures missing" in page.words
    pending = browser.get(f"/cycles/{told.cycle_id}/kpi?state=pending")
    assert "Night shift." in pending.words
    browser.post(f"/cycles/{told.cycle_id}/kpi/lines", {"line": str(line), "act": "approve"})
    with app.app_context():
        assert [one.points for one in told.sheet().part.bonus] == [3]


def test_a_cycle_without_a_plan_has_no_list(app: Flask, cast: Cast, browse: Browse) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        db.session.commit()
    browse(cast["hana"], "en").get(f"/cycles/{cycle_id}/kpi", 409)
    assert "No KPI sheets yet" in browse(cast["ada"], "en").get("/kpi").words


def test_the_printed_sheet_and_its_workbook_come_out_and_back(app: Flask, told: Told, browse: Browse) -> None:
    with app.app_context():
        told.complete()
    browser = browse(told.cast["sam"], "en")
    pdf = browser.client.get(f"/kpi/sheets/{told.ada}.pdf")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    book = browser.client.get(f"/kpi/sheets/{told.ada}.xlsx")
    sent = {"csrf_token": browser.token(), "file": (BytesIO(book.data), "sheet.xlsx")}
    answer = browser.client.post(f"/kpi/sheets/{told.ada}/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302
    with app.app_context():
        assert cell(told.sheet(), "help").origin is Origin.HAND  # nothing was changed, so nothing was taken in
    bad = {"csrf_token": browser.token(), "file": (BytesIO(b"no book"), "sheet.xlsx")}
    answer = browser.client.post(f"/kpi/sheets/{told.ada}/file", data=bad, content_type="multipart/form-data")
    assert answer.status_code == 422


def test_a_workbook_comes_back_in_the_other_language_and_takes_nothing_away(
    app: Flask, cast: Cast, browse: Browse
) -> None:
    with app.app_context():
        plan = every_rule()
        plan["groups"][-1]["name"] = {"zh": "全员", "en": "Everybody"}  # type: ignore[index]
        told = Told(cast, plan)
        db.session.get_one(PersonRow, cast["sam"].id).locale = "en"
        db.session.commit()
    older = browse(cast["sam"]).client.get(f"/kpi/sheets/{told.ada}.xlsx")  # every cell of it is empty
    with app.app_context():
        enter(told, told.sam, help="85")
        db.session.get_one(PersonRow, cast["sam"].id).locale = "zh"
        db.session.commit()
    chinese = browse(cast["sam"])
    sent = {"csrf_token": chinese.token(), "file": (BytesIO(older.data), "sheet.xlsx")}
    answer = chinese.client.post(f"/kpi/sheets/{told.ada}/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    with app.app_context():
        assert cell(told.sheet(), "help").figure.points == 85  # entered after the file was downloaded


def test_the_shipped_plan_opens_sheets_too(app: Flask, cast: Cast) -> None:
    with app.app_context():
        made = Told(cast, shipped())
        assert len(made.sheet().open_rows) == len(made.sheet().rows) == 6
