"""The boards over all samples: HR's overview of the room, and a supervisor's view of their own team."""

from datetime import timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from review.domain.access import Actor, Deed
from review.domain.calendar import local_day
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.ids import row_id
from review.infra.lists import page_of
from review.infra.pages import ours
from review.quality import calibration, disputes, figures, form_versions, lists
from review.quality.blueprint import bp
from review.quality.tables import SampleRow

TEAM_SPAN = timedelta(days=92)


@bp.get("/quality")
@allow(Deed.QUALITY_BOARD_SEE)
def board(_actor: Actor) -> ResponseReturnValue:
    """Samples with their coverage, disputes, rounds, forms."""
    at = now()
    query = select(SampleRow).order_by(SampleRow.created_at.desc(), SampleRow.id.desc())
    listing = page_of(query, request.args.get("page", 1, type=row_id), 20)
    due = {row.id: row.due_at for row in listing.rows}
    return render_template(
        "quality/board.html",
        listing=listing,
        coverage=figures.coverage(list(due), at, due),
        rounds=calibration.rounds(),
        is_over=lambda row: calibration.is_over(row, at),
        forms=form_versions.versions(),
        by_checker=disputes.by_checker(),
        by_category=disputes.by_category(),
        names=form_versions.category_names(),
        waiting=disputes.waiting(),
        days_taken=disputes.days_taken(),
    )


@bp.get("/team/quality")
@allow(Deed.TEAM_QUALITY_SEE)
def team(actor: Actor) -> ResponseReturnValue:
    """The last quarter of a supervisor's own people, to today."""
    today = local_day(now(), ours().zone)
    first = today - TEAM_SPAN
    return render_template(
        "quality/team.html",
        first=first,
        last=today,
        lines=lists.team(actor.person_id, first, today, today),
        latest=lists.latest_of_team(actor.person_id, first, today),
    )
