"""Makes the frozen body of each publication: all that its page will ever show, gathered once for a whole cycle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from review.ballots import service as ballots
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.canonical import digest
from review.domain.peer_words import least_ballots
from review.domain.refusals import NotYet
from review.domain.rounding import exact_text
from review.domain.scheme import Scheme, Tier
from review.domain.vocabulary import Grade
from review.infra.backup import product
from review.infra.db import db
from review.kpi import evidence as kpi
from review.kpi.frozen import frozen_in
from review.people.tables import DepartmentRow, PersonRow
from review.responses.written import written_in
from review.results import evidence
from review.results.looks import confirms
from review.results.tables import ScorecardRow, SecondLookRow, SignOffRow
from review.results.waiting import settles
from review.results.working import customers_count

FIRST = 1  # the version of a result that was never appealed


@dataclass(frozen=True, slots=True)
class Frozen:
    """One result on the day it is published."""

    review_id: int
    cycle_id: int
    subject_id: int
    department_id: int | None
    score: int | None
    grade: Grade | None
    body: Mapping[str, Any]
    inputs: Mapping[str, Any]

    def as_row(self, by: int, now: datetime) -> dict[str, Any]:
        """The publication row, in its first version."""
        return {
            "review_id": self.review_id,
            "cycle_id": self.cycle_id,
            "subject_id": self.subject_id,
            "department_id": self.department_id,
            "version": FIRST,
            "score": self.score,
            "grade": self.grade,
            "body": dict(self.body),
            "inputs": dict(self.inputs),
            "published_at": now,
            "published_by": by,
        }


def bodies_of(cycle: CycleRow, scheme: Scheme) -> Iterator[Frozen]:
    """Every living review of the cycle, frozen with the inputs of its score.

    Raises NotYet when one of them is not signed off on its figures, when these are not what the inputs say now, or when
    nobody has confirmed a score near a cut.
    """
    signer, second = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(ReviewRow, PersonRow, DepartmentRow.name, ScorecardRow, SignOffRow, signer.name)
        .add_columns(SecondLookRow, second.name)
        .join(PersonRow, PersonRow.id == ReviewRow.subject_id)
        .outerjoin(DepartmentRow, DepartmentRow.id == ReviewRow.department_id)
        .outerjoin(ScorecardRow, ScorecardRow.review_id == ReviewRow.id)
        .outerjoin(SignOffRow, settles())
        .outerjoin(signer, signer.id == SignOffRow.signed_by)
        .outerjoin(SecondLookRow, confirms())
        .outerjoin(second, second.id == SecondLookRow.person_id)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .order_by(ReviewRow.id)
    )
    written, words, said = written_in(cycle.id), ballots.comments_of(cycle.id), evidence.of_cycle(cycle.id)
    sheets, shown = kpi.parts_in(cycle.id), frozen_in(cycle.id)
    code = product()
    for review, subject, department, card, sign_off, signed_by, look, looked_by in db.session.execute(query):
        inputs = evidence.inputs_of(said[review.id], sheets.of(review.id))
        if card is None or sign_off is None or digest(inputs) != card.input_hash:
            raise NotYet("results:not_signed_off", name=subject.name)
        if card.near_cut and look is None:
            raise NotYet("results:look_missing", name=subject.name)
        grade = sign_off.final_grade
        body = {
            "cycle": _cycle(cycle),
            "scheme_id": cycle.scheme_id,
            "code": code,
            "subject": {"name": subject.name, "employee_no": subject.employee_no, "department": department},
            "decision": _decision(sign_off, signed_by),
            "second_look": _second_look(look, looked_by) if card.near_cut else None,
            "reward": _reward(scheme.tiers[grade]) if grade else None,
            **({"kpi_sheet": shown[review.id]} if review.id in shown else {}),
            **told_by_sources(scheme, card.working, written.get(review.id, {}), words.get(review.id, ())),
        }
        yield Frozen(review.id, cycle.id, review.subject_id, review.department_id, card.score, grade, body, inputs)


def told_by_sources(
    scheme: Scheme, working: Mapping[str, Any], said: Mapping[str, Any], words: Sequence[str]
) -> dict[str, Any]:
    """The part of a body that comes from what the sources said: the working, and everybody's words."""
    peers = {"from": least_ballots(scheme), "comments": list(words)}
    return {"working": working, **_written(said, working, scheme), "peer_words": peers}


def _cycle(cycle: CycleRow) -> dict[str, Any]:
    return {
        "id": cycle.id,
        "name": cycle.name,
        "kind": cycle.kind.value,
        "period_start": cycle.period_start.isoformat(),
        "period_end": cycle.period_end.isoformat(),
        "acknowledge_days": cycle.acknowledge_days,
    }


def _decision(row: SignOffRow, signed_by: str) -> dict[str, Any]:
    return {
        "computed": row.computed_grade.value if row.computed_grade else None,
        "final": row.final_grade.value if row.final_grade else None,
        "reason": row.reason,
        "summary": row.summary,
        "by": signed_by,
        "at": row.signed_at.isoformat(),
    }


def _second_look(row: SecondLookRow, looked_by: str) -> dict[str, Any]:
    return {"by": looked_by, "at": row.decided_at.isoformat() if row.decided_at else None, "reason": row.reason}


def _reward(tier: Tier) -> dict[str, Any]:
    return {
        "tier": tier.grade.value,
        "name": {"zh": tier.name.zh, "en": tier.name.en},
        "coefficient": exact_text(tier.coefficient),
        "recognition": tier.recognition,
        "coaching": tier.coaching,
        "awards": {"zh": tier.awards.zh, "en": tier.awards.en},
    }


def _written(said: Mapping[str, Any], working: Mapping[str, Any], scheme: Scheme) -> dict[str, Any]:
    """Words and the self-review. Customers' words follow their figures: under the minimum they are not kept either."""
    is_shown, customers = customers_count(working), said.get("customers", {"n": 0, "stars": None})
    return {
        "self": said.get("self"),
        "supervisor": said.get("supervisor", {}),
        "second": said.get("second", {}),
        "customers": {
            "n": customers["n"],
            "stars": customers["stars"] if is_shown else None,
            "comments": said.get("comments", []) if is_shown else [],
        },
        "minimums": {source.value: least for source, least in scheme.minimums.items()},
    }
