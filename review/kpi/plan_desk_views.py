"""HR's desk for KPI plans: every version, drafts, opening and retiring."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import tell
from review.kpi import plans
from review.kpi.plan_blueprint import bp
from review.kpi.plan_read_views import find_version, shown
from review.kpi.plans import Version


@bp.get("/kpi/plan/versions")
@allow(Deed.KPI_PLAN_EDIT)
def versions(_actor: Actor) -> ResponseReturnValue:
    listed: dict[str, list[Version]] = {}
    for row in plans.every_version():
        listed.setdefault(row.key, []).append(plans.version_of(row))
    return shown("kpi_plan/list.html", None, listed=listed, used=plans.used_by())


@bp.post("/kpi/plan/start")
@allow(Deed.KPI_PLAN_EDIT)
def start(actor: Actor) -> ResponseReturnValue:
    row = plans.install_starting_set(now(), actor.person_id)
    return redirect(url_for("kpi_plan.read", plan_id=row.id))


@bp.post("/kpi/plan/<int:plan_id>/draft")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def draft(actor: Actor, version: Version) -> ResponseReturnValue:
    row = plans.draft_from(version.row, by=actor.person_id, now=now())
    return redirect(url_for("kpi_plan.read", plan_id=row.id))


@bp.post("/kpi/plan/<int:plan_id>/copy")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def copy(actor: Actor, version: Version) -> ResponseReturnValue:
    row = plans.copy_as(version.row, by=actor.person_id, now=now())
    tell("kpi_plan:copied", key=row.key)
    return redirect(url_for("kpi_plan.settings", plan_id=row.id))


@bp.post("/kpi/plan/<int:plan_id>/open")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def open_(actor: Actor, version: Version) -> ResponseReturnValue:
    plans.open_version(version.row, request.form.get("seen", ""), by=actor.person_id, now=now())
    tell("kpi_plan:opened", version=version.row.version)
    return redirect(url_for("kpi_plan.read", plan_id=version.row.id))


@bp.post("/kpi/plan/<int:plan_id>/discard")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def discard(actor: Actor, version: Version) -> ResponseReturnValue:
    number = version.row.version
    plans.discard(version.row, by=actor.person_id, now=now())
    tell("kpi_plan:discarded", version=number)
    return redirect(url_for("kpi_plan.versions"))


@bp.post("/kpi/plan/<int:plan_id>/retire")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def retire(actor: Actor, version: Version) -> ResponseReturnValue:
    plans.retire(version.row, by=actor.person_id, now=now())
    tell("kpi_plan:retired", version=version.row.version)
    return redirect(url_for("kpi_plan.read", plan_id=version.row.id))
