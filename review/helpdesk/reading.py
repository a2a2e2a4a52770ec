"""Understands one file, tables of text, as tickets or figures: row by row, in portions whose borders never change."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from sqlalchemy import select

from review.domain.calendar import local_day
from review.domain.records import TicketStatus, TicketSystem
from review.domain.refusals import Invalid
from review.helpdesk import agent_figures, agents, applying, columns, customers, figure_rows
from review.helpdesk.agents import Roster
from review.helpdesk.columns import Layout
from review.helpdesk.counts import MOST_PROBLEMS, Counts
from review.helpdesk.drafts import Draft, RowReader
from review.helpdesk.facts import Facts, facts_of
from review.helpdesk.spool import Report, Table, silent
from review.helpdesk.tables import MappingRow
from review.infra import organisation
from review.infra.db import db

PORTION = 2_000
MOST_USERS = 200_000
Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is understood, and everything needed to read its rows."""

    system: TicketSystem
    layouts: tuple[Layout, ...]
    facts: tuple[Facts, ...]
    roster: Roster
    period: Span | None
    today: date

    @property
    def tells_figures(self) -> bool:
        return self.layouts[0].kind != "tickets"

    @property
    def rows(self) -> int:
        return sum(layout.table.count for layout in self.layouts)

    @property
    def guesses(self) -> list[tuple[str, str, str]]:
        return [guess for facts in self.facts for guess in facts.guesses]

    @property
    def fingerprint(self) -> str:
        """Of everything that decides how the file is read: its columns, our people, HR's words."""
        read = [[(each.heading, each.field, each.option) for each in layout.columns] for layout in self.layouts]
        people = [sorted(self.roster.by_email.items()), sorted(self.roster.by_number.items())]
        told = [self.system, read, people, sorted(self.roster.by_name.items()), sorted(self.roster.aliases.items())]
        told += [[str(day) for day in self.period or ()] if self.tells_figures else []]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def remembered(system: TicketSystem) -> dict[str, str]:
    """How HR wants this system's columns to be read, by their headings as `plain` makes them."""
    said = select(MappingRow.heading, MappingRow.field).where(MappingRow.system == system)
    return {row.heading: row.field for row in db.session.execute(said)}


def users_in(tables: Sequence[Table], system: TicketSystem) -> dict[str, dict[str, str]]:
    """Who stands in a file's own lists of users, by their ids; of very many only agents."""
    found: dict[str, dict[str, str]] = {}
    for table in tables:
        layout = columns.layout_of(table, system, {})
        if layout.kind != "users" or table.headings is None:
            continue
        for _number, row in table.rows():
            user = dict(zip(table.headings, row, strict=False))
            if len(found) < MOST_USERS or user.get("role") in {"agent", "admin"}:
                found[user.get("id", "")] = {"email": user.get("email", ""), "name": user.get("name", "")}
    return found


def tells_only_users(tables: Sequence[Table], system: TicketSystem) -> bool:
    """Whether a file is nothing but a list of users that others refer to."""
    return all(columns.layout_of(table, system, {}).kind == "users" for table in tables)


def prepare(
    tables: Sequence[Table],
    system: TicketSystem,
    now: datetime,
    *,
    period: Span | None = None,
    users: Mapping[str, Mapping[str, str]] | None = None,
    scale: str | None = None,
    report: Report = silent,
) -> Prepared:
    """Understand a file; `scale` is what its answers count up to, where somebody says so.

    Raises Invalid where nothing in it is a ticket or a figure.
    """
    mapping = remembered(system)
    layouts = columns.require([columns.layout_of(table, system, mapping) for table in tables])
    if scale is not None:
        layouts = [columns.on_scale(layout, scale) for layout in layouts]
    facts = tuple(facts_of(layout, system, report) for layout in layouts)
    own = users_in(tables, system) | dict(users or {})
    zone = organisation.current().zone
    return Prepared(system, tuple(layouts), facts, agents.roster(system, own), period, local_day(now, zone))


# ---- reading --------------------------------------------------------------------------------------------------------


def portions(prepared: Prepared, start: int) -> Iterator[tuple[Layout, Facts, list[tuple[int, list[str]]], int]]:
    """Rows from `start` on in portions whose borders are always the same, and where each one ends."""
    at = 0
    for layout, facts in zip(prepared.layouts, prepared.facts, strict=True):
        rows = iter(layout.rows())
        while portion := list(islice(rows, PORTION)):
            at += len(portion)
            if at > start:
                yield layout, facts, portion, at


