"""How somebody without a password gets one: by a mailed link, or by a printed slip with a code.

Neither is kept anywhere. Both are derived from a key outside the database, the person, and their count `activation`,
which every new password raises: so each works once, and all earlier ones die together.

A link's token is `person.until.signature`: the instant it runs out (in seconds) stands in it, readable, and is signed
with the rest, so it can be checked without a row and cannot be stretched. A slip carries 12 of 30 characters that
nobody mistakes for another, some 59 bits, typed with the employee number, and runs out 30 days after it was issued.
"""

import base64
import hmac
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import selectinload

from review.domain.access import Role
from review.domain.refusals import Invalid, TooLate
from review.infra import audit, organisation, outbox
from review.infra.dates import local
from review.infra.db import db
from review.infra.house import absolute, house
from review.infra.ids import LARGEST
from review.infra.outbox import LetterRow
from review.people import directory, passwords, throttle
from review.people.accounts import account_of, is_administrator, set_password
from review.people.tables import PersonRow, RoleRow

LETTER = "people:activation"
RESET = "people:password_reset"
LINK_LASTS = {LETTER: timedelta(days=14), RESET: timedelta(days=1)}
SLIP_LASTS = timedelta(days=30)
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12


def token_of(person: PersonRow, until: int) -> str:
    return f"{person.id}.{until}.{house().links.token(LETTER, person.id, person.activation, until)}"


def link_of(person: PersonRow, until: int) -> str:
    """The address at which this person chooses a password, until an instant in seconds since 1970."""
    return absolute(f"/activate/{token_of(person, until)}")


def opened_by(token: str, now: datetime) -> PersonRow:
    """Whose link this is. Raises TooLate, the same for used, expired, forged and unknown links."""
    person_id, _, rest = token.partition(".")
    until = rest.partition(".")[0]
    if _is_count(person_id) and _is_count(until) and int(person_id) <= LARGEST:
        person = db.session.get(PersonRow, int(person_id))
        genuine = person is not None and hmac.compare_digest(token_of(person, int(until)).encode(), token.encode())
        if person is not None and genuine and now.timestamp() <= int(until) and _works_here(person, now):
            return person
    raise TooLate("people:link_dead")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _works_here(person: PersonRow, now: datetime) -> bool:
    return person.left_on is None or person.left_on >= today(now)


def today(now: datetime) -> date:
    """The day it is for the organisation."""
    return local(now, organisation.current().zone).date()


def choose_password(person: PersonRow, password: str, again: str, now: datetime) -> None:
    """The person sets their password with the link or slip in hand. Raises Invalid."""
    passwords.require_same(password, again)
    set_password(person, password, now, by=person.id)


def _waiting(now: datetime, *, with_address: bool) -> list[PersonRow]:
    """Who has no password yet and works here (or will), with or without an e-mail address."""
    address = PersonRow.email.is_not(None) if with_address else PersonRow.email.is_(None)
    query = select(PersonRow).where(PersonRow.password_hash.is_(None), address, _not_left(now))
    return list(db.session.scalars(query.order_by(PersonRow.employee_no).options(selectinload(PersonRow.roles))))


def _not_left(now: datetime) -> ColumnElement[bool]:
    return PersonRow.left_on.is_(None) | (PersonRow.left_on >= today(now))


def send_letters(by: int, now: datetime) -> int:
    """Write an activation letter to everybody not yet activated who has an address; how many were written.

    At most one a day to each: pressing the button again does nothing more.
    """
    written = set(db.session.scalars(select(LetterRow.about).where(LetterRow.kind == LETTER)))
    letters = [_letter(LETTER, person, f"{now:%Y-%m-%d}", now) for person in _waiting(now, with_address=True)]
    fresh = [each for each in letters if each["about"] not in written]
    if fresh:
        outbox.put_all(fresh)
        audit.record("people:activation:letters_written", "people", by=by, at=now, count=len(fresh))
    return len(fresh)


def _letter(kind: str, person: PersonRow, when: str, now: datetime) -> dict[str, object]:
    until = int((now + LINK_LASTS[kind]).timestamp())
    about = f"person:{person.id}:{person.activation}:{when}"
    return outbox.letter(kind, about, str(person.email), person.locale, {"person": person.id, "until": until}, now=now)


