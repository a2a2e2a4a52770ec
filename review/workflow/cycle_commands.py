"""`cycle create|launch|close|publish|status NAME`: HR's desk for scripts, over the same services."""

from datetime import date, datetime
from typing import Any

import click

from review.cycles import changes, service
from review.cycles.service import CyclePlan
from review.cycles.tables import CycleRow
from review.domain.calendar import CycleDates, local_day
from review.domain.period import Period, PeriodKind
from review.domain.refusals import Invalid, Problem
from review.domain.vocabulary import Custody, Protection
from review.infra import organisation
from review.infra.clock import now as clock_now
from review.infra.command import with_app
from review.infra.db import db
from review.infra.house import house
from review.infra.i18n import caller_locale
from review.infra.jobs import work_all
from review.infra.words import say
from review.kpi import plans as kpi_plans
from review.people import directory
from review.schemes import service as schemes
from review.tickets import jobs as ticket_jobs
from review.workflow import close, launch, plan, proposal, publish

DAY = click.DateTime(["%Y-%m-%d"])
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group("cycle")
def cycle_group() -> None:
    """Review cycles: create, launch, close, publish, status."""


def tell(code: str, **params: Any) -> None:
    click.echo(say(Problem(code, None, params), caller_locale()))


def person_of(employee_no: str | None) -> int | None:
    if employee_no is None:
        return None
    found = directory.by_number(employee_no)
    if found is None:
        raise Invalid("workflow:no_such_number", "--by", number=employee_no)
    return found.id


@cycle_group.command("create")
@click.argument("name")
@click.option("--kind", type=click.Choice([kind.value for kind in PeriodKind]), default="quarterly", show_default=True)
@click.option("--start", type=DAY, help="First day of the period (default: the period just over).")
@click.option("--end", type=DAY, help="Last day of the period.")
@click.option("--opens", type=MOMENT, help="Opening, wall clock of the organisation: 2027-01-04T09:00.")
@click.option("--self-due", type=MOMENT, help="Deadline of self-reviews.")
@click.option("--closes", type=MOMENT, help="Deadline of all answers.")
@click.option("--final", type=MOMENT, help="When results are to be final.")
@click.option("--publish-on", type=DAY, help="Day of publication.")
@click.option("--scheme", default=schemes.DEFAULT_KEY, show_default=True, help="Key of the scheme; its newest version.")
@click.option("--kpi-plan", help="Key of the KPI plan; its newest open version (default: no KPI sheets).")
@click.option("--asked", type=int, default=8, show_default=True, help="Peers asked for each person.")
@click.option("--max-load", type=int, default=9, show_default=True, help="People one peer rates at most.")
@click.option("--protection", type=click.Choice(list(Protection)), default=Protection.STANDARD, show_default=True)
@click.option("--custody", type=click.Choice(list(Custody)), default=Custody.MANAGED, show_default=True)
@click.option("--department", "departments", multiple=True, help="Review only these departments (repeat).")
@click.option("--by", help="Employee number of whoever decides this.")
@with_app
def create(name: str, kind: str, scheme: str, departments: tuple[str, ...], by: str | None, **given: Any) -> None:
    """Make cycle NAME in draft and put everybody who works here into it."""
    now, ours = clock_now(), organisation.current()
    stored = schemes.latest(scheme) or schemes.install_default(now)
    if stored.key != scheme:
        raise Invalid("cycles:no_such_scheme", "--scheme")
    proposed = proposal.propose(now, ours, PeriodKind(kind))
    cycle_plan = CyclePlan(
        name=name,
        period=_period(PeriodKind(kind), given["start"], given["end"], proposed.period),
        scheme_id=stored.id,
        dates=_dates(given, proposed.dates),
        asked=given["asked"],
        max_load=given["max_load"],
        protection=Protection(given["protection"]),
        custody=Custody(given["custody"]),
    )
    cycle = service.create(cycle_plan, ours.zone, by=person_of(by), now=now)
    if given["kpi_plan"]:
        kpi_plans.use(cycle, _newest_open(given["kpi_plan"]), by=person_of(by), now=now)
    count = service.choose(cycle, _people(departments, local_day(max(now, cycle.opens_at), ours.zone)))
    ticket_jobs.ask(cycle, now)
    tell("workflow:cli_created", name=name, count=count)


def _newest_open(key: str) -> int:
    found = [row.id for row in kpi_plans.open_versions() if row.key == key]
    if not found:
        raise Invalid("kpi_plan:not_open", "--kpi-plan")
    return found[0]


