"""The editor of a draft: its rows, its target groups, what holds for the whole plan. Buttons of a form lose nothing."""

from fractions import Fraction

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.domain.kpi_weights import fitted
from review.domain.reading import exact
from review.domain.refusals import OutOfReach
from review.infra.clock import now
from review.infra.forms import KeepingForm
from review.infra.gate import Found, allow
from review.infra.pages import spoken, tell
from review.kpi import plan_edits, plan_reading, plans
from review.kpi.plan_blueprint import bp
from review.kpi.plan_forms import RowsForm, blank_row, satisfaction_row, stand_of_rows, weights_of
from review.kpi.plan_read_views import find_version, shown
from review.kpi.plans import Version
from review.kpi.target_forms import GroupForm, SettingsForm, stand_of_group, stand_of_settings


def find_group(actor: Actor, plan_id: int, group_key: str) -> Found:
    """A target group of a draft, or the one that is being made."""
    version: Version = find_version(actor, plan_id).thing
    if group_key != plan_edits.NEW and group_key not in [one.key for one in version.plan.groups]:
        raise OutOfReach("kpi_plan:no_such_group")
    return Found((version, group_key))


def find_any_group(actor: Actor, plan_id: int, group_key: str) -> Found:
    """The same for removing it: one that is gone already is no mistake."""
    return Found((find_version(actor, plan_id).thing, group_key))


@bp.get("/kpi/plan/<int:plan_id>/rows")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def rows(_actor: Actor, version: Version) -> ResponseReturnValue:
    plans.require_draft(version.row)
    return _rows(version, RowsForm(data=stand_of_rows(version.plan, version.row.hash, spoken())))


@bp.post("/kpi/plan/<int:plan_id>/rows")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def keep_rows(actor: Actor, version: Version) -> ResponseReturnValue:
    form, act = RowsForm(), request.form.get("act", "")
    if act == "satisfaction":
        return _rows(version, form.changed("add", satisfaction_row(spoken())))
    if act == "fit":
        weights, told = weights_of(form)
        repair = fitted([exact(weight) or Fraction(0) for weight in weights], told) or ()
        act = f"fit:{','.join(map(str, repair))}"
    if act:
        return _rows(version, form.changed(act, blank_row()))
    if not form.keep(
        lambda: plan_edits.keep_rows(version.row, form.plain(), form.seen.data or "", by=actor.person_id, now=now())
    ):
        return _rows(version, form), form.status
    tell("kpi_plan:kept")
    return redirect(url_for("kpi_plan.read", plan_id=version.row.id))


def _rows(version: Version, form: RowsForm) -> str:
    weights, told = weights_of(form)
    known = [exact(weight) or Fraction(0) for weight in weights]
    return shown(
        "kpi_plan/rows.html",
        version,
        form=form,
        total=sum(known, Fraction(0)),
        satisfaction=sum((weight for weight, counts in zip(known, told, strict=True) if counts), Fraction(0)),
        repair=fitted(known, told),
    )


@bp.get("/kpi/plan/<int:plan_id>/targets")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def targets(_actor: Actor, version: Version) -> ResponseReturnValue:
    plans.require_draft(version.row)
    return shown("kpi_plan/targets.html", version)


@bp.get("/kpi/plan/<int:plan_id>/targets/<group_key>")
@allow(Deed.KPI_PLAN_EDIT, find=find_group)
def group(_actor: Actor, found: tuple[Version, str]) -> ResponseReturnValue:
    version, key = found
    plans.require_draft(version.row)
    there = next((one for one in version.plan.groups if one.key == key), None)
    return _group(version, key, GroupForm(data=stand_of_group(version.plan, there, version.row.hash, spoken())))


@bp.post("/kpi/plan/<int:plan_id>/targets/<group_key>")
@allow(Deed.KPI_PLAN_EDIT, find=find_group)
def keep_group(actor: Actor, found: tuple[Version, str]) -> ResponseReturnValue:
    (version, key), form, act = found, GroupForm(), request.form.get("act", "")
    if act:
        return _group(version, key, form.changed(act))

    def keep() -> None:
        own = plan_edits.free_key(version.row.body) if key == plan_edits.NEW else key
        last = plan_edits.is_last(version.row.body, key)
        said = form.offer((), ()).plain(version.plan, own, is_last=last)
        plan_edits.keep_group(version.row, key, said, form.seen.data or "", by=actor.person_id, now=now())

    if not form.keep(keep):
        return _group(version, key, form), form.status
    tell("kpi_plan:kept")
    return redirect(url_for("kpi_plan.targets", plan_id=version.row.id))


def _group(version: Version, key: str, form: GroupForm) -> str:
    return shown(
        "kpi_plan/group.html",
        version,
        form=form.offer(plan_reading.known_posts(), plan_reading.known_channels()),
        group_key=key,
        is_new=key == plan_edits.NEW,
        is_last=plan_edits.is_last(version.row.body, key),
        kinds=plan_reading.known_kinds(),
    )


@bp.post("/kpi/plan/<int:plan_id>/targets/<group_key>/remove")
@allow(Deed.KPI_PLAN_EDIT, find=find_any_group)
def remove_group(actor: Actor, found: tuple[Version, str]) -> ResponseReturnValue:
    version, key = found
    plan_edits.remove_group(version.row, key, by=actor.person_id, now=now())
    return redirect(url_for("kpi_plan.targets", plan_id=version.row.id))


@bp.get("/kpi/plan/<int:plan_id>/settings")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def settings(_actor: Actor, version: Version) -> ResponseReturnValue:
    plans.require_draft(version.row)
    return _settings(version, SettingsForm(data=stand_of_settings(version.plan, version.row.hash)))


@bp.post("/kpi/plan/<int:plan_id>/settings")
@allow(Deed.KPI_PLAN_EDIT, find=find_version)
def keep_settings(actor: Actor, version: Version) -> ResponseReturnValue:
    form, act = SettingsForm(), request.form.get("act", "")
    if act:
        return _settings(version, form.changed(act))
    if not form.keep(
        lambda: plan_edits.keep_settings(version.row, form.plain(), form.seen.data or "", by=actor.person_id, now=now())
    ):
        return _settings(version, form), form.status
    tell("kpi_plan:kept")
    return redirect(url_for("kpi_plan.read", plan_id=version.row.id))


def _settings(version: Version, form: KeepingForm) -> str:
    return shown("kpi_plan/settings.html", version, form=form, kinds=plan_reading.known_kinds())
