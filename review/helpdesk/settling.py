"""HR's words, remembered: whom a system means by an agent, and how a column is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from review.domain.records import TicketSystem
from review.helpdesk import agents, applying
from review.helpdesk.agents import Handlers
from review.helpdesk.tables import AliasRow, MappingRow, ShareRow, TicketRow
from review.infra import audit
from review.infra.db import db
from review.infra.sheets import plain

PORTION = 500


def settle_agents(system: TicketSystem, said: Mapping[str, int | None], by: int, now: datetime) -> int:
    """Remember who is meant (None: nobody of ours), and give them the tickets that wait for it; how many."""
    there = {row.label: row for row in db.session.scalars(select(AliasRow).where(AliasRow.system == system))}
    for label, person in said.items():
        row = there.get(label)
        if row is None:
            db.session.add(AliasRow(system=system, label=label, person_id=person, said_by=by, said_at=now))
        elif row.person_id != person:
            row.person_id, row.said_by, row.said_at = person, by, now
        audit.record("helpdesk:agent:settled", f"agent:{system.value}", by=by, at=now, label=label, person=person)
    db.session.flush()
    return _give(system, set(said))


def _give(system: TicketSystem, labels: set[str]) -> int:
    """Tickets already here whose agents are settled by now."""
    roster, given = agents.roster(system), 0
    waiting = select(TicketRow.id, TicketRow.agent_label).where(
        TicketRow.system == system, TicketRow.agent_id.is_(None), TicketRow.agent_label.is_not(None)
    )
    settled: dict[str, Handlers] = {}
    ids: dict[str, list[int]] = {}
    for ticket, label in ((row.id, row.agent_label or "") for row in db.session.execute(waiting)):
        parts = {part.rsplit(":", 1)[0] for part in label.split("; ")} | {label}
        if parts & labels:
            ids.setdefault(label, []).append(ticket)
    for label, tickets in ids.items():
        found = roster.handlers({"agent": label})
        if found is not None and found.main is not None:
            settled[label] = found
            given += len(tickets)
            _write(found, tickets)
    return given


def _write(found: Handlers, tickets: list[int]) -> None:
    for start in range(0, len(tickets), PORTION):
        these = tickets[start : start + PORTION]
        db.session.execute(update(TicketRow).where(TicketRow.id.in_(these)).values(agent_id=found.main))
        db.session.execute(delete(ShareRow).where(ShareRow.ticket_id.in_(these)))
        applying.write_shares(dict.fromkeys(these, found))


def map_columns(system: TicketSystem, said: Mapping[str, str], by: int, now: datetime) -> None:
    """Remember how columns are read: `field`, or `field:option`, or nothing for a column that is left alone."""
    there: dict[str, Any] = {
        row.heading: row for row in db.session.scalars(select(MappingRow).where(MappingRow.system == system))
    }
    for heading, field in said.items():
        key = plain(heading)[:120]
        row = there.get(key)
        if row is None:
            there[key] = MappingRow(system=system, heading=key, field=field, said_by=by, said_at=now)
            db.session.add(there[key])
        else:
            row.field, row.said_by, row.said_at = field, by, now
    audit.record("helpdesk:columns:mapped", f"columns:{system.value}", by=by, at=now, columns=dict(said))
    db.session.flush()


def labels(system: TicketSystem) -> frozenset[str]:
    """The words for agents that HR has settled. One query."""
    return frozenset(db.session.scalars(select(AliasRow.label).where(AliasRow.system == system)))
