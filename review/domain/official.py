"""The official rating of many people in plain integers: the same numbers as `scoring.score`, without their working.

`scoring.score` explains one score; this recomputes the scores of a whole company from sums and counts, for checks. That
both say the same is a law of the tests.
"""

from collections.abc import Callable, Sequence

from review.domain.rounding import half_up
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import STAR_POINTS, Source

LEAST_WEIGHT = 50  # percent of a criterion's weight, under which it has no score
Ratings = Sequence[tuple[int, int]]  # by criterion: points of all supervisors who gave a level, and how many did
Flat = Sequence[int]  # by criterion that the source is asked about: sum, count, sum, count …; a count of 0 is silence

Rate = Callable[[int, Ratings, Flat, Flat], int | None]


def rater_of(scheme: Scheme) -> Rate:
    """A function (supervisors who rated, their ratings, customers' stars, peers' figures) -> rating, or None.

    The rating is in hundredths; None where `scoring.score` withholds the score. A peers' figure is (points, over), (0,
    0) where it is withheld. Plain tuples, because a company has hundreds of thousands of them.
    """
    rules = []
    asked = {source: list(scheme.asked_of(source)) for source in (Source.PEERS, Source.CUSTOMERS)}
    for c in scheme.criteria:
        rule = [c.share, c.weights[Source.SUPERVISOR]]
        for source, criteria in asked.items():
            rule += [c.weights[source], 2 * criteria.index(c) if c in criteria else 0]
        rules.append(tuple(rule))
    shares, required = sum(c.share for c in scheme.criteria), scheme.supervisors_required
    least = scheme.minimums[Source.CUSTOMERS]

    def rate(supervisors: int, ratings: Ratings, customers: Flat, peers: Flat) -> int | None:
        top, below = 0, 1
        wanted = supervisors if supervisors > required else required
        for (share, weight, by_peers, p, by_customers, c), (points, given) in zip(rules, ratings, strict=True):
            if given < wanted:
                return None
            total, over = weight * points, given
            if by_peers and (among := peers[p + 1]):
                weight += by_peers  # noqa: PLW2901
                total, over = total * among + by_peers * peers[p] * over, over * among
            if by_customers and (n := customers[c + 1]) >= least:
                weight += by_customers  # noqa: PLW2901
                total, over = total * n + by_customers * STAR_POINTS * customers[c] * over, over * n
            if weight < LEAST_WEIGHT:
                return None
            over *= weight
            top, below = top * over + share * total * below, below * over
        return half_up(top, below * shares)

    return rate
