"""The standard error of published ratings, and which one a cycle goes by when it looks for scores near a cut."""

from collections.abc import Sequence
from fractions import Fraction

from sqlalchemy import select

from review.cycles.tables import CycleRow
from review.domain.measurement import Precision, precision_of
from review.domain.peer_figures import CycleFigure
from review.domain.rounding import half_up
from review.domain.scheme_shape import Scheme
from review.domain.scoring import DEFAULT_ERROR
from review.domain.statistics.groups import variation_of
from review.domain.vocabulary import COUNTING, Source
from review.infra.db import db
from review.responses.spread import Spread, customers_spread
from review.results.replay import Told, told_in
from review.results.tables import PublicationRow, ScorecardRow
from review.results.teams import agreement_in
from review.schemes.service import scheme_of


def error_for(cycle: CycleRow) -> Fraction:
    """The standard error of R that this cycle's scores near a cut go by.

    Taken once, when the cycle is scored, and kept with its scorecards, so that a later one goes by the same: that of
    the last cycle published over an earlier period, DEFAULT_ERROR where there is none or one of too few people.
    """
    kept = select(ScorecardRow.working["standard_error"].as_string()).where(ScorecardRow.cycle_id == cycle.id)
    before = select(CycleRow.id).where(
        CycleRow.id.in_(select(PublicationRow.cycle_id)), CycleRow.period_start < cycle.period_start
    )
    newest = before.order_by(CycleRow.period_start.desc(), CycleRow.id.desc()).limit(1)
    here = select(kept.limit(1).scalar_subquery().label("taken")).subquery()
    both = select(here.c.taken, CycleRow).outerjoin(CycleRow, CycleRow.id == newest.scalar_subquery())
    taken, last = db.session.execute(both).one()
    return Fraction(taken) if taken else _error_of(last)


def _error_of(last: CycleRow | None) -> Fraction:
    """That of a published cycle."""
    if last is None:
        return DEFAULT_ERROR
    scheme = scheme_of(last.scheme_id)
    scored = [told for told in told_in(last) if told.score is not None]
    found = precision_of_told(scheme, scored, customers_spread(last, scheme), agreement_in(last.id))
    return DEFAULT_ERROR if found is None else Fraction(round(100 * found.error), 100)


def precision_of_told(
    scheme: Scheme, scored: Sequence[Told], spread: Spread, kept: Sequence[CycleFigure]
) -> Precision | None:
    """The standard error of these results, with customers' sums and what was kept of peers; None for too few people."""
    people = [contributions_of(told) for told in scored]
    return precision_of(people, _of_customers(scheme, scored, spread), _of_peers(scheme, scored, kept))


def contributions_of(told: Told) -> dict[Source, int]:
    """What each source added to one person's rating, in ten-thousandths of a point."""
    shares = sum(line["share"] for line in told.criteria)
    added = dict.fromkeys(COUNTING, Fraction(0))
    for line in told.criteria:
        parts = {source: part for source in COUNTING if (part := line["sources"][source.value])["counted"]}
        weight = sum(part["weight"] for part in parts.values())
        for source, part in parts.items():
            added[source] += Fraction(line["share"] * part["weight"] * part["points"], shares * weight * part["over"])
    return {source: half_up(one.numerator, one.denominator, 4) for source, one in added.items()}


def _of_customers(scheme: Scheme, scored: Sequence[Told], spread: Spread) -> tuple[Fraction, Fraction]:
    """The pooled variance of one customer's contribution to R (points²), and the mean of 1/n."""
    within = variation_of(spread.contributions).within or Fraction(0)
    shares = sum(criterion.share for criterion in scheme.criteria)
    return within / (100 * shares) ** 2, _each(scored, Source.CUSTOMERS)


def _of_peers(
    scheme: Scheme, scored: Sequence[Told], kept: Sequence[CycleFigure]
) -> tuple[list[tuple[Fraction, Fraction]], Fraction]:
    """By criterion the weight in R and the pooled variance of one ballot, and the mean of 1/n."""
    shares = sum(criterion.share for criterion in scheme.criteria)
    weighed = []
    for figure in kept:
        criterion = scheme.criterion(figure.criterion)
        weight = Fraction(criterion.share * criterion.weights[Source.PEERS], 100 * shares)
        weighed.append((weight, Fraction(figure.variance, 100)))
    return weighed, _each(scored, Source.PEERS)


def _each(scored: Sequence[Told], source: Source) -> Fraction:
    """The mean of 1/n over everybody about whom the source counts, 0 for others; of a range its lowest n."""
    parts = []
    for told in scored:
        lines = [part for line in told.criteria if (part := line["sources"][source.value])["counted"]]
        parts += [Fraction(1, min(_least(part["n"]) for part in lines))] if lines else []
    return sum(parts, Fraction(0)) / len(scored) if scored else Fraction(0)


def _least(n: int | str) -> int:
    return n if isinstance(n, int) else int(n.split("-")[0].rstrip("+"))
