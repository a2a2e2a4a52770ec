"""Brings together what the four sources said, a whole cycle at a time, in a constant number of queries."""

from review.ballots import service as ballots
from review.domain.responses import Evidence
from review.responses import service as responses


def of_cycle(cycle_id: int) -> dict[int, Evidence]:
    """Every living review's evidence, by review. Peers come as published cells, as they do everywhere."""
    cells = ballots.cells_of(cycle_id)
    return {
        review_id: said.evidence(cells.get(review_id, ())) for review_id, said in responses.tallies(cycle_id).items()
    }


def of_review(review_id: int) -> Evidence:
    """One review's evidence."""
    return responses.tally(review_id).evidence(ballots.cells_of_review(review_id))
