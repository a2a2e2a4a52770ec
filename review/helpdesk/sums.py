"""The two statements that add up tickets in the database: those of one agent, and those that several handled.

They add integers only. Rows come by person, by the span in which a ticket was opened, and by that of its last
solution, so that one pass over the tickets is enough for every indicator and every span.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import lcm
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, exists, func, literal, or_, select

from review.domain.calendar import settled
from review.domain.indicators import Span
from review.domain.records import Csat, TicketStatus, TicketSystem
from review.helpdesk.tables import ShareRow, TicketRow
from review.infra import organisation
from review.infra.db import db

CHUNK = 5000  # more people than this are picked from the answer instead of being listed in the statement
HUNDRED = 100  # difficulty is stored in hundredths
ANSWERS = (Csat.GOOD, Csat.NEUTRAL, Csat.BAD)


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums of one person's tickets that were opened in span `opened` and solved in span `closed`, all over `of`.

    -1 is before all spans; `closed` one past the last is later than all of them, or not yet.
    """

    person: int
    kind: str
    opened: int
    closed: int
    of: int
    sums: Mapping[str, int]


def counted(
    spans: Sequence[Span],
    people: Collection[int] | None,
    difficulty: Mapping[str, Fraction],
    *,
    by_kind: bool = False,
    channel: str | None = None,
    kind: str | None = None,
    is_whole: bool = False,
) -> Iterator[Counted]:
    """All sums, in no particular order. Three queries with the one for the organisation's zone.

    `weight` is in units of 1/`scale_of(difficulty)`. With `is_whole` everybody's tickets add up as person 0. Raises
    ValueError for spans that do not follow each other day on day, and where more than CHUNK people are to add up.
    """
    _require_row_of(spans)
    if is_whole and people is not None and len(people) > CHUNK:
        raise ValueError("so many people only one by one, or everybody")
    scale = scale_of(difficulty)
    midnights = _midnights(spans)
    # No name of a column: PostgreSQL would group by that column, whatever stands under the name in the answer.
    columns = [(TicketRow.kind if by_kind else literal("")).label("told_kind"), *_buckets(spans, midnights)]
    conditions = [*_within(spans, midnights[-1]), *_chosen(channel, kind)]
    for who, statement in (_of_one_agent(columns, difficulty, scale), _of_several(columns, difficulty, scale)):
        is_listed = people is not None and len(people) <= CHUNK
        about = [*conditions, who.in_(sorted(people))] if people is not None and is_listed else conditions
        person = (literal(0) if is_whole else who).label("person")
        query = statement.add_columns(person).where(*about).group_by(*([] if is_whole else ["person"]))
        for row in db.session.execute(query):
            if people is None or is_listed or row.person in people:
                yield _counted(row)


def _require_row_of(spans: Sequence[Span]) -> None:
    days = [day for first, last in spans for day in (first, last + timedelta(days=1))]
    if not spans or days[1:-1:2] != days[2::2] or any(last < first for first, last in spans):
        raise ValueError("spans follow each other day on day")


def scale_of(difficulty: Mapping[str, Fraction]) -> int:
    """What every weight is a whole number of parts of."""
    return lcm(HUNDRED, *(weight.denominator for weight in difficulty.values()))


def _counted(row: Any) -> Counted:
    sums = {name: int(value) for name, value in row._mapping.items() if value and name not in _KEYS}
    return Counted(row.person, row.told_kind, row.opened, row.closed, int(row.of), sums)


_KEYS = frozenset({"person", "told_kind", "opened", "closed", "of"})


# ---- which tickets, and when ----------------------------------------------------------------------------------------


def _midnights(spans: Sequence[Span]) -> list[datetime]:
    """Where each span begins and, last, where the last one ends, in the organisation's zone. One query."""
    zone = organisation.current().zone
    days = [spans[0][0], *(last + timedelta(days=1) for _, last in spans)]
    return [settled(day, time(0), zone) for day in days]


def _is_solved(first: date, last: date) -> ColumnElement[bool]:
    return and_(TicketRow.status == TicketStatus.SOLVED, TicketRow.closed_on.between(first, last))


def _buckets(spans: Sequence[Span], starts: Sequence[datetime]) -> tuple[Any, Any]:
    """The span of opening (that of solution where opening is not told) and the span of solution."""
    solved = [(_is_solved(*span), literal(at)) for at, span in enumerate(spans)]
    closed = case(*solved, else_=literal(len(spans)))
    by_day = [(TicketRow.opened_at < start, literal(at - 1)) for at, start in enumerate(starts)]
    opened = case((TicketRow.opened_at.is_(None), closed), *by_day, else_=literal(len(spans)))
    return opened.label("opened"), closed.label("closed")


