"""How a cycle's survey stands about each reviewed person: asked, answered, and how many answers their result needs."""

from sqlalchemy import func, select

from review.customer_survey.tables import InvitationRow
from review.cycles.tables import CycleRow, ReviewRow
from review.domain.alerts import Asked
from review.domain.vocabulary import Source
from review.infra.db import db
from review.schemes.service import scheme_of


def asked_about(cycle: CycleRow) -> list[Asked]:
    """Everybody whose review goes on, with invitations that stand. One query and the scheme's."""
    stands = (InvitationRow.review_id == ReviewRow.id) & InvitationRow.withdrawn_at.is_(None)
    query = (
        select(
            ReviewRow.subject_id,
            ReviewRow.supervisor_id,
            func.count(InvitationRow.id),
            func.count(InvitationRow.used_at),
        )
        .join(InvitationRow, stands, isouter=True)
        .where(ReviewRow.cycle_id == cycle.id, ReviewRow.withdrawn_at.is_(None))
        .group_by(ReviewRow.subject_id, ReviewRow.supervisor_id)
        .order_by(ReviewRow.subject_id)
    )
    minimum = scheme_of(cycle.scheme_id).minimums[Source.CUSTOMERS]
    rows = db.session.execute(query)
    return [Asked(person, team, offered, answered, minimum) for person, team, offered, answered in rows]
