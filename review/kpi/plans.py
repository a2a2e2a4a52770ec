"""Keeps every version of every KPI plan, and says which one a cycle uses. An open version never changes again."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import count
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from review.cycles.changes import BEFORE_LAUNCH
from review.cycles.tables import CycleRow
from review.domain.canonical import digest
from review.domain.cycle import Stage
from review.domain.kpi_plan import KpiPlan, dump_plan, parse_plan, read_plan
from review.domain.reading import Reader
from review.domain.refusals import Invalid, OutOfReach, Problem, Taken
from review.domain.rounding import exact_text
from review.infra import audit
from review.infra.db import db, rows_changed
from review.kpi.library import starting_data
from review.kpi.plan_of_cycle import parsed
from review.kpi.tables import CyclePlanRow, PlanState, StoredPlanRow
from review.schemes.service import scheme_of

HIGHEST_CAP = 1000
LONGEST_STEM = 34  # characters of a key that leave room for a number
WHERE = "kpi_plan_id"  # the field of a cycle that names its plan


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version with its rules. Those of a draft may still have `problems`, and then parts are missing."""

    row: StoredPlanRow
    plan: KpiPlan
    problems: tuple[Problem, ...] = ()

    @property
    def is_draft(self) -> bool:
        return self.row.state is PlanState.DRAFT


def install_starting_set(now: datetime, by: int | None = None) -> StoredPlanRow:
    """The plan that ships with the product, stored as its first version and open, unless its key is there already."""
    data = starting_data()
    found = newest(str(data["key"]))
    if found is not None:
        return found
    plan = parse_plan(data)
    row = StoredPlanRow(
        key=plan.key,
        version=plan.version,
        state=PlanState.OPEN,
        body=dump_plan(plan),
        hash=plan.hash,
        created_at=now,
        created_by=by,
        opened_at=now,
        opened_by=by,
    )
    if not _put(row):
        return _there(plan.key)
    audit.record("kpi:plan:installed", about(row), by=by, at=now, version=row.version)
    return row


