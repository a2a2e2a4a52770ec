"""Brings customers in with their tickets: known by their number in the system, by their address, or by their name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from review.domain.records import TicketSystem
from review.helpdesk import cells
from review.helpdesk.tables import CustomerRow
from review.infra.db import db

CUSTOMER = CustomerRow.__table__
LONGEST_NAME, LONGEST_ID = 80, 64


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says of a customer: `external_id` bears the system's name in front, for numbers repeat."""

    external_id: str | None
    email: str | None
    name: str
    locale: str | None

    @property
    def key(self) -> str:
        return self.external_id or f"@{self.email}"


def said_of(system: TicketSystem, says: Mapping[str, str], users: Mapping[str, Mapping[str, str]]) -> Said | None:
    """The customer of a row; None where it names nobody."""
    number = says.get("customer_no", "")
    user = users.get(number, {})
    both = f"{says.get('customer_first', '')} {says.get('customer_last', '')}".strip()
    name = says.get("customer") or both or user.get("name", "")
    email = cells.address(says.get("customer_email") or user.get("email", "")) or (
        cells.address(name) if name else None
    )
    if not (number or email or name):
        return None
    identity = number or (None if email else name)
    external = f"{system.value}:{identity}"[:LONGEST_ID] if identity else None
    shown = cells.harmless(name or email or number)[:LONGEST_NAME]
    return Said(external, email, shown, cells.locale(says.get("locale", "")))


def upsert(people: Iterable[Said], first_language: str) -> dict[str, int]:
    """The ids of customers by what they are recognised; new ones are made, known ones follow the newest file."""
    latest = {said.key: said for said in people}
    found = _known(latest.values())
    ids = {key: row.id for key, row in found.items()}
    ids |= _make([said for key, said in latest.items() if key not in found], first_language)
    _refresh([(found[key], said) for key, said in latest.items() if key in found])
    return ids


def _known(people: Iterable[Said]) -> dict[str, Any]:
    """The rows of those who are there, by what they are recognised; of several with one address the first."""
    sought = list(people)
    numbers = sorted(said.external_id for said in sought if said.external_id)
    emails = sorted(said.email for said in sought if said.email and not said.external_id)
    found: dict[str, Any] = {}
    query = select(CUSTOMER).where(CUSTOMER.c.email.in_(emails)).order_by(CUSTOMER.c.id.desc())
    for row in db.session.execute(query) if emails else ():
        found[f"@{row.email}"] = row
    for row in db.session.execute(select(CUSTOMER).where(CUSTOMER.c.external_id.in_(numbers))) if numbers else ():
        found[row.external_id] = row
    return found


def _make(new: Sequence[Said], language: str) -> dict[str, int]:
    if not new:
        return {}
    rows = [
        {
            "external_id": said.external_id,
            "name": said.name,
            "email": said.email,
            "locale": said.locale or language,
        }
        for said in new
    ]
    # Written together and then looked up: ids in the order of the rows would cost SQLite a statement a customer.
    db.session.execute(insert(CUSTOMER), rows)
    return {key: row.id for key, row in _known(new).items()}


def _refresh(known: Sequence[tuple[Any, Said]]) -> None:
    """Names and addresses as the newest file tells them; what it leaves empty stays, and so does a chosen language."""
    for row, said in known:
        told = {"name": said.name if said.name not in {said.email, row.name} else row.name, "email": said.email}
        if said.external_id and said.name == said.external_id.partition(":")[2]:
            told["name"] = row.name  # the file knows a number only
        new = {name: value for name, value in told.items() if value and value != getattr(row, name)}
        if new:
            db.session.execute(update(CUSTOMER).where(CUSTOMER.c.id == row.id).values(**new))
