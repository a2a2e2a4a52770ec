"""Agreement of a calibration round against an independent library, published rules and hand calculation."""

from fractions import Fraction

import krippendorff
import numpy
import pytest
from sklearn.metrics import cohen_kappa_score

from review.domain.quality import Category, QualityForm, points_of
from review.domain.quality_agreement import (
    Word,
    agreement_of,
    word_of_alpha,
    word_of_kappa,
    word_of_rwg,
)
from review.domain.vocabulary import Text


def category(key: str, scale: int) -> Category:
    text = Text(key, key)
    return Category(key, text, text, 10, tuple(text for _ in range(scale)))


FORM = QualityForm("f", 1, Text("f", "f"), (category("a", 4), category("b", 5)))
# person -> ticket -> (a, b); None is "not applicable"
MARKS = {
    1: {10: (4, 5), 11: (3, 3), 12: (1, 2), 13: (2, None)},
    2: {10: (4, 4), 11: (3, 3), 12: (2, 2), 13: (2, 1)},
    3: {10: (3, 5), 11: (3, 4), 12: (1, 1), 13: (None, 2)},
}
ANSWERS = {
    (person, ticket): {"a": a, "b": b} for person, tickets in MARKS.items() for ticket, (a, b) in tickets.items()
}


def column(key: str) -> list[list[float]]:
    """The marks of one category, raters x tickets, missing as NaN."""
    place = "ab".index(key)
    found = [[MARKS[person][ticket][place] for ticket in sorted(MARKS[1])] for person in sorted(MARKS)]
    return [[float("nan") if mark is None else float(mark) for mark in row] for row in found]


@pytest.mark.parametrize("key", ["a", "b"])
def test_alpha_of_a_category_is_that_of_the_library(key: str) -> None:
    found = next(one for one in agreement_of(FORM, ANSWERS).categories if one.key == key)
    wanted = krippendorff.alpha(numpy.array(column(key)), level_of_measurement="ordinal")
    assert float(found.alpha) == pytest.approx(wanted, abs=1e-12)


def test_alpha_over_all_categories_is_ordinal_over_their_points() -> None:
    rows = []
    for person in sorted(MARKS):
        marks = [(MARKS[person][ticket][0], 4) for ticket in sorted(MARKS[1])]
        marks += [(MARKS[person][ticket][1], 5) for ticket in sorted(MARKS[1])]
        rows.append([float("nan") if mark is None else float(points_of(mark, scale)) for mark, scale in marks])
    wanted = krippendorff.alpha(numpy.array(rows), level_of_measurement="ordinal")
    assert float(agreement_of(FORM, ANSWERS).alpha) == pytest.approx(wanted, abs=1e-12)


def test_r_wg_is_the_mean_over_the_tickets_that_two_marked() -> None:
    """Category a: variances 1/3, 0, 1/3, 0 against (16 - 1) / 12 = 5/4; the mean of 11/15, 1, 11/15, 1 is 13/15."""
    found = next(one for one in agreement_of(FORM, ANSWERS).categories if one.key == "a")
    assert found.rwg == Fraction(13, 15)


def test_the_share_of_same_marks_counts_pairs() -> None:
    """Category a: ticket 10 has 1 of 3 pairs, 11 has 3 of 3, 12 has 1 of 3, 13 has 1 of 1: 6 of 10."""
    found = next(one for one in agreement_of(FORM, ANSWERS).categories if one.key == "a")
    assert (found.same, found.pairs) == (Fraction(6, 10), 10)


def test_kappa_of_a_pair_is_quadratic_over_points_of_unequal_scales() -> None:
    pair = agreement_of(FORM, ANSWERS).pairs[0]
    assert (pair.first, pair.second, pair.count) == (1, 2, 7)
    mine, theirs = [], []
    for ticket, (a, b) in MARKS[1].items():
        for own, other, scale in ((a, MARKS[2][ticket][0], 4), (b, MARKS[2][ticket][1], 5)):
            if own is not None and other is not None:
                mine.append(int(points_of(own, scale) * 12 / 100))
                theirs.append(int(points_of(other, scale) * 12 / 100))
    wanted = cohen_kappa_score(mine, theirs, weights="quadratic", labels=list(range(13)))
    assert float(pair.kappa) == pytest.approx(wanted, abs=1e-12)


def test_full_agreement_is_1_and_marks_that_never_vary_are_not_defined() -> None:
    same = {(person, ticket): {"a": mark, "b": 3} for person in (1, 2) for ticket, mark in ((10, 1), (11, 4))}
    found = agreement_of(FORM, same)
    assert (found.same, found.categories[0].alpha, found.pairs[0].kappa) == (1, 1, 1)
    assert (found.categories[1].alpha, found.categories[1].rwg) == (None, 1)


def test_one_rater_agrees_with_nobody() -> None:
    found = agreement_of(FORM, {(1, 10): {"a": 2, "b": 3}})
    assert (found.alpha, found.same, found.pairs) == (None, None, ())
    assert found.categories[0].rwg is None


def test_who_was_asked_about_other_tickets_shares_no_pair() -> None:
    found = agreement_of(FORM, {(1, 10): {"a": 2}, (2, 11): {"a": 2}})
    assert found.alpha is None
    assert (found.pairs[0].kappa, found.pairs[0].count) == (None, 0)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("1", Word.STRONG),
        ("0.8", Word.STRONG),
        ("0.799", Word.MODERATE),
        ("0.667", Word.MODERATE),
        ("0.666", Word.WEAK),
    ],
)
def test_words_for_alpha(value: str, word: Word) -> None:
    assert word_of_alpha(Fraction(value)) is word


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("0.95", Word.VERY_STRONG),
        ("0.9", Word.STRONG),
        ("0.70", Word.MODERATE),
        ("0.5", Word.WEAK),
        ("0.3", Word.NONE),
    ],
)
def test_words_for_r_wg(value: str, word: Word) -> None:
    assert word_of_rwg(Fraction(value)) is word


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("0.81", Word.VERY_STRONG),
        ("0.8", Word.STRONG),
        ("0.6", Word.MODERATE),
        ("0.4", Word.WEAK),
        ("0.2", Word.NONE),
        ("-0.5", Word.NONE),
    ],
)
def test_words_for_kappa(value: str, word: Word) -> None:
    assert word_of_kappa(Fraction(value)) is word


def test_nothing_has_no_word() -> None:
    assert (word_of_alpha(None), word_of_rwg(None), word_of_kappa(None)) == (None, None, None)
