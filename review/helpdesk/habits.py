"""Counts, agent by agent, what hints on gaming are drawn from, and finds the tickets behind a hint.

A ticket counts here for its own agent alone, whatever the shares: it is about who worked it, not about figures.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from review.domain.gaming import QUICK, Habits, HintKind
from review.domain.indicators import Span
from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk.tables import TicketRow
from review.infra.db import db

SHOWN = 12  # tickets behind one hint that a page lists


def _time() -> Any:
    """How long a ticket took, as far as anything tells it."""
    return func.coalesce(TicketRow.handling, TicketRow.resolution_business, TicketRow.resolution)


def _solved(span: Span) -> tuple[ColumnElement[bool], ...]:
    return (
        TicketRow.system != TicketSystem.LIST,
        TicketRow.status == TicketStatus.SOLVED,
        TicketRow.closed_on.between(*span),
        TicketRow.agent_id.is_not(None),
    )


def usual_time(span: Span) -> int:
    """The mean time of everybody's solved tickets in whole seconds; 0 where none is told. One query."""
    told = db.session.execute(select(func.sum(_time()), func.count(_time())).where(*_solved(span))).one()
    return int(told[0] or 0) // max(int(told[1] or 0), 1)


def _is_offered() -> ColumnElement[bool]:
    return and_(TicketRow.csat.is_not(None), TicketRow.csat != Csat.NOT_OFFERED)


def _is_empty() -> ColumnElement[bool]:
    return or_(_time().is_(None), _time() < QUICK)


def _is_repeat(usual: int) -> ColumnElement[bool]:
    """A ticket that can be one of several cut from one: with a customer, and not long."""
    return and_(TicketRow.customer_id.is_not(None), or_(_time().is_(None), _time() <= usual))


def habits_of(span: Span, usual: int) -> dict[int, Habits]:
    """Everybody's counts in the span. Two queries."""
    offered, is_quick = _is_offered(), _time() * 2 <= usual

    def where(name: str, *conditions: Any) -> Any:
        return func.sum(case((and_(*conditions), literal(1)), else_=literal(0))).label(name)

    query = select(
        TicketRow.agent_id.label("agent"),
        func.count().label("tickets"),
        where("known", TicketRow.customer_id.is_not(None)),
        where("reopened", TicketRow.reopens > 0),
        where("reopens_told", TicketRow.reopens.is_not(None)),
        where("offered", offered),
        where("told", TicketRow.csat.is_not(None)),
        where("quick_offered", offered, is_quick),
        where("timed_offered", offered, _time().is_not(None)),
        where("quick_others", TicketRow.csat == Csat.NOT_OFFERED, is_quick),
        where("timed_others", TicketRow.csat == Csat.NOT_OFFERED, _time().is_not(None)),
        where("empty", _is_empty()),
    )
    rows = db.session.execute(query.where(*_solved(span)).group_by(TicketRow.agent_id))
    repeats = _repeats(span, usual)
    found = {}
    for row in rows:
        counts = {name: int(value) for name, value in row._mapping.items() if name != "agent"}
        found[row.agent] = Habits(**counts, repeats=repeats.get(row.agent, 0))
    return found


_SAME = ("agent_id", "customer_id", "kind", "closed_on")


def _groups(span: Span, usual: int) -> Any:
    """Tickets of one agent for one customer, of one kind and one day, where there are several."""
    same = [getattr(TicketRow, name) for name in _SAME]
    query = select(*same, func.count().label("tickets")).where(*_solved(span), _is_repeat(usual))
    return query.group_by(*same).having(func.count() > 1).subquery()


def _repeats(span: Span, usual: int) -> dict[int, int]:
    groups = _groups(span, usual)
    query = select(groups.c.agent_id, func.sum(groups.c.tickets - 1)).group_by(groups.c.agent_id)
    return {agent: int(count) for agent, count in db.session.execute(query)}


def behind(kind: HintKind, agents: Collection[int], span: Span, usual: int) -> dict[int, list[TicketRow]]:
    """The first SHOWN tickets behind a hint of that kind, for each of these agents. One query."""
    query = select(TicketRow.id, func.row_number().over(partition_by=TicketRow.agent_id, order_by=_order(kind)))
    query = query.where(*_solved(span), TicketRow.agent_id.in_(agents))
    if kind is HintKind.SPLIT:
        groups = _groups(span, usual)
        same = [
            TicketRow.__table__.c[name] == groups.c[name] for name in ("agent_id", "customer_id", "kind", "closed_on")
        ]
        query = query.join(groups, and_(*same)).where(_is_repeat(usual))
    else:
        conditions: dict[HintKind, Any] = {
            HintKind.REOPENED: TicketRow.reopens > 0,
            HintKind.CHERRY_PICKED: TicketRow.csat.is_not(None),
            HintKind.EMPTY: _is_empty(),
        }
        query = query.where(conditions[kind])
    numbered = query.add_columns(TicketRow.agent_id).subquery()
    id_, number, _agent = numbered.c
    rows: Sequence[TicketRow] = db.session.scalars(
        select(TicketRow).join(numbered, id_ == TicketRow.id).where(number <= SHOWN).order_by(number)
    ).all()
    found: dict[int, list[TicketRow]] = {}
    for row in rows:
        found.setdefault(row.agent_id or 0, []).append(row)
    return found


def _order(kind: HintKind) -> tuple[Any, ...]:
    """What tells most comes first: cut tickets side by side, offered ones before the others, the quickest first."""
    if kind is HintKind.SPLIT:
        return TicketRow.customer_id, TicketRow.kind, TicketRow.closed_on, TicketRow.id
    if kind is HintKind.CHERRY_PICKED:
        return case((_is_offered(), 0), else_=1), _time(), TicketRow.id
    return TicketRow.closed_on, TicketRow.id
