"""What HR changes about a draft: its rows, its target groups, what holds for all of it. Every mistake is refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from review.domain.kpi import KpiRule
from review.domain.kpi_plan import PlanRow, dump_group, dump_plan, dump_row, read_groups, read_plan, read_rows
from review.domain.reading import Reader
from review.domain.refusals import Invalid, OutOfReach, Problem
from review.kpi import plans
from review.kpi.tables import StoredPlanRow

Plain = dict[str, Any]
NEW = "new"  # stands for a group that is not there yet


def keep_rows(row: StoredPlanRow, rows: Sequence[Plain], seen: str, *, by: int, now: datetime) -> None:
    """Take these rows. Targets of rows that went, or that are measured otherwise now, go with them."""
    reader = Reader()
    read = read_rows(reader, rows, "rows")
    reader.finish()

    def change(body: Plain) -> None:
        before = {one.key: one for one in rows_of(body)}
        body["rows"] = [dump_row(one) for one in read]
        for group in body["groups"]:
            group["aims"] = _aims_kept(group["aims"], before, read)

    plans.rewrite(row, seen, change, by=by, now=now, part="rows")


def rows_of(body: Mapping[str, Any]) -> tuple[PlanRow, ...]:
    """The rows of a draft: those are always in order."""
    return read_rows(Reader(), body.get("rows"), "rows")


def _aims_kept(aims: Plain, before: Mapping[str, PlanRow], rows: Sequence[PlanRow]) -> Plain:
    kept = {}
    for row in rows:
        was = before.get(row.key)
        if row.key not in aims or was is None or was.unit is not row.unit:
            continue
        aim = {name: value for name, value in aims[row.key].items() if name != "by_kind" or row.needs_target}
        for bounds in (aim, *aim.get("by_kind", ())):
            if row.rule is not KpiRule.LOWER:
                bounds.pop("limit", None)
        kept[row.key] = aim
    return kept


def free_key(body: Mapping[str, Any]) -> str:
    """A key no group of the draft has."""
    taken = {group["key"] for group in body["groups"]}
    return next(key for number in range(1, len(taken) + 2) if (key := f"group_{number}") not in taken)


def place_of(body: Mapping[str, Any], key: str) -> int:
    """Where a group stands. Raises OutOfReach where there is none."""
    for place, group in enumerate(body["groups"]):
        if group["key"] == key:
            return place
    raise OutOfReach("kpi_plan:no_such_group")


def is_last(body: Mapping[str, Any], key: str) -> bool:
    """Whether this is the group that takes everybody."""
    return key != NEW and place_of(body, key) == len(body["groups"]) - 1


def keep_group(row: StoredPlanRow, key: str, group: Plain, seen: str, *, by: int, now: datetime) -> None:
    """Take this group in place of the one with `key`; a new one comes before the one that takes everybody.

    Raises Invalid with what is wrong with it, told by places inside it; what is wrong with others does not matter here.
    """
    body = row.body
    groups = list(body["groups"])
    place = max(0, len(groups) - 1) if key == NEW else place_of(body, key)
    groups[place : place + (key != NEW)] = [group]
    reader = Reader()
    read = read_groups(reader, groups, "groups", rows_of(body))
    spot = f"groups[{place}]"
    wrong = [problem for problem in reader.problems if problem.where == "groups" or _is_in(problem, spot)]
    if wrong:
        raise Invalid.of([_inside(problem, spot) for problem in wrong])

    def change(body: Plain) -> None:
        body["groups"] = [*groups[:place], dump_group(read[place]), *groups[place + 1 :]]

    plans.rewrite(row, seen, change, by=by, now=now, part=f"group {group['key']}")


def _is_in(problem: Problem, spot: str) -> bool:
    return problem.where == spot or (problem.where or "").startswith(f"{spot}.")


def _inside(problem: Problem, spot: str) -> Problem:
    where = (problem.where or "").removeprefix(spot).removeprefix(".")
    return Problem(problem.code, where or None, problem.params)


def remove_group(row: StoredPlanRow, key: str, *, by: int, now: datetime) -> None:
    """Take a group out; one that is gone already is no mistake. The one that takes everybody stays."""
    if key not in [group["key"] for group in row.body["groups"]]:
        return
    if is_last(row.body, key):
        raise Invalid("kpi_plan:last_group_takes_all")

    def change(body: Plain) -> None:
        body["groups"] = [group for group in body["groups"] if group["key"] != key]

    plans.rewrite(row, row.hash, change, by=by, now=now, part=f"group {key}")


def keep_settings(row: StoredPlanRow, settings: Plain, seen: str, *, by: int, now: datetime) -> None:
    """Take name, months, veto and difficulty."""
    reader = Reader()
    plan = read_plan(reader, {**row.body, **settings}, "")
    wrong = [problem for problem in reader.problems if (problem.where or "").startswith(tuple(settings))]
    if wrong:
        raise Invalid.of(wrong)
    said = dump_plan(plan)

    def change(body: Plain) -> None:
        body.update({name: said[name] for name in settings})

    plans.rewrite(row, seen, change, by=by, now=now, part="settings")
