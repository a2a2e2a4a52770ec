"""An urn takes ballots until it is closed, finds them by seat and key alone, and vanishes for good."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask

from review.ballots import keys, sealing, service
from review.ballots.postgres_urn import PostgresUrn
from review.ballots.service import urn_at
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.tables import UrnRow
from review.ballots.urn import Closed, Missing, Urn
from review.domain.cycle import Stage
from review.domain.refusals import OutOfReach, Taken, TooLate
from review.domain.responses import Ballot
from review.infra.db import db
from review.infra.settings import Settings
from tests.make import Cast
from tests.make_cycle import make_cycle, review_of, set_stage
from tests.make_peers import GOOD, POOR, cast_for, open_ballots, seat_team

SEALED = b"x" * sealing.sealed_size(sealing.PLAIN)


@pytest.fixture
def urn(tmp_path: Path) -> SqliteUrn:
    made = SqliteUrn(tmp_path / "urns", 7)
    made.create()
    return made


@pytest.fixture
def cycle(app: Flask, cast: Cast) -> Iterator[int]:
    """A collecting cycle with an open urn, inside an application context."""
    with app.app_context():
        cycle_id = make_cycle(cast)
        service.open_urn(cycle_id)
        db.session.commit()
        yield cycle_id


@pytest.fixture
def about_ada(cycle: int, cast: Cast) -> Ballot:
    return Ballot(review_of(cycle, cast["ada"]), GOOD)


def fill(urn: SqliteUrn, tokens: list[bytes]) -> None:
    """Many ballots in one transaction, in the given order."""
    with urn._casting() as connection:
        connection.execute(urn._insert(), [{"token_hash": token, "version": 0, "sealed": SEALED} for token in tokens])


def urn_file(settings: Settings, cycle_id: int) -> Path:
    return settings.data_dir / "urns" / f"{cycle_id}.sqlite"


# -- casting ---------------------------------------------------------------------------------------------------------


def test_a_ballot_is_found_again_by_its_seat(cycle: int, about_ada: Ballot) -> None:
    seat, other = uuid4(), uuid4()
    service.cast(cycle, seat, about_ada)
    assert service.has_cast(cycle, [seat, other]) == {seat}


def test_no_ballot_is_found_by_a_seat_of_another_cycle(cycle: int, about_ada: Ballot, cast: Cast) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    other = make_cycle(cast, name="other", quarters_ago=2)
    service.open_urn(other)
    assert service.has_cast(other, [seat]) == set()


def test_casting_again_replaces_the_ballot(cycle: int, about_ada: Ballot, settings: Settings) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    service.cast(cycle, seat, Ballot(about_ada.review_id, POOR))
    assert open_ballots(settings, cycle) == [Ballot(about_ada.review_id, POOR)]


def test_a_ballot_that_was_replaced_is_nowhere_in_the_file(cycle: int, about_ada: Ballot, settings: Settings) -> None:
    seat = uuid4()
    service.cast(cycle, seat, Ballot(about_ada.review_id, POOR))
    ((_, _, replaced),) = urn_at(settings, cycle).rows()
    assert replaced in urn_file(settings, cycle).read_bytes()
    service.cast(cycle, seat, about_ada)
    left = urn_file(settings, cycle).read_bytes()
    assert not [at for at in range(0, len(replaced), 64) if replaced[at : at + 64] in left]


def test_a_ballot_after_the_close_is_refused(cycle: int, about_ada: Ballot) -> None:
    service.close_urn(cycle)
    with pytest.raises(TooLate, match="ballots:closed"):
        service.cast(cycle, uuid4(), about_ada)


def test_after_the_close_nobody_may_ask_who_has_cast(cycle: int, about_ada: Ballot) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    service.close_urn(cycle)
    with pytest.raises(TooLate):
        service.has_cast(cycle, [seat])


def test_closing_twice_is_harmless(cycle: int, about_ada: Ballot) -> None:
    service.close_urn(cycle)
    service.close_urn(cycle)
    with pytest.raises(TooLate):
        service.cast(cycle, uuid4(), about_ada)


def test_a_cycle_without_an_urn_takes_no_ballot(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        with pytest.raises(OutOfReach):
            service.cast(cycle_id, uuid4(), Ballot(review_of(cycle_id, cast["ada"]), GOOD))
        with pytest.raises(OutOfReach):
            service.close_urn(cycle_id)


def test_without_the_key_no_ballot_is_taken(cycle: int, about_ada: Ballot, settings: Settings) -> None:
    keys.destroy(settings.keys_dir, cycle)
    with pytest.raises(Taken, match="ballots:key_gone"):
        service.cast(cycle, uuid4(), about_ada)


def test_no_ballot_is_taken_under_a_key_that_lost_its_content(
    cycle: int, about_ada: Ballot, settings: Settings
) -> None:
    (settings.keys_dir / f"urn-{cycle}.key").write_bytes(b"")
    with pytest.raises(Taken, match="ballots:key_gone"):
        service.cast(cycle, uuid4(), about_ada)
    assert not service.is_whole(cycle)


# -- what lies in the urn --------------------------------------------------------------------------------------------


def test_no_row_needs_an_overflow_page(urn: SqliteUrn) -> None:
    fill(urn, [os.urandom(32) for _ in range(300)])
    with sqlite3.connect(urn.path) as raw:
        page_types = [raw_page[0] for raw_page in pages(urn.path)[1:]]
        assert raw.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert set(page_types) <= {0x02, 0x0A, 0x0D}, "an overflow page tells the order of casting"


def pages(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[at : at + 16384] for at in range(0, len(content), 16384)]


def test_reading_an_urn_gives_the_order_of_hashes_not_of_casting(urn: SqliteUrn) -> None:
    cast_order = [os.urandom(32) for _ in range(200)]
    fill(urn, cast_order)
    assert [token for token, _, _ in urn.rows()] == sorted(cast_order)


def test_the_hash_of_a_seat_needs_the_key() -> None:
    seat = UUID(int=1)
    one, other = bytes(32), bytes([1] * 32)
    assert keys.token_hash(one, seat) == keys.token_hash(one, seat)
    assert keys.token_hash(one, seat) != keys.token_hash(other, seat)
    assert keys.token_hash(one, seat) != keys.token_hash(one, UUID(int=2))


def test_many_seats_are_found_as_few_are(urn: SqliteUrn) -> None:
    tokens = [os.urandom(32) for _ in range(1200)]
    fill(urn, tokens[::2])
    assert urn.holds(tokens) == set(tokens[::2])
    assert urn.holds(tokens[:10]) == set(tokens[:10:2])


# -- opening and destroying ------------------------------------------------------------------------------------------


def test_opening_makes_key_and_urn_readable_for_this_user_alone(cycle: int, settings: Settings) -> None:
    key = settings.keys_dir / f"urn-{cycle}.key"
    assert len(key.read_bytes()) == keys.SIZE
    assert key.stat().st_mode & 0o077 == 0
    assert settings.data_dir not in key.parents


def test_opening_twice_keeps_ballots_and_key(cycle: int, about_ada: Ballot) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    service.open_urn(cycle)
    assert service.has_cast(cycle, [seat]) == {seat}


def test_an_urn_that_was_lost_is_never_made_again(cycle: int, about_ada: Ballot, settings: Settings) -> None:
    urn_file(settings, cycle).unlink()
    with pytest.raises(Taken, match="ballots:urn_gone"):
        service.open_urn(cycle)
    with pytest.raises(Taken, match="ballots:urn_gone"):
        service.cast(cycle, uuid4(), about_ada)
    assert not urn_file(settings, cycle).exists()


def test_an_aborted_launch_can_be_repeated(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        db.session.commit()
        service.open_urn(cycle_id)
        db.session.rollback()
        service.open_urn(cycle_id)
        db.session.commit()
        assert db.session.get(UrnRow, cycle_id) is not None


def test_an_urn_with_foreign_ballots_is_never_taken_over(app: Flask, cast: Cast, settings: Settings) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        stray = SqliteUrn(settings.data_dir / "urns", cycle_id)
        stray.create()
        stray.put(os.urandom(32), 0, SEALED)
        with pytest.raises(Taken, match="ballots:urn_in_the_way"):
            service.open_urn(cycle_id)
        assert stray.size() == 1


def test_cancelling_destroys_key_and_urn_uncounted(cycle: int, about_ada: Ballot, settings: Settings) -> None:
    service.cast(cycle, uuid4(), about_ada)
    set_stage(cycle, Stage.CANCELLED)
    db.session.commit()
    assert not service.is_destroyed(cycle)
    service.destroy(cycle)
    assert service.is_destroyed(cycle)
    assert list((settings.data_dir / "urns").iterdir()) == []
    assert service.cells_of(cycle) == {}
    with pytest.raises(TooLate):
        service.cast(cycle, uuid4(), about_ada)


def test_what_is_destroyed_is_overwritten_and_not_only_unlinked(
    cycle: int, about_ada: Ballot, settings: Settings, tmp_path: Path
) -> None:
    """A second name of the same file still shows what the disk holds after the first one is gone."""
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    files = [settings.data_dir / "urns" / f"{cycle}.sqlite", settings.keys_dir / f"urn-{cycle}.key"]
    kept = [tmp_path / "urn again", tmp_path / "key again"]
    for other, path in zip(kept, files, strict=True):
        other.hardlink_to(path)
        assert any(path.read_bytes())
    set_stage(cycle, Stage.CANCELLED)
    service.destroy(cycle)
    for other in kept:
        assert not any(other.read_bytes()), f"{other.name}: what lay there is still on the disk"


@pytest.mark.parametrize("stage", [Stage.COLLECTING, Stage.COUNTING])
def test_a_cycle_that_is_neither_cancelled_nor_counted_keeps_its_ballots(
    cycle: int, about_ada: Ballot, stage: Stage
) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    set_stage(cycle, stage)
    with pytest.raises(Taken, match="ballots:not_over"):
        service.destroy(cycle)
    assert service.has_cast(cycle, [seat]) == {seat}


class Stopped(Exception):  # noqa: N818
    """The moment at which a test pulls the plug."""


@pytest.mark.parametrize(
    "step", ["key_overwritten", "key_unlinked", "key_destroyed", "urn_renamed", "urn_overwritten", "urn_unlinked"]
)
def test_destroying_can_be_resumed_after_every_step(cycle: int, about_ada: Ballot, step: str) -> None:
    service.cast(cycle, uuid4(), about_ada)
    set_stage(cycle, Stage.CANCELLED)

    def stop(reached: str) -> None:
        if reached == step:
            raise Stopped

    with pytest.raises(Stopped):
        service.destroy(cycle, at=stop)
    with pytest.raises((TooLate, Taken)):
        service.cast(cycle, uuid4(), about_ada)
    service.destroy(cycle)
    assert service.is_destroyed(cycle)


def test_open_urns_are_upgraded_and_keep_their_ballots(cycle: int, about_ada: Ballot) -> None:
    seat = uuid4()
    service.cast(cycle, seat, about_ada)
    assert service.upgrade_urns() == 1
    assert service.has_cast(cycle, [seat]) == {seat}


def test_a_hundred_casts_take_well_under_50_ms_each(cycle: int, about_ada: Ballot) -> None:
    begun = time.process_time()  # what the disk takes to confirm is the benchmarks' business
    for _ in range(100):
        service.cast(cycle, uuid4(), about_ada)
    assert (time.process_time() - begun) / 100 < 0.05


# -- several processes -----------------------------------------------------------------------------------------------

CASTER = """
import sys
from pathlib import Path
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.urn import Closed
urn = SqliteUrn(Path(sys.argv[1]), 7)
print("ready", flush=True)
sys.stdin.readline()
for n in range(100000):
    token = f"{sys.argv[2]}-{n}".encode()
    try:
        urn.put(token, 0, b"x" * 1024)
    except Closed:
        break
    print(token.decode(), flush=True)
