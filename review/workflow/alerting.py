"""Once a day the clock looks for alerts: in the tickets of the last months, and in surveys that are about to close."""

from datetime import datetime, time, timedelta

from review.customer_survey.by_person import asked_about
from review.cycles.service import in_stage
from review.domain.alerts import NEAR_DAYS, Finding
from review.domain.calendar import local_day, settled
from review.domain.cycle import Stage
from review.infra.organisation import Organisation
from review.kpi import alert_finding, alerts

LOOK_AT = time(7)


def is_due(now: datetime, ours: Organisation) -> bool:
    """From 7:00 on, on a day on which nobody has looked yet."""
    day = local_day(now, ours.zone)
    return now >= settled(day, LOOK_AT, ours.zone) and not alerts.was_looked_for(day)


def look(now: datetime, ours: Organisation) -> list[Finding]:
    """Everything there is to say today; reads only."""
    today = local_day(now, ours.zone)
    findings = alert_finding.in_tickets(today)
    for cycle in in_stage(Stage.COLLECTING):
        closes_on = local_day(cycle.closes_at, ours.zone)
        if cycle.opens_at <= now < cycle.closes_at and closes_on - today <= timedelta(days=NEAR_DAYS):
            period = (cycle.period_start, cycle.period_end)
            findings += alert_finding.in_surveys(cycle.name, period, closes_on, asked_about(cycle))
    return findings
