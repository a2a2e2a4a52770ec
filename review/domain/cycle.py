"""The life of a cycle as one table: which move leads from which stage to which, and what each move needs.

Pure: the caller gathers the facts and stores the stage; nothing here knows of clocks, rows or people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from review.domain.refusals import Invalid, NotYet, Problem, Taken


class Stage(StrEnum):
    """Where a cycle stands."""

    DRAFT = "draft"
    NOMINATING = "nominating"
    COLLECTING = "collecting"
    COUNTING = "counting"
    FINALISING = "finalising"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What may be done to a cycle as a whole."""

    OPEN_NOMINATIONS = "open_nominations"
    LAUNCH = "launch"
    CLOSE = "close"
    FINISH_COUNT = "finish_count"
    PUBLISH = "publish"
    ARCHIVE = "archive"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about a cycle at the moment of a move.

    A yes-or-no fact that nobody gathered is no. A count that nobody gathered (None) is a mistake of the program:
    the need that asks for it raises LookupError rather than guess.
    """

    reviewed_count: int | None = None
    people_without_supervisor: int | None = None
    two_ratings_asked: bool = False  # the scheme wants a rating beside that of the supervisor
    second_raters_missing: int | None = None  # 0 where one rating is enough
    scheme_published: bool = False
    dates_valid: bool = False
    plan_current: bool = False  # the peer plan HR looked at is the one that would be seated now
    peer_shortages: int | None = None  # people who would go without peer rating
    peer_shortages_confirmed: bool = False
    seal_ready: bool = False  # the key that seals the ballots is made, and whoever keeps a share of it has it
    shares_untaken: int | None = None  # of the three of a cycle with trustees
    ticket_keys_ready: bool = False  # every review has the key that signs its tickets, or none is needed
    deadline_passed: bool = False
    close_asked_by_hr: bool = False
    count_verified: bool = False
    keys_destroyed: bool = False
    unfinalised_count: int | None = None
    withheld_unexplained: int | None = None  # results without a score for which nobody wrote down why
    looks_missing: int | None = None  # results near a cut that no second person has confirmed
    open_sheets: int | None = None  # KPI sheets on which a figure or somebody's decision is missing
    open_appeals: int | None = None
    reason_given: bool = False  # why a cycle is cancelled, for the ledger


def someone_is_reviewed(facts: Facts) -> bool:
    return _known(facts, "reviewed_count") > 0


def everyone_has_a_supervisor(facts: Facts) -> bool:
    return _known(facts, "people_without_supervisor") == 0


def everyone_has_a_second_rater(facts: Facts) -> bool:
    return _known(facts, "second_raters_missing") == 0


def scheme_is_published(facts: Facts) -> bool:
    return facts.scheme_published


def dates_make_sense(facts: Facts) -> bool:
    return facts.dates_valid


def plan_is_current(facts: Facts) -> bool:
    return facts.plan_current


def shortages_are_confirmed(facts: Facts) -> bool:
    return facts.peer_shortages_confirmed or _known(facts, "peer_shortages") == 0


def seal_is_ready(facts: Facts) -> bool:
    return facts.seal_ready


def ticket_keys_are_ready(facts: Facts) -> bool:
    return facts.ticket_keys_ready


def time_is_up_or_hr_asked(facts: Facts) -> bool:
    return facts.deadline_passed or facts.close_asked_by_hr


def count_is_verified(facts: Facts) -> bool:
    return facts.count_verified


def keys_are_destroyed(facts: Facts) -> bool:
    return facts.keys_destroyed


def everyone_is_finalised(facts: Facts) -> bool:
    return _known(facts, "unfinalised_count") == 0


def everything_withheld_is_explained(facts: Facts) -> bool:
    return _known(facts, "withheld_unexplained") == 0


def everything_near_a_cut_is_confirmed(facts: Facts) -> bool:
    return _known(facts, "looks_missing") == 0


def every_sheet_is_complete(facts: Facts) -> bool:
    return _known(facts, "open_sheets") == 0


def no_appeal_is_open(facts: Facts) -> bool:
    return _known(facts, "open_appeals") == 0


def a_reason_is_given(facts: Facts) -> bool:
    return facts.reason_given


@dataclass(frozen=True, slots=True)
class Need:
    """Something a move asks for; `code` is said when it is unmet, `count` names the fact its words mention."""

    code: str
    met: Callable[[Facts], bool]
    count: str | None = None

    def problem(self, facts: Facts) -> Problem:
        """What to say when the need is unmet."""
        return Problem(self.code, params={"count": getattr(facts, self.count)} if self.count else {})


@dataclass(frozen=True, slots=True)
class Path:
    """Where a move leads, and everything that must hold before it."""

    to_stage: Stage
    needs: tuple[Need, ...]


_REVIEWED = Need("cycle:nobody_reviewed", someone_is_reviewed)
_SCHEME = Need("cycle:scheme_not_published", scheme_is_published)
_DATES = Need("cycle:dates_invalid", dates_make_sense)
_SUPERVISORS = Need("cycle:people_without_supervisor", everyone_has_a_supervisor, "people_without_supervisor")
_SECOND = Need("cycle:second_raters_missing", everyone_has_a_second_rater, "second_raters_missing")
_PLAN = Need("cycle:plan_outdated", plan_is_current)
_SHORTAGES = Need("cycle:peer_shortages_unconfirmed", shortages_are_confirmed, "peer_shortages")
_TRUSTEES = Need("cycle:trustees_missing", seal_is_ready, "shares_untaken")
_TICKETS = Need("cycle:ticket_keys_missing", ticket_keys_are_ready)
_TIME = Need("cycle:deadline_not_passed", time_is_up_or_hr_asked)
_COUNTED = Need("cycle:count_not_verified", count_is_verified)
_DESTROYED = Need("cycle:keys_not_destroyed", keys_are_destroyed)
_FINALISED = Need("cycle:unfinalised", everyone_is_finalised, "unfinalised_count")
_EXPLAINED = Need("cycle:withheld_unexplained", everything_withheld_is_explained, "withheld_unexplained")
_LOOKED_AT = Need("cycle:second_looks_missing", everything_near_a_cut_is_confirmed, "looks_missing")
_SHEETS = Need("cycle:sheets_open", every_sheet_is_complete, "open_sheets")
_APPEALS = Need("cycle:appeals_open", no_appeal_is_open, "open_appeals")
_REASON = Need("cycle:reason_missing", a_reason_is_given)

_TO_NOMINATE = (_REVIEWED, _SCHEME, _DATES)
_TO_LAUNCH = (_REVIEWED, _SCHEME, _DATES, _SUPERVISORS, _SECOND, _PLAN, _SHORTAGES, _TRUSTEES, _TICKETS)

# Cancelling is missing from `counting` on purpose: a count under way either ends or is resumed, because
# between the stored figures and the destroyed keys there is no state in which "uncounted" would be true.
MOVES: Mapping[tuple[Stage, Move], Path] = MappingProxyType(
    {
        (Stage.DRAFT, Move.OPEN_NOMINATIONS): Path(Stage.NOMINATING, _TO_NOMINATE),
        (Stage.DRAFT, Move.LAUNCH): Path(Stage.COLLECTING, _TO_LAUNCH),
        (Stage.NOMINATING, Move.LAUNCH): Path(Stage.COLLECTING, _TO_LAUNCH),
        (Stage.COLLECTING, Move.CLOSE): Path(Stage.COUNTING, (_TIME,)),
        (Stage.COUNTING, Move.FINISH_COUNT): Path(Stage.FINALISING, (_COUNTED, _DESTROYED)),
        (Stage.FINALISING, Move.PUBLISH): Path(Stage.PUBLISHED, (_SHEETS, _FINALISED, _EXPLAINED, _LOOKED_AT)),
        (Stage.PUBLISHED, Move.ARCHIVE): Path(Stage.ARCHIVED, (_APPEALS,)),
        (Stage.DRAFT, Move.CANCEL): Path(Stage.CANCELLED, (_REASON,)),
        (Stage.NOMINATING, Move.CANCEL): Path(Stage.CANCELLED, (_REASON,)),
        (Stage.COLLECTING, Move.CANCEL): Path(Stage.CANCELLED, (_REASON,)),
        (Stage.FINALISING, Move.CANCEL): Path(Stage.CANCELLED, (_REASON,)),
    }
)

_WAY = (
    Stage.DRAFT,
    Stage.NOMINATING,
    Stage.COLLECTING,
    Stage.COUNTING,
    Stage.FINALISING,
    Stage.PUBLISHED,
    Stage.ARCHIVED,
)
RUNNING = frozenset({Stage.NOMINATING, Stage.COLLECTING, Stage.COUNTING, Stage.FINALISING})
OVER = frozenset({Stage.ARCHIVED, Stage.CANCELLED})


def advance(stage: Stage, move: Move, facts: Facts) -> Stage:
    """The stage that `move` leads to; raises NotYet with every unmet need, Taken or Invalid without such a move.

    Taken: somebody made the move already or the cycle is over. Invalid: the move belongs to another stage.
    """
    path = MOVES.get((stage, move))
    if path is None:
        raise _no_such_move(stage, move)
    unmet = unmet_needs(stage, move, facts)
    if unmet:
        raise NotYet.of(unmet)
    return path.to_stage


def unmet_needs(stage: Stage, move: Move, facts: Facts) -> tuple[Problem, ...]:
    """What `move` still lacks, in the order in which HR works it off; empty when it may be made."""
    return tuple(need.problem(facts) for need, met in checklist(stage, move, facts) if not met)


def checklist(stage: Stage, move: Move, facts: Facts) -> tuple[tuple[Need, bool], ...]:
    """Every need of `move` with whether it is met, for the page that shows them before the button is pressed."""
    path = MOVES.get((stage, move))
    if path is None:
        raise _no_such_move(stage, move)
    return tuple((need, need.met(facts)) for need in path.needs)


def moves_from(stage: Stage) -> tuple[Move, ...]:
    """The moves that exist from `stage`, needs aside."""
    return tuple(move for move in Move if (stage, move) in MOVES)


def _no_such_move(stage: Stage, move: Move) -> Taken | Invalid:
    params = {"stage": stage.value, "move": move.value}
    if stage in OVER or _is_behind(stage, move):
        return Taken("cycle:already_moved", **params)
    return Invalid("cycle:no_such_move", **params)


def _is_behind(stage: Stage, move: Move) -> bool:
    targets = [path.to_stage for (_, made), path in MOVES.items() if made is move and path.to_stage in _WAY]
    return any(_WAY.index(stage) >= _WAY.index(target) for target in targets)


def _known(facts: Facts, name: str) -> int:
    count: int | None = getattr(facts, name)
    if count is None:
        raise LookupError(f"nobody gathered the fact {name!r}")
    return count
