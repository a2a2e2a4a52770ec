"""What weights of a KPI plan could be: the repair offered where they are not 100 or satisfaction is too light."""

from collections.abc import Sequence
from fractions import Fraction

from review.domain.kpi_plan_shape import PlanRow
from review.domain.scheme_shape import Scheme
from review.domain.vocabulary import Source

WHOLE = 100


def fitted(weights: Sequence[Fraction], is_satisfaction: Sequence[bool], least: int = 30) -> tuple[int, ...] | None:
    """The weights in proportion, in whole percent, 100 together, those of satisfaction at least `least` together.

    None where that cannot be: without any row of satisfaction, or with more rows than percents. Every row keeps at
    least one percent, also one that weighs nothing yet. Ties go to the earlier row.
    """
    if not any(is_satisfaction) or not weights or len(weights) > WHOLE:
        return None
    whole = _shared(weights, WHOLE)
    told = [place for place, counts in enumerate(is_satisfaction) if counts]
    others = [place for place, counts in enumerate(is_satisfaction) if not counts]
    if sum(whole[place] for place in told) >= least:
        return tuple(whole)
    if len(others) > WHOLE - least:
        return None
    for places, total in ((told, least if others else WHOLE), (others, WHOLE - least)):
        for place, share in zip(places, _shared([weights[place] for place in places], total), strict=True):
            whole[place] = share
    return tuple(whole)


def _shared(weights: Sequence[Fraction], total: int) -> list[int]:
    """`total` in whole parts by weights, by largest remainder, nobody under one."""
    if not weights:
        return []
    spare = total - len(weights)
    above = [max(Fraction(0), weight) for weight in weights]
    heavy = sum(above) or Fraction(len(above))
    wanted = [max(Fraction(0), (weight if sum(above) else Fraction(1)) * total / heavy - 1) for weight in above]
    scale = sum(wanted)
    exact = [part * spare / scale if scale else Fraction(spare, len(wanted)) for part in wanted]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_rest[: spare - sum(parts)]:
        parts[place] += 1
    return [part + 1 for part in parts]


def customers_share(scheme: Scheme, rows: tuple[PlanRow, ...], satisfaction: Fraction) -> Fraction:
    """What customers weigh in the total, in percent: in the rating as a source, in the sheet as satisfaction."""
    if not rows:
        return scheme.overall_weight(Source.CUSTOMERS)
    return scheme.rating_share * scheme.overall_weight(Source.CUSTOMERS) + (1 - scheme.rating_share) * satisfaction
