"""The clock: what is due is done once, what is not is left alone, and one cycle that fails stops no other."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.responses import SelfReview, Statement, SupervisorRating
from review.domain.vocabulary import Level
from review.infra import jobs, organisation
from review.infra.db import db
from review.infra.house import house
from review.infra.outbox import LetterRow
from review.people.tables import PersonRow
from review.responses import service as responses
from review.schemes.service import scheme_of
from review.workflow import close, launch, remind, tick
from review.workflow.tables import PeerProgressRow, ReminderRow, ScheduleRow
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, review_of, set_dates, set_stage
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company"]

# Closing on Monday 13 April 18:00 in Shanghai: reminders on Friday 10 April (three days before) and, as the day
# before is a Sunday, on that same Friday, 10:00.
CLOSES = datetime(2026, 4, 13, 10, 0, tzinfo=NOW.tzinfo)
FRIDAY_10 = datetime(2026, 4, 10, 2, 0, tzinfo=NOW.tzinfo)


def reminders() -> list[LetterRow]:
    return list(db.session.scalars(select(LetterRow).where(LetterRow.kind == remind.REMINDER).order_by(LetterRow.to)))


def running(cast: Cast) -> CycleRow:
    """A launched cycle of the company, with its urn; opening letters and all."""
    cycle = draft(cast)
    looked_at(cycle)
    launch.run(cycle, by=None, now=NOW)
    set_dates(cycle.id, self_due_at=CLOSES, closes_at=CLOSES)
    db.session.commit()
    return cycle


def test_a_scheduled_cycle_is_launched_at_its_opening_and_not_before(app: Flask, company: Cast) -> None:
    with app.app_context():
        opens = NOW + timedelta(days=1)
        cycle = draft(company, opens_at=opens)
        looked_at(cycle)
        launch.schedule(cycle, by=company["head"].id, now=NOW)
        db.session.commit()
        assert tick.tick(opens - timedelta(minutes=1)).opened == []
        assert tick.tick(opens).opened == [cycle.name]
        jobs.work_all(house().handlers, house().progress, "test", opens)
        assert db.session.get_one(CycleRow, cycle.id).stage is Stage.COLLECTING
        assert tick.tick(opens).opened == []


def test_a_cycle_nobody_scheduled_stays_in_draft(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        looked_at(cycle)
        assert tick.tick(NOW).opened == []
        assert db.session.get_one(CycleRow, cycle.id).stage is Stage.DRAFT


def test_a_refused_opening_is_not_tried_every_minute(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = draft(company)
        db.session.merge(ScheduleRow(cycle_id=cycle.id, asked_by=company["head"].id, asked_at=NOW))
        db.session.commit()
        assert tick.tick(NOW).opened == [cycle.name]
        jobs.work_all(house().handlers, house().progress, "test", NOW)
        assert tick.tick(NOW + timedelta(minutes=1)).opened == []
        assert db.session.get_one(CycleRow, cycle.id).stage is Stage.DRAFT


def test_reminders_leave_at_ten_on_the_working_day_to_those_who_owe(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        said = SelfReview({}, Statement("done", plan="more"))
        responses.file_self(review_of(cycle.id, company["north 1"]), company["north 1"].id, said, NOW)
        db.session.commit()
        assert tick.tick(FRIDAY_10 - timedelta(minutes=1)).reminders == 0
        assert tick.tick(FRIDAY_10).reminders == 23
        letters = {letter.params["name"]: letter.params["lines"] for letter in reminders()}
        assert {line["what"] for line in letters["North 1"]} == {"peers"}
        assert {line["what"] for line in letters["North 2"]} == {"self", "peers"}
        assert {line["what"] for line in letters["Head"]} == {"rating"}


def test_a_reminder_leaves_once(app: Flask, company: Cast) -> None:
    with app.app_context():
        running(company)
        tick.tick(FRIDAY_10)
        assert tick.tick(FRIDAY_10 + timedelta(minutes=1)).reminders == 0
        assert len(reminders()) == 23
        assert db.session.scalar(select(func.count()).select_from(ReminderRow)) == 2  # self-reviews, and the close


def test_a_reminder_tells_no_number_of_missing_ballots(app: Flask, company: Cast) -> None:
    with app.app_context():
        running(company)
        tick.tick(FRIDAY_10)
        peers = [line for letter in reminders() for line in letter.params["lines"] if line["what"] == "peers"]
        assert peers
        assert {line["count"] for line in peers} == {0}


def test_nobody_is_reminded_on_a_holiday(app: Flask, company: Cast) -> None:
    with app.app_context():
        ours = organisation.current()
        organisation.configure(
            organisation.Organisation(ours.name, ours.zone_key, ours.locale, frozenset({date(2026, 4, 10)}))
        )
        running(company)
        tick.tick(FRIDAY_10 - timedelta(days=1))
        assert len(reminders()) == 23  # the day before instead
        assert tick.tick(FRIDAY_10).reminders == 0


def test_who_has_done_everything_or_has_no_address_gets_no_letter(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        db.session.get_one(PersonRow, company["north 2"].id).email = None
        db.session.get_one(ReviewRow, review_of(cycle.id, company["north"])).withdrawn_at = NOW
        scheme = scheme_of(cycle.scheme_id)
        said = SupervisorRating({criterion.key: Level.GOOD for criterion in scheme.criteria}, {})
        for lead in ("north", "south"):
            responses.file_rating(review_of(cycle.id, company[lead]), company["head"].id, said, NOW)
        db.session.commit()
        tick.tick(FRIDAY_10)
        assert not {"North 2", "Head"} & {letter.params["name"] for letter in reminders()}


def test_who_has_left_gets_no_letter_and_nobody_writes_about_a_withdrawn_review(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        db.session.get_one(PersonRow, company["north 2"].id).left_on = date(2026, 4, 9)
        db.session.get_one(PersonRow, company["north 4"].id).left_on = date(2026, 4, 10)  # the last day still counts
        db.session.get_one(ReviewRow, review_of(cycle.id, company["north 3"])).withdrawn_at = NOW
        db.session.commit()
        tick.tick(FRIDAY_10)
        letters = {letter.params["name"]: letter.params["lines"] for letter in reminders()}
        assert "North 2" not in letters
        assert "North 4" in letters
        assert {line["what"] for line in letters["North 3"]} == {"peers"}
        assert [line["count"] for line in letters["North lead"] if line["what"] == "rating"] == [9]


def lines_of(name: str, what: str) -> list[tuple[int, str]]:
    letters = [letter for letter in reminders() if letter.params["name"] == name]
    return [(line["count"], line["due"]) for one in letters for line in one.params["lines"] if line["what"] == what]


def test_whoever_has_more_time_is_reminded_before_their_own_date(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        ends = CLOSES + timedelta(days=14)  # Monday 27 April, so the reminder goes out on Friday 24
        review = db.session.get_one(ReviewRow, review_of(cycle.id, company["north 1"]))
        review.self_due_at = review.rating_due_at = ends
        db.session.commit()
        tick.tick(FRIDAY_10)
        assert lines_of("North 1", "self") == []
        assert lines_of("North 2", "self") == [(1, CLOSES.isoformat())]
        assert lines_of("North lead", "rating") == [(9, CLOSES.isoformat())]
        for letter in reminders():
            db.session.delete(letter)
        cycle.closes_at = CLOSES + timedelta(days=30)
        db.session.commit()
        tick.tick(FRIDAY_10 + timedelta(days=14))
        assert lines_of("North 1", "self") == [(1, ends.isoformat())]
        assert lines_of("North 2", "self") == []
        assert lines_of("North lead", "rating") == [(1, ends.isoformat())]


def test_more_time_after_the_close_is_reminded_of_as_well(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        ends = CLOSES + timedelta(days=14)
        set_dates(cycle.id, finalise_by=ends + timedelta(days=30))
        db.session.get_one(ReviewRow, review_of(cycle.id, company["north 1"])).self_due_at = ends
        set_stage(cycle.id, Stage.FINALISING)
        db.session.commit()
        assert tick.tick(FRIDAY_10 + timedelta(days=14)).reminders == 1
        assert lines_of("North 1", "self") == [(1, ends.isoformat())]


def test_hr_reminds_everybody_of_the_date_that_is_theirs_and_of_nothing_that_is_over(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        set_dates(cycle.id, self_due_at=FRIDAY_10 - timedelta(days=1))
        ends = FRIDAY_10 + timedelta(days=1)
        db.session.get_one(ReviewRow, review_of(cycle.id, company["north 1"])).self_due_at = ends
        db.session.get_one(ReviewRow, review_of(cycle.id, company["north 2"])).rating_due_at = CLOSES + timedelta(1)
        db.session.commit()
        remind.remind_now(db.session.get_one(CycleRow, cycle.id), now=FRIDAY_10)
        assert lines_of("North 1", "self") == [(1, ends.isoformat())]
        assert lines_of("North 2", "self") == []
        after = (CLOSES + timedelta(1)).isoformat()
        assert sorted(lines_of("North lead", "rating")) == [(1, after), (9, CLOSES.isoformat())]


def test_reminders_that_cannot_be_written_stop_nothing_else(
    app: Flask, company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object, **_options: object) -> int:
        raise RuntimeError("the disk is full")

    with app.app_context():
        running(company)
        with monkeypatch.context() as broken:
            broken.setattr(remind, "write", fails)
            done = tick.tick(FRIDAY_10)
        assert (done.failed, done.reminders, done.snapshots) == (["remind"], 0, 1)
        assert tick.tick(FRIDAY_10 + timedelta(minutes=1)).reminders == 23  # nothing was noted as sent


def test_reminding_by_hand_adds_no_second_letter_on_the_same_day(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        assert remind.remind_now(cycle, now=FRIDAY_10 - timedelta(hours=1)) == 23
        db.session.commit()
        assert tick.tick(FRIDAY_10).reminders == 0
        assert remind.remind_now(cycle, now=FRIDAY_10 + timedelta(days=1)) == 23


def test_the_same_day_is_the_organisations_and_not_greenwichs(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        assert remind.remind_now(cycle, now=FRIDAY_10 - timedelta(hours=3)) == 23  # 07:00 in Shanghai, in UTC Thursday
        db.session.commit()
        assert tick.tick(FRIDAY_10).reminders == 0


def test_closing_happens_at_the_deadline_and_not_before(app: Flask, company: Cast) -> None:
    with app.app_context():
        cycle = running(company)
        assert tick.tick(CLOSES - timedelta(seconds=1)).closed == []
        assert tick.tick(CLOSES).closed == [cycle.name]
        assert db.session.get_one(CycleRow, cycle.id).stage is Stage.COUNTING
        assert jobs.find(close.count_key(cycle.id)) is not None
        assert tick.tick(CLOSES + timedelta(minutes=1)).closed == []


def test_a_cycle_that_fails_does_not_stop_the_rest(app: Flask, company: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        good = running(company)
        bad = make_cycle(company, name="Broken", quarters_ago=2, who=[company["north 1"]])
        set_dates(bad, closes_at=CLOSES - timedelta(hours=1))
        db.session.commit()
        real = close.close

        def fails(cycle: CycleRow, **options: object) -> Stage:
            if cycle.id == bad:
                raise RuntimeError("the disk is full")
            return real(cycle, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(close, "close", fails)
        done = tick.tick(CLOSES)
        assert done.closed == [good.name]
        assert done.failed == [f"close:{bad}"]


def test_peers_progress_is_noted_once_a_day_after_six_in_tens(app: Flask, company: Cast) -> None:
    with app.app_context():
        running(company)
        before_six = datetime(2026, 4, 1, 21, 59, tzinfo=NOW.tzinfo)  # 05:59 of the second in Shanghai
        assert tick.tick(before_six).snapshots == 0
        assert tick.tick(before_six + timedelta(minutes=1)).snapshots == 1
        assert tick.tick(before_six + timedelta(hours=9)).snapshots == 0
        rows = db.session.scalars(select(PeerProgressRow)).all()
        assert [(row.day, row.percent) for row in rows] == [(date(2026, 4, 2), 0)]


@pytest.mark.parametrize(
    ("cast_ballots", "seats", "percent"), [(0, 0, None), (1, 100, 0), (55, 100, 60), (99, 100, 90), (100, 100, 100)]
)
def test_progress_is_told_in_tens_and_complete_only_when_it_is(
    cast_ballots: int, seats: int, percent: int | None
) -> None:
    assert tick.rounded(cast_ballots, seats) == percent


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch) -> list[tick.Ticked]:
    """Between this tick's look at what is due and its deeds, another process does it all; what the other one did."""
    found, others = tick._cycles, []

    def look(choose: Callable[[], list[CycleRow]]) -> list[int]:
        ids = found(choose)
        if ids and not others:
            others.append(tick.Ticked())
            others[0] = tick.tick(now[0])
        return ids

    now: list[datetime] = []
    real = tick.tick

    def ticked(at: datetime) -> tick.Ticked:
        now[:] = [at]
        return real(at)

    monkeypatch.setattr(tick, "tick", ticked)
    monkeypatch.setattr(tick, "_cycles", look)
    return others


