"""The official score against calculations by hand, its rules for missing sources, and the laws it keeps."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.domain.disclosure import Cell, WhyWithheld, Withheld, left_out
from review.domain.kpi import KpiItem, KpiRule, Line, SheetVeto
from review.domain.responses import Evidence, Tally, cells_of, tally_stars
from review.domain.scheme import dump_scheme, parse_scheme, with_overrides
from review.domain.scorecard import Flag, Reason, WhyNoScore
from review.domain.scoring import score
from review.domain.vocabulary import Grade, Level, Source
from review.schemes.library import builtin, builtin_data

E, G, F, P = Level
KEYS = ("business_knowledge", "communication", "problem_solving", "interpersonal_coordination", "feedback_learning")
STEPPED = builtin()
EXACT = with_overrides(STEPPED, {"peer_step": None})


def levels(*chosen):
    return dict(zip(KEYS, chosen, strict=True))


def peers(scheme, coordination, learning=()):
    count = max(len(coordination), len(learning))
    ballots = [{} for _ in range(count)]
    for key, given_levels in ((KEYS[3], coordination), (KEYS[4], learning)):
        for ballot, level in zip(ballots, given_levels, strict=False):
            ballot[key] = level
    return cells_of(scheme, ballots, panel_size=max(count, 8))


def customers(count, *stars):
    return {key: Tally(20 * total, count) for key, total in zip(KEYS, stars, strict=False)}


def kpi(points):
    return [KpiItem("all", Fraction(100), KpiRule.POINTS, points=Fraction(points))]


SUPERVISOR = levels(E, G, E, G, G)
FIVE_PEERS = ([E, G, G, F, P], [E, G, G, G, F])  # 360 and 400 points: means 72 and 80
CUSTOMERS = customers(26, 121, 129, 127)


def worked_example(scheme=EXACT, **changes):
    evidence = Evidence(supervisor=(SUPERVISOR,), peers=peers(scheme, *FIVE_PEERS), customers=CUSTOMERS)
    return replace(evidence, **changes)


def test_the_worked_example_comes_to_5716_over_65():
    """By hand, customers' stars times 20 over 26:
    knowledge      .8*100 + .2*2420/26 = 98.615...   communication .7*80  + .3*2580/26 = 85.769...
    solving        .7*100 + .3*2540/26 = 99.307...   coordination  .5*80  + .5*72      = 76
    learning       .8*80  + .2*80      = 80          R = 439.692.../5 = 5716/65 = 87.938... -> 87.94
    """
    card = score(EXACT, worked_example())
    assert card.rating_exact == Fraction(5716, 65)
    assert (card.score, card.rating, card.grade) == (8794, 8794, Grade.GOOD)
    assert [line.score for line in card.criteria] == [9862, 8577, 9931, 7600, 8000]


def test_with_only_two_peers_the_worked_example_comes_to_88_74():
    card = score(EXACT, worked_example(peers=peers(EXACT, [G, F], [G, G])))
    assert card.score == 8874
    line = card.criterion(KEYS[3])
    assert line.score == 8000
    assert (line.sources[Source.PEERS].counted, line.sources[Source.PEERS].reason) == (False, Reason.BELOW_MINIMUM)
    assert (line.sources[Source.PEERS].weight, line.sources[Source.PEERS].weight_used) == (50, 0)
    assert line.sources[Source.SUPERVISOR].weight_used == 10000


def test_with_fewer_than_fifteen_customers_the_worked_example_comes_to_87_20():
    card = score(EXACT, worked_example(customers=customers(14, 70, 14, 14)))
    assert card.score == 8720
    line = card.criterion(KEYS[0]).sources[Source.CUSTOMERS]
    assert (line.n, line.total, line.mean, line.reason) == (14, None, None, Reason.BELOW_MINIMUM)


def test_stepped_peers_count_as_they_are_shown():
    """72 is shown as 70, and 80 as 80: coordination 75, R = (439.692... - 1)/5 = 5703/65 = 87.738..."""
    card = score(STEPPED, worked_example(STEPPED))
    assert card.rating_exact == Fraction(5703, 65)
    assert card.score == 8774
    line = card.criterion(KEYS[3]).sources[Source.PEERS]
    assert (line.n, line.total, line.mean) == ("5-7", None, 7000)


def test_a_published_ledger_adds_up():
    """38 customers with 176, 179 and 168 stars; peers 92 (90 or higher) and 70; KPI 95.10; +2 and -1.

    C = 98.526, 84.263, 96.526, 86, 78: R = 443.315.../5 = 88.663...; T = .6 R + .4*95.10 + 1 = 92.237... -> 92.24
    """
    evidence = Evidence(
        supervisor=(levels(E, G, E, G, G),),
        peers=peers(STEPPED, [E, E, E, G, G], [E, G, F, F, F]),
        customers=customers(38, 176, 179, 168),
    )
    bonus, deduction = [Line(Fraction(2), "wiki")], [Line(Fraction(1), "log")]
    card = score(STEPPED, evidence, kpi("95.10"), bonus, deduction)
    assert (card.rating, card.kpi, card.score, card.grade) == (8866, 9510, 9224, Grade.EXCELLENT)
    assert card.flags == ()  # 2.24 over the cut, and the margin shrinks with the rating's share to 1.80


def test_the_total_is_rounded_once_from_exact_parts():
    """R = 5703/65 and K = 200/3 have no end: T = .6 R + .4 K = 79.3102... from the exact ones."""
    card = score(STEPPED, worked_example(STEPPED), kpi(Fraction(200, 3)))
    exact = Fraction(6, 10) * Fraction(5703, 65) + Fraction(4, 10) * Fraction(200, 3)
    assert card.score == int(exact * 100 + Fraction(1, 2))


def test_ties_at_the_third_decimal_go_up():
    """16 customers: .2*S/16 leaves exact ties. Supervisor all 80, stars 65, 64, 64 of 80:
    knowledge 64 + .2*81.25 = 80.25; R = (80.25 + 320)/5 = 80.05; with a sheet of 80.075: T = 80.06 exactly;
    with 80.0125 T = 80.035 -> 80.04, where floats give 80.03; with 80.0375 T = 80.045 -> 80.05, not to the even 80.04.
    """
    evidence = Evidence(supervisor=(levels(G, G, G, G, G),), customers=customers(16, 65, 64, 64))
    assert score(STEPPED, evidence).score == 8005
    assert score(STEPPED, evidence, kpi("80.075")).score == 8006
    assert score(STEPPED, evidence, kpi("80.0125")).score == 8004
    assert score(STEPPED, evidence, kpi("80.0375")).score == 8005


def test_the_grade_goes_by_the_score_as_it_is_printed():
    """R = 80.05 as above: with a sheet of 54.9125 T = 69.995, printed as 70.00, which is good; with less it is fair."""
    evidence = Evidence(supervisor=(levels(G, G, G, G, G),), customers=customers(16, 65, 64, 64))
    reached, missed = (score(STEPPED, evidence, kpi(points)) for points in ("54.9125", "54.9124"))
    assert (reached.score, reached.grade) == (7000, Grade.GOOD)
    assert (missed.score, missed.grade) == (6999, Grade.FAIR)


@pytest.mark.parametrize("missing", KEYS)
def test_without_a_complete_supervisor_rating_there_is_no_score(missing):
    card = score(STEPPED, worked_example(STEPPED, supervisor=({**SUPERVISOR, missing: None},)), kpi("80"))
    assert card.withheld is WhyNoScore.SUPERVISOR_INCOMPLETE
    assert card.score is card.rating is card.grade is None
    assert card.kpi == 8000
    assert [line.key for line in card.criteria if line.score is None] == [missing]


def test_without_any_supervisor_nothing_is_scored():
    card = score(STEPPED, worked_example(STEPPED, supervisor=()))
    assert card.withheld is WhyNoScore.SUPERVISOR_INCOMPLETE
    assert all(line.score is None for line in card.criteria)


def test_two_supervisors_are_averaged():
    card = score(STEPPED, Evidence(supervisor=(levels(E, E, E, E, E), levels(F, G, G, G, G))))
    assert [line.score for line in card.criteria] == [8000, 9000, 9000, 9000, 9000]
    assert card.criteria[0].sources[Source.SUPERVISOR].n == 2


def test_a_gap_in_the_second_supervisors_rating_withholds_the_score():
    card = score(STEPPED, Evidence(supervisor=(levels(E, E, E, E, E), levels(F, G, G, G, None))))
    assert card.withheld is WhyNoScore.SUPERVISOR_INCOMPLETE


def test_a_scheme_may_insist_on_a_second_supervisor():
    data = builtin_data("360-v1") | {"supervisors_required": 2}
    card = score(parse_scheme(data), Evidence(supervisor=(SUPERVISOR,)))
    assert card.withheld is WhyNoScore.SUPERVISOR_INCOMPLETE
    assert score(parse_scheme(data), Evidence(supervisor=(SUPERVISOR, SUPERVISOR))).withheld is None


def test_under_half_of_a_criterions_weight_withholds_the_score():
    data = builtin_data("360-v1")
    data["criteria"][3]["weights"] = {"supervisor": 49, "peers": 51, "customers": 0}
    card = score(parse_scheme(data), Evidence(supervisor=(SUPERVISOR,)))
    assert card.withheld is WhyNoScore.TOO_LITTLE_WEIGHT
    assert [line.score for line in card.criteria] == [10000, 8000, 10000, None, 8000]
    assert score(STEPPED, Evidence(supervisor=(SUPERVISOR,))).withheld is None  # exactly half is enough


def test_weight_passes_to_the_others_in_proportion():
    """Weights 50/30/20, customers missing: 50 and 30 become 62.5 and 37.5 %; C = (50*80 + 30*92)/80 = 84.5."""
    data = builtin_data("360-v1")
    data["criteria"][3]["weights"] = {"supervisor": 50, "peers": 30, "customers": 20}
    scheme = parse_scheme(data)
    card = score(scheme, Evidence(supervisor=(SUPERVISOR,), peers=peers(scheme, [E] * 5)))
    line = card.criterion(KEYS[3])
    assert line.score == 8450
    assert [line.sources[source].weight_used for source in Source] == [0, 6250, 3750, 0]


def test_the_self_review_is_shown_and_never_counts():
    plain = score(STEPPED, worked_example(STEPPED))
    modest = score(STEPPED, worked_example(STEPPED, self=(levels(P, P, P, P, None),)))
    assert plain.score == modest.score
    line = modest.criteria[0].sources[Source.SELF]
    assert (line.n, line.mean, line.counted, line.reason, line.weight) == (1, 4000, False, Reason.REFERENCE, 0)
    assert plain.input_hash != modest.input_hash


def test_a_source_that_is_not_asked_says_so():
    card = score(STEPPED, worked_example(STEPPED))
    assert card.criteria[0].sources[Source.PEERS].reason is Reason.NOT_ASKED
    assert card.criteria[4].sources[Source.CUSTOMERS].reason is Reason.NOT_ASKED


def test_a_cell_left_out_after_an_appeal_passes_its_weight_on():
    cells = left_out(peers(STEPPED, *FIVE_PEERS), KEYS[3])
    assert cells == (Cell(KEYS[3], Withheld(WhyWithheld.LEFT_OUT)), peers(STEPPED, *FIVE_PEERS)[1])
    card = score(STEPPED, worked_example(STEPPED, peers=cells))
    assert card.criterion(KEYS[3]).sources[Source.PEERS].reason is Reason.LEFT_OUT
    assert card.criterion(KEYS[3]).score == 8000


def all_at(level, **more):
    return Evidence(supervisor=(levels(*[level] * 5),), **more)


def test_bonus_and_deduction_are_capped_by_their_sums_and_the_total_by_its_ends():
    many = [Line(Fraction(6), "x"), Line(Fraction(7), "y")]
    assert score(STEPPED, all_at(E), None, many).score == 11000
    assert score(STEPPED, all_at(E), None, many, many).score == 10000
    assert score(STEPPED, all_at(P), None, (), many).score == 3000
    over = kpi("100")[0]
    high = replace(over, rule=KpiRule.HIGHER, target=Fraction(1), actual=Fraction(9), cap=Fraction(300))
    assert score(STEPPED, all_at(E), [high], many).score == 11000


def test_a_veto_caps_the_grade_and_leaves_the_score():
    card = score(STEPPED, all_at(E), sheet_veto=SheetVeto(Grade.FAIR, "leak"))
    assert (card.score, card.grade, card.computed_grade) == (10000, Grade.FAIR, Grade.EXCELLENT)
    assert Flag.SHEET_VETO in card.flags
    harmless = score(STEPPED, all_at(P), sheet_veto=SheetVeto(Grade.FAIR, "leak"))
    assert harmless.grade is Grade.POOR
    assert Flag.SHEET_VETO not in harmless.flags


def test_a_missing_source_that_could_change_the_grade_is_flagged():
    """Supervisor all good, 80: peers at 100 give 82.8, at 40 74.4; customers at 100 give 83.2, at 20 70.4."""
    assert Flag.DEPENDS_ON_PEERS not in score(STEPPED, all_at(G)).flags
    assert Flag.DEPENDS_ON_CUSTOMERS not in score(STEPPED, all_at(G)).flags
    shaky = Evidence(supervisor=(levels(G, G, G, F, F),))  # 72; customers at 20: 62.4; peers at 40: 69.2
    assert score(STEPPED, shaky).flags == (Flag.DEPENDS_ON_PEERS, Flag.DEPENDS_ON_CUSTOMERS, Flag.NEAR_CUT)


def test_a_source_that_counts_everywhere_is_nothing_to_depend_on():
    shaky = Evidence(
        supervisor=(levels(G, G, G, F, F),),
        peers=peers(STEPPED, [G] * 5, [G] * 5),
        customers=customers(40, 160, 160, 160),
    )
    assert score(STEPPED, shaky).flags == ()


@pytest.mark.parametrize(("count", "is_small"), [(14, False), (15, True), (33, True), (34, False)])
def test_a_small_sample_is_marked_where_it_counts(count, is_small):
    card = score(STEPPED, all_at(G, customers=customers(count, 4 * count, 4 * count, 4 * count)))
    assert (Flag.SMALL_SAMPLE in card.flags) is is_small


@pytest.mark.parametrize(("bonus", "is_near"), [("7", False), ("7.01", True), ("9.99", True)])
def test_a_score_less_than_three_points_from_a_cut_is_near_it(bonus, is_near):
    card = score(STEPPED, all_at(G), None, [Line(Fraction(bonus), "x")])
    assert (Flag.NEAR_CUT in card.flags) is is_near


def test_the_margin_of_a_cut_shrinks_with_the_ratings_share():
    """T = .6*80 + .4*100 = 88: two points from the cut, margin 1.80; with a standard error of 4 it is 2.40."""
    assert Flag.NEAR_CUT not in score(STEPPED, all_at(G), kpi("100")).flags
    assert Flag.NEAR_CUT in score(STEPPED, all_at(G), kpi("100"), standard_error=Fraction(4)).flags


def test_the_way_to_the_next_grade_is_told():
    assert (score(STEPPED, all_at(G)).next_grade, score(STEPPED, all_at(G)).distance) == (Grade.EXCELLENT, 1000)
    assert score(STEPPED, all_at(E)).next_grade is None


def test_the_input_hash_knows_peers_only_as_figures():
    one = worked_example(STEPPED, peers=peers(STEPPED, [E, G, G, F, P], FIVE_PEERS[1]))
    same_figure = worked_example(STEPPED, peers=peers(STEPPED, [G, G, G, F, F, G], FIVE_PEERS[1]))
    other_figure = worked_example(STEPPED, peers=peers(STEPPED, [E] * 5, FIVE_PEERS[1]))
    assert score(STEPPED, one).input_hash == score(STEPPED, same_figure).input_hash
    assert score(STEPPED, one).input_hash != score(STEPPED, other_figure).input_hash


def test_the_method_is_told_by_id_and_hash():
    card = score(EXACT, worked_example())
    assert (card.method_id, card.method_hash) == ("360-v1", EXACT.method_hash)
    assert score(STEPPED, worked_example(STEPPED)).method_hash != card.method_hash


any_level = st.sampled_from(list(Level))
maybe_level = st.none() | any_level
supervisors = st.lists(st.fixed_dictionaries(dict.fromkeys(KEYS, any_level)), min_size=1, max_size=2)
ballots = st.lists(st.fixed_dictionaries({KEYS[3]: maybe_level, KEYS[4]: maybe_level}), max_size=15)
surveys = st.lists(st.fixed_dictionaries({key: st.none() | st.integers(1, 5) for key in KEYS[:3]}), max_size=40)
schemes = st.sampled_from([STEPPED, EXACT, with_overrides(EXACT, {"minimums": {"peers": 3, "customers": 5}})])


def evidence_of(scheme, rated, cast, answered):
    cells = cells_of(scheme, cast, panel_size=15)
    return Evidence(supervisor=tuple(rated), peers=cells, customers=tally_stars(answered))


@settings(max_examples=60, deadline=None)
@given(schemes, supervisors, ballots, surveys, st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_nothing(scheme, rated, cast, answered, chance):
    rows = [Line(Fraction(n), str(n)) for n in range(4)]
    first = score(scheme, evidence_of(scheme, rated, cast, answered), None, rows, rows)
    shuffled = [list(part) for part in (rated, cast, answered, rows)]
    for part in shuffled:
        chance.shuffle(part)
    again = score(scheme, evidence_of(scheme, *shuffled[:3]), None, shuffled[3], shuffled[3])
    assert first.as_contract() == again.as_contract()


@settings(max_examples=60, deadline=None)
@given(schemes, supervisors, ballots, surveys, st.data())
def test_a_better_answer_never_lowers_a_score(scheme, rated, cast, answered, data):
    before = score(scheme, evidence_of(scheme, rated, cast, answered))
    lists = {"rated": rated, "cast": cast, "answered": answered}
    name = data.draw(st.sampled_from([key for key, value in lists.items() if value]))
    raised = [dict(one) for one in lists[name]]
    one = data.draw(st.sampled_from(raised))
    key = data.draw(st.sampled_from(sorted(one)))
    if isinstance(one[key], int):
        one[key] = min(5, one[key] + 1)
    elif one[key] is not None:
        one[key] = list(Level)[max(0, list(Level).index(one[key]) - 1)]
    after = score(scheme, evidence_of(scheme, **{**lists, name: raised}))
    assert after.score >= before.score


def by_hand(scheme, evidence):
    """The formulas of the scheme once more, in plain fractions and without any of the program's steps."""
    worth = {Level.EXCELLENT: 100, Level.GOOD: 80, Level.FAIR: 60, Level.POOR: 40}
    cells = {cell.criterion: cell.figure for cell in evidence.peers}
    parts = []
    for criterion in scheme.criteria:
        given_by = [worth[answers[criterion.key]] for answers in evidence.supervisor]
        means = {Source.SUPERVISOR: Fraction(sum(given_by), len(given_by))}
        figure = cells.get(criterion.key)
        if hasattr(figure, "points"):
            means[Source.PEERS] = Fraction(figure.points, figure.over)
        tally = evidence.customers.get(criterion.key, Tally(0, 0))
        if tally.count >= scheme.minimums[Source.CUSTOMERS]:
            means[Source.CUSTOMERS] = Fraction(tally.total, tally.count)
        weight = sum(criterion.weights[source] for source in means)
        parts.append(sum(criterion.weights[source] * mean for source, mean in means.items()) / weight)
    return sum(parts) / len(parts)