class Reading:
    """Reads portions and settles whom they mean, writing where it is told an import to write for."""

    def __init__(self, prepared: Prepared, import_id: int | None, before: int | None = None) -> None:
        self._prepared, self._import_id, self._before = prepared, import_id, before
        self._organisation = organisation.current()
        self._readers: dict[int, RowReader] = {}

    def take(self, layout: Layout, facts: Facts, rows: Sequence[tuple[int, list[str]]]) -> Counts:
        key = id(layout)
        if key not in self._readers:
            self._readers[key] = RowReader(layout, facts, self._organisation.zone, self._prepared.today)
        counts = Counts(rows=len(rows))
        waiting: dict[str, Draft] = {}
        for number, row in rows:
            draft = self._readers[key].read(number, row)
            if draft.skip:
                counts.skipped[draft.skip] += 1
            elif draft.problems:
                counts.bad_rows += 1
                counts.skipped["bad_row"] += 1
                counts.problems += draft.problems[: max(0, MOST_PROBLEMS - len(counts.problems))]
            else:
                if draft.reference in waiting:  # written twice in two ways, 1001 and #1001
                    self._write(waiting, counts)
                    waiting = {}
                waiting[draft.reference] = draft
        self._write(waiting, counts)
        return counts

    def _write(self, drafts: Mapping[str, Draft], counts: Counts) -> None:
        roster, settled = self._prepared.roster, []
        for draft in drafts.values():
            handlers = roster.handlers(draft.agent)
            if handlers is not None and handlers.is_nobody:
                counts.skipped["nobody_of_ours"] += 1
                continue
            if handlers is None and not draft.is_partial:
                counts.without_agent += 1
            for label in handlers.unknown if handlers else ():
                counts.unknown[label] += 1
            counts.guessed += bool(draft.says.get("closed_is_guess"))
            counts.outside += self._is_outside(draft)
            settled.append((draft, handlers))
        people = {
            draft.reference: said
            for draft, _ in settled
            if (said := customers.said_of(self._prepared.system, draft.customer, roster.users))
        }
        ids = self._customers(people) if self._import_id is not None else {}
        entries = [
            applying.Entry(draft, handlers, ids.get(people[draft.reference].key) if draft.reference in people else None)
            for draft, handlers in settled
        ]
        done = applying.write(self._prepared.system, entries, self._import_id, before=self._before)
        counts.new, counts.changed, counts.same = (
            counts.new + done.new,
            counts.changed + done.changed,
            counts.same + done.same,
        )
        counts.skipped.update(done.skipped)

    def _customers(self, people: Mapping[str, customers.Said]) -> dict[str, int]:
        return customers.upsert(people.values(), self._organisation.locale)

    def _is_outside(self, draft: Draft) -> bool:
        if self._prepared.period is None:
            return False
        first, last = self._prepared.period
        closed, opened = draft.says.get("closed_on"), draft.says.get("opened_at")
        if draft.says.get("status") is TicketStatus.OPEN and opened is not None:
            return local_day(opened, self._organisation.zone) > last
        return closed is not None and not first <= closed <= last

    def figures(self) -> Counts:
        """All tables of figures at once: they have a row a person, not a row a ticket."""
        prepared, counts = self._prepared, Counts()
        if prepared.period is None:
            raise Invalid("helpdesk:no_period")
        prepared.roster.unknown.clear()
        found: list[agent_figures.Figure] = []
        for layout in prepared.layouts:
            told = agent_figures.FigureReader(layout, prepared.roster, self._organisation.zone, prepared.period).read()
            found += told.figures
            counts.rows += told.rows
            counts.uncounted += told.uncounted
            counts.skipped.update(told.skipped)
            bad = {problem.params["row"] for problem in told.problems}
            counts.bad_rows += len(bad)
            if bad:
                counts.skipped["bad_row"] += len(bad)
            counts.problems += told.problems[:MOST_PROBLEMS]
        first, last = prepared.period
        counts.outside = sum(1 for one in found if one.span[0] < first or one.span[1] > last)
        counts.new, counts.changed, counts.same = figure_rows.write(prepared.system, found, self._import_id)
        counts.figures = len(found)
        counts.unknown = Counter(prepared.roster.unknown)
        return counts


def look(prepared: Prepared, report: Report = silent) -> Counts:
    """What the file would do; writes nothing."""
    reading = Reading(prepared, None)
    if prepared.tells_figures:
        return reading.figures()
    counts = Counts()
    for layout, facts, rows, at in portions(prepared, 0):
        counts.add(reading.take(layout, facts, rows))
        report(at, prepared.rows, "look")
    return counts
