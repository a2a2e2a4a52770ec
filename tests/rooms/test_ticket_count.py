"""The count under maximum protection: only tickets count, receipts show what was counted, forgery stops it."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update

from review.app import create_app
from review.ballots import counting, ticket_keys
from review.ballots import service as ballots
from review.ballots.service import urn_at
from review.ballots.tables import ReceiptRow
from review.ballots.urn_tables import ballot
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.disclosure import Shown
from review.domain.refusals import Taken
from review.infra import jobs
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobState, work_all
from review.infra.settings import Settings
from review.peer_review import service as peer_review
from review.tables import metadata
from review.tickets import service as tickets
from review.tickets.tables import TicketDrawRow, TicketRow
from review.workflow import close, launch
from tests.browse import Browser
from tests.make import NOW, Cast, make_cast
from tests.make_cycle import CLOSES, review_of, set_stage
from tests.make_peers import EXCELLENT, GOOD, POOR, TEAM
from tests.make_tickets import Held, draw_as, forged, letter_of, make_maximum, post, receipt_of, set_protection
from tests.rooms.test_launch import big_cast, draft, looked_at
from tests.rooms.test_ticket_keys import make_keys

Purse = dict[str, dict[int, Held]]  # everybody's tickets by review


@dataclass(frozen=True)
class Lived:
    """A cycle in which everybody of Ada's team has drawn, built once; each test gets a copy of its folders."""

    folder: Path
    cycle: int
    cast: Cast
    purse: Purse


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Lived:
    folder = tmp_path_factory.mktemp("drawn")
    settings = house_in(folder)
    for path in empty_database.parent.iterdir():
        shutil.copy(path, settings.data_dir / path.name.replace("empty", "review"))
    app = create_app(settings)
    with app.app_context():
        cast = make_cast()
        cycle_id = make_maximum(cast, settings)
        purse = {name: draw_as(cycle_id, cast[name], settings) for name in TEAM}
        db.session.remove()
        db.engine.dispose()
    return Lived(folder, cycle_id, cast, purse)


def house_in(folder: Path) -> Settings:
    made = Settings.from_env({"REVIEW_DATA": str(folder / "instance"), "REVIEW_BASE_URL": "http://localhost"})
    return replace(made, is_testing=True)


@pytest.fixture
def settings(lived: Lived, tmp_path: Path) -> Settings:
    shutil.copytree(lived.folder, tmp_path / "copy")
    return house_in(tmp_path / "copy")


@pytest.fixture
def cycle(lived: Lived) -> int:
    return lived.cycle


@pytest.fixture
def cast(lived: Lived) -> Cast:
    return lived.cast


@pytest.fixture
def purse(lived: Lived) -> Purse:
    return lived.purse


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def cast_all(app: Flask, settings: Settings, purse: Purse) -> list[Held]:
    """Everybody casts about everybody; the tickets used."""
    held = [ticket for mine in purse.values() for ticket in mine.values()]
    assert {post(app, letter_of(settings, ticket, GOOD)).status_code for ticket in held} == {204}
    return held


def count(cycle_id: int) -> counting.Counted:
    """Close and count, as the job does."""
    set_stage(cycle_id, Stage.COUNTING)
    db.session.commit()
    seats = peer_review.seats_for_count(cycle_id)
    return ballots.count(cycle_id, seats, now=CLOSES, drawn=tickets.drawn(cycle_id, seats))


def drop(settings: Settings, held: Held) -> None:
    """Somebody takes a ballot out of the urn."""
    with urn_at(settings, held.cycle)._casting() as connection:
        gone = connection.execute(delete(ballot).where(ballot.c.token_hash == hashlib.sha256(held.ticket).digest()))
        assert gone.rowcount == 1


# -- what counts -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_every_ballot_with_a_ticket_counts_and_has_a_receipt(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    held = cast_all(app, settings, purse)
    assert count(cycle) == counting.Counted(42, 0)
    assert ballots.receipts_of(cycle) == sorted(receipt_of(ticket) for ticket in held)
    for cells in ballots.cells_of(cycle).values():
        assert all(isinstance(cell.figure, Shown) for cell in cells)


