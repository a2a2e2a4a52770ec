"""The board of indicators: months or weeks side by side for a person, a team or everybody, and one span by rows.

Everything is worked out from the tickets at the moment of asking. Rows are in the order of names: nobody is ranked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import exists, or_, select

from review.domain.access import Actor, Role, Standing
from review.domain.indicators import Span, Tally, months_back, together, weeks_back
from review.domain.records import UNITS, Indicator, Measured, TicketSystem, Unit
from review.domain.series import Series, series
from review.helpdesk import figures
from review.helpdesk.tables import TicketRow
from review.infra.db import db
from review.infra.gate import Found
from review.infra.lists import Listing, page_of
from review.kpi.board_figures import Cell, amount, cell, cells, one_place, there_in
from review.people import directory
from review.people.tables import PersonRow, RoleRow

MONTHS, WEEKS = 12, 13  # how many spans stand side by side


class Step(StrEnum):
    """How long a span is."""

    MONTHS = "months"
    WEEKS = "weeks"


class By(StrEnum):
    """What the rows of the table below the charts are."""

    PERSON = "person"
    TEAM = "team"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see: up to which day, in which steps, and of which tickets."""

    until: date
    step: Step = Step.MONTHS
    by: By = By.PERSON
    team: int | None = None  # the supervisor whose people it is about
    channel: str | None = None
    kind: str | None = None
    page: int = 1

    @property
    def spans(self) -> list[Span]:
        return weeks_back(self.until, WEEKS) if self.step is Step.WEEKS else months_back(self.until, MONTHS)


