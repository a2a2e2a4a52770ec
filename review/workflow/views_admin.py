"""What keeps the house running, for its administrator: jobs, the audit log."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from review.domain.access import Actor, Deed
from review.infra import audit, jobs
from review.infra.audit import AuditRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import allow
from review.infra.house import house
from review.infra.jobs import JobRow, JobState
from review.infra.lists import page_of
from review.infra.pages import tell
from review.people.tables import PersonRow
from review.workflow.doors import desk as bp


@bp.get("/admin/jobs", endpoint="jobs")
@allow(Deed.JOBS_SEE)
def jobs_list(_actor: Actor) -> ResponseReturnValue:
    query = select(JobRow).order_by(JobRow.id.desc())
    listing = page_of(query, request.args.get("page", 1, type=int))
    running = {row.key: house().progress.read(row.key) for row in listing.rows if row.state is JobState.RUNNING}
    return render_template("workflow/jobs.html", listing=listing, running=running, counts=_by_state())


def _by_state() -> dict[str, int]:
    rows = db.session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {state.value: count for state, count in rows}


@bp.post("/admin/jobs")
@allow(Deed.JOBS_SEE)
def do_again(actor: Actor) -> ResponseReturnValue:
    """Put a failed job back in line."""
    at, key = now(), request.form.get("key", "")
    row = jobs.find(key)
    if row is not None and row.state is JobState.FAILED and jobs.ask_again(key, at):
        audit.record("workflow:job:repeated", f"job:{key}"[:120], by=actor.person_id, at=at)
        tell("workflow:job_again")
    return redirect(url_for("desk.jobs"))


@bp.get("/admin/audit", endpoint="audit")
@allow(Deed.AUDIT_SEE)
def audit_log(_actor: Actor) -> ResponseReturnValue:
    about = request.args.get("about", "").strip()
    query: Any = (
        select(AuditRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == AuditRow.actor_id)
        .order_by(AuditRow.id.desc())
    )
    if about:
        query = query.where(AuditRow.about == about)
    listing = page_of(query, request.args.get("page", 1, type=int))
    return render_template("workflow/audit.html", listing=listing, about=about)
