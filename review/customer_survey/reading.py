"""Reads the surveys of a cycle: response rates and satisfaction by every cut, the sample beside the population, trends.

Everything is summed by the database; no single answer is loaded.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import String, and_, cast, extract, func, literal, select

from review.customer_survey import withdrawing
from review.customer_survey.tables import InvitationRow, WaveRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.rounding import decimal_text, half_up
from review.domain.strata import Answered, Reference, Stratum, post_stratified
from review.domain.survey_figures import Counts, Signal, shown_groups, signals
from review.helpdesk.tables import CustomerRow, TicketRow
from review.infra.db import db
from review.people.tables import PersonRow
from review.responses.customers import overall_stars

PERIODS = 8  # cycles a trend looks back
MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class StratumLine:
    """One stratum: its share of all tickets, of all who were asked, and of all who answered, in percent."""

    stratum: Stratum
    tickets: int
    counts: Counts
    of_tickets: str
    of_offered: str
    of_answered: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """What was said about one person."""

    person_id: int
    review_id: int
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Period:
    """One cycle in a trend."""

    cycle_id: int
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything the page shows. `ways` are mail, gateway and none; `waves` by key with their days (none: older)."""

    all: Counts
    channels: Mapping[str, Counts]
    kinds: Mapping[str, Counts]
    ways: Mapping[str, Counts]
    waves: Mapping[str | None, Counts]
    months: Mapping[date, Counts]
    strata: tuple[StratumLine, ...]
    reference: Reference
    people: tuple[PersonLine, ...]
    trend: tuple[Period, ...]
    signals: tuple[Signal, ...]
    withdrawn: int

    @property
    def reference_percent(self) -> str | None:
        return None if self.reference.value is None else _percent(self.reference.value)

    @property
    def covered_percent(self) -> str:
        return _percent(self.reference.covered)


def _percent(value: Fraction) -> str:
    return decimal_text(half_up(100 * value.numerator, value.denominator, 1), 1)


def reading_of(cycle: CycleRow, review_ids: Collection[int] | None = None) -> Reading:
    """The figures of a whole cycle, or of some of its reviews (a team's). Five queries, however many customers."""
    cells = [(row, _counts(row)) for row in db.session.execute(_cells(cycle.id, review_ids))]
    strata = _strata(_by(cells, lambda row: Stratum(row.channel, row.kind)), _population(cycle, review_ids))
    answers = {
        line.stratum: Answered(line.counts.satisfied, line.counts.answered) for line in strata if line.counts.answered
    }
    trend = tuple(_trend(cycle)) if review_ids is None else ()
    return Reading(
        _sum(counts for _row, counts in cells),
        _by_size(_by(cells, lambda row: row.channel)),
        _by_size(_by(cells, lambda row: row.kind)),
        _by(cells, lambda row: "mail" if row.by_mail else "gateway" if row.by_gateway else "none"),
        _by(cells, lambda row: row.wave),
        dict(sorted(_by(_with_day(cells), lambda row: date(int(row.year), int(row.month), 1)).items())),
        strata,
        post_stratified({line.stratum: line.tickets for line in strata}, answers),
        tuple(_people(cycle.id, review_ids)),
        trend,
        tuple(signals([one.counts for one in trend])),
        _withdrawn(cycle.id, review_ids),
    )


def for_reader(reading: Reading, closed: Collection[int]) -> Reading:
    """HR's reading without the lines of these reviews: the reader's own, and those whose rating they still owe.

    One line alone would follow from the total and the others, so the smallest other goes with it.
    """
    kept = [line for line in reading.people if line.review_id not in closed or not line.counts.answered]
    others = [line for line in kept if line.counts.answered]
    if len(reading.people) - len(kept) == 1 and others:
        kept.remove(min(others, key=lambda line: line.counts.answered))
    return replace(reading, people=tuple(kept))


