"""Fills sheets from the records. What a person entered is never overwritten; where the records differ, it is said."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select, update

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.kpi_plan import KpiPlan, Obtained, TargetGroup
from review.domain.kpi_sheet import ASKED
from review.domain.records import Measured
from review.domain.refusals import NotYet, TooLate
from review.infra import audit, jobs
from review.infra.audit import AuditRow
from review.infra.db import db
from review.infra.jobs import JobState
from review.kpi.changing import CHANGEABLE, held, touch
from review.kpi.opening import aims_of, main_channels, months_between, open_for
from review.kpi.plan_of_cycle import plan_in
from review.kpi.records import Records, records_of
from review.kpi.sheets import Row, Sheet, sheets_in
from review.kpi.tables import FigureRow, Origin, SheetRow

KIND = "kpi:fill"
FILLED = "kpi:sheets:filled"
BATCH = 200
NAMED = 20  # rows told by name in the audit log before it only counts

Report = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _step: str) -> None:
    """Nobody is watching."""


@dataclass(slots=True)
class Filled:
    """What a filling did: rows with a new figure, rows where a hand-entered figure stays though the records say another
    one (`kept`, as (name, row, by hand, in the records)), rows about which the records say nothing, signed sheets."""

    opened: int = 0
    figures: int = 0
    kept: list[tuple[str, str, str, str]] = field(default_factory=list)
    silent: int = 0
    signed: int = 0
    changed: set[int] = field(default_factory=set)

    def plain(self) -> dict[str, Any]:
        told = {"opened": self.opened, "figures": self.figures, "silent": self.silent, "signed": self.signed}
        return {**told, "kept": len(self.kept), "examples": [list(one) for one in self.kept[:NAMED]]}


def fill(cycle: CycleRow, *, by: int | None, now: datetime, report: Report = _quiet) -> Filled:
    """Open what is missing and bring in every figure that the plan has obtained by the system. Harmless to repeat.

    In the caller's transaction. Raises NotYet for a cycle without a plan or before its launch, TooLate once published.
    """
    plan = require_fillable(cycle)
    done = Filled(opened=open_for(cycle, now))
    db.session.flush()
    everybody = sheets_in(cycle.id)
    report(0, len(everybody), "kpi_read")
    records = records_of(cycle, plan, {sheet.subject.id for sheet in everybody.values()})
    channels = main_channels(cycle.period_start, cycle.period_end)
    review_ids = sorted(everybody)
    for start in range(0, len(review_ids), BATCH):
        some = review_ids[start : start + BATCH]
        _fill_some(cycle, plan, held(cycle.id, some), records, channels, done, now)
        report(start + len(some), len(review_ids), "kpi_fill")
    touch(done.changed, now)
    audit.record(FILLED, f"cycle:{cycle.id}", by=by, at=now, **done.plain())
    return done


def require_fillable(cycle: CycleRow) -> KpiPlan:
    """The plan of a cycle whose sheets may be filled. Raises NotYet before the launch, TooLate once published."""
    plan = plan_in(cycle.id)
    if plan is None or cycle.stage in {Stage.DRAFT, Stage.NOMINATING}:
        raise NotYet("kpi_sheet:no_sheets_yet")
    if cycle.stage not in CHANGEABLE:
        raise TooLate("kpi_sheet:settled")
    return plan


def key_of(cycle_id: int) -> str:
    """Names the job that fills this cycle's sheets."""
    return f"fill_kpi:{cycle_id}"


def is_under_way(cycle_id: int) -> bool:
    job = jobs.find(key_of(cycle_id))
    return job is not None and job.state in {JobState.WAITING, JobState.RUNNING}


def _fill_some(
    cycle: CycleRow,
    plan: KpiPlan,
    sheets: dict[int, Sheet],
    records: Records,
    channels: dict[int, str],
    done: Filled,
    now: datetime,
) -> None:
    for sheet in sheets.values():
        if sheet.is_locked:
            done.signed += 1
            continue
        group = _regrouped(cycle, plan, sheet, channels, done)
        for row in sheet.rows:
            if not row.figure.is_left_out:
                _fill_row(plan, group, sheet, row, records, done, now)


def _regrouped(cycle: CycleRow, plan: KpiPlan, sheet: Sheet, channels: dict[int, str], done: Filled) -> TargetGroup:
    """Whose channel was not known at the opening is put into their group once the tickets are there, this one time."""
    channel = channels.get(sheet.subject.id)
    if sheet.channel is not None or sheet.group_why or channel is None:
        return sheet.group
    joined = sheet.subject.joined_on
    months = None if joined is None else months_between(joined, cycle.period_start)
    group = plan.group_for(sheet.subject.post, months, channel)
    mine = update(SheetRow).where(SheetRow.review_id == sheet.review_id)
    db.session.execute(mine.values(channel=channel, group_key=group.key))
    if group.key != sheet.group.key:
        put_aims(plan, group, [sheet.review_id])
        done.changed.add(sheet.review_id)
    return group


def put_aims(plan: KpiPlan, group: TargetGroup, review_ids: Collection[int]) -> None:
    """Give these sheets the targets of a group."""
    for aimed in aims_of(plan, group):
        rows = update(FigureRow).where(FigureRow.review_id.in_(review_ids), FigureRow.row_key == aimed["row_key"])
        db.session.execute(rows.values(target=aimed["target"], target_limit=aimed["target_limit"]))


def _fill_row(
    plan: KpiPlan, group: TargetGroup, sheet: Sheet, row: Row, records: Records, done: Filled, now: datetime
) -> None:
    aim = records.aim(plan, group, row.plan, sheet.subject.id)
    values: dict[str, Any] = {"target": _text(aim.target), "target_limit": _text(aim.limit)}
    if row.plan.obtained is Obtained.SYSTEM:
        values |= _obtained(sheet, row, records.measured(sheet.subject.id, row.plan), done, now)
    is_new = (aim.target, aim.limit) != (row.figure.target, row.figure.limit) or len(values) > 2
    if is_new:
        mine = (FigureRow.review_id == sheet.review_id) & (FigureRow.row_key == row.key)
        db.session.execute(update(FigureRow).where(mine).values(**values))
        done.changed.add(sheet.review_id)


def _obtained(sheet: Sheet, row: Row, found: Measured, done: Filled, now: datetime) -> dict[str, Any]:
    """The columns of a figure out of the records; none where nothing is to be changed."""
    name = ASKED[row.plan.rule]
    standing: Fraction | None = getattr(row.figure, name)
    done.silent += found.value is None and standing is None
    if row.origin not in (None, Origin.SYSTEM):
        if found.value is not None and found.value != standing:
            done.kept.append((sheet.subject.name, row.key, str(standing), str(found.value)))
        return {}
    if found.value == standing and (found.value is None or found.count == row.figure.count):
        return {}
    done.figures += found.value is not None
    if found.value is None:  # the record that it came from is gone
        return {name: None, "count": None, "origin": None, "supplied_at": None}
    told = {name: str(found.value), "count": str(found.count)}
    return {**told, "origin": Origin.SYSTEM, "supplied_by": None, "supplied_at": now}


def _text(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def last_filling(cycle_id: int) -> AuditRow | None:
    """When the sheets of a cycle were last filled, and what came of it."""
    lines = select(AuditRow).where(AuditRow.about == f"cycle:{cycle_id}", AuditRow.action == FILLED)
    return db.session.scalar(lines.order_by(AuditRow.id.desc()).limit(1))
