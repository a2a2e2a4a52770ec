"""Laws of the official score over random schemes and reviews, each against an independent statement of it.

Monotone it is in every answer that is given: whoever answers better never lowers anything. One answer *more* is no
better answer, and there the law ends; the last tests hold on to where.
"""

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.canonical import digest
from review.domain.disclosure import publish_figure, stepped
from review.domain.kpi import KpiRule, Line
from review.domain.responses import Evidence, cells_of
from review.domain.scheme import dump_scheme, parse_scheme
from review.domain.score_inputs import plain_inputs, read_inputs
from review.domain.scoring import score
from review.domain.vocabulary import GRADES, Level, Source
from tests.make_scores import LEVELS, PANEL, Case, random_case, random_scheme

chances = st.randoms(use_true_random=False)
thorough = settings(max_examples=60, deadline=None)


@thorough
@given(chances)
def test_the_order_of_all_inputs_changes_nothing(chance: Random) -> None:
    case = random_case(chance)
    before = case.scored()

    def shuffled(values):
        return tuple(chance.sample(list(values), len(values)))

    names = ("supervisor", "peers", "customers", "bonus", "deductions", "items")
    after = case.scored(**{name: shuffled(getattr(case, name)) for name in names})
    assert after.as_contract() == before.as_contract()
    assert (after.rating_exact, after.kpi_exact, after.bonus) == (before.rating_exact, before.kpi_exact, before.bonus)


@thorough
@given(chances)
def test_the_order_of_cells_and_tallies_changes_nothing(chance: Random) -> None:
    case = random_case(chance)
    said = case.evidence()
    turned = replace(said, peers=said.peers[::-1], customers=dict(reversed(said.customers.items())))
    assert score(case.scheme, turned).as_contract() == score(case.scheme, said).as_contract()


def better(level: Level | None) -> Level | None:
    return None if level is None else LEVELS[max(0, LEVELS.index(level) - 1)]


def improved(chance: Random, case: Case) -> Case:
    """One answer, one KPI figure, one line of bonus or deduction better than before; nothing added or taken away."""
    able = [
        name for name in ("supervisor", "peers", "customers", "items", "bonus", "deductions") if getattr(case, name)
    ]
    name = chance.choice(able or ["own"])
    values = list(getattr(case, name))
    if not values:
        return case
    at = chance.randrange(len(values))
    one = values[at]
    if name in ("supervisor", "peers", "customers"):
        if one:
            key = chance.choice(sorted(one))
            raised = one[key] and min(5, one[key] + 1) if name == "customers" else better(one[key])
            values[at] = {**one, key: raised}
    elif name == "items":
        values[at] = improved_row(chance, one)
    elif name == "bonus":
        values[at] = Line(one.points + Fraction(1, 3), one.reason)
    elif name == "deductions":
        values[at] = Line(max(Fraction(0), one.points - Fraction(1, 3)), one.reason)
    return replace(case, **{name: tuple(values)})


def improved_row(chance, row):
    more = Fraction(chance.randint(1, 40), 7)
    match row.rule:
        case KpiRule.HIGHER:
            return replace(row, actual=row.actual + more)
        case KpiRule.LOWER:
            return replace(row, actual=row.actual - more)
        case KpiRule.LAPSES:
            return replace(row, lapses=max(0, row.lapses - 1))
        case KpiRule.POINTS:
            return replace(row, points=min(Fraction(100), row.points + more))
    return row


@settings(max_examples=150, deadline=None)
@given(chances)
def test_a_better_answer_never_lowers_anything(chance: Random) -> None:
    """Also across the steps of peers' figures, beside missing sources, with every rule of a KPI sheet."""
    case = random_case(chance)
    before = case.scored()
    raised = improved(chance, case)
    after = raised.scored()
    assert (after.score is None) == (before.score is None)  # nobody's better answer withholds a score or brings one
    for old, new in zip(before.criteria, after.criteria, strict=True):
        if old.exact is not None:
            assert new.exact >= old.exact
    if before.score is not None:
        assert after.rating_exact >= before.rating_exact
        assert after.score >= before.score
        assert GRADES.index(after.grade) <= GRADES.index(before.grade)
    if before.kpi_exact is not None:
        assert after.kpi_exact >= before.kpi_exact


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([40, 60, 80, 100]), min_size=1, max_size=40), st.data())
def test_a_stepped_figure_never_falls_when_a_ballot_rises(points: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(points) - 1))
    raised = [*points]
    raised[at] = min(100, raised[at] + 20)
    assert stepped(sum(raised), len(raised))[0] >= stepped(sum(points), len(points))[0]


