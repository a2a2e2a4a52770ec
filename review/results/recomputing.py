"""Computes published results again from the inputs that were frozen with them. Never writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from review.cycles.tables import CycleRow
from review.domain.canonical import digest
from review.domain.refusals import NotYet
from review.domain.scheme import Scheme
from review.domain.score_inputs import read_inputs
from review.domain.scorecard import Scorecard
from review.domain.scoring import DEFAULT_ERROR, score
from review.infra.db import db
from review.results.tables import PublicationRow
from review.results.working import working_of
from review.schemes.service import scheme_of

BATCH = 200
LISTS = ("kpi_lines", "bonus_lines", "deduction_lines")


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a publication that its inputs do not lead to."""

    field: str
    stored: object
    recomputed: object


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One publication computed again. `card` None: its inputs were not kept."""

    review_id: int
    version: int
    employee_no: str
    card: Scorecard | None
    differences: tuple[Difference, ...]


def published_in(cycle: CycleRow) -> int:
    """How many publications the cycle has, every version counted. Raises NotYet where there is none."""
    count = db.session.scalar(select(func.count()).where(PublicationRow.cycle_id == cycle.id)) or 0
    if not count:
        raise NotYet("results:not_published_yet")
    return count


def recompute(cycle: CycleRow) -> Iterator[Recomputed]:
    """Every publication of the cycle in the order of reviews and versions, some hundred in memory at a time.

    One query for their numbers, one for each BATCH of them and one for each scheme: a database that sorted whole
    publications would first gather all of them.
    """
    order = (PublicationRow.review_id, PublicationRow.version)
    ids = db.session.scalars(
        select(PublicationRow.id).where(PublicationRow.cycle_id == cycle.id).order_by(*order)
    ).all()
    schemes: dict[int, Scheme] = {}
    for start in range(0, len(ids), BATCH):
        some = select(PublicationRow).where(PublicationRow.id.in_(ids[start : start + BATCH])).order_by(*order)
        rows = db.session.scalars(some.options(undefer(PublicationRow.inputs))).all()
        for row in rows:
            scheme_id = row.body["scheme_id"]
            if scheme_id not in schemes:
                schemes[scheme_id] = scheme_of(scheme_id)
            yield _recomputed(row, schemes[scheme_id])
            db.session.expunge(row)


def _recomputed(row: PublicationRow, scheme: Scheme) -> Recomputed:
    who = (row.review_id, row.version, row.body["subject"]["employee_no"])
    if row.inputs is None:
        return Recomputed(*who, None, (Difference("inputs", None, None),))
    card = _scored_again(row, scheme)
    return Recomputed(*who, card, tuple(_differences(row, card)))


def _scored_again(row: PublicationRow, scheme: Scheme) -> Scorecard:
    said = read_inputs(row.inputs or {})
    error = row.body["working"].get("standard_error")
    return score(
        scheme,
        said.evidence,
        said.items,
        said.bonus,
        said.deductions,
        said.sheet_veto,
        standard_error=Fraction(error) if error else DEFAULT_ERROR,
    )


def _differences(row: PublicationRow, card: Scorecard) -> Iterator[Difference]:
    """Every figure that is another one; the spelling of the inputs is hashed as it lies there, too."""
    kept, now = _by_field(row.body["working"]), _by_field(working_of(card))
    grade = card.grade.value if card.grade else None
    stated = [
        ("published_score", row.score, card.score),
        ("decision.computed", row.body["decision"]["computed"], grade),
        ("decision.final", row.body["decision"]["final"], row.grade.value if row.grade else None),
        ("inputs", kept.get("input_hash"), digest(row.inputs)),
    ]
    for field, stored, recomputed in stated:
        if stored != recomputed:
            yield Difference(field, stored, recomputed)
    for field in sorted(kept.keys() | now.keys()):
        if kept.get(field) != now.get(field):
            yield Difference(field, kept.get(field), now.get(field))


def _by_field(working: Mapping[str, Any]) -> dict[str, Any]:
    """A working with a name for each figure; lines of a sheet in an order of their own, because inputs are sorted."""
    fields: dict[str, Any] = {}
    for name, value in working.items():
        if name == "criteria":
            for line in value:
                fields |= {f"criteria.{line['key']}.{part}": line[part] for part in ("share", "score", "exact")}
                fields |= {f"criteria.{line['key']}.{source}": one for source, one in line["sources"].items()}
        elif name == "method":
            fields |= {f"method.{part}": one for part, one in value.items()}
        else:
            fields[name] = sorted(value, key=digest) if name in LISTS else value
    return fields
