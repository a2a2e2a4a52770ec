"""What every page can rely on: the organisation, the reader and their language, dates, and words for problems."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import Flask, flash, g, has_request_context, request
from flask_babel import get_locale

from review.domain.access import Actor
from review.domain.refusals import Problem
from review.domain.rounding import decimal_text
from review.infra import dates, organisation
from review.infra.forms import as_problem
from review.infra.i18n import request_locale
from review.infra.organisation import Organisation
from review.infra.words import say


def ours() -> Organisation:
    """The organisation, asked for once per request."""
    if "organisation" not in g:
        g.organisation = organisation.current()
    found: Organisation = g.organisation
    return found


def spoken() -> str:
    """The language in use right now: the letter's while one is written, else the reader's."""
    locale = get_locale()
    return locale.language if locale else request_locale()


def tell(code: str, kind: str = "ok", **params: object) -> None:
    """Show a message on the next page; its words stand in the room's `_words.html`."""
    flash((code, params), kind)  # type: ignore[arg-type]  # the template puts the code into words


def init_pages(
    app: Flask,
    actor: Callable[[], Actor | None],
    navigation: Callable[[Actor, str], list[dict[str, Any]]],
    footer: Callable[[], list[dict[str, Any]]],
) -> None:
    """Register globals and filters. `actor` tells who is signed in, `navigation` where they can go from a path."""

    @app.context_processor
    def _page() -> dict[str, Any]:
        somebody = actor()
        return {
            "organisation": ours(),
            "organisation_name": ours().name,
            "actor": somebody,
            "locale": request_locale(),
            "nav": navigation(somebody, request.path) if somebody and has_request_context() else [],
            "foot_links": footer() if has_request_context() else [],
        }

    def _say(problem: object, **params: object) -> str:
        if isinstance(problem, str) and params:
            problem = Problem(problem, None, params)
        return say(as_problem(problem), request_locale())

    app.jinja_env.globals["say"] = _say

    def day(value: date) -> str:
        return dates.day(value, spoken(), ours().zone)

    def full_day(value: date) -> str:
        return dates.full_day(value, spoken(), ours().zone)

    def deadline(value: datetime) -> str:
        return dates.deadline(value, spoken(), ours().zone)

    def moment(value: datetime) -> str:
        return dates.moment(value, spoken(), ours().zone)

    app.jinja_env.filters.update(
        day=day, full_day=full_day, deadline=deadline, moment=moment, points=points, weight=weight
    )


def points(hundredths: int | None) -> str:
    """`8794` as `87.94`; a dash where there is no number."""
    return "–" if hundredths is None else decimal_text(hundredths)


def weight(hundredths: int) -> str:
    """A share in hundredths of a percent: `8000` as `80`, `7692` as `76.92`."""
    return str(hundredths // 100) if hundredths % 100 == 0 else decimal_text(hundredths)
