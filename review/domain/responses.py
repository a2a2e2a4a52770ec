"""What the four sources say, as values. A Ballot has no author and no time; Evidence knows peers only as cells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from review.domain.disclosure import Cell, publish_cell
from review.domain.reading import Reader, place
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import STAR_POINTS, Level, Source

Answers = Mapping[str, Level | None]  # criterion key -> level; None: cannot judge. An absent key is None too.


@dataclass(frozen=True, slots=True)
class Statement:
    """The guided self-statement (述职): evidence before adjectives."""

    overview: str = ""
    figures: str = ""
    problems: str = ""
    measures: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class SelfReview:
    """The employee's own levels and statement: a reference, never counted."""

    answers: Answers
    statement: Statement


@dataclass(frozen=True, slots=True)
class SupervisorRating:
    """One official rating: every criterion has a level; comments by criterion, and one overall."""

    answers: Answers
    comments: Mapping[str, str]
    overall: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one peer says about one review. Nobody can tell from it who said so, or when."""

    review_id: int
    answers: Answers
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CustomerAnswer:
    """What one customer answers: 1 to 5 stars a criterion (None: cannot judge) and overall, and their wishes.

    `contact` is how they want to be reached; it is kept only beside the wish.
    """

    stars: Mapping[str, int | None]
    overall: int
    comment: str = ""
    wants_contact: bool = False
    withhold_ticket: bool = False
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sum of points and number of ratings of one source on one criterion."""

    total: int
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a score may know about one review. `customers` are points (five stars are 100), summed by criterion."""

    self: tuple[Answers, ...] = ()
    supervisor: tuple[Answers, ...] = ()
    peers: tuple[Cell, ...] = ()
    customers: Mapping[str, Tally] = field(default_factory=dict)


def tally_stars(answers: Iterable[Mapping[str, int | None]]) -> dict[str, Tally]:
    """Customers' stars by criterion, as sums of points and counts."""
    totals: dict[str, int] = {}
    counts: dict[str, int] = {}
    for answer in answers:
        for key, stars in answer.items():
            if stars is not None:
                totals[key] = totals.get(key, 0) + stars * STAR_POINTS
                counts[key] = counts.get(key, 0) + 1
    return {key: Tally(totals[key], counts[key]) for key in totals}


def cells_of(scheme: Scheme, ballots: Iterable[Answers], panel_size: int) -> tuple[Cell, ...]:
    """The cells of one review: the only form in which peers' answers leave the count."""
    points: dict[str, list[int]] = {criterion.key: [] for criterion in scheme.asked_of(Source.PEERS)}
    worth = {rule.level: rule.points for rule in scheme.levels}
    for answers in ballots:
        for key, given in points.items():
            level = answers.get(key)
            if level is not None:
                given.append(worth[level])
    minimum = scheme.minimums[Source.PEERS]
    return tuple(publish_cell(key, given, minimum, panel_size, scheme.peer_step) for key, given in points.items())


def read_answers(scheme: Scheme, source: Source, data: object, where: str = "", *, complete: bool = False) -> Answers:
    """Levels by criterion out of plain data. Raises Invalid for what `source` is not asked or what is no level.

    `complete`: every criterion asked of the source must have a level (the supervisor may not pass).
    """
    reader = Reader()
    answers = collect_answers(reader, scheme, source, data, where)
    if complete:
        for criterion in scheme.asked_of(source):
            if answers.get(criterion.key) is None:
                reader.note("level_missing", place(where, criterion.key), criterion=criterion.key)
    reader.finish()
    return answers


def collect_answers(reader: Reader, scheme: Scheme, source: Source, data: object, where: str) -> Answers:
    """The answers in `data`; unknown criteria, unasked ones and unknown levels are noted in `reader`."""
    raw = reader.mapping(data, where, (), [criterion.key for criterion in scheme.criteria])
    answers: dict[str, Level | None] = {}
    for criterion in scheme.criteria:
        value, spot = raw.get(criterion.key), place(where, criterion.key)
        if value is None:
            continue
        if not criterion.is_asked_of(source):
            reader.note("not_asked", spot, source=source.value)
            continue
        answers[criterion.key] = reader.choice(value, spot, Level)
    return answers


def collect_stars(reader: Reader, scheme: Scheme, data: object, where: str) -> dict[str, int | None]:
    """Customers' stars in `data` (whole, 1 to 5), under the same rules as `collect_answers`."""
    raw = reader.mapping(data, where, (), [criterion.key for criterion in scheme.criteria])
    stars: dict[str, int | None] = {}
    for criterion in scheme.criteria:
        value, spot = raw.get(criterion.key), place(where, criterion.key)
        if value is None:
            continue
        if not criterion.is_asked_of(Source.CUSTOMERS):
            reader.note("not_asked", spot, source=Source.CUSTOMERS.value)
            continue
        stars[criterion.key] = reader.whole(value, spot, 1, 5)
    return stars