@dataclass(frozen=True, slots=True)
class Chart:
    """One indicator over the spans: the figure of the last one, the marks, and the target where there is one."""

    indicator: Indicator
    last: Cell
    before: Cell
    cells: Sequence[Cell]
    plan: Series
    target: Cell | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a person, a team by its supervisor, or a kind of tickets."""

    name: str
    cells: Mapping[Indicator, Cell]
    person_id: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """All a page shows. `response` is the last span's rate of answers, `rows` are about the last span."""

    spans: Sequence[Span]
    charts: Sequence[Chart]
    table: Sequence[tuple[Span, Mapping[Indicator, Cell]]]
    indicators: Sequence[Indicator]
    asked_customers: Fraction
    response: Fraction | None
    rows: Listing
    row_indicators: Sequence[Indicator]

    @property
    def response_text(self) -> str | None:
        return None if self.response is None else one_place(self.response)

    @property
    def asked_text(self) -> str:
        return amount(self.asked_customers)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: supervisors by id, channels, kinds."""

    teams: Mapping[int, str] = field(default_factory=dict)
    channels: Sequence[str] = ()
    kinds: Sequence[str] = ()


def find_measured(actor: Actor, person_id: int) -> Found:
    """Loader: a person, themselves or the one who leads them now."""
    row = directory.person(person_id)
    standings = set()
    if row.id == actor.person_id:
        standings.add(Standing.SUBJECT)
    if row.supervisor_id == actor.person_id:
        standings.add(Standing.RESPONSIBLE)
    return Found(row, frozenset(standings))


def people_of(actor: Actor, asked: Asked) -> Collection[int] | None:
    """Whose tickets a board is about.

    HR's is about everybody (None) or one team, a supervisor's about their own team, anybody else's about themselves.
    """
    if Role.HR in actor.roles:
        return None if asked.team is None else _team(asked.team)
    if Role.SUPERVISOR in actor.roles:
        return _team(actor.person_id)
    return [actor.person_id]


def _team(supervisor_id: int) -> list[int]:
    return list(db.session.scalars(select(PersonRow.id).where(PersonRow.supervisor_id == supervisor_id)))


def board_of(
    asked: Asked,
    people: Collection[int] | None,
    targets: Mapping[Indicator, Fraction] | None = None,
    difficulty: Mapping[str, Fraction] = figures.NO_WEIGHTS,
) -> Board:
    """The board about these people (None: everybody); `difficulty` weighs tickets by their type."""
    spans = asked.spans
    over_time = figures.sums_of_all(spans, people, difficulty=difficulty, channel=asked.channel, kind=asked.kind)
    table = [cells(tally) for tally in over_time]
    indicators = there_in(table)
    rows = _rows(asked, people, spans[-1], difficulty)
    last = over_time[-1].response_rate
    return Board(
        spans=spans,
        charts=[_chart(one, table, (targets or {}).get(one)) for one in indicators],
        table=list(zip(spans, table, strict=True)),
        indicators=indicators,
        asked_customers=last.count,
        response=last.value,
        rows=rows,
        row_indicators=there_in([dict(row.cells) for row in rows.rows]),
    )


def _chart(indicator: Indicator, table: Sequence[Mapping[Indicator, Cell]], target: Fraction | None) -> Chart:
    none = Cell(UNITS[indicator])
    row = [line.get(indicator, none) for line in table]
    is_percent = UNITS[indicator] in (Unit.PERCENT, Unit.POINTS)
    plan = series([one.point for one in row], target=target, is_percent=is_percent)
    before = row[-2] if len(row) > 1 else none
    return Chart(indicator, row[-1], before, row, plan, None if target is None else _aimed(indicator, target))


def _aimed(indicator: Indicator, target: Fraction) -> Cell:
    return cell(indicator, Measured(target, Fraction(1)))


# ---- the rows of one span -------------------------------------------------------------------------------------------


Weights = Mapping[str, Fraction]


def _rows(asked: Asked, people: Collection[int] | None, span: Span, weights: Weights) -> Listing:
    if asked.by is By.KIND:
        kinds = figures.kinds_of_all(span, people, difficulty=weights, channel=asked.channel)
        return _all([Row(kind, cells(tally)) for kind, tally in kinds.items() if asked.kind in (None, kind)])
    if asked.by is By.TEAM:
        return _all(_teams(asked, people, span, weights))
    return _people(asked, people, span, weights)


def _all(rows: list[Row]) -> Listing:
    return Listing(rows, 1, len(rows), max(len(rows), 1))


def _people(asked: Asked, people: Collection[int] | None, span: Span, weights: Weights) -> Listing:
    """A page of agents who worked here in the span, also those without any ticket."""
    joined = or_(PersonRow.joined_on.is_(None), PersonRow.joined_on <= span[1])
    stayed = or_(PersonRow.left_on.is_(None), PersonRow.left_on >= span[0])
    columns: tuple[Any, ...] = (PersonRow.id, PersonRow.name, PersonRow.employee_no)
    query = select(*columns).where(joined, stayed)
    query = query.where(exists().where(RoleRow.person_id == PersonRow.id, RoleRow.role == Role.AGENT))
    if people is not None:
        query = query.where(PersonRow.id.in_(people))
    listing = page_of(query.order_by(PersonRow.name, PersonRow.employee_no), asked.page)
    shown = [row.id for row in listing.rows]
    found = figures.tallies([span], shown, difficulty=weights, channel=asked.channel, kind=asked.kind)
    rows = [Row(row.name, _cells(found, [row.id]), row.id, row.employee_no) for row in listing.rows]
    return Listing(rows, listing.number, listing.total, listing.per_page)


def _cells(found: Mapping[int, Sequence[Tally]], people: Collection[int]) -> dict[Indicator, Cell]:
    return cells(together(found[one][0] for one in people if one in found))


def _teams(asked: Asked, people: Collection[int] | None, span: Span, weights: Weights) -> list[Row]:
    """Teams by who leads them now."""
    found = figures.tallies([span], people, difficulty=weights, channel=asked.channel, kind=asked.kind)
    query = select(PersonRow.id, PersonRow.supervisor_id)
    led: dict[int | None, list[int]] = {}
    for person, supervisor in db.session.execute(query):
        if person in found:
            led.setdefault(supervisor, []).append(person)
    names = directory.by_ids(one for one in led if one is not None)
    rows = [Row(names[one].name if one in names else "", _cells(found, team), one) for one, team in led.items()]
    return sorted(rows, key=lambda row: row.name)


def choices(actor: Actor, spans: Sequence[Span]) -> Choices:
    """Channels and kinds that occur in the spans; teams for HR alone. One query, for HR two."""
    seen = (TicketRow.closed_on.between(spans[0][0], spans[-1][1]), TicketRow.system != TicketSystem.LIST)
    pairs = db.session.execute(select(TicketRow.channel, TicketRow.kind).where(*seen).distinct()).all()
    teams: dict[int, str] = {}
    if Role.HR in actor.roles:
        leading = select(PersonRow.supervisor_id).where(PersonRow.supervisor_id.is_not(None))
        query = select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(leading)).order_by(PersonRow.name)
        teams = {row.id: row.name for row in db.session.execute(query)}
    return Choices(teams, sorted({row.channel for row in pairs}), sorted({row.kind for row in pairs}))


def read_asked(args: Mapping[str, Any], today: date, by: By = By.PERSON) -> Asked:
    """What the address asks for; whatever cannot be read is left out, because a filter is no form to be refused."""
    return Asked(
        until=_day(args.get("until")) or today,
        step=Step(args["step"]) if args.get("step") in set(Step) else Step.MONTHS,
        by=By(args["by"]) if args.get("by") in set(By) else by,
        team=_number(args.get("team")),
        channel=args.get("channel") or None,
        kind=args.get("kind") or None,
        page=_number(args.get("page")) or 1,
    )


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else None


def _day(text: Any) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None
