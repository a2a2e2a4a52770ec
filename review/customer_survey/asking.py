"""The words of asking that plans, waves, letters and links share: kinds of letters, and when customers may be asked."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from review.cycles.tables import CycleRow
from review.domain.cycle import Stage
from review.domain.refusals import NotYet, TooLate
from review.infra import outbox

INVITATION = "customer_survey:invitation"
REMINDER = "customer_survey:reminder"


def about(cycle_id: int, customer_id: int) -> str:
    """What a letter to this customer is about, in the outbox's words."""
    return f"survey:{cycle_id}:{customer_id}"


def require_running(cycle: CycleRow, now: datetime) -> None:
    """Customers may be asked from the launch to the close; raises NotYet before, TooLate after."""
    if cycle.stage in {Stage.DRAFT, Stage.NOMINATING}:
        raise NotYet("customer_survey:not_launched")
    if cycle.stage is not Stage.COLLECTING or now >= cycle.closes_at:
        raise TooLate("customer_survey:closed")


def letters_to(kind: str, cycle_id: int, rows: Iterable[Any], when: datetime) -> Iterator[dict[str, Any]]:
    """One letter for every row that has an address (`customer_id`, `email`, `locale`)."""
    for row in rows:
        if row.email is not None:
            params = {"cycle": cycle_id, "customer": row.customer_id}
            yield outbox.letter(kind, about(cycle_id, row.customer_id), row.email, row.locale, params, now=when)


def take_letters_back(cycle_id: int, customer_id: int) -> None:
    """Letters that nobody has begun to send stay unsent."""
    for kind in (INVITATION, REMINDER):
        outbox.take_back(kind, about(cycle_id, customer_id))
