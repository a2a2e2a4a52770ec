"""What the records say about everybody in the period of a cycle: tickets, surveys and quality checks, row by row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.kpi_plan import Aim, KpiPlan, PlanRow, Record, TargetGroup
from review.domain.records import Indicator, Measured
from review.domain.vocabulary import STAR_POINTS, Source
from review.helpdesk import figures
from review.infra.db import db
from review.quality import service as quality
from review.responses import service as responses
from review.responses.service import Stars
from review.schemes.service import scheme_of

NOTHING = Measured(None, Fraction(0))

ByKind = Mapping[str, Mapping[Indicator, Measured]]


@dataclass(frozen=True, slots=True)
class Records:
    """All records of a cycle's period by person."""

    tickets: Mapping[int, Mapping[Indicator, Measured]]
    kinds: Mapping[int, ByKind]
    surveys: Mapping[int, Mapping[Indicator, Measured]]
    quality: Mapping[int, Measured]

    def measured(self, person_id: int, row: PlanRow) -> Measured:
        """What the record that the plan names says; no value where it says nothing."""
        if row.indicator is None:
            return NOTHING
        match row.record:
            case Record.TICKETS:
                return self.tickets.get(person_id, {}).get(row.indicator, NOTHING)
            case Record.SURVEYS:
                return self.surveys.get(person_id, {}).get(row.indicator, NOTHING)
            case Record.QUALITY:
                return self.quality.get(person_id, NOTHING)
            case Record.HAND:
                return NOTHING

    def aim(self, plan: KpiPlan, group: TargetGroup, row: PlanRow, person_id: int) -> Aim:
        """Target and limit of a row; where they differ by problem type, weighed by the person's own cases.

        The cases are those the figure rests on, so that whoever meets the target of every type meets this one.
        """
        if row.indicator is None:
            return plan.aim_of(group, row.key, {})
        told = self.kinds.get(person_id, {})
        mix = {kind: by.get(row.indicator, NOTHING).count for kind, by in told.items()}
        return plan.aim_of(group, row.key, mix)


def records_of(cycle: CycleRow, plan: KpiPlan, people: Collection[int]) -> Records:
    """A constant number of queries, however many people; records that no row of the plan asks are not read.

    The cycle's own surveys speak once they are closed: from two fillings with one answer more the employee would read
    what that customer said, and the supervisor would know customers' figures before rating.
    """
    asked = {row.record for row in plan.rows}
    first, last = cycle.period_start, cycle.period_end
    has_tickets = Record.TICKETS in asked
    by_kind = any(aim.by_kind for group in plan.groups for aim in group.aims.values())
    return Records(
        tickets=figures.of_period(first, last, people, difficulty=plan.difficulty) if has_tickets else {},
        kinds=figures.kinds_of_period(first, last, people, difficulty=plan.difficulty) if by_kind else {},
        surveys=_surveys(cycle) if Record.SURVEYS in asked and cycle.stage is not Stage.COLLECTING else {},
        quality=quality.compliance_of(cycle.id) if Record.QUALITY in asked else {},
    )


def _surveys(cycle: CycleRow) -> dict[int, dict[Indicator, Measured]]:
    """From the overall star of the cycle's own surveys; nothing under the minimum from which customers' stars count."""
    least = scheme_of(cycle.scheme_id).minimums[Source.CUSTOMERS]
    subjects = select(ReviewRow.id, ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle.id)
    subject_of = {review: subject for review, subject in db.session.execute(subjects)}  # noqa: C416  rows, not pairs
    tallies = responses.tallies(cycle.id).items()
    return {subject_of[review]: _of_stars(said.customer_overall, least) for review, said in tallies}


def _of_stars(stars: Stars, least: int) -> dict[Indicator, Measured]:
    count = Fraction(stars.count)
    if stars.count < max(1, least):
        return {
            one: Measured(None, count) for one in (Indicator.SATISFACTION, Indicator.BAD_RATE, Indicator.CSAT_POINTS)
        }
    bad = stars.neutral + stars.dissatisfied
    return {
        Indicator.SATISFACTION: stars.satisfaction,
        Indicator.BAD_RATE: Measured(Fraction(100 * bad, stars.count), count),
        Indicator.CSAT_POINTS: Measured(Fraction(STAR_POINTS * stars.total, stars.count), count),
    }
