"""The release auditor: whoever reads all that is published learns no answer, and what is hidden changes no byte.

The leaks at the end are patches to the product; the same auditor, which is not told of them, must catch each.
"""

import dataclasses
import random
import sys
from collections.abc import Callable
from fractions import Fraction

import pytest

from review.domain import disclosure, peer_words, responses, suppression
from review.domain.disclosure import Cell, Shown, WhyWithheld, Withheld
from review.domain.enumeration import price_of
from review.domain.suppression import TeamFigure
from review.reports import result_page
from review.results import working
from tests.adversary.release import (
    Findings,
    audit,
    cells_of,
    exact_shares,
    is_certain,
    publish,
    publish_cycle,
    random_cycle,
    with_other_hidden_ballots,
)

CYCLES, LEAKING, ALL = 200, 12, 10_000
SHARE = Fraction(1, 200)  # of figures that give one answer to two raters who compare notes, at the default minimum
SAMPLED = 0.006


def assert_nothing_is_learned(found: Findings) -> None:
    assert (found.outsider, found.one_rater, found.recoverable, found.changed) == (0, 0, 0, 0), found
    assert found.share_of_pairs <= SAMPLED, found


def test_random_cycles_give_nobody_an_answer_and_hide_what_they_hide() -> None:
    found = audit(range(CYCLES))
    assert_nothing_is_learned(found)
    assert found.figures > 2 * CYCLES
    assert found.hidden > CYCLES
    assert found.pairs > CYCLES


