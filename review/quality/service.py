"""What other rooms may ask of this one: people's compliance figures, and what a checker still owes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all

from review.cycles.tables import CycleRow
from review.domain.records import Measured
from review.domain.refusals import OutOfReach
from review.infra.db import db
from review.quality import disputes, figures
from review.quality.tables import CheckRow, RoundAnswerRow, RoundRow, SampleRow

__all__ = ["Duty", "compliance_between", "compliance_of", "duties_of"]


def compliance_of(cycle_id: int) -> dict[int, Measured]:
    """By person: the exact mean (0-100) of valid checks of tickets closed in the cycle's period, and how many.

    A check is valid once it is submitted, as long as no dispute about it is open. Whoever has none is left out.
    Raises OutOfReach for a cycle that does not exist. Two queries.
    """
    cycle = db.session.get(CycleRow, cycle_id)
    if cycle is None:
        raise OutOfReach("cycles:no_such_cycle")
    return compliance_between(cycle.period_start, cycle.period_end)


def compliance_between(first: date, last: date) -> dict[int, Measured]:
    """The same over the tickets closed from one day to another, both included. One query."""
    return figures.compliance_between(first, last)


@dataclass(frozen=True, slots=True)
class Duty:
    """What one person still owes here: `kind` is `check`, `round` or `dispute`; `id` names the round."""

    kind: str
    name: str
    due: datetime | None
    left: int
    all: int
    id: int = 0


def duties_of(person_id: int, now: datetime, *, is_hr: bool) -> list[Duty]:
    """Open checks by sample, running calibration rounds, and disputes to decide. One query."""
    parts = union_all(_checks(person_id), _rounds(person_id, now), disputes.open_for(person_id, is_hr))
    return [Duty(*row) for row in db.session.execute(parts)]


def _checks(person_id: int) -> Select[*tuple[Any, ...]]:
    left = func.count() - func.count(CheckRow.filed_at)
    query = select(literal("check"), SampleRow.name, SampleRow.due_at, left, func.count(), SampleRow.id)
    mine = query.join(CheckRow, CheckRow.sample_id == SampleRow.id).where(
        CheckRow.checker_id == person_id, CheckRow.replaced_at.is_(None)
    )
    return mine.group_by(SampleRow.id, SampleRow.name, SampleRow.due_at).having(left > 0)


def _rounds(person_id: int, now: datetime) -> Select[*tuple[Any, ...]]:
    left = func.count() - func.count(RoundAnswerRow.filed_at)
    query = select(literal("round"), RoundRow.name, RoundRow.due_at, left, func.count(), RoundRow.id)
    mine = query.join(RoundAnswerRow, RoundAnswerRow.round_id == RoundRow.id).where(
        RoundAnswerRow.person_id == person_id, RoundRow.closed_at.is_(None), RoundRow.due_at >= now
    )
    return mine.group_by(RoundRow.id, RoundRow.name, RoundRow.due_at).having(left > 0)
