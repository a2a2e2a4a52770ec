"""What may be shown of small groups: never under the minimum, never found by subtracting from the total."""

from hypothesis import given
from hypothesis import strategies as st

from review.domain.survey_figures import Share, shown_groups

groups = st.dictionaries(st.integers(0, 30), st.integers(0, 40), max_size=12)


@given(groups, st.integers(1, 20))
def test_no_group_under_the_minimum_is_shown_or_found_by_subtracting(answered: dict[int, int], minimum: int) -> None:
    shown = shown_groups(answered, minimum)
    assert all(answered[key] == 0 or answered[key] >= minimum for key in shown)
    hidden = sum(count for key, count in answered.items() if key not in shown)
    assert hidden == 0 or hidden >= minimum or not any(answered[key] for key in shown)


def test_a_single_small_group_takes_the_smallest_large_one_with_it() -> None:
    assert shown_groups({"a": 40, "b": 20, "c": 3, "d": 0}, 15) == {"a", "d"}
    assert shown_groups({"a": 40, "b": 20, "c": 8, "d": 9}, 15) == {"a", "b"}
    assert shown_groups({"a": 40, "b": 20}, 15) == {"a", "b"}


def test_shares_are_rounded_half_up_once() -> None:
    assert [Share(n, 8).percent for n in (0, 1, 5, 8)] == ["0.0", "12.5", "62.5", "100.0"]
    assert Share(1, 16).percent == "6.3"
    assert (Share(0, 0).percent, Share(0, 0).interval) == (None, None)
    assert Share(19, 32).interval == ("42.3", "74.5")
