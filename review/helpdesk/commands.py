"""`import kpi`: takes the records of ticket systems in from the command line, for people and for scripts."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from review.cycles import service as cycles
from review.cycles.tables import CycleRow
from review.domain.records import TicketSystem
from review.domain.refusals import Invalid, Problem
from review.helpdesk import importing, reading, unpacking
from review.helpdesk.counts import Counts
from review.helpdesk.reading import Prepared
from review.helpdesk.scales import Scale
from review.helpdesk.spool import Table
from review.infra.clock import now as clock_now
from review.infra.command import with_app
from review.infra.db import db, only_reading
from review.infra.i18n import caller_locale
from review.infra.words import say

MOST_SHOWN = 20
SYSTEMS = [system.value for system in TicketSystem if system is not TicketSystem.LIST]


@dataclass(frozen=True, slots=True)
class Opened:
    """One file on the command line, unpacked and understood."""

    path: Path
    digest: str
    prepared: Prepared
    counts: Counts


@click.command("kpi")
@click.option("--cycle", "cycle_name", required=True, help="The cycle whose period the records are for.")
@click.option("--from", "system_name", required=True, type=click.Choice(SYSTEMS), help="Which system exported them.")
@click.option("--dry-run", is_flag=True, help="Show what would happen and change nothing.")
@click.option("--skip-bad-rows", is_flag=True, help="Import the rows that are in order and leave out the others.")
@click.option("--scale", type=click.Choice([scale.value for scale in Scale]), help="What answers count up to.")
@click.option("--json", "as_json", is_flag=True, help="Tell the outcome as JSON.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE..."
)
@with_app
def kpi_command(
    cycle_name: str,
    system_name: str,
    dry_run: bool,
    skip_bad_rows: bool,
    scale: str | None,
    as_json: bool,
    files: tuple[Path, ...],
) -> None:
    """Import tickets, ratings or figures that a ticket system exported (CSV, .xlsx, JSON)."""
    moment, cycle, system = clock_now(), cycles.by_name(cycle_name), TicketSystem(system_name)
    db.session.rollback()  # nobody waits for a lock while a large file is looked at
    with _unpacked(files) as tables:
        with only_reading():
            opened = list(_opened(tables, system, cycle, moment, scale))
            db.session.rollback()
        if not as_json:
            for one in opened:
                _tell_problems(one.counts)
        bad = sum(one.counts.bad_rows for one in opened)
        if bad and not (dry_run or skip_bad_rows):
            if as_json:
                _print_json(opened, "refused", [one.counts for one in opened])
            raise Invalid("helpdesk:rows_refused", rows=bad)
        told = [_done(one, cycle, moment, dry_run=dry_run) for one in opened]
    outcomes = [counts for counts, _already in told]
    if as_json:
        _print_json(opened, "would_import" if dry_run else "imported", outcomes)
        return
    for one, (counts, already) in zip(opened, told, strict=True):
        _tell_outcome(one, counts, cycle, "would_import" if dry_run else "already" if already else "imported")


@contextmanager
def _unpacked(files: Sequence[Path]) -> Iterator[list[tuple[Path, str, list[Table]]]]:
    """Each file's tables, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="review-import-") as folder:
        found = []
        for at, path in enumerate(files):
            try:
                tables = unpacking.unpack(path, Path(folder) / str(at))
            except Invalid as refusal:
                raise Invalid.of(_of_file(path, files, refusal)) from None
            found.append((path, unpacking.digest_of(path), tables))
        yield found


def _of_file(path: Path, files: Sequence[Path], refusal: Invalid) -> list[Problem]:
    """The problems, with the file's name in front where there are several."""
    where = path.name if len(files) > 1 else None
    return [Problem(problem.code, where, problem.params) for problem in refusal.problems]


