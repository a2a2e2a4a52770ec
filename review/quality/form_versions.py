"""Keeps every version of every quality form: drafts that HR edits, open ones that never change, retired ones."""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from review.domain.access import Actor, Role
from review.domain.quality import QualityForm
from review.domain.quality_form import dump_form, parse_form
from review.domain.refusals import Invalid, OutOfReach, Taken
from review.domain.vocabulary import Text
from review.infra import audit
from review.infra.db import db, rows_changed
from review.infra.gate import Found
from review.quality.tables import FormRow, FormState

PACKAGED = Path(__file__).resolve().parent / "service.json"
DEFAULT_KEY = "service"


def packaged() -> QualityForm:
    """The form that ships with the product."""
    return parse_form(json.loads(PACKAGED.read_text(encoding="utf-8")))


def install_default(now: datetime, by: int | None = None) -> FormRow:
    """The packaged form, stored as its first open version unless a version of it is there already."""
    found = newest(DEFAULT_KEY)
    if found is not None:
        return found
    form = packaged()
    row = _row(form, FormState.OPEN, now, by)
    row.opened_at, row.opened_by = now, by
    db.session.add(row)
    db.session.flush()
    return row


def newest(key: str) -> FormRow | None:
    """The newest open version of a form."""
    query = select(FormRow).where(FormRow.key == key, FormRow.state == FormState.OPEN)
    return db.session.scalar(query.order_by(FormRow.version.desc()).limit(1))


def versions() -> list[FormRow]:
    """Every version of every form, newest first within a form. One query."""
    return list(db.session.scalars(select(FormRow).order_by(FormRow.key, FormRow.version.desc())))


def open_forms() -> list[FormRow]:
    """The versions that a sample may use."""
    return [row for row in versions() if row.state is FormState.OPEN]


def find_form(actor: Actor, form_id: int) -> Found:
    """A version: drafts are HR's alone, everything that was ever open can be read by everyone."""
    row = db.session.get(FormRow, form_id)
    if row is None or (row.state is FormState.DRAFT and Role.HR not in actor.roles):
        raise OutOfReach("quality:no_such_form")
    return Found(row)


def form_of(form_id: int) -> QualityForm:
    """The rules of a version that is or was open. Raises OutOfReach. One query, parsed once per process."""
    row = db.session.get(FormRow, form_id)
    if row is None or row.state is FormState.DRAFT:
        raise OutOfReach("quality:no_such_form")
    return _parsed(row.hash, row.id)


@lru_cache(maxsize=64)
def _parsed(_hash: str, form_id: int) -> QualityForm:
    row = db.session.get(FormRow, form_id)
    assert row is not None  # the caller has just read it
    return parse_form(row.body)


def begin(source: FormRow, key: str, *, by: int, now: datetime) -> FormRow:
    """A draft with the contents of `source`: its next version, or the first one of a new form under another `key`.

    A form has one draft at most: it is given back where there is one. Raises Invalid for a key that is none.
    """
    existing = db.session.scalar(select(FormRow).where(FormRow.key == key, FormRow.state == FormState.DRAFT))
    if existing is not None:
        return existing
    highest = db.session.scalar(select(func.max(FormRow.version)).where(FormRow.key == key)) or 0
    form = parse_form({**source.body, "key": key, "version": highest + 1})
    row = _row(form, FormState.DRAFT, now, by)
    db.session.add(row)
    db.session.flush()
    audit.record("quality:form:begun", f"quality_form:{row.id}", by=by, at=now, key=key, version=row.version)
    return row


def change(row: FormRow, data: dict[str, Any], *, by: int, now: datetime) -> None:
    """Write into a draft. Raises Invalid with every problem, Taken once the version is open."""
    _require_draft(row)
    form = parse_form({**data, "key": row.key, "version": row.version})
    if form.hash != row.hash:
        row.body, row.hash = dump_form(form), form.hash
        audit.record("quality:form:changed", f"quality_form:{row.id}", by=by, at=now, hash=form.hash)


def open_up(row: FormRow, seen: str, *, by: int, now: datetime) -> bool:
    """Open the draft for good; False when it is open already. Raises Taken when it changed since it was `seen`."""
    if row.state is FormState.OPEN and row.hash == seen:
        return False
    _require_draft(row)
    if row.hash != seen:
        raise Taken("quality:form_changed")
    row.state, row.opened_at, row.opened_by = FormState.OPEN, now, by
    audit.record("quality:form:opened", f"quality_form:{row.id}", by=by, at=now, hash=row.hash)
    return True


def retire(row: FormRow, *, by: int, now: datetime) -> bool:
    """No new sample may use it; those that do go on. False when it is retired already. Raises Invalid for a draft."""
    if row.state is FormState.DRAFT:
        raise Invalid("quality:form_is_draft")
    mine = FormRow.__table__.update().where(FormRow.id == row.id, FormRow.state == FormState.OPEN)
    if not rows_changed(mine.values(state=FormState.RETIRED)):
        return False
    db.session.refresh(row)
    audit.record("quality:form:retired", f"quality_form:{row.id}", by=by, at=now)
    return True


def _require_draft(row: FormRow) -> None:
    db.session.refresh(row, with_for_update=True)
    if row.state is not FormState.DRAFT:
        raise Taken("quality:form_is_open")


def _row(form: QualityForm, state: FormState, now: datetime, by: int | None) -> FormRow:
    row = FormRow(key=form.key, version=form.version, state=state, body=dump_form(form), hash=form.hash)
    row.created_at, row.created_by = now, by
    return row


def category_names() -> dict[str, Text]:
    """What a category is called, by its key, in the newest open version that has it. One query."""
    found: dict[str, Text] = {}
    for row in sorted(open_forms(), key=lambda each: (each.opened_at or each.created_at, each.id)):
        found |= {category.key: category.name for category in _parsed(row.hash, row.id).categories}
    return found
