"""Scores a report against the truth: guesses count only as far as they are better than chance."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.adversary.physical import spearman
from tests.adversary.report import Finding, Report
from tests.adversary.told import Truth

BOUND, POINTS = 0.15, 0.02
LUCK = 1e-4  # what a channel may do by chance in one world: many are looked at, and no alarm may be false
ENOUGH = 200


@dataclass
class Verdict:
    """What was found out, and the figures behind it."""

    findings: set[Finding] = field(default_factory=set)
    rho: dict[str, float] = field(default_factory=dict)
    linked: dict[str, tuple[int, int, float]] = field(default_factory=dict)  # hits, rows, chance
    readable: int = 0

    @property
    def worst_rho(self) -> float:
        return max(map(abs, self.rho.values()), default=0.0)

    @property
    def best_link(self) -> float:
        """By how much the best way of linking is better than chance."""
        return max((hits / rows - chance for hits, rows, chance in self.linked.values()), default=0.0)

    def __str__(self) -> str:
        return (
            f"readable {self.readable}, worst |rho| {self.worst_rho:.3f} of {len(self.rho)} orders, "
            f"best linking {100 * self.best_link:+.1f} points over chance of {len(self.linked)} ways"
        )


def judge(report: Report, truth: Truth) -> Verdict:
    made = Verdict(set(report.findings), readable=report.readable)
    _orders(made, report, truth)
    _links(made, report, truth)
    for feature in _telling(report, truth):
        made.findings.add(Finding("a trace of who cast", feature))
    return made


def _orders(made: Verdict, report: Report, truth: Truth) -> None:
    firsts: dict[bytes, int] = {}
    lasts: dict[bytes, int] = {}
    for at, cast in enumerate(truth.casts):
        firsts.setdefault(truth.hash_of[cast.seat], at)
        lasts[truth.hash_of[cast.seat]] = at
    for channel, order in report.orders.items():
        for name, true in (("first", firsts), ("last", lasts)):
            known = {token: at for token, at in true.items() if token in order}
            if len(known) >= ENOUGH:
                rho = made.rho[f"{channel}, {name} cast"] = spearman(order, known)
                if abs(rho) > limit(len(known)):
                    made.findings.add(Finding("order of casting", channel, f"rho {rho:.2f}"))


def owned_up(report: Report, truth: Truth) -> Iterator[str]:
    """What the stated limits are worth to the adversary, for whoever reads the output; no finding follows from it."""
    firsts: dict[bytes, int] = {}
    for at, cast in enumerate(truth.casts):
        firsts.setdefault(truth.hash_of[cast.seat], at)
    caster = {truth.hash_of[cast.seat]: cast.rater for cast in truth.casts}
    for name, places in report.limits.items():
        known = {token: at for token, at in firsts.items() if token in places}
        if known:
            rho = spearman({token: (0, places[token]) for token in known}, known)
            yield f"{name}: {len(known)} rows, rho {rho:.2f}"
    for channel, guessed in report.limit_links.items():
        hits = sum(caster.get(token) == person for token, person in guessed.items())
        if guessed:
            yield f"with the private key, {channel}: {hits} of {len(guessed)} rows linked"


@dataclass(frozen=True)
class Nights:
    """What copies of every night tell under maximum protection: rows, and hits to be expected and made."""

    rows: int
    by_review: float  # hits to be expected by who was asked about the review and drew at all
    by_night: float  # by who of them drew on the night on which the row came in
    hits: dict[str, tuple[int, int, float]]  # of each way of linking: hits, rows, the chance by the night

    @property
    def best(self) -> float:
        """By how much the best way is better than knowing the night."""
        return max(hits / rows - chance for hits, rows, chance in self.hits.values())

    def tells_more(self) -> list[str]:
        """Ways of linking that know more than the night."""
        return [way for way, (hits, rows, chance) in self.hits.items() if tail(hits, rows, chance + POINTS) < LUCK]

    def __str__(self) -> str:
        share = [100 * expected / self.rows for expected in (self.by_review, self.by_night)]
        return (
            f"nightly copies: {self.rows} rows, a guess among all who drew finds {share[0]:.1f} % of raters, one among "
            f"those who drew on the same night {share[1]:.1f} %; the best of {len(self.hits)} ways "
            f"{100 * self.best:+.1f} points over that"
        )


def nights_of(report: Report, truth: Truth) -> Nights:
    caster = {truth.hash_of[cast.seat]: cast.rater for cast in truth.casts}
    fair = {
        token: (caster[token] in people) / len(people)
        for token, people in report.tonight.items()
        if token in caster and people
    }
    hits = {}
    for channel, guessed in report.night_links.items():
        rows = [token for token in guessed if token in fair]
        if rows:
            right = sum(guessed[token] == caster[token] for token in rows)
            hits[channel] = (right, len(rows), sum(fair[token] for token in rows) / len(rows))
    return Nights(len(fair), sum(1 / report.reach[token] for token in fair), sum(fair.values()), hits)


def limit(rows: int) -> float:
    """0.15, or what chance alone reaches once in a thousand times where there are few rows."""
    return max(BOUND, 3.3 / math.sqrt(rows - 1))


def _links(made: Verdict, report: Report, truth: Truth) -> None:
    caster = {truth.hash_of[cast.seat]: cast.rater for cast in truth.casts}
    about = {truth.hash_of[cast.seat]: cast.review for cast in truth.casts}
    sizes: dict[int, int] = {}
    for _seat, review, _rater in truth.seats:
        sizes[review] = sizes.get(review, 0) + 1
    everybody = len({rater for *_, rater in truth.seats})
    keyed = {f"with the private key: {channel}": guessed for channel, guessed in report.keyed_links.items()}
    for channel, guessed in (report.links | keyed).items():
        rows = [token for token in guessed if token in caster]
        if not rows:
            continue
        reach = [report.reach.get(token, sizes[about[token]]) if channel in keyed else everybody for token in rows]
        chances = [1 / people for people in reach]
        hits, chance = sum(guessed[token] == caster[token] for token in rows), sum(chances) / len(rows)
        made.linked[channel] = (hits, len(rows), chance)
        if tail(hits, len(rows), chance + POINTS) < LUCK:
            made.findings.add(Finding("rows are linked to raters", channel, f"{hits} of {len(rows)}"))


def tail(hits: int, rows: int, chance: float) -> float:
    """The exact binomial probability of so many hits or more."""
    return sum(math.comb(rows, k) * chance**k * (1 - chance) ** (rows - k) for k in range(hits, rows + 1))


def _telling(report: Report, truth: Truth) -> Iterator[str]:
    """Traces that go with how much somebody cast, among those who came on that day."""
    cast: dict[tuple[int, str], int] = dict.fromkeys(truth.visits, 0)
    for one in truth.casts:
        cast[one.rater, f"night-{one.day + 1}"] += 1
    visits = sorted(cast)
    for feature, amounts in report.traces.items():
        if _correlation([amounts.get(visit, 0.0) for visit in visits], [float(cast[visit]) for visit in visits]):
            yield feature


def _correlation(ones: list[float], others: list[float]) -> bool:
    """Whether two lists go together more than chance lets them."""
    count = len(ones)
    means = sum(ones) / count, sum(others) / count
    centred = [(one - means[0], other - means[1]) for one, other in zip(ones, others, strict=True)]
    norm = math.sqrt(sum(a * a for a, _ in centred) * sum(b * b for _, b in centred))
    rho = sum(a * b for a, b in centred) / norm if norm else 0.0
    return abs(rho) > 3.9 / math.sqrt(count - 1)
