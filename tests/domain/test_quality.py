"""A check's figures against hand calculation and the published rule; what keeps a check from being submitted."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.domain.quality import (
    Category,
    Cause,
    QualityForm,
    Sheet,
    compliance,
    mark_problems,
    outcome_of,
    points_of,
    problems_of,
)
from review.domain.records import Measured
from review.domain.vocabulary import Text


def words(text: str) -> Text:
    return Text(text, text)


def category(key: str, weight: int, scale: int, **more: object) -> Category:
    return Category(key, words(key), words(key), weight, tuple(words(str(n)) for n in range(scale)), **more)


FORM = QualityForm(
    "service",
    1,
    words("Service"),
    (
        category("tone", 10, 5),
        category("answer", 30, 4, may_be_left_out=False, is_critical=True),
        category("process", 20, 3, causes=(Cause("rush", words("rush")),)),
        category("shown", 0, 2),
    ),
)
WHOLE = {"tone": 4, "answer": 3, "process": 2, "shown": 1}


@pytest.mark.parametrize(
    ("scale", "points"),
    [
        (2, [0, 100]),
        (3, [0, 50, 100]),
        (4, [0, Fraction(100, 3), Fraction(200, 3), 100]),
        (5, [0, 25, 50, 75, 100]),
    ],
)
def test_every_scale_has_the_published_points_exactly(scale: int, points: list[Fraction]) -> None:
    assert [points_of(mark, scale) for mark in range(1, scale + 1)] == points


@pytest.mark.parametrize(("mark", "scale"), [(0, 3), (4, 3), (-1, 5), (1, 1), (1, 6)])
def test_no_mark_lies_off_its_scale(mark: int, scale: int) -> None:
    with pytest.raises(ValueError, match="lies on its scale"):
        points_of(mark, scale)


def test_a_check_is_the_weighted_mean_of_its_categories() -> None:
    """(10 * 75 + 30 * 200/3 + 20 * 50) / 60 = 3750 / 60 = 62.5; a category of weight 0 does not count."""
    found = outcome_of(FORM, WHOLE)
    assert found.score == Fraction(125, 2)
    assert found.figures == {"tone": 75, "answer": Fraction(200, 3), "process": 50, "shown": 0}
    assert found.failed == ()


def test_what_is_not_applicable_drops_out_of_both_sums() -> None:
    """(10 * 75 + 30 * 200/3) / 40 = 2750 / 40."""
    assert outcome_of(FORM, {**WHOLE, "process": None}).score == Fraction(2750, 40)
    assert outcome_of(FORM, {"answer": 4, "tone": None, "process": None, "shown": None}).score == 100


def test_thirds_stay_exact() -> None:
    """(10 * 0 + 30 * 200/3) / 40 = 50 exactly, where 66.7 would give 50.025."""
    assert outcome_of(FORM, {"tone": 1, "answer": 3, "process": None, "shown": None}).score == 50


def test_a_critical_category_below_half_sets_the_check_to_0_and_keeps_its_own_figure() -> None:
    found = outcome_of(FORM, {**WHOLE, "answer": 2})
    assert found.score == 0
    assert found.figures["answer"] == Fraction(100, 3)
    assert found.failed == ("answer",)
    assert found.without_failure == Fraction(10 * 75 + 30 * Fraction(100, 3) + 20 * 50, 60)


def test_half_is_not_below_half() -> None:
    half = QualityForm("f", 1, words("f"), (category("a", 1, 3, is_critical=True), category("b", 1, 2)))
    assert outcome_of(half, {"a": 2, "b": 2}).score == 75


def test_a_critical_category_of_weight_0_still_fails_the_check() -> None:
    gate = QualityForm("f", 1, words("f"), (category("a", 0, 2, is_critical=True), category("b", 5, 2)))
    assert outcome_of(gate, {"a": 1, "b": 2}).score == 0
    assert outcome_of(gate, {"a": None, "b": 2}).score == 100


def test_without_a_rated_weight_there_is_no_figure() -> None:
    found = outcome_of(FORM, {"tone": None, "process": None, "shown": 2})
    assert (found.score, found.without_failure) == (None, None)


@given(st.dictionaries(st.sampled_from(["tone", "answer", "process", "shown"]), st.integers(1, 2)))
def test_a_score_lies_between_the_rated_points(marks: dict[str, int]) -> None:
    found = outcome_of(FORM, marks)
    rated = [points for key, points in found.figures.items() if key != "shown"]
    if not rated:
        assert found.without_failure is None
    else:
        assert min(rated) <= found.without_failure <= max(rated)
        assert found.score == (0 if found.failed else found.without_failure)


def codes(sheet: Sheet) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.where) for problem in problems_of(FORM, sheet)]


def test_a_whole_sheet_has_no_problems() -> None:
    assert codes(Sheet({**WHOLE, "shown": 2})) == []


def test_all_that_is_missing_is_said_at_once() -> None:
    assert codes(Sheet({"tone": 1, "process": 1, "shown": None})) == [
        ("quality:mark_missing", "mark_answer"),
        ("quality:comment_missing", "comment_tone"),
        ("quality:comment_missing", "comment_process"),
        ("quality:cause_missing", "cause_process"),
    ]


def test_a_cause_must_be_one_of_the_form() -> None:
    said = Sheet({**WHOLE, "process": 1, "shown": 2}, {"process": "hurried"}, {"process": "weather"})
    assert codes(said) == [("quality:cause_missing", "cause_process")]
    assert codes(Sheet(said.marks, said.comments, {"process": "rush"})) == []


def test_blank_words_are_no_comment() -> None:
    assert ("quality:comment_missing", "comment_tone") in codes(Sheet({**WHOLE, "tone": 2}, {"tone": "  "}))


def test_what_must_be_rated_cannot_be_left_out_and_marks_lie_on_their_scale() -> None:
    assert codes(Sheet({**WHOLE, "answer": None, "shown": 2})) == [("quality:must_be_rated", "mark_answer")]
    assert codes(Sheet({**WHOLE, "shown": 3})) == [("form:choose_one", "mark_shown")]
    assert codes(Sheet({**WHOLE, "tone": 0, "shown": 2})) == [("form:choose_one", "mark_tone")]


def test_a_check_in_which_nothing_counts_is_refused() -> None:
    form = QualityForm("f", 1, words("f"), (category("a", 5, 3), category("b", 0, 3)))
    assert [problem.code for problem in mark_problems(form, {"a": None, "b": 2})] == ["quality:nothing_counts"]


def test_texts_without_end_are_refused() -> None:
    said = Sheet({**WHOLE, "shown": 2}, {"tone": "x" * 1001}, {}, "y" * 1001)
    assert codes(said) == [("form:too_long", "comment_tone"), ("form:too_long", "overall")]


def test_compliance_is_the_exact_mean_with_its_count() -> None:
    scores = [(Fraction(100, 3), 1), (Fraction(50), 2), (Fraction(0), 1)]
    assert compliance(scores) == Measured(Fraction(100, 3) / 4 + 25, Fraction(4))
    assert compliance([]) == Measured(None, Fraction(0))
