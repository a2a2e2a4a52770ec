"""Random cycles through the real pipeline, and an attacker who reads all that is published of them.

The attacker knows the rule, how many answered each question, and the ballots of nobody, of one rater or of two. For
each question they try every way the others can have answered and keep those that lead to the very same bytes; of the
rest of the cycle they are even told the truth. An answer is certain where one way is left and all others gave the
same: ballots carry no name. Nothing here knows how figures are stepped or hidden; it only compares what comes out.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement
from types import SimpleNamespace
from typing import Any

from review.domain import peer_figures, peer_words, responses, scoring, suppression
from review.domain.disclosure import Shown, Withheld
from review.domain.responses import Answers, Evidence, Tally
from review.domain.scheme import Scheme, with_overrides
from review.domain.vocabulary import Level, Source
from review.reports import result_page
from review.results import freezing, working
from review.schemes.library import builtin
from tests.adversary.rows import leaks_of

Published = Callable[["Review"], bytes]
LEVELS = tuple(reversed(Level))  # from 40 points up
PRIORS = ((5, 15, 50, 30), (5, 20, 45, 30), (3, 12, 45, 40), (25, 25, 25, 25))
WORDS = ("Quick and kind.", "Explains well.", "Late twice.", "Always there.", "Could listen more.")


@dataclass(frozen=True)
class Review:
    """One review with everything that goes into it, as nobody outside a test ever sees it together."""

    number: int
    scheme: Scheme
    ballots: tuple[Answers, ...]
    words: tuple[str, ...]
    panel: int
    supervisor: Answers
    customers: dict[str, Tally]
    is_natural: bool  # everybody answered by a prior, nobody's answers were arranged


@dataclass(frozen=True)
class Cycle:
    """Reviews and the departments they are in: team and supervisor by review."""

    reviews: tuple[Review, ...]
    parents: dict[int, int | None]
    teams: dict[int, int]
    bosses: dict[int, int | None] = field(default_factory=dict)


def asked(scheme: Scheme) -> list[str]:
    return [criterion.key for criterion in scheme.asked_of(Source.PEERS)]


@cache
def scheme_of(minimum: int, peers_from: int | None) -> Scheme:
    scheme = with_overrides(builtin(), {"minimums": {"peers": minimum}})
    return replace(scheme, comments=replace(scheme.comments, peers_from=peers_from))


# ---- the pipeline ---------------------------------------------------------------------------------------------------


def cells_of(review: Review) -> Any:
    return responses.cells_of(review.scheme, review.ballots, review.panel)


def publish(review: Review) -> bytes:
    """All that is published about one review: the frozen body, the working as lines, and every chart's data."""
    evidence = Evidence(supervisor=(review.supervisor,), peers=cells_of(review), customers=review.customers)
    card = scoring.score(review.scheme, evidence)
    ballots = len(review.ballots)
    words = peer_words.comments_of(review.scheme, review.number, review.words, ballots, review.panel)
    grade = card.grade.value if card.grade else None
    body = {
        "cycle": {"name": "Q", "kind": "quarterly", "period_start": "2026-01-01"},
        "decision": {"computed": grade, "final": grade, "at": "2026-04-20T00:00:00+00:00"},
        **freezing.told_by_sources(review.scheme, working.working_of(card), {}, words),
    }
    page = result_page.result_page(SimpleNamespace(body=body, score=card.score), [], review.scheme)
    shown = {
        "body": body,
        "ledger": repr(page.ledger),
        "distance": (page.distance, page.above_cut, str(page.next_grade)),
        "sources": result_page.radar_sources(page),
        "criteria": result_page.radar_criteria(page, "en"),
        "gaps": result_page.gap_rows(page, "en"),
    }
    return json.dumps(shown, sort_keys=True, default=str).encode()


def members_of(cycle: Cycle, criterion: str) -> list[suppression.Member]:
    found = []
    for review in cycle.reviews:
        figure = next(cell.figure for cell in cells_of(review) if cell.criterion == criterion)
        if isinstance(figure, Shown):
            where = cycle.teams[review.number], cycle.bosses[review.number]
            found.append(suppression.Member(review.number, *where, Fraction(figure.points, figure.over)))
    return found


def publish_cycle(cycle: Cycle, published: Published = publish) -> bytes:
    """All that is published of a cycle: every review, the team tables, how far peers agree."""
    scheme = cycle.reviews[0].scheme
    teams = {key: suppression.team_figures(cycle.parents, members_of(cycle, key)) for key in asked(scheme)}
    said = {review.number: review.ballots for review in cycle.reviews}
    cells = {review.number: cells_of(review) for review in cycle.reviews}
    agreement = peer_figures.cycle_figures(scheme, said, cells)
    parts = [published(review) for review in cycle.reviews]
    return b"\n".join([*parts, repr(teams).encode(), repr(agreement).encode()])


