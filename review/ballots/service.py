"""Opens an urn, takes ballots until it is closed, counts it once, destroys it. See docs/anonymity.md for the why.

Every ballot is sealed to the cycle's key the moment it arrives. No step
writes a log line, a time or a row for a single cast; casting leaves the main database untouched.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from review.ballots import counting, keys, seal_keys
from review.ballots.counting import Cells, Comments, Counted, Outcome, Recogniser
from review.ballots.disk import Step, nowhere
from review.ballots.keys import token_hash
from review.ballots.postgres_urn import PostgresUrn
from review.ballots.sealing import seal, size_of
from review.ballots.sqlite_urn import SqliteUrn
from review.ballots.tables import CellRow, CountRow, CycleFigureRow, ReceiptRow, UrnRow
from review.ballots.ticketed import Tickets
from review.ballots.urn import Closed, Missing, Urn
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.disclosure import Cell
from review.domain.peer_figures import CycleFigure
from review.domain.refusals import Invalid, NotYet, OutOfReach, Taken, TooLate
from review.domain.responses import Ballot
from review.domain.vocabulary import Custody, Protection
from review.infra.db import db, only_reading
from review.infra.house import house
from review.infra.settings import Settings
from review.schemes.service import scheme_of


def open_urn(cycle_id: int) -> None:
    """Keys and urn for a cycle, in the transaction that launches it; harmless to repeat while all are there.

    Raises Taken when the urn was opened before and is gone, and when an urn that is no fresh one is in the way; NotYet
    while trustees have not taken their shares.
    """
    opened = db.session.get(UrnRow, cycle_id) is not None
    urn, folder = _urn(cycle_id), _keys()
    if is_spent(cycle_id) or (opened and not is_whole(cycle_id)):
        raise Taken("ballots:urn_gone")
    if not opened:
        if urn.exists() and (urn.is_closed() or urn.size()):
            raise Taken("ballots:urn_in_the_way")
        if _cycle(cycle_id).custody is Custody.MANAGED:
            seal_keys.make_managed(folder, cycle_id)
        elif not is_seal_ready(cycle_id):
            raise NotYet("cycle:trustees_missing")
        db.session.add(UrnRow(cycle_id=cycle_id))
        db.session.flush()
        keys.make(folder, cycle_id)
        urn.create()


def is_seal_ready(cycle_id: int) -> bool:
    """Whether the ballots of this cycle can be sealed: with trustees, each of them must have taken the share."""
    if _cycle(cycle_id).custody is Custody.MANAGED:
        return True  # drawn when the urn is opened
    return seal_keys.is_made(_keys(), cycle_id) and not seal_keys.untaken(_keys(), cycle_id)


def is_whole(cycle_id: int) -> bool:
    """Whether the urn and both keys of a running cycle are here."""
    folder = _keys()
    has_key = keys.read(folder, cycle_id) is not None
    return _urn(cycle_id).exists() and has_key and seal_keys.is_made(folder, cycle_id)


def is_spent(cycle_id: int) -> bool:
    """Whether the urn of this very cycle was destroyed before, even if a restored database knows nothing of it."""
    return keys.is_spent(_keys(), cycle_id, _mark(cycle_id))


def ballot_size(cycle_id: int) -> int:
    """Bytes of each ballot of the cycle before it is sealed."""
    cycle = _cycle(cycle_id)
    comments = scheme_of(cycle.scheme_id).comments.peers_from is not None
    return size_of(comments=comments, maximum=cycle.protection is Protection.MAXIMUM)


def seal_key(cycle_id: int) -> bytes:
    """The public key that every ballot of the cycle is sealed to. Raises Taken when it is lost."""
    found = seal_keys.public(_keys(), cycle_id)
    if found is None:
        raise Taken("ballots:key_gone")
    return found


def cast(cycle_id: int, seat_id: UUID, ballot: Ballot) -> None:
    """Put the ballot of a seat into the urn, in place of an earlier one.

    Raises TooLate after the close, OutOfReach where no urn was ever opened, Taken when key or urn are lost, Invalid
    where only a ticket lets somebody cast.
    """
    with _answering(cycle_id):
        found = token_hash(_key(cycle_id), seat_id)
        if _cycle(cycle_id).protection is Protection.MAXIMUM:
            raise Invalid("ballots:needs_a_ticket")
        key, size = seal_key(cycle_id), ballot_size(cycle_id)
        _urn(cycle_id).put(found, *seal(ballot, cycle_id=cycle_id, token_hash=found, public_key=key, size=size))


def has_cast(cycle_id: int, seat_ids: Collection[UUID]) -> set[UUID]:
    """Which of these seats have a ballot in the urn: for the rater's own list and the worker's reminders only.

    Raises as `cast` does: once the urn is closed nobody may ask any more.
    """
    with _answering(cycle_id):
        key = _key(cycle_id)
        seat_of = {token_hash(key, seat): seat for seat in seat_ids}
        return {seat_of[found] for found in _urn(cycle_id).holds(seat_of)}


def close_urn(cycle_id: int) -> None:
    """No ballot gets in from here on. Harmless to repeat. Raises Taken when an urn not yet counted is lost."""
    if is_counted(cycle_id):
        return
    try:
        _urn(cycle_id).close()
    except Missing:
        raise _no_urn(cycle_id) from None


def count(
    cycle_id: int,
    seats: Mapping[UUID, int],
    *,
    now: datetime,
    at: Step = nowhere,
    drawn: Mapping[int, int] | None = None,
) -> Counted:
    """Count the urn and destroy it. `seats` are all seats of the cycle ever given, each with its review, `drawn` how
    many tickets were drawn for each review under maximum protection.

    A stage of its own: it commits what the caller has begun and can be stopped and begun again at every step, whose
    name `at` hears. Without the stored marker it counts again, with it it only destroys. Ballots about people who left
    (withdrawn reviews) are dropped unread. Raises Taken when keys or urn are lost before the cells are stored or a
    review got more ballots than tickets, NotYet while trustees have not opened their key; by then the urn is closed.
    """
    db.session.commit()
    with only_reading():
        work = None if is_counted(cycle_id) else _work_out(cycle_id, seats, drawn or {}, at)
        db.session.rollback()  # the cells are written over another connection, which must not wait for this one
    if work is not None:
        counting.store(cycle_id, *work, now, at)
    _destroy(cycle_id, at)
    with only_reading():
        done = db.session.get_one(CountRow, cycle_id)
        counted = Counted(done.ballots, done.strangers)
        db.session.rollback()
    return counted


def count_nothing(
    cycle_id: int,
    seats: Mapping[UUID, int],
    *,
    now: datetime,
    at: Step = nowhere,
    drawn: Mapping[int, int] | None = None,
) -> None:
    """Go on without peers, because what was cast cannot be opened any more: every cell is withheld for good.

    Commits like `count` and destroys what is left. Raises Taken while the ballots could still be counted, and for a
    cycle that is not being counted.
    """
    db.session.commit()
    if not is_counted(cycle_id):
        is_stuck = is_locked(cycle_id) or is_lost(cycle_id) or _has_forged(cycle_id, seats, drawn or {})
        if _cycle(cycle_id).stage is not Stage.COUNTING or not is_stuck:
            raise Taken("ballots:still_countable")
        with suppress(Missing):
            _urn(cycle_id).close()
        outcome = _outcome(cycle_id, seats, {})
        db.session.rollback()
        counting.store(cycle_id, outcome, Counted(0, 0), now, at)
    _destroy(cycle_id, at)


def is_locked(cycle_id: int) -> bool:
    """Whether two trustees must open the key before the count."""
    return seal_keys.is_locked(_keys(), cycle_id)


def is_lost(cycle_id: int) -> bool:
    """Whether the ballots of a cycle not yet counted can never be: the urn or a key is gone, or was destroyed once."""
    folder = _keys()
    has_key = is_locked(cycle_id) or seal_keys.private(folder, cycle_id) is not None
    has_both = has_key and keys.read(folder, cycle_id) is not None
    return is_spent(cycle_id) or not (has_both and _urn(cycle_id).exists())


def _work_out(cycle_id: int, seats: Mapping[UUID, int], drawn: Mapping[int, int], at: Step) -> tuple[Outcome, Counted]:
    key = keys.read(_keys(), cycle_id)
    close_urn(cycle_id)
    at("closed")
    if key is None or is_spent(cycle_id):
        raise Taken("ballots:key_gone")
    if is_locked(cycle_id):
        raise NotYet("ballots:locked")
    private = seal_keys.private(_keys(), cycle_id)
    if private is None:
        raise Taken("ballots:key_gone")
    tickets = _tickets(cycle_id)
    said, counted = counting.open_all(_urn(cycle_id).rows(), cycle_id, private, tickets or _recogniser(key, seats))
    at("read")
    outcome = _outcome(cycle_id, seats, said)
    if tickets is not None:
        outcome = replace(outcome, receipts=tickets.receipts(drawn))
    at("worked_out")
    return outcome, counted


def _has_forged(cycle_id: int, seats: Mapping[UUID, int], drawn: Mapping[int, int]) -> bool:
    """Whether the count stops because a review got more ballots than tickets."""
    if _cycle(cycle_id).protection is Protection.STANDARD:
        return False
    try:
        _work_out(cycle_id, seats, drawn, nowhere)
    except Taken as refusal:
        return refusal.code == "ballots:more_ballots_than_tickets"
    return False


def _recogniser(key: bytes, seats: Mapping[UUID, int]) -> Recogniser:
    return counting.seated({token_hash(key, seat): review for seat, review in seats.items()})


def _tickets(cycle_id: int) -> Tickets | None:
    """What recognises ballots under maximum protection; None where seats do."""
    if _cycle(cycle_id).protection is Protection.STANDARD:
        return None
    return Tickets(_keys(), cycle_id, db.session.scalars(_living(cycle_id)).all())


def _living(cycle_id: int) -> Select[Any]:
    return select(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))


def _outcome(cycle_id: int, seats: Mapping[UUID, int], said: counting.Said) -> Outcome:
    reviews = _living(cycle_id)
    return counting.work_out(scheme_of(_cycle(cycle_id).scheme_id), db.session.scalars(reviews), seats, said)


def destroy(cycle_id: int, *, at: Step = nowhere) -> None:
    """Destroy key and urn of a cycle that is counted or cancelled; harmless to repeat.

    Call it after the cancelling has been committed: this cannot be taken back. Raises Taken for any other cycle, one
    that is being counted included.
    """
    stage = db.session.scalar(select(CycleRow.stage).where(CycleRow.id == cycle_id))
    if stage is not Stage.CANCELLED and not is_counted(cycle_id):
        raise Taken("ballots:not_over")
    _destroy(cycle_id, at)


def _destroy(cycle_id: int, at: Step) -> None:
    """Closed first, so that nobody casts with half a key; then the key: without it what is left leads to nobody."""
    with suppress(Missing):
        _urn(cycle_id).close()
    keys.remember(_keys(), cycle_id, _mark(cycle_id))
    at("remembered")
    keys.destroy(_keys(), cycle_id, at)
    seal_keys.destroy(_keys(), cycle_id, at)
    at("key_destroyed")
    _urn(cycle_id).drop(at)
    at("urn_dropped")


def is_counted(cycle_id: int) -> bool:
    """Whether the cells of the cycle stand in the main database for good."""
    return db.session.get(CountRow, cycle_id) is not None


def is_destroyed(cycle_id: int) -> bool:
    """Whether neither a key nor anything of the urn is left."""
    folder = _keys()
    has_key = keys.exists(folder, cycle_id) or seal_keys.leaves_traces(folder, cycle_id)
    return not has_key and not _urn(cycle_id).leaves_traces()


def cast_so_far(cycle_id: int) -> int:
    """How many ballots the urn holds, for the progress of a cycle as a whole. Raises as `has_cast` does."""
    with _answering(cycle_id):
        if _urn(cycle_id).is_closed():
            raise Closed
        return _urn(cycle_id).size()


def receipts_of(cycle_id: int) -> list[str]:
    """The receipts of all ballots counted under maximum protection, in hexadecimal and sorted. One query."""
    codes = select(ReceiptRow.code).where(ReceiptRow.cycle_id == cycle_id)
    return sorted(bytes(code).hex() for code in db.session.scalars(codes))


def cells_of(cycle_id: int) -> Cells:
    """The published cells of each review of a counted cycle; one query. Empty before the count."""
    return counting.stored(cycle_id)


def cells_of_review(review_id: int) -> tuple[Cell, ...]:
    """The published cells of one review; empty before the count."""
    rows = db.session.scalars(select(CellRow).where(CellRow.review_id == review_id))
    return counting.as_cells(rows).get(review_id, ())


def comments_of(cycle_id: int) -> Comments:
    """What peers wrote about each review of a counted cycle, as it may be shown; one query. Empty before the count."""
    return counting.comments(cycle_id)


def figures_of(cycle_id: int) -> list[CycleFigure]:
    """How far peers agree in a counted cycle, by criterion; empty before the count and in small cycles."""
    rows = db.session.scalars(select(CycleFigureRow).where(CycleFigureRow.cycle_id == cycle_id))
    return [CycleFigure(row.criterion, row.reviews, row.icc1_hundredths, row.variance_hundredths) for row in rows]


def upgrade_urns() -> int:
    """Bring the schema of every urn that still stands up to date; how many there were."""
    standing = [urn for urn in map(_urn, db.session.scalars(select(UrnRow.cycle_id))) if urn.exists()]
    for urn in standing:
        urn.migrate()
    return len(standing)


def urn_at(settings: Settings, cycle_id: int) -> Urn:
    """The urn of a cycle, also where there is no application around."""
    if settings.urn_url:
        return PostgresUrn(settings.urn_url, cycle_id)
    return SqliteUrn(settings.data_dir / "urns", cycle_id)


def _urn(cycle_id: int) -> Urn:
    return urn_at(house().settings, cycle_id)


def _cycle(cycle_id: int) -> CycleRow:
    return db.session.get_one(CycleRow, cycle_id)


def _mark(cycle_id: int) -> str:
    """Tells this cycle from another that got its number in a database restored to before it was made."""
    cycle = _cycle(cycle_id)
    return hashlib.sha256(f"{cycle_id}|{cycle.seed}|{cycle.created_at.isoformat()}".encode()).hexdigest()[:16]


def _keys() -> Path:
    return house().settings.keys_dir


def _key(cycle_id: int) -> bytes:
    key = keys.read(_keys(), cycle_id)
    if key is None:
        if _urn(cycle_id).is_closed():
            raise Closed
        raise Taken("ballots:key_gone")
    return key


@contextmanager
def _answering(cycle_id: int) -> Iterator[None]:
    """An urn's no as a refusal; `from None`, so that no log ever shows the cast behind it."""
    try:
        yield
    except Closed:
        raise TooLate("ballots:closed") from None
    except Missing:
        raise _no_urn(cycle_id) from None


def _no_urn(cycle_id: int) -> OutOfReach | TooLate | Taken:
    if db.session.get(UrnRow, cycle_id) is None:
        return OutOfReach("ballots:no_urn")
    over = is_counted(cycle_id) or db.session.get_one(CycleRow, cycle_id).stage is Stage.CANCELLED
    return TooLate("ballots:closed") if over else Taken("ballots:urn_gone")
