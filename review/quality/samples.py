"""HR's side of a sample: stating what is drawn from, naming who checks, and what the draw may use."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, func, select, update

from review.domain.access import Actor
from review.domain.refusals import Invalid, NotYet, OutOfReach, Problem
from review.helpdesk.tables import TicketRow
from review.infra import audit, outbox
from review.infra.db import db
from review.infra.gate import Found
from review.people import directory
from review.people.tables import PersonRow
from review.quality import form_versions
from review.quality.assigning import Drawn, share_out
from review.quality.tables import CheckRow, FormState, SampleRow, SampleState

ASSIGNED = "quality:assigned"
MOST_PER_AGENT = 50
MOST_NAMED = 5  # people a refusal tells by name


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What HR states before the lot falls. The seed is drawn by the machine, so that nobody tries several."""

    name: str
    form_id: int
    first_day: date
    last_day: date
    per_agent: int
    due_at: datetime
    seed: int
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    least_replies: int = 0
    least_handling: int = 0
    not_own_team: bool = False
    dispute_days: int = 5


def find_sample(_actor: object, sample_id: int) -> Found:
    row = db.session.get(SampleRow, sample_id)
    if row is None:
        raise OutOfReach("quality:no_such_sample")
    return Found(row)


def find_line(actor: Actor, sample_id: int, person_id: int) -> Found:
    """A sample and one of its agents. Raises OutOfReach for somebody of whom nothing was drawn, and for oneself.

    Whoever is of HR is checked like anybody: which of their own tickets are drawn they read when the checks are in.
    """
    if person_id == actor.person_id:
        raise OutOfReach("quality:no_such_sample")
    row, person = db.session.get(SampleRow, sample_id), db.session.get(PersonRow, person_id)
    drawn = select(CheckRow.id).where(CheckRow.sample_id == sample_id, CheckRow.agent_id == person_id).limit(1)
    if row is None or person is None or db.session.scalar(drawn) is None:
        raise OutOfReach("quality:no_such_sample")
    return Found((row, person))


def create(plan: SamplePlan, *, by: int | None, now: datetime) -> SampleRow:
    """A sample that waits for its draw. Raises Invalid with all problems, each at its field."""
    problems = list(_problems(plan, now))
    if problems:
        raise Invalid.of(problems)
    values = {name: getattr(plan, name) for name in SamplePlan.__slots__}
    row = SampleRow(**{**values, "channels": list(plan.channels), "kinds": list(plan.kinds)})
    row.state, row.counts, row.created_at, row.created_by = SampleState.DRAWING, {}, now, by
    db.session.add(row)
    db.session.flush()
    stated = {"seed": plan.seed, "per_agent": plan.per_agent, "first": f"{plan.first_day}", "last": f"{plan.last_day}"}
    audit.record("quality:sample:stated", f"quality_sample:{row.id}", by=by, at=now, **stated)
    return row


def _problems(plan: SamplePlan, now: datetime) -> Iterator[Problem]:
    if not plan.name.strip():
        yield Problem("form:required", "name")
    elif db.session.scalar(select(SampleRow.id).where(SampleRow.name == plan.name)) is not None:
        yield Problem("form:taken", "name")
    form = next((row for row in form_versions.versions() if row.id == plan.form_id), None)
    if form is None or form.state is not FormState.OPEN:
        yield Problem("quality:form_not_open", "form_id")
    if plan.last_day < plan.first_day:
        yield Problem("quality:span_backwards", "last_day")
    if not 1 <= plan.per_agent <= MOST_PER_AGENT:
        yield Problem("form:out_of_range", "per_agent", {"min": 1, "max": MOST_PER_AGENT})
    if plan.due_at <= now:
        yield Problem("quality:due_in_past", "due_on")
    if not 1 <= plan.dispute_days <= 30:
        yield Problem("form:out_of_range", "dispute_days", {"min": 1, "max": 30})


def choices() -> tuple[list[str], list[str]]:
    """Every channel and every kind that tickets speak of, in order. Two queries."""
    channels = db.session.scalars(select(TicketRow.channel).distinct().order_by(TicketRow.channel))
    kinds = db.session.scalars(select(TicketRow.kind).distinct().order_by(TicketRow.kind))
    return list(channels), list(kinds)


def numbers_in(text: str) -> list[str]:
    """Employee numbers as typed: parted by line breaks, spaces, commas or semicolons, each once."""
    for sign in ",;，；、":
        text = text.replace(sign, " ")
    return list(dict.fromkeys(text.split()))


