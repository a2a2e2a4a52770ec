"""A scheme as it might have been: what may be tried on a past cycle, and what its stored figures cannot answer."""

from dataclasses import replace
from fractions import Fraction

import pytest

from review.domain.refusals import Invalid
from review.domain.scheme import sealed
from review.domain.supposition import supposed, supposition_of
from review.domain.vocabulary import Grade, Level, Source
from review.schemes.library import builtin

SCHEME = builtin()
AS_IS = supposition_of(SCHEME)
SUPERVISOR, PEERS, CUSTOMERS = Source.SUPERVISOR, Source.PEERS, Source.CUSTOMERS


def with_weights(key, **weights):
    row = {**AS_IS.weights[key], **{Source(name): text for name, text in weights.items()}}
    return replace(AS_IS, weights={**AS_IS.weights, key: row})


def refused(wanted, scheme=SCHEME):
    with pytest.raises(Invalid) as caught:
        supposed(scheme, wanted)
    return {(problem.code, problem.where) for problem in caught.value.problems}


def test_nothing_changed_is_the_scheme_itself():
    assert supposed(SCHEME, AS_IS) == SCHEME


def test_weights_shares_cuts_and_the_minimum_of_customers_may_be_tried():
    wanted = with_weights("communication", supervisor="60", customers="40")
    wanted = replace(wanted, shares={**AS_IS.shares, "communication": "40"}, customers="5")
    wanted = replace(wanted, cuts={**AS_IS.cuts, Grade.EXCELLENT: "87.5"})
    made = supposed(SCHEME, wanted)
    assert made.criterion("communication").weights == {SUPERVISOR: 60, PEERS: 0, CUSTOMERS: 40}
    assert made.criterion("communication").share == 40
    assert made.cuts[Grade.EXCELLENT] == Fraction("87.5")
    assert made.minimums == {PEERS: 5, CUSTOMERS: 5}


def test_a_source_may_be_left_out_altogether():
    made = supposed(SCHEME, with_weights("interpersonal_coordination", supervisor="100", peers="0"))
    assert made.criterion("interpersonal_coordination").weights[PEERS] == 0


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"peers": "4"}, "minimums.peers"),
        ({"peers": ""}, "minimums.peers"),
        ({"stepped": False}, "peer_step"),
        ({"points": {**AS_IS.points, Level.GOOD: "75"}}, "levels[1].points"),
    ],
)
def test_what_went_into_the_figures_of_peers_cannot_be_tried(changes, place):
    assert ("diagnostics:peers_fixed", place) in refused(replace(AS_IS, **changes))


def test_where_no_peer_was_asked_levels_may_have_other_points():
    alone = [
        replace(one, weights={SUPERVISOR: 100 - one.weights[CUSTOMERS], PEERS: 0, CUSTOMERS: one.weights[CUSTOMERS]})
        for one in SCHEME.criteria
    ]
    scheme = sealed(replace(SCHEME, criteria=tuple(alone)))
    is_ = supposition_of(scheme)
    made = supposed(scheme, replace(is_, points={**is_.points, Level.GOOD: "75"}, stepped=False, peers="8"))
    assert made.points_of(Level.GOOD) == 75


@pytest.mark.parametrize(("source", "at"), [("peers", 1), ("customers", 3)])
def test_who_was_never_asked_cannot_be_given_a_weight(source, at):
    key = SCHEME.criteria[at].key
    wanted = with_weights(key, supervisor="40", **{source: "10"})
    assert ("diagnostics:never_asked", f"criteria[{at}].weights.{source}") in refused(wanted)


def test_every_problem_is_told_at_once_with_its_place():
    wanted = replace(with_weights("communication", customers="20"), peers="4", customers="x")
    wanted = replace(wanted, cuts={**AS_IS.cuts, Grade.GOOD: "60"})
    assert refused(wanted) == {
        ("diagnostics:peers_fixed", "minimums.peers"),
        ("schemes:weights_sum", "criteria[1].weights"),
        ("schemes:not_a_number", "minimums.customers"),
        ("schemes:cut_between_anchors", "cuts.good"),
    }
