"""Writes what a file tells, portion by portion, each one transaction with the place up to which it came.

Whoever is killed is followed by another who goes on there; two at once share the portions between them. A file that was
read before in the same way changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update

from review.domain.records import ImportState
from review.helpdesk import applying
from review.helpdesk.counts import Counts
from review.helpdesk.reading import Prepared, Reading, portions
from review.helpdesk.spool import Report, silent
from review.helpdesk.tables import ImportRow
from review.infra import audit
from review.infra.db import db, rows_changed


@dataclass(frozen=True, slots=True)
class Brought:
    """Whose file it is and what it is called."""

    filename: str
    digest: str
    by: int | None
    at: datetime
    cycle_id: int | None = None


def begin(prepared: Prepared, brought: Brought) -> tuple[ImportRow, bool]:
    """The import of this file, and whether it was done before in the same way. Nothing is committed."""
    applying.hold_tickets()
    same = select(ImportRow).where(
        ImportRow.system == prepared.system,
        ImportRow.digest == brought.digest,
        ImportRow.fingerprint == prepared.fingerprint,
        ImportRow.state.in_([ImportState.DONE, ImportState.RUNNING]),
    )
    row = db.session.scalar(same.order_by(ImportRow.id.desc()).limit(1))
    if row is not None:  # done; or somebody is at it, or was killed: either way this one goes on where that one stands
        return row, row.state is ImportState.DONE
    row = ImportRow(
        system=prepared.system,
        filename=Path(brought.filename).name[-120:] or "-",
        digest=brought.digest,
        state=ImportState.RUNNING,
        brought_by=brought.by,
        brought_at=brought.at,
        cycle_id=brought.cycle_id,
        position=0,
    )
    db.session.add(row)
    start(row, prepared)
    return row, False


def was_done_before(row: ImportRow, prepared: Prepared) -> bool:
    """Whether another import read the same file in the same way and is done."""
    same = select(ImportRow.id).where(
        ImportRow.system == prepared.system,
        ImportRow.digest == row.digest,
        ImportRow.fingerprint == prepared.fingerprint,
        ImportRow.state == ImportState.DONE,
        ImportRow.id != row.id,
    )
    return db.session.scalar(same.limit(1)) is not None


def close_unchanged(row: ImportRow, prepared: Prepared, now: datetime) -> None:
    """End an import of a file that was imported before: there is nothing to change."""
    row.state, row.finished_at, row.fingerprint = ImportState.DONE, now, prepared.fingerprint
    row.counts = Counts(rows=prepared.rows).plain() | {"again": True}
    row.position = prepared.rows
    db.session.flush()


def start(row: ImportRow, prepared: Prepared) -> None:
    """Say by which reading the rows are taken in."""
    row.state, row.fingerprint = ImportState.RUNNING, prepared.fingerprint
    row.mapping = {
        column.heading[:120]: f"{column.field}:{column.option}".rstrip(":")
        for layout in prepared.layouts
        for column in layout.columns
        if column.field
    }
    row.counts = Counts().plain()
    db.session.flush()


def carry_out(prepared: Prepared, import_id: int, now: datetime, report: Report = silent) -> Counts:
    """Write the file, a portion a transaction, from where it stands; the counts of all of it."""
    row = db.session.get_one(ImportRow, import_id)
    position, before = row.position, _read_before(row)
    reading = Reading(prepared, import_id, before)
    db.session.commit()
    if prepared.tells_figures:
        return _carry_out_figures(prepared, import_id, reading, now)
    while True:
        for layout, facts, rows, at in portions(prepared, position):
            applying.hold_tickets()
            row = db.session.get_one(ImportRow, import_id, populate_existing=True)
            if row.position >= at or row.state is not ImportState.RUNNING:  # somebody else did this one
                db.session.commit()
                continue
            counts = Counts.of(row.counts)
            counts.add(reading.take(layout, facts, rows))
            values = {"position": at, "counts": counts.plain()}
            mine = update(ImportRow).where(ImportRow.id == import_id, ImportRow.position == row.position)
            if rows_changed(mine.values(**values)) == 1:
                db.session.commit()
            else:
                db.session.rollback()
            report(at, prepared.rows, "write")
        row = db.session.get_one(ImportRow, import_id, populate_existing=True)
        if row.position >= position and _finish(prepared, row, now):
            return Counts.of(row.counts)
        position = row.position


def _read_before(row: ImportRow) -> int | None:
    """The newest earlier import of the same file: what other files changed since is newer than this one."""
    earlier = select(ImportRow.id).where(
        ImportRow.system == row.system,
        ImportRow.digest == row.digest,
        ImportRow.id != row.id,
        ImportRow.state == ImportState.DONE,
    )
    found = db.session.scalar(earlier.order_by(ImportRow.id.desc()).limit(1))
    return int(found) if found is not None else None


def _carry_out_figures(prepared: Prepared, import_id: int, reading: Reading, now: datetime) -> Counts:
    applying.hold_tickets()
    row = db.session.get_one(ImportRow, import_id, populate_existing=True)
    if row.state is ImportState.RUNNING:
        counts = reading.figures()
        row.counts, row.position = counts.plain(), prepared.rows
        _finish(prepared, row, now)
        return counts
    db.session.commit()
    return Counts.of(row.counts)


def _finish(prepared: Prepared, row: ImportRow, now: datetime) -> bool:
    """Close the import once, with a line in the audit log; True when it is over, whoever closed it."""
    import_id, counts = row.id, Counts.of(row.counts)
    over = update(ImportRow).where(ImportRow.id == import_id, ImportRow.state == ImportState.RUNNING)
    db.session.flush()
    if rows_changed(over.values(state=ImportState.DONE, finished_at=now)) == 1:
        audit.record(
            "helpdesk:records:imported",
            f"import:{import_id}",
            by=row.brought_by,
            at=now,
            file=row.filename,
            system=prepared.system.value,
            new=counts.new,
            changed=counts.changed,
            same=counts.same,
            skipped=sum(counts.skipped.values()),
        )
    db.session.commit()
    return True
