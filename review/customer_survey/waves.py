"""One sending: who is drawn, looked at before it runs, and written in one transaction that can happen only once."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select

from review.customer_survey import plans
from review.customer_survey.asking import INVITATION, letters_to, require_running
from review.customer_survey.candidates import Field, asked_already, field_of
from review.customer_survey.links import PORTION, link_token
from review.customer_survey.tables import InvitationRow, WaveRow
from review.cycles.service import period_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import local_day
from review.domain.strata import Stratum, pace
from review.domain.survey_plan import Mode, Suppressed, SurveyPlan, Wave, list_wave
from review.domain.survey_sample import Candidate, choose, sample
from review.infra import organisation, outbox
from review.infra.db import db
from review.infra.tokens import digest
from review.people.tables import PersonRow

Report = Callable[[int, int, str], None]


class Short(StrEnum):
    """Why somebody gets fewer invitations than they need."""

    NO_TICKETS = "no_tickets"
    SUPPRESSED = "suppressed"  # there are tickets enough, but too many may not be asked about
    FEW_TICKETS = "few_tickets"


@dataclass(frozen=True, slots=True)
class Need:
    """One person in a wave: tickets of its days, invitations before it, those it adds, and the number wanted by then.

    `short` says why `already + asked` stays below `wanted`; None where it does not.
    """

    person_id: int
    name: str
    tickets: int
    already: int
    asked: int
    wanted: int
    short: Short | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One stratum of a wave: all its tickets, those that may be asked about, and those drawn."""

    stratum: Stratum
    tickets: int
    candidates: int
    drawn: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a wave would do, before anything is written."""

    wave: Wave
    field: Field
    drawn: tuple[Candidate, ...]
    needs: tuple[Need, ...]
    cells: tuple[Cell, ...]
    minimum: int
    quota: int

    @property
    def suppressed(self) -> Mapping[Suppressed, int]:
        return {reason: self.field.suppressed[reason] for reason in Suppressed if self.field.suppressed[reason]}

    @property
    def short(self) -> tuple[Need, ...]:
        return tuple(need for need in self.needs if need.short is not None)

    @property
    def tickets(self) -> int:
        return sum(cell.tickets for cell in self.cells)

    @property
    def with_email(self) -> int:
        return sum(self.field.rows[each.ticket_id].email is not None for each in self.drawn)


def prepare(cycle: CycleRow, plan: SurveyPlan, wave: Wave, seed: int, now: datetime) -> Prepared:
    """Draw the wave as it would go out at `now`. Nine queries."""
    field = field_of(cycle, plan, wave, max(now, cycle.opens_at))
    already = asked_already(cycle.id)
    minimum = plans.minimum_of(cycle)
    quota = plan.quota(minimum)
    wanted = pace(quota, wave.part)
    people = dict(_people(cycle.id))
    if plan.everybody:
        drawn = choose(field.candidates, seed, already)
    else:
        drawn = sample(field.candidates, seed, {one: wanted - already.get(one, 0) for one in people}, already)
    asked, able = (Counter(each.agent_id for each in some) for some in (drawn, field.candidates))
    needs = []
    for one, name in people.items():
        tickets = sum(field.population.get(one, {}).values())
        need = Need(one, name, tickets, already.get(one, 0), asked[one], wanted, None)
        needs.append(replace(need, short=_short(need, able[one], field.suppressed_of[one])))
    needs.sort(key=lambda need: (need.short is None, need.already + need.asked, need.name))
    return Prepared(wave, field, tuple(drawn), tuple(needs), _cells(field, drawn), minimum, quota)


def _people(cycle_id: int) -> list[tuple[int, str]]:
    living = select(PersonRow.id, PersonRow.name).join(ReviewRow, ReviewRow.subject_id == PersonRow.id)
    rows = db.session.execute(living.where(ReviewRow.cycle_id == cycle_id, ReviewRow.withdrawn_at.is_(None)))
    return [(person, name) for person, name in rows]


def _short(need: Need, able: int, suppressed: int) -> Short | None:
    """Why a need stays open, where `able` tickets may be asked about and `suppressed` may not."""
    if need.already + need.asked >= need.wanted:
        return None
    if not need.tickets:
        return Short.NO_TICKETS
    would_do = suppressed and need.already + able + suppressed >= need.wanted
    return Short.SUPPRESSED if would_do else Short.FEW_TICKETS


def _cells(field: Field, drawn: list[Candidate]) -> tuple[Cell, ...]:
    population: Counter[Stratum] = Counter()
    for counts in field.population.values():
        population.update(counts)
    candidates, chosen = (Counter(each.stratum for each in some) for some in (field.candidates, drawn))
    order = sorted(population, key=lambda key: (-population[key], key))
    return tuple(Cell(key, population[key], candidates[key], chosen[key]) for key in order)


def preview(cycle: CycleRow, plan: SurveyPlan, seed: int | None, now: datetime) -> Prepared | None:
    """The next wave as it would go out now; None where no wave is left. Writes nothing.

    Before the first plan there is no seed: the draw is then shown by seed 0, and its numbers are the same.
    """
    wave = next_list_wave(cycle, now) if plan.mode is Mode.LIST else plans.next_wave(cycle, plan, now)
    return None if wave is None else prepare(cycle, plan, wave, seed or 0, now)


def next_list_wave(cycle: CycleRow, now: datetime) -> Wave:
    count = select(func.count()).select_from(WaveRow).where(WaveRow.cycle_id == cycle.id)
    number = (db.session.scalar(count) or 0) + 1
    return list_wave(period_of(cycle), number, local_day(now, organisation.current().zone))


def queue_invitations(cycle: CycleRow, now: datetime, report: Report = lambda _done, _total, _step: None) -> int:
    """Send the list's next wave: everybody who may be asked (or the sample of them), once; how many were asked.

    A repeat asks only about tickets that came in since. Raises NotYet before the launch, TooLate after the close.
    """
    require_running(cycle, now)
    plans.lock(cycle.id, now)
    return _send(cycle, plans.plan_of(cycle.id), next_list_wave(cycle, now), now, report)


def run(cycle: CycleRow, key: str, now: datetime, report: Report = lambda _done, _total, _step: None) -> int:
    """Send the wave of that key, once: a repeat, and a wave the plan no longer knows, ask nobody.

    Raises NotYet before the launch, TooLate after the close.
    """
    require_running(cycle, now)
    plans.lock(cycle.id, now)
    plan = plans.plan_of(cycle.id)
    wave = plans.wave_named(cycle, plan, key, now)
    ran = select(WaveRow.id).where(WaveRow.cycle_id == cycle.id, WaveRow.key == key)
    if wave is None or plans.due_at(cycle, wave) > now or db.session.scalar(ran) is not None:
        return 0
    return _send(cycle, plan, wave, now, report)


def _send(cycle: CycleRow, plan: SurveyPlan, wave: Wave, now: datetime, report: Report) -> int:
    """Write the wave, its invitations and letters in the caller's transaction; the caller holds the plans' lock."""
    starts, seed = max(now, cycle.opens_at), plans.seed_of(cycle.id)
    assert seed is not None, "the plan was locked, so it is there"
    report(0, 0, "choose")
    ready = prepare(cycle, plan, wave, seed, now)
    chosen = [ready.field.rows[each.ticket_id] for each in ready.drawn]
    if plan.mode is Mode.LIST and not chosen:
        return 0  # a button pressed once more is no sending
    row = WaveRow(cycle_id=cycle.id, key=wave.key, first_day=wave.first, last_day=wave.last, ran_at=now)
    row.candidates, row.asked, row.short = len(ready.field.candidates), len(chosen), len(ready.short)
    row.suppressed = {reason.value: count for reason, count in ready.suppressed.items()}
    db.session.add(row)
    db.session.flush()
    expires = min(cycle.closes_at, starts + timedelta(days=plan.valid_days))
    values = {"cycle_id": cycle.id, "wave_id": row.id, "generation": 1, "invited_at": starts, "expires_at": expires}
    for start in range(0, len(chosen), PORTION):
        portion = chosen[start : start + PORTION]
        db.session.execute(insert(InvitationRow.__table__), [_invitation(each, values) for each in portion])
        outbox.put_all(letters_to(INVITATION, cycle.id, portion, starts))
        report(start + len(portion), len(chosen), "write")
    return len(chosen)


def _invitation(row: Any, values: dict[str, Any]) -> dict[str, Any]:
    return {
        **values,
        "review_id": row.review_id,
        "ticket_id": row.id,
        "customer_id": row.customer_id,
        "token_hash": digest(link_token(values["cycle_id"], row.customer_id, 1)),
        "reopens_then": row.reopens or 0,
    }