def _period(kind: PeriodKind, start: datetime | None, end: datetime | None, proposed: Period) -> Period:
    first = start.date() if start else proposed.start
    last = end.date() if end else proposal.last_period(kind, first).end if start else proposed.end
    return Period(kind, first, last)


def _dates(given: dict[str, Any], proposed: CycleDates) -> CycleDates:
    """What was typed; dates left out follow the ones proposed, or the opening that was typed."""
    ours = organisation.current()
    if given["opens"]:
        proposed = proposal.dates_from(given["opens"].date(), ours)

    def instant(name: str, otherwise: datetime) -> datetime:
        typed: datetime | None = given[name]
        return typed.replace(tzinfo=ours.zone) if typed else otherwise

    return CycleDates(
        opens_at=instant("opens", proposed.opens_at),
        self_due_at=instant("self_due", proposed.self_due_at),
        supervisor_due_at=None,
        closes_at=instant("closes", proposed.closes_at),
        finalise_by=instant("final", proposed.finalise_by),
        publish_on=given["publish_on"].date() if given["publish_on"] else proposed.publish_on,
    )


def _people(names: tuple[str, ...], day: date) -> list[int]:
    here = directory.active(day)
    if not names:
        return [person.id for person in here if person.supervisor_id is not None]
    departments = directory.departments()
    wanted: set[int] = set()
    for name in names:
        found = [key for key, row in departments.items() if row.name == name]
        if not found:
            raise Invalid("workflow:no_such_department", "--department", name=name)
        wanted |= directory.below(found[0], departments)
    return [person.id for person in here if person.department_id in wanted]


@cycle_group.command("launch")
@click.argument("name")
@click.option("--accept-shortages", is_flag=True, help="Go ahead although some people get no peer rating.")
@click.option("--by", help="Employee number of whoever decides this.")
@with_app
def launch_command(name: str, accept_shortages: bool, by: str | None) -> None:
    """Compute the peer assignment of NAME and launch it now."""
    now, cycle, who = clock_now(), service.by_name(name), person_of(by)
    if cycle.stage in changes.BEFORE_LAUNCH:
        service.refresh_lines(cycle)
        row = plan.keep(cycle, plan.compute(cycle, now), now)
        for shortage in row.without_peers:
            tell("workflow:cli_shortage", name=shortage["name"], got=shortage["got"], wanted=shortage["wanted"])
        if accept_shortages or not row.without_peers:
            changes.confirm_plan(cycle, row.digest, by=who, now=now)
        else:
            cycle.plan_digest = row.digest
        ticket_jobs.make_all(cycle)  # whoever launches by command waits for what the worker makes for HR
    launch.run(cycle, by=who, now=now)
    tell("workflow:cli_launched", name=name)


@cycle_group.command("close")
@click.argument("name")
@click.option("--by", help="Employee number of whoever decides this.")
@with_app
def close_command(name: str, by: str | None) -> None:
    """Close NAME now, even before its deadline, and count it unless a worker is quicker."""
    now = clock_now()
    cycle = service.by_name(name)
    close.close(cycle, by=person_of(by), now=now, early=True)
    db.session.commit()
    work_all(house().handlers, house().progress, "command", now)
    _print_status(service.by_name(name))


@cycle_group.command("publish")
@click.argument("name")
@click.option("--by", required=True, help="Employee number of whoever decides this: results name them.")
@with_app
def publish_command(name: str, by: str) -> None:
    """Publish the finalised results of NAME."""
    who = person_of(by)
    assert who is not None
    count = publish.run(service.by_name(name), by=who, now=clock_now())
    tell("workflow:cli_published", name=name, count=count)


@cycle_group.command("status")
@click.argument("name")
@with_app
def status_command(name: str) -> None:
    """Print where NAME stands, one `key: value` a line."""
    _print_status(service.by_name(name))


def _print_status(cycle: CycleRow) -> None:
    db.session.refresh(cycle)
    for key in ("name", "stage", "period_start", "period_end", "opens_at", "closes_at", "finalise_by", "publish_on"):
        value = getattr(cycle, key)
        click.echo(f"{key}: {value.isoformat() if isinstance(value, date | datetime) else value}")
    for line in service.ledger_of(cycle.id):
        click.echo(f"moved: {line.at.isoformat()} {line.move} {line.from_stage} -> {line.to_stage} {line.by or '-'}")
