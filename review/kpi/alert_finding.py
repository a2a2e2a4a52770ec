"""Looks for alerts: in the tickets of the months before, and in the surveys of a cycle that is about to close.

Reads only. What was found is written down by `alerts.keep`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import select

from review.domain.alerts import FALLS, AlertKind, Asked, Finding, is_falling, is_low, is_short, time_over
from review.domain.indicators import RESPONSE_GOAL, Part, Span, Tally, months_back, together
from review.domain.indicators import measured as figure_of
from review.domain.records import Indicator, Measured
from review.domain.rounding import half_up
from review.helpdesk import figures
from review.infra.db import db
from review.kpi.board_figures import amount, one_place
from review.kpi.board_targets import Aims, aims_of
from review.people.directory import here_on
from review.people.tables import PersonRow


def in_tickets(today: date) -> list[Finding]:
    """Alerts about the last whole month before `today`. A constant number of queries."""
    spans = months_back(today.replace(day=1) - timedelta(days=1), FALLS + 1)
    found = figures.tallies(spans)
    leads = _leads(today)
    everybody = together(own[-1] for own in found.values())
    aims = aims_of(found.keys())
    findings: list[Finding] = []
    for person in sorted(found):
        if person in leads:
            findings += _about(person, found[person], spans, everybody, aims.get(person, {}))
    return [*findings, *_teams({who: own[-1] for who, own in found.items()}, leads, spans[-1])]


def _leads(today: date) -> dict[int, int | None]:
    """Everybody who works here with who leads them. One query."""
    rows = db.session.execute(select(PersonRow.id, PersonRow.supervisor_id).where(here_on(today)))
    return {person: supervisor for person, supervisor in rows}  # noqa: C416  Row objects, not pairs


def _about(person: int, own: Sequence[Tally], spans: Sequence[Span], everybody: Tally, aims: Aims) -> Iterable[Finding]:
    months = [_of(tally, Indicator.SATISFACTION) for tally in own]
    if is_falling(months):
        told = [
            {
                "month": span[0].isoformat(),
                "percent": one_place(month.value or Fraction(0)),
                "count": amount(month.count),
            }
            for span, month in zip(spans, months, strict=True)
        ]
        yield Finding(AlertKind.FALLING_SATISFACTION, person, spans[0][0], spans[-1][1], {"months": told})
    time = _of(own[-1], Indicator.RESOLUTION_TIME)
    _target, limit = aims.get(Indicator.RESOLUTION_TIME, (None, None))
    over = time_over(time, limit, _of(everybody, Indicator.RESOLUTION_TIME))
    if over is not None and time.value is not None:
        facts = {"seconds": _whole(time.value), "limit": _whole(over), "is_set": limit is not None}
        yield Finding(AlertKind.SLOW_HANDLING, person, *spans[-1], {**facts, "count": amount(time.count)})


def _of(tally: Tally, indicator: Indicator) -> Measured:
    return figure_of(indicator, tally.parts.get(indicator, Part()))


def _whole(value: Fraction) -> int:
    return half_up(value.numerator, value.denominator, 0)


def _teams(last: Mapping[int, Tally], leads: Mapping[int, int | None], span: Span) -> Iterable[Finding]:
    rates: dict[int, Part] = {}
    for person, tally in last.items():
        if (supervisor := leads.get(person)) is not None:
            rates[supervisor] = rates.get(supervisor, Part()) + tally.surveys
    for supervisor, part in sorted(rates.items()):
        yield from _low(supervisor, part, span, None)


def _low(supervisor: int, part: Part, span: Span, cycle: str | None) -> Iterable[Finding]:
    rate = Tally({}, part).response_rate
    if is_low(rate) and rate.value is not None:
        facts = {"percent": one_place(rate.value), "count": amount(rate.count), "goal": int(RESPONSE_GOAL)}
        yield Finding(AlertKind.LOW_RESPONSE, supervisor, *span, facts | ({"cycle": cycle} if cycle else {}))


def in_surveys(cycle: str, period: Span, closes_on: date, asked: Sequence[Asked]) -> list[Finding]:
    """Alerts about a cycle that closes soon; nothing where its customers were never asked."""
    if not any(one.offered for one in asked):
        return []
    findings = [
        Finding(
            AlertKind.FEW_ANSWERS,
            one.person,
            *period,
            {
                "cycle": cycle,
                "answered": one.answered,
                "offered": one.offered,
                "minimum": one.minimum,
                "closes": closes_on.isoformat(),
            },
        )
        for one in asked
        if is_short(one)
    ]
    rates: dict[int, Part] = {}
    for one in asked:
        if one.team is not None:
            rates[one.team] = rates.get(one.team, Part()) + Part(Fraction(one.answered), Fraction(one.offered))
    for supervisor, part in sorted(rates.items()):
        findings += _low(supervisor, part, period, cycle)
    return findings