def _put(row: StoredPlanRow) -> bool:
    """Store a new version; False where somebody else was first with it."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
            db.session.flush()
    except IntegrityError:
        return False
    return True


def _there(key: str) -> StoredPlanRow:
    found = newest(key)
    assert found is not None  # it was in the way a moment ago
    return found


def about(row: StoredPlanRow) -> str:
    return f"kpi_plan:{row.key}"


def stored(plan_id: int) -> StoredPlanRow:
    """Raises OutOfReach when there is none."""
    row = db.session.get(StoredPlanRow, plan_id)
    if row is None:
        raise OutOfReach("kpi_plan:no_such_plan")
    return row


def newest(key: str) -> StoredPlanRow | None:
    """The newest version of a plan, whatever its state."""
    query = select(StoredPlanRow).where(StoredPlanRow.key == key)
    return db.session.scalar(query.order_by(StoredPlanRow.version.desc()).limit(1))


def every_version() -> list[StoredPlanRow]:
    """All versions of all plans, the newest of each first."""
    return list(db.session.scalars(select(StoredPlanRow).order_by(StoredPlanRow.key, StoredPlanRow.version.desc())))


def open_versions() -> list[StoredPlanRow]:
    """What a cycle may use, the newest of each plan first."""
    query = select(StoredPlanRow).where(StoredPlanRow.state == PlanState.OPEN)
    return list(db.session.scalars(query.order_by(StoredPlanRow.key, StoredPlanRow.version.desc())))


def version_of(row: StoredPlanRow) -> Version:
    """The rules of a stored version; those of a draft with whatever is still wrong with them."""
    if row.state is not PlanState.DRAFT:
        return Version(row, parsed(row.hash, row.id))
    reader = Reader()
    plan = read_plan(reader, row.body, "")
    return Version(row, plan, tuple(reader.problems))


def used_by() -> dict[int, list[tuple[int, str]]]:
    """The cycles that use each version: (cycle id, name), newest first. One query."""
    query = select(CyclePlanRow.plan_id, CycleRow.id, CycleRow.name).join(
        CycleRow, CycleRow.id == CyclePlanRow.cycle_id
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for plan_id, cycle_id, name in db.session.execute(query.order_by(CycleRow.period_end.desc(), CycleRow.id.desc())):
        found.setdefault(plan_id, []).append((cycle_id, name))
    return found


# ---- versions ---------------------------------------------------------------------------------


def draft_from(base: StoredPlanRow, *, by: int | None, now: datetime) -> StoredPlanRow:
    """The draft of the next version, copied from the newest one; the one there is, where there is one."""
    last = newest(base.key)
    assert last is not None  # base is one
    if last.state is PlanState.DRAFT:
        return last
    body = {**deepcopy(last.body), "version": last.version + 1}
    try:
        return _new_draft(body, by=by, now=now, copied_from=last.version)
    except Taken:  # a double click on a busy server: both lead to the one draft
        return _there(base.key)


def copy_as(base: StoredPlanRow, *, by: int, now: datetime) -> StoredPlanRow:
    """A draft of another plan that starts as this one is, under a key of its own."""
    stem = base.key[:LONGEST_STEM].rstrip("-_")
    taken = set(db.session.scalars(select(StoredPlanRow.key).where(StoredPlanRow.key.startswith(stem)).distinct()))
    key = next(name for number in count(2) if (name := f"{stem}-{number}") not in taken)
    body = {**deepcopy(base.body), "key": key, "version": 1}
    return _new_draft(body, by=by, now=now, copied_from=base.version)


def draft_of(data: dict[str, Any], *, by: int | None, now: datetime) -> StoredPlanRow:
    """A draft of what a file says, as the next version of its key. Raises Invalid, or Taken where one waits."""
    plan = parse_plan(data)
    last = newest(plan.key)
    if last is not None and last.state is PlanState.DRAFT:
        raise Taken("kpi_plan:draft_there", version=last.version)
    body = {**dump_plan(plan), "version": last.version + 1 if last else 1}
    return _new_draft(body, by=by, now=now, copied_from=None)


def _new_draft(body: dict[str, Any], *, by: int | None, now: datetime, copied_from: int | None) -> StoredPlanRow:
    row = StoredPlanRow(
        key=body["key"],
        version=body["version"],
        state=PlanState.DRAFT,
        body=body,
        hash=digest(body),
        created_at=now,
        created_by=by,
    )
    if not _put(row):
        raise Taken("kpi_plan:draft_there", version=_there(row.key).version)
    audit.record("kpi:plan:drafted", about(row), by=by, at=now, version=row.version, copied_from=copied_from)
    return row


def require_draft(row: StoredPlanRow) -> None:
    """Raises Taken for a version that is open or retired: it never changes again."""
    if row.state is not PlanState.DRAFT:
        raise Taken("kpi_plan:not_a_draft", version=row.version)


def rewrite(
    row: StoredPlanRow, seen: str, change: Callable[[dict[str, Any]], None], *, by: int | None, now: datetime, part: str
) -> None:
    """Change a draft by `change(body)`. Raises Taken when it says something else than what was `seen` on the page."""
    require_draft(row)
    body = deepcopy(row.body)
    change(body)
    fresh = digest(body)
    if fresh == row.hash:
        return  # the same again: a double submit, or nothing was changed
    if seen != row.hash:
        raise Taken("kpi_plan:changed_meanwhile", version=row.version)
    before = row.hash
    still = (StoredPlanRow.id == row.id, StoredPlanRow.hash == before, StoredPlanRow.state == PlanState.DRAFT)
    if rows_changed(update(StoredPlanRow).where(*still).values(body=body, hash=fresh)) != 1:
        raise Taken("kpi_plan:changed_meanwhile", version=row.version)
    db.session.refresh(row)
    audit.record(
        "kpi:plan:changed", about(row), by=by, at=now, version=row.version, part=part, before=before, after=fresh
    )


def open_version(row: StoredPlanRow, seen: str, *, by: int | None, now: datetime) -> None:
    """Everybody may read it and cycles may use it from now on. Raises Invalid with everything that is still wrong.

    Opening what is open changes nothing. Raises Taken when the draft says something else than what was `seen`.
    """
    if row.state is PlanState.OPEN:
        return
    require_draft(row)
    if seen != row.hash:
        raise Taken("kpi_plan:changed_meanwhile", version=row.version)
    plan = parse_plan(row.body)
    values = {"state": PlanState.OPEN, "body": dump_plan(plan), "hash": plan.hash, "opened_at": now, "opened_by": by}
    still = (StoredPlanRow.id == row.id, StoredPlanRow.hash == seen, StoredPlanRow.state == PlanState.DRAFT)
    if rows_changed(update(StoredPlanRow).where(*still).values(values)) != 1:
        raise Taken("kpi_plan:changed_meanwhile", version=row.version)
    db.session.refresh(row)
    audit.record("kpi:plan:opened", about(row), by=by, at=now, version=row.version, hash=row.hash)


def discard(row: StoredPlanRow, *, by: int, now: datetime) -> None:
    """Throw a draft away; its number is given to the next one."""
    require_draft(row)
    audit.record("kpi:plan:discarded", about(row), by=by, at=now, version=row.version, hash=row.hash)
    db.session.delete(row)
    db.session.flush()


def retire(row: StoredPlanRow, *, by: int, now: datetime) -> None:
    """No further cycle may use it; cycles that do keep it. Retiring it again changes nothing."""
    if row.state is PlanState.RETIRED:
        return
    if row.state is PlanState.DRAFT:
        raise Taken("kpi_plan:only_a_draft", version=row.version)
    row.state = PlanState.RETIRED
    audit.record("kpi:plan:retired", about(row), by=by, at=now, version=row.version)


# ---- which plan a cycle uses --------------------------------------------------------------------


def choice_of(cycle_id: int) -> CyclePlanRow | None:
    return db.session.get(CyclePlanRow, cycle_id)


def row_in(cycle_id: int) -> StoredPlanRow | None:
    """The stored version a cycle uses. One query."""
    query = select(StoredPlanRow).join(CyclePlanRow, CyclePlanRow.plan_id == StoredPlanRow.id)
    return db.session.scalar(query.where(CyclePlanRow.cycle_id == cycle_id))


def last_chosen() -> StoredPlanRow | None:
    """The plan of the cycle with the latest period; None where that one has none."""
    chosen = CyclePlanRow.cycle_id == CycleRow.id
    query = select(CycleRow.id, StoredPlanRow).outerjoin(CyclePlanRow, chosen)
    query = query.outerjoin(StoredPlanRow, StoredPlanRow.id == CyclePlanRow.plan_id)
    living = query.where(CycleRow.stage != Stage.CANCELLED)
    found = db.session.execute(living.order_by(CycleRow.period_end.desc(), CycleRow.id.desc()).limit(1)).first()
    return None if found is None else found[1]


def use(cycle: CycleRow, plan_id: int | None, *, by: int | None, now: datetime) -> None:
    """Let a cycle use a plan, or none. Raises Taken once it is launched, Invalid for a plan that is not open to it."""
    chosen = choice_of(cycle.id)
    before = chosen.plan_id if chosen else None
    stage = db.session.scalar(select(CycleRow.stage).where(CycleRow.id == cycle.id).with_for_update())
    if stage not in BEFORE_LAUNCH:
        if before == plan_id:
            return
        raise Taken("kpi_plan:cycle_launched")
    if plan_id is not None:
        _require_fit(cycle, plan_id, is_chosen=before == plan_id)
    if before == plan_id:
        return
    if chosen is not None:
        db.session.delete(chosen)
        db.session.flush()
    if plan_id is not None:
        db.session.add(CyclePlanRow(cycle_id=cycle.id, plan_id=plan_id, set_by=by, set_at=now))
        db.session.flush()
    audit.record("kpi:plan:chosen", f"cycle:{cycle.id}", by=by, at=now, before=before, after=plan_id)


def _require_fit(cycle: CycleRow, plan_id: int, *, is_chosen: bool) -> None:
    """A plan that was retired after it was chosen may stay."""
    row = db.session.get(StoredPlanRow, plan_id)
    if row is None or not (row.state is PlanState.OPEN or (is_chosen and row.state is PlanState.RETIRED)):
        raise Invalid("kpi_plan:not_open", WHERE)
    most = scheme_of(cycle.scheme_id).kpi_cap_limit or Fraction(HIGHEST_CAP)
    over = [one for one in version_of(row).plan.rows if one.cap > most]
    if over:
        highest = max(one.cap for one in over)
        raise Invalid("kpi_plan:cap_over_scheme", WHERE, cap=exact_text(highest), most=exact_text(most))
