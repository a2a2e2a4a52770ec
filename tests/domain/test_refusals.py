"""A refusal carries codes and places, all of them at once, and no words for people."""

import pytest

from review.domain.refusals import Invalid, NotYet, Problem, Refusal


def test_a_refusal_is_made_of_a_code_a_place_and_parameters():
    refusal = Invalid("scoring:unknown_level", "peers[2]", level="superb")
    assert refusal.code == "scoring:unknown_level"
    assert refusal.problems == (Problem("scoring:unknown_level", "peers[2]", {"level": "superb"}),)


def test_a_refusal_carries_every_unmet_need():
    refusal = NotYet.of([Problem("cycles:no_people"), Problem("cycles:no_dates", "closes_at")])
    assert isinstance(refusal, NotYet)
    assert [problem.code for problem in refusal.problems] == ["cycles:no_people", "cycles:no_dates"]
    assert str(refusal) == "cycles:no_people; cycles:no_dates at closes_at"


def test_a_refusal_without_a_problem_cannot_be_made():
    with pytest.raises(ValueError, match="at least one problem"):
        Refusal.of([])


def test_problems_can_be_kept_in_a_set():
    assert len({Problem("a:b", None, {"n": 1}), Problem("a:b", None, {"n": 1})}) == 1
