"""Every part of a scorecard, its JSON and its flags at their very edges: what only a small fault would change."""

from dataclasses import replace
from fractions import Fraction

import pytest

from review.domain.disclosure import Cell, Shown
from review.domain.kpi import Bracket, KpiItem, KpiRule, Line, SheetVeto
from review.domain.responses import Evidence, Tally
from review.domain.rounding import decimal_text, exact_text, half_up, weighted_mean
from review.domain.scheme import Criterion, Scheme, dump_scheme, parse_scheme
from review.domain.score_inputs import ScoreInputs, read_inputs
from review.domain.scorecard import Flag, KpiLine, Reason, SourceLine
from review.domain.scoring import rating_of, score
from review.domain.vocabulary import Grade, Level, Source
from review.schemes.library import builtin, builtin_data

E, G, F, P = Level
STEPPED = builtin()


def scheme_with(*weights: tuple[int, int, int], **changes: object) -> Scheme:
    """As many criteria as there are weights (supervisor, peers, customers), all of the same share."""
    data = builtin_data("360-v1")
    pattern = data["criteria"][0]
    names = ("supervisor", "peers", "customers")
    data["criteria"] = [
        pattern | {"key": f"c{at}", "weights": dict(zip(names, one, strict=True))} for at, one in enumerate(weights)
    ]
    return parse_scheme(data | changes)


def rated(*levels: Level) -> tuple[dict[str, Level], ...]:
    return ({f"c{at}": level for at, level in enumerate(levels)},)


def shown(points: int, at: int = 0) -> Cell:
    return Cell(f"c{at}", Shown("5-7", points))


def test_the_json_of_a_scorecard_names_every_figure() -> None:
    scheme = scheme_with((50, 30, 20), (100, 0, 0))
    evidence = Evidence(self=rated(F, E), supervisor=rated(G, E), peers=(shown(70),), customers={"c0": Tally(1520, 20)})
    item = KpiItem("all", Fraction(100), KpiRule.POINTS, points=Fraction("95.1"))
    card = score(scheme, evidence, [item], [Line(Fraction(2), "wiki")], [Line(Fraction(1), "log")])
    # c0 = (50*80 + 30*70 + 20*76)/100 = 76.2; R = 88.1; T = .6*88.1 + .4*95.1 + 1 = 91.9
    assert card.as_contract() == {
        "score": "91.90",
        "grade": "excellent",
        "withheld": None,
        "rating": "88.10",
        "kpi": "95.10",
        "criteria": {
            "c0": {
                "score": "76.20",
                "sources": {
                    "self": source(1, 60, "60.00", 0, "0.00", reason="reference"),
                    "supervisor": source(1, 80, "80.00", 50, "50.00", counted=True),
                    "peers": source("5-7", None, "70.00", 30, "30.00", counted=True),
                    "customers": source(20, 1520, "76.00", 20, "20.00", counted=True),
                },
            },
            "c1": {
                "score": "100.00",
                "sources": {
                    "self": source(1, 100, "100.00", 0, "0.00", reason="reference"),
                    "supervisor": source(1, 100, "100.00", 100, "100.00", counted=True),
                    "peers": source(0, None, None, 0, "0.00", reason="not_asked"),
                    "customers": source(0, None, None, 0, "0.00", reason="not_asked"),
                },
            },
        },
        "flags": ["small_sample"],
        "method": {"id": "360-v1", "hash": scheme.method_hash},
        "input_hash": card.input_hash,
    }


def source(n, total, mean, weight, used, *, counted=False, reason=None):
    names = ("n", "sum", "mean", "weight", "weight_used", "counted", "reason")
    return dict(zip(names, (n, total, mean, weight, used, counted, reason), strict=True))


def test_a_withheld_score_is_null_in_json() -> None:
    told = score(scheme_with((100, 0, 0)), Evidence()).as_contract()
    assert (told["score"], told["grade"], told["rating"], told["kpi"]) == (None, None, None, None)
    assert told["withheld"] == "supervisor_incomplete"
    assert told["criteria"]["c0"]["score"] is None


