"""Makes what tests need: plain functions, fixed names, no random data.

The cast: Ada (agent) in the team of Sam, with peers Bo, Cy, Di, Ed, Fay, Gus; Quinn supervises another team with
Rae; Hana is HR, Max the administrator. Sam and Quinn report to Lou.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from review.domain.access import Role
from review.infra.db import db
from review.people.tables import DepartmentRow, PersonRow, RoleRow

# A Wednesday morning in Shanghai (08:00 UTC is 16:00 there).
NOW = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Somebody:
    """A person a test speaks of, without a database row in hand."""

    id: int
    name: str
    employee_no: str
    session_id: str


Cast = dict[str, Somebody]


def make_department(name: str, parent: int | None = None) -> int:
    row = DepartmentRow(name=name, parent_id=parent)
    db.session.add(row)
    db.session.flush()
    return row.id


def make_person(
    name: str,
    *,
    employee_no: str | None = None,
    department: int | None = None,
    supervisor: int | None = None,
    roles: tuple[Role, ...] = (Role.AGENT,),
    email: str | None = "",
    joined_on: date | None = date(2024, 1, 1),
    left_on: date | None = None,
    locale: str = "en",
) -> Somebody:
    """A person with an activated account (no password that could be typed); `email=None` for somebody without."""
    number = employee_no or f"E{abs(hash_of(name)) % 10**6:06}"
    row = PersonRow(
        employee_no=number,
        name=name,
        email=f"{name.lower().replace(' ', '.')}@example.com" if email == "" else email,
        department_id=department,
        supervisor_id=supervisor,
        joined_on=joined_on,
        left_on=left_on,
        locale=locale,
        password_hash="unusable",
        session_version=1,
        activation=1,
        roles=[RoleRow(role=role) for role in roles],
    )
    db.session.add(row)
    db.session.flush()
    return Somebody(row.id, row.name, row.employee_no, f"{row.id}:{row.session_version}")


def hash_of(name: str) -> int:
    """A number for a name that is the same in every process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(name))


def make_cast() -> Cast:
    service = make_department("Service")
    after_sales, pre_sales = make_department("After-sales", service), make_department("Pre-sales", service)
    lou = make_person("Lou", department=service, roles=(Role.SUPERVISOR,))
    sam = make_person("Sam", department=after_sales, supervisor=lou.id, roles=(Role.AGENT, Role.SUPERVISOR))
    quinn = make_person("Quinn", department=pre_sales, supervisor=lou.id, roles=(Role.AGENT, Role.SUPERVISOR))
    agents = [
        make_person(name, department=after_sales, supervisor=sam.id)
        for name in ("Ada", "Bo", "Cy", "Di", "Ed", "Fay", "Gus")
    ]
    rae = make_person("Rae", department=pre_sales, supervisor=quinn.id)
    hana = make_person("Hana", department=service, supervisor=lou.id, roles=(Role.AGENT, Role.HR))
    max_ = make_person("Max", department=service, roles=(Role.ADMINISTRATOR,))
    everyone = [lou, sam, quinn, *agents, rae, hana, max_]
    return {person.name.lower(): person for person in everyone}
