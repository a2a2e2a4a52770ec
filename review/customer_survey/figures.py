"""How many customers were asked and how many answered: in all, by channel, and who has enough answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select

from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.vocabulary import Source
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db
from review.schemes.service import scheme_of


@dataclass(frozen=True, slots=True)
class Tallied:
    """How many were asked and how many answered: all, or those of one channel."""

    offered: int = 0
    answered: int = 0

    @property
    def percent(self) -> str | None:
        """With one decimal, rounded half up; None when nobody was asked."""
        if not self.offered:
            return None
        tenths = (self.answered * 2000 + self.offered) // (self.offered * 2)
        return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True, slots=True)
class Rate:
    """The response rate of a cycle. `by_mail` are those who got a letter; the others are reached by their link alone.

    `reached` counts the reviewed people with enough answers, `reachable` those who were asked about often enough to
    get there, out of `reviewed`; `minimum` is what the scheme asks for.
    """

    all: Tallied
    by_mail: Tallied
    by_channel: dict[str, Tallied]
    reviewed: int
    reached: int
    reachable: int
    minimum: int

    @property
    def links_only(self) -> Tallied:
        return Tallied(self.all.offered - self.by_mail.offered, self.all.answered - self.by_mail.answered)


def response_rate(cycle_id: int) -> Rate:
    """Asked and answered: in all, by mail, by channel, and how many reviewed people have enough. Four queries.

    Invitations that were taken back are no longer offered, and count nowhere.
    """
    by_mail = CustomerRow.email.is_not(None)
    figures = (
        select(TicketRow.channel, by_mail, func.count(), func.count(InvitationRow.used_at))
        .join(InvitationRow, InvitationRow.ticket_id == TicketRow.id)
        .join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        .where(InvitationRow.cycle_id == cycle_id, InvitationRow.withdrawn_at.is_(None))
        .group_by(TicketRow.channel, by_mail)
    )
    rows = db.session.execute(figures).all()
    channels = sorted({row[0] for row in rows})
    by_channel = {name: _sum(row for row in rows if row[0] == name) for name in channels}
    by_size = dict(sorted(by_channel.items(), key=lambda item: (-item[1].offered, item[0])))
    minimum = _minimum(cycle_id)
    samples = _samples(cycle_id)
    reached = sum(answered >= minimum for _, answered in samples)
    reachable = sum(offered >= minimum for offered, _ in samples)
    mail = _sum(row for row in rows if row[1])
    return Rate(_sum(rows), mail, by_size, len(samples), reached, reachable, minimum)


def _sum(rows: Iterable[Any]) -> Tallied:
    pairs = [(row[2], row[3]) for row in rows]
    return Tallied(sum(offered for offered, _ in pairs), sum(answered for _, answered in pairs))


def _minimum(cycle_id: int) -> int:
    cycle = db.session.get(CycleRow, cycle_id)  # in hand already wherever a page is about it
    return scheme_of(cycle.scheme_id).minimums[Source.CUSTOMERS] if cycle is not None else 0


def _samples(cycle_id: int) -> list[tuple[int, int]]:
    """For every review that goes on, how many customers were asked about it and how many answered."""
    query = (
        select(func.count(InvitationRow.id), func.count(InvitationRow.used_at))
        .select_from(ReviewRow)
        .outerjoin(InvitationRow, (InvitationRow.review_id == ReviewRow.id) & InvitationRow.withdrawn_at.is_(None))
        .where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
        .group_by(ReviewRow.id)
    )
    return [(offered, answered) for offered, answered in db.session.execute(query)]


def tickets_in_period(cycle: CycleRow) -> int:
    """How many tickets of the cycle's period are there for its reviewed people, asked about or not."""
    reviewed = exists().where(
        ReviewRow.cycle_id == cycle.id, ReviewRow.subject_id == TicketRow.agent_id, ReviewRow.withdrawn_at.is_(None)
    )
    query = select(func.count(TicketRow.id)).where(reviewed)
    return db.session.scalar(query.where(TicketRow.closed_on.between(cycle.period_start, cycle.period_end))) or 0
