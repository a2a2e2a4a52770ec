"""From the rows of an urn to what is published of them: everything between happens in memory and is forgotten.

That and the marker that says "counted" reach the main database in one transaction that the disk has confirmed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from review.ballots.tables import CellRow, CommentRow, CountRow, CycleFigureRow, ReceiptRow
from review.ballots.urn import Row
from review.cycles.tables import ReviewRow
from review.domain import responses
from review.domain.disclosure import Cell, Figure, Shown, Withheld
from review.domain.peer_figures import CycleFigure, cycle_figures
from review.domain.peer_words import comments_of
from review.domain.responses import Ballot
from review.domain.scheme_shape import Scheme
from review.infra.db import db, only_reading, prepare_sqlite

Cells = dict[int, tuple[Cell, ...]]
Comments = dict[int, tuple[str, ...]]
Said = Mapping[int, list[Ballot]]
Recogniser = Callable[[bytes, Opened], bool]  # whether who cast the row with this hash was entitled to this ballot


@dataclass(frozen=True, slots=True)
class Counted:
    """How a count went: ballots of seats, and rows that no seat could have cast (left out)."""

    ballots: int
    strangers: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is ever published of the ballots of a cycle: cells and words by review, and figures about the whole."""

    cells: Cells
    comments: Comments
    figures: tuple[CycleFigure, ...]
    receipts: tuple[bytes, ...] = ()  # of a cycle with tickets


def seated(review_of: Mapping[bytes, int]) -> Recogniser:
    """A row counts where its hash belongs to a seat of the review it speaks about."""
    return lambda found, opened: review_of.get(found) == opened.ballot.review_id


def open_all(
    rows: Iterable[Row], cycle_id: int, key: EllipticCurvePrivateKey, recognise: Recogniser
) -> tuple[Said, Counted]:
    """The ballots by review, of those rows that open and are recognised; the others are strangers."""
    said: dict[int, list[Ballot]] = {}
    ballots = strangers = 0
    for found, version, sealed in rows:
        with suppress(ValueError):
            opened = unseal(version, sealed, cycle_id=cycle_id, token_hash=found, private_key=key)
            if recognise(found, opened):
                said.setdefault(opened.ballot.review_id, []).append(opened.ballot)
                ballots += 1
                continue
        strangers += 1
    return said, Counted(ballots, strangers)


def work_out(scheme: Scheme, reviews: Iterable[int], seats: Mapping[UUID, int], said: Said) -> Outcome:
    """What is published about `reviews`. A panel is everybody who ever had a seat, since each of them may have cast."""
    panel, living = Counter(seats.values()), sorted(reviews)
    answers = {review: [ballot.answers for ballot in said.get(review, ())] for review in living}
    cells = {review: responses.cells_of(scheme, answers[review], panel[review]) for review in living}
    words = {
        review: comments_of(scheme, review, (ballot.comment for ballot in cast), len(cast), panel[review])
        for review in living
        if (cast := said.get(review))
    }
    return Outcome(
        cells,
        {review: shown for review, shown in words.items() if shown},
        cycle_figures(scheme, answers, cells),
    )


def store(cycle_id: int, outcome: Outcome, counted: Counted, now: datetime, at: Step) -> None:
    """Write what is published and the marker, then read it back over another connection.

    Raises RuntimeError when something else comes back.
    """
    engine = _durable_engine()
    rows = _rows_of(cycle_id, outcome)
    marker = {"cycle_id": cycle_id, "counted_at": now, "ballots": counted.ballots, "strangers": counted.strangers}
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL synchronous_commit TO on"))
        for table, some in rows.items():
            if some:
                connection.execute(insert(table), some)
        connection.execute(insert(CountRow), marker)
        at("writing")
    at("written")
    with only_reading(), engine.connect() as connection:
        there = connection.execute(_stored(cycle_id)).all()
        words = as_comments(connection.execute(_written(cycle_id)))
        marked = connection.scalar(select(CountRow.cycle_id).where(CountRow.cycle_id == cycle_id))
    if marked is None or as_cells(there) != _sorted(outcome.cells) or words != outcome.comments:
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


def _rows_of(cycle_id: int, outcome: Outcome) -> dict[Any, list[dict[str, Any]]]:
    """The rows of each table."""
    return {
        CellRow: [_row(review, cell) for review, published in outcome.cells.items() for cell in published],
        CommentRow: [
            {"review_id": review, "number": number, "text": words}
            for review, shown in outcome.comments.items()
            for number, words in enumerate(shown, 1)
        ],
        CycleFigureRow: [
            {
                "cycle_id": cycle_id,
                "criterion": figure.criterion,
                "reviews": figure.reviews,
                "icc1_hundredths": figure.icc1,
                "variance_hundredths": figure.variance,
            }
            for figure in outcome.figures
        ],
        ReceiptRow: [{"cycle_id": cycle_id, "code": code} for code in outcome.receipts],
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


def _written(cycle_id: int) -> Any:
    """The words of a cycle as plain columns, in the order in which they are shown."""
    columns = CommentRow.__table__.columns
    query = select(columns.review_id, columns.text).join(ReviewRow, ReviewRow.id == columns.review_id)
    return query.where(ReviewRow.cycle_id == cycle_id).order_by(columns.review_id, columns.number)


def as_comments(rows: Iterable[Any]) -> Comments:
    """Stored words by review, in the order of `rows`."""
    found: dict[int, list[str]] = {}
    for review_id, words in rows:
        found.setdefault(review_id, []).append(words)
    return {review_id: tuple(words) for review_id, words in found.items()}


def comments(cycle_id: int) -> Comments:
    """The words of a cycle, through the session."""
    return as_comments(db.session.execute(_written(cycle_id)))


def stored(cycle_id: int) -> Cells:
    """The cells of a cycle, through the session."""
    return as_cells(db.session.execute(_stored(cycle_id)))


def points_of(cycle_id: int, criteria: Sequence[str]) -> dict[int, list[int]]:
    """What is published of each review, over these criteria: points, over, points, over …; 0, 0 where withheld."""
    cells = CellRow.__table__.columns
    columns = (cells.review_id, cells.criterion, cells.points, cells["over"])
    query = select(*columns).join(ReviewRow, ReviewRow.id == cells.review_id).where(cells.points.is_not(None))
    place = {key: 2 * at for at, key in enumerate(criteria)}
    found: dict[int, list[int]] = {}
    for review_id, criterion, points, over in db.session.execute(query.where(ReviewRow.cycle_id == cycle_id)):
        figures = found.get(review_id)
        if figures is None:
            figures = found[review_id] = [0] * (2 * len(place))
        at = place[criterion]
        figures[at], figures[at + 1] = points, over
    return found


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
