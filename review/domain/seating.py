"""Who is seated to rate whom while a plan is being made, and the search that frees a rater by moving others.

People are numbers here (see candidates.Company). A seat is (rater, subject). Kept seats are never moved.
"""

from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum

from review.domain.candidates import Pair

_ENOUGH_SEARCHED = 400  # people looked at in one search before it counts as failed
_PATIENCE = 30_000  # people looked at in one round before only near ones are tried: bounds hopeless large cases
_NEAR = 12


class Mutual(Enum):
    """What a search may do about pairs who rate each other."""

    NEVER = "never"
    KEEP_PAIRS = "keep_pairs"  # may make one, but leaves no used pair unused: their number stays the least possible
    ANYTHING = "anything"  # fills every seat that can be filled at all, in companies of some thousands exactly


@dataclass(frozen=True, slots=True)
class _Step:
    """`rater` leaves `left` for `taken` (or, turned round, `taken` stops rating `rater`, who rates them instead)."""

    taken: int
    rater: int
    left: int


class Seating:
    """The seats so far: `wanted` raters for each person, and how many people each may rate (`room`)."""

    def __init__(self, wanted: list[int], room: list[int], around: list[list[int]]) -> None:
        self.wanted = wanted
        self.room = room
        self.around = around
        self.raters: list[set[int]] = [set() for _ in wanted]
        self.rated: list[set[int]] = [set() for _ in wanted]
        self.kept: set[Pair] = set()

    def seat(self, rater: int, subject: int) -> None:
        self.raters[subject].add(rater)
        self.rated[rater].add(subject)

    def unseat(self, rater: int, subject: int) -> None:
        self.raters[subject].remove(rater)
        self.rated[rater].remove(subject)

    def missing(self, subject: int) -> int:
        return self.wanted[subject] - len(self.raters[subject])

    def has_room(self, rater: int) -> bool:
        return len(self.rated[rater]) < self.room[rater]

    def short(self) -> list[int]:
        """People with fewer raters than wanted, those with the fewest candidates first."""
        return sorted((n for n in range(len(self.wanted)) if self.missing(n) > 0), key=lambda n: len(self.around[n]))

    def seats(self) -> list[Pair]:
        return [(rater, subject) for rater, subjects in enumerate(self.rated) for subject in sorted(subjects)]

    def mutual(self) -> list[Pair]:
        """Pairs who rate each other, each once."""
        return [(a, b) for a, b in self.seats() if a < b and a in self.rated[b]]

    def fill(self, mutual: Mutual, within: list[int] | None = None) -> None:
        """Finds raters for everyone short (or those of `within`), moving other seats where that frees somebody."""
        round_ = _Round(self, mutual)
        spare = sum(self.room) - sum(map(len, self.rated))
        for subject in self.short() if within is None else within:
            while spare > 0 and self.missing(subject) > 0 and round_.find_rater(subject):
                spare -= 1

    def part_mutual(self) -> None:
        """Gives one of each mutual pair another rater, as long as that leaves fewer mutual pairs than before."""
        round_ = _Round(self, Mutual.NEVER)
        while sum(self._part(round_, a, b) or self._part(round_, b, a) for a, b in self.mutual()):
            continue

    def _part(self, round_: "_Round", rater: int, subject: int) -> bool:
        if not self._is_mutual(rater, subject) or (rater, subject) in self.kept:
            return False
        self.unseat(rater, subject)
        found = round_.find_rater(subject)
        if not found:
            self.seat(rater, subject)
        round_.hopeless.clear()
        return found

    def _is_mutual(self, a: int, b: int) -> bool:
        return a in self.rated[b] and b in self.rated[a]


class _Round:
    """One round of searches under one rule: breadth first along "X could take this seat if Y took X's"."""

    def __init__(self, seating: Seating, mutual: Mutual) -> None:
        self.seating = seating
        self.mutual = mutual
        self.hopeless: set[int] = set()
        self.searched = 0

    def find_rater(self, subject: int) -> bool:
        """Seats one more rater for `subject`; what was searched in vain to the end is not searched again."""
        if subject in self.hopeless:
            return False
        came: dict[int, _Step | None] = {subject: None}
        queue = deque([subject])
        limit = self._limit()
        while queue and len(came) <= limit:
            self.searched += 1
            if self._try(queue.popleft(), came, queue):
                return True
        if not queue:
            self.hopeless.update(came)
        return False

    def _limit(self) -> int:
        if self.searched >= _PATIENCE:
            return _NEAR
        return _PATIENCE if self.mutual is Mutual.ANYTHING else _ENOUGH_SEARCHED

    def _try(self, subject: int, came: dict[int, _Step | None], queue: deque[int]) -> bool:
        """Seats a free rater for `subject`, or queues the people whose rater or seat they could take over."""
        seating = self.seating
        raters, rated_by_subject = seating.raters[subject], seating.rated[subject]
        for rater in seating.around[subject]:
            if rater in raters or seating.room[rater] == 0:
                continue
            if self.mutual is Mutual.NEVER and rater in rated_by_subject:
                self._turn(subject, rater, came, queue)
                continue
            if seating.has_room(rater):
                if self._apply(came, subject, rater):
                    return True
                continue
            for left in sorted(seating.rated[rater]):
                if left not in came and self._may_leave(rater, left):
                    came[left] = _Step(subject, rater, left)
                    queue.append(left)
        return False

    def _turn(self, subject: int, rater: int, came: dict[int, _Step | None], queue: deque[int]) -> None:
        """`subject` rates `rater`; turned round, `rater` needs somebody else instead."""
        if rater not in came and (subject, rater) not in self.seating.kept and self.seating.has_room(rater):
            came[rater] = _Step(subject, rater, rater)
            queue.append(rater)

    def _may_leave(self, rater: int, left: int) -> bool:
        if (rater, left) in self.seating.kept:
            return False
        return self.mutual is not Mutual.KEEP_PAIRS or left in self.seating.raters[rater]

    def _apply(self, came: dict[int, _Step | None], last: int, rater: int) -> bool:
        """Makes the moves that lead to `last`; False, changing nothing, when together they break a rule."""
        drops: list[Pair] = []
        adds = [(rater, last)]
        step = came[last]
        while step is not None:
            drops.append((step.taken, step.rater) if step.left == step.rater else (step.rater, step.left))
            adds.append((step.rater, step.taken))
            step = came[step.taken]
        if not self._is_sound(drops, adds):
            return False
        for pair in drops:
            self.seating.unseat(*pair)
        for pair in adds:
            self.seating.seat(*pair)
        return True

    def _is_sound(self, drops: list[Pair], adds: list[Pair]) -> bool:
        seating = self.seating
        change = Counter(rater for rater, _ in adds)
        change.subtract(rater for rater, _ in drops)
        if any(len(seating.rated[n]) + more > seating.room[n] for n, more in change.items() if more > 0):
            return False
        gone, made = set(drops), set(adds)
        for rater, subject in adds:
            if rater in seating.raters[subject] and (rater, subject) not in gone:
                return False
            back = (subject, rater)
            stays = rater in seating.rated[subject] and back not in gone
            if self.mutual is Mutual.NEVER and (stays or back in made):
                return False
        return True
