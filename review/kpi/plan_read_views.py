"""The KPI plan as everybody may read it at any time, tried with figures, and compared with another version."""

from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed, Role
from review.domain.calendar import local_day
from review.domain.kpi_plan import SATISFACTION_AT_LEAST
from review.domain.kpi_plan_changes import changes
from review.domain.refusals import OutOfReach
from review.domain.vocabulary import Text
from review.infra.clock import now
from review.infra.gate import Found, allow
from review.infra.ids import row_id
from review.infra.pages import ours, spoken, tell
from review.kpi import amounts, plan_reading, plans, trial
from review.kpi.plan_blueprint import bp
from review.kpi.plans import Version
from review.kpi.tables import PlanState

MOST_COMPARED = 400  # differences shown on one page


def find_version(actor: Actor, plan_id: int) -> Found:
    """A version of a plan; drafts exist for HR alone."""
    row = plans.stored(plan_id)
    if row.state is PlanState.DRAFT and Role.HR not in actor.roles:
        raise OutOfReach("kpi_plan:no_such_plan")
    return Found(plans.version_of(row))


def shown(template: str, version: Version | None, **context: Any) -> str:
    """A page of one version with what every such page needs to tell amounts."""
    locale = spoken()
    return render_template(
        template,
        version=version,
        row=version.row if version else None,
        plan=version.plan if version else None,
        told=lambda amount, unit: amounts.told(amount, unit, locale),
        exact=amounts.rounded,
        **context,
    )


@bp.get("/kpi/plan")
@allow(Deed.KPI_PLAN_READ)
def mine(actor: Actor) -> ResponseReturnValue:
    found = plan_reading.plan_for(actor.person_id)
    if found is None:
        return shown("kpi_plan/none.html", None)
    return _read(actor, plans.version_of(found.row))


@bp.get("/kpi/plan/<int:plan_id>")
@allow(Deed.KPI_PLAN_READ, find=find_version)
def read(actor: Actor, version: Version) -> ResponseReturnValue:
    return _read(actor, version)


def _read(actor: Actor, version: Version) -> str:
    cycle = plan_reading.cycle_with(version.row.id, actor.person_id)
    scheme = plan_reading.scheme_beside(cycle)
    family = [row for row in plans.every_version() if row.key == version.row.key]
    return shown(
        "kpi_plan/read.html",
        version,
        mine=plan_reading.group_of(version.plan, actor.person_id, cycle, local_day(now(), ours().zone)),
        cycle=cycle,
        is_late=cycle is not None and plan_reading.is_late(version.row, cycle, ours().zone),
        standing=plan_reading.standing_of(version.plan, scheme),
        family=[row for row in family if row.state is not PlanState.DRAFT or Role.HR in actor.roles],
        used=plans.used_by().get(version.row.id, []),
        least=SATISFACTION_AT_LEAST,
        spot=partial(plan_reading.spot_of, version.plan),
        is_hr=Role.HR in actor.roles,
    )


@bp.get("/kpi/plan/<int:plan_id>/try")
@allow(Deed.KPI_PLAN_READ, find=find_version)
def try_out(actor: Actor, version: Version) -> ResponseReturnValue:
    plan = version.plan
    cycle = plan_reading.cycle_with(version.row.id, actor.person_id)
    group = plan_reading.group_of(plan, actor.person_id, cycle, local_day(now(), ours().zone))
    chosen = next((one for one in plan.groups if one.key == request.args.get("group")), group)
    if chosen is None:
        tell("kpi_plan:no_groups_yet", "warn")
        return redirect(url_for("kpi_plan.read", plan_id=version.row.id))
    typed = {row.key: request.args.get(f"f-{row.key}", "")[:40] for row in plan.rows}
    return shown(
        "kpi_plan/try.html",
        version,
        group=chosen,
        mine=group,
        trial=trial.try_out(plan, chosen, typed),
        asked_in=trial.asked_in,
        scheme=plan_reading.scheme_beside(cycle),
    )


@bp.get("/kpi/plan/<int:plan_id>/changes")
@allow(Deed.KPI_PLAN_READ, find=find_version)
def compare(actor: Actor, version: Version) -> ResponseReturnValue:
    """What changed since another version of the same plan; since the one before where none is named."""
    family = [
        row
        for row in plans.every_version()
        if row.key == version.row.key
        and row.id != version.row.id
        and (row.state is not PlanState.DRAFT or Role.HR in actor.roles)
    ]
    wanted = request.args.get("since", type=row_id)
    earlier = next((row for row in family if row.version < version.row.version), None)
    base = next((row for row in family if row.id == wanted), earlier)
    if base is None:
        tell("kpi_plan:nothing_to_compare", "info", version=version.row.version)
        return redirect(url_for("kpi_plan.read", plan_id=version.row.id))
    found = changes(plans.version_of(base).plan, version.plan)
    return shown(
        "kpi_plan/compare.html",
        version,
        base=base,
        family=family,
        found=found[:MOST_COMPARED],
        more=max(0, len(found) - MOST_COMPARED),
        is_text=lambda value: isinstance(value, Text),
        say_amount=partial(_say_amount, locale=spoken()),
    )


def _say_amount(change: Any, value: Any, locale: str) -> str:
    """A target or limit in its unit."""
    return amounts.told(value, change.unit, locale)