def test_a_scorecard_keeps_all_that_made_it() -> None:
    items = [
        KpiItem("a", Fraction(60), KpiRule.POINTS, points=Fraction(90)),
        KpiItem("b", Fraction(40), KpiRule.LOWER, target=Fraction(1), actual=Fraction(2), limit=Fraction(4)),
    ]
    bonus, deduction = (Line(Fraction(9), "x"), Line(Fraction(3), "y")), (Line(Fraction(1, 2), "z"),)
    veto = SheetVeto(Grade.FAIR, "leak")
    card = score(scheme_with((100, 0, 0)), Evidence(supervisor=rated(G)), items, bonus, deduction, veto)
    two_thirds = Fraction(200, 3)
    assert card.kpi_lines == (KpiLine(items[0], Fraction(90), 9000), KpiLine(items[1], two_thirds, 6667))
    assert (card.bonus_lines, card.bonus, card.deduction_lines, card.deduction) == (
        *(bonus, Fraction(10)),
        *(deduction, Fraction(1, 2)),
    )
    assert (card.sheet_veto, card.rating_share, card.standard_error) == (veto, Fraction(3, 5), Fraction(3))
    assert score(scheme_with((100, 0, 0)), Evidence(supervisor=rated(G))).rating_share == 1


def test_sources_without_a_figure_carry_none() -> None:
    scheme = scheme_with((50, 20, 30))
    line = score(scheme, Evidence(customers={"c0": Tally(300, 14)})).criteria[0]
    assert line.share == 20
    assert line.sources == {
        Source.SELF: SourceLine(0, None, None, 1, None, 0, 0, False, Reason.REFERENCE),
        Source.SUPERVISOR: SourceLine(0, None, None, 1, None, 50, 0, False, Reason.BELOW_MINIMUM),
        Source.PEERS: SourceLine("0-4", None, None, 1, None, 20, 0, False, Reason.BELOW_MINIMUM),
        Source.CUSTOMERS: SourceLine(14, None, None, 1, None, 30, 0, False, Reason.BELOW_MINIMUM),
    }


def test_sources_with_a_figure_carry_sum_count_and_mean() -> None:
    scheme = scheme_with((50, 20, 30), peer_step=None)
    cells = (Cell("c0", Shown("6", 500, 6)),)
    line = score(scheme, Evidence(peers=cells, customers={"c0": Tally(1500, 19)})).criteria[0]
    assert line.sources[Source.PEERS] == SourceLine(6, 500, 500, 6, 8333, 20, 0, True, None)
    assert line.sources[Source.CUSTOMERS] == SourceLine(19, 1500, 1500, 19, 7895, 30, 0, True, None)


def test_a_level_worth_nothing_counts_as_nothing() -> None:
    data = builtin_data("360-v1")
    levels = [one | {"points": points} for one, points in zip(data["levels"], (100, 80, 60, 0), strict=True)]
    scheme = scheme_with((100, 0, 0), (60, 0, 40), levels=levels, peer_step=None, cuts={**data["cuts"], "fair": "30"})
    card = score(scheme, Evidence(supervisor=rated(P, E)))
    assert card.rating_exact == 50
    # Customers at their best or worst in c1 only: (60*100 + 40*100)/100 or (60*100 + 40*20)/100, beside 0: 50 or 34.
    assert card.flags == ()
    assert score(scheme, Evidence(supervisor=rated(E, P))).rating_exact == 50
    # 60*0 + 40*20 = 8 and 40*100 = 40 in c1, beside 100: 54 and 70. Good starts at 70.
    assert Flag.DEPENDS_ON_CUSTOMERS in score(scheme, Evidence(supervisor=rated(E, P))).flags
    just_over = replace(scheme, cuts={**scheme.cuts, Grade.GOOD: Fraction("70.01")})
    assert Flag.DEPENDS_ON_CUSTOMERS not in score(just_over, Evidence(supervisor=rated(E, P))).flags


