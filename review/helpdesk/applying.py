"""Writes tickets in portions: each found by its system's number, changed where the file tells something new.

What a file leaves empty stays. An answer of a customer is never undone by a file that only says they were asked, a told
day of solution never by a guess, and nothing by a file that knew the ticket earlier.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update

from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk.agents import Handlers
from review.helpdesk.drafts import Draft
from review.helpdesk.tables import ShareRow, TicketRow
from review.infra.db import db

TICKET = TicketRow.__table__
SHARE = ShareRow.__table__
CLOSED = ("closed_on", "closed_at")
LENGTHS_OF_SOLUTION = ("resolution", "resolution_business")
CSAT = ("csat", "csat_points", "csat_at")
ANSWERED = frozenset({Csat.GOOD, Csat.NEUTRAL, Csat.BAD})
LOCK = 8360_2004  # any number that nobody else uses


@dataclass(frozen=True, slots=True)
class Entry:
    """A draft with everything it points at settled."""

    draft: Draft
    handlers: Handlers | None
    customer_id: int | None


@dataclass(slots=True)
class Written:
    """What became of a portion."""

    new: int = 0
    changed: int = 0
    same: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


def hold_tickets() -> None:
    """One portion at a time, whoever writes: two files with the same new ticket must not both make it."""
    if db.engine.dialect.name == "postgresql":  # SQLite's transactions are one at a time anyway
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def known(system: TicketSystem, references: Iterable[str]) -> dict[str, Any]:
    """The tickets that are there, by number."""
    query = select(TICKET).where(TICKET.c.system == system, TICKET.c.reference.in_(sorted(set(references))))
    return {row.reference: row for row in db.session.execute(query)}


def merged(row: Any, says: Mapping[str, Any]) -> dict[str, Any]:
    """What of all this is to be written over `row`, by the rules at the head of this file."""
    new = {name: value for name, value in says.items() if value is not None}
    if "csat" in new:
        new = _answered(row, new)
    _close(row, new)
    if "agent_label" in new and says.get("agent_id") is None and new["agent_label"] != row.agent_label:
        new["agent_id"] = None  # handed on to somebody unknown
    if row.customer_id is not None:  # whoever was asked about a ticket must stay its customer
        new.pop("customer_id", None)
    return {name: value for name, value in new.items() if getattr(row, name) != value}


def _answered(row: Any, new: dict[str, Any]) -> dict[str, Any]:
    if _may_answer(row, new):
        return {"csat_points": None} | new
    return {name: value for name, value in new.items() if name not in CSAT}


def _close(row: Any, new: dict[str, Any]) -> None:
    """An open case has no day of solution; a guess stands in only where no day, or a later guess, is known."""
    if new.get("status", row.status) is TicketStatus.OPEN:
        new |= dict.fromkeys(CLOSED) | {"closed_is_guess": False}
        new |= {name: None for name in LENGTHS_OF_SOLUTION if name not in new and row.status is TicketStatus.SOLVED}
    elif new.get("closed_is_guess") and row.closed_on is not None:
        if not row.closed_is_guess or new["closed_on"] >= row.closed_on:
            for name in (*CLOSED, "closed_is_guess"):
                new.pop(name, None)
    elif "closed_on" in new:
        new.setdefault("closed_at", None)


def _may_answer(row: Any, new: Mapping[str, Any]) -> bool:
    if row.csat not in ANSWERED:
        return not (row.csat is Csat.OFFERED and new["csat"] is Csat.NOT_OFFERED)
    if new["csat"] not in ANSWERED:
        return False
    at = new.get("csat_at")
    return row.csat_at is None or at is None or at >= row.csat_at


def is_older(row: Any, says: Mapping[str, Any]) -> bool:
    """Whether the file knew the ticket before what is here already."""
    told = says.get("source_updated_at")
    return bool(told and row.source_updated_at and told < row.source_updated_at)


def write(
    system: TicketSystem, entries: Sequence[Entry], import_id: int | None, *, before: int | None = None
) -> Written:
    """One portion; each ticket stands in it once. Nothing is committed.

    `before` is the number of an earlier import of the same file: what later imports changed is left as it is.
    Without an import nothing is written, and only the counts are right.
    """
    done = Written()
    there = known(system, [entry.draft.reference for entry in entries])
    fresh: list[tuple[Entry, dict[str, Any]]] = []
    changes: list[dict[str, Any]] = []
    shared: list[tuple[str, Handlers]] = []
    for entry in entries:
        row, says = there.get(entry.draft.reference), _all_that_is_said(entry)
        if row is None:
            done.new += 1
            fresh.append((entry, says))
            continue
        if is_older(row, says) or (before is not None and row.import_id is not None and row.import_id > before):
            done.skipped["newer_known"] = done.skipped.get("newer_known", 0) + 1
            continue
        new = merged(row, _without_guesses(row, entry.draft, says))
        if new:
            done.changed += 1
            changes.append(_changed(row, new, import_id, entry.draft.row))
        else:
            done.same += 1
        if entry.handlers and (new or len(entry.handlers.shares) > 1):
            shared.append((entry.draft.reference, entry.handlers))
    if import_id is not None:
        ids = {row.reference: row.id for row in there.values()} | _insert(system, fresh, import_id)
        _update(changes)
        more = [(entry.draft.reference, entry.handlers) for entry, _ in fresh if entry.handlers]
        write_shares({ids[reference]: handlers for reference, handlers in (*shared, *more)})
    return done


def _without_guesses(row: Any, draft: Draft, says: dict[str, Any]) -> dict[str, Any]:
    """A metric or a rating tells no state of a ticket that told it itself (only tickets say when they were opened)."""
    is_told = draft.is_partial and (row.opened_at is not None or says.get("status") is not TicketStatus.SOLVED)
    return {name: value for name, value in says.items() if name != "status"} if is_told else says


def _all_that_is_said(entry: Entry) -> dict[str, Any]:
    says = dict(entry.draft.says)
    says["customer_id"] = entry.customer_id
    if entry.handlers is not None:
        says["agent_id"] = entry.handlers.main
        says["agent_label"] = entry.handlers.label
    return says


def _insert(system: TicketSystem, fresh: Sequence[tuple[Entry, dict[str, Any]]], import_id: int) -> dict[str, int]:
    if not fresh:
        return {}
    rows = []
    for entry, says in fresh:
        values = {name: says.get(name) for name in TOLD}
        values |= {name: says.get(name) or "" for name in ("channel", "kind")}
        values["status"] = says.get("status") or TicketStatus.OPEN
        values["closed_is_guess"] = bool(says.get("closed_is_guess"))
        place = {"import_id": import_id, "source_row": entry.draft.row}
        rows.append({"system": system, "reference": entry.draft.reference, **values, **place})
    made = insert(TICKET).returning(TICKET.c.reference, TICKET.c.id)
    return {row.reference: row.id for row in db.session.execute(made, rows)}


def _changed(row: Any, new: Mapping[str, Any], import_id: int | None, at: int) -> dict[str, Any]:
    values = {
        name: new.get(name, getattr(row, name)) for name in (*TOLD, "channel", "kind", "status", "closed_is_guess")
    }
    return {"the_id": row.id, **values, "import_id": import_id, "source_row": at}


def _update(changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        names = [name for name in changes[0] if name != "the_id"]
        statement = update(TICKET).where(TICKET.c.id == bindparam("the_id"))
        db.session.connection().execute(statement.values({name: bindparam(name) for name in names}), list(changes))


def write_shares(handlers: Mapping[int, Handlers]) -> None:
    """Parts of tickets that several of ours handled; as long as one of them is unknown, there are none."""
    if not handlers:
        return
    ids = sorted(handlers)
    query = select(SHARE).where(SHARE.c.ticket_id.in_(ids))
    there: dict[int, dict[int, int]] = {}
    for row in db.session.execute(query):
        there.setdefault(row.ticket_id, {})[row.person_id] = row.parts
    wanted = {
        ticket: dict(found.shares) if len(found.shares) > 1 and not found.unknown else {}
        for ticket, found in handlers.items()
    }
    stale = [ticket for ticket in ids if ticket in there and there[ticket] != wanted[ticket]]
    if stale:
        db.session.execute(delete(SHARE).where(SHARE.c.ticket_id.in_(stale)))
    rows = [
        {"ticket_id": ticket, "person_id": person, "parts": parts}
        for ticket in ids
        if there.get(ticket, {}) != wanted[ticket]
        for person, parts in wanted[ticket].items()
    ]
    if rows:
        db.session.execute(insert(SHARE), rows)


TOLD = (
    *("customer_id", "agent_id", "agent_label", "closed_on", "closed_at", "opened_at", "source_updated_at", "subject"),
    *("first_response", "first_response_business", "resolution", "resolution_business", "customer_wait"),
    *("customer_wait_business", "handling", "reopens", "replies", "reassigns", "difficulty", "is_complaint", "csat"),
    *("csat_points", "csat_comment", "csat_at", "customer_opened", "agent_answered"),
)
