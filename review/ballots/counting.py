"""From the rows of an urn to cells: everything between happens in memory and is forgotten.

The cells and the marker that says "counted" reach the main database in one transaction that the disk has confirmed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.pool import NullPool

from review.ballots.disk import Step
from review.ballots.sealing import Opened, unseal
from review.ballots.tables import CellRow, CountRow
from review.ballots.urn import Row
from review.cycles.tables import ReviewRow
from review.domain import responses
from review.domain.disclosure import Cell, Figure, Shown, Withheld
from review.domain.responses import Answers
from review.domain.scheme_shape import Scheme
from review.infra.db import db, only_reading, prepare_sqlite

Cells = dict[int, tuple[Cell, ...]]
Said = Mapping[int, list[Answers]]
Recogniser = Callable[[bytes, Opened], bool]  # whether who cast the row with this hash was entitled to this ballot


@dataclass(frozen=True, slots=True)
class Counted:
    """How a count went: ballots of seats, and rows that no seat could have cast (left out)."""

    ballots: int
    strangers: int


def seated(review_of: Mapping[bytes, int]) -> Recogniser:
    """A row counts where its hash belongs to a seat of the review it speaks about."""
    return lambda found, opened: review_of.get(found) == opened.ballot.review_id


def open_all(
    rows: Iterable[Row], cycle_id: int, key: EllipticCurvePrivateKey, recognise: Recogniser
) -> tuple[Said, Counted]:
    """The answers by review, of those rows that open and are recognised; the others are strangers."""
    said: dict[int, list[Answers]] = {}
    ballots = strangers = 0
    for found, version, sealed in rows:
        with suppress(ValueError):
            opened = unseal(version, sealed, cycle_id=cycle_id, token_hash=found, private_key=key)
            if recognise(found, opened):
                said.setdefault(opened.ballot.review_id, []).append(opened.ballot.answers)
                ballots += 1
                continue
        strangers += 1
    return said, Counted(ballots, strangers)


def work_out(scheme: Scheme, reviews: Iterable[int], seats: Mapping[UUID, int], said: Said) -> Cells:
    """The cells of `reviews`. A panel is everybody who ever had a seat, since each of them may have cast."""
    panel = Counter(seats.values())
    return {review: responses.cells_of(scheme, said.get(review, ()), panel[review]) for review in sorted(reviews)}


def store(cycle_id: int, cells: Cells, counted: Counted, now: datetime, at: Step) -> None:
    """Write cells and marker, then read them back over another connection.

    Raises RuntimeError when something else comes back.
    """
    engine = _durable_engine()
    rows = [_row(review, cell) for review, published in cells.items() for cell in published]
    marker = {"cycle_id": cycle_id, "counted_at": now, "ballots": counted.ballots, "strangers": counted.strangers}
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL synchronous_commit TO on"))
        if rows:
            connection.execute(insert(CellRow), rows)
        connection.execute(insert(CountRow), marker)
        at("writing")
    at("written")
    with only_reading(), engine.connect() as connection:
        there = connection.execute(_stored(cycle_id)).all()
        marked = connection.scalar(select(CountRow.cycle_id).where(CountRow.cycle_id == cycle_id))
    if marked is None or as_cells(there) != _sorted(cells):
        raise RuntimeError(f"the cells of cycle {cycle_id} read back differ from those written")
    at("verified")


def as_cells(rows: Iterable[Any]) -> Cells:
    """Stored rows as cells by review, criteria in alphabetical order."""
    found: dict[int, list[Cell]] = {}
    for row in rows:
        figure: Figure = Withheld(row.withheld) if row.withheld else Shown(row.n, row.points, row.over, row.end)
        found.setdefault(row.review_id, []).append(Cell(row.criterion, figure))
    return {review: tuple(sorted(cells, key=lambda cell: cell.criterion)) for review, cells in found.items()}


def _sorted(cells: Cells) -> Cells:
    return {
        review: tuple(sorted(published, key=lambda cell: cell.criterion))
        for review, published in cells.items()
        if published
    }


def _row(review_id: int, cell: Cell) -> dict[str, Any]:
    figure, row = cell.figure, {"review_id": review_id, "criterion": cell.criterion}
    if isinstance(figure, Withheld):
        return row | {"n": None, "points": None, "over": None, "end": None, "withheld": figure.why}
    return row | {"n": figure.n, "points": figure.points, "over": figure.over, "end": figure.end, "withheld": None}


def _stored(cycle_id: int) -> Any:
    """The cells of a cycle as plain columns: `over` and the rest, without rows of the session."""
    columns = CellRow.__table__.columns
    return select(*columns).join(ReviewRow, ReviewRow.id == columns.review_id).where(ReviewRow.cycle_id == cycle_id)


def stored(cycle_id: int) -> Cells:
    """The cells of a cycle, through the session."""
    return as_cells(db.session.execute(_stored(cycle_id)))


def _durable_engine() -> Engine:
    """The main database over connections of its own, whose commits return only when the disk has them.

    Everywhere else synchronous=NORMAL does: a loss of power may take back the last answers of a moment. Here it would
    take back the cells after the ballots have been destroyed.
    """
    engine = create_engine(db.engine.url, poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
        event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous=FULL").close())
    return engine
