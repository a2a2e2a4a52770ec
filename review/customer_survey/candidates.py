"""About which tickets of a wave customers can be asked, and why not about the others: one reason a ticket."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from review.customer_survey.tables import ExclusionRow, InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import settled
from review.domain.records import TicketStatus, TicketSystem
from review.domain.strata import Stratum
from review.domain.survey_plan import Mode, Suppressed, SurveyPlan, Wave
from review.domain.survey_sample import Candidate
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra import organisation, suppression
from review.infra.db import db

APART = timedelta(days=30)  # between two surveys of one customer, under whatever number
END_OF_DAY = time(23, 59)


@dataclass(frozen=True, slots=True)
class Field:
    """The tickets of a wave. `rows` are the candidates' by ticket, `population` all tickets by person and stratum.

    `suppressed_of` counts by person what is left out, but for customers of this cycle: these were asked already.
    """

    candidates: tuple[Candidate, ...]
    rows: Mapping[int, Any]
    population: Mapping[int, Counter[Stratum]]
    suppressed: Counter[Suppressed]
    suppressed_of: Counter[int]


def field_of(cycle: CycleRow, plan: SurveyPlan, wave: Wave, starts: datetime) -> Field:
    """All tickets of the wave's days of people whose review goes on, of every system. Six queries."""
    barred = _Barred(cycle.id, plan, starts)
    candidates, rows = [], {}
    population: dict[int, Counter[Stratum]] = {}
    suppressed: Counter[Suppressed] = Counter()
    suppressed_of: Counter[int] = Counter()
    for row in db.session.execute(_tickets(cycle, wave)):
        stratum = Stratum(row.channel, row.kind)
        population.setdefault(row.agent_id, Counter())[stratum] += 1
        reason = barred.why(row)
        if reason is None:
            rows[row.id] = row
            candidates.append(Candidate(row.id, _reference(row), person_key(row), row.agent_id, stratum))
        else:
            suppressed[reason] += 1
            suppressed_of[row.agent_id] += reason is not Suppressed.ASKED_HERE
    return Field(tuple(candidates), rows, population, suppressed, suppressed_of)


def person_key(row: Any) -> str:
    """Two numbers of a ticket system may share one address: its owner is one person and is asked once."""
    return row.email or f"#{row.customer_id}"


def _reference(row: Any) -> str:
    return row.reference if row.system is TicketSystem.LIST else f"{row.system.value}:{row.reference}"


def _tickets(cycle: CycleRow, wave: Wave) -> Any:
    return (
        select(
            TicketRow.id,
            TicketRow.system,
            TicketRow.reference,
            TicketRow.agent_id,
            TicketRow.customer_id,
            TicketRow.channel,
            TicketRow.kind,
            TicketRow.status,
            TicketRow.closed_on,
            TicketRow.closed_at,
            TicketRow.reopens,
            TicketRow.customer_opened,
            TicketRow.agent_answered,
            CustomerRow.email,
            CustomerRow.locale,
            CustomerRow.unsubscribed_at,
            ReviewRow.id.label("review_id"),
        )
        .join(CustomerRow, CustomerRow.id == TicketRow.customer_id)
        .join(ReviewRow, (ReviewRow.subject_id == TicketRow.agent_id) & (ReviewRow.cycle_id == cycle.id))
        .where(ReviewRow.withdrawn_at.is_(None), TicketRow.closed_on.between(wave.first, wave.last))
    )


class _Barred:
    """What keeps a customer from being asked, read once for all tickets. Owners are known by number and by address."""

    def __init__(self, cycle_id: int, plan: SurveyPlan, starts: datetime) -> None:
        self.delay = timedelta(hours=plan.delay_hours) if plan.mode is Mode.TICKET else None
        self.starts, self.zone = starts, organisation.current().zone
        excluded = select(ExclusionRow.ticket_id).where(ExclusionRow.is_approved.is_(True))
        self.excluded = set(db.session.scalars(excluded))
        gone = select(CustomerRow.email).where(CustomerRow.unsubscribed_at.is_not(None), CustomerRow.email.is_not(None))
        self.unsubscribed = set(db.session.scalars(gone))
        self.unreachable = suppression.all_stopped()
        asked = select(InvitationRow.customer_id, CustomerRow.email, InvitationRow.cycle_id == cycle_id)
        asked = asked.join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        lately = InvitationRow.invited_at > starts - APART
        self.here: set[str] = set()
        self.lately: set[str] = set()
        for customer_id, email, is_here in db.session.execute(
            asked.where((InvitationRow.cycle_id == cycle_id) | lately)
        ):
            (self.here if is_here else self.lately).update({f"#{customer_id}", email or f"#{customer_id}"})

    def why(self, row: Any) -> Suppressed | None:
        """The first reason that holds, None for a ticket one may ask about."""
        if row.id in self.excluded:
            return Suppressed.EXCLUDED
        return _spoilt(row) or self._unwilling(row) or (Suppressed.TOO_SOON if self._waits(row) else None)

    def _unwilling(self, row: Any) -> Suppressed | None:
        number, email = f"#{row.customer_id}", row.email
        if row.unsubscribed_at is not None or email in self.unsubscribed:
            return Suppressed.UNSUBSCRIBED
        if email is not None and suppression.plain(email) in self.unreachable:
            return Suppressed.UNREACHABLE  # an invitation to them would count as one that nobody answered
        if number in self.here or email in self.here:
            return Suppressed.ASKED_HERE
        return Suppressed.ASKED_LATELY if number in self.lately or email in self.lately else None

    def _waits(self, row: Any) -> bool:
        if self.delay is None:
            return False
        closed = row.closed_at or settled(row.closed_on, END_OF_DAY, self.zone)
        return bool(closed + self.delay > self.starts)


def _spoilt(row: Any) -> Suppressed | None:
    """What is wrong with the ticket itself. Where the system does not say, nothing is."""
    if row.customer_opened is False:
        return Suppressed.NOT_OPENED
    if row.agent_answered is False:
        return Suppressed.NOT_ANSWERED
    return Suppressed.REOPENED if row.status is TicketStatus.OPEN else None


def asked_already(cycle_id: int) -> dict[int, int]:
    """How many customers were asked about each person and may still answer or have answered."""
    counted = select(ReviewRow.subject_id, func.count()).join(InvitationRow, InvitationRow.review_id == ReviewRow.id)
    mine = counted.where(ReviewRow.cycle_id == cycle_id, InvitationRow.withdrawn_at.is_(None))
    return {person: count for person, count in db.session.execute(mine.group_by(ReviewRow.subject_id))}  # noqa: C416