def _opened(
    tables: Sequence[tuple[Path, str, list[Table]]],
    system: TicketSystem,
    cycle: CycleRow,
    moment: datetime,
    scale: str | None,
) -> Iterator[Opened]:
    users: dict[str, dict[str, str]] = {}
    for _path, _digest, each in tables:  # one file's users may be who another file's numbers mean
        users |= reading.users_in(each, system)
    period = cycle.period_start, cycle.period_end
    for path, digest, each in tables:
        if len(tables) > 1 and reading.tells_only_users(each, system):
            continue
        try:
            prepared = reading.prepare(each, system, moment, period=period, users=users, scale=scale)
            yield Opened(path, digest, prepared, reading.look(prepared))
        except Invalid as refusal:
            raise Invalid.of(_of_file(path, [one[0] for one in tables], refusal)) from None


def _done(one: Opened, cycle: CycleRow, moment: datetime, *, dry_run: bool) -> tuple[Counts, bool]:
    """What became of the file, and whether it had been imported before."""
    if dry_run:
        return one.counts, False
    brought = importing.Brought(one.path.name, one.digest, None, moment, cycle.id)
    row, is_done = importing.begin(one.prepared, brought)
    import_id = row.id
    db.session.commit()
    if is_done:
        return one.counts, True
    counts = importing.carry_out(one.prepared, import_id, moment)
    counts.problems = one.counts.problems
    return counts, False


# ---- telling --------------------------------------------------------------------------------------------------------


def _say(code: str, *, err: bool = False, **params: object) -> None:
    click.echo(say(Problem(f"helpdesk:{code}", None, params), caller_locale()), err=err)


def _tell_problems(counts: Counts) -> None:
    for problem in counts.problems[:MOST_SHOWN]:
        click.echo(say(problem, caller_locale()), err=True)
    if counts.bad_rows > MOST_SHOWN:
        _say("more_problems", err=True, count=counts.bad_rows - MOST_SHOWN)


def _tell_outcome(one: Opened, counts: Counts, cycle: CycleRow, code: str) -> None:
    what = "figures" if one.prepared.tells_figures else "tickets"
    told = {"rows": counts.rows, "new": counts.new, "changed": counts.changed, "same": counts.same}
    click.echo(say(Problem(f"helpdesk:{code}_{what}", None, {"file": one.path.name, **told}), caller_locale()))
    for reason, count in sorted(counts.skipped.items()):
        _say(f"skipped_{reason}", count=count)
    if counts.outside:
        _say("outside", count=counts.outside, first=cycle.period_start, last=cycle.period_end)
    for name in ("without_agent", "guessed", "uncounted"):
        if getattr(counts, name):
            _say(name, count=getattr(counts, name))
    for kind, heading, taken in one.prepared.guesses:
        _say(f"guessed_{kind}", column=heading, taken=taken)
    if counts.unknown:
        _say("unknown_agents", count=len(counts.unknown))
        for label, count in counts.unknown.most_common(MOST_SHOWN):
            _say("unknown_agent", label=label, count=count)


def _print_json(opened: Sequence[Opened], outcome: str, counts: Sequence[Counts]) -> None:
    files = [
        {"file": one.path.name, "sha256": one.digest, **found.plain(), **_more(one, found)}
        for one, found in zip(opened, counts, strict=True)
    ]
    click.echo(json.dumps({"outcome": outcome, "files": files}, ensure_ascii=False, indent=2))


def _more(one: Opened, counts: Counts) -> dict[str, Any]:
    columns = {
        column.heading: column.field for layout in one.prepared.layouts for column in layout.columns if column.field
    }
    problems = [
        {"code": problem.code.split(":")[1], **problem.params, "sentence": say(problem, caller_locale())}
        for problem in counts.problems[:MOST_SHOWN]
    ]
    guesses = [{"kind": kind, "column": heading, "taken": taken} for kind, heading, taken in one.prepared.guesses]
    kind = "figures" if one.prepared.tells_figures else "tickets"
    return {
        "system": one.prepared.system.value,
        "tells": kind,
        "columns": columns,
        "guesses": guesses,
        "problems": problems,
    }
