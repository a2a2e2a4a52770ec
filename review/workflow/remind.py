"""Who still owes what, and the one letter a day that says so. Of peers' ratings it tells only that some are missing."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import due_reminder, local_day, reminder_days
from review.domain.cycle import Stage
from review.domain.vocabulary import Protection
from review.infra import organisation, outbox
from review.infra.db import db
from review.infra.organisation import Organisation
from review.infra.outbox import LetterRow
from review.peer_review import service as peer_review
from review.people.tables import PersonRow
from review.results.looks import ready_by_person
from review.results.waiting import unfinalised_by_supervisor
from review.self_review.service import missing_self
from review.supervisor_review.service import asked_ratings, missing_ratings
from review.workflow.tables import ReminderRow

REMINDER = "workflow:reminder"


class Deadline(StrEnum):
    """What a reminder can be about; each has its own date in a cycle."""

    SELF = "self"
    CLOSE = "close"  # peers' and supervisors' ratings
    FINAL = "final"


STAGE_OF = {Deadline.SELF: Stage.COLLECTING, Deadline.CLOSE: Stage.COLLECTING, Deadline.FINAL: Stage.FINALISING}
EXTENDABLE = frozenset({Stage.COLLECTING, Stage.FINALISING})  # whoever was given more time may need it after the close


def date_of(cycle: CycleRow, deadline: Deadline) -> datetime:
    return {
        Deadline.SELF: cycle.self_due_at,
        Deadline.CLOSE: cycle.closes_at,
        Deadline.FINAL: cycle.finalise_by,
    }[deadline]


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder that the calendar says is due at `at`, to those whose own date for this is `ends`."""

    deadline: Deadline
    ends: datetime
    at: datetime


def extensions(cycle_id: int) -> dict[tuple[Deadline, int], datetime]:
    """The dates of whoever was given more time, by what for and review. One query."""
    columns = {Deadline.SELF: ReviewRow.self_due_at, Deadline.CLOSE: ReviewRow.rating_due_at}
    given = select(ReviewRow.id, *columns.values()).where(
        ReviewRow.cycle_id == cycle_id,
        ReviewRow.withdrawn_at.is_(None),
        or_(*(column.is_not(None) for column in columns.values())),
    )
    rows = db.session.execute(given)
    return {(what, review): at for review, *own in rows for what, at in zip(columns, own, strict=True) if at}


def _dates(cycle: CycleRow) -> list[tuple[Deadline, datetime]]:
    """Every date that reminders lead up to at this stage: the cycle's, and those of whoever was given more time."""
    found = {(one, date_of(cycle, one)) for one in Deadline if cycle.stage is STAGE_OF[one]}
    if cycle.stage in EXTENDABLE:
        found |= {(what, at) for (what, _review), at in extensions(cycle.id).items()}
    return sorted(found)


def due_of(cycle: CycleRow, now: datetime, ours: Organisation, sent: Collection[tuple[str, datetime]]) -> list[Due]:
    """Which reminders of this cycle are due at `now`, those already sent left out."""
    found = []
    for deadline, ends in _dates(cycle) if now >= cycle.opens_at else ():
        gone = [at for name, at in sent if name == deadline.value]
        at = due_reminder(now, reminder_days(ends, ours.zone, ours.holidays), ends, gone, ours.holidays)
        if at is not None:
            found.append(Due(deadline, ends, at))
    return found


def coming(cycle: CycleRow, now: datetime, ours: Organisation) -> list[datetime]:
    """When the reminders of this cycle's own dates go out, earliest first, for HR's board."""
    wanted = [deadline for deadline in Deadline if cycle.stage is STAGE_OF[deadline]]
    instants = {at for one in wanted for at in reminder_days(date_of(cycle, one), ours.zone, ours.holidays)}
    return sorted(at for at in instants if at > now)


def ahead(cycle: CycleRow, now: datetime, ours: Organisation) -> list[tuple[datetime, str]]:
    """What the clock will do next in this cycle, and until when people can act: (instant, key), earliest first."""
    dates = [(getattr(cycle, name), name) for name in ("self_due_at", "closes_at", "finalise_by")]
    return sorted([(at, "reminder") for at in coming(cycle, now, ours)] + [(at, key) for at, key in dates if at > now])