def of_team(cycle: CycleRow, review_ids: Collection[int], minimum: int) -> Reading | None:
    """What a supervisor may see of their team: no figure under the minimum, none by subtracting; None: too little.

    The supervisor reads the sums of everybody at or above the minimum in their results as well. So people under it are
    left out of the team's sums, unless together they have enough answers to hide one another.
    """
    found = reading_of(cycle, review_ids)
    few = {line.review_id: line.counts.answered for line in found.people if 0 < line.counts.answered < minimum}
    if 0 < sum(few.values()) < minimum:
        found = reading_of(cycle, [review_id for review_id in review_ids if review_id not in few])
    return _for_supervisor(found, minimum)


def _for_supervisor(reading: Reading, minimum: int) -> Reading | None:
    """Strata, waves and ways are left out: they are about the sending, and cut a team too finely."""
    if reading.all.answered < minimum:
        return None
    people = {line.person_id: line.counts.answered for line in reading.people}
    shown = shown_groups(people, minimum)
    return Reading(
        reading.all,
        _kept(reading.channels, minimum),
        _kept(reading.kinds, minimum),
        {},
        {},
        _kept(reading.months, minimum),
        (),
        Reference(None, (), Fraction(0)),
        tuple(line for line in reading.people if line.person_id in shown),
        (),
        (),
        0,
    )


def _kept(groups: Mapping[Any, Counts], minimum: int) -> dict[Any, Counts]:
    shown = shown_groups({key: counts.answered for key, counts in groups.items()}, minimum)
    return {key: counts for key, counts in groups.items() if key in shown}


def _figures(stars: Any) -> tuple[Any, ...]:
    overall = stars.c.overall
    return (
        func.count(InvitationRow.id).label("offered"),
        func.count(overall).label("answered"),
        func.count().filter(overall >= 4).label("satisfied"),
        func.count().filter(overall == 3).label("neutral"),
        func.count().filter(overall <= 2).label("dissatisfied"),
    )


def _matches(stars: Any) -> Any:
    key = literal("customer:") + cast(InvitationRow.customer_id, String)
    return and_(stars.c.review_id == InvitationRow.review_id, stars.c.respondent == key)


def _cells(cycle_id: int, review_ids: Collection[int] | None) -> Any:
    stars = overall_stars()
    by_mail, by_gateway = CustomerRow.email.is_not(None), InvitationRow.gateway_at.is_not(None)
    month = (extract("year", TicketRow.closed_on), extract("month", TicketRow.closed_on))
    cuts = (TicketRow.channel, TicketRow.kind, WaveRow.key, by_mail, by_gateway)
    query = (
        select(
            TicketRow.channel,
            TicketRow.kind,
            WaveRow.key.label("wave"),
            by_mail.label("by_mail"),
            by_gateway.label("by_gateway"),
            month[0].label("year"),
            month[1].label("month"),
            *_figures(stars),
        )
        .select_from(InvitationRow)
        .join(TicketRow, TicketRow.id == InvitationRow.ticket_id)
        .join(CustomerRow, CustomerRow.id == InvitationRow.customer_id)
        .outerjoin(WaveRow, WaveRow.id == InvitationRow.wave_id)
        .outerjoin(stars, _matches(stars))
        .where(InvitationRow.cycle_id == cycle_id, InvitationRow.withdrawn_at.is_(None))
        .group_by(*cuts, *month)
    )
    return query if review_ids is None else query.where(InvitationRow.review_id.in_(review_ids))


def _counts(row: Any) -> Counts:
    return Counts(row.offered, row.answered, row.satisfied, row.neutral, row.dissatisfied)


def _sum(parts: Any) -> Counts:
    total = Counts()
    for part in parts:
        total.add(part)
    return total


def _with_day(cells: list[tuple[Any, Counts]]) -> list[tuple[Any, Counts]]:
    """Without the tickets that were opened again after the answer: these have no day of solution."""
    return [(row, counts) for row, counts in cells if row.year is not None]