def test_two_ticks_at_once_keep_one_days_progress(
    app: Flask, company: Cast, overtaken: list[tick.Ticked], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        running(company)
        monkeypatch.setattr(tick, "_remind_due", lambda _now, _done: None)
        mine = tick.tick(NOW)
        assert (mine.snapshots, mine.failed) == (0, [])
        assert (overtaken[0].snapshots, overtaken[0].failed) == (1, [])
        assert db.session.scalar(select(func.count()).select_from(PeerProgressRow)) == 1


def test_two_ticks_at_once_open_a_cycle_once(app: Flask, company: Cast, overtaken: list[tick.Ticked]) -> None:
    with app.app_context():
        cycle = draft(company, opens_at=NOW + timedelta(days=1))
        looked_at(cycle)
        launch.schedule(cycle, by=company["head"].id, now=NOW)
        db.session.commit()
        mine = tick.tick(NOW + timedelta(days=1))
        assert (mine.opened, mine.failed) == ([], [])
        assert (overtaken[0].opened, overtaken[0].failed) == ([cycle.name], [])


def test_two_ticks_at_once_close_a_cycle_once(app: Flask, company: Cast, overtaken: list[tick.Ticked]) -> None:
    with app.app_context():
        cycle = running(company)
        mine = tick.tick(CLOSES)
        assert (mine.closed, mine.failed) == ([], [])
        assert (overtaken[0].closed, overtaken[0].failed) == ([cycle.name], [])
