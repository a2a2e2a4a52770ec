"""Opens cases by the clock: one for each low answer and each complaint of a running cycle, once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from review.customer_survey.behind import tickets_behind
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.case_review import LOW, Origin
from review.follow_up.tables import CaseRow
from review.helpdesk.tables import TicketRow
from review.infra.db import db, insert_into
from review.responses import voices
from review.responses.voices import Voice

EMPTY = {"subject": "", "explanation": "", "measure": "", "note": "", "talk": "", "version": 1}
PORTION = 500


def missing_in(cycle: CycleRow) -> list[dict[str, Any]]:
    """The cases that a cycle's answers and complaints ask for and that are not there yet. Reads only, five queries."""
    known = db.session.execute(select(CaseRow.response_id, CaseRow.ticket_id).where(CaseRow.cycle_id == cycle.id)).all()
    answers, tickets = {response for response, _ in known}, {ticket for _, ticket in known if ticket is not None}
    low = [voice for voice in voices.low_in(cycle.id, LOW) if voice.response_id not in answers]
    found = _of_answers(cycle.id, low, tickets)
    tickets |= {row["ticket_id"] for row in found}
    return found + [row for row in _of_complaints(cycle) if row["ticket_id"] not in tickets]


def open_all(rows: Sequence[dict[str, Any]], now: datetime) -> int:
    """Write them; how many are new. What another process has opened meanwhile is left alone."""
    once = insert_into(CaseRow).on_conflict_do_nothing().returning(CaseRow.id)
    count = 0
    for start in range(0, len(rows), PORTION):
        portion = [{**EMPTY, **row, "opened_at": now} for row in rows[start : start + PORTION]]
        count += len(db.session.scalars(once, portion).all())
    return count


def _of_answers(cycle_id: int, low: Sequence[Voice], taken: set[int]) -> list[dict[str, Any]]:
    behind = tickets_behind(cycle_id, {voice.customer_id for voice in low})
    rows = []
    for voice in low:
        ticket = None if voice.withholds_ticket else behind.get(voice.customer_id)
        if ticket in taken:  # its complaint has opened a case: one ticket is talked over once
            ticket = None
        rows.append(
            {
                "cycle_id": cycle_id,
                "review_id": voice.review_id,
                "origin": Origin.LOW_SCORE,
                "response_id": voice.response_id,
                "ticket_id": ticket,
            }
        )
    return rows


def _of_complaints(cycle: CycleRow) -> list[dict[str, Any]]:
    query = (
        select(TicketRow.id, TicketRow.subject, ReviewRow.id.label("review_id"))
        .join(ReviewRow, (ReviewRow.subject_id == TicketRow.agent_id) & (ReviewRow.cycle_id == cycle.id))
        .where(ReviewRow.withdrawn_at.is_(None), TicketRow.is_complaint.is_(True))
        .where(TicketRow.closed_on.between(cycle.period_start, cycle.period_end))
        .order_by(TicketRow.id)
    )
    return [
        {
            "cycle_id": cycle.id,
            "review_id": row.review_id,
            "origin": Origin.COMPLAINT,
            "response_id": None,
            "ticket_id": row.id,
            "subject": row.subject or "",
        }
        for row in db.session.execute(query)
    ]