def _within(spans: Sequence[Span], end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Tickets of a ticket system that were in hand on some day of the spans.

    Of a case without a day of opening that is known only for those solved in one; a case that was solved on nobody
    knows which day belongs nowhere.
    """
    first, last = spans[0][0], spans[-1][1]
    has_day_or_is_open = or_(TicketRow.closed_on.is_not(None), TicketRow.status == TicketStatus.OPEN)
    return (
        TicketRow.system != TicketSystem.LIST,
        or_(TicketRow.closed_on >= first, TicketRow.closed_on.is_(None)),
        or_(TicketRow.opened_at < end, _is_solved(first, last)),
        has_day_or_is_open,
    )


def _chosen(channel: str | None, kind: str | None) -> list[ColumnElement[bool]]:
    wanted = ((TicketRow.channel, channel), (TicketRow.kind, kind))
    return [column == value for column, value in wanted if value is not None]


# ---- the two statements ---------------------------------------------------------------------------------------------


Asked = tuple[Any, Select[Any]]  # the column that says whose they are, and the statement that is to group by it


def _of_one_agent(columns: Sequence[Any], difficulty: Mapping[str, Fraction], scale: int) -> Asked:
    """Tickets without shares, all for their agent."""
    query = select(literal(1).label("of"), *columns, *_sums(None, difficulty, scale))
    alone = TicketRow.agent_id.is_not(None), ~exists().where(ShareRow.ticket_id == TicketRow.id)
    return TicketRow.agent_id, query.where(*alone).group_by(*(column.name for column in columns))


def _of_several(columns: Sequence[Any], difficulty: Mapping[str, Fraction], scale: int) -> Asked:
    """Shared tickets for each who has a share: sums of `parts`, to be divided by `of`, the ticket's parts in all."""
    in_all = select(ShareRow.ticket_id, func.sum(ShareRow.parts).label("of")).group_by(ShareRow.ticket_id).subquery()
    sums = _sums(cast(ShareRow.parts, BigInteger), difficulty, scale)
    query = select(in_all.c.of.label("of"), *columns, *sums)
    joined = query.join_from(ShareRow, in_all, in_all.c.ticket_id == ShareRow.ticket_id)
    joined = joined.join(TicketRow, TicketRow.id == ShareRow.ticket_id)
    return ShareRow.person_id, joined.group_by("of", *(column.name for column in columns))


def _sums(parts: Any, difficulty: Mapping[str, Fraction], scale: int) -> list[Any]:
    """The sums by name: of an amount, or of the parts of those tickets for which a condition holds."""

    def amount(name: str, value: Any) -> Any:
        return func.sum(value if parts is None else value * parts).label(name)

    def where(name: str, condition: Any) -> Any:
        return func.sum(case((condition, literal(1) if parts is None else parts))).label(name)

    first_response = func.coalesce(TicketRow.first_response_business, TicketRow.first_response)
    wait = func.coalesce(TicketRow.customer_wait_business, TicketRow.customer_wait)
    resolution = func.coalesce(TicketRow.resolution_business, TicketRow.resolution)
    told = or_(TicketRow.reopens.is_not(None), TicketRow.replies.is_not(None))
    never_again, one_reply = func.coalesce(TicketRow.reopens, 0) == 0, func.coalesce(TicketRow.replies, 0) <= 1
    answered = TicketRow.csat.in_(ANSWERS)
    return [
        func.sum(literal(1) if parts is None else parts).label("tickets"),
        amount("weight", _weight(difficulty, scale)),
        amount("first_response", first_response),
        where("first_response_told", first_response.is_not(None)),
        amount("customer_wait", wait),
        where("customer_wait_told", wait.is_not(None)),
        amount("resolution", resolution),
        where("resolution_told", resolution.is_not(None)),
        where("first_contact", and_(told, never_again, one_reply)),
        where("contacts_told", told),
        where("reopened", TicketRow.reopens > 0),
        where("reopens_told", TicketRow.reopens.is_not(None)),
        where("complaints", TicketRow.is_complaint.is_(True)),
        where("complaints_told", TicketRow.is_complaint.is_not(None)),
        where("good", TicketRow.csat == Csat.GOOD),
        where("not_good", TicketRow.csat.in_((Csat.NEUTRAL, Csat.BAD))),
        where("answered", answered),
        where("asked", or_(answered, TicketRow.csat == Csat.OFFERED)),
        amount("points", TicketRow.csat_points),
        where("points_told", TicketRow.csat_points.is_not(None)),
    ]


def _weight(difficulty: Mapping[str, Fraction], scale: int) -> Any:
    """A ticket's weight in units of 1/scale: its own, else that of its kind, else 1."""
    own = cast(TicketRow.difficulty, BigInteger) * (scale // HUNDRED)
    kinds = [(TicketRow.kind == kind, literal(int(weight * scale))) for kind, weight in sorted(difficulty.items())]
    return func.coalesce(own, case(*kinds, else_=literal(scale)) if kinds else literal(scale))
