"""Peers' figures by department, worked out once after the count from published cells and then only read; agreement."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import insert, select

from review.ballots.service import cells_of, figures_of
from review.cycles.tables import ReviewRow
from review.domain.disclosure import Shown
from review.domain.peer_figures import CycleFigure
from review.domain.scheme_shape import Scheme
from review.domain.suppression import Member, team_figures
from review.domain.vocabulary import Source
from review.infra.db import db
from review.people.tables import DepartmentRow, PersonRow
from review.results.tables import TeamCellRow

Parents = Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A department with all below it: `depth` in the tree, and by criterion the figure told (None: none may be)."""

    department: str
    depth: int
    figures: Mapping[str, Shown | None]


def freeze_teams(cycle_id: int, scheme: Scheme) -> None:
    """Work the table of a counted cycle out and store it, unless it is there: there is never a second release."""
    there = select(TeamCellRow.cycle_id).where(TeamCellRow.cycle_id == cycle_id).limit(1)
    if db.session.scalar(there) is not None:
        return
    parents, reviews = _parents(), _reviews(cycle_id)
    figures = _published(cycle_id)
    in_tree = set(_with_all_above(parents, (row.department_id for row in reviews)))
    rows = []
    for criterion in scheme.asked_of(Source.PEERS):
        members = [
            Member(row.subject_id, row.department_id, row.supervisor_id, figures[row.id, criterion.key])
            for row in reviews
            if row.department_id is not None and (row.id, criterion.key) in figures
        ]
        told = team_figures(parents, members)
        rows += [_row(cycle_id, department, criterion.key, told[department]) for department in sorted(in_tree)]
    if rows:
        db.session.execute(insert(TeamCellRow), rows)


def _row(cycle_id: int, department: int, criterion: str, told: Any) -> dict[str, Any]:
    figure = {"people": told.people, "points": told.points, "end": told.end} if told else {}
    where = {"cycle_id": cycle_id, "department_id": department, "criterion": criterion}
    return {**where, "people": None, "points": None, "end": None, **figure}


def _parents() -> dict[int, int | None]:
    rows = db.session.execute(select(DepartmentRow.id, DepartmentRow.parent_id))
    return {department: parent for department, parent in rows}  # noqa: C416  rows, not pairs


def _reviews(cycle_id: int) -> list[Any]:
    columns = (ReviewRow.id, ReviewRow.subject_id, ReviewRow.supervisor_id, ReviewRow.department_id)
    living = (ReviewRow.cycle_id == cycle_id) & ReviewRow.withdrawn_at.is_(None)
    return list(db.session.execute(select(*columns).where(living).order_by(ReviewRow.id)))


def _published(cycle_id: int) -> dict[tuple[int, str], Fraction]:
    return {
        (review, cell.criterion): Fraction(cell.figure.points, cell.figure.over)
        for review, cells in cells_of(cycle_id).items()
        for cell in cells
        if isinstance(cell.figure, Shown)
    }


def _with_all_above(parents: Parents, departments: Iterable[int | None]) -> Iterable[int]:
    for lowest in set(departments):
        at = lowest
        while at is not None:
            yield at
            at = parents[at]


def team_lines(cycle_id: int, supervisor_id: int | None = None) -> list[TeamLine]:
    """The table as a tree in the order of names; for a supervisor those departments that are wholly in their line."""
    query = select(TeamCellRow).where(TeamCellRow.cycle_id == cycle_id)
    told: dict[int, dict[str, Shown | None]] = {}
    for row in db.session.scalars(query):
        figure = None if row.points is None or row.people is None else Shown(row.people, row.points, 1, row.end)
        told.setdefault(row.department_id, {})[row.criterion] = figure
    seen = set(told) if supervisor_id is None else _in_line(cycle_id, supervisor_id, told)
    tree = db.session.scalars(select(DepartmentRow).where(DepartmentRow.id.in_(told)).order_by(DepartmentRow.name))
    below: dict[int | None, list[DepartmentRow]] = {}
    for department in tree:
        below.setdefault(department.parent_id, []).append(department)
    return [TeamLine(department.name, depth, told[department.id]) for department, depth in _walk(below, None, seen, 0)]


def agreement_in(cycle_id: int) -> list[CycleFigure]:
    """How far peers agree in the whole cycle, as kept at the count; nothing in small cycles."""
    return figures_of(cycle_id)


def _walk(
    below: Mapping[int | None, list[DepartmentRow]], parent: int | None, seen: Collection[int], depth: int
) -> Iterable[tuple[DepartmentRow, int]]:
    for department in below.get(parent, ()):
        if department.id in seen:
            yield department, depth
        yield from _walk(below, department.id, seen, depth + (department.id in seen))


def _in_line(cycle_id: int, supervisor_id: int, departments: Iterable[int]) -> set[int]:
    """The departments all of whose reviewed people the supervisor leads, directly or over others, or is."""
    people = db.session.execute(select(PersonRow.id, PersonRow.supervisor_id))
    boss: dict[int, int | None] = {person: supervisor for person, supervisor in people}  # noqa: C416  rows, not pairs
    reviews, parents = _reviews(cycle_id), _parents()
    boss |= {row.subject_id: row.supervisor_id for row in reviews}
    strangers = {row.department_id for row in reviews if not _leads(boss, supervisor_id, row.subject_id)}
    return set(departments) - set(_with_all_above(parents, strangers))


def _leads(boss: Mapping[int, int | None], supervisor_id: int, person: int) -> bool:
    at: int | None = person
    passed: set[int] = set()
    while at is not None and at not in passed:
        if at == supervisor_id:
            return True
        passed.add(at)
        at = boss.get(at)
    return False
