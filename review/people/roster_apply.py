"""Writes a planned roster in one transaction, in bulk: ten thousand rows take seconds, not minutes."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from review.domain.refusals import Invalid
from review.infra import audit
from review.infra.db import db
from review.people import directory
from review.people.draft import units_of
from review.people.lines import follow_lines, make_departments
from review.people.roster_plan import Plan, Planned
from review.people.tables import PersonRow, RoleRow

ONE_AT_A_TIME = 36000001  # PostgreSQL's advisory lock for roster imports; SQLite has one writer anyway


def hold_the_directory() -> None:
    """Let two imports at once go one after the other. Call it before planning what is to be applied."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))


def apply(plan: Plan, *, by: int | None, now: datetime) -> None:
    """Add and change what the plan says. Raises Invalid when the plan has flaws."""
    if plan.flaws:
        raise Invalid.of(flaw.problem for flaw in plan.flaws)
    units = make_departments(planned.draft.department for planned in (*plan.adds, *plan.changes))
    _insert(plan.adds, units)
    _update(plan.changes, units)
    ids = _ids_by_number()
    _write_lines([*plan.adds, *plan.changes], ids)
    _write_roles([*plan.adds, *plan.changes], ids)
    db.session.expire_all()
    _record(plan, ids, by=by, now=now)
    follow_lines(by=by, now=now)


def _columns(planned: Planned, units: dict[tuple[str, ...], int]) -> dict[str, object]:
    draft = planned.draft
    return {
        "employee_no": draft.employee_no,
        "name": draft.name,
        "email": draft.email.lower() if draft.email else None,
        "department_id": units.get(units_of(draft.department)),
        "post": draft.post,
        "joined_on": draft.joined_on,
        "left_on": draft.left_on,
        "locale": draft.locale,
    }


def _insert(adds: Sequence[Planned], units: dict[tuple[str, ...], int]) -> None:
    rows = [{**_columns(planned, units), "session_version": 1, "activation": 1} for planned in adds]
    if rows:
        db.session.execute(insert(PersonRow), rows)


def _update(changes: Sequence[Planned], units: dict[tuple[str, ...], int]) -> None:
    # Two people may swap their addresses: let go of all first, so that no step in between has one twice.
    moving = [planned.person_id for planned in changes if "email" in planned.changes]
    for start in range(0, len(moving), directory.CHUNK):
        these = PersonRow.id.in_(moving[start : start + directory.CHUNK])
        db.session.execute(update(PersonRow).where(these).values(email=None))
    rows = [{"id": planned.person_id, **_columns(planned, units)} for planned in changes]
    if rows:
        db.session.execute(update(PersonRow), rows)


def _ids_by_number() -> dict[str, int]:
    rows = db.session.execute(select(PersonRow.employee_no, PersonRow.id))
    return {number.casefold(): person_id for number, person_id in rows}


def _write_lines(touched: Iterable[Planned], ids: dict[str, int]) -> None:
    rows = [
        {
            "id": ids[planned.draft.employee_no.casefold()],
            "supervisor_id": ids[planned.draft.supervisor_no.casefold()] if planned.draft.supervisor_no else None,
        }
        for planned in touched
        if planned.draft.supervisor_no or "supervisor_no" in planned.changes
    ]
    if rows:
        db.session.execute(update(PersonRow), rows)


def _write_roles(touched: Iterable[Planned], ids: dict[str, int]) -> None:
    rows = []
    for planned in touched:
        person_id = ids[planned.draft.employee_no.casefold()]
        before = planned.was.granted if planned.was else frozenset()
        rows += [{"person_id": person_id, "role": role} for role in sorted(planned.draft.granted - before)]
        for role in before - planned.draft.granted:
            db.session.execute(delete(RoleRow).where(RoleRow.person_id == person_id, RoleRow.role == role))
    if rows:
        db.session.execute(insert(RoleRow), rows)


def _record(plan: Plan, ids: dict[str, int], *, by: int | None, now: datetime) -> None:
    """One line for the import, and one for each colleague whose roles it changed."""
    counts = {"added": len(plan.adds), "changed": len(plan.changes), "unchanged": plan.unchanged}
    audit.record("people:roster:imported", "people", by=by, at=now, **counts, fingerprint=plan.fingerprint)
    for planned in (*plan.adds, *plan.changes):
        before = sorted(role.value for role in planned.was.granted) if planned.was else ["agent"]
        after = sorted(role.value for role in planned.draft.granted)
        if before != after:
            about = f"person:{ids[planned.draft.employee_no.casefold()]}"
            audit.record("people:roles:changed", about, by=by, at=now, roles=[before, after])
