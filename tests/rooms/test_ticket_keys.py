"""The keys that sign tickets: made in the background from the draft on, for exactly the people in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from review.ballots import ticket_keys
from review.cycles import service
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import NotYet
from review.domain.vocabulary import Protection
from review.infra import jobs
from review.infra.db import db
from review.infra.house import house
from review.infra.jobs import JobRow, JobState, work_all, work_one
from review.infra.outbox import LetterRow
from review.infra.settings import Settings
from review.tickets import jobs as key_jobs
from review.tickets import service as tickets
from review.workflow import launch, publish, tick
from tests.browse import Browser
from tests.make import NOW, Cast
from tests.make_cycle import make_cycle, reviews_of, set_stage
from tests.make_tickets import set_protection
from tests.rooms.test_launch import company, draft, looked_at

__all__ = ["company"]

CYCLE = 7
FEW = ("ada", "bo", "cy")


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> int:
    """A cycle in draft with three people that is to have maximum protection."""
    with app.app_context():
        made = make_cycle(cast, Stage.DRAFT, who=[cast[name] for name in FEW])
        set_protection(made)
        db.session.commit()
        return made


def the(cycle_id: int) -> CycleRow:
    return db.session.get_one(CycleRow, cycle_id)


def make_keys(cycle_id: int) -> None:
    key_jobs.ask(the(cycle_id), NOW)
    db.session.commit()
    work_all(house().handlers, house().progress, "test", NOW)


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_pair_is_made_once_and_fits(tmp_path: Path) -> None:
    ticket_keys.make(tmp_path, CYCLE, 1)
    private, public = ticket_keys.private_key(tmp_path, CYCLE, 1), ticket_keys.public_key(tmp_path, CYCLE, 1)
    assert private is not None
    assert public is not None
    assert private.public_key() == public
    assert (public.key_size, public.public_numbers().e) == (2048, 65537)
    ticket_keys.make(tmp_path, CYCLE, 1)
    assert ticket_keys.public_key(tmp_path, CYCLE, 1) == public
    assert ticket_keys.made(tmp_path, CYCLE) == {1}
    assert ticket_keys.public(tmp_path, CYCLE, 2) is None


def test_nobody_but_the_owner_reads_a_key(tmp_path: Path) -> None:
    ticket_keys.make(tmp_path, CYCLE, 1)
    place = tmp_path / f"tickets-{CYCLE}"
    assert place.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o077 for path in place.iterdir()} == {0}


def test_a_pair_half_made_is_finished_with_the_same_key(tmp_path: Path) -> None:
    ticket_keys.make(tmp_path, CYCLE, 1)
    before = ticket_keys.public(tmp_path, CYCLE, 1)
    (tmp_path / f"tickets-{CYCLE}" / "1.der").unlink()
    assert ticket_keys.made(tmp_path, CYCLE) == set()
    ticket_keys.make(tmp_path, CYCLE, 1)
    assert ticket_keys.public(tmp_path, CYCLE, 1) == before


def test_keys_are_overwritten_before_they_are_removed(tmp_path: Path) -> None:
    for review in (1, 2, 3):
        ticket_keys.make(tmp_path, CYCLE, review)
    place = tmp_path / f"tickets-{CYCLE}"
    names = {path: place.parent / f"still-{path.name}" for path in place.glob("*.key")}
    for path, other in names.items():
        other.hardlink_to(path)  # another name for the same blocks
    assert ticket_keys.keep_only(tmp_path, CYCLE, {2}) == 2
    assert ticket_keys.made(tmp_path, CYCLE) == {2}
    ticket_keys.destroy(tmp_path, CYCLE)
    assert not ticket_keys.leaves_traces(tmp_path, CYCLE)
    assert {other.read_bytes().strip(b"\0") for other in names.values()} == {b""}
    ticket_keys.destroy(tmp_path, CYCLE)  # harmless to repeat


# -- the job ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_keys_are_made_for_everybody_in_the_draft(cycle: int, settings: Settings) -> None:
    assert not tickets.is_ready(the(cycle))
    make_keys(cycle)
    assert tickets.is_ready(the(cycle))
    assert ticket_keys.made(settings.keys_dir, cycle) == set(reviews_of(cycle).values())


@pytest.mark.usefixtures("inside")
def test_whoever_is_taken_out_loses_the_key_and_whoever_comes_gets_one(
    cycle: int, cast: Cast, settings: Settings
) -> None:
    make_keys(cycle)
    kept = {review: ticket_keys.public(settings.keys_dir, cycle, review) for review in reviews_of(cycle).values()}
    service.choose(the(cycle), [cast[name].id for name in ("ada", "bo", "di")])
    make_keys(cycle)
    now = reviews_of(cycle)
    assert ticket_keys.made(settings.keys_dir, cycle) == set(now.values())
    ada = now[cast["ada"].id]
    assert ticket_keys.public(settings.keys_dir, cycle, ada) == kept[ada]


@pytest.mark.usefixtures("inside")
def test_going_back_to_standard_protection_destroys_the_keys(cycle: int, settings: Settings) -> None:
    make_keys(cycle)
    set_protection(cycle, Protection.STANDARD)
    make_keys(cycle)
    assert not ticket_keys.leaves_traces(settings.keys_dir, cycle)
    assert tickets.is_ready(the(cycle))


@pytest.mark.usefixtures("inside")
def test_a_cycle_with_standard_protection_asks_for_no_keys(cycle: int) -> None:
    set_protection(cycle, Protection.STANDARD)
    key_jobs.ask(the(cycle), NOW)
    assert jobs.find(key_jobs.key_of(cycle)) is None


@pytest.mark.usefixtures("inside")
def test_many_keys_are_made_in_slices_between_which_others_get_their_turn(
    cycle: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_jobs, "SLICE", 0.0)
    monkeypatch.setattr(key_jobs.os, "cpu_count", lambda: 1)
    made = make_cycle_of_many(cycle)
    key_jobs.ask(the(cycle), NOW)
    db.session.commit()
    turns = []
    handlers = {**house().handlers, "test:other": lambda _job: turns.append(len(ticket_keys.made(*made)))}
    assert work_one(handlers, house().progress, "test", NOW)
    row = jobs.find(key_jobs.key_of(cycle))
    assert row is not None
    assert (row.state, row.attempts) == (JobState.WAITING, 0)
    assert house().progress.read(row.key) is not None  # the page goes on telling how far it is
    jobs.enqueue("test:other", "other", {}, NOW, run_at=NOW.replace(hour=0))
    db.session.commit()
    work_all(handlers, house().progress, "test", NOW)
    assert 0 < turns[0] < len(reviews_of(cycle))
    assert tickets.is_ready(the(cycle))
    assert house().progress.read(row.key) is None


def make_cycle_of_many(cycle_id: int) -> tuple[Path, int]:
    from tests.make import make_person

    people = [make_person(f"Many {number}").id for number in range(6)]
    service.choose(the(cycle_id), people)
    db.session.commit()
    return house().settings.keys_dir, cycle_id


@pytest.mark.usefixtures("inside")
def test_people_who_come_while_keys_are_made_are_not_forgotten(
    cycle: int, cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ticket_keys.make
    added: list[int] = []

    def make(folder: Path, cycle_id: int, review: int) -> None:
        real(folder, cycle_id, review)
        added.append(review)

    monkeypatch.setattr(ticket_keys, "make", make)
    wanted = key_jobs._wanted
    calls = iter(range(100))

    def late(cycle_id: int) -> set[int] | None:
        if next(calls) == 1:  # HR adds somebody while the first slice is under way
            service.choose(the(cycle_id), [cast[name].id for name in (*FEW, "di")])
            db.session.commit()
        return wanted(cycle_id)

    monkeypatch.setattr(key_jobs, "_wanted", late)
    make_keys(cycle)
    assert set(added) == set(reviews_of(cycle).values())
    assert len(added) == 4


@pytest.mark.usefixtures("inside")
def test_the_clock_asks_for_keys_that_are_missing(cycle: int) -> None:
    tick.tick(NOW)
    work_all(house().handlers, house().progress, "test", NOW)
    assert tickets.is_ready(the(cycle))
    tick.tick(NOW)
    states = db.session.scalars(select(JobRow.state).where(JobRow.kind == key_jobs.KIND)).all()
    assert states == [JobState.DONE]


@pytest.mark.usefixtures("inside")
def test_what_is_launched_keeps_its_keys_whatever_is_asked(cycle: int, settings: Settings) -> None:
    make_keys(cycle)
    set_stage(cycle, Stage.COLLECTING)
    make_keys(cycle)
    assert ticket_keys.made(settings.keys_dir, cycle) == set(reviews_of(cycle).values())


# -- the launch and the pages of HR ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("inside")
def test_a_launch_waits_for_the_keys_and_then_tells_their_fingerprint(company: Cast) -> None:
    made = draft(company)
    set_protection(made.id)
    looked_at(made)
    with pytest.raises(NotYet, match="cycle:ticket_keys_missing"):
        launch.ask(made, by=None, now=NOW)
    db.session.rollback()
    make_keys(made.id)
    launch.run(the(made.id), by=None, now=NOW)
    db.session.commit()
    letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == launch.OPENING)).all()
    assert {letter.params["fingerprint"] for letter in letters} == {tickets.digest_of(made.id)}
    assert tickets.digest_of(made.id) is not None


@pytest.mark.usefixtures("inside")
def test_a_launch_with_standard_protection_tells_no_fingerprint(company: Cast) -> None:
    made = draft(company)
    looked_at(made)
    launch.run(made, by=None, now=NOW)
    letters = db.session.scalars(select(LetterRow).where(LetterRow.kind == launch.OPENING)).all()
    assert {letter.params["fingerprint"] for letter in letters} == {None}
    assert "cycle:ticket_keys_missing" not in {
        need.code for need, _ in launch.needs(the(make_draft(company)), launch.facts_of(made, NOW))
    }


def make_draft(company: Cast) -> int:
    return draft(company, name="another", quarters_ago=2).id


def test_hr_sees_how_far_the_keys_are(app: Flask, cycle: int, cast: Cast, browse: Callable[..., Browser]) -> None:
    with app.app_context():
        key_jobs.ask(the(cycle), NOW)
        db.session.commit()
        house().progress.write(key_jobs.key_of(cycle), 1, 3, key_jobs.STEP)
    page = browse(cast["hana"]).get(f"/cycles/{cycle}")
    assert "Making the keys for the tickets" in page.words
    assert "The keys for the tickets are still being made." in page.words
    part = browse(cast["hana"]).client.get(f"/cycles/{cycle}/progress?job={key_jobs.key_of(cycle)}")
    assert "33%" in part.text
    with app.app_context():
        work_all(house().handlers, house().progress, "test", NOW)
    assert "Making the keys" not in browse(cast["hana"]).get(f"/cycles/{cycle}").words


@pytest.mark.usefixtures("inside")
def test_cancelling_a_draft_destroys_its_keys(cycle: int, cast: Cast, settings: Settings) -> None:
    make_keys(cycle)
    publish.cancel(the(cycle), "Not this quarter.", by=cast["hana"].id, now=NOW)
    db.session.commit()
    work_all(house().handlers, house().progress, "test", NOW)
    assert not ticket_keys.leaves_traces(settings.keys_dir, cycle)
