"""A rater rates exactly the colleagues they were seated for, until the close, and leaves no trace in doing so."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from review.ballots import service as ballots
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, OutOfReach, Taken, TooLate
from review.domain.responses import Ballot
from review.domain.vocabulary import Level
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.settings import Settings
from review.peer_review import conflicts, service
from review.peer_review.tables import ConflictRow, SeatRow
from tests.browse import Browser, Page
from tests.make import NOW, Cast, Somebody, make_person
from tests.make_cycle import CLOSES, make_cycle, review_of, set_stage
from tests.make_peers import (
    ASKED,
    EXCELLENT,
    GOOD,
    TEAM,
    Seats,
    cast_for,
    open_ballots,
    plan_of,
    seat_team,
    seats_by_name,
)

Browse = Callable[..., Browser]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What the views take for the present; a test may turn it."""
    hands = [NOW]
    monkeypatch.setattr("review.peer_review.views.now", lambda: hands[0])
    return hands


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> int:
    with app.app_context():
        cycle_id = make_cycle(cast)
        seat_team(cycle_id, cast)
        return cycle_id


@pytest.fixture
def seats(app: Flask, cast: Cast, cycle: int) -> Seats:
    with app.app_context():
        return seats_by_name(cycle, cast)


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def filled(*levels: str) -> dict[str, str]:
    return {f"c-{key}": level for key, level in zip(ASKED, levels, strict=True)}


def url(seat: UUID) -> str:
    return f"/peers/{seat}"


def ballots_in(settings: Settings, cycle_id: int) -> list[Ballot]:
    return open_ballots(settings, cycle_id)


# -- seats -----------------------------------------------------------------------------------------------------------


def test_seating_follows_the_plan_with_a_random_id_for_each_seat(inside: None, cast: Cast) -> None:
    cycle_id = make_cycle(cast)
    pairs = [(cast["bo"].id, cast["ada"].id), (cast["ada"].id, cast["bo"].id)]
    assert service.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs)) == 2
    rows = db.session.execute(
        select(SeatRow.rater_id, ReviewRow.subject_id).join(ReviewRow, ReviewRow.id == SeatRow.review_id)
    )
    assert sorted(map(tuple, rows)) == sorted(pairs)


def test_nobody_is_seated_twice(inside: None, cycle: int, cast: Cast) -> None:
    with pytest.raises(Taken, match="already_seated"):
        service.seat_all(db.session.get_one(CycleRow, cycle), plan_of([(cast["bo"].id, cast["ada"].id)]))


def test_an_empty_plan_seats_nobody(inside: None, cast: Cast) -> None:
    assert service.seat_all(db.session.get_one(CycleRow, make_cycle(cast)), plan_of([])) == 0


def test_a_rater_sees_their_own_seats_by_name(inside: None, cycle: int, cast: Cast) -> None:
    seen = service.seats_of(cast["bo"].id, cycle)
    assert [seat.name for seat in seen] == ["Ada", "Cy", "Di", "Ed", "Fay", "Gus"]
    assert {seat.department for seat in seen} == {"After-sales"}
    assert service.seats_of(cast["quinn"].id, cycle) == []


def test_panels_and_seats_for_the_count_hold_every_seat_ever_given(inside: None, cycle: int, cast: Cast) -> None:
    ada = review_of(cycle, cast["ada"])
    service.close_seat(ada, cast["bo"].id)
    assert Counter(service.seats_for_count(cycle).values()) == {review_of(cycle, cast[name]): 6 for name in TEAM}
    assert service.asked(cycle) == 41


def test_what_is_owed_shrinks_with_each_ballot(inside: None, cycle: int, cast: Cast, seats: Seats) -> None:
    assert service.owing(cycle) == {cast[name].id: 6 for name in TEAM}
    cast_for(cycle, seats["bo", "ada"], GOOD)
    cast_for(cycle, seats["bo", "ada"], EXCELLENT)
    assert service.owing(cycle)[cast["bo"].id] == 5
    for (rater, _), seat in seats.items():
        if rater == "cy":
            cast_for(cycle, seat, GOOD)
    assert cast["cy"].id not in service.owing(cycle)


