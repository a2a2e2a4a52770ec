"""Opens a cycle: the assignment HR saw is seated, the urn made, everybody told, in one main transaction."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import aliased

from review.ballots import service as ballots
from review.custody import service as custody
from review.customer_survey import jobs as customers
from review.cycles import changes, service
from review.cycles.service import dates_of, period_of
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import date_problems
from review.domain.cycle import Facts, Move, Need, checklist, unmet_needs
from review.domain.plan import Plan
from review.domain.refusals import Invalid, NotYet, Problem, Taken
from review.domain.vocabulary import Custody, Protection
from review.infra import audit, organisation, outbox
from review.infra.db import db
from review.infra.jobs import Job
from review.kpi import opening as sheets
from review.peer_review import service as peer_review
from review.people.tables import PersonRow
from review.schemes.tables import SchemeRow, SchemeState
from review.tickets import service as tickets
from review.workflow import asking, plan, second_raters
from review.workflow.tables import ScheduleRow

KIND = "workflow:launch"
OPENING = "workflow:opening"
STEPS = 6
BOSS = aliased(PersonRow)


def key_of(cycle_id: int) -> str:
    return f"launch:{cycle_id}"


def ask(cycle: CycleRow, *, by: int | None, now: datetime) -> None:
    """Launch as soon as the worker gets to it. Raises NotYet with every need that can be told without the plan."""
    _require_ready(cycle, now)
    unschedule(cycle)
    asking.ask(KIND, key_of(cycle.id), {"cycle_id": cycle.id, "by": by}, now)


def schedule(cycle: CycleRow, *, by: int, now: datetime) -> None:
    """Launch by itself at the opening time. The needs are checked now and again then."""
    _require_ready(cycle, now)
    db.session.merge(ScheduleRow(cycle_id=cycle.id, asked_by=by, asked_at=now))
    audit.record("workflow:launch:scheduled", f"cycle:{cycle.id}", by=by, at=now, opens_at=cycle.opens_at.isoformat())


def unschedule(cycle: CycleRow) -> None:
    db.session.execute(delete(ScheduleRow).where(ScheduleRow.cycle_id == cycle.id))


def _require_ready(cycle: CycleRow, now: datetime) -> None:
    if cycle.stage not in changes.BEFORE_LAUNCH:
        raise Taken("cycle:already_moved", stage=cycle.stage.value, move=Move.LAUNCH.value)
    unmet = unmet_needs(cycle.stage, Move.LAUNCH, facts_of(cycle, now))
    if unmet:
        raise NotYet.of(unmet)


def facts_of(cycle: CycleRow, now: datetime, computed: Plan | None = None) -> Facts:
    """What is known before a launch; without `computed` the stored figures stand for the plan. Five queries."""
    stored = plan.of(cycle.id)
    digest = computed.digest if computed else stored.digest if stored else None
    missing = (
        sum(short.below_minimum for short in computed.shortages)
        if computed
        else len(stored.without_peers)
        if stored
        else 0
    )
    reviewed, lost = _people(cycle, now)
    scheme = db.session.get_one(SchemeRow, cycle.scheme_id)
    two_asked = second_raters.are_asked(cycle)
    alone = second_raters.without(cycle, plan.first_day(cycle, now)) if two_asked else []
    untaken = custody.untaken(cycle)
    return Facts(
        reviewed_count=reviewed,
        people_without_supervisor=lost,
        two_ratings_asked=two_asked,
        second_raters_missing=len(alone),
        scheme_published=scheme.state is SchemeState.OPEN,
        dates_valid=not problems_of_dates(cycle, now),
        plan_current=digest is not None and digest == cycle.plan_digest,
        peer_shortages=missing,
        peer_shortages_confirmed=cycle.plan_confirmed,
        seal_ready=not untaken,
        shares_untaken=untaken,
        ticket_keys_ready=tickets.is_ready(cycle),
    )


def problems_of_dates(cycle: CycleRow, now: datetime) -> tuple[Problem, ...]:
    return date_problems(dates_of(cycle), period_of(cycle), organisation.current().zone, now)


def _led(cycle: CycleRow, now: datetime, *columns: Any) -> Any:
    """The reviewed people who will still be here, each with the supervisor who will still be here."""
    day = plan.first_day(cycle, now)
    is_here = (BOSS.left_on.is_(None)) | (BOSS.left_on >= day)
    return (
        select(*columns)
        .select_from(ReviewRow)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(BOSS, (BOSS.id == PersonRow.supervisor_id) & is_here)
        .where(
            ReviewRow.cycle_id == cycle.id,
            ReviewRow.withdrawn_at.is_(None),
            (PersonRow.left_on.is_(None)) | (PersonRow.left_on >= day),
        )
    )


def _people(cycle: CycleRow, now: datetime) -> tuple[int, int]:
    """How many are reviewed, and how many of them have nobody to answer for their result."""
    reviewed, led = db.session.execute(_led(cycle, now, func.count(), func.count(BOSS.id))).one()
    return reviewed, reviewed - led


def without_supervisor(cycle: CycleRow, now: datetime, most: int) -> list[tuple[int, str]]:
    """Up to `most` people who need a supervisor before the launch: (person id, name)."""
    query = _led(cycle, now, PersonRow.id, PersonRow.name).where(BOSS.id.is_(None)).order_by(PersonRow.name)
    return [tuple(row) for row in db.session.execute(query.limit(most))]


def needs(cycle: CycleRow, facts: Facts) -> tuple[tuple[Need, bool], ...]:
    """Every need of the launch with whether it is met; none once the cycle has been launched."""
    if cycle.stage not in changes.BEFORE_LAUNCH:
        return ()
    needed, left_out = checklist(cycle.stage, Move.LAUNCH, facts), _not_asked_of(cycle, facts)
    return tuple(one for one in needed if one[0].code not in left_out)


def _not_asked_of(cycle: CycleRow, facts: Facts) -> set[str]:
    """Needs that every cycle of its kind meets, so that no list speaks of trustees or tickets where there are none."""
    trustees = set() if cycle.custody is Custody.TRUSTEES else {"cycle:trustees_missing"}
    trustees |= set() if facts.two_ratings_asked else {"cycle:second_raters_missing"}
    return trustees | (set() if cycle.protection is Protection.MAXIMUM else {"cycle:ticket_keys_missing"})


def do_launch(job: Job) -> None:
    """The job. One that is repeated after the cycle was launched does nothing."""
    cycle = db.session.get(CycleRow, int(job.payload["cycle_id"]))
    if cycle is None:
        raise Invalid("cycles:no_such_cycle")
    if cycle.stage in changes.BEFORE_LAUNCH:
        run(cycle, by=job.payload.get("by"), now=job.now, report=job.report)


def run(cycle: CycleRow, *, by: int | None, now: datetime, report: plan.Report = lambda _d, _t, _s: None) -> None:
    """Launch in the caller's transaction. Raises NotYet with every unmet need, and then nothing has happened."""
    report(0, STEPS, "gather")
    changes.withdraw_leavers(cycle.id, plan.first_day(cycle, now), now=now)
    service.refresh_lines(cycle)
    second_raters.settle(cycle, plan.first_day(cycle, now), now=now)
    report(1, STEPS, "assign")
    computed = plan.compute(cycle, now)
    service.move(cycle.id, Move.LAUNCH, facts_of(cycle, now, computed), by=by, now=now)
    db.session.refresh(cycle)
    changes.open_now(cycle, by=by, now=now)
    unschedule(cycle)
    report(2, STEPS, "seat")
    changes.mark_without_peers(cycle.id, _without_peers(cycle, computed))
    peer_review.seat_all(cycle, computed)
    sheets.open_for(cycle, now)
    report(3, STEPS, "urn")
    ballots.open_urn(cycle.id)
    fingerprint = tickets.freeze(cycle, by=by, now=now)
    report(4, STEPS, "letters")
    outbox.put_all(_letters(cycle, computed, fingerprint, now))
    report(5, STEPS, "invitations")
    customers.ask_for(customers.INVITE, cycle.id, now)


