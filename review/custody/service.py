"""Names the trustees of a cycle, hands each their share once, and opens the ballots with two of the shares.

Shares pass through here on their way between disk, page and paper; nothing of them reaches a row, a letter, a job or
the audit log. Where row and disk disagree, the disk is right: a share that still lies there, or that belongs to
another key, has not been taken.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from review.ballots import seal_keys
from review.ballots import service as ballots
from review.ballots.seal_keys import NEEDED, Share
from review.custody.paper import NUMBERS
from review.custody.tables import TrusteeRow
from review.cycles.changes import BEFORE_LAUNCH
from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import Invalid, NotYet, OutOfReach, Problem, Taken
from review.domain.vocabulary import Custody
from review.infra import audit, outbox
from review.infra.db import db
from review.infra.house import house
from review.people import accounts, directory, throttle
from review.people.tables import PersonRow

NAMED = "custody:named"
OPEN = "custody:open"


@dataclass(frozen=True, slots=True)
class Trustee:
    """One of the three as pages show them; `taken_at` is None until they hold their share for certain."""

    number: int
    person_id: int
    name: str
    employee_no: str
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Post:
    """A trustee's own post: their share of a cycle's key."""

    cycle: CycleRow
    trustee: TrusteeRow


def name(cycle: CycleRow, numbers: Sequence[str], *, by: int | None, now: datetime, anew: bool = False) -> None:
    """Make the people with these three employee numbers the trustees, and a new key in the same act.

    The same three again change nothing, unless `anew`. All shares of an earlier key are worthless from here on.
    """
    db.session.refresh(cycle, with_for_update=True)
    _require_changeable(cycle)
    people = _chosen(numbers, now)
    before = _rows(cycle.id)
    same = [row.person_id for row in before] == [one.id for one in people]
    if same and all(_fits(row) for row in before) and not anew:
        return
    outbox.take_back(NAMED, _about(cycle))
    _forget(cycle.id)
    seal_keys.make_split(_keys(), cycle.id)
    mark = mark_of(cycle.id)
    for number, person in zip(NUMBERS, people, strict=True):
        db.session.add(TrusteeRow(cycle_id=cycle.id, number=number, person_id=person.id, mark=mark))
    db.session.flush()
    ids = [person.id for person in people]
    audit.record("custody:trustees:named", f"cycle:{cycle.id}", by=by, at=now, trustees=ids)
    outbox.put_all(_letters(cycle, NAMED, now))


def _require_changeable(cycle: CycleRow) -> None:
    if cycle.stage not in BEFORE_LAUNCH:
        raise Taken("cycle:already_moved", stage=cycle.stage.value, move="launch")
    if cycle.custody is not Custody.TRUSTEES:
        raise Invalid("custody:managed")


def _chosen(numbers: Sequence[str], now: datetime) -> list[PersonRow]:
    """The three people. Raises Invalid with what is wrong with each."""
    found: list[PersonRow] = []
    problems: list[Problem] = []
    for place, number in zip(NUMBERS, numbers, strict=True):
        person = directory.by_number(number)
        if person is None:
            problems.append(Problem("custody:no_such_number", f"trustee_{place}", {"number": number}))
        elif person.id in {one.id for one in found}:
            problems.append(Problem("custody:named_twice", f"trustee_{place}", {"name": person.name}))
        elif not accounts.may_sign_in(person, now):
            problems.append(Problem("custody:cannot_sign_in", f"trustee_{place}", {"name": person.name}))
        else:
            found.append(person)
    if problems:
        raise Invalid.of(problems)
    return found


def follow(cycle: CycleRow) -> None:
    """The cycle's form was changed: without trustees there are no shares, and no key that they would open."""
    if cycle.custody is not Custody.TRUSTEES and _rows(cycle.id):
        outbox.take_back(NAMED, _about(cycle))
        _forget(cycle.id)


def _forget(cycle_id: int) -> None:
    db.session.execute(delete(TrusteeRow).where(TrusteeRow.cycle_id == cycle_id))
    db.session.expire_all()
    seal_keys.destroy(_keys(), cycle_id)


def taken(cycle_id: int) -> int:
    """How many trustees hold their share."""
    return sum(one.taken_at is not None for one in trustees_of(cycle_id))


def untaken(cycle: CycleRow) -> int | None:
    """How many shares still wait for their trustees; None where there are no trustees."""
    return len(NUMBERS) - taken(cycle.id) if cycle.custody is Custody.TRUSTEES else None


def trustees_of(cycle_id: int) -> list[Trustee]:
    """The trustees by number; empty while nobody is named. One query."""
    named = select(TrusteeRow, PersonRow.name, PersonRow.employee_no).join(
        PersonRow, PersonRow.id == TrusteeRow.person_id
    )
    rows = db.session.execute(named.where(TrusteeRow.cycle_id == cycle_id).order_by(TrusteeRow.number)).all()
    left, mark = seal_keys.untaken(_keys(), cycle_id), mark_of(cycle_id)
    return [
        Trustee(
            row.number,
            row.person_id,
            who,
            employee_no,
            None if row.number in left or row.mark != mark else row.taken_at,
        )
        for row, who, employee_no in rows
    ]


def post_of(cycle_id: int, person_id: int) -> Post:
    """This person's post as a trustee. Raises OutOfReach for everybody else."""
    query = select(CycleRow, TrusteeRow).join(TrusteeRow, TrusteeRow.cycle_id == CycleRow.id)
    found = db.session.execute(query.where(CycleRow.id == cycle_id, TrusteeRow.person_id == person_id)).one_or_none()
    if found is None:
        raise OutOfReach("custody:no_post")
    return Post(*found)


