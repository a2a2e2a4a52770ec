"""Accounts: adding and changing colleagues, their roles, their passwords, and who may sign in."""

from datetime import datetime

from sqlalchemy import func, or_, select, update

from review.domain.access import Role
from review.domain.refusals import Invalid, Problem
from review.infra import audit, organisation
from review.infra.dates import local
from review.infra.db import db, rows_changed
from review.people import directory, passwords, throttle
from review.people.draft import PersonDraft, problems_of, units_of
from review.people.lines import circle_from, follow_lines, make_departments
from review.people.tables import PersonRow, RoleRow

TEXTS = ("employee_no", "name", "email", "post", "joined_on", "left_on", "locale")


def create(draft: PersonDraft, by: int | None, now: datetime) -> PersonRow:
    """A new colleague, not yet activated. `by` is None for the command line. Raises Invalid with every problem."""
    supervisor = _checked(draft, None, by)
    row = PersonRow(session_version=1, activation=1)
    _write(row, draft, supervisor)
    row.roles = [RoleRow(role=role) for role in sorted(draft.granted)]
    db.session.add(row)
    db.session.flush()
    audit.record("people:person:created", f"person:{row.id}", by=by, at=now, **_described(row))
    follow_lines(by=by, now=now)
    return row


def edit(person: PersonRow, draft: PersonDraft, by: int | None, now: datetime) -> None:
    """Change a colleague. Who has left can no longer sign in. Raises Invalid with every problem."""
    supervisor = _checked(draft, person, by)
    before = _described(person)
    _write(person, draft, supervisor)
    _grant(person, draft.granted)
    db.session.flush()
    after = _described(person)
    changed = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if changed:
        audit.record("people:person:changed", f"person:{person.id}", by=by, at=now, **changed)
    follow_lines(by=by, now=now)


def _checked(draft: PersonDraft, person: PersonRow | None, by: int | None) -> PersonRow | None:
    """The supervisor named by the draft, when everything about it makes sense."""
    problems = [*problems_of(draft), *_taken(draft, person), *_rights(draft, person, by)]
    supervisor = directory.by_number(draft.supervisor_no) if draft.supervisor_no else None
    if draft.supervisor_no and supervisor is None:
        problems.append(Problem("people:no_such_supervisor", "supervisor_no", {"number": draft.supervisor_no}))
    if supervisor is not None and person is not None and not problems:
        problems += _circle(person, supervisor)
    if problems:
        raise Invalid.of(problems)
    return supervisor


def _taken(draft: PersonDraft, person: PersonRow | None) -> list[Problem]:
    others = PersonRow.id != (person.id if person else 0)
    number = select(PersonRow.name).where(func.lower(PersonRow.employee_no) == draft.employee_no.lower(), others)
    address = select(PersonRow.name).where(PersonRow.email == (draft.email or "").lower(), others)
    return [
        Problem("people:in_use", where, {"name": name})
        for where, query in (("employee_no", number), ("email", address))
        if (name := db.session.scalar(query.limit(1)))
    ]


def _circle(person: PersonRow, supervisor: PersonRow) -> list[Problem]:
    up: dict[object, object] = dict(directory.lines().items())
    circle = circle_from(person.id, up | {person.id: supervisor.id})
    if not circle:
        return []
    names = directory.by_ids(each for each in circle if isinstance(each, int))
    told = " → ".join(names[each].name for each in circle if isinstance(each, int))
    return [Problem("people:lines_in_a_circle", "supervisor_no", {"names": told})]


def _rights(draft: PersonDraft, person: PersonRow | None, by: int | None) -> list[Problem]:
    """Administrators are made, changed and unmade by administrators alone, and one of them must remain."""
    holds = person is not None and Role.ADMINISTRATOR in roles_of(person)
    if (holds or Role.ADMINISTRATOR in draft.roles) and not is_administrator(by):
        return [Problem("people:administrators_only", "roles")]
    leaves = Role.ADMINISTRATOR not in draft.roles or draft.left_on is not None
    if person is not None and holds and leaves and not _another_administrator(person.id):
        return [Problem("people:last_administrator", "roles" if draft.left_on is None else "left_on")]
    return []


def is_administrator(by: int | None) -> bool:
    """Whether `by` may touch administrators; the command line (None) may, it can read the database anyway."""
    if by is None:
        return True
    held = select(RoleRow.id).where(RoleRow.person_id == by, RoleRow.role == Role.ADMINISTRATOR)
    return db.session.scalar(held) is not None


def _another_administrator(person_id: int) -> bool:
    remaining = (
        select(PersonRow.id)
        .join(RoleRow, RoleRow.person_id == PersonRow.id)
        .where(RoleRow.role == Role.ADMINISTRATOR, PersonRow.left_on.is_(None), PersonRow.id != person_id)
    )
    return db.session.scalar(remaining.limit(1)) is not None