def _without_peers(cycle: CycleRow, computed: Plan) -> set[int]:
    """Whoever has no seat at all, for whatever reason."""
    seated = {subject for _rater, subject in computed.seats}
    everyone = select(ReviewRow.subject_id).where(ReviewRow.cycle_id == cycle.id)
    return set(db.session.scalars(everyone)) - seated


@dataclass(slots=True)
class Owed:
    """What one person is asked for in a cycle."""

    is_reviewed: bool = False
    peers: int = 0
    ratings: int = 0


def owed_at_start(cycle: CycleRow, computed: Plan) -> dict[int, Owed]:
    """Everybody who takes part, by person id."""
    owed: dict[int, Owed] = {}
    reviews = select(ReviewRow.subject_id, ReviewRow.supervisor_id, ReviewRow.second_rater_id)
    living = reviews.where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    for subject, *raters in db.session.execute(living):
        owed.setdefault(subject, Owed()).is_reviewed = True
        for rater in raters:
            if rater is not None:
                owed.setdefault(rater, Owed()).ratings += 1
    for rater, seats in Counter(rater for rater, _subject in computed.seats).items():
        owed.setdefault(rater, Owed()).peers = seats
    return owed


def _letters(cycle: CycleRow, computed: Plan, fingerprint: str | None, now: datetime) -> Iterator[dict[str, Any]]:
    owed = owed_at_start(cycle, computed)
    people = select(PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.locale)
    for person, name, email, locale in db.session.execute(people.where(PersonRow.email.is_not(None))):
        if person in owed:
            mine = owed[person]
            params = {
                "name": name,
                "cycle": cycle.name,
                "self": mine.is_reviewed,
                "peers": mine.peers,
                "ratings": mine.ratings,
                "self_due_at": cycle.self_due_at.isoformat(),
                "closes_at": cycle.closes_at.isoformat(),
                "fingerprint": fingerprint,
            }
            yield outbox.letter(OPENING, f"cycle:{cycle.id}", str(email), locale, params, now=now)