@pytest.mark.usefixtures("inside")
def test_what_was_cast_last_with_a_ticket_counts_once(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    held = cast_all(app, settings, purse)
    ada = review_of(cycle, cast["ada"])
    for ticket in held:
        if ticket.review == ada:
            assert post(app, letter_of(settings, ticket, EXCELLENT)).status_code == 204
    assert count(cycle).ballots == 42
    assert len(ballots.receipts_of(cycle)) == 42
    (figure,) = {cell.figure for cell in ballots.cells_of_review(ada)}
    assert isinstance(figure, Shown)
    assert figure.points >= 90


@pytest.mark.usefixtures("inside")
def test_a_ballot_that_names_another_review_than_its_ticket_is_a_stranger(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    ticket = purse["bo"][review_of(cycle, cast["ada"])]
    swindle = letter_of(settings, ticket, POOR, about=review_of(cycle, cast["cy"]))
    assert post(app, swindle).status_code == 204  # what is inside the seal is seen by the count alone
    assert count(cycle) == counting.Counted(0, 1)
    assert ballots.receipts_of(cycle) == []


@pytest.mark.usefixtures("inside")
def test_a_row_put_into_the_urn_past_the_slot_is_a_stranger(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    ticket = purse["bo"][review_of(cycle, cast["ada"])]
    letter = letter_of(settings, ticket, GOOD)
    urn_at(settings, cycle).put(os.urandom(32), 1, letter[297:])  # sealed for another hash
    urn_at(settings, cycle).put(os.urandom(32), 1, os.urandom(len(letter) - 297))
    assert count(cycle) == counting.Counted(0, 2)


@pytest.mark.usefixtures("inside")
def test_ballots_about_somebody_who_left_are_dropped_and_have_no_receipt(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    held = cast_all(app, settings, purse)
    gone = review_of(cycle, cast["gus"])
    db.session.execute(update(ReviewRow).where(ReviewRow.id == gone).values(withdrawn_at=NOW))
    count(cycle)
    assert gone not in ballots.cells_of(cycle)
    assert set(ballots.receipts_of(cycle)) == {receipt_of(ticket) for ticket in held if ticket.review != gone}


@pytest.mark.usefixtures("inside")
def test_a_ballot_cast_before_its_seat_was_closed_counts(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    held = cast_all(app, settings, purse)
    peer_review.close_seat(review_of(cycle, cast["ada"]), cast["bo"].id)
    assert count(cycle).ballots == len(held)


# -- what is noticed -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_the_removal_of_one_ballot_is_seen_by_whoever_cast_it(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    cast_all(app, settings, purse)
    lost = purse["bo"][review_of(cycle, cast["ada"])]
    drop(settings, lost)
    assert count(cycle).ballots == 41
    listed = set(ballots.receipts_of(cycle))
    missing = {name: [held for held in mine.values() if receipt_of(held) not in listed] for name, mine in purse.items()}
    assert {name: held for name, held in missing.items() if held} == {"bo": [lost]}


@pytest.mark.usefixtures("inside")
def test_more_ballots_than_tickets_stop_the_count_before_anything_is_destroyed(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    cast_all(app, settings, purse)
    made_up = forged(settings, cycle, review_of(cycle, cast["ada"]))
    assert post(app, letter_of(settings, made_up, POOR)).status_code == 204
    with pytest.raises(Taken, match="ballots:more_ballots_than_tickets"):
        count(cycle)
    db.session.rollback()
    assert not ballots.is_counted(cycle)
    assert ballots.receipts_of(cycle) == []
    assert ballots.is_whole(cycle)
    assert ticket_keys.leaves_traces(settings.keys_dir, cycle)


@pytest.mark.usefixtures("inside")
def test_stuffing_is_bounded_by_tickets_that_nobody_used_and_seen_by_their_owners(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    """The limit: whoever copied the signing keys may vote in place of somebody who drew and did not cast."""
    held = cast_all(app, settings, {name: mine for name, mine in purse.items() if name != "bo"})
    ada = review_of(cycle, cast["ada"])
    assert post(app, letter_of(settings, forged(settings, cycle, ada), POOR)).status_code == 204
    assert count(cycle).ballots == len(held) + 1
    assert len(set(ballots.receipts_of(cycle)) - {receipt_of(ticket) for ticket in held}) == 1


@pytest.mark.usefixtures("inside")
def test_after_a_forgery_hr_can_go_on_without_peers(
    app: Flask, cycle: int, cast: Cast, settings: Settings, purse: Purse
) -> None:
    for _ in range(7):
        post(app, letter_of(settings, forged(settings, cycle, review_of(cycle, cast["ada"])), POOR))
    set_stage(cycle, Stage.COUNTING)
    close.ask_count(cycle, CLOSES)
    db.session.commit()
    work_all(house().handlers, house().progress, "test", CLOSES)
    row = jobs.find(close.count_key(cycle))
    assert row is not None
    assert (row.state, row.refusal) == (JobState.FAILED, ["ballots:more_ballots_than_tickets"])
    stopped = db.session.get_one(CycleRow, cycle)
    assert close.is_stuck(stopped)
    close.go_on_without_peers(stopped, "The keys were copied.", stopped.name, by=cast["hana"].id, now=CLOSES)
    db.session.commit()
    work_all(house().handlers, house().progress, "test", CLOSES)
    assert db.session.get_one(CycleRow, cycle).stage is Stage.FINALISING
    assert not [cell for cells in ballots.cells_of(cycle).values() for cell in cells if isinstance(cell.figure, Shown)]
    assert tickets.is_forgotten(cycle)


@pytest.mark.usefixtures("inside")
def test_ballots_that_can_be_counted_are_not_given_up(app: Flask, cycle: int, settings: Settings, purse: Purse) -> None:
    cast_all(app, settings, purse)
    set_stage(cycle, Stage.COUNTING)
    seats = peer_review.seats_for_count(cycle)
    with pytest.raises(Taken, match="ballots:still_countable"):
        ballots.count_nothing(cycle, seats, now=CLOSES, drawn=tickets.drawn(cycle, seats))
    db.session.rollback()


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_nothing_of_a_draw_outlives_the_count(app: Flask, cycle: int, settings: Settings, purse: Purse) -> None:
    cast_all(app, settings, purse)
    kept = [bytes(row.blinded_hash) for row in db.session.scalars(select(TicketRow))]
    assert len(kept) == 42
    with pytest.raises(Taken, match="ballots:not_over"):
        tickets.forget(cycle)
    db.session.rollback()
    count(cycle)
    assert not tickets.is_forgotten(cycle)
    tickets.forget(cycle)
    assert tickets.is_forgotten(cycle)
    for row in (TicketRow, TicketDrawRow):
        assert db.session.scalar(select(func.count()).select_from(row)) == 0
    db.session.remove()
    db.engine.dispose()
    for path in [*settings.data_dir.rglob("*"), *settings.keys_dir.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in kept if one in content], f"{path} still holds what somebody drew"
    assert not list(settings.keys_dir.glob("tickets-*"))
    tickets.forget(cycle)  # harmless to repeat


@pytest.mark.usefixtures("inside")
def test_receipts_keep_no_order_and_no_review(cycle: int) -> None:
    assert {column.name for column in ReceiptRow.__table__.columns} == {"cycle_id", "code"}
    (made,) = db.session.execute(text("SELECT sql FROM sqlite_master WHERE name = 'receipt'"))
    assert "WITHOUT ROWID" in made[0]


def test_a_whole_cycle_ends_with_a_receipt_for_every_ballot(tmp_path: Path, empty_database: Path) -> None:
    settings = house_in(tmp_path)
    for path in empty_database.parent.iterdir():
        shutil.copy(path, settings.data_dir / path.name.replace("empty", "review"))
    app = create_app(settings)
    with app.app_context():
        company = big_cast()
        made = draft(company)
        set_protection(made.id)
        looked_at(made)
        make_keys(made.id)
        launch.run(db.session.get_one(CycleRow, made.id), by=None, now=NOW)
        db.session.commit()
        cycle_id, purses = made.id, {}
        for name, person in list(company.items())[:8]:
            if peer_review.seats_of(person.id, cycle_id):
                purses[name] = draw_as(cycle_id, person, settings)
        held = cast_all(app, settings, purses)
        before = Browser(app, company["north 1"]).get(f"/peers/{cycle_id}/receipts")
        assert "not been counted yet" in before.words
        assert "Compare the receipts you kept" not in Browser(app, company["north 1"]).get("/peers").words
        close.close(db.session.get_one(CycleRow, cycle_id), by=None, now=CLOSES, early=True)
        db.session.commit()
        work_all(house().handlers, house().progress, "test", CLOSES)
        assert db.session.get_one(CycleRow, cycle_id).stage is Stage.FINALISING
        assert tickets.is_forgotten(cycle_id)
    mine = Browser(app, company["north 1"])
    listed = mine.client.get(f"/peers/{cycle_id}/receipts.json").get_json()
    assert listed["counted"] is True
    assert listed["receipts"] == sorted(listed["receipts"])
    assert set(listed["receipts"]) == {receipt_of(ticket) for ticket in held}
    own = [receipt_of(ticket) for ticket in purses["north 1"].values()]
    assert sum(code in listed["receipts"] for code in own) == len(own) > 0
    assert mine.get("/peers").soup.select_one(f'#receipts ~ ul a[href="/peers/{cycle_id}/receipts"]')
    assert f"{len(held)} ballots were counted" in mine.get(f"/peers/{cycle_id}/receipts").words
    assert post(app, letter_of_again(held[0])).status_code == 410
    with app.app_context():
        db.engine.dispose()


def letter_of_again(held: Held) -> bytes:
    """A letter of the right size after the end, when nothing is left to seal it with."""
    from tests.make_tickets import letter

    return letter(held, os.urandom(1024 + 512 + 81))


@pytest.mark.postgres
def test_a_whole_count_on_postgresql(tmp_path: object, postgres_url: str, urn_url: str) -> None:
    environ = {"REVIEW_DATA": f"{tmp_path}/pg", "DATABASE_URL": postgres_url, "URN_URL": urn_url}
    settings = Settings.from_env({**environ, "REVIEW_BASE_URL": "http://localhost"})
    app = create_app(settings)
    with app.app_context():
        metadata.create_all(db.engine)
        cast = make_cast()
        cycle_id = make_maximum(cast, settings, ("ada", "bo", "cy"))
        purse = {name: draw_as(cycle_id, cast[name], settings) for name in ("ada", "bo", "cy")}
        held = cast_all(app, settings, purse)
        assert count(cycle_id).ballots == 6
        assert ballots.receipts_of(cycle_id) == sorted(receipt_of(ticket) for ticket in held)
        tickets.forget(cycle_id)
        assert tickets.is_forgotten(cycle_id)
        db.session.remove()
        db.engine.dispose()
