"""Makes cycles for tests as HR and the clock would leave them: created and chosen by the service, then set to a stage.

    cycle_id = make_cycle(cast)                                  # collecting now, the whole cast reviewed
    cycle_id = make_cycle(cast, stage=Stage.FINALISING)          # everything is in, results are being decided
    cycle_id = make_cycle(cast, quarters_ago=2, name="Q4 2025", stage=Stage.PUBLISHED)
    review = review_of(cycle_id, cast["ada"])                    # the id of Ada's review

Dates stand around `NOW` (2026-04-01 08:00 UTC): opened two days before, self-reviews due in 6 days, closing in 12,
final in 16, published on day 21. Call inside an application context; the caller commits.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from review.cycles import service
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import CycleDates
from review.domain.cycle import Stage
from review.domain.period import Period, PeriodKind, period_containing
from review.infra.db import db
from review.schemes.service import install_default
from tests.make import NOW, Cast, Somebody

ZONE = ZoneInfo("Asia/Shanghai")
OPENED = NOW - timedelta(days=2)
SELF_DUE = NOW + timedelta(days=6)
CLOSES = NOW + timedelta(days=12)
FINAL = NOW + timedelta(days=16)


def make_cycle(
    cast: Cast,
    stage: Stage = Stage.COLLECTING,
    *,
    name: str = "Q1 2026",
    quarters_ago: int = 1,
    who: Iterable[Somebody] | None = None,
    scheme_id: int | None = None,
    opens_at: datetime | None = None,
) -> int:
    """The id of a cycle in `stage` over the quarter that lies `quarters_ago` before NOW's; reviews `who` or all of
    `cast` that have a supervisor. `opens_at` in the future makes a launched cycle that has not opened yet."""
    shift = timedelta(days=91 * (quarters_ago - 1))
    opens = opens_at or OPENED - shift
    dates = CycleDates(opens, SELF_DUE - shift, None, CLOSES - shift, FINAL - shift, (FINAL - shift).date() + DAYS_5)
    scheme = scheme_id or install_default(NOW).id
    plan = service.CyclePlan(name=name, period=_quarter(quarters_ago), scheme_id=scheme, dates=dates)
    cycle = service.create(plan, ZONE, by=None, now=NOW)
    reviewed = [person for person in cast.values() if person.name not in WITHOUT_SUPERVISOR] if who is None else who
    service.choose(cycle, [person.id for person in reviewed])
    db.session.flush()
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle.id).values(stage=stage))
    db.session.refresh(cycle)
    return cycle.id


DAYS_5 = timedelta(days=5)
WITHOUT_SUPERVISOR = ("Lou", "Max")


def _quarter(ago: int) -> Period:
    day = NOW.date()
    for _ in range(ago):
        day = period_containing(PeriodKind.QUARTERLY, day).start - timedelta(days=1)
    return period_containing(PeriodKind.QUARTERLY, day)


def review_of(cycle_id: int, person: Somebody) -> int:
    """The id of this person's review in the cycle."""
    found = db.session.scalar(
        select(ReviewRow.id).where(ReviewRow.cycle_id == cycle_id, ReviewRow.subject_id == person.id)
    )
    assert found is not None, f"{person.name} is not reviewed in cycle {cycle_id}"
    return found


def reviews_of(cycle_id: int) -> dict[int, int]:
    """Every review of the cycle: subject's id -> review's id."""
    query = select(ReviewRow.subject_id, ReviewRow.id).where(ReviewRow.cycle_id == cycle_id)
    return dict(db.session.execute(query).all())


def set_stage(cycle_id: int, stage: Stage) -> None:
    """Put a cycle into a stage past all needs of a move: for tests of what a stage allows."""
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(stage=stage))


def set_dates(cycle_id: int, **dates: datetime | date) -> None:
    """Overwrite dates of a cycle: for tests of deadlines through the browser, whose clock is the real one."""
    db.session.execute(update(CycleRow).where(CycleRow.id == cycle_id).values(**dates))