def _by(cells: list[tuple[Any, Counts]], key: Any) -> dict[Any, Counts]:
    found: dict[Any, Counts] = {}
    for row, counts in cells:
        found.setdefault(key(row), Counts()).add(counts)
    return found


def _by_size(groups: Mapping[str, Counts]) -> dict[str, Counts]:
    return dict(sorted(groups.items(), key=lambda item: (-item[1].offered, item[0])))


def _population(cycle: CycleRow, review_ids: Collection[int] | None) -> dict[Stratum, int]:
    """All tickets of the period with a customer, of those whose reviews go on: what the sample should look like."""
    query = (
        select(TicketRow.channel, TicketRow.kind, func.count())
        .join(ReviewRow, (ReviewRow.subject_id == TicketRow.agent_id) & (ReviewRow.cycle_id == cycle.id))
        .where(ReviewRow.withdrawn_at.is_(None), TicketRow.customer_id.is_not(None))
        .where(TicketRow.closed_on.between(cycle.period_start, cycle.period_end))
        .group_by(TicketRow.channel, TicketRow.kind)
    )
    if review_ids is not None:
        query = query.where(ReviewRow.id.in_(review_ids))
    return {Stratum(channel, kind): count for channel, kind, count in db.session.execute(query)}


def _strata(found: Mapping[Stratum, Counts], population: Mapping[Stratum, int]) -> tuple[StratumLine, ...]:
    tickets, total = sum(population.values()), _sum(found.values())
    lines = []
    for stratum in sorted({*population, *found}, key=lambda key: (-population.get(key, 0), key)):
        counts, count = found.get(stratum, Counts()), population.get(stratum, 0)
        parts = ((count, tickets), (counts.offered, total.offered), (counts.answered, total.answered))
        lines.append(StratumLine(stratum, count, counts, *(_part(part, whole) for part, whole in parts)))
    return tuple(lines)


def _part(part: int, whole: int) -> str:
    return _percent(Fraction(part, whole)) if whole else "–"


def _people(cycle_id: int, review_ids: Collection[int] | None) -> list[PersonLine]:
    stars = overall_stars()
    living = (InvitationRow.review_id == ReviewRow.id) & InvitationRow.withdrawn_at.is_(None)
    query = (
        select(PersonRow.id, PersonRow.name, ReviewRow.id.label("review_id"), *_figures(stars))
        .select_from(ReviewRow)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(InvitationRow, living)
        .outerjoin(stars, _matches(stars))
        .where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None))
        .group_by(PersonRow.id, PersonRow.name, ReviewRow.id)
        .order_by(PersonRow.name, PersonRow.id)
    )
    if review_ids is not None:
        query = query.where(ReviewRow.id.in_(review_ids))
    lines = [PersonLine(row.id, row.review_id, row.name, _counts(row)) for row in db.session.execute(query)]
    return sorted(lines, key=lambda line: line.counts.offered == 0)  # who was never asked about comes last


def _trend(cycle: CycleRow) -> list[Period]:
    """The cycle and those of its kind before it that asked customers, oldest first."""
    stars = overall_stars()
    query = (
        select(CycleRow.id, CycleRow.name, *_figures(stars))
        .join(InvitationRow, InvitationRow.cycle_id == CycleRow.id)
        .outerjoin(stars, _matches(stars))
        .where(CycleRow.kind == cycle.kind, CycleRow.period_end <= cycle.period_end)
        .where(CycleRow.stage != Stage.CANCELLED, InvitationRow.withdrawn_at.is_(None))
        .group_by(CycleRow.id, CycleRow.name, CycleRow.period_end)
        .order_by(CycleRow.period_end.desc(), CycleRow.id.desc())
        .limit(PERIODS)
    )
    found = [Period(row.id, row.name, _counts(row)) for row in db.session.execute(query)]
    return list(reversed(found))


def _withdrawn(cycle_id: int, review_ids: Collection[int] | None) -> int:
    return withdrawing.count(cycle_id) if review_ids is None else 0
