"""Brings together what the four sources said, for a cycle or a team at once, in a constant number of queries."""

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from review.ballots import service as ballots
from review.domain.kpi_sheet import NO_SHEET, KpiPart
from review.domain.responses import Evidence
from review.domain.scheme_shape import Scheme
from review.domain.score_inputs import plain_inputs
from review.domain.scorecard import Scorecard
from review.domain.scoring import score
from review.responses import service as responses


def of_cycle(cycle_id: int) -> dict[int, Evidence]:
    """Every living review's evidence, by review. Peers come as published cells, as they do everywhere."""
    cells = ballots.cells_of(cycle_id)
    return {
        review_id: said.evidence(cells.get(review_id, ())) for review_id, said in responses.tallies(cycle_id).items()
    }


def among(cycle_id: int, review_ids: Collection[int], scheme: Scheme) -> dict[int, Evidence]:
    """The evidence of some reviews of a cycle, such as a supervisor's people."""
    cells = ballots.cells_of(cycle_id)
    tallies = responses.tallies_among(review_ids, scheme)
    return {review_id: said.evidence(cells.get(review_id, ())) for review_id, said in tallies.items()}


def of_review(review_id: int) -> Evidence:
    """One review's evidence."""
    return responses.tally(review_id).evidence(ballots.cells_of_review(review_id))


def inputs_of(said: Evidence, sheet: KpiPart = NO_SHEET) -> dict[str, Any]:
    """What a score is computed from, as it is hashed and kept with a publication."""
    return plain_inputs(said, sheet.items, sheet.bonus, sheet.deductions, sheet.veto)


def scored(scheme: Scheme, said: Evidence, sheet: KpiPart, error: Fraction) -> Scorecard:
    """The score of one review from what the sources said and from its KPI sheet."""
    return score(
        scheme,
        said,
        sheet.items,
        sheet.bonus,
        sheet.deductions,
        sheet.veto,
        standard_error=error,
        sheet_open=sheet.is_open,
    )
