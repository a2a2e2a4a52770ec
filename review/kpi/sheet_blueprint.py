"""The blueprint of sheets, by itself so that each file of views can hang its routes on it, and its figures' filters."""

from fractions import Fraction

from flask import Blueprint

from review.domain.records import Unit
from review.domain.rounding import short_text
from review.infra.i18n import request_locale
from review.kpi.paper_words import figure, words_in

bp = Blueprint("kpi_sheets", __name__)


@bp.app_template_filter("kpi_number")
def number(value: Fraction | str) -> str:
    """An exact number as short as it can be told in two places."""
    return short_text(Fraction(value))


@bp.app_template_filter("kpi_figure")
def told(value: Fraction | str | None, unit: Unit | str) -> str:
    """A figure in its unit."""
    return figure(None if value in (None, "None") else Fraction(value), Unit(unit), words_in(request_locale()))
