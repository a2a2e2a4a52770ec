"""Plans who rates whom: enough raters for all, even loads, as few mutual reviews as can be, never along a line.

Greedy along the circle of candidates, Eulerian orientation, then repair by moving seats. Two people who rate each other
inflate each other's figures; in a closed team of m with k raters each, m*k - m(m-1)/2 such pairs are unavoidable for
m < 2k+1 and none for larger m (counting bound, attained).
"""

from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from review.domain.candidates import Candidates, Colleague, Company, Pair, Tie
from review.domain.canonical import digest
from review.domain.orientation import orient
from review.domain.plan import Dropped, Plan, Reason, Relations, Rules, Shortage
from review.domain.seating import Mutual, Seating


def assign(
    subjects: Collection[Colleague],
    raters: Collection[Colleague],
    *,
    seed: int,
    relations: Relations | None = None,
    rules: Rules | None = None,
) -> Plan:
    """The plan for reviewing `subjects` by `raters`; the same for the same input in any order and any process."""
    relations, rules = relations or Relations(), rules or Rules()
    company = Company(subjects, raters, seed)
    company.exclude(relations.excluded)
    candidates = Candidates(company, relations.weights, 3 * rules.asked)
    wanted = [rules.asked if is_subject else 0 for is_subject in company.is_subject]
    room = [rules.max_load if is_rater else 0 for is_rater in company.is_rater]
    seating = Seating(wanted, room, candidates.around)
    dropped = _keep_nominations(company, seating, relations.fixed)
    aim = _aim(company, wanted, rules)
    _spread(seating, candidates.pairs, aim)
    _repair(seating, candidates, aim)
    shortages = _shortages(company, seating, rules.minimum)
    below = [shortage for shortage in shortages if shortage.below_minimum]
    if below:
        dropped += _leave_out(company, seating, below)
        shortages = below + _shortages(company, seating, rules.minimum)
    _settle(seating, aim)
    return _plan(company, seating, candidates, _Outcome(shortages, dropped, rules, seed))