ONE = parse_scheme(
    dump_scheme(random_scheme(Random(1), criteria=1))
    | {"criteria": [dump_scheme(random_scheme(Random(1), criteria=1))["criteria"][0]
       | {"key": "c0", "share": 1, "weights": {"supervisor": 50, "peers": 50, "customers": 0}}],
       "minimums": {"peers": 5, "customers": 15}, "peer_step": "stepped", "supervisors_required": 1}
)  # fmt: skip


def with_ballots(*levels: Level) -> int | None:
    cells = cells_of(ONE, [{"c0": level} for level in levels], panel_size=PANEL)
    return score(ONE, Evidence(supervisor=({"c0": Level.EXCELLENT},), peers=cells)).score


def test_the_law_ends_where_one_answer_more_brings_a_missing_source_in() -> None:
    """Four best ballots count for nothing and leave the supervisor's 100; the fifth makes them count, as 92."""
    best = Level.EXCELLENT
    assert (with_ballots(*[best] * 4), with_ballots(*[best] * 5)) == (10000, 9600)


def test_the_law_ends_where_one_ballot_more_changes_the_width_of_the_steps() -> None:
    """Twelve ballots of 1000 points together are shown as 85; a thirteenth of 100 makes the steps finer: 84."""
    good = [Level.EXCELLENT] * 3 + [Level.GOOD] * 8 + [Level.FAIR]
    assert (with_ballots(*good), with_ballots(*good, Level.EXCELLENT)) == (9250, 9200)


def test_the_law_ends_where_one_answer_more_lies_below_the_others() -> None:
    assert with_ballots(*[Level.EXCELLENT] * 7, *[Level.POOR] * 2) < with_ballots(*[Level.EXCELLENT] * 7)


@settings(max_examples=150, deadline=None)
@given(st.integers(3, 20), st.lists(st.sampled_from([40, 60, 80, 100]), max_size=30))
def test_exact_peers_obey_the_law_for_a_best_ballot_more_once_they_count(minimum: int, points: list[int]) -> None:
    before = publish_figure(sum(points), len(points), minimum, PANEL, None)
    after = publish_figure(sum(points) + 100, len(points) + 1, minimum, PANEL, None)
    if len(points) >= minimum:
        assert Fraction(after.points, after.over) >= Fraction(before.points, before.over)


def by_hand(case: Case) -> tuple[list[Fraction | None], Fraction | None, Fraction | None]:
    """Criteria, K and the total before its rounding, by the formulas of the rule text over the raw answers."""
    worth = dict(zip(LEVELS, (100, 80, 60, 40), strict=True))
    scores: list[Fraction | None] = []
    for criterion in case.scheme.criteria:
        key, parts = criterion.key, []
        rated = [answers.get(key) for answers in case.supervisor]
        if len(rated) >= case.scheme.supervisors_required and None not in rated:
            parts.append((criterion.weights[Source.SUPERVISOR], Fraction(sum(map(worth.get, rated)), len(rated))))
        is_rated = bool(parts)
        voted = [worth[one[key]] for one in case.peers if one.get(key) is not None]
        if len(voted) >= case.scheme.minimums[Source.PEERS] and criterion.weights[Source.PEERS]:
            told = stepped_by_hand(voted) if case.scheme.peer_step else Fraction(sum(voted), len(voted))
            parts.append((criterion.weights[Source.PEERS], told))
        stars = [one[key] for one in case.customers if one.get(key) is not None]
        if len(stars) >= case.scheme.minimums[Source.CUSTOMERS] and criterion.weights[Source.CUSTOMERS]:
            parts.append((criterion.weights[Source.CUSTOMERS], Fraction(20 * sum(stars), len(stars))))
        left = sum(weight for weight, _ in parts)
        # What a missing source leaves is handed out in proportion: each weight is divided by what is left of 100.
        is_enough = is_rated and 2 * left >= 100
        scores.append(sum(mean * Fraction(weight, left) for weight, mean in parts) if is_enough else None)
    sheet = None
    if case.items:
        sheet = sum(row.weight * earned_by_hand(row) for row in case.items) / sum(row.weight for row in case.items)
    if None in scores:
        return scores, sheet, None
    shares = [criterion.share for criterion in case.scheme.criteria]
    rating = sum(share * one for share, one in zip(shares, scores, strict=True)) / sum(shares)
    share = case.scheme.rating_share
    total = rating if sheet is None else share * rating + (1 - share) * sheet
    total += min(case.scheme.bonus_cap, sum(line.points for line in case.bonus))
    return scores, sheet, total - min(case.scheme.deduction_cap, sum(line.points for line in case.deductions))


def stepped_by_hand(points: list[int]) -> Fraction:
    mean = Fraction(sum(points), len(points))
    if len(points) <= 7:
        return Fraction(52 if mean < 65 else 70 if mean < 75 else 80 if mean < 84 else 92)
    width = 5 if len(points) <= 12 else 2
    steps = [step for step in range(0, 101, width) if step <= mean + Fraction(width, 2)]
    return Fraction(52 if steps[-1] <= 60 else 94 if steps[-1] >= 90 else steps[-1])


