"""The quick way to official scores in plain integers says what the method that explains them says."""

from random import Random

import pytest

from review.domain.disclosure import Shown
from review.domain.official import rater_of
from review.domain.responses import Evidence
from review.domain.scheme import Scheme
from review.domain.scoring import score
from review.domain.vocabulary import STAR_POINTS, Source
from tests.make_scores import random_case

WORLDS = range(400)


def rated(scheme: Scheme, said: Evidence) -> int | None:
    """The quick way, from the same evidence."""
    worth = {rule.level: rule.points for rule in scheme.levels}
    figures = {cell.criterion: cell.figure for cell in said.peers}
    ratings = []
    for criterion in scheme.criteria:
        given = [worth[level] for one in said.supervisor if (level := one.get(criterion.key)) is not None]
        ratings.append((sum(given), len(given)))
    customers, peers = [], []
    for criterion in scheme.asked_of(Source.CUSTOMERS):
        tally = said.customers.get(criterion.key)
        customers += [tally.total // STAR_POINTS, tally.count] if tally else [0, 0]
    for criterion in scheme.asked_of(Source.PEERS):
        figure = figures.get(criterion.key)
        peers += [figure.points, figure.over] if isinstance(figure, Shown) else [0, 0]
    return rater_of(scheme)(len(said.supervisor), ratings, customers, peers)


@pytest.mark.parametrize("seed", WORLDS)
def test_both_ways_lead_to_the_same_number(seed):
    case = random_case(Random(seed))
    said = case.evidence()
    assert rated(case.scheme, said) == score(case.scheme, said).score


def test_the_worlds_hold_scores_and_reasons_for_none():
    cases = [random_case(Random(seed)) for seed in WORLDS]
    cards = [score(case.scheme, case.evidence()) for case in cases]
    assert {card.withheld and card.withheld.value for card in cards} >= {None, "supervisor_incomplete"}
    assert sum(card.score is not None for card in cards) > 50
    assert any(len(case.supervisor) > 1 for case in cases)


def test_a_tie_is_rounded_up_in_integers_too():
    """Shares of 1 and seven, levels and stars that end in exactly half a hundredth."""
    found = 0
    for seed in range(2000):
        case = random_case(Random(f"tie {seed}"))
        said = case.evidence()
        card = score(case.scheme, said)
        exact = card.rating_exact
        if exact is not None and (exact * 10_000) % 100 == 50:
            found += 1
            assert rated(case.scheme, said) == card.score
    assert found > 3