"""


def test_ballots_cast_while_the_urn_closes_are_in_or_refused_and_never_lost(urn: SqliteUrn, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CASTER, str(urn.path.parent)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    casters = [subprocess.Popen([*command, name], **pipes) for name in ("one", "two")]
    for caster in casters:
        assert caster.stdout.readline() == "ready\n"
    for caster in casters:
        caster.stdin.write("go\n")
        caster.stdin.flush()
    begun = {caster.stdout.readline().strip().encode() for caster in casters for _ in range(10)}
    urn.close()
    at_close = {token for token, _, _ in urn.rows()}
    # Read to the end from the same stream: communicate() would drop the lines it has buffered already.
    accepted = begun | {line.strip().encode() for caster in casters for line in caster.stdout}
    assert [caster.wait(60) for caster in casters] == [0, 0]
    assert {token for token, _, _ in urn.rows()} == at_close, "a ballot came in after the close"
    assert at_close == accepted, "a ballot was taken and lost, or kept and refused"
    for caster in casters:
        caster.stdin.close()
        caster.stdout.close()


def test_a_close_waits_for_a_cast_under_way_and_the_next_cast_is_refused(urn: SqliteUrn) -> None:
    with contextlib.closing(sqlite3.connect(urn.path, isolation_level=None, timeout=0)) as other:
        with urn._casting() as connection:
            assert not urn._is_closed(connection)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        urn.close()
    with pytest.raises(Closed):
        urn.put(os.urandom(32), 0, SEALED)


def test_a_cast_that_finds_its_urn_gone_does_not_make_a_new_one(urn: SqliteUrn) -> None:
    urn.drop()
    with pytest.raises(Missing):
        urn.put(os.urandom(32), 0, SEALED)
    assert not urn.leaves_traces()


# -- the same on PostgreSQL ------------------------------------------------------------------------------------------


@pytest.fixture
def schema(urn_url: str) -> Urn:
    made = PostgresUrn(urn_url, 7)
    made.create()
    return made


@pytest.mark.postgres
def test_a_schema_takes_ballots_until_it_is_closed(schema: Urn) -> None:
    token = os.urandom(32)
    schema.put(token, 0, b"first")
    schema.put(token, 0, b"second")
    schema.create()
    assert schema.holds([token, os.urandom(32)]) == {token}
    schema.close()
    schema.close()
    assert schema.is_closed()
    with pytest.raises(Closed):
        schema.put(os.urandom(32), 0, b"late")
    with pytest.raises(Closed):
        schema.holds([token])
    assert list(schema.rows()) == [(token, 0, b"second")]


@pytest.mark.postgres
def test_a_schema_that_is_dropped_is_gone_and_not_made_again(schema: Urn) -> None:
    schema.migrate()
    schema.drop()
    schema.drop()
    assert not schema.leaves_traces()
    with pytest.raises(Missing):
        schema.put(os.urandom(32), 0, b"late")


@pytest.mark.postgres
def test_closing_a_schema_waits_for_the_casts_under_way(schema: Urn, urn_url: str) -> None:
    import threading

    done = threading.Event()

    def close() -> None:
        PostgresUrn(urn_url, schema._cycle_id).close()
        done.set()

    with schema._casting() as connection:
        assert not schema._is_closed(connection)
        closer = threading.Thread(target=close)
        closer.start()
        assert not done.wait(0.5), "the close must wait"
        connection.execute(schema._insert().values(token_hash=b"in time", version=0, sealed=b"x"))
    closer.join(10)
    assert done.is_set()
    assert [token for token, _, _ in schema.rows()] == [b"in time"]


def test_seats_of_a_whole_team_have_each_their_own_place(app: Flask, cast: Cast) -> None:
    with app.app_context():
        cycle_id = make_cycle(cast)
        seats = seat_team(cycle_id, cast)
        cast_for(cycle_id, seats["bo", "ada"], GOOD)
        assert service.has_cast(cycle_id, list(seats.values())) == {seats["bo", "ada"]}