@pytest.mark.parametrize(("weights", "cut", "depends"), [((99, 1, 0), "80.20", True), ((99, 1, 0), "80.21", False)])
def test_the_best_points_of_peers_are_those_of_the_best_level(weights, cut, depends) -> None:
    """(99*80 + 100)/100 = 80.2 is the most that one percent of missing peers can bring."""
    scheme = scheme_with(weights, cuts={"excellent": cut, "good": "70", "fair": "50"})
    assert (Flag.DEPENDS_ON_PEERS in score(scheme, Evidence(supervisor=rated(G))).flags) is depends


@pytest.mark.parametrize(("cut", "depends"), [("79.60", False), ("79.61", True)])
def test_the_worst_points_of_peers_are_those_of_the_lowest_level(cut, depends) -> None:
    """(99*80 + 40)/100 = 79.6 is the least."""
    scheme = replace(scheme_with((99, 1, 0)), cuts={g: Fraction(c) for g, c in zip(Grade, (90, cut, 50), strict=False)})
    assert (Flag.DEPENDS_ON_PEERS in score(scheme, Evidence(supervisor=rated(G))).flags) is depends


@pytest.mark.parametrize(("cut", "depends"), [("82.00", True), ("82.01", False), ("74.00", False), ("74.01", True)])
def test_the_best_points_of_customers_are_five_stars_and_the_worst_one(cut, depends) -> None:
    """(90*80 + 10*100)/100 = 82 and (90*80 + 10*20)/100 = 74."""
    scheme = scheme_with((90, 0, 10))
    scheme = replace(scheme, cuts={Grade.EXCELLENT: Fraction(99), Grade.GOOD: Fraction(cut), Grade.FAIR: Fraction(50)})
    assert (Flag.DEPENDS_ON_CUSTOMERS in score(scheme, Evidence(supervisor=rated(G))).flags) is depends


def test_only_what_is_missing_is_supposed() -> None:
    """Peers count in c0, where other points would change the grade, and are missing in c1, where they would not."""
    cuts = {Grade.EXCELLENT: Fraction(99), Grade.GOOD: Fraction(82), Grade.FAIR: Fraction(50)}
    scheme = replace(scheme_with((50, 50, 0), (99, 1, 0)), cuts=cuts)
    card = score(scheme, Evidence(supervisor=rated(G, G), peers=(shown(80),)))
    assert card.score == 8000
    assert Flag.DEPENDS_ON_PEERS not in card.flags


@pytest.mark.parametrize(("cap", "depends"), [(Grade.POOR, False), (Grade.EXCELLENT, True)])
@pytest.mark.parametrize("flag", [Flag.DEPENDS_ON_PEERS, Flag.DEPENDS_ON_CUSTOMERS])
def test_where_a_veto_decides_the_grade_nothing_else_does(cap, depends, flag) -> None:
    weights = (50, 50, 0) if flag is Flag.DEPENDS_ON_PEERS else (50, 0, 50)
    card = score(scheme_with(weights), Evidence(supervisor=rated(G)), sheet_veto=SheetVeto(cap, "leak"))
    assert (flag in card.flags) is depends


def test_a_veto_hides_only_the_differences_above_its_cap() -> None:
    """Peers could lift good to excellent or lower it to fair; with a cap of good only the second is left to say."""
    scheme = replace(
        scheme_with((50, 50, 0)),
        cuts={Grade.EXCELLENT: Fraction(85), Grade.GOOD: Fraction(50), Grade.FAIR: Fraction(45)},
    )
    free = score(scheme, Evidence(supervisor=rated(G)))
    capped = score(scheme, Evidence(supervisor=rated(G)), sheet_veto=SheetVeto(Grade.GOOD, "leak"))
    assert Flag.DEPENDS_ON_PEERS in free.flags
    assert Flag.DEPENDS_ON_PEERS not in capped.flags


@pytest.mark.parametrize(
    ("cut", "error", "near"),
    [("69.995", "10.005", False), ("69.995", "10.0051", True), ("90.005", "10.005", False), ("90.005", "10.006", True)],
)
def test_the_margin_of_a_cut_is_kept_to_the_last_digit(cut, error, near) -> None:
    scheme = scheme_with((100, 0, 0))
    cuts = {Grade.EXCELLENT: Fraction(99), Grade.GOOD: Fraction("99.5"), Grade.FAIR: Fraction(cut)}
    card = score(replace(scheme, cuts=cuts), Evidence(supervisor=rated(G)), standard_error=Fraction(error))
    assert (Flag.NEAR_CUT in card.flags) is near


