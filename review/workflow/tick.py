"""What is due at an instant: openings, reminders, closes, waves of surveys, and once a day the peers' progress.

Idempotent. The same function for the clock in the worker and for the command line. A cycle that fails is logged and
skipped.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy import select

from review.customer_survey import jobs as surveys
from review.cycles.service import in_stage
from review.cycles.tables import CycleRow
from review.domain.calendar import local_day, settled
from review.domain.cycle import Stage
from review.domain.refusals import Taken
from review.follow_up import opening, overdue
from review.infra import organisation, outbox
from review.infra.db import db, insert_into, only_reading
from review.infra.organisation import Organisation
from review.kpi import alerts
from review.peer_review import service as peer_review
from review.tickets import jobs as ticket_jobs
from review.tickets import service as tickets
from review.workflow import alerting, asking, close, launch, remind
from review.workflow.remind import Debt
from review.workflow.tables import PeerProgressRow, ReminderRow, ScheduleRow

SNAPSHOT_AT = time(6)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ticked:
    """What one tick did: cycles by name, letters by number, waves of surveys with what was taken back."""

    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    reminders: int = 0
    snapshots: int = 0
    alerts: int = 0
    waves: int = 0
    cases: int = 0
    failed: list[str] = field(default_factory=list)


def tick(now: datetime) -> Ticked:
    """Do everything that is due, each piece in a transaction of its own."""
    done = Ticked()
    for step in STEPS:
        step(now, done)
    return done


def _cycles(choose: Callable[[], list[CycleRow]]) -> list[int]:
    """Ids of cycles, read without taking SQLite's one write lock: most ticks find nothing to do."""
    with only_reading():
        ids = [cycle.id for cycle in choose()]
        db.session.rollback()
    return ids


def _ours() -> Organisation:
    with only_reading():
        ours = organisation.current()
        db.session.rollback()
    return ours


@contextmanager
def _own_transaction(what: str, done: Ticked) -> Iterator[None]:
    try:
        yield
        db.session.commit()
    except Exception as error:
        db.session.rollback()
        if isinstance(error, Taken):
            return  # somebody else made the move in the same moment
        log.warning("tick: %s failed", what, exc_info=error)
        done.failed.append(what)


def _keys_due(now: datetime, done: Ticked) -> None:
    """Keys for tickets that are missing, whatever has added somebody to the cycle."""

    def missing() -> list[CycleRow]:
        before = in_stage(Stage.DRAFT, Stage.NOMINATING)
        return [cycle for cycle in before if not tickets.is_ready(cycle)]

    for cycle_id in _cycles(missing):
        with _own_transaction(f"keys:{cycle_id}", done):
            ticket_jobs.ask(db.session.get_one(CycleRow, cycle_id), now)


def _open_due(now: datetime, done: Ticked) -> None:
    waiting = select(CycleRow).join(ScheduleRow, ScheduleRow.cycle_id == CycleRow.id)
    due = waiting.where(CycleRow.opens_at <= now, CycleRow.stage.in_([Stage.DRAFT, Stage.NOMINATING]))
    for cycle_id in _cycles(lambda: list(db.session.scalars(due))):
        with _own_transaction(f"open:{cycle_id}", done):
            cycle = db.session.get_one(CycleRow, cycle_id)
            scheduled = db.session.get(ScheduleRow, cycle_id)
            if scheduled is None:
                continue  # another process was faster, or HR has just thought better of it
            payload = {"cycle_id": cycle_id, "by": scheduled.asked_by}
            # The flag is used up either way: a launch that is refused then waits for HR instead of being tried forever.
            db.session.delete(scheduled)
            asking.ask(launch.KIND, launch.key_of(cycle_id), payload, now)
            done.opened.append(cycle.name)


def _close_due(now: datetime, done: Ticked) -> None:
    for cycle_id in _cycles(lambda: [cycle for cycle in in_stage(Stage.COLLECTING) if cycle.closes_at <= now]):
        with _own_transaction(f"close:{cycle_id}", done):
            cycle = db.session.get_one(CycleRow, cycle_id)
            close.close(cycle, by=None, now=now)
            done.closed.append(cycle.name)


def _count_due(now: datetime, done: Ticked) -> None:
    """Counts that may go on: their ballots were opened, and whoever opened them was cut off before asking for it."""
    for cycle_id in _cycles(lambda: [cycle for cycle in in_stage(Stage.COUNTING) if close.may_go_on(cycle)]):
        with _own_transaction(f"count:{cycle_id}", done):
            close.ask_count(cycle_id, now)


