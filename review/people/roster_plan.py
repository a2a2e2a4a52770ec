"""Compares a roster with the people there are: whom it adds, whom it changes and how, and what is wrong in it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date

from sqlalchemy import select

from review.domain.access import Role
from review.domain.refusals import Problem
from review.infra.db import db
from review.people import directory
from review.people.draft import PersonDraft, problems_of, units_of
from review.people.lines import circle_from
from review.people.roster import Flaw, Roster, RosterRow
from review.people.tables import PersonRow, RoleRow

FIELDS = tuple(each.name for each in fields(PersonDraft))


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is in the database already, described the way a roster does."""

    id: int
    draft: PersonDraft


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one row: `person_id` is None for somebody new, `was` how they are described so far."""

    row: int
    draft: PersonDraft
    person_id: int | None = None
    was: PersonDraft | None = None

    @property
    def changes(self) -> dict[str, tuple[object, object]]:
        """Field -> before and after, for somebody known."""
        if self.was is None:
            return {}
        pairs = {name: (getattr(self.was, name), getattr(self.draft, name)) for name in FIELDS}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an import would do. It can be applied when there are no `flaws`; `warnings` do not hinder it."""

    adds: tuple[Planned, ...]
    changes: tuple[Planned, ...]
    unchanged: int
    flaws: tuple[Flaw, ...]
    warnings: tuple[Flaw, ...]
    ignored: tuple[str, ...]
    new_departments: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The same for the same changes: what HR saw is what is applied, or they look again."""
        told = [(p.person_id, *(_told(getattr(p.draft, name)) for name in FIELDS)) for p in (*self.adds, *self.changes)]
        return hashlib.sha256(repr(told).encode()).hexdigest()


def _told(value: object) -> str:
    return ",".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


def known_people() -> dict[str, Known]:
    """Everybody, by employee number without its case. Three queries, columns only."""
    paths = directory.department_paths()
    roles: dict[int, set[Role]] = {}
    for person_id, role in db.session.execute(select(RoleRow.person_id, RoleRow.role)):
        roles.setdefault(person_id, set()).add(role)
    columns = (PersonRow.id, PersonRow.department_id, PersonRow.supervisor_id, PersonRow.employee_no, PersonRow.name)
    more = (PersonRow.email, PersonRow.post, PersonRow.joined_on, PersonRow.left_on, PersonRow.locale)
    rows = db.session.execute(select(*columns, *more)).all()
    numbers = {row.id: row.employee_no for row in rows}
    found = {}
    for row in rows:
        draft = PersonDraft(
            employee_no=row.employee_no,
            name=row.name,
            email=row.email,
            department=paths.get(row.department_id),
            supervisor_no=numbers.get(row.supervisor_id),
            post=row.post,
            joined_on=row.joined_on,
            left_on=row.left_on,
            roles=frozenset(roles.get(row.id, set()) - {Role.SUPERVISOR}),
            locale=row.locale,
        )
        found[row.employee_no.casefold()] = Known(row.id, draft)
    return found


def plan(roster: Roster, today: date, *, may_make_administrators: bool, locale: str = "zh") -> Plan:
    """What importing the roster would do now. A constant number of queries, whatever its size."""
    known = known_people()
    work = _Work(roster, known, locale)
    for row in roster.rows:
        work.take(row)
    work.check_addresses()
    work.check_lines(today)
    work.check_administrators(may_make_administrators)
    there = set(directory.department_paths().values())
    wanted = {p.draft.department for p in (*work.adds, *work.changes) if p.draft.department}
    ordered = sorted(work.flaws, key=lambda flaw: (flaw.row, flaw.column))
    return Plan(
        tuple(work.adds),
        tuple(work.changes),
        work.unchanged,
        tuple(ordered),
        tuple(sorted(work.warnings, key=lambda flaw: (flaw.row, flaw.column))),
        roster.ignored,
        tuple(sorted(wanted - there)),
    )


class _Work:
    """A plan in the making."""

    def __init__(self, roster: Roster, known: Mapping[str, Known], locale: str) -> None:
        self.headings, self.known, self.locale = roster.headings, known, locale
        self.flaws: list[Flaw] = list(roster.flaws)
        self.warnings: list[Flaw] = []
        self.adds: list[Planned] = []
        self.changes: list[Planned] = []
        self.unchanged = 0
        self.first_rows: dict[str, RosterRow] = {}
        self.in_file = {row.employee_no.casefold() for row in roster.rows if row.says.get("employee_no")}
        self.broken = {flaw.row for flaw in roster.flaws}

    def _say(self, into: list[Flaw], row: int, key: str, code: str, **params: object) -> None:
        into.append(Flaw(row, self.headings.get(key, ""), Problem(code, None, params)))

    def take(self, row: RosterRow) -> None:
        """Sort a row among those that add, change or leave alone."""
        if row.number in self.broken and "employee_no" not in row.says:
            return
        number = row.employee_no.casefold()
        first = self.first_rows.setdefault(number, row)
        if number and first is not row:
            same = dict(first.says) == dict(row.says)
            into, code = (self.warnings, "people:row_again") if same else (self.flaws, "people:row_differs")
            self._say(into, row.number, "employee_no", code, first=first.number)
            return
        found = self.known.get(number)
        planned = self._planned(row, found)
        if found is not None and planned.draft == found.draft:
            self.unchanged += 1
            return
        for problem in problems_of(planned.draft):
            column = self.headings.get(problem.where or "", "")
            self.flaws.append(Flaw(row.number, column, Problem(problem.code, None, problem.params)))
        (self.adds if found is None else self.changes).append(planned)

    def _planned(self, row: RosterRow, found: Known | None) -> Planned:
        says = dict(row.says)
        if "department" in says:
            says["department"] = "/".join(units_of(str(says["department"] or ""))) or None
        number = str(says.get("supervisor_no") or "")
        if number and number.casefold() not in self.known and number.casefold() not in self.in_file:
            self._say(self.warnings, row.number, "supervisor_no", "people:supervisor_unknown", number=number)
            del says["supervisor_no"]
        elif number and number.casefold() in self.known:
            says["supervisor_no"] = self.known[number.casefold()].draft.employee_no
        if found is None:
            return Planned(row.number, _draft({"locale": self.locale, **says}))
        says.pop("employee_no")  # another case of the same number is no change
        return Planned(row.number, replace(found.draft, **says), found.id, found.draft)  # type: ignore[arg-type]

    def _after(self) -> Iterator[tuple[Planned | None, PersonDraft]]:
        """Everybody as they would be, with the row that made them so."""
        touched = {planned.person_id for planned in self.changes}
        yield from ((None, each.draft) for each in self.known.values() if each.id not in touched)
        yield from ((planned, planned.draft) for planned in (*self.adds, *self.changes))

    def check_addresses(self) -> None:
        """An e-mail address belongs to one person, counting everybody as they would be."""
        holders: dict[str, list[tuple[Planned | None, PersonDraft]]] = {}
        for planned, draft in self._after():
            holders.setdefault(draft.email or "", []).append((planned, draft))
        holders.pop("", None)
        for together in (each for each in holders.values() if len(each) > 1):
            for planned, _ in together:
                other = next(draft for other, draft in together if other is not planned)
                if planned is not None:
                    self._say(self.flaws, planned.row, "email", "people:in_use", name=other.name)

    def check_lines(self, today: date) -> None:
        """No circles; a supervisor who has left is worth a look."""
        holders = {draft.employee_no.casefold(): (planned, draft) for planned, draft in self._after()}
        up: dict[object, object] = {
            number: draft.supervisor_no.casefold() for number, (_, draft) in holders.items() if draft.supervisor_no
        }
        for number, (planned, draft) in holders.items():
            if planned is None or not draft.supervisor_no or draft.supervisor_no.casefold() == number:
                continue
            circle = circle_from(number, up)
            if circle:
                names = " → ".join(holders[str(each)][1].name for each in circle)
                self._say(self.flaws, planned.row, "supervisor_no", "people:lines_in_a_circle", names=names)
            above = holders.get(draft.supervisor_no.casefold())
            if above and above[1].left_on and above[1].left_on < today and draft.left_on is None:
                self._say(self.warnings, planned.row, "supervisor_no", "people:supervisor_left", name=above[1].name)

    def check_administrators(self, may: bool) -> None:
        """Only an administrator makes or touches administrators, and one of them remains."""
        touched = [
            planned
            for planned in (*self.adds, *self.changes)
            if Role.ADMINISTRATOR in planned.draft.roles | (planned.was.roles if planned.was else frozenset())
        ]
        for planned in touched:
            if not may:
                self._say(self.flaws, planned.row, "roles", "people:administrators_only")
        were = any(Role.ADMINISTRATOR in each.draft.roles for each in self.known.values())
        remain = any(Role.ADMINISTRATOR in draft.roles and draft.left_on is None for _, draft in self._after())
        if were and not remain and touched:
            self._say(self.flaws, touched[-1].row, "roles", "people:last_administrator")


def _draft(says: Mapping[str, object]) -> PersonDraft:
    return PersonDraft(**{"employee_no": "", "name": "", **says})  # type: ignore[arg-type]