def test_a_rating_needs_every_criterion_and_says_which_is_missing() -> None:
    criteria = score(scheme_with((100, 0, 0)), Evidence()).criteria
    with pytest.raises(ValueError, match=r"^criterion c0 has no score$"):
        rating_of(criteria)


def test_criteria_are_found_by_their_keys_and_nothing_else() -> None:
    scheme = scheme_with((100, 0, 0), (98, 1, 1))
    card = score(scheme, Evidence(supervisor=rated(G, E)))
    assert (card.criterion("c1").score, scheme.criterion("c1").key) == (10000, "c1")
    for looked_up in (card.criterion, scheme.criterion):
        with pytest.raises(KeyError, match=r"^'c9'$"):
            looked_up("c9")
    found: Criterion = scheme.criterion("c1")
    assert [found.is_asked_of(one) for one in Source] == [True, True, True, True]
    assert [scheme.criterion("c0").is_asked_of(one) for one in Source] == [True, True, False, False]
    assert [scheme.points_of(level) for level in Level] == [100, 80, 60, 40]


@pytest.mark.parametrize(("share", "weights", "outgrows"), [("0.5", (100, 0, 0), False), ("0.499", (100, 0, 0), True)])
def test_the_sheet_outgrows_the_supervisor_only_where_it_weighs_more(share, weights, outgrows) -> None:
    assert scheme_with(weights, rating_share=share).kpi_outgrows_supervisor() is outgrows


def test_inputs_come_back_with_their_types() -> None:
    items = (
        KpiItem("a", Fraction(50), KpiRule.LAPSES, full=Fraction(10), cost=Fraction(5, 2), lapses=2, veto_at=3),
        KpiItem(
            "b",
            Fraction(50),
            KpiRule.BRACKETS,
            actual=Fraction(7),
            brackets=(Bracket(Fraction(0), Fraction(10)), Bracket(Fraction(5), Fraction(60))),
        ),
    )
    peers = (shown(70), Cell("c1", Shown("6", 500, 6)))
    said = ScoreInputs(Evidence(rated(E), rated(G, F), peers, {"c0": Tally(300, 15)}), items, (), (), None)
    back = read_inputs(said.plain())
    assert back == said
    assert type(back.items[0].lapses) is type(back.items[0].veto_at) is int
    line = (Line(Fraction(1, 3), "x"),)
    more = replace(said, bonus=line, deductions=line, sheet_veto=SheetVeto(Grade.FAIR, "leak"))
    assert read_inputs(more.plain()) == more


def test_exact_decimals_as_text() -> None:
    numbers = ("0.25", "12.5", "-3.125", "0.0001", "7")
    assert [exact_text(Fraction(number)) for number in numbers] == list(numbers)
    assert exact_text(Fraction(1, 10**30)) == "0." + "0" * 29 + "1"
    assert exact_text(Fraction(3, 40)) == "0.075"
    for endless in (Fraction(1, 3), Fraction(1, 30)):
        with pytest.raises(ValueError, match=r"^not a finite decimal$"):
            exact_text(endless)


def test_hundredths_as_text_and_other_places() -> None:
    assert [decimal_text(units) for units in (8794, 5, 0, -5, -8794, 10000)] == [
        *("87.94", "0.05", "0.00", "-0.05", "-87.94", "100.00")
    ]
    assert (decimal_text(87, 0), decimal_text(-8, 0), decimal_text(12345, 4)) == ("87", "-8", "1.2345")
    assert [half_up(number, 8) for number in (1, -1, 3, 0)] == [13, -13, 38, 0]
    assert weighted_mean([(1, Fraction(1, 2)), (Fraction(1, 2), Fraction(1, 3))]) == Fraction(4, 9)


def test_a_dumped_scheme_of_other_weights_is_the_same_scheme() -> None:
    scheme = scheme_with((60, 20, 20), (98, 1, 1))
    assert parse_scheme(dump_scheme(scheme)) == scheme