def earned_by_hand(row) -> Fraction:
    earned = row.points or Fraction(0)
    if row.rule is KpiRule.HIGHER:
        earned = min(row.cap, 100 * row.actual / row.target)
    elif row.rule is KpiRule.LOWER:
        between = min(row.limit, max(row.target, row.actual))
        earned = 100 * (row.limit - between) / (row.limit - row.target)
    elif row.rule is KpiRule.LAPSES and not (row.veto_at and row.lapses >= row.veto_at):
        earned = 100 * max(Fraction(0), row.full - row.lapses * row.cost) / row.full
    for bracket in row.brackets:
        if row.actual >= bracket.start:
            earned = bracket.points
    return earned


@settings(max_examples=150, deadline=None)
@given(chances)
def test_redistribution_and_total_equal_the_calculation_by_hand(chance: Random) -> None:
    case = random_case(chance)
    card = case.scored()
    scores, sheet, total = by_hand(case)
    assert [line.exact for line in card.criteria] == scores
    assert card.kpi_exact == sheet
    if total is None:
        assert card.score is card.rating is card.grade is None
        return
    clamped = max(Fraction(0), min(Fraction(110), total))
    assert card.score == int(clamped * 100 + Fraction(1, 2))
    printed = Fraction(card.score, 100)
    lower_ends = [grade for grade in GRADES[:-1] if printed >= case.scheme.cuts[grade]]
    computed = lower_ends[0] if lower_ends else GRADES[-1]
    assert card.computed_grade is computed
    cap = case.veto.cap if case.veto else computed
    assert card.grade is GRADES[max(GRADES.index(computed), GRADES.index(cap))]


@thorough
@given(chances, st.integers(2, 50))
def test_the_scale_of_shares_and_of_kpi_weights_changes_nothing(chance: Random, factor: int) -> None:
    case = random_case(chance)
    data = dump_scheme(case.scheme)
    small = {one["key"]: chance.randint(1, 2) for one in data["criteria"]}
    schemes = [
        parse_scheme(data | {"criteria": [one | {"share": by * small[one["key"]]} for one in data["criteria"]]})
        for by in (1, factor)
    ]
    heavier = tuple(replace(row, weight=factor * row.weight) for row in case.items)
    before, after = case.scored(scheme=schemes[0]), case.scored(scheme=schemes[1], items=heavier)
    assert (after.rating_exact, after.kpi_exact) == (before.rating_exact, before.kpi_exact)
    assert (after.score, after.grade, after.flags) == (before.score, before.grade, before.flags)


@thorough
@given(chances)
def test_weights_after_redistribution_are_one_hundred_percent(chance: Random) -> None:
    for line in random_case(chance).scored().criteria:
        used = [part.weight_used for part in line.sources.values()]
        assert sum(used) == 0 if line.score is None else abs(sum(used) - 10000) <= 1  # each rounded once


@thorough
@given(chances)
def test_inputs_lead_back_to_themselves_and_to_the_same_score(chance: Random) -> None:
    case = random_case(chance)
    plain = plain_inputs(case.evidence(), case.items, case.bonus, case.deductions, case.veto)
    said = read_inputs(plain)
    assert said.plain() == plain
    again = score(case.scheme, said.evidence, said.items, said.bonus, said.deductions, said.sheet_veto)
    card = case.scored()
    assert again.as_contract() == card.as_contract()
    assert card.input_hash == digest(plain)


@thorough
@given(chances)
def test_the_clamp_and_the_rounding_may_come_in_either_order(chance: Random) -> None:
    case = random_case(chance)
    wild = case.scored(bonus=tuple(replace(line, points=line.points * 40) for line in case.bonus))
    assert wild.score is None or 0 <= wild.score <= 11000


@pytest.mark.parametrize("source", [Source.PEERS, Source.CUSTOMERS])
def test_a_source_that_is_missing_counts_as_if_it_had_never_been_asked(source: Source) -> None:
    for seed in range(200):
        case = random_case(Random(seed))
        name = source.value
        without = case.scored(**{name: ()})
        if without.score is None:
            continue
        data = dump_scheme(case.scheme)
        lines = []
        for one in data["criteria"]:
            weights = {key: weight for key, weight in one["weights"].items() if key != name}
            lines.append((one["share"], weights))
        card = case.scored(**{name: ()})
        assert [line.sources[source].counted for line in card.criteria] == [False] * len(lines)
        for line, (_, weights) in zip(card.criteria, lines, strict=True):
            counted = {key.value: part for key, part in line.sources.items() if part.counted}
            assert set(counted) <= set(weights)
            left = sum(weights[key] for key in counted)
            mean = sum(weights[key] * Fraction(part.points, part.over) for key, part in counted.items()) / left
            assert line.exact == mean
