"""No order in which the rows of an urn can be seen is the order in which they were cast: read from the bytes.

The measurement has teeth: the same reader finds the order in tables that are written in the ordinary way.
"""

import random
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, NullPool, create_engine, text

from review.ballots import sqlite_urn, urn
from review.ballots.postgres_urn import PostgresUrn
from review.ballots.sqlite_urn import UNTOLD, SqliteUrn
from review.ballots.urn import Row, Urn
from tests.adversary.physical import Order, cells, database_bytes, file_orders, pages, schema_orders, spearman
from tests.postgres import _as_postgres, binaries, cluster, new_database

SIZE = 1105  # the smallest ballot there is; the largest is 3,153
MARK = b"a ballot"  # before every 24 bytes of a ballot, so that one look finds whatever is left of any of them
PIECE = re.compile(re.escape(MARK) + b"(.{24})", re.DOTALL)
BOUND = 0.15


class Play:
    """Casts at random moments by one seed, and what they were: the truth that an attacker would like to know."""

    def __init__(self, seed: int, size: int = SIZE) -> None:
        self.dice = random.Random(seed)
        self.size = size
        self.firsts: dict[bytes, int] = {}
        self.lasts: dict[bytes, int] = {}
        self.bodies: dict[bytes, bytes] = {}
        self.moment = 0

    def cast(self, urn: Urn, count: int) -> None:
        for _ in range(count):
            self._put(urn, self.dice.randbytes(32))

    def cast_again(self, urn: Urn, count: int) -> None:
        for token in self.dice.sample(sorted(self.bodies), count):
            self._put(urn, token)

    def _put(self, urn: Urn, token: bytes) -> None:
        self.moment += 1
        body = b"".join(MARK + self.dice.randbytes(24) for _ in range(self.size // 32)).ljust(self.size, b".")
        urn.put(token, 1, body)
        self.firsts.setdefault(token, self.moment)
        self.lasts[token] = self.moment
        self.bodies[token] = body

    def rhos(self, orders: dict[str, Order]) -> dict[str, float]:
        truths = {"first": self.firsts, "last": self.lasts}
        return {
            f"{channel}, {name} cast": abs(spearman(order, truth))
            for channel, order in orders.items()
            for name, truth in truths.items()
        }


def attack(make: Callable[[int], Urn], read: Callable[[Urn], dict[str, Order]], seeds: int, fills: tuple[int, ...],
           size: int = SIZE) -> dict[str, float]:  # fmt: skip
    """Mean |rho| of each channel over the seeds, the worst over the snapshots: at each fill, and after a third anew."""
    found: dict[tuple[int | str, str], list[float]] = {}
    for seed in range(seeds):
        urn, play = make(seed), Play(seed, size)
        for fill in fills:
            play.cast(urn, fill - len(play.bodies))
            note(found, fill, play.rhos(read(urn)))
        play.cast_again(urn, len(play.bodies) // 3)
        note(found, "anew", play.rhos(read(urn)))
    means = {key: sum(values) / len(values) for key, values in found.items()}
    return {channel: max(mean for (_, name), mean in means.items() if name == channel) for _, channel in means}


def note(found: dict[tuple[int | str, str], list[float]], snapshot: int | str, rhos: dict[str, float]) -> None:
    for channel, rho in rhos.items():
        found.setdefault((snapshot, channel), []).append(rho)


def pieces(content: bytes) -> list[bytes]:
    """What is left of ballots in `content`, in an order of its own."""
    return sorted(PIECE.findall(content))


def show(worst: dict[str, float]) -> None:
    print()  # noqa: T201  whoever runs it by hand wants the figures
    for channel, rho in sorted(worst.items(), key=lambda item: -item[1]):
        print(f"  {rho:.3f}  {channel}")  # noqa: T201


def verdict(worst: dict[str, float]) -> dict[str, float]:
    return {channel: round(rho, 3) for channel, rho in worst.items() if rho > BOUND}


# -- SQLite ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dice that fall alike on every run, so that a bound on chance never fails by chance."""
    dice = random.Random(360)
    monkeypatch.setattr(sqlite_urn.secrets, "SystemRandom", lambda: dice)
    return


@pytest.fixture
def files(tmp_path: Path, seeded: None) -> Callable[[int], SqliteUrn]:
    return lambda seed: made(SqliteUrn(tmp_path / "urns", seed + 1))


def made(urn: Any) -> Any:
    urn.create()
    return urn


def read_file(urn: Urn) -> dict[str, Order]:
    assert isinstance(urn, SqliteUrn)
    return file_orders(urn.path)


def test_no_order_in_an_urns_file_is_that_of_casting(files: Callable[[int], Urn]) -> None:
    worst = attack(files, read_file, seeds=3, fills=(200, 250))
    assert verdict(worst) == {}


class PlainFile(SqliteUrn):
    """An urn whose rows stay where SQLite puts them."""

    def _place(self, connection: Connection, row: Row) -> None:
        connection.exec_driver_sql("INSERT OR REPLACE INTO ballot VALUES (?, ?, ?)", row)


class NumberedFile(PlainFile):
    """One with rowids as well."""

    def create(self) -> None:
        super().create()
        with sqlite3.connect(self.path) as raw:
            raw.execute("DROP TABLE ballot")
            raw.execute("CREATE TABLE ballot (token_hash BLOB PRIMARY KEY, version SMALLINT, sealed BLOB)")


def test_the_reader_finds_the_order_in_files_written_in_the_ordinary_way(tmp_path: Path) -> None:
    small = attack(lambda seed: made(PlainFile(tmp_path / "plain", seed)), read_file, 1, (250,), size=30)
    assert small["place in the page, first cast"] > 0.4, "large rows are moved about by SQLite itself"
    numbered = attack(lambda seed: made(NumberedFile(tmp_path / "numbered", seed)), read_file, 1, (250,))
    assert numbered["rowid, last cast"] > 0.99
    assert numbered["place in the file, last cast"] > 0.6
    assert numbered["place in the page, last cast"] > 0.9


def test_nothing_of_an_earlier_ballot_is_left_in_the_file_and_it_grows_with_its_rows_alone(
    files: Callable[[int], SqliteUrn],
) -> None:
    urn, play = files(0), Play(0)
    play.cast(urn, 220)
    once = len(pages(urn.path))
    play.cast_again(urn, 100)
    content = urn.path.read_bytes()
    assert sorted(cell.token for cell in cells(urn.path)) == sorted(play.bodies)
    assert {content.count(token) for token in play.bodies} == {1}
    assert pieces(content) == pieces(b"".join(play.bodies.values()))
    assert abs(len(pages(urn.path)) - once) <= 3


def test_neither_times_nor_the_journal_tell_when_the_last_cast_came_in(files: Callable[[int], SqliteUrn]) -> None:
    urn, play = files(0), Play(0)
    before = sorted(urn.path.parent.iterdir())
    changed = urn.path.parent.stat().st_mtime_ns
    play.cast(urn, 3)
    assert sorted(urn.path.parent.iterdir()) == before
    assert urn.path.parent.stat().st_mtime_ns == changed
    assert {path.stat().st_mtime for path in before} == {UNTOLD}
    assert {path.stat().st_size for path in before if path != urn.path} == {0}


@pytest.mark.full
@pytest.mark.parametrize("size", [1105, 3153])
def test_no_order_in_large_files_is_that_of_casting(files: Callable[[int], Urn], size: int) -> None:
    worst = attack(files, read_file, seeds=8, fills=(200, 250, 400, 1000), size=size)
    show(worst)
    assert verdict(worst) == {}


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture
def schemas(urn_url: str) -> Callable[[int], PostgresUrn]:
    return lambda seed: made(PostgresUrn(urn_url, seed + 1))


def read_schema(urn: Urn) -> dict[str, Order]:
    assert isinstance(urn, PostgresUrn)
    with superuser(urn) as connection:
        return schema_orders(connection)


@contextmanager
def superuser(urn: PostgresUrn) -> Iterator[Connection]:
    engine = create_engine(urn._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"SET search_path TO {urn.schema}, public"))
        yield connection


@pytest.mark.postgres
def test_no_order_in_an_urns_schema_is_that_of_casting_and_nothing_of_an_earlier_ballot_is_left(
    schemas: Callable[[int], PostgresUrn],
) -> None:
    urn, play = schemas(0), Play(0)
    play.cast(urn, 200)
    worst = play.rhos(read_schema(urn))
    play.cast_again(urn, 66)
    again = play.rhos(read_schema(urn))
    assert (verdict(worst), verdict(again)) == ({}, {})
    with superuser(urn) as connection:
        content = database_bytes(connection)
    assert pieces(content) == pieces(b"".join(play.bodies.values()))
    some = sorted(play.bodies)[:20]
    assert {content.count(token) for token in some} == {2}, "a row and its place in the index, and nothing else"


@pytest.mark.full
@pytest.mark.postgres
@pytest.mark.parametrize("size", [1105, 3153])
def test_no_order_in_large_schemas_is_that_of_casting(schemas: Callable[[int], Urn], size: int) -> None:
    worst = attack(schemas, read_schema, seeds=5, fills=(200, 250, 400, 1000), size=size)
    show(worst)
    assert verdict(worst) == {}


class PlainSchema(PostgresUrn):
    """An urn of one table whose rows stay where PostgreSQL puts them."""

    def create(self) -> None:
        super().create()
        with self._closing() as connection:
            command.downgrade(urn.migrations(connection, self.schema), "0001")

    def _place(self, connection: Connection, row: Row) -> None:
        upsert = "ON CONFLICT (token_hash) DO UPDATE SET version = excluded.version, sealed = excluded.sealed"
        values = {"token_hash": row[0], "version": row[1], "sealed": row[2]}
        connection.execute(text(f"INSERT INTO ballot VALUES (:token_hash, :version, :sealed) {upsert}"), values)


@pytest.mark.postgres
def test_the_reader_finds_the_order_in_a_schema_written_in_the_ordinary_way(urn_url: str) -> None:
    plain = attack(lambda seed: made(PlainSchema(urn_url, seed)), read_schema, 1, (100,))
    for channel in ("xmin of the row", "ctid", "last bytes of the leaf", "log position of the page"):
        assert plain[f"{channel}, last cast"] > 0.95, channel


@pytest.mark.full
@pytest.mark.postgres
@pytest.mark.parametrize("level", ["replica", "minimal"])
def test_a_server_that_logs_the_minimum_logs_no_ballot(level: str) -> None:
    """The server's log of writes is the one place that keeps them in order, unless its wal_level is minimal."""
    with cluster() as server:
        urn, play = made(PostgresUrn(new_database(server), 1)), Play(0)
        with superuser(urn) as connection:
            folder = Path(connection.scalar(text("SHOW data_directory")))
            connection.execute(text(f"ALTER SYSTEM SET wal_level = {level}"))
            connection.execute(text("ALTER SYSTEM SET max_wal_senders = 0"))
        restart = [str(binaries() / "pg_ctl"), "-D", str(folder), "-m", "fast", "-w", "-l", "/dev/null", "restart"]
        subprocess.run(_as_postgres(restart), check=True, capture_output=True, cwd="/")
        play.cast(urn, 150)
        play.cast_again(urn, 20)
        logged = set(PIECE.findall(b"".join(path.read_bytes() for path in (folder / "pg_wal").glob("0*"))))
        assert play.bodies.keys() == {token for token, _, _ in urn.rows()}
    assert bool(logged) == (level == "replica")