# ---- the attacker ---------------------------------------------------------------------------------------------------


def is_certain(review: Review, criterion: str, known: Sequence[int], published: Published = publish) -> bool:
    """Whether raters who gave the ballots `known` (places) learn somebody else's answer for certain."""
    answering = [place for place, ballot in enumerate(review.ballots) if ballot.get(criterion) is not None]
    others = [place for place in answering if place not in known]
    given = {review.ballots[place][criterion] for place in others}
    if len(given) != 1:
        return False  # the true way is one of those left, and in it the others differ
    seen = published(review)
    (level,) = given
    near = sorted(_ways(len(others)), key=lambda way: sum(LEVELS.index(one) != LEVELS.index(level) for one in way))
    return not any(published(_answered(review, criterion, others, way)) == seen for way in near if set(way) != given)


@cache
def _ways(count: int) -> tuple[tuple[Level, ...], ...]:
    return tuple(combinations_with_replacement(LEVELS, count))


def _answered(review: Review, criterion: str, places: Sequence[int], way: Sequence[Level | None]) -> Review:
    ballots = list(review.ballots)
    for place, level in zip(places, way, strict=True):
        ballots[place] = {**ballots[place], criterion: level}
    return replace(review, ballots=tuple(ballots))


def exact_shares(ballots: int, published: Published = publish) -> list[Fraction]:
    """Share of figures from `ballots` answers that make one certain to nobody's, one's, two raters' knowledge.

    By trying every way to answer; the worst of the priors. The same as the price of a minimum, by another road.
    """
    scheme = scheme_of(5, None)
    review = bare_review(scheme, [dict.fromkeys(asked(scheme), Level.GOOD)] * ballots)
    key, places = asked(scheme)[0], range(ballots)
    seen = {way: published(_answered(review, key, places, way)) for way in _ways(ballots)}
    return [max(_certain(ballots, known, prior, seen) for prior in PRIORS) for known in range(3)]


def _certain(ballots: int, known: int, prior: Sequence[int], seen: dict[tuple[Level, ...], bytes]) -> Fraction:
    total = Fraction(0)
    for pinned in combinations_with_replacement(LEVELS, known):
        groups: dict[bytes, list[tuple[Level, ...]]] = {}
        for others in _ways(ballots - known):
            whole = tuple(sorted((*pinned, *others), key=LEVELS.index))
            groups.setdefault(seen[whole], []).append(others)
        alone = [group[0] for group in groups.values() if len(group) == 1 and len(set(group[0])) == 1]
        total += sum((_chance(pinned, prior) * _chance(others, prior) for others in alone), Fraction(0))
    return total


def _chance(way: Sequence[Level], prior: Sequence[int]) -> Fraction:
    """That so many people answer so, in any order."""
    chance, left = Fraction(1), len(way)
    for level, percent in zip(LEVELS, prior, strict=True):
        count = way.count(level)
        for place in range(count):
            chance *= Fraction(percent * (left - place), sum(prior) * (place + 1))
        left -= count
    return chance


def with_other_hidden_ballots(cycle: Cycle, dice: random.Random) -> Cycle:
    """The same cycle, but all answers to questions whose figures are withheld are others, or not there."""
    return replace(cycle, reviews=tuple(_with_other_hidden(review, dice) for review in cycle.reviews))


def _with_other_hidden(review: Review, dice: random.Random) -> Review:
    hidden = {cell.criterion for cell in cells_of(review) if isinstance(cell.figure, Withheld)}
    least = review.scheme.minimums[Source.PEERS]
    for key in sorted(hidden):
        # Who had answered may have skipped; and where the panel is large enough, fewer than the minimum answer.
        most = len(review.ballots) if review.panel < least else min(least - 1, len(review.ballots))
        count = dice.randint(0, most)
        places = range(len(review.ballots))
        way = [dice.choice(LEVELS) for _ in range(count)] + [None] * (len(review.ballots) - count)
        review = _answered(review, key, places, dice.sample(way, len(way)))
    if len(hidden) == len(asked(review.scheme)) and len(review.ballots) < least:
        review = replace(review, words=tuple(dice.sample(WORDS, len(review.words))))
    return review


# ---- what the audit found -------------------------------------------------------------------------------------------


@dataclass
class Findings:
    """Figures looked at, and in how many of them who became certain; `pairs` count only natural ones."""

    cycles: int = 0
    figures: int = 0
    hidden: int = 0
    outsider: int = 0
    one_rater: int = 0
    pairs: int = 0
    two_raters: int = 0
    recoverable: int = 0
    changed: int = 0

    @property
    def share_of_pairs(self) -> float:
        return self.two_raters / self.pairs if self.pairs else 0.0


