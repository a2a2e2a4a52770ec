"""Which ticket a customer was asked about, for those who follow up on an answer."""

from collections.abc import Collection

from sqlalchemy import select

from review.customer_survey.tables import InvitationRow
from review.infra.db import db


def tickets_behind(cycle_id: int, customer_ids: Collection[int]) -> dict[int, int]:
    """The ticket that each of these customers was asked about in a cycle. One query."""
    query = select(InvitationRow.customer_id, InvitationRow.ticket_id)
    asked = query.where(InvitationRow.cycle_id == cycle_id, InvitationRow.customer_id.in_(customer_ids))
    return {customer: ticket for customer, ticket in db.session.execute(asked)}  # noqa: C416  Row objects, not pairs
