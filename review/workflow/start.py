"""Everybody's start page: what is there to do, where the cycle stands, and the last result."""

from datetime import datetime

from flask import render_template
from flask.typing import ResponseReturnValue

from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow
from review.infra.pages import ours
from review.kpi import alerts
from review.results import publication
from review.schemes.service import scheme_of
from review.workflow.doors import start as bp
from review.workflow.last_result import last_result
from review.workflow.tasks import cycles_alive, running_cycle, tasks_of
from review.workflow.timeline import steps_of


@bp.get("/")
@allow(Deed.START_SEE)
def home(actor: Actor) -> ResponseReturnValue:
    at, organisation = now(), ours()
    published = publication.publications_of(actor.person_id)
    cycles = cycles_alive()
    tasks = tasks_of(actor, at, organisation, published, cycles)
    todo = [task for task in tasks if not task.is_done]
    cycle = running_cycle(cycles)
    return render_template(
        "workflow/start.html",
        at=at,
        part_of_day=part_of_day(at, organisation.zone),
        todo=todo,
        done=[task for task in tasks if task.is_done],
        minutes=sum(task.minutes for task in todo),
        alerts=alerts.open_for(actor),
        cycle=cycle,
        steps=steps_of(cycle, organisation) if cycle else [],
        last=last_result(published, scheme_of(published[-1].body["scheme_id"])) if published else None,
    )


def part_of_day(at: datetime, zone: object) -> str:
    """Which greeting is polite on the organisation's wall clock."""
    hour = at.astimezone(zone).hour  # type: ignore[arg-type]
    if hour < 5 or hour >= 23:
        return "night"
    return "morning" if hour < 11 else "noon" if hour < 13 else "afternoon" if hour < 18 else "evening"
