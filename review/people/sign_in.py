"""Who is signed in: Flask-Login's user, loaded fresh on every request so that a lock-out takes effect at once."""

from flask import Flask, Response
from flask_login import LoginManager, UserMixin
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from review.domain.access import Actor
from review.infra.clock import now
from review.infra.db import db
from review.people import accounts
from review.people.tables import PersonRow


class SignedIn(UserMixin):
    """The person behind this session; `actor` is what decisions are made with."""

    def __init__(self, person: PersonRow) -> None:
        self.id = session_id(person)
        self.actor = Actor(person.id, person.name, frozenset(role.role for role in person.roles), person.locale)
        self.employee_no = person.employee_no

    def get_id(self) -> str:
        return self.id


def session_id(person: PersonRow) -> str:
    """What the session cookie says: the person and the version that ends all older sessions when raised."""
    return f"{person.id}:{person.session_version}"


def _load(claimed: str) -> SignedIn | None:
    person_id, _, _version = claimed.partition(":")
    if not person_id.isdigit():
        return None
    # With the roles in one query: this one is part of every page.
    mine = select(PersonRow).where(PersonRow.id == int(person_id)).options(joinedload(PersonRow.roles))
    person = db.session.scalars(mine).unique().one_or_none()
    if person is None or session_id(person) != claimed or not accounts.may_sign_in(person, now()):
        return None
    return SignedIn(person)


class _Sessions(LoginManager):
    """Nobody is remembered beyond the session, so a page that asks for no name never looks into the cookie."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_sign_in(app: Flask) -> None:
    manager = _Sessions(app)
    manager.user_loader(_load)
    manager.session_protection = None  # the client's address changes on phones; the cookie's own flags protect it
