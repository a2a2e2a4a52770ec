"""What the worker does for imports: looks a file over, and writes it; each goes on where a killed one stopped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from review.cycles.tables import CycleRow
from review.domain.records import ImportState, TicketSystem
from review.domain.refusals import Invalid, Problem
from review.helpdesk import columns, importing, reading, spool, unpacking, uploads
from review.helpdesk.columns import Layout
from review.helpdesk.counts import Counts
from review.helpdesk.importing import Brought
from review.helpdesk.reading import Prepared
from review.helpdesk.spool import Table
from review.helpdesk.tables import ImportRow
from review.infra import audit, jobs
from review.infra.db import db, only_reading
from review.infra.jobs import Job

LOOK = "helpdesk:look"
WRITE = "helpdesk:write"
SAMPLES = 3
MOST_COLUMNS = 150
MOST_PROBLEMS = 100


def key_of(kind: str, import_id: int) -> str:
    return f"{kind}:{import_id}"


def ask_for(kind: str, import_id: int, now: datetime) -> None:
    """Put the work in line, again if it was done before."""
    key = key_of(kind, import_id)
    if jobs.find(key) is None:
        jobs.enqueue(kind, key, {"import_id": import_id}, now)
    else:
        jobs.ask_again(key, now)


def busy(import_id: int) -> str | None:
    """The key of the work that is in line or under way for this import."""
    for kind in (LOOK, WRITE):
        row = jobs.find(key_of(kind, import_id))
        if row is not None and row.state in {jobs.JobState.WAITING, jobs.JobState.RUNNING}:
            return row.key
    return None


def bring(system: TicketSystem | None, stored: str, brought: Brought) -> int:
    """Put a kept file in line to be looked at; without a system it is found out by the file. The import's number."""
    row = ImportRow(
        system=system or TicketSystem.SHEET,
        filename=brought.filename[-120:],
        digest=brought.digest,
        state=ImportState.WAITING,
        stored=stored,
        look={"auto": system is None},
        cycle_id=brought.cycle_id,
        brought_by=brought.by,
        brought_at=brought.at,
        position=0,
    )
    db.session.add(row)
    db.session.flush()
    about = f"import:{row.id}"
    audit.record("helpdesk:records:uploaded", about, by=brought.by, at=brought.at, file=row.filename)
    ask_for(LOOK, row.id, brought.at)
    return row.id


def _tables(stored: str, report: Callable[[int, int, str], None]) -> list[Table]:
    folder = uploads.folder(stored)
    if folder is None:
        raise Invalid("helpdesk:expired")
    kept = spool.kept_tables(folder / uploads.TABLES)
    return kept or unpacking.unpack(folder / uploads.FILE, folder / uploads.TABLES, report)


def do_look(job: Job) -> None:
    """Find out what the file would do. A file that cannot be read is refused here, with the reason."""
    import_id = int(job.payload["import_id"])
    row = db.session.get(ImportRow, import_id)
    if row is None or row.state is not ImportState.WAITING:
        return
    stored, system, is_automatic = row.stored or "", row.system, bool((row.look or {}).get("auto"))
    period = _period(row.cycle_id)
    db.session.commit()  # nobody waits for a lock while a large file is looked at
    try:
        with only_reading():
            tables = _tables(stored, job.report)
            system = columns.system_of(tables) if is_automatic else system
            prepared = reading.prepare(tables, system, job.now, period=period, report=job.report)
            counts = reading.look(prepared, job.report)
            db.session.rollback()
    except Invalid as refusal:
        db.session.rollback()
        _refuse(import_id, refusal.problems, job.now)
        return
    row = db.session.get_one(ImportRow, import_id, populate_existing=True)
    if row.state is ImportState.WAITING:
        row.system = system
        row.look = _told(prepared, counts) | {"auto": is_automatic}


def _period(cycle_id: int | None) -> reading.Span | None:
    cycle = db.session.get(CycleRow, cycle_id) if cycle_id is not None else None
    return (cycle.period_start, cycle.period_end) if cycle is not None else None


def _refuse(import_id: int, problems: tuple[Problem, ...], now: datetime) -> None:
    row = db.session.get_one(ImportRow, import_id, populate_existing=True)
    row.state, row.finished_at = ImportState.REFUSED, now
    row.look = {"refused": [[problem.code, dict(problem.params)] for problem in problems[:MOST_PROBLEMS]]}
    uploads.forget(row.stored)
    row.stored = None
    audit.record("helpdesk:records:refused", f"import:{import_id}", by=row.brought_by, at=now, reason=problems[0].code)


def _told(prepared: Prepared, counts: Counts) -> dict[str, Any]:
    """What HR is shown."""
    return {
        "counts": counts.plain(),
        "kind": "figures" if prepared.tells_figures else "tickets",
        "columns": [each for layout in prepared.layouts[:1] for each in _columns(layout)],
        "tables": [layout.table.name for layout in prepared.layouts],
        "guesses": prepared.guesses,
        "problems": [[problem.code, dict(problem.params)] for problem in counts.problems[:MOST_PROBLEMS]],
    }


def _columns(layout: Layout) -> list[dict[str, Any]]:
    samples: dict[int, list[str]] = {column.place: [] for column in layout.columns}
    for looked, (_number, row) in enumerate(layout.rows()):
        for place, found in samples.items():
            if place < len(row) and row[place] and len(found) < SAMPLES and row[place][:40] not in found:
                found.append(row[place][:40])
        if looked > 60:
            break
    told = [
        {
            "heading": column.heading,
            "field": column.field,
            "option": column.option,
            "by_hr": column.by_hr,
            "samples": samples[column.place],
        }
        for column in layout.columns
        if column.heading
    ]
    return sorted(told, key=lambda each: not each["field"])[:MOST_COLUMNS]


def do_write(job: Job) -> None:
    """Write the file; a second worker goes on where the first was killed."""
    import_id = int(job.payload["import_id"])
    row = db.session.get(ImportRow, import_id)
    if row is None or row.state not in {ImportState.WAITING, ImportState.RUNNING}:
        return
    stored, system, period = row.stored or "", row.system, _period(row.cycle_id)
    db.session.commit()
    try:
        with only_reading():
            prepared = reading.prepare(_tables(stored, job.report), system, job.now, period=period, report=job.report)
            db.session.rollback()
    except Invalid as refusal:
        db.session.rollback()
        _refuse(import_id, refusal.problems, job.now)
        return
    row = db.session.get_one(ImportRow, import_id, populate_existing=True)
    if row.state is ImportState.WAITING:
        if importing.was_done_before(row, prepared):
            importing.close_unchanged(row, prepared, job.now)
        else:
            importing.start(row, prepared)
    db.session.commit()
    importing.carry_out(prepared, import_id, job.now, job.report)
    row = db.session.get_one(ImportRow, import_id)
    uploads.forget(row.stored)
    row.stored = None


HANDLERS: dict[str, Callable[[Job], None]] = {LOOK: do_look, WRITE: do_write}
SYSTEMS = tuple(system for system in TicketSystem if system is not TicketSystem.LIST)
