"""Where a person can go from the head of every page, by role."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, url_for

from review.domain.access import Actor, Role

# (key of the word, endpoint), in the order in which they stand.
EVERYONE = (
    ("home", "start.home"),
    ("my_ratings", "peer_review.mine"),
    ("kpi", "kpi_sheets.mine"),
    ("my_result", "reports.mine"),
    ("indicators", "indicators.show"),
    ("my_checks", "quality.mine"),
    ("scheme", "schemes.read"),
    ("kpi_plan", "kpi_plan.mine"),
    ("leave_out", "customer_survey.leave_out"),
)
BY_ROLE: Mapping[Role, tuple[tuple[str, str], ...]] = {
    Role.SUPERVISOR: (("team", "supervisor_review.team"), ("team_quality", "quality.team")),
    Role.HR: (
        ("cycles", "desk.cycles"),
        ("quality", "quality.board"),
        ("people", "people.listing"),
        ("records", "helpdesk.imports"),
        ("mail", "desk.mail"),
        ("audit", "desk.audit"),
    ),
    Role.ADMINISTRATOR: (
        ("people", "people.listing"),
        ("mail", "desk.mail"),
        ("jobs", "desk.jobs"),
        ("audit", "desk.audit"),
    ),
}


def links_for(actor: Actor, path: str) -> list[dict[str, Any]]:
    """The links of this person, each with its address, the key of its word, and whether it is here."""
    wanted = list(EVERYONE)
    for role, links in BY_ROLE.items():
        if role in actor.roles:
            wanted += [link for link in links if link not in wanted]
    items = [
        {"label_key": key, "endpoint_url": url_for(endpoint)}
        for key, endpoint in wanted
        if endpoint in current_app.view_functions
    ]
    here = max((item["endpoint_url"] for item in items if _leads_to(item["endpoint_url"], path)), key=len, default=None)
    return [{**item, "current": item["endpoint_url"] == here} for item in items]


def _leads_to(url: str, path: str) -> bool:
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))


def foot_links() -> list[dict[str, Any]]:
    """What stands at the foot of every page: the rules, and what protects those who rate."""
    wanted = (("method", "schemes.read"), ("protection", "peer_review.protection"))
    return [
        {"label_key": key, "endpoint_url": url_for(endpoint)}
        for key, endpoint in wanted
        if endpoint in current_app.view_functions
    ]
