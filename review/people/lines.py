"""Reporting lines, departments, and the roles that follow from them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from review.domain.access import Role
from review.infra import audit
from review.infra.db import db
from review.people import directory
from review.people.draft import units_of
from review.people.tables import DepartmentRow, RoleRow


def follow_lines(*, by: int | None, now: datetime) -> None:
    """Somebody with reports is a supervisor, somebody without is not: bring that role up to the lines."""
    db.session.flush()
    leading = set(directory.lines().values())
    holding = set(db.session.scalars(select(RoleRow.person_id).where(RoleRow.role == Role.SUPERVISOR)))
    given, taken = sorted(leading - holding), sorted(holding - leading)
    if given:
        db.session.execute(insert(RoleRow), [{"person_id": each, "role": Role.SUPERVISOR} for each in given])
    for start in range(0, len(taken), directory.CHUNK):
        these = RoleRow.person_id.in_(taken[start : start + directory.CHUNK])
        db.session.execute(delete(RoleRow).where(RoleRow.role == Role.SUPERVISOR, these))
    if given or taken:
        audit.record("people:roles:followed_lines", "people", by=by, at=now, given=given, taken=taken)
        db.session.expire_all()  # roles written past the session would stay unseen by it


def circle_from(person: object, up: Mapping[object, object]) -> list[object]:
    """The circle a person would stand in, from them round to themselves; empty when the line ends at the top."""
    way = [person]
    at = up.get(person)
    while at is not None and at != person and at not in way:
        way.append(at)
        at = up.get(at)
    return [*way, person] if at == person else []


def make_departments(paths: Iterable[str | None]) -> dict[tuple[str, ...], int]:
    """The id of each path's last unit, making what is missing; keys are the units from the top."""
    known = {units_of(path): key for key, path in directory.department_paths().items()}
    # Above before below, and among equals by name: the same file makes the same departments in every process.
    for units in sorted({units_of(path) for path in paths}, key=lambda units: (len(units), units)):
        for depth in range(1, len(units) + 1):
            if units[:depth] not in known:
                row = DepartmentRow(name=units[depth - 1], parent_id=known.get(units[: depth - 1]))
                db.session.add(row)
                db.session.flush()
                known[units[:depth]] = row.id
    return known
