"""Who is reviewed in a cycle in draft: everyone, departments, or single people."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import or_, select

from review.cycles import service
from review.cycles.tables import CycleRow, ReviewRow
from review.infra.db import db
from review.people import directory
from review.people.tables import DepartmentRow, PersonRow
from review.workflow import plan


def choose(cycle: CycleRow, departments: Collection[int] | None) -> int:
    """Review everybody of these departments and those below them, or all with a supervisor; how many."""
    here = directory.here_on(plan.first_day(cycle, cycle.opens_at))
    query = select(PersonRow.id).where(here)
    if departments is None:
        query = query.where(PersonRow.supervisor_id.is_not(None))  # the head of the house has nobody to answer for it
    else:
        rows = directory.departments()
        wanted: set[int] = set().union(*(directory.below(each, rows) for each in departments))
        query = query.where(PersonRow.department_id.in_(wanted))
    return _set(cycle, set(db.session.scalars(query)))


def add_and_remove(cycle: CycleRow, added: Collection[int], removed: Collection[int]) -> int:
    """Put single people in or take them out; how many are in."""
    present = set(db.session.scalars(select(ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle.id)))
    return _set(cycle, (present | set(added)) - set(removed))


def _set(cycle: CycleRow, people: set[int]) -> int:
    count = service.choose(cycle, people)
    plan.forget(cycle)
    return count


def _with_department() -> Any:
    query = select(PersonRow.id, PersonRow.name, PersonRow.employee_no, DepartmentRow.name.label("department"))
    return query.outerjoin(DepartmentRow, DepartmentRow.id == PersonRow.department_id)


def chosen(cycle: CycleRow) -> Any:
    """The people in the cycle, by employee number, as a query for a list."""
    query = _with_department().join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
    return query.where(ReviewRow.cycle_id == cycle.id).order_by(PersonRow.employee_no)


def search(cycle: CycleRow, text: str, most: int) -> list[Any]:
    """People who work here, are not in the cycle yet, and whose name or number holds `text`."""
    inside = select(ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle.id)
    matches = or_(PersonRow.name.contains(text, autoescape=True), PersonRow.employee_no.contains(text, autoescape=True))
    day = plan.first_day(cycle, cycle.opens_at)
    query = _with_department().where(matches, directory.here_on(day), PersonRow.id.not_in(inside))
    return list(db.session.execute(query.order_by(PersonRow.employee_no).limit(most)))
