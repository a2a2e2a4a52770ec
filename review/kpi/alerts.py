"""Alerts as they stand: raised once per person and span, told in one letter a day, handled with a note."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import aliased

from review.domain.access import Actor, Role, Standing
from review.domain.alerts import AlertKind, Finding
from review.domain.refusals import OutOfReach
from review.infra import audit, outbox
from review.infra.db import db, insert_into, rows_changed
from review.infra.gate import Found
from review.infra.lists import Listing, page_of
from review.kpi.alert_tables import AlertDayRow, AlertRow
from review.people.directory import here_on, holding
from review.people.tables import PersonRow

LETTER = "indicators:alerts"
LONGEST_NOTE = 500


# ---- raised by the clock --------------------------------------------------------------------------------------------


def was_looked_for(day: date) -> bool:
    return db.session.get(AlertDayRow, day) is not None


def keep(findings: Sequence[Finding], *, day: date, now: datetime) -> int:
    """Write down what is new and tell those who lead and HR; how many are new. Only once a day, and the first wins."""
    mark = insert_into(AlertDayRow).values(day=day, looked_at=now).on_conflict_do_nothing(index_elements=["day"])
    if db.session.scalar(mark.returning(AlertDayRow.day)) is None:
        return 0
    fresh = []
    for one in findings:
        values = {
            "kind": one.kind,
            "person_id": one.person,
            "first_day": one.first,
            "last_day": one.last,
            "facts": one.facts,
            "raised_at": now,
        }
        once = insert_into(AlertRow).values(values)
        keys = ["kind", "person_id", "first_day", "last_day"]
        if db.session.scalar(once.on_conflict_do_nothing(index_elements=keys).returning(AlertRow.id)) is not None:
            fresh.append(one)
    _write_letters(fresh, day, now)
    return len(fresh)


def _write_letters(fresh: Sequence[Finding], day: date, now: datetime) -> None:
    """One letter to each who leads somebody concerned, and one to each of HR about all. No figures go by mail."""
    if not fresh:
        return
    people = {row.id: row for row in db.session.scalars(select(PersonRow).where(here_on(day)))}
    lines: dict[int, list[dict[str, str]]] = defaultdict(list)
    for one in fresh:
        about = people.get(one.person)
        leader = one.person if one.kind is AlertKind.LOW_RESPONSE else about.supervisor_id if about else None
        if about is not None and leader is not None:
            lines[leader].append({"kind": one.kind.value, "name": about.name})
    for hr in holding(Role.HR):
        lines[hr.id] = [
            {"kind": one.kind.value, "name": people[one.person].name} for one in fresh if one.person in people
        ]
    about_day = f"day:{day.isoformat()}"
    outbox.put_all(
        outbox.letter(LETTER, about_day, row.email, row.locale, {"name": row.name, "lines": told}, now=now)
        for person, told in lines.items()
        if told and (row := people.get(person)) is not None and row.email is not None
    )


# ---- seen and handled -----------------------------------------------------------------------------------------------


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """HR sees all but those about themselves; who leads those of their people; both what is said of their own team."""
    is_team = AlertRow.kind == AlertKind.LOW_RESPONSE
    if Role.HR in actor.roles:
        return or_(AlertRow.person_id != actor.person_id, is_team)
    led = AlertRow.person_id.in_(select(PersonRow.id).where(PersonRow.supervisor_id == actor.person_id))
    return or_(led & ~is_team, (AlertRow.person_id == actor.person_id) & is_team)


def open_for(actor: Actor) -> int:
    """How many alerts wait for this person. One query; none for who leads nobody and is not HR."""
    if not actor.roles & {Role.HR, Role.SUPERVISOR}:
        return 0
    query = select(func.count()).select_from(AlertRow).where(AlertRow.handled_at.is_(None), _seen_by(actor))
    return db.session.scalar(query) or 0


def page_for(actor: Actor, page: int, *, is_handled: bool) -> Listing:
    """A page of (alert, name of the person, name of who handled it), the newest first."""
    handler = aliased(PersonRow)
    columns: tuple[Any, ...] = (AlertRow, PersonRow.name.label("name"), handler.name.label("handler"))
    query = select(*columns).join(PersonRow, PersonRow.id == AlertRow.person_id)
    query = query.outerjoin(handler, handler.id == AlertRow.handled_by).where(_seen_by(actor))
    state = AlertRow.handled_at.is_not(None) if is_handled else AlertRow.handled_at.is_(None)
    return page_of(query.where(state).order_by(AlertRow.raised_at.desc(), PersonRow.name, AlertRow.id), page, 20)


def find_alert(actor: Actor, alert_id: int) -> Found:
    """Loader: the alert, if it is this person's to see."""
    row = db.session.get(AlertRow, alert_id)
    mine = db.session.scalar(select(AlertRow.id).where(AlertRow.id == alert_id, _seen_by(actor)))
    if row is None or (mine is None and row.person_id == actor.person_id):  # nobody closes what is about themselves
        raise OutOfReach("indicators:no_such_alert")
    return Found(row, frozenset({Standing.RESPONSIBLE} if mine else ()))


def handle(alert: AlertRow, note: str, *, by: int, now: datetime) -> bool:
    """Mark as handled; False where somebody already has, whose note then stands."""
    waiting = update(AlertRow).where(AlertRow.id == alert.id, AlertRow.handled_at.is_(None))
    if not rows_changed(waiting.values(handled_at=now, handled_by=by, note=note)):
        return False
    audit.record("indicators:alert_handled", f"alert:{alert.id}", by=by, at=now, kind=alert.kind.value, note=note)
    return True