def audit(
    seeds: Iterator[int] | range, published: Published = publish, minimum: int = 5, looked_at: int = 4
) -> Findings:
    """Attack random cycles: in each, some reviews for certain answers, the teams by algebra, all by changing what is
    hidden."""
    found = Findings()
    for seed in seeds:
        dice = random.Random(f"release {seed}")
        cycle = random_cycle(dice, minimum)
        found.cycles += 1
        for review in dice.sample(cycle.reviews, min(looked_at, len(cycle.reviews))):
            _attack(review, dice, found, published)
        for key in asked(cycle.reviews[0].scheme):
            members = members_of(cycle, key)
            told = suppression.team_figures(cycle.parents, members)
            shown = {team for team, figure in told.items() if figure is not None}
            found.recoverable += len(leaks_of(cycle.parents, members, shown))
        other = with_other_hidden_ballots(cycle, dice)
        found.changed += publish_cycle(other, published) != publish_cycle(cycle, published)
    return found


def _attack(review: Review, dice: random.Random, found: Findings, published: Published) -> None:
    for cell in cells_of(review):
        if isinstance(cell.figure, Withheld):
            found.hidden += 1
            continue
        found.figures += 1
        key = cell.criterion
        answering = [place for place, ballot in enumerate(review.ballots) if ballot.get(key) is not None]
        found.outsider += is_certain(review, key, [], published)
        # Raters who gave the same know the same: one of each is asked.
        raters = {review.ballots[place][key]: place for place in answering}
        found.one_rater += any(is_certain(review, key, [place], published) for place in raters.values())
        if review.is_natural and len(answering) > 1:
            found.pairs += 1
            found.two_raters += is_certain(review, key, dice.sample(answering, 2), published)


# ---- random cycles --------------------------------------------------------------------------------------------------


def random_cycle(dice: random.Random, minimum: int = 5) -> Cycle:
    """Departments of any shape and people with panels of any size, some of whose raters skip or agree too well."""
    scheme = scheme_of(minimum, dice.choice([None, 5, 10]))
    parents: dict[int, int | None] = {1: None}
    for team in range(2, dice.randint(2, 9)):
        parents[team] = dice.choice([None, *range(1, team), *range(1, team)])
    size = dice.choice([2, 4, 7, 7, 12, 18, 24] if dice.random() < 0.95 else [34])
    reviews = tuple(random_review(dice, scheme, number) for number in range(1, size + 1))
    teams = {review.number: dice.choice(list(parents)) for review in reviews}
    heads = {team: dice.choice([900 + team, dice.randint(1, size)]) for team in parents}
    bosses = {number: None if heads[team] == number else heads[team] for number, team in teams.items()}
    return Cycle(reviews, parents, teams, bosses)


def random_review(dice: random.Random, scheme: Scheme, number: int) -> Review:
    panel = dice.choice([0, 3, 4, 5, 6, 8, 8, 8, 9, 12, 14])
    count = sum(dice.random() < dice.choice([0.5, 0.8, 1.0]) for _ in range(panel))
    is_natural = dice.random() < 0.6
    prior, level = dice.choice(PRIORS), dice.choice((Level.POOR, Level.EXCELLENT, *LEVELS))
    ballots = [_natural(dice, scheme, prior) for _ in range(count)]
    if not is_natural:  # all but a few say the same: the cases in which figures say most
        for place in range(dice.randint(0, 2), count):
            ballots[place] = dict.fromkeys(asked(scheme), level)
        dice.shuffle(ballots)
    levels = {criterion.key: dice.choice(LEVELS) for criterion in scheme.criteria}
    customers = {
        criterion.key: Tally(20 * dice.randint(n, 5 * n), n)
        for criterion in scheme.asked_of(Source.CUSTOMERS)
        for n in [dice.choice([0, 9, 15, 40])]
    }
    words = tuple(dice.choice(WORDS) for _ in range(dice.randint(0, count)))
    return Review(number, scheme, tuple(ballots), words, panel, levels, customers, is_natural)


def _natural(dice: random.Random, scheme: Scheme, prior: Sequence[int]) -> Answers:
    return {key: None if dice.random() < 0.1 else dice.choices(LEVELS, prior)[0] for key in asked(scheme)}


def bare_review(scheme: Scheme, ballots: Sequence[Answers]) -> Review:
    """A review about which only supervisor and peers say something."""
    good = {criterion.key: Level.GOOD for criterion in scheme.criteria}
    return Review(1, scheme, tuple(ballots), (), len(ballots), good, {}, True)