def people_of(numbers: Iterable[str], where: str, day: date) -> list[PersonRow]:
    """The people of these employee numbers. Raises Invalid naming every number that nobody here has."""
    found, unknown = [], []
    for number in numbers:
        person = directory.by_number(number)
        if person is None or (person.left_on is not None and person.left_on < day):
            unknown.append(number)
        else:
            found.append(person)
    if unknown:
        raise Invalid("quality:no_such_number", where, numbers=", ".join(unknown[:MOST_NAMED]))
    if not found:
        raise Invalid("form:required", where)
    return list({person.id: person for person in found}.values())


def assign(sample: SampleRow, checkers: Collection[PersonRow], *, by: int | None, now: datetime) -> bool:
    """Share the unfiled tickets out among these people and write to them; False when nothing changes.

    Whoever has begun a check keeps it as long as they are among `checkers`. Raises NotYet before the draw, Invalid
    when a ticket would have nobody: nothing is shared out then.
    """
    db.session.refresh(sample, with_for_update=True)
    if sample.state is SampleState.DRAWING:
        raise NotYet("quality:not_drawn")
    ids = [person.id for person in sorted(checkers, key=lambda one: one.employee_no)]
    rows = _unfiled(sample.id)
    now_at = {row.checker_id for row in rows}
    if rows and now_at == set(ids):
        return False
    kept = [row for row in rows if row.draft is not None and row.checker_id in ids]
    given, homeless = share_out(
        [Drawn(row.id, row.agent_id) for row in rows if row not in kept],
        ids,
        _barred(sample, {row.agent_id for row in rows}),
        _loads(sample.id, kept),
    )
    if homeless:
        raise Invalid("quality:nobody_may", "checkers", names=_names({one.agent_id for one in homeless}))
    _write(rows, given)
    sample.state = SampleState.RUNNING
    db.session.flush()
    outbox.put_all(_letters(sample, checkers, now))
    numbers = sorted(person.employee_no for person in checkers)
    audit.record("quality:sample:assigned", f"quality_sample:{sample.id}", by=by, at=now, checkers=numbers)
    return True


def _unfiled(sample_id: int) -> list[CheckRow]:
    query = select(CheckRow).where(
        CheckRow.sample_id == sample_id,
        CheckRow.is_reserve.is_(False),
        CheckRow.filed_at.is_(None),
        CheckRow.replaced_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(CheckRow.id)))


def _barred(sample: SampleRow, agents: Collection[int]) -> dict[int, frozenset[int]]:
    if not sample.not_own_team:
        return {}
    return {agent: frozenset({boss}) for agent, boss in directory.lines().items() if agent in agents}


def _loads(sample_id: int, kept: Iterable[CheckRow]) -> dict[int, int]:
    """What each checker has already: filed checks and begun ones."""
    done = select(CheckRow.checker_id, func.count()).where(
        CheckRow.sample_id == sample_id, CheckRow.filed_at.is_not(None)
    )
    loads = Counter(row.checker_id for row in kept if row.checker_id is not None)
    for checker, count in db.session.execute(done.group_by(CheckRow.checker_id)):
        loads[checker or 0] += count
    return loads


def _write(rows: Iterable[CheckRow], given: dict[int, int]) -> None:
    """A draft goes with the checker who wrote it: nobody reads another's."""
    changed = [
        {"b_id": row.id, "b_checker": given[row.id]}
        for row in rows
        if row.id in given and given[row.id] != row.checker_id
    ]
    if changed:
        table = CheckRow.__table__
        anew = update(table).where(table.c.id == bindparam("b_id"))
        db.session.connection().execute(
            anew.values(checker_id=bindparam("b_checker"), draft=None, draft_at=None), changed
        )
        db.session.expire_all()


def _letters(sample: SampleRow, checkers: Iterable[PersonRow], now: datetime) -> Iterator[dict[str, Any]]:
    """One to each checker with an address; the same share twice is one letter."""
    mine: dict[int | None, list[int]] = {}
    for row in _unfiled(sample.id):
        mine.setdefault(row.checker_id, []).append(row.id)
    for person in checkers:
        if person.email is not None and mine.get(person.id):
            share = sha256(",".join(map(str, mine[person.id])).encode()).hexdigest()[:16]
            params = {"name": person.name, "sample": sample.name, "count": len(mine[person.id])}
            params["due"] = sample.due_at.isoformat()
            yield outbox.letter(ASSIGNED, f"sample:{sample.id}:{share}", person.email, person.locale, params, now=now)


def _names(ids: Collection[int]) -> str:
    people = directory.by_ids(sorted(ids)[: MOST_NAMED + 1])
    names = [people[one].name for one in sorted(people)][:MOST_NAMED]
    return ", ".join(names) + (" …" if len(ids) > MOST_NAMED else "")