@settings(max_examples=100, deadline=None)
@given(schemes, supervisors, ballots, surveys)
def test_redistribution_equals_the_calculation_by_hand(scheme, rated, cast, answered):
    evidence = evidence_of(scheme, rated, cast, answered)
    card = score(scheme, evidence)
    exact = by_hand(scheme, evidence)
    assert card.rating_exact == exact
    assert card.score == int(exact * 100 + Fraction(1, 2))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), supervisors, ballots, surveys)
def test_scaling_all_shares_changes_nothing(factor, rated, cast, answered):
    data = dump_scheme(STEPPED)
    for criterion in data["criteria"]:
        criterion["share"] = factor
    other = parse_scheme(data)
    evidence = evidence_of(STEPPED, rated, cast, answered)
    assert score(other, evidence).score == score(STEPPED, evidence).score


def numbers_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for part in value for number in numbers_in(part)]
    return [value] if isinstance(value, int | float) else []


def test_there_is_no_float_in_a_scorecard():
    card = score(STEPPED, worked_example(STEPPED), kpi("95.1"), [Line(Fraction(1, 3), "x")])
    assert not any(isinstance(number, float) for number in numbers_in(card.as_contract()))
    for name in type(card).__slots__:
        assert not isinstance(getattr(card, name), float)
