"""Each person's indicators over spans of days, from their tickets and from figures that a system tells as a whole.

The statements stand in `sums.py`; here their integers become exact fractions. What counts where is said in
review.domain.indicators.DEFINITIONS and nowhere else.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import lcm

from sqlalchemy import select

from review.domain.indicators import Part, Span, Tally, Told, parts_told, together
from review.domain.records import Indicator, Measured, TicketSystem
from review.helpdesk.sums import CHUNK, Counted, counted, scale_of
from review.helpdesk.tables import FigureRow
from review.infra.db import db

NO_WEIGHTS: Mapping[str, Fraction] = {}
_KNOWN = frozenset(Indicator)


def of_period(
    first: date,
    last: date,
    people: Collection[int] | None = None,
    *,
    difficulty: Mapping[str, Fraction] = NO_WEIGHTS,
) -> dict[int, dict[Indicator, Measured]]:
    """Each person's indicators from `first` to `last`, both days of the organisation's zone included.

    `difficulty` weighs tickets by their kind where a ticket has no weight of its own. People and indicators about
    which nothing is known are left out. A constant number of queries, however many people and tickets.
    """
    found = tallies([(first, last)], people, difficulty=difficulty)
    return {person: figures for person, (tally,) in found.items() if (figures := tally.measured())}


def kinds_of_period(
    first: date,
    last: date,
    people: Collection[int] | None = None,
    *,
    difficulty: Mapping[str, Fraction] = NO_WEIGHTS,
) -> dict[int, dict[str, dict[Indicator, Measured]]]:
    """The same from tickets alone by their kind: `[person][kind][indicator]`. Its counts are the mix of kinds.

    Figures told as a whole know no kinds and are not among them.
    """
    found: dict[int, dict[str, dict[Indicator, Measured]]] = {}
    for (person, kind), (tally,) in _from_tickets([(first, last)], people, difficulty, by_kind=True).items():
        if figures := tally.measured():
            found.setdefault(person, {})[kind] = figures
    return found


def tallies(
    spans: Sequence[Span],
    people: Collection[int] | None = None,
    *,
    difficulty: Mapping[str, Fraction] = NO_WEIGHTS,
    channel: str | None = None,
    kind: str | None = None,
) -> dict[int, list[Tally]]:
    """Each person's sums, one for each of `spans`, of which each begins the day after the one before ended.

    With `channel` or `kind` only such tickets count, and no figures told as a whole: those know neither.
    """
    from_tickets = _from_tickets(spans, people, difficulty, channel=channel, kind=kind)
    found = {person: sums for (person, _), sums in from_tickets.items()}
    if channel is None and kind is None:
        for person, told in _told(spans, people).items():
            own = found.setdefault(person, [Tally({}) for _ in spans])
            parts = [parts_told(one for one in told if _lies_in(one, span)) for span in spans]
            found[person] = [together((mine, Tally(more))) for mine, more in zip(own, parts, strict=True)]
    return found


def sums_of_all(
    spans: Sequence[Span],
    people: Collection[int] | None = None,
    *,
    difficulty: Mapping[str, Fraction] = NO_WEIGHTS,
    channel: str | None = None,
    kind: str | None = None,
) -> list[Tally]:
    """What `tallies` gives of these people (None: everybody) added up in the database, one for each of `spans`."""
    from_tickets = _from_tickets(spans, people, difficulty, channel=channel, kind=kind, is_whole=True)
    found = from_tickets.get((0, ""), [Tally({}) for _ in spans])
    if channel is None and kind is None:
        for told in _told(spans, people).values():
            parts = [parts_told(one for one in told if _lies_in(one, span)) for span in spans]
            found = [together((all_, Tally(more))) for all_, more in zip(found, parts, strict=True)]
    return found


def kinds_of_all(
    span: Span,
    people: Collection[int] | None = None,
    *,
    difficulty: Mapping[str, Fraction] = NO_WEIGHTS,
    channel: str | None = None,
) -> dict[str, Tally]:
    """Sums of these people's tickets (None: everybody's) by kind, in the order of the kinds."""
    rows = _from_tickets([span], people, difficulty, by_kind=True, channel=channel, is_whole=True)
    return {kind: tally for (_, kind), (tally,) in sorted(rows.items())}


def _lies_in(told: Told, span: Span) -> bool:
    return span[0] <= told.first and told.last <= span[1]


def _ratio(row: FigureRow) -> tuple[int, int, bool]:
    return row.numerator, row.denominator, row.is_counted


def _told(spans: Sequence[Span], people: Collection[int] | None) -> dict[int, list[Told]]:
    """Figures told as a whole of each person, within the first and the last day of all spans. One query."""
    query = select(FigureRow).where(FigureRow.first_day >= spans[0][0], FigureRow.last_day <= spans[-1][1])
    query = query.where(FigureRow.system != TicketSystem.LIST, FigureRow.indicator.in_(_KNOWN))
    if people is not None and len(people) <= CHUNK:
        query = query.where(FigureRow.person_id.in_(sorted(people)))
    found: dict[int, list[Told]] = {}
    for row in db.session.scalars(query.order_by(FigureRow.id)):
        if people is None or row.person_id in people:
            indicator = Indicator(row.indicator)
            told = Told(row.system.value, indicator, row.first_day, row.last_day, *_ratio(row))
            found.setdefault(row.person_id, []).append(told)
    return found


# ---- tickets --------------------------------------------------------------------------------------------------------

# Sums of a ticket and what each is divided by, under the names that `sums.py` gives its columns.
_OF_SOLVED: dict[Indicator | None, tuple[str, str]] = {
    Indicator.VOLUME: ("weight", "tickets"),
    Indicator.FIRST_RESPONSE: ("first_response", "first_response_told"),
    Indicator.CUSTOMER_WAIT: ("customer_wait", "customer_wait_told"),
    Indicator.RESOLUTION_TIME: ("resolution", "resolution_told"),
    Indicator.FIRST_CONTACT_RESOLUTION: ("first_contact", "contacts_told"),
    Indicator.REOPEN_RATE: ("reopened", "reopens_told"),
    Indicator.BAD_RATE: ("not_good", "answered"),
    Indicator.SATISFACTION: ("good", "answered"),
    Indicator.CSAT_POINTS: ("points", "points_told"),
    None: ("answered", "asked"),  # the rate of response, which is no indicator of an agent
}
_OF_OPENED = {Indicator.COMPLAINT_RATE: ("complaints", "complaints_told")}


def _from_tickets(
    spans: Sequence[Span],
    people: Collection[int] | None,
    difficulty: Mapping[str, Fraction],
    *,
    by_kind: bool = False,
    channel: str | None = None,
    kind: str | None = None,
    is_whole: bool = False,
) -> dict[tuple[int, str], list[Tally]]:
    """Sums by person and kind, one for each span: what was solved in it, opened in it, in hand in it."""
    found: dict[tuple[int, str], list[_Heap]] = {}
    rows = counted(spans, people, difficulty, by_kind=by_kind, channel=channel, kind=kind, is_whole=is_whole)
    for row in rows:
        _put(found.setdefault((row.person, row.kind), [{} for _ in spans]), row)
    scale = scale_of(difficulty)
    return {key: [_tally(heap, scale) for heap in own] for key, own in found.items()}


# Whole sums and counts by what they are parts of, then by indicator: added as integers, divided once at the end.
_Heap = dict[int, dict[Indicator | None, list[int]]]


def _put(own: list[_Heap], row: Counted) -> None:
    if row.closed < len(own):
        heap = own[row.closed].setdefault(row.of, {})
        for indicator, (total, count) in _OF_SOLVED.items():
            _add(heap, indicator, row.sums.get(total, 0), row.sums.get(count, 0))
    opened = min(row.opened, row.closed)  # clocks that disagree: nothing is opened after it was solved
    if 0 <= opened < len(own):
        heap = own[opened].setdefault(row.of, {})
        for indicator, (total, count) in _OF_OPENED.items():
            _add(heap, indicator, row.sums.get(total, 0), row.sums.get(count, 0))
    tickets = row.sums["tickets"]
    for at in range(max(opened, 0), min(row.closed + 1, len(own))):
        heap = own[at].setdefault(row.of, {})
        _add(heap, Indicator.RESOLUTION_RATE, tickets if at == row.closed else 0, tickets)


def _add(heap: dict[Indicator | None, list[int]], indicator: Indicator | None, total: int, count: int) -> None:
    if count:
        pair = heap.setdefault(indicator, [0, 0])
        pair[0] += total
        pair[1] += count


def _tally(heap: _Heap, scale: int) -> Tally:
    """Everything over the one number that all the ticket's parts go into."""
    whole = lcm(*heap)
    sums: dict[Indicator | None, list[int]] = {}
    for of, pairs in heap.items():
        for indicator, (total, count) in pairs.items():
            _add(sums, indicator, total * (whole // of), count * (whole // of))
    parts = {
        indicator: Part(
            Fraction(total, whole * (scale if indicator is Indicator.VOLUME else 1)), Fraction(count, whole)
        )
        for indicator, (total, count) in sums.items()
        if indicator is not None
    }
    answered, asked = sums.get(None, (0, 0))
    return Tally(parts, Part(Fraction(answered, whole), Fraction(asked, whole)))