def is_here(post: Post) -> bool:
    """Whether the share can still be shown."""
    return _fits(post.trustee) and post.trustee.number in seal_keys.untaken(_keys(), post.cycle.id)


def show(post: Post) -> Share:
    """The share, to be written down by its trustee. Raises Taken once they have kept it, or it is worthless."""
    share = seal_keys.take_share(_keys(), post.cycle.id, post.trustee.number) if _fits(post.trustee) else None
    if share is None:
        raise Taken("custody:share_taken" if post.trustee.taken_at else "custody:share_gone")
    return share


def keep(post: Post, mark: str, *, now: datetime) -> None:
    """The trustee has the share of the key with this mark on paper: erase it here. Harmless to repeat.

    Raises Taken when another key was made since the share was shown.
    """
    db.session.refresh(post.cycle, with_for_update=True)
    if mark != post.trustee.mark or not _fits(post.trustee):
        raise Taken("custody:key_replaced")
    was_here = is_here(post)
    seal_keys.erase_share(_keys(), post.cycle.id, post.trustee.number)
    if was_here or post.trustee.taken_at is None:
        post.trustee.taken_at = now
        about = f"cycle:{post.cycle.id}"
        audit.record("custody:share:taken", about, by=post.trustee.person_id, at=now, number=post.trustee.number)


def _fits(row: TrusteeRow) -> bool:
    """Whether this trustee's share belongs to the key that is here."""
    return row.mark == mark_of(row.cycle_id)


def mark_of(cycle_id: int) -> str:
    """Tells the cycle's key from the ones before it, by its public half; empty where there is none."""
    point = seal_keys.public(_keys(), cycle_id)
    return hashlib.sha256(point).hexdigest()[:16] if point else ""


def is_waiting(cycle: CycleRow) -> bool:
    """Whether the count cannot go on before two trustees have opened the ballots."""
    return cycle.stage is Stage.COUNTING and seal_keys.is_locked(_keys(), cycle.id)


def call(cycle: CycleRow, now: datetime) -> None:
    """Write to each trustee that the count waits for two of them; once a cycle."""
    outbox.put_all(_letters(cycle, OPEN, now))


def unlock(cycle: CycleRow, shares: Sequence[Share], *, by: int | None, now: datetime) -> None:
    """Open the key with two shares, for the count, which the caller has done. Harmless to repeat.

    Raises NotYet before the close, Taken after the count or when the key is lost, Invalid when the shares do not fit;
    guessing gets slow.
    """
    if cycle.stage is not Stage.COUNTING:
        early = cycle.stage in {*BEFORE_LAUNCH, Stage.COLLECTING}
        raise NotYet("custody:not_closed") if early else Taken("custody:nothing_to_open")
    if not is_waiting(cycle):
        if ballots.is_lost(cycle.id) and not ballots.is_counted(cycle.id):
            raise Taken("ballots:key_gone")
        return  # somebody was faster: the count is under way
    if len({share.number for share in shares}) < NEEDED:
        raise Invalid("custody:same_share_twice")
    tried = throttle.begin(f"custody:{cycle.id}", str(by or "command"), now)
    seal_keys.unlock(_keys(), cycle.id, shares)
    throttle.succeeded(tried, now)
    used = sorted(share.number for share in shares)
    audit.record("custody:ballots:opened", f"cycle:{cycle.id}", by=by, at=now, shares=used)


@dataclass(frozen=True, slots=True)
class Duty:
    """What one trustee is asked for: to take their share, or to open the ballots."""

    cycle: CycleRow
    is_share: bool


def duties_of(person_id: int, cycles: Sequence[CycleRow]) -> list[Duty]:
    """What this person owes as a trustee of these cycles now. One query, none where no cycle has trustees."""
    stages = {*BEFORE_LAUNCH, Stage.COUNTING}
    asked = {one.id: one for one in cycles if one.custody is Custody.TRUSTEES and one.stage in stages}
    if not asked:
        return []
    mine = select(TrusteeRow).where(TrusteeRow.person_id == person_id, TrusteeRow.cycle_id.in_(asked))
    rows = db.session.scalars(mine.order_by(TrusteeRow.cycle_id))
    return list(_due([(asked[row.cycle_id], row) for row in rows]))


def _due(rows: Iterable[tuple[CycleRow, TrusteeRow]]) -> Iterator[Duty]:
    for cycle, trustee in rows:
        if cycle.stage is Stage.COUNTING:
            if is_waiting(cycle):
                yield Duty(cycle, False)
        elif _fits(trustee) and (is_here(Post(cycle, trustee)) or trustee.taken_at is None):
            yield Duty(cycle, True)


def _rows(cycle_id: int) -> list[TrusteeRow]:
    return list(
        db.session.scalars(select(TrusteeRow).where(TrusteeRow.cycle_id == cycle_id).order_by(TrusteeRow.number))
    )


def _letters(cycle: CycleRow, kind: str, now: datetime) -> Iterator[dict[str, Any]]:
    """One to each trustee with an e-mail address. It says what to do and where, never what a share says."""
    people = directory.by_ids(row.person_id for row in _rows(cycle.id))
    for row in _rows(cycle.id):
        person = people[row.person_id]
        if person.email is not None:
            params = {"name": person.name, "cycle": cycle.name, "cycle_id": cycle.id, "number": row.number}
            yield outbox.letter(kind, _about(cycle), person.email, person.locale, params, now=now)


def _about(cycle: CycleRow) -> str:
    return f"cycle:{cycle.id}:{mark_of(cycle.id)}"


def _keys() -> Path:
    return house().settings.keys_dir