def test_after_the_close_nobody_learns_who_owes_what(inside: None, cycle: int) -> None:
    ballots.close_urn(cycle)
    with pytest.raises(TooLate):
        service.owing(cycle)


def test_taking_a_rater_off_is_the_same_whether_or_not_they_have_cast(
    inside: None, cycle: int, cast: Cast, seats: Seats
) -> None:
    cast_for(cycle, seats["bo", "ada"], GOOD)
    ada = review_of(cycle, cast["ada"])
    before = db.session.scalar(select(func.count()).select_from(AuditRow))
    for rater in ("bo", "cy"):
        service.close_seat(ada, cast[rater].id)
        assert "Ada" not in [seat.name for seat in service.seats_of(cast[rater].id, cycle)]
        assert service.owing(cycle)[cast[rater].id] == 5
    # Neither whether they had cast nor that there was a seat: a line here would stand beside "supervisor replaced".
    assert db.session.scalar(select(func.count()).select_from(AuditRow)) == before


def test_a_seat_that_was_never_given_cannot_be_closed(inside: None, cycle: int, cast: Cast) -> None:
    with pytest.raises(OutOfReach):
        service.close_seat(review_of(cycle, cast["ada"]), cast["quinn"].id)


def test_the_start_page_says_how_many_are_owed_and_until_when(
    inside: None, cycle: int, cast: Cast, seats: Seats
) -> None:
    cast_for(cycle, seats["bo", "ada"], GOOD)
    assert service.open_tasks(cast["bo"].id, NOW) == [service.PeerTask(cycle, "Q1 2026", 6, 5, CLOSES)]
    assert service.open_tasks(cast["quinn"].id, NOW) == []


@pytest.mark.parametrize("when", [NOW - timedelta(days=3), CLOSES + timedelta(seconds=1)])
def test_there_is_no_task_before_the_opening_and_after_the_deadline(
    inside: None, cycle: int, cast: Cast, when: datetime
) -> None:
    assert service.open_tasks(cast["bo"].id, when) == []


def test_there_is_no_task_once_the_urn_is_closed(inside: None, cycle: int, cast: Cast) -> None:
    ballots.close_urn(cycle)
    assert service.open_tasks(cast["bo"].id, NOW) == []


# -- the pages -------------------------------------------------------------------------------------------------------


def test_my_ratings_lists_my_colleagues_with_a_mark_for_those_done(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    with app.app_context():
        cast_for(cycle, seats["bo", "ada"], GOOD)
    page = browse(cast["bo"]).get("/peers")
    assert "5 colleagues left" in page.words
    assert "Ada After-sales Ballot cast Change ballot Cy After-sales Rate Di" in page.words
    assert page.soup.find("a", class_="btn-primary")["href"] == url(seats["bo", "cy"])
    assert "fewer than 5 ballots" in page.words
    assert "sealed the moment it arrives" in page.words
    assert "can open that copy later" in page.words


def test_my_ratings_names_nobody_who_rates_me(browse: Browse, cast: Cast, app: Flask) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        pairs = [(cast["quinn"].id, cast["ada"].id), (cast["ada"].id, cast["cy"].id)]
        service.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs))
        ballots.open_urn(cycle_id)
        db.session.commit()
    page = browse(cast["ada"]).get("/peers")
    assert "Cy" in page.words
    assert "Quinn" not in page.text


def test_without_a_running_cycle_my_ratings_says_so(browse: Browse, cast: Cast) -> None:
    assert "Nobody to rate right now" in browse(cast["bo"]).get("/peers").words


