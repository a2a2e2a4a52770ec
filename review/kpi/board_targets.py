"""What the board takes from KPI plans: each person's targets from their latest sheet, and the weights in use."""

from collections.abc import Collection
from fractions import Fraction

from sqlalchemy import select

from review.cycles.tables import CycleRow, ReviewRow
from review.domain.cycle import Stage
from review.domain.records import Indicator
from review.helpdesk.sums import CHUNK
from review.infra.db import db
from review.kpi.tables import CyclePlanRow, FigureRow, SheetRow, StoredPlanRow

_KNOWN = frozenset(Indicator)
Aims = dict[Indicator, tuple[Fraction | None, Fraction | None]]


def weights_in_use() -> dict[str, Fraction]:
    """How much a ticket of each type counts, by the plan of the cycle with the latest period. One query."""
    latest = (
        select(StoredPlanRow.body)
        .join(CyclePlanRow, CyclePlanRow.plan_id == StoredPlanRow.id)
        .join(CycleRow, CycleRow.id == CyclePlanRow.cycle_id)
        .where(CycleRow.stage != Stage.CANCELLED)
        .order_by(CycleRow.period_end.desc(), CycleRow.id.desc())
    )
    body = db.session.scalar(latest.limit(1)) or {}
    return {kind: Fraction(str(weight)) for kind, weight in body.get("difficulty", {}).items()}


def aims_of(people: Collection[int]) -> dict[int, Aims]:
    """Target and limit by indicator, of each person's sheet with the latest period. One query.

    A volume is aimed at for the whole period of its cycle and says nothing about a month; it is left out.
    """
    query = (
        select(ReviewRow.subject_id, CycleRow.period_end, FigureRow, StoredPlanRow.body)
        .join(SheetRow, SheetRow.review_id == ReviewRow.id)
        .join(FigureRow, FigureRow.review_id == SheetRow.review_id)
        .join(StoredPlanRow, StoredPlanRow.id == SheetRow.plan_id)
        .join(CycleRow, CycleRow.id == ReviewRow.cycle_id)
        .where(ReviewRow.withdrawn_at.is_(None), CycleRow.stage != Stage.CANCELLED)
        .order_by(CycleRow.period_end, ReviewRow.id)
    )
    if len(people) <= CHUNK:
        query = query.where(ReviewRow.subject_id.in_(people))
    found: dict[int, Aims] = {}
    review_of: dict[int, int] = {}
    for person, _end, figure, body in db.session.execute(query):
        if person not in people:
            continue
        if review_of.get(person) != figure.review_id:  # a later sheet takes the place of an earlier one
            review_of[person], found[person] = figure.review_id, {}
        indicator = _indicator_of(body, figure.row_key)
        if indicator is not None and indicator is not Indicator.VOLUME:
            found[person][indicator] = (_exact(figure.target), _exact(figure.target_limit))
    return found


def _indicator_of(body: dict[str, object], key: str) -> Indicator | None:
    rows = body.get("rows")
    for row in rows if isinstance(rows, list) else ():
        if row.get("key") == key and row.get("indicator") in _KNOWN:
            return Indicator(row["indicator"])
    return None


def _exact(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