def _surveys_due(now: datetime, done: Ticked) -> None:
    """Waves of surveys that are due, and invitations about tickets that were re-opened."""

    def waiting() -> list[CycleRow]:
        return [one for one in in_stage(Stage.COLLECTING) if surveys.due(one, now) or surveys.has_reopened(one)]

    for cycle_id in _cycles(waiting):
        with _own_transaction(f"surveys:{cycle_id}", done):
            done.waves += surveys.send_due(db.session.get_one(CycleRow, cycle_id), now)


def _remind_due(now: datetime, done: Ticked) -> None:
    """All cycles' debts go into one letter a person; the reminders are noted in the transaction of the letters."""
    ours = _ours()
    debts: dict[int, Debt] = {}
    notes: list[ReminderRow] = []
    for cycle_id in _cycles(lambda: in_stage(Stage.COLLECTING, Stage.FINALISING)):
        try:
            with only_reading():
                cycle = db.session.get_one(CycleRow, cycle_id)
                due = remind.due_of(cycle, now, ours, remind.sent_in(cycle_id))
                owed = remind.owing(cycle, [(one.deadline, one.ends) for one in due]) if due else {}
                db.session.rollback()
        except Exception:
            db.session.rollback()
            log.warning("tick: reminding failed for cycle %s", cycle_id, exc_info=True)
            done.failed.append(f"remind:{cycle_id}")
            continue
        notes += [
            ReminderRow(cycle_id=cycle_id, deadline=one.deadline, due_at=one.at, letters=len(owed)) for one in due
        ]
        for person, debt in owed.items():
            debts.setdefault(person, Debt()).lines.extend(debt.lines)
    if not notes:
        return
    with _own_transaction("remind", done):
        for note in notes:
            db.session.merge(note)
        db.session.flush()
        done.reminders = remind.write(debts, now=now)


def _snapshot_due(now: datetime, done: Ticked) -> None:
    zone = _ours().zone
    day = local_day(now, zone)
    if now < settled(day, SNAPSHOT_AT, zone):
        return
    there = select(PeerProgressRow.cycle_id).where(PeerProgressRow.day == day)
    missing = select(CycleRow).where(
        CycleRow.stage == Stage.COLLECTING,
        CycleRow.opens_at <= now,
        CycleRow.closes_at > now,
        CycleRow.id.not_in(there),
    )
    for cycle_id in _cycles(lambda: list(db.session.scalars(missing))):
        with _own_transaction(f"snapshot:{cycle_id}", done):
            percent = rounded(*peer_review.turnout(cycle_id))
            if percent is not None:
                done.snapshots += _note_progress(cycle_id, day, percent)


def _alerts_due(now: datetime, done: Ticked) -> None:
    """Looked for without holding SQLite's one write lock, and written in a transaction of its own."""
    ours = _ours()
    try:
        with only_reading():
            findings = alerting.look(now, ours) if alerting.is_due(now, ours) else None
            db.session.rollback()
    except Exception:
        db.session.rollback()
        log.warning("tick: looking for alerts failed", exc_info=True)
        done.failed.append("alerts")
        return
    if findings is not None:
        with _own_transaction("alerts", done):
            done.alerts = alerts.keep(findings, day=local_day(now, ours.zone), now=now)


def _note_progress(cycle_id: int, day: date, percent: int) -> bool:
    """Keep the day's progress; False when another process did so in the same moment."""
    row = insert_into(PeerProgressRow).values(cycle_id=cycle_id, day=day, percent=percent)
    once = row.on_conflict_do_nothing(index_elements=["cycle_id", "day"]).returning(PeerProgressRow.cycle_id)
    return db.session.scalar(once) is not None


def rounded(cast: int, seats: int) -> int | None:
    """Percent to the nearest ten (half up), None where nobody is asked. Everything done is told only as it is."""
    if seats == 0:
        return None
    nearest = (20 * cast + seats) // (2 * seats) * 10
    return min(nearest, 90) if cast < seats else 100


def _cases_due(now: datetime, done: Ticked) -> None:
    """A case review for each low answer and complaint, and a letter to whoever owns one that is overdue."""
    for cycle_id in _cycles(lambda: in_stage(Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING)):
        with _own_transaction(f"cases:{cycle_id}", done):
            with only_reading():
                missing = opening.missing_in(db.session.get_one(CycleRow, cycle_id))
                db.session.rollback()
            if missing:
                done.cases += opening.open_all(missing, now)
    today = local_day(now, _ours().zone)
    with _own_transaction("overdue", done):
        with only_reading():
            letters = overdue.letters_due(today, now)
            db.session.rollback()
        if letters:
            outbox.put_all(letters)


# In the order of a day: what opens before what closes, letters last.
STEPS = (
    _keys_due,
    _open_due,
    _close_due,
    _count_due,
    _surveys_due,
    _remind_due,
    _snapshot_due,
    _cases_due,
    _alerts_due,
)