def test_who_is_not_signed_in_may_read_how_raters_are_protected_and_nothing_else(
    browse: Browse, cycle: int, seats: Seats
) -> None:
    assert "Where protection ends" in browse(locale="en").get("/peers/protection").words
    assert "怎样保护你" in browse(locale="zh").get("/peers/protection").words
    for private in ("/peers", url(seats["bo", "ada"])):
        assert "next=" in browse().get(private, status=302).location


def test_the_ballot_shows_only_what_peers_are_asked_and_no_answer(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    with app.app_context():
        cast_for(cycle, seats["bo", "ada"], GOOD)
    page = browse(cast["bo"]).get(url(seats["bo", "ada"]))
    assert page.h1 == "Rate Ada"
    assert "Ada" not in page.soup.title.get_text()
    names = {field["name"] for field in page.form(url(seats["bo", "ada"])).find_all("input", {"type": "radio"})}
    assert names == {f"c-{key}" for key in ASKED}
    assert not page.soup.find_all("input", checked=True), "a ballot is never shown again"
    assert page.form(url(seats["bo", "ada"]))["autocomplete"] == "off"
    assert not page.soup.find_all(attrs={"data-autosave": True})
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "is in" in page.words


def test_the_length_of_a_request_does_not_tell_which_levels_were_chosen(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    bo = browse(cast["bo"])
    page = bo.get(url(seats["bo", "ada"]))
    sent = [field["value"] for field in page.form(url(seats["bo", "ada"])).find_all("input", {"type": "radio"})]
    assert len(set(sent)) == len(Level) + 1, "each level, and that somebody cannot judge"
    assert {len(value) for value in sent} == {4}
    first, lowest = sent[0], sent[len(Level) - 1]
    bo.submit(page, filled(first, lowest), url(seats["bo", "ada"]))
    (only,) = ballots_in(settings, cycle)
    assert only.answers == {ASKED[0]: Level.EXCELLENT, ASKED[1]: Level.POOR}


def test_casting_puts_the_ballot_in_and_leads_to_the_next_colleague(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings, app: Flask
) -> None:
    bo = browse(cast["bo"])
    page = bo.submit(bo.get(url(seats["bo", "ada"])), filled("excellent", "none"), url(seats["bo", "ada"]))
    assert page.location == url(seats["bo", "cy"])
    with app.app_context():
        ada = review_of(cycle, cast["ada"])
    assert ballots_in(settings, cycle) == [Ballot(ada, {ASKED[0]: Level.EXCELLENT})]


def test_after_the_last_colleague_the_list_is_shown(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    with app.app_context():
        for (rater, subject), seat in seats.items():
            if rater == "bo" and subject != "di":
                cast_for(cycle, seat, GOOD)
    bo = browse(cast["bo"])
    page = bo.submit(bo.get(url(seats["bo", "di"])), filled("good", "good"), url(seats["bo", "di"]))
    assert page.location == "/peers"
    assert "All your ballots are in" in bo.follow(page).words


def test_casting_again_replaces_and_a_double_submit_is_harmless(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    bo = browse(cast["bo"])
    token = bo.token()
    for levels in (("poor", "poor"), ("good", "fair"), ("good", "fair")):
        bo.client.post(url(seats["bo", "ada"]), data={"csrf_token": token, **filled(*levels)})
    (only,) = ballots_in(settings, cycle)
    assert only.answers == {ASKED[0]: Level.GOOD, ASKED[1]: Level.FAIR}


def test_a_ballot_with_a_question_left_open_keeps_the_other_choice_and_casts_nothing(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    page = browse(cast["bo"]).post(url(seats["bo", "ada"]), {f"c-{ASKED[0]}": "fair"}, status=422)
    (chosen,) = page.soup.find_all("input", checked=True)
    assert (chosen["name"], chosen["value"]) == (f"c-{ASKED[0]}", "fair")
    assert "Choose one." in page.words
    assert ballots_in(settings, cycle) == []


@pytest.mark.parametrize("nonsense", ["superb", "100", "", "EXCELLENT"])
def test_a_level_that_does_not_exist_is_refused(
    nonsense: str, browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    browse(cast["bo"]).post(url(seats["bo", "ada"]), filled("good", nonsense), status=422)
    assert ballots_in(settings, cycle) == []


def test_a_criterion_peers_are_not_asked_about_is_not_taken(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    browse(cast["bo"]).post(url(seats["bo", "ada"]), {**filled("good", "good"), "c-communication": "poor"})
    (only,) = ballots_in(settings, cycle)
    assert set(only.answers) == set(ASKED)


@pytest.mark.parametrize("who", ["ada", "cy", "sam", "hana", "max", "lou"])
def test_nobody_but_the_rater_knows_of_a_seat(
    who: str, browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    browse(cast[who]).get(url(seats["bo", "ada"]), status=404)
    browse(cast[who]).post(url(seats["bo", "ada"]), filled("poor", "poor"), status=404)
    assert ballots_in(settings, cycle) == []


def test_a_seat_nobody_has_looks_the_same_as_anothers(browse: Browse, cast: Cast, cycle: int, seats: Seats) -> None:
    bo = browse(cast["bo"])
    unknown, foreign = bo.get(url(uuid4()), status=404), bo.get(url(seats["cy", "ada"]), status=404)
    assert unknown.h1 == foreign.h1


def test_after_the_deadline_page_and_ballot_are_gone(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings, clock: list[datetime]
) -> None:
    clock[0] = CLOSES + timedelta(seconds=1)
    bo = browse(cast["bo"])
    bo.get(url(seats["bo", "ada"]), status=410)
    bo.post(url(seats["bo", "ada"]), filled("good", "good"), status=410)
    assert ballots_in(settings, cycle) == []


def test_at_the_deadline_itself_a_ballot_still_counts(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings, clock: list[datetime]
) -> None:
    clock[0] = CLOSES
    browse(cast["bo"]).post(url(seats["bo", "ada"]), filled("good", "good"))
    assert len(ballots_in(settings, cycle)) == 1


def test_a_ballot_that_meets_a_closed_urn_is_refused_whatever_the_clock_says(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    with app.app_context():
        ballots.close_urn(cycle)
    bo = browse(cast["bo"])
    page = bo.post(url(seats["bo", "ada"]), filled("good", "good"), status=410)
    assert "takes no more ballots" in page.words
    bo.get(url(seats["bo", "ada"]), status=410)
    assert "Nobody to rate right now" in bo.get("/peers").words


def test_before_the_opening_nobody_can_rate(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, clock: list[datetime]
) -> None:
    clock[0] = NOW - timedelta(days=3)
    browse(cast["bo"]).get(url(seats["bo", "ada"]), status=409)


def test_a_rater_who_was_taken_off_can_no_longer_rate(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    with app.app_context():
        service.close_seat(review_of(cycle, cast["ada"]), cast["bo"].id)
        db.session.commit()
    page = browse(cast["bo"]).get(url(seats["bo", "ada"]), status=410)
    assert "no longer asked" in page.words
    browse(cast["bo"]).get(url(seats["bo", "cy"]))


def test_nobody_rates_somebody_who_left(app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats) -> None:
    with app.app_context():
        db.session.execute(
            update(ReviewRow).where(ReviewRow.id == review_of(cycle, cast["ada"])).values(withdrawn_at=NOW)
        )
        db.session.commit()
    browse(cast["bo"]).get(url(seats["bo", "ada"]), status=410)
    assert "Ada" not in browse(cast["bo"]).get("/peers").words


def test_a_page_has_the_same_few_queries_for_one_seat_and_for_twelve(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        more = [make_person(f"More {n}", supervisor=cast["sam"].id) for n in range(12)]
        cycle_id = make_cycle(cast, who=[cast["ada"], *more])
        pairs = [(cast["bo"].id, cast["ada"].id), *((cast["cy"].id, person.id) for person in more)]
        service.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs))
        ballots.open_urn(cycle_id)
        db.session.commit()
        engine = db.engine
    counts = []
    for rater in ("bo", "cy"):
        browser, seen = browse(cast[rater]), []
        listener = lambda conn, cursor, statement, *rest, into=seen: into.append(statement)  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        browser.get("/peers")
        event.remove(engine, "before_cursor_execute", listener)
        counts.append(len(seen))
    assert counts[0] == counts[1] < 15


# -- no trace --------------------------------------------------------------------------------------------------------


def main_files(settings: Settings) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in Path(settings.data_dir).glob("review.sqlite*")
        if "shm" not in path.name
    }


def test_a_cast_leaves_every_byte_of_the_main_database_as_it_was(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, settings: Settings
) -> None:
    bo = browse(cast["bo"])
    page = bo.get(url(seats["bo", "ada"]))
    before = main_files(settings)
    bo.submit(page, filled("good", "poor"), url(seats["bo", "ada"]))
    assert len(ballots_in(settings, cycle)) == 1
    assert main_files(settings) == before


def test_a_cast_leaves_the_session_cookie_as_it_was_and_says_nothing(
    browse: Browse, cast: Cast, cycle: int, seats: Seats, caplog: pytest.LogCaptureFixture
) -> None:
    bo = browse(cast["bo"])
    page = bo.get(url(seats["bo", "ada"]))
    with bo.client.session_transaction() as session:
        before = dict(session)
    caplog.set_level("DEBUG")
    caplog.clear()
    answer = bo.submit(page, filled("good", "poor"), url(seats["bo", "ada"]))
    assert "Set-Cookie" not in answer.response.headers
    with bo.client.session_transaction() as session:
        assert dict(session) == before
    assert not caplog.records


def test_a_cast_that_fails_inside_the_urn_logs_nothing_of_what_was_said(
    browse: Browse,
    cast: Cast,
    cycle: int,
    seats: Seats,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    app: Flask,
) -> None:
    import sqlite3

    with sqlite3.connect(settings.data_dir / "urns" / f"{cycle}.sqlite") as raw:
        raw.execute("DROP TABLE ballot")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    browse(cast["bo"]).post(url(seats["bo", "ada"]), filled("good", "poor"), status=500)
    assert caplog.text
    assert "poor" not in caplog.text
    assert str(seats["bo", "ada"]) not in caplog.text


def test_seats_carry_no_time_and_no_mark_of_casting(inside: None) -> None:
    assert set(SeatRow.__table__.columns.keys()) == {"id", "review_id", "rater_id", "is_closed"}


# -- conflicts of interest -------------------------------------------------------------------------------------------


def declared(app: Flask) -> set[tuple[int, int]]:
    with app.app_context():
        return conflicts.conflicts()


def declare(browser: Browser, about: Somebody, status: int = 302) -> Page:
    return browser.post("/peers/conflicts", {"employee_no": f" {about.employee_no} "}, status=status)


def test_a_declared_conflict_is_kept_once_and_can_be_withdrawn(app: Flask, browse: Browse, cast: Cast) -> None:
    bo, pair = browse(cast["bo"]), (cast["bo"].id, cast["ada"].id)
    page = bo.follow(declare(bo, cast["ada"]))
    declare(bo, cast["ada"])
    assert declared(app) == {pair}
    assert "Noted. It holds" in page.words
    bo.post(f"/peers/conflicts/{cast['ada'].id}/withdraw")
    assert declared(app) == set()
    bo.post(f"/peers/conflicts/{cast['ada'].id}/withdraw", status=404)


def test_only_who_declared_a_conflict_sees_it_and_can_withdraw_it(app: Flask, browse: Browse, cast: Cast) -> None:
    declare(browse(cast["bo"]), cast["ada"])
    assert "Bo" not in browse(cast["ada"]).get("/peers").words
    browse(cast["ada"]).post(f"/peers/conflicts/{cast['bo'].id}/withdraw", status=404)
    assert len(declared(app)) == 1


def test_the_audit_log_does_not_say_with_whom(app: Flask, browse: Browse, cast: Cast) -> None:
    declare(browse(cast["bo"]), cast["ada"])
    with app.app_context():
        row = db.session.scalars(select(AuditRow).where(AuditRow.action == "peer_review:conflict:declared")).one()
        assert (row.about, row.details) == (f"person:{cast['bo'].id}", {})


def test_in_a_running_cycle_the_colleague_leaves_the_raters_list_and_a_ballot_that_is_in_counts(
    app: Flask, browse: Browse, cast: Cast, cycle: int, seats: Seats
) -> None:
    bo = browse(cast["bo"])
    with app.app_context():
        file = service.seat_file(seats["bo", "ada"])
        service.cast(file, {}, NOW)
        db.session.rollback()
    assert "off your list" in bo.follow(declare(bo, cast["ada"])).words
    bo.get(url(seats["bo", "ada"]), status=410)
    with app.app_context():
        set_stage(cycle, Stage.COUNTING)
        db.session.commit()
        counted = ballots.count(cycle, service.seats_for_count(cycle), now=NOW)
        assert (counted.ballots, counted.strangers) == (1, 0)


def test_a_conflict_with_somebody_who_only_rates_me_tells_nothing(app: Flask, browse: Browse, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        pairs = [(cast["ada"].id, cast["bo"].id)]
        service.seat_all(db.session.get_one(CycleRow, cycle_id), plan_of(pairs))
        ballots.open_urn(cycle_id)
        db.session.commit()
    bo = browse(cast["bo"])
    assert "off your list" not in bo.follow(declare(bo, cast["ada"])).words


def test_a_number_nobody_has_and_ones_own_are_refused(app: Flask, browse: Browse, cast: Cast) -> None:
    bo = browse(cast["bo"])
    page = bo.post("/peers/conflicts", {"employee_no": "nobody"}, status=422)
    assert "Nobody has this employee number." in page.words
    assert "your own number" in declare(bo, cast["bo"], status=422).words
    bo.post("/peers/conflicts", {"employee_no": ""}, status=422)
    assert declared(app) == set()


def test_the_database_refuses_a_conflict_with_oneself(inside: None, cast: Cast) -> None:
    from sqlalchemy.exc import IntegrityError

    db.session.add(ConflictRow(person_id=cast["bo"].id, other_id=cast["bo"].id))
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()
    with pytest.raises(Invalid, match="oneself"):
        conflicts.declare_conflict(cast["bo"].id, cast["bo"].employee_no, NOW)


# -- whole histories -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_every_last_word_is_counted_and_nothing_else(
    seed: int, inside: None, cycle: int, cast: Cast, seats: Seats, settings: Settings
) -> None:
    chance, last = random.Random(seed), {}
    for _ in range(120):
        pair = chance.choice(sorted(seats))
        answers = {key: chance.choice([*Level, None]) for key in ASKED}
        cast_for(cycle, seats[pair], answers)
        last[pair] = {key: level for key, level in answers.items() if level}
    expected = sorted((review_of(cycle, cast[subject]), sorted(said.items())) for (_, subject), said in last.items())
    found = sorted((ballot.review_id, sorted(ballot.answers.items())) for ballot in ballots_in(settings, cycle))
    assert found == expected
    set_stage(cycle, Stage.COUNTING)
    counted = ballots.count(cycle, service.seats_for_count(cycle), now=NOW)
    assert (counted.ballots, counted.strangers) == (len(last), 0)
    assert db.session.scalar(select(func.count()).select_from(SeatRow)) == 42
