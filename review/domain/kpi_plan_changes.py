"""What changed from one version of a KPI plan to another, one line for each difference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction

from review.domain.kpi_plan_shape import NO_AIM, Aim, KpiPlan, PlanRow, TargetGroup
from review.domain.records import Unit
from review.domain.vocabulary import Text


class What(StrEnum):
    """What kind of thing differs."""

    PLAN = "plan"
    ROW = "row"
    GROUP = "group"
    TARGET = "target"
    LIMIT = "limit"
    KIND_TARGET = "kind_target"
    KIND_LIMIT = "kind_limit"
    DIFFICULTY = "difficulty"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `row` and `group` say where, `part` which field of it or which problem type.

    `before` None: it came; `after` None: it went. Amounts are in `unit`, where that is not None.
    """

    what: What
    part: str
    before: object | None
    after: object | None
    row: Text | None = None
    group: Text | None = None
    unit: Unit | None = None


_OF_ROW = tuple(field.name for field in fields(PlanRow) if field.name != "key")
_OF_GROUP = ("name", "posts", "tenure", "channels")
_OF_PLAN = ("name", "new_months", "sheet_veto")


def changes(old: KpiPlan, new: KpiPlan) -> tuple[Change, ...]:
    """Every difference in what the two say, in the order of the new one; versions and hashes aside."""
    return tuple(_all(old, new))


def _all(old: KpiPlan, new: KpiPlan) -> Iterator[Change]:
    for part in _OF_PLAN:
        if getattr(old, part) != getattr(new, part):
            yield Change(What.PLAN, part, getattr(old, part), getattr(new, part))
    rows_before, rows = {row.key: row for row in old.rows}, {row.key: row for row in new.rows}
    for row in new.rows:
        yield from _of_row(rows_before.get(row.key), row)
    yield from (Change(What.ROW, "", row.name, None, row.name) for row in old.rows if row.key not in rows)
    kept = [row.key for row in old.rows if row.key in rows]
    if kept != [row.key for row in new.rows if row.key in rows_before]:
        yield Change(What.PLAN, "order", tuple(row.name for row in old.rows), tuple(row.name for row in new.rows))
    groups_before, groups = {group.key: group for group in old.groups}, {group.key: group for group in new.groups}
    for group in new.groups:
        yield from _of_group(groups_before.get(group.key), group, rows)
    gone = [group.name for group in old.groups if group.key not in groups]
    yield from (Change(What.GROUP, "", name, None, None, name) for name in gone)
    yield from _of_mapping(What.DIFFICULTY, old.difficulty, new.difficulty)


def _of_row(before: PlanRow | None, row: PlanRow) -> Iterator[Change]:
    if before is None:
        yield Change(What.ROW, "", None, row.name, row.name)
        return
    for part in _OF_ROW:
        was, now = getattr(before, part), getattr(row, part)
        if was != now:
            yield Change(What.ROW, part, was, now, row.name)


def _of_group(before: TargetGroup | None, group: TargetGroup, rows: Mapping[str, PlanRow]) -> Iterator[Change]:
    if before is None:
        yield Change(What.GROUP, "", None, group.name, None, group.name)
        return
    for part in _OF_GROUP:
        was, now = getattr(before, part), getattr(group, part)
        if was != now:
            yield Change(What.GROUP, part, was, now, None, group.name)
    for key, row in rows.items():
        yield from _of_aim(before.aims.get(key, NO_AIM), group.aims.get(key, NO_AIM), row, group)


def _of_aim(before: Aim, aim: Aim, row: PlanRow, group: TargetGroup) -> Iterator[Change]:
    where = {"row": row.name, "group": group.name, "unit": row.unit}
    if before.target != aim.target:
        yield Change(What.TARGET, "", before.target, aim.target, **where)  # type: ignore[arg-type]
    if before.limit != aim.limit:
        yield Change(What.LIMIT, "", before.limit, aim.limit, **where)  # type: ignore[arg-type]
    for what, part in ((What.KIND_TARGET, "target"), (What.KIND_LIMIT, "limit")):
        was = {each.kind: getattr(each, part) for each in before.by_kind if getattr(each, part) is not None}
        now = {each.kind: getattr(each, part) for each in aim.by_kind if getattr(each, part) is not None}
        yield from _of_mapping(what, was, now, **where)


def _of_mapping(
    what: What, was: Mapping[str, Fraction], now: Mapping[str, Fraction], **where: object
) -> Iterator[Change]:
    for kind in dict.fromkeys((*now, *was)):
        if was.get(kind) != now.get(kind):
            yield Change(what, kind, was.get(kind), now.get(kind), **where)  # type: ignore[arg-type]
