"""What a case review (案例复盘) needs before it may be closed, and who may own one: rules only."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from review.domain.refusals import Problem

LOW = 2  # overall stars from which down an answer opens a case
LONGEST = 2000


class Origin(StrEnum):
    """What opened a case."""

    LOW_SCORE = "low_score"
    COMPLAINT = "complaint"
    MANUAL = "manual"


class Cause(StrEnum):
    """Where the trouble came from; the closed list that reports count by."""

    KNOWLEDGE = "knowledge"
    COMMUNICATION = "communication"
    DELAY = "delay"
    PROCESS = "process"
    PRODUCT = "product"
    SYSTEM = "system"
    OUTSIDE = "outside"  # nothing anybody here could have done


@dataclass(frozen=True, slots=True)
class Findings:
    """What its owner writes down: why it happened, and what is done so that it does not happen again."""

    cause: Cause | None = None
    explanation: str = ""
    measure: str = ""
    note: str = ""


def flaws(said: Findings, *, closing: bool) -> Iterator[Problem]:
    """What keeps findings from being kept; `closing` asks for all of them."""
    for name in ("explanation", "measure", "note"):
        if len(getattr(said, name)) > LONGEST:
            yield Problem("form:too_long", name, {"max": LONGEST})
    if not closing:
        return
    if said.cause is None:
        yield Problem("follow_up:cause_missing", "cause")
    for name in ("measure", "note"):
        if not getattr(said, name).strip():
            yield Problem(f"follow_up:{name}_missing", name)
