"""Keeps every version of every scheme, and hands out the parsed rules."""

from datetime import datetime
from functools import lru_cache

from sqlalchemy import select

from review.domain.refusals import OutOfReach
from review.domain.scheme import Scheme, dump_scheme, parse_scheme
from review.infra.db import db
from review.schemes.library import builtin
from review.schemes.tables import SchemeRow, SchemeState

DEFAULT_KEY = "360-v1"


def install_default(now: datetime, by: int | None = None) -> SchemeRow:
    """The scheme that ships with the product, stored as its first version unless it is there already."""
    return latest(DEFAULT_KEY) or store(builtin(DEFAULT_KEY), now, by)


def store(scheme: Scheme, now: datetime, by: int | None) -> SchemeRow:
    """Keep `scheme` as an open version, readable by everyone from now on; it never changes again."""
    row = SchemeRow(
        key=scheme.id,
        version=scheme.version,
        state=SchemeState.OPEN,
        body=dump_scheme(scheme),
        hash=scheme.method_hash,
        created_at=now,
        created_by=by,
    )
    db.session.add(row)
    db.session.flush()
    return row


def stored(scheme_id: int) -> SchemeRow | None:
    return db.session.get(SchemeRow, scheme_id)


def latest(key: str) -> SchemeRow | None:
    query = select(SchemeRow).where(SchemeRow.key == key, SchemeRow.state == SchemeState.OPEN)
    return db.session.scalar(query.order_by(SchemeRow.version.desc()).limit(1))


def open_schemes() -> list[SchemeRow]:
    """Every version a cycle may use, newest first."""
    query = select(SchemeRow).where(SchemeRow.state == SchemeState.OPEN)
    return list(db.session.scalars(query.order_by(SchemeRow.key, SchemeRow.version.desc())))


def scheme_of(scheme_id: int) -> Scheme:
    """The rules of a stored version; raises OutOfReach when there is none. One query, parsed once per process."""
    row = db.session.get(SchemeRow, scheme_id)
    if row is None:
        raise OutOfReach("schemes:no_such_scheme")
    return _parsed(row.hash, row.id)


@lru_cache(maxsize=64)
def _parsed(_hash: str, scheme_id: int) -> Scheme:
    row = db.session.get(SchemeRow, scheme_id)
    assert row is not None  # the caller has just read it
    return parse_scheme(row.body)