def forgot(person: PersonRow | None, now: datetime) -> None:
    """Write a letter with a link to a new password, where there is an address; at most one an hour."""
    if person is None or person.email is None or not _works_here(person, now):
        return
    letter = _letter(RESET, person, f"{now:%Y-%m-%dT%H}", now)
    known = select(LetterRow.id).where(LetterRow.kind == RESET, LetterRow.about == letter["about"])
    if db.session.scalar(known.limit(1)) is None:
        outbox.put_all([letter])
        audit.record("people:password:reset_asked", f"person:{person.id}", by=None, at=now)


@dataclass(frozen=True, slots=True)
class Slip:
    """One printed slip: whose, the code on it, and until when it works."""

    name: str
    employee_no: str
    department: str | None
    code: str
    until: datetime


def slip_code(person: PersonRow) -> str:
    """The code of this person's present slip, `7K3M-Q9TX-W2RD`."""
    token = house().links.token("people:slip", person.id, person.activation)
    number = int.from_bytes(base64.urlsafe_b64decode(token + "="))
    letters = []
    for _ in range(CODE_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "-".join("".join(letters[start : start + 4]) for start in range(0, CODE_LENGTH, 4))


def _bare(code: str) -> str:
    """A code as typed, without what people add or vary."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", code).upper() if letter.isalnum())


def issue_slips(chosen: Collection[int] | None, by: int | None, now: datetime) -> int:
    """Issue slips to everybody not yet activated without an address, or to the people chosen; how many.

    A slip for somebody chosen is a new one and makes the one before it, and any link, worthless; it also serves
    whoever forgot their password and has no address. Administrators' slips are for administrators.
    """
    people = _waiting(now, with_address=False) if chosen is None else list(directory.by_ids(chosen).values())
    if not is_administrator(by):
        administrators = set(db.session.scalars(select(RoleRow.person_id).where(RoleRow.role == Role.ADMINISTRATOR)))
        people = [person for person in people if person.id not in administrators]
    if chosen is None:
        people = [person for person in people if person.slip_at is None or person.slip_at + SLIP_LASTS < now]
    people = [person for person in people if _works_here(person, now)]
    raised = PersonRow.activation + (0 if chosen is None else 1)
    ids = [person.id for person in people]
    for start in range(0, len(ids), directory.CHUNK):
        these = PersonRow.id.in_(ids[start : start + directory.CHUNK])
        db.session.execute(update(PersonRow).where(these).values(slip_at=now, activation=raised))
    if ids:
        db.session.expire_all()
        about = f"person:{ids[0]}" if len(ids) == 1 else "people"
        audit.record("people:activation:slips_issued", about, by=by, at=now, people=ids)
    return len(ids)


def slips(by: int | None, now: datetime, departments: Collection[int] | None, person_id: int | None) -> list[Slip]:
    """The slips that are issued and not used, as `by` may print them. Three queries."""
    query = select(PersonRow).where(PersonRow.slip_at > now - SLIP_LASTS, _not_left(now))
    if person_id is not None:
        query = query.where(PersonRow.id == person_id)
    if departments is not None:
        query = query.where(PersonRow.department_id.in_(departments))
    if not is_administrator(by):
        administrators = select(RoleRow.person_id).where(RoleRow.role == Role.ADMINISTRATOR)
        query = query.where(PersonRow.id.not_in(administrators))
    paths = directory.department_paths()
    found = [
        Slip(row.name, row.employee_no, paths.get(row.department_id or 0), slip_code(row), row.slip_at + SLIP_LASTS)
        for row in db.session.scalars(query)
        if row.slip_at is not None
    ]
    return sorted(found, key=lambda slip: (slip.department or "", slip.employee_no))  # as they are handed out


def activate_by_slip(number: str, code: str, password: str, again: str, now: datetime, *, source: str) -> PersonRow:
    """Set the password of the person whose slip this is. Raises Invalid, the same for a wrong number or code.

    Tries are counted like those at the sign-in; commits, see throttle.begin.
    """
    passwords.require_same(password, again)
    passwords.require_good(password, [number])
    person = directory.by_number(passwords.normal(number))
    tried = throttle.begin(account_of(person, number), f"slip {source}", now)
    person = directory.by_number(passwords.normal(number))
    if person is None or not _slip_holds(person, code, now):
        raise Invalid("people:wrong_slip", "code")
    throttle.succeeded(tried, now)
    choose_password(person, password, again, now)
    return person


def _slip_holds(person: PersonRow, code: str, now: datetime) -> bool:
    issued = person.slip_at is not None and now <= person.slip_at + SLIP_LASTS
    same = hmac.compare_digest(_bare(slip_code(person)).encode(), _bare(code).encode())
    return issued and same and _works_here(person, now)


def until_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
