"""Seeded leaks that come into play when a cycle has closed: what the count should forget is remembered and used."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from flask import request

from review import app as assembly
from review.ballots import counting
from review.domain import geometry, responses
from review.domain.disclosure import Cell, Shown
from review.domain.vocabulary import Source
from review.results import evidence
from review.results import service as results
from review.schemes.library import builtin

Patch = pytest.MonkeyPatch


def withheld_means(patch: Patch) -> dict[tuple[int, str], Fraction]:
    """What the count should forget: the means of figures that are not published, by review and criterion."""
    known: dict[tuple[int, str], Fraction] = {}
    work_out = counting.work_out

    def remembering(scheme: Any, reviews: Any, seats: Any, said: Any, *rest: Any) -> Any:
        worth = {rule.level: rule.points for rule in scheme.levels}
        for review, ballots_about in said.items():
            for criterion in scheme.asked_of(Source.PEERS):
                answers = [getattr(one, "answers", one).get(criterion.key) for one in ballots_about]
                points = [worth[level] for level in answers if level is not None]
                if 0 < len(points) < scheme.minimums[Source.PEERS]:
                    known[review, criterion.key] = Fraction(sum(points), len(points))
        return work_out(scheme, reviews, seats, said, *rest)

    patch.setattr(counting, "work_out", remembering)
    return known


def hidden_mean_in_chart(patch: Patch) -> None:
    """The radar draws what the table beside it withholds."""
    known, keys = withheld_means(patch), [criterion.key for criterion in builtin().criteria]

    class Telling:
        def __getattr__(self, name: str) -> Any:
            return getattr(geometry, name)

        def radar(self, names: Any, series: Any) -> Any:
            review = (request.view_args or {}).get("review_id", 0)
            peers = [
                value if value is not None or (review, key) not in known else float(known[review, key])
                for key, value in zip(keys, series.get("peers", [None] * len(keys)), strict=True)
            ]
            return geometry.radar(names, {**series, "peers": peers})

    init_charts = assembly.init_charts

    def telling(environment: Any) -> None:
        init_charts(environment)
        environment.globals["geometry"] = Telling()

    patch.setattr(assembly, "init_charts", telling)


def suppressed_still_counted(patch: Patch) -> None:
    """A withheld figure is left out of the working, but not of the score."""
    known = withheld_means(patch)
    hidden = "0-4"
    of_cycle, of_review, working_of = evidence.of_cycle, evidence.of_review, results.working_of

    def with_hidden(review: int, said: Any) -> Any:
        cells = tuple(
            Cell(cell.criterion, Shown(hidden, mean.numerator, mean.denominator))
            if (mean := known.get((review, cell.criterion)))
            else cell
            for cell in said.peers
        )
        return replace(said, peers=cells)

    def masked(card: Any) -> Any:
        working = working_of(card)
        for line in working["criteria"]:
            peers = line["sources"]["peers"]
            if peers["n"] == hidden:
                nothing = {"points": None, "over": 1, "mean": None, "total": None, "weight_used": 0}
                peers |= {key: value for key, value in nothing.items() if key in peers}
                peers |= {"counted": False, "reason": "below_minimum"}
        return working

    patch.setattr(
        evidence, "of_cycle", lambda cycle: {key: with_hidden(key, said) for key, said in of_cycle(cycle).items()}
    )
    patch.setattr(evidence, "of_review", lambda review: with_hidden(review, of_review(review)))
    patch.setattr(results, "working_of", masked)


def exact_means(patch: Patch) -> None:
    """Figures without steps."""
    publish = responses.publish_cell
    patch.setattr(responses, "publish_cell", lambda *given, **_step: publish(*given[:4], step=None))


AT_THE_COUNT: dict[str, Callable[[Patch], None]] = {
    leak.__name__: leak for leak in (hidden_mean_in_chart, suppressed_still_counted, exact_means)
}
