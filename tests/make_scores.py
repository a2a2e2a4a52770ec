"""Random schemes and reviews for the laws of scoring: every rule of a KPI sheet, missing sources, steps, vetoes.

case = random_case(chance)      # chance: a random.Random, or hypothesis' own
card = case.scored()
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from random import Random

from review.domain.kpi import Bracket, KpiItem, KpiRule, Line, SheetVeto
from review.domain.responses import Answers, Evidence, cells_of, tally_stars
from review.domain.scheme import Scheme, parse_scheme
from review.domain.scorecard import Scorecard
from review.domain.scoring import score
from review.domain.vocabulary import COUNTING, GRADES, Grade, Level, Source
from review.schemes.library import builtin_data

LEVELS = tuple(Level)
PANEL = 40


@dataclass(frozen=True)
class Case:
    """One review as its raters answered, before anything is summed up or stepped."""

    scheme: Scheme
    own: tuple[Answers, ...]
    supervisor: tuple[Answers, ...]
    peers: tuple[Answers, ...]
    customers: tuple[dict[str, int | None], ...]
    items: tuple[KpiItem, ...]
    bonus: tuple[Line, ...]
    deductions: tuple[Line, ...]
    veto: SheetVeto | None

    def evidence(self) -> Evidence:
        cells = cells_of(self.scheme, self.peers, panel_size=PANEL)
        return Evidence(self.own, self.supervisor, cells, tally_stars(self.customers))

    def scored(self, **changes: object) -> Scorecard:
        case = replace(self, **changes)  # type: ignore[arg-type]
        return score(case.scheme, case.evidence(), case.items, case.bonus, case.deductions, case.veto)


def random_scheme(chance: Random, criteria: int | None = None) -> Scheme:
    data = builtin_data("360-v1")
    patterns = data["criteria"]
    count = criteria or chance.randint(1, 7)
    data["criteria"] = [
        patterns[at % len(patterns)] | {"key": f"c{at}", "share": chance.randint(1, 100), "weights": _weights(chance)}
        for at in range(count)
    ]
    if chance.random() < 0.5:
        data["criteria"] = [one | {"share": 20} for one in data["criteria"]]
    data["minimums"] = {"peers": chance.randint(3, 8), "customers": chance.randint(5, 20)}
    data["peer_step"] = chance.choice([None, "stepped"])
    data["supervisors_required"] = chance.choice([1, 1, 1, 2])
    hundredths = {grade: 100 * low + chance.randint(1, 1999) for grade, low in zip(GRADES, (80, 60, 40), strict=False)}
    data["cuts"] = {grade.value: f"{cut // 100}.{cut % 100:02d}" for grade, cut in hundredths.items()}
    if chance.random() < 0.3:
        data["cuts"]["good"] = "69.995"
    data["rating_share"] = chance.choice(["0.6", "0.5", "0.75", "0.625", "0.333"])
    data["bonus_cap"], data["deduction_cap"] = chance.choice(["10", "7.5"]), chance.choice(["10", "4.25"])
    return parse_scheme(data)


def _weights(chance: Random) -> dict[str, int]:
    supervisor = chance.choice([100, 80, 70, 50, chance.randint(1, 99)])
    peers = chance.choice([0, 100 - supervisor, chance.randint(0, 100 - supervisor)])
    given = (supervisor, peers, 100 - supervisor - peers)
    return {source.value: weight for source, weight in zip(COUNTING, given, strict=True)}


def random_case(chance: Random, scheme: Scheme | None = None) -> Case:
    scheme = scheme or random_scheme(chance)
    every = [criterion.key for criterion in scheme.criteria]
    asked = {source: [one.key for one in scheme.asked_of(source)] for source in (Source.PEERS, Source.CUSTOMERS)}
    rated = scheme.supervisors_required if chance.random() < 0.9 else chance.randint(0, 2)
    gap = 0.02 if chance.random() < 0.1 else 0
    most = chance.choice([4, 8, 15, 30])
    return Case(
        scheme=scheme,
        own=tuple(_sheet(chance, every, 0.1) for _ in range(chance.randint(0, 1))),
        supervisor=tuple(_sheet(chance, every, gap) for _ in range(rated)),
        peers=tuple(_sheet(chance, asked[Source.PEERS], 0.1) for _ in range(chance.randint(0, most))),
        customers=tuple(
            {key: None if chance.random() < 0.05 else chance.randint(1, 5) for key in asked[Source.CUSTOMERS]}
            for _ in range(chance.choice([0, 3, 16, 26, 33, 47]))
        ),
        items=random_sheet(chance) if chance.random() < 0.5 else (),
        bonus=_lines(chance),
        deductions=_lines(chance),
        veto=SheetVeto(chance.choice(list(Grade)), "leak") if chance.random() < 0.1 else None,
    )


def _sheet(chance: Random, keys: Sequence[str], gap: float) -> Answers:
    best = chance.choice([0, 0, 1, 2])
    return {key: None if chance.random() < gap else LEVELS[min(3, best + chance.randint(0, 1))] for key in keys}


def _lines(chance: Random) -> tuple[Line, ...]:
    return tuple(Line(_decimal(chance, 0, 4), f"=HYPERLINK({number})") for number in range(chance.choice([0, 0, 1, 3])))


def _decimal(chance: Random, low: int, high: int) -> Fraction:
    places = chance.choice([0, 1, 2, 3])
    return Fraction(chance.randint(low * 10**places, high * 10**places), 10**places)


def random_sheet(chance: Random) -> tuple[KpiItem, ...]:
    """Rows whose weights are 100 together, one of each rule in turn."""
    count = chance.randint(1, 6)
    ends = [0, *sorted(chance.sample(range(1, 100), count - 1)), 100]
    weights = [Fraction(high - low) for low, high in pairwise(ends)]
    rules = list(KpiRule)
    return tuple(
        _row(chance, f"k{at}", weight, rules[(at + chance.randint(0, 4)) % 5]) for at, weight in enumerate(weights)
    )


def _row(chance: Random, key: str, weight: Fraction, rule: KpiRule) -> KpiItem:
    item = KpiItem(key, weight, rule, actual=_decimal(chance, 0, 120))
    match rule:
        case KpiRule.HIGHER:
            cap = Fraction(chance.choice([100, 100, 120]))
            return replace(item, target=_decimal(chance, 1, 100) + 1, cap=cap)
        case KpiRule.LOWER:
            target = _decimal(chance, 0, 50)
            return replace(item, target=target, limit=target + 1 + _decimal(chance, 0, 50))
        case KpiRule.LAPSES:
            veto_at = chance.choice([None, 3])
            full, lapses = Fraction(chance.choice([10, 15])), chance.randint(0, 5)
            return replace(item, actual=None, full=full, cost=_decimal(chance, 0, 5), lapses=lapses, veto_at=veto_at)
        case KpiRule.POINTS:
            return replace(item, points=_decimal(chance, 0, 100))
        case KpiRule.BRACKETS:
            starts = sorted({_decimal(chance, -5, 110) for _ in range(chance.randint(1, 4))})
            return replace(item, brackets=tuple(Bracket(start, _decimal(chance, 0, 100)) for start in starts))