def _write(row: PersonRow, draft: PersonDraft, supervisor: PersonRow | None) -> None:
    row.employee_no, row.name, row.post = draft.employee_no, draft.name, draft.post
    row.email = draft.email.lower() if draft.email else None
    row.joined_on, row.left_on, row.locale = draft.joined_on, draft.left_on, draft.locale
    row.department_id = make_departments([draft.department]).get(units_of(draft.department))
    row.supervisor_id = supervisor.id if supervisor else None


def roles_of(person: PersonRow) -> frozenset[Role]:
    return frozenset(role.role for role in person.roles)


def _grant(person: PersonRow, granted: frozenset[Role]) -> None:
    for role in list(person.roles):
        if role.role is not Role.SUPERVISOR and role.role not in granted:
            person.roles.remove(role)
    person.roles += [RoleRow(role=role) for role in sorted(granted - roles_of(person))]


def _described(row: PersonRow) -> dict[str, object]:
    """A person as the audit log keeps them; never anything of their password."""
    plain = {name: getattr(row, name) for name in TEXTS}
    told: dict[str, object] = {name: str(value) if value is not None else None for name, value in plain.items()}
    told |= {"department": row.department_id, "supervisor": row.supervisor_id}
    return told | {"roles": sorted(role.value for role in roles_of(row) - {Role.SUPERVISOR})}


def may_sign_in(person: PersonRow, now: datetime) -> bool:
    """Whether this account still opens: activated, and its owner has not left."""
    today = local(now, organisation.current().zone).date()
    return person.password_hash is not None and (person.left_on is None or person.left_on >= today)


def named(typed: str) -> PersonRow | None:
    """The person of an employee number or e-mail address, as typed at the door."""
    plain = passwords.normal(typed).strip().lower()
    matching = or_(func.lower(PersonRow.employee_no) == plain, PersonRow.email == plain)
    return db.session.scalar(select(PersonRow).where(matching).order_by(PersonRow.id).limit(1)) if plain else None


def account_of(person: PersonRow | None, typed: str) -> str:
    """What tries at an account are counted under: the person, however they were named."""
    return f"person {person.id}" if person else f"typed {passwords.normal(typed).strip().lower()}"


def authenticate(
    typed: str, password: str, now: datetime, *, source: str = "", known_browser: int | None = None
) -> PersonRow:
    """The person who signs in by employee number or e-mail address.

    Raises Invalid: `people:wait` when there were too many tries, else `people:wrong_sign_in`, the same for an
    unknown account, a wrong password, an account not activated and one whose owner has left. `source` is where the
    try comes from, `known_browser` the person who signed in there before. Commits, see throttle.begin.
    """
    person = named(typed)
    may_enter = person is not None and may_sign_in(person, now)
    known_hash = person.password_hash if person is not None and may_enter else None
    person_id = person.id if person else None
    is_known = person_id is not None and person_id == known_browser
    tried = throttle.begin(account_of(person, typed), source, now, known_browser=is_known)
    if not passwords.matches(known_hash, password) or known_hash is None or person_id is None:
        raise Invalid("people:wrong_sign_in", "password")
    throttle.succeeded(tried, now)
    entered = directory.person(person_id)
    if passwords.is_outdated(known_hash) and entered.password_hash == known_hash:
        entered.password_hash = passwords.hashed(password)
    return entered


def set_password(person: PersonRow, password: str, now: datetime, *, by: int | None) -> None:
    """Give a person a password: ends their other sessions and makes every earlier link and slip worthless.

    Raises Invalid for a password that is too weak.
    """
    passwords.require_good(password, [person.employee_no, person.name, person.email])
    was_new = person.password_hash is None
    values = {"password_hash": passwords.hashed(password), "slip_at": None}
    raised = {"activation": person.activation + 1, "session_version": person.session_version + 1}
    mine = (PersonRow.id == person.id) & (PersonRow.activation == person.activation)
    if rows_changed(update(PersonRow).where(mine).values(**values, **raised)) != 1:
        raise Invalid("people:link_used", "password")
    action = "people:account:activated" if was_new else "people:password:changed"
    audit.record(action, f"person:{person.id}", by=by, at=now)
    db.session.expire(person)


def change_password(
    person: PersonRow, current: str, fresh: str, again: str, now: datetime, *, source: str = ""
) -> None:
    """A signed-in person changes their password; guessing the current one is slowed down like signing in."""
    passwords.require_same(fresh, again)
    person_id, known_hash = person.id, person.password_hash
    tried = throttle.begin(f"person {person_id}", f"change {source}", now)
    if not passwords.matches(known_hash, current):
        raise Invalid("people:wrong_password", "current")
    throttle.succeeded(tried, now)
    set_password(directory.person(person_id), fresh, now, by=person_id)


def end_sessions(person_id: int) -> None:
    """End every open session of a person, on all devices: a copied cookie dies with them."""
    raised = update(PersonRow).where(PersonRow.id == person_id).values(session_version=PersonRow.session_version + 1)
    db.session.execute(raised)
