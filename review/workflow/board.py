"""HR's live board of a running cycle in a constant number of queries. Peers appear once: rounded, daily, as a whole."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from review.customer_survey.figures import Rate, response_rate
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.calendar import is_working_day, local_day
from review.infra.db import db
from review.infra.organisation import Organisation
from review.infra.outbox import LetterRow, LetterState
from review.people.tables import DepartmentRow, PersonRow
from review.responses.progress import rating_progress, self_progress
from review.workflow.tables import PeerProgressRow


def percent(part: int, whole: int) -> int:
    """Whole percent, rounded down: 100 means all."""
    return 100 * part // whole if whole else 0


@dataclass(slots=True)
class Share:
    """So many of so many."""

    done: int = 0
    all: int = 0

    @property
    def percent(self) -> int:
        return percent(self.done, self.all)

    @property
    def missing(self) -> int:
        return self.all - self.done


@dataclass(slots=True)
class Group:
    """A department's signed sources. Peers are never told by group: a small one would show who has not cast."""

    name: str | None
    supervisors: Counter[str] = field(default_factory=Counter)
    selfs: Share = field(default_factory=Share)
    ratings: Share = field(default_factory=Share)

    @property
    def names(self) -> list[str]:
        """Its supervisors, whoever answers for most people first."""
        return [name for name, _people in self.supervisors.most_common()]


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something HR may want to act on: what, whom it concerns by name, and how many results it touches."""

    key: str
    count: int
    people: int
    names: tuple[str, ...] = ()

    @property
    def is_urgent(self) -> bool:
        return self.key in {"supervisors_idle", "no_supervisor"}


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the page shows while answers come in."""

    reviewed: int
    selfs: Share
    ratings: Share
    supervisors: int
    idle_supervisors: int
    peers: int | None
    without_peers: int
    customers: Rate
    groups: tuple[Group, ...]
    blockers: tuple[Blocker, ...]


def board_of(cycle: CycleRow) -> Board:
    """Eight queries, whatever the size of the company."""
    boss, second = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(ReviewRow.id, DepartmentRow.name, boss.id, boss.name, second.id, second.name, ReviewRow.without_peers)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .outerjoin(boss, boss.id == ReviewRow.supervisor_id)
        .outerjoin(second, second.id == ReviewRow.second_rater_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
    )
    selfs, ratings = self_progress(cycle.id), rating_progress(cycle.id)
    groups: dict[str | None, Group] = {}
    owed, names, filed = Counter[int](), dict[int, str](), Counter[int]()
    lost = without_peers = 0
    for review, department, supervisor, supervisor_name, other, other_name, without in db.session.execute(query):
        group = groups.setdefault(department, Group(department))
        group.selfs.all += 1
        group.selfs.done += review in selfs
        without_peers += without
        if supervisor is None:
            lost += 1
            group.ratings.all += 1
        else:
            group.supervisors[supervisor_name] += 1
        for rater, name in ((supervisor, supervisor_name), (other, other_name)):
            if rater is not None:
                names[rater] = name
                owed[rater] += 1
                filed[rater] += (review, rater) in ratings
                group.ratings.all += 1
                group.ratings.done += (review, rater) in ratings
    idle = sorted((who for who in owed if not filed[who]), key=lambda who: (-owed[who], names[who]))
    rate = response_rate(cycle.id)
    peers, letters = _peers_and_failed_letters(cycle)
    return Board(
        reviewed=sum(group.selfs.all for group in groups.values()),
        selfs=_sum([group.selfs for group in groups.values()]),
        ratings=_sum([group.ratings for group in groups.values()]),
        supervisors=len(owed),
        idle_supervisors=len(idle),
        peers=peers,
        without_peers=without_peers,
        customers=rate,
        groups=tuple(sorted(groups.values(), key=lambda group: (group.ratings.percent, group.name or ""))),
        blockers=_blockers(rate, letters, lost, tuple(names[who] for who in idle), sum(owed[who] for who in idle)),
    )


LOST = (LetterState.FAILED, LetterState.BOUNCED)


def _sum(shares: list[Share]) -> Share:
    return Share(sum(share.done for share in shares), sum(share.all for share in shares))


def _peers_and_failed_letters(cycle: CycleRow) -> tuple[int | None, int]:
    """The newest progress of the peers, and how many letters since the opening could not be delivered; one query."""
    newest = select(PeerProgressRow.percent).where(PeerProgressRow.cycle_id == cycle.id)
    newest = newest.order_by(PeerProgressRow.day.desc()).limit(1)
    failed = (
        select(func.count())
        .select_from(LetterRow)
        .where(LetterRow.state.in_(LOST), LetterRow.send_after >= cycle.opens_at)
    )
    percent, letters = db.session.execute(select(newest.scalar_subquery(), failed.scalar_subquery())).one()
    return percent, letters


def _blockers(rate: Rate, letters: int, lost: int, idle: tuple[str, ...], touched: int) -> tuple[Blocker, ...]:
    """What holds results up, most people first."""
    found = [
        Blocker("supervisors_idle", len(idle), touched, idle),
        Blocker("no_supervisor", lost, lost),
        Blocker("few_customers", rate.reviewed - rate.reached, rate.reviewed - rate.reached),
        Blocker("letters_failed", letters, letters),
    ]
    urgent_first = sorted(found, key=lambda blocker: (not blocker.is_urgent, -blocker.people))
    return tuple(blocker for blocker in urgent_first if blocker.count)


def working_days(cycle: CycleRow, now: datetime, ours: Organisation) -> tuple[int, int]:
    """Which working day of the collecting this is, and how many there are."""
    today = local_day(now, ours.zone).toordinal()
    first, last = (local_day(at, ours.zone).toordinal() for at in (cycle.opens_at, cycle.closes_at))
    days = [day for day in range(first, last + 1) if is_working_day(date.fromordinal(day), ours.holidays)]
    return sum(day <= today for day in days), len(days)
