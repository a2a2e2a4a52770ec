"""Who is who: people, departments and the lines between them, for every room to read."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from review.domain.access import Actor, Role, Standing
from review.domain.refusals import OutOfReach
from review.infra.db import db
from review.infra.gate import Found
from review.people.tables import DepartmentRow, PersonRow, RoleRow

CHUNK = 5000  # ids in one statement; databases limit their parameters


def person(person_id: int) -> PersonRow:
    """The person with their department; raises OutOfReach."""
    row = db.session.scalar(
        select(PersonRow).where(PersonRow.id == person_id).options(joinedload(PersonRow.department))
    )
    if row is None:
        raise OutOfReach("people:no_such_person")
    return row


def find_person(actor: Actor, person_id: int) -> Found:
    """Loader for views: the person, and whether the actor is the same."""
    row = person(person_id)
    return Found(row, frozenset({Standing.SUBJECT} if row.id == actor.person_id else ()))


def by_ids(ids: Iterable[int]) -> dict[int, PersonRow]:
    """People by id, each with their department. Unknown ids are left out."""
    wanted = sorted(set(ids))
    found: dict[int, PersonRow] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(PersonRow).where(PersonRow.id.in_(wanted[start : start + CHUNK]))
        for row in db.session.scalars(query.options(joinedload(PersonRow.department))):
            found[row.id] = row
    return found


def by_number(employee_no: str) -> PersonRow | None:
    """The person of that employee number, whatever its case."""
    matching = select(PersonRow).where(_same_number(employee_no))
    return db.session.scalar(matching.options(joinedload(PersonRow.department)).limit(1))


def _same_number(employee_no: str) -> ColumnElement[bool]:
    from_lower: ColumnElement[bool] = func.lower(PersonRow.employee_no) == employee_no.strip().lower()
    return from_lower


def here_on(day: date) -> ColumnElement[bool]:
    """The condition that somebody works here on `day`; the first and the last day count."""
    joined = PersonRow.joined_on.is_(None) | (PersonRow.joined_on <= day)
    return joined & (PersonRow.left_on.is_(None) | (PersonRow.left_on >= day))


def active(day: date) -> list[PersonRow]:
    """Everybody who works here on `day`, in the order of their employee numbers."""
    query = select(PersonRow).where(here_on(day)).order_by(PersonRow.employee_no)
    return list(db.session.scalars(query.options(joinedload(PersonRow.department))))


def team_of(supervisor_id: int, day: date) -> list[PersonRow]:
    """Who reports to this person directly and works here on `day`."""
    query = select(PersonRow).where(PersonRow.supervisor_id == supervisor_id, here_on(day))
    return list(db.session.scalars(query.order_by(PersonRow.employee_no).options(joinedload(PersonRow.department))))


def holding(role: Role) -> list[PersonRow]:
    """Everybody who holds a role."""
    query = select(PersonRow).join(RoleRow, RoleRow.person_id == PersonRow.id).where(RoleRow.role == role)
    return list(db.session.scalars(query.order_by(PersonRow.id).options(joinedload(PersonRow.department))))


def lines() -> dict[int, int]:
    """Who reports to whom directly: person -> supervisor, for those who have one."""
    pairs: Iterable[Any] = db.session.execute(
        select(PersonRow.id, PersonRow.supervisor_id).where(PersonRow.supervisor_id.is_not(None))
    )
    return {person_id: supervisor_id for person_id, supervisor_id in pairs}  # noqa: C416  Row objects, not pairs


def management_lines() -> dict[int, frozenset[int]]:
    """All managers above each person, up to the top. One query."""
    up = lines()
    above: dict[int, frozenset[int]] = {}
    everyone = db.session.scalars(select(PersonRow.id))
    return {person_id: _above(person_id, up, above) for person_id in everyone}


def _above(person_id: int, up: Mapping[int, int], known: dict[int, frozenset[int]]) -> frozenset[int]:
    way: list[int] = []
    at: int | None = person_id
    while at is not None and at not in known and at not in way:  # the last test ends a circle, should there be one
        way.append(at)
        at = up.get(at)
    for step in reversed(way):
        supervisor = up.get(step)
        known[step] = frozenset() if supervisor is None else known.get(supervisor, frozenset()) | {supervisor}
    return known[person_id]


def departments() -> dict[int, DepartmentRow]:
    """All departments by id. One query."""
    return {row.id: row for row in db.session.scalars(select(DepartmentRow).order_by(DepartmentRow.id))}


def department_paths() -> dict[int, str]:
    """Each department as the way from the top, `客服中心/售后一组`, in the order of these ways. One query."""
    rows = departments()
    paths = {key: "/".join(_names(row, rows)) for key, row in rows.items()}
    return dict(sorted(paths.items(), key=lambda item: item[1]))


def _names(row: DepartmentRow, rows: Mapping[int, DepartmentRow]) -> list[str]:
    names: list[str] = []
    at: DepartmentRow | None = row
    while at is not None and len(names) < 20:
        names.append(at.name)
        at = rows.get(at.parent_id) if at.parent_id is not None else None
    return names[::-1]


def below(department_id: int, rows: Mapping[int, DepartmentRow]) -> set[int]:
    """A department and all that belong to it."""
    found, grown = {department_id}, True
    while grown:
        more = {key for key, row in rows.items() if row.parent_id in found} - found
        found |= more
        grown = bool(more)
    return found
