"""Hands the charts' geometry to templates/layout/charts.html, and prints published figures."""

from jinja2 import Environment

from review.domain import geometry
from review.domain.disclosure import Shown
from review.domain.rounding import decimal_text, half_up


def points_text(shown: Shown) -> str:
    """The points of a published figure: whole where they are whole, else with two places (half up)."""
    if shown.points % shown.over == 0:
        return str(shown.points // shown.over)
    return decimal_text(half_up(shown.points, shown.over))


def init_charts(environment: Environment) -> None:
    """Register `geometry` and the filter `points_text` in any Jinja environment: pages, mails, reports."""
    environment.globals["geometry"] = geometry
    environment.filters["points_text"] = points_text