def sent_in(cycle_id: int) -> list[tuple[str, datetime]]:
    rows = db.session.execute(select(ReminderRow.deadline, ReminderRow.due_at).where(ReminderRow.cycle_id == cycle_id))
    return [(deadline, due_at) for deadline, due_at in rows]


@dataclass(slots=True)
class Debt:
    """What one person still owes, as the lines of their letter."""

    lines: list[dict[str, Any]] = field(default_factory=list)


def owing(cycle: CycleRow, dates: Collection[tuple[Deadline, datetime]]) -> dict[int, Debt]:
    """Everybody with open tasks for one of these dates, by person id, each line with the date that is theirs."""
    debts: dict[int, Debt] = {}
    own = extensions(cycle.id)
    for deadline in sorted({deadline for deadline, _ends in dates}, key=list(Deadline).index):
        for (what, person, ends), count in _open(cycle, deadline, own).items():
            if (deadline, ends) in dates:
                line = {"what": what, "count": count, "due": ends.isoformat(), "cycle": cycle.name}
                if cycle.protection is Protection.MAXIMUM:
                    line["blind"] = True
                debts.setdefault(person, Debt()).lines.append(line)
    return debts


def _open(
    cycle: CycleRow, deadline: Deadline, own: Mapping[tuple[Deadline, int], datetime]
) -> dict[tuple[str, int, datetime], int]:
    """How much is open, by what, whose, and due when."""
    ends = date_of(cycle, deadline)
    if deadline is Deadline.SELF:
        missing = missing_self(cycle.id).items()
        return {("self", person, own.get((deadline, review), ends)): 1 for person, review in missing}
    if deadline is Deadline.FINAL:
        results = {("finalise", person, ends): n for person, n in unfinalised_by_supervisor(cycle.id).items()}
        return results | {("look", person, ends): n for person, n in ready_by_person(cycle.id).items()}
    # How many ratings a peer still owes stays out of the letter: a stored series of such counts would say when
    # somebody cast theirs.
    peers = {("peers", person, ends): 0 for person in peer_review.owing(cycle.id)}
    ratings = Counter(
        ("rating", supervisor, own.get((deadline, review), ends))
        for supervisor, reviews in missing_ratings(cycle.id).items()
        for review in reviews
    )
    return peers | ratings


def idle_supervisors(cycle: CycleRow) -> set[int]:
    """Whoever is asked for ratings and has not filed a single one in this cycle."""
    missing = missing_ratings(cycle.id)
    return {who for who, reviews in asked_ratings(cycle.id).items() if len(missing.get(who, ())) == len(reviews)}


def write(debts: dict[int, Debt], *, now: datetime) -> int:
    """One letter to each of these people who has e-mail and was not reminded today; how many."""
    day = local_day(now, organisation.current().zone)
    about = f"day:{day.isoformat()}"
    had = set(db.session.scalars(select(LetterRow.to).where(LetterRow.kind == REMINDER, LetterRow.about == about)))
    people = select(PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.locale)
    here = people.where(PersonRow.email.is_not(None), _still_here(day))
    letters = [
        outbox.letter(REMINDER, about, str(email), locale, {"name": name, "lines": debts[person].lines}, now=now)
        for person, name, email, locale in db.session.execute(here)
        if person in debts and email not in had
    ]
    outbox.put_all(letters)
    return len(letters)


def _still_here(day: date) -> Any:
    return PersonRow.left_on.is_(None) | (PersonRow.left_on >= day)


def remind_now(cycle: CycleRow, *, now: datetime, only: Collection[int] | None = None) -> int:
    """Remind everybody who owes something in this cycle (or those of `only`), at HR's word; how many letters."""
    # A rating that is late is still taken; for a self-review whose time is over there is nothing left to do.
    debts = owing(cycle, [(what, ends) for what, ends in _dates(cycle) if ends > now or what is not Deadline.SELF])
    return write({who: debt for who, debt in debts.items() if only is None or who in only}, now=now)