@pytest.mark.full
@pytest.mark.parametrize("tenth", range(10))
def test_ten_thousand_random_cycles(tenth: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = audit(range(tenth * ALL // 10, (tenth + 1) * ALL // 10))
    with capsys.disabled():
        sys.stdout.write(f"\n{found}, pairs {100 * found.share_of_pairs:.3f} %\n")
    assert_nothing_is_learned(found)


@pytest.mark.parametrize("ballots", [5, 6, 7, 8, 9, 13])
def test_of_all_ways_to_answer_two_raters_learn_from_one_figure_in_two_hundred(ballots: int) -> None:
    """Through the whole pipeline, where the price of a minimum asks the steps alone: both say the same."""
    outsider, one_rater, two_raters = exact_shares(ballots)
    assert (outsider, one_rater) == (0, 0)
    assert two_raters <= SHARE
    price = price_of(ballots)
    assert (price.outsider, price.one_rater, price.two_raters) == (outsider, one_rater, two_raters)


def test_neither_the_order_of_ballots_nor_that_of_words_changes_a_byte() -> None:
    for seed in range(20):
        dice = random.Random(f"order {seed}")
        cycle = random_cycle(dice)
        mixed = tuple(
            dataclasses.replace(
                review,
                ballots=tuple(dice.sample(review.ballots, len(review.ballots))),
                words=tuple(dice.sample(review.words, len(review.words))),
            )
            for review in cycle.reviews
        )
        assert publish_cycle(dataclasses.replace(cycle, reviews=mixed)) == publish_cycle(cycle)


def test_the_auditor_changes_what_is_hidden_and_only_that() -> None:
    changed = 0
    for seed in range(20):
        dice = random.Random(f"hidden {seed}")
        cycle = random_cycle(dice)
        other = with_other_hidden_ballots(cycle, dice)
        for before, after in zip(cycle.reviews, other.reviews, strict=True):
            assert cells_of(before) == cells_of(after)
            changed += before.ballots != after.ballots
    assert changed > 20


# ---- its teeth ------------------------------------------------------------------------------------------------------

Patch = pytest.MonkeyPatch
PUBLISH_CELL = responses.publish_cell
WORKING_SOURCE = working._source
RADAR = result_page.radar_sources


def exact_means(patch: Patch) -> None:
    patch.setattr(responses, "publish_cell", lambda key, points, least, panel, _step: PUBLISH_CELL(
        key, points, least, panel, None
    ))  # fmt: skip


def exact_mean_counted_and_a_step_shown(patch: Patch) -> None:
    """A total less its known parts gives the mean: only the working of peers is stepped."""
    exact_means(patch)

    def stepped(line):
        told = WORKING_SOURCE(line)
        if line.reason is None and isinstance(line.n, int) and told["weight"] in {14, 20, 50}:
            points, _ = disclosure.stepped(line.points, line.over)
            told |= {"n": "5+", "points": points, "over": 1, "mean": 100 * points}
        return told

    patch.setattr(working, "_source", stepped)


def _hidden_cells_with_numbers(patch: Patch) -> None:
    def with_number(key, points, least, panel, step):
        cell = PUBLISH_CELL(key, points, least, panel, step)
        hidden = isinstance(cell.figure, Withheld) and points
        return Cell(key, Shown("0-4", sum(points), len(points))) if hidden else cell

    patch.setattr(responses, "publish_cell", with_number)


def suppressed_source_counted(patch: Patch) -> None:
    """Hidden in the working, but part of the score."""
    _hidden_cells_with_numbers(patch)

    def hidden(line):
        told = WORKING_SOURCE(line)
        if line.n == "0-4":
            told |= {"points": None, "over": 1, "mean": None, "counted": False, "weight_used": 0}
        return told

    patch.setattr(working, "_source", hidden)


def hidden_mean_in_chart_data(patch: Patch) -> None:
    """The radar is given what the page withholds."""
    said: dict[str, list[int]] = {}

    def remembering(key, points, least, panel, step):
        said[key] = list(points)
        return PUBLISH_CELL(key, points, least, panel, step)

    patch.setattr(responses, "publish_cell", remembering)
    patch.setattr(
        result_page, "radar_sources", lambda page: [*RADAR(page), {key: sum(all_) for key, all_ in said.items()}]
    )


def number_of_ballots_told(patch: Patch) -> None:
    """Under the minimum the plain count instead of its range."""

    def telling(key, points, least, panel, step):
        cell = PUBLISH_CELL(key, points, least, panel, step)
        if isinstance(cell.figure, Withheld) and len(points) % 2:
            return Cell(key, Withheld(WhyWithheld.PANEL_TOO_SMALL))
        return cell

    patch.setattr(responses, "publish_cell", telling)


def minimum_of_three_forgotten(patch: Patch) -> None:
    patch.setattr(
        responses, "publish_cell", lambda key, points, _least, _panel, step: PUBLISH_CELL(key, points, 3, 99, step)
    )


def words_of_few_ballots(patch: Patch) -> None:
    patch.setattr(peer_words, "comments_of", lambda scheme, review, words, _ballots, _panel: tuple(sorted(words)))


def every_large_team_shown(patch: Patch) -> None:
    """Primary suppression alone: a parent less its other children gives the small one."""

    def primary(parents, members):
        tree = suppression._Tree(parents, members)
        return {
            team: TeamFigure("5-9", 80, None) if len(people) >= suppression.FEWEST else None
            for team, people in tree.people.items()
        }

    patch.setattr(suppression, "team_figures", primary)


LEAKS: dict[Callable[[Patch], None], Callable[[Findings], bool]] = {
    exact_means: lambda found: found.one_rater > 0,
    exact_mean_counted_and_a_step_shown: lambda found: found.one_rater > 0,
    suppressed_source_counted: lambda found: found.one_rater + found.changed > 0,
    hidden_mean_in_chart_data: lambda found: found.changed > 0,
    number_of_ballots_told: lambda found: found.changed > 0,
    minimum_of_three_forgotten: lambda found: found.one_rater > 0 or found.share_of_pairs > SAMPLED,
    words_of_few_ballots: lambda found: found.changed > 0,
    every_large_team_shown: lambda found: found.recoverable > 0,
}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_each_leak_is_caught(leak: Callable[[Patch], None], monkeypatch: Patch) -> None:
    leak(monkeypatch)
    found = audit(range(LEAKING))
    assert LEAKS[leak](found), found
    with pytest.raises(AssertionError):
        assert_nothing_is_learned(found)


def test_an_exact_mean_makes_more_than_a_step_does_of_all_ways_to_answer(monkeypatch: Patch) -> None:
    exact_mean_counted_and_a_step_shown(monkeypatch)
    outsider, one_rater, two_raters = exact_shares(5)
    assert outsider > 0
    assert one_rater > 0
    assert two_raters > 5 * SHARE
    assert two_raters == price_of(5, None).two_raters


def test_the_attacker_finds_the_one_answer_that_is_known_to_leak() -> None:
    """Two who gave 40 see 60 or lower told as 70: the other three must all have given 100 … or so they hope."""
    for seed in range(400):
        dice = random.Random(f"natural {seed}")
        cycle = random_cycle(dice)
        for review in cycle.reviews:
            for cell in cells_of(review):
                if not isinstance(cell.figure, Shown):
                    continue
                places = [n for n, ballot in enumerate(review.ballots) if ballot.get(cell.criterion) is not None]
                rest = {review.ballots[place][cell.criterion] for place in places[2:]}
                if len(rest) == 1 and is_certain(review, cell.criterion, places[:2], publish):
                    return
    pytest.fail("a figure that gives two raters an answer exists at five ballots; the attacker never found one")