def _aim(company: Company, wanted: list[int], rules: Rules) -> int:
    """What a rater gives before others are busier: as much as people get, more only where raters are scarce."""
    fair = -(-sum(wanted) // max(1, sum(company.is_rater)))
    return min(rules.max_load, max(fair, rules.asked))


def _keep_nominations(company: Company, seating: Seating, fixed: Iterable[Pair]) -> list[Dropped]:
    dropped = []
    for rater_id, subject_id in sorted(set(fixed)):
        reason = _objection(company, seating, rater_id, subject_id)
        if reason:
            dropped.append(Dropped(rater_id, subject_id, reason.value))
        else:
            seat = company.number[rater_id], company.number[subject_id]
            seating.seat(*seat)
            seating.kept.add(seat)
    return dropped


def _objection(company: Company, seating: Seating, rater_id: int, subject_id: int) -> Reason | None:
    rater, subject = company.number.get(rater_id), company.number.get(subject_id)
    if rater is None or subject is None or rater == subject:
        return Reason.NOT_AVAILABLE
    checks = (
        (Reason.NOT_AVAILABLE, not (company.is_rater[rater] and company.is_subject[subject])),
        (Reason.MANAGEMENT_LINE, company.in_one_line(rater, subject)),
        (Reason.CONFLICTS, subject in company.conflicts[rater]),
        (Reason.ENOUGH_RATERS, seating.missing(subject) <= 0),
        (Reason.LOAD, not seating.has_room(rater)),
    )
    return next((reason for reason, holds in checks if holds), None)


def _spread(seating: Seating, pairs: Iterable[Pair], aim: int) -> None:
    """Takes the best pairs each once, up to what both still need to get and give, and directs them.

    A pair that may go either way counts half a seat to get and half a seat to give for both: the Eulerian orientation
    then keeps that promise exactly. Other pairs are directed as they are taken. Counts are doubled to stay whole.
    """
    gets = [2 * seating.missing(n) for n in range(len(seating.wanted))]
    gives = [2 * max(0, min(room, aim) - len(rated)) for room, rated in zip(seating.room, seating.rated, strict=True)]
    undirected = []
    for a, b in pairs:
        if b in seating.rated[a] or a in seating.rated[b]:
            continue
        if gets[a] > 0 and gets[b] > 0 and gives[a] > 0 and gives[b] > 0:
            undirected.append((a, b))
            for n in (a, b):
                gets[n] -= 1
                gives[n] -= 1
        else:
            _take(seating, gets, gives, (a, b))
    for rater, subject in orient(len(gets), undirected):
        seating.seat(rater, subject)


def _take(seating: Seating, gets: list[int], gives: list[int], pair: Pair) -> None:
    """Seats one of the two for the other, whichever way is needed more, if either is needed."""
    needs = [
        (gives[rater] + gets[subject], rater, subject)
        for rater, subject in (pair, pair[::-1])
        if gives[rater] > 1 and gets[subject] > 1
    ]
    if needs:
        _, rater, subject = max(needs)
        seating.seat(rater, subject)
        gives[rater] -= 2
        gets[subject] -= 2


def _repair(seating: Seating, candidates: Candidates, aim: int) -> None:
    """Fills what is missing: first without mutual pairs, then with less related people, then with the fewest mutual."""
    room = seating.room
    seating.room = [max(min(aim, most), len(rated)) for most, rated in zip(room, seating.rated, strict=True)]
    seating.fill(Mutual.NEVER)
    seating.room = room
    seating.fill(Mutual.NEVER)
    _reach_out(seating, candidates)
    seating.fill(Mutual.KEEP_PAIRS)
    seating.fill(Mutual.ANYTHING)


def _reach_out(seating: Seating, candidates: Candidates) -> None:
    """Seats whoever still has room, wherever in the company, for people whom nobody near can rate."""
    for subject in seating.short():
        free = [n for n, room in enumerate(seating.room) if room > len(seating.rated[n])]
        if not free:
            break
        start = bisect(free, subject)
        for rater in candidates.introduce(subject, free[start:] + free[:start], seating.missing(subject)):
            seating.seat(rater, subject)
    seating.fill(Mutual.NEVER)


def _leave_out(company: Company, seating: Seating, below: Iterable[Shortage]) -> list[Dropped]:
    """Nobody is asked to rate people whose figures could never be shown; their raters are free for others."""
    dropped = []
    for shortage in below:
        subject = company.number[shortage.person_id]
        seating.wanted[subject] = 0
        for rater in sorted(seating.raters[subject]):
            seating.unseat(rater, subject)
            if (rater, subject) in seating.kept:
                seating.kept.remove((rater, subject))
                rater_id = company.people[rater].person_id
                dropped.append(Dropped(rater_id, shortage.person_id, Reason.BELOW_MINIMUM.value))
    for mutual in Mutual:
        seating.fill(mutual)
    return dropped


def _settle(seating: Seating, aim: int) -> None:
    """Last touches that keep every count: pass seats from busy to idle, undo mutual pairs where others are free."""
    loads = [len(rated) for rated in seating.rated]
    for rater in sorted((n for n, load in enumerate(loads) if load > aim), key=lambda n: (-loads[n], n)):
        _hand_over(seating, rater)
    seating.part_mutual()


def _hand_over(seating: Seating, rater: int) -> None:
    for subject in sorted(seating.rated[rater]):
        if (rater, subject) in seating.kept:
            continue
        for other in seating.around[subject]:
            idle = seating.has_room(other) and len(seating.rated[other]) <= len(seating.rated[rater]) - 2
            if idle and other not in seating.raters[subject] and other not in seating.rated[subject]:
                seating.unseat(rater, subject)
                seating.seat(other, subject)
                break


def _shortages(company: Company, seating: Seating, minimum: int) -> list[Shortage]:
    raters = sum(company.is_rater)
    return [
        Shortage(
            person_id=company.people[n].person_id,
            got=len(seating.raters[n]),
            wanted=seating.wanted[n],
            reason_code=_reason(company, n, raters, seating.wanted[n]).value,
            below_minimum=len(seating.raters[n]) < minimum,
        )
        for n in seating.short()
    ]


def _reason(company: Company, n: int, raters: int, wanted: int) -> Reason:
    """The first obstacle that alone leaves too few people to choose from; otherwise all who could are busy."""
    left = raters - company.is_rater[n]
    line = {other for other in company.lines[n] | company.reports[n] if company.is_rater[other]}
    conflicts = {other for other in company.conflicts[n] if company.is_rater[other]} - line - {n}
    for reason, obstacle in (
        (Reason.TOO_FEW_COLLEAGUES, 0),
        (Reason.MANAGEMENT_LINE, len(line)),
        (Reason.CONFLICTS, len(conflicts)),
    ):
        left -= obstacle
        if left < wanted:
            return reason
    return Reason.LOAD


@dataclass(frozen=True, slots=True)
class _Outcome:
    shortages: list[Shortage]
    dropped: list[Dropped]
    rules: Rules
    seed: int


def _plan(company: Company, seating: Seating, candidates: Candidates, outcome: _Outcome) -> Plan:
    ids = [person.person_id for person in company.people]
    seats = tuple(sorted((ids[rater], ids[subject]) for rater, subject in seating.seats()))
    loads = {ids[n]: len(seating.rated[n]) for n in range(len(ids)) if company.is_rater[n]}
    shortages = tuple(sorted(outcome.shortages, key=lambda shortage: shortage.person_id))
    dropped = tuple(sorted(outcome.dropped, key=lambda lost: (lost.rater_id, lost.subject_id)))
    content = {
        "rules": asdict(outcome.rules),
        "seed": outcome.seed,
        "seats": seats,
        "shortages": [asdict(shortage) for shortage in shortages],
        "dropped": [asdict(lost) for lost in dropped],
    }
    return Plan(
        seats=seats,
        loads=dict(sorted(loads.items())),
        shortages=shortages,
        dropped=dropped,
        reciprocal_pairs=len(seating.mutual()),
        ties=_ties(seating, candidates),
        seed=outcome.seed,
        digest=digest(content),
    )


def _ties(seating: Seating, candidates: Candidates) -> dict[str, int]:
    found = Counter(
        Tie.NOMINATED if seat in seating.kept else candidates.ties[min(seat), max(seat)] for seat in seating.seats()
    )
    return {tie.value: found[tie] for tie in Tie if found[tie]}
