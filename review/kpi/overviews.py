"""Lists of sheets with how far each one is: of a supervisor's people, of a cycle, and one's own over the cycles."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.infra.db import db
from review.kpi.plan_of_cycle import plan_in
from review.kpi.sheets import Line, Sheet, sheets_where
from review.kpi.signing import SIGNABLE, next_step, signer_of
from review.kpi.tables import CyclePlanRow, SheetRow, Step
from review.people.tables import PersonRow

LAUNCHED = (Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING, Stage.PUBLISHED, Stage.ARCHIVED)


class Filter(StrEnum):
    """Which sheets a list shows."""

    ALL = "all"
    OPEN = "open"  # a row has no figure
    PENDING = "pending"  # a line or veto waits for a decision
    UNSIGNED = "unsigned"  # complete, and a name is missing
    VOID = "void"  # signed before the sheet said something else
    SIGNED = "signed"
    MINE = "mine"  # waits for the reader's own name


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One sheet in a list."""

    sheet: Sheet
    step: Step | None

    @property
    def pending(self) -> tuple[Line, ...]:
        return tuple(line for line in self.sheet.lines if line.is_approved is None)

    @property
    def is_signable(self) -> bool:
        return self.sheet.cycle.stage in SIGNABLE

    def filters(self, reader_id: int) -> frozenset[Filter]:
        """Every filter that shows this sheet."""
        sheet = self.sheet
        waits = self.step is not None and not sheet.is_open and self.is_signable
        holds = {
            Filter.ALL: True,
            Filter.OPEN: bool(sheet.part.open_rows),
            Filter.PENDING: sheet.part.undecided > 0,
            Filter.UNSIGNED: waits,
            Filter.VOID: bool(sheet.void),
            Filter.SIGNED: self.step is None,
            Filter.MINE: waits and self.step is not None and signer_of(sheet, self.step) == reader_id,
        }
        return frozenset(one for one, is_so in holds.items() if is_so)


@dataclass(frozen=True, slots=True)
class Overview:
    """The sheets of a list, those of the filter, and how many each filter would show."""

    lines: Sequence[SheetLine]
    counts: dict[Filter, int]


def overview_of(cycle: CycleRow, reader_id: int, *, led_by: int | None, wanted: Filter, text: str = "") -> Overview:
    """The sheets of a cycle, or of those people whom `led_by` answers for or stands above.

    A constant number of queries. Without a plan the cycle has no sheets, and the list is empty.
    """
    if plan_in(cycle.id) is None:
        return Overview((), dict.fromkeys(Filter, 0))
    which: ColumnElement[bool] = SheetRow.cycle_id == cycle.id
    if led_by is not None:
        which = which & SheetRow.review_id.in_(_led_by(cycle.id, led_by))
    lines = [SheetLine(sheet, next_step(sheet)) for sheet in sheets_where(which).values()]
    if text:
        lines = [line for line in lines if _is_called(line.sheet, text)]
    shown_by = [line.filters(reader_id) for line in lines]
    counts = {one: sum(one in filters for filters in shown_by) for one in Filter}
    return Overview([line for line, filters in zip(lines, shown_by, strict=True) if wanted in filters], counts)


def _is_called(sheet: Sheet, text: str) -> bool:
    asked = text.casefold()
    return asked in sheet.subject.name.casefold() or asked in sheet.subject.employee_no.casefold()


def _led_by(cycle_id: int, person_id: int) -> Any:
    boss = aliased(PersonRow)
    return (
        select(ReviewRow.id)
        .join(boss, boss.id == ReviewRow.supervisor_id)
        .where(ReviewRow.cycle_id == cycle_id, or_(boss.id == person_id, boss.supervisor_id == person_id))
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """One cycle with sheets on the page of all cycles: one's own sheet in it, and whether one leads people in it."""

    cycle: CycleRow
    own: int | None
    leads: bool


def cycles_for(person_id: int, *, all_of_them: bool) -> list[Listed]:
    """The launched cycles with a plan that concern this person, newest first; for HR all of them. Three queries."""
    query = select(CycleRow).join(CyclePlanRow, CyclePlanRow.cycle_id == CycleRow.id)
    cycles = list(db.session.scalars(query.where(CycleRow.stage.in_(LAUNCHED)).order_by(CycleRow.period_end.desc())))
    boss = aliased(PersonRow)
    living = ReviewRow.withdrawn_at.is_(None)
    mine = (
        select(SheetRow.cycle_id, SheetRow.review_id)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .where(ReviewRow.subject_id == person_id, living)
    )
    own = {cycle: review for cycle, review in db.session.execute(mine)}  # noqa: C416  rows, not pairs
    led = (
        select(SheetRow.cycle_id)
        .join(ReviewRow, ReviewRow.id == SheetRow.review_id)
        .join(boss, boss.id == ReviewRow.supervisor_id)
        .where(or_(boss.id == person_id, boss.supervisor_id == person_id), living)
        .distinct()
    )
    leads = set(db.session.scalars(led))
    listed = [Listed(cycle, own.get(cycle.id), cycle.id in leads) for cycle in cycles]
    return [one for one in listed if all_of_them or one.own is not None or one.leads]
